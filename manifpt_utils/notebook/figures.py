"""Figures.  Functions return a figure; `show` displays it with its description.

Colours are the colour-blind safe palette of seaborn, always together with a marker or a
label.  Artifacts are signed: they share one symmetric scale, zero is mid-grey or white.
"""

import base64
import io
import json

import matplotlib.pyplot as plt
import numpy as np
import plotly.graph_objects as go
import seaborn as sns
from IPython.display import display
from matplotlib.patches import Rectangle
from matplotlib.ticker import NullLocator
from PIL import Image
from plotly.utils import PlotlyJSONEncoder

MARKERS = "osD^vPX*<>phd8"
STYLE = {
    "figure.facecolor": "white",
    "savefig.facecolor": "white",
    "figure.dpi": 110,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.titlesize": 10,
    "axes.labelsize": 10,
    "legend.frameon": False,
    "legend.fontsize": 9,
    "figure.constrained_layout.use": True,
}


def use_style():
    """Set the look of all figures of a notebook."""
    sns.set_theme(style="ticks", palette="colorblind", rc=STYLE)


def show(figure, *, alt, caption, name=None):
    """Display a matplotlib or plotly figure, or a picture, with its description.

    Parameters
    ----------
    figure : matplotlib Figure, plotly Figure or PIL Image
    alt : str
        What is to be seen, for readers who cannot see it.
    caption : str
        Stands below the figure in the book.
    name : str, optional
        Label for references from the text.
    """
    words = {"alt": alt, "caption": caption} | ({"name": name} if name else {})
    if isinstance(figure, go.Figure):
        kind = "application/vnd.plotly.v1+json"
        data = {kind: figure.to_plotly_json(), "text/plain": alt}
        display(_plain(data), metadata={kind: words}, raw=True)
        return
    if isinstance(figure, Image.Image):
        buffer = io.BytesIO()
        figure.save(buffer, "PNG", optimize=True)
        pixels = base64.b64encode(buffer.getvalue()).decode()
        data = {"image/png": pixels, "text/plain": alt}
        display(data, metadata={"image/png": words}, raw=True)
        return
    display(figure, metadata={"image/png": words})
    plt.close(figure)


def _plain(data):
    """Plotly's own JSON encoding, which knows arrays."""
    return json.loads(json.dumps(data, cls=PlotlyJSONEncoder))


def signed(artifact, limit):
    """Map a signed image to [0, 1]: zero is mid-grey, +-limit white and black."""
    return np.clip(artifact / (2 * limit) + 0.5, 0, 1)


def symmetric_limit(artifacts, quantile=0.995):
    """One colour limit for many signed images, robust against a few large values."""
    return float(np.quantile(np.abs(artifacts), quantile)) or 1.0


def image_rows(rows, *, row_labels=None, column_labels=None, size=0.9, cmap=None, **kw):
    """A grid of small images: `rows` is a list of lists of (h, w[, 3]) arrays."""
    n, m = len(rows), max(len(r) for r in rows)
    figure, axes = plt.subplots(n, m, figsize=(size * m + 0.8, size * n), squeeze=False)
    for i, row in enumerate(rows):
        for j, axis in enumerate(axes[i]):
            axis.set(xticks=[], yticks=[])
            sns.despine(ax=axis, left=True, bottom=True)
            if j < len(row) and row[j] is not None:
                axis.imshow(row[j], cmap=cmap, **kw)
    _label_grid(axes, row_labels, column_labels)
    return figure


def _label_grid(axes, row_labels, column_labels):
    for axis, text in zip(axes[0], column_labels or [], strict=False):
        axis.set_title(text, fontsize=8)
    for axis, text in zip(axes[:, 0], row_labels or [], strict=False):
        axis.set_ylabel(text, rotation=0, ha="right", va="center", fontsize=9)


def contact_sheet(images, columns=12):
    """Images side by side in one array: (rows * h, columns * w, 3)."""
    rows = len(images) // columns
    h, w = images.shape[1:3]
    grid = images[: rows * columns].reshape(rows, columns, h, w, -1)
    return grid.swapaxes(1, 2).reshape(rows * h, columns * w, -1)


def picture(images, *, columns=24):
    """A contact sheet, pixel by pixel, in 256 colours: for a page with many of them.

    Parameters
    ----------
    images : (n, h, w, 3) uint8 array
        The last row is left out if it is not full.
    columns : int

    Returns
    -------
    PIL Image
    """
    return Image.fromarray(contact_sheet(images, columns)).quantize(256, dither=0)


def sheets(images, *, columns=12, n=24):
    """One contact sheet a model: `images` is a dict of model to (n, h, w, 3)."""
    figure, axes = plt.subplots(len(images), 1, figsize=(8, 1.45 * len(images)))
    for axis, (model, samples) in zip(np.atleast_1d(axes), images.items(), strict=True):
        axis.imshow(contact_sheet(samples[:n], columns))
        axis.set(xticks=[], yticks=[])
        axis.set_ylabel(model, rotation=0, ha="right", va="center")
    return figure


def boxes_on_photograph(photograph, coordinates, *, labels=None, ax=None):
    """Draw views, given as (n, 3) x, y, side, as boxes on the photograph."""
    figure, ax = (None, ax) if ax else plt.subplots(figsize=(6, 4))
    ax.imshow(photograph)
    ax.set(xticks=[], yticks=[])
    colours = sns.color_palette("colorblind", len(coordinates))
    for i, (x, y, side) in enumerate(coordinates):
        corner = (x - side / 2, y - side / 2)
        box = Rectangle(corner, side, side, fill=False, lw=2, ec=colours[i])
        ax.add_patch(box)
        if labels is not None:
            # Every second label stands below its box: boxes may nearly coincide.
            low = (corner[0], corner[1] + side * (i % 2))
            align = "top" if i % 2 else "bottom"
            style = {"color": "white", "backgroundcolor": colours[i], "va": align}
            ax.text(*low, labels[i], fontsize=8, **style)
    return figure or ax.figure


def coverage_maps(photo_manifold, coordinates, *, columns=3):
    """Where the closest views of each model's samples lie on the photograph.

    Parameters
    ----------
    photo_manifold : PhotoManifold
    coordinates : dict of model to (n, 3) array
    """
    rows = -(-len(coordinates) // columns)
    size = (2.7 * columns, 2.1 * rows)
    figure, axes = plt.subplots(rows, columns, figsize=size, squeeze=False)
    (x0, x1), (y0, y1), (s0, s1) = photo_manifold.bounds
    for axis in axes.flat:
        axis.axis("off")
    for axis, (model, c) in zip(axes.flat, coordinates.items(), strict=False):
        axis.imshow(photo_manifold.photograph, alpha=0.55)
        points = axis.scatter(*c[:, :2].T, c=c[:, 2], s=5, vmin=s0, vmax=s1)
        axis.add_patch(Rectangle((x0, y0), x1 - x0, y1 - y0, fill=False, ls="--"))
        axis.set_title(model)
    figure.colorbar(points, ax=axes, label="side of the view, pixels", shrink=0.8)
    return figure


def lines(table, *, x, y, hue, col=None, error=None, log=True, ylabel=None, level=None):
    """Lines with markers, one panel a value of `col`, from a long table.

    `log` is True for both axes, "x" for one, False for none; `level` is where a dotted
    line helps the eye.
    """
    panels = [None] if col is None else list(dict.fromkeys(table[col]))
    figure, axes = _panels(len(panels))
    for axis, panel in zip(axes.flat, panels, strict=False):
        part = table if panel is None else table[table[col] == panel]
        for i, (name, group) in enumerate(part.groupby(hue, sort=False)):
            yerr = group[error] if error else None
            axis.errorbar(
                group[x], group[y], yerr, marker=MARKERS[i], label=name, capsize=2
            )
        if level is not None:
            axis.axhline(level, color="grey", ls=":")
        _log_axes(axis, log, sorted(set(part[x])))
        axis.set(xlabel=x, title=panel or "")
    for axis in axes[:, 0]:
        axis.set_ylabel(ylabel or y)
    figure.legend(*axes[0, 0].get_legend_handles_labels(), loc="outside right upper")
    return figure


def _panels(n):
    """Up to three panels in a row; four, which a page would shrink, two by two."""
    columns = 2 if n == 4 else min(n, 3)
    rows = -(-n // columns)
    size = (3.3 * columns + 1.2, 0.4 + 2.8 * rows)
    figure, axes = plt.subplots(rows, columns, figsize=size, squeeze=False, sharey=True)
    for axis in axes.flat[n:]:
        axis.axis("off")
    return figure, axes


def _log_axes(axis, which, ticks):
    """Logarithmic axes as asked, "x" or both, with the measured x as ticks."""
    if not which:
        return
    axis.set_xscale("log")
    axis.set_xticks(ticks, [f"{t:,}" for t in ticks])
    axis.xaxis.set_minor_locator(NullLocator())
    if which != "x":
        axis.set_yscale("log")


def dots(table, *, value, error, chance=None, xlabel=None, groups=None):
    """Scores as dots with standard deviations, one row an index entry."""
    figure, axis = plt.subplots(figsize=(6.5, 0.28 * len(table) + 0.9))
    position = np.arange(len(table))[::-1]
    names = groups if groups is not None else [""] * len(table)
    order = list(dict.fromkeys(names))
    for i, name in enumerate(order):
        mask = np.array([n == name for n in names])
        axis.errorbar(
            table[value][mask],
            position[mask],
            xerr=table[error][mask],
            fmt=MARKERS[i],
            capsize=2,
            label=name or None,
        )
    if chance is not None:
        axis.axvline(chance, color="grey", ls=":", label="chance")
    axis.set_yticks(position, table.index)
    axis.set_xlabel(xlabel or value)
    figure.legend(loc="outside right upper")
    return figure


def heatmap(table, *, cmap="viridis", label="", limits=(None, None), size=0.75):
    """A labelled matrix, for confusions and for scores by model and factor."""
    width, height = size * table.shape[1] + 2.2, 0.5 * len(table) + 1.2
    figure, axis = plt.subplots(figsize=(width, height))
    sns.heatmap(
        table,
        annot=True,
        fmt=".2f",
        cmap=cmap,
        vmin=limits[0],
        vmax=limits[1],
        cbar_kws={"label": label},
        ax=axis,
    )
    axis.tick_params(axis="x", rotation=45)
    axis.tick_params(axis="y", rotation=0)
    axis.set(xlabel="", ylabel="")
    return figure


def spectra(spectra_by_model, *, limit=None, columns=6, label="log magnitude"):
    """Mean spectra or mean spectral artifacts, one (h, w) panel a model, one scale."""
    columns = min(columns, len(spectra_by_model))
    rows = -(-len(spectra_by_model) // columns)
    size = (1.7 * columns + 0.8, 1.85 * rows)
    figure, axes = plt.subplots(rows, columns, figsize=size, squeeze=False)
    limit = limit or symmetric_limit(list(spectra_by_model.values()), 1.0)
    for axis in axes.flat:
        axis.axis("off")
    for axis, (model, values) in zip(axes.flat, spectra_by_model.items(), strict=False):
        picture = axis.imshow(values, cmap="RdBu_r", vmin=-limit, vmax=limit)
        axis.set_title(model, fontsize=9)
    figure.colorbar(picture, ax=axes, label=label, shrink=0.8)
    return figure


def scatter_panels(embeddings, labels, *, columns=3):
    """Two-dimensional embeddings side by side: dict of title to (n, 2) array."""
    columns = min(columns, len(embeddings))
    rows = -(-len(embeddings) // columns)
    size = (2.9 * columns + 1.3, 2.8 * rows)
    figure, axes = plt.subplots(rows, columns, figsize=size, squeeze=False)
    for axis in axes.flat:
        axis.axis("off")
    for axis, (title, points) in zip(axes.flat, embeddings.items(), strict=False):
        for i, name in enumerate(np.unique(labels)):
            part = points[labels == name]
            axis.scatter(*part.T, s=7, marker=MARKERS[i], label=name, lw=0, alpha=0.8)
        axis.set_title(title)
    handles = axes[0, 0].get_legend_handles_labels()
    figure.legend(*handles, loc="outside right upper", markerscale=2)
    return figure


def scatter_with_images(points, labels, images, *, title=""):
    """An interactive map; the book shows the image under the pointer or the focus.

    Parameters
    ----------
    points : (n, 2) array
    labels : (n,) array of str
    images : (n, h, w, 3) uint8 array

    Returns
    -------
    plotly Figure
        `layout.meta.sprite` holds all images in one picture; the customdata of a point
        is the number of its tile.
    """
    figure = go.Figure()
    colours = sns.color_palette("colorblind").as_hex()
    symbols = ["circle", "square", "diamond", "triangle-up", "triangle-down", "cross"]
    for i, name in enumerate(np.unique(labels)):
        rows = np.flatnonzero(labels == name)
        figure.add_scatter(
            x=points[rows, 0].round(2),
            y=points[rows, 1].round(2),
            mode="markers",
            name=str(name),
            customdata=rows,
            marker={
                "color": colours[i % len(colours)],
                "symbol": symbols[i % len(symbols)],
                "size": 6,
            },
            hovertemplate=f"{name}<extra></extra>",
        )
    axis = {"visible": False}
    figure.update_layout(
        title=title,
        xaxis=axis,
        yaxis=axis | {"scaleanchor": "x"},
        margin={"l": 0, "r": 0, "t": 40, "b": 0},
        legend={"orientation": "h"},
        height=520,
        meta={"sprite": _sprite(images)},
    )
    return figure


def _sprite(images, columns=40):
    """All images in one picture, lossy, for display only."""
    missing = -len(images) % columns
    padded = np.concatenate([images, np.zeros((missing, *images.shape[1:]), "uint8")])
    buffer = io.BytesIO()
    Image.fromarray(contact_sheet(padded, columns)).save(buffer, "WEBP", quality=70)
    source = "data:image/webp;base64," + base64.b64encode(buffer.getvalue()).decode()
    return {"source": source, "size": images.shape[1], "columns": columns}
