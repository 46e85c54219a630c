"""Figures.  Functions return a figure or panels; `show` displays it in words, too.

The colours and markers of methods are those of `palette`, the same in every chapter.
Artifacts are signed: they share one symmetric scale, zero is mid-grey or white.
"""

import base64
import io

import numpy as np
import plotly.graph_objects as go
import seaborn as sns
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Rectangle
from matplotlib.ticker import NullLocator, PercentFormatter
from PIL import Image

from .drawing import WIDTH, Panels, show, use_style
from .palette import MARKERS, PALETTE, QUIET, fixed, styles

__all__ = [
    "Panels",
    "boxes_on_photograph",
    "contact_sheet",
    "coverage_maps",
    "dot_panels",
    "dots",
    "heatmap",
    "image_rows",
    "lines",
    "picture",
    "scatter_panels",
    "scatter_with_images",
    "sheets",
    "show",
    "signed",
    "spectra",
    "symmetric_limit",
    "use_style",
]

DIRECT = 7  # lines up to which every panel names its own
LETTER = 0.07  # inches that a letter of 9 points takes
TILE = 64  # pixels to which larger images shrink in sheets
PREVIEW = 320  # pixels of a photograph that is only the ground of a map
LIGHTER = 0.25  # white in the colours of points, which are pixels in light and dark


def signed(artifact, limit):
    """Map a signed image to [0, 1]: zero is mid-grey, +-limit white and black."""
    return np.clip(artifact / (2 * limit) + 0.5, 0, 1)


def symmetric_limit(artifacts, quantile=0.995):
    """One colour limit for many signed images, robust against a few large values."""
    return float(np.quantile(np.abs(artifacts), quantile)) or 1.0


def _canvas(width, height):
    """A figure with one axis, in inches, which no notebook shows unasked."""
    figure = Figure((width, height))
    return figure, figure.add_subplot()


# Images


def image_rows(rows, *, row_labels=None, column_labels=None, size=0.9, cmap=None, **kw):
    """A grid of small images.

    Parameters
    ----------
    rows : list of lists of (h, w[, 3]) arrays
        None leaves a place empty.
    row_labels, column_labels : sequence of str, optional
    size : float
        Inches of an image, at most; many columns have smaller ones.
    cmap : str, optional
        Colours of images with one channel.
    **kw
        Further options of `imshow`.
    """
    n, m = len(rows), max(len(row) for row in rows)
    left = (
        LETTER * max((len(str(text)) for text in row_labels or [""]), default=0) + 0.1
    )
    size = min(size, max((WIDTH - left) / m, 0.42))
    labels, turn, top = _fitted(column_labels or [], size)
    axes = _grid(n, m, size, left, top + 0.1, 0.8 * top if turn else 0.05)
    for axis, image in zip(axes.flat, _filled(rows, m), strict=True):
        _bare(axis)
        if image is not None:
            axis.imshow(image, cmap=cmap, interpolation="none", **kw)
    style = {"fontsize": 9, "fontweight": "normal", "ha": "left" if turn else "center"}
    for axis, text in zip(axes[0], labels, strict=False):
        axis.set_title(text, loc="center", **turn, **style)
    for axis, text in zip(axes[:, 0], row_labels or [], strict=False):
        axis.set_ylabel(text, rotation=0, ha="right", va="center", fontsize=9)
    return axes[0, 0].figure


def _grid(n, m, size, left, top, right, gap=0.05):
    """Axes (n, m) of one size, in inches, with room for labels beside and above."""
    width = left + m * size + (m - 1) * gap + right
    height = top + n * size + (n - 1) * gap + 0.02
    figure = Figure((width, height), layout="none")
    places = {"left": left / width, "right": 1 - right / width}
    places |= {"top": 1 - top / height, "bottom": 0.02 / height}
    places |= {"wspace": gap / size, "hspace": gap / size}
    return figure.subplots(n, m, squeeze=False, gridspec_kw=places)


def _filled(rows, m):
    """All images of a grid of m columns, None where a row is short."""
    return [
        row[j] if j < len(row) else None for row in map(list, rows) for j in range(m)
    ]


def _fitted(labels, width):
    """Labels in lines that fit a width, or slanted; how to turn them; their height."""
    broken = [_broken(str(text), width) for text in labels]
    parts = [part for text in broken for part in text.split("\n")]
    if all(LETTER * len(part) <= width for part in parts):
        return (
            broken,
            {},
            0.15 * max((text.count("\n") + 1 for text in broken), default=0),
        )
    names = [str(text) for text in labels]
    turn = {"rotation": 35, "rotation_mode": "anchor"}
    return names, turn, 0.65 * LETTER * max(map(len, names))


def _broken(text, size):
    """A label in lines that fit a width where its words allow it."""
    lines = [""]
    for word in text.split():
        wider = f"{lines[-1]} {word}".strip()
        if lines[-1] and len(wider) * LETTER > size:
            lines.append(word)
        else:
            lines[-1] = wider
    return "\n".join(lines)


def _bare(axis):
    """No ticks and no frame."""
    axis.set(xticks=[], yticks=[])
    axis.spines[:].set_visible(False)


def contact_sheet(images, columns=12):
    """Images side by side in one array; a last row that is not full is left out.

    Parameters
    ----------
    images : (n, h, w, c) array
    columns : int
        Fewer images stand in one row.

    Returns
    -------
    (rows * h, columns * w, c) array

    Raises
    ------
    ValueError
        If there is no image.
    """
    images = np.asarray(images)
    if not len(images):
        raise ValueError("a contact sheet needs at least one image, got none.")
    columns = min(columns, len(images))
    rows = len(images) // columns
    h, w = images.shape[1:3]
    grid = images[: rows * columns].reshape(rows, columns, h, w, -1)
    return grid.swapaxes(1, 2).reshape(rows * h, columns * w, -1)


def _tiles(images):
    """Images as they are, or shrunk if they are too large for a sheet."""
    images = np.asarray(images)
    longest = max(images.shape[1:3])
    if longest <= TILE:
        return images
    h, w = (max(round(side * TILE / longest), 1) for side in images.shape[1:3])
    small = [Image.fromarray(x).resize((w, h), Image.Resampling.BOX) for x in images]
    return np.stack([np.asarray(x) for x in small])


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
    sheet = contact_sheet(_tiles(images), columns)
    return Image.fromarray(sheet).quantize(256, dither=0)


def sheets(images, *, columns=12, n=24):
    """One contact sheet a model, each a panel.

    Parameters
    ----------
    images : dict of model to (n, h, w, 3) uint8 array
    columns, n : int
        Images in a row, and in all; fewer are shown where there are fewer.
    """
    figures = []
    for model, samples in images.items():
        sheet = contact_sheet(_tiles(samples[:n]), columns)
        height = 3.6 * sheet.shape[0] / sheet.shape[1]
        figure, axis = _canvas(3.6, height + 0.28)
        axis.imshow(sheet, interpolation="none")
        axis.set_title(model)
        _bare(axis)
        figures.append(figure)
    return Panels(figures, columns=2)


def boxes_on_photograph(photograph, coordinates, *, labels=None, ax=None):
    """Draw views, given as (n, 3) x, y, side, as boxes on the photograph."""
    figure, ax = (None, ax) if ax else _canvas(WIDTH, 0.67 * WIDTH)
    ax.imshow(photograph)
    _bare(ax)
    colours = [fixed(colour) for colour in PALETTE.values()]
    for i, (x, y, side) in enumerate(coordinates):
        corner, colour = (x - side / 2, y - side / 2), colours[i % len(colours)]
        box = Rectangle(corner, side, side, fill=False, lw=2, ec=colour)
        ax.add_patch(box)
        if labels is not None:
            # Every second label stands below its box: boxes may nearly coincide.
            low = (corner[0], corner[1] + side * (i % 2))
            align = "top" if i % 2 else "bottom"
            style = {"color": "white", "backgroundcolor": colour, "va": align}
            ax.text(*low, labels[i], fontsize=9, **style)
    return figure or ax.figure


def coverage_maps(photo_manifold, coordinates, *, columns=3):
    """Where the closest views of each model's samples lie on the photograph.

    Parameters
    ----------
    photo_manifold : PhotoManifold
    coordinates : dict of model to (n, 3) array
    columns : int
        Maps side by side where the screen is wide.
    """
    (x0, x1), (y0, y1), sides = photo_manifold.bounds
    photograph = Image.fromarray(photo_manifold.photograph)
    w, h = photograph.size
    photograph.thumbnail((PREVIEW, PREVIEW))
    figures = []
    for model, c in coordinates.items():
        figure, axis = _canvas(2.4, 2.4 * h / w + 0.25)
        extent = (-0.5, w - 0.5, h - 0.5, -0.5)
        axis.imshow(photograph, alpha=0.55, extent=extent, interpolation="none")
        axis.scatter(
            *c[:, :2].T,
            c=c[:, 2],
            s=5,
            cmap="viridis",
            norm=Normalize(*sides),
            rasterized=True,
        )
        axis.add_patch(Rectangle((x0, y0), x1 - x0, y1 - y0, fill=False, ls="--"))
        axis.set_title(model)
        _bare(axis)
        figures.append(figure)
    legend = _colour_bar("viridis", sides, "side of the view, pixels")
    return Panels(figures, legend, columns)


def spectra(spectra_by_model, *, limit=None, columns=6, label="log magnitude"):
    """Mean spectra or mean spectral artifacts, one panel a model, one scale.

    Parameters
    ----------
    spectra_by_model : dict of model to (h, w) array
    limit : float, optional
        End of the colour scale; by default the largest value.
    columns : int
        Panels side by side where the screen is wide.
    label : str
        What the colours show.
    """
    limit = limit or symmetric_limit(list(spectra_by_model.values()), 1.0)
    figures = []
    for model, values in spectra_by_model.items():
        figure, axis = _canvas(1.6, 1.8)
        options = {"cmap": "RdBu_r", "vmin": -limit, "vmax": limit}
        axis.imshow(values, interpolation="none", **options)
        axis.set_title(model)
        _bare(axis)
        figures.append(figure)
    return Panels(figures, _colour_bar("RdBu_r", (-limit, limit), label), columns)


def _colour_bar(cmap, limits, label):
    """What colours mean, as the legend of panels."""
    figure, axis = _canvas(3.2, 0.55)
    figure.colorbar(
        ScalarMappable(Normalize(*limits), cmap), cax=axis, orientation="horizontal"
    )
    axis.set_title(label, fontsize=9, fontweight="normal")
    return figure


# Lines


def lines(
    table,
    *,
    x,
    y,
    hue,
    col=None,
    error=None,
    log=True,
    xlabel=None,
    ylabel=None,
    level=None,
    percent=False,
):
    """Lines with markers, one panel a value of `col`, from a long table.

    Parameters
    ----------
    table : DataFrame
    x, y, hue, col : str
        Columns; `y` may hold intervals, `hue` has one value a line.
    error : str or pair of str, optional
        Column with the half width of an interval, or columns with its ends.
    log : bool or "x"
        Logarithmic axes: both, none, or one.
    xlabel, ylabel : str, optional
    level : float or dict of str to float, optional
        Where quiet lines help the eye, by name: {"chance": 0.1}.
    percent : bool
        Write the shares of the y-axis in percent.
    """
    names = list(dict.fromkeys(table[hue]))
    panels = {"": table} if col is None else _groups(table, col)
    direct = len(names) <= DIRECT and max(map(len, map(str, names)), default=0) < 20
    width = 2.8 if len(panels) > 1 and not direct else 3.5
    size = (WIDTH, 3.2) if len(panels) == 1 else (width, 2.6)
    figures, axes = zip(*(_canvas(*size) for _ in panels), strict=True)
    for axis, (title, part) in zip(axes, panels.items(), strict=True):
        _draw_lines(axis, part, x, y, hue, error, styles(names))
        _log_axes(axis, log, sorted(set(part[x])))
        axis.set(xlabel=xlabel or x, ylabel=ylabel or y, title=title)
        _levels(axis, level, "y")
        axis.grid(axis="y")
        if percent:
            axis.yaxis.set_major_formatter(PercentFormatter(1, symbol=" %"))
    _share_limits(axes, "y")
    if direct:
        for axis in axes:
            _name_lines(axis)
        return figures[0] if len(panels) == 1 else Panels(list(figures), columns=2)
    return Panels(list(figures), _legend(styles(names), line="-"))


def _groups(table, column):
    """Parts of a table by the values of a column, in order of appearance."""
    return {name: part for name, part in table.groupby(column, sort=False)}


def _ranges(table, value, error):
    """Middle and lengths of the bars to both sides, as arrays of n and (2, n)."""
    cells = list(table[value])
    if cells and hasattr(cells[0], "low"):
        middle, low, high = (
            np.array([getattr(cell, part) for cell in cells], dtype=float)
            for part in ("mean", "low", "high")
        )
    else:
        middle = np.asarray(table[value], dtype=float)
        if isinstance(error, (tuple, list)):
            low, high = (np.asarray(table[name], dtype=float) for name in error)
        else:
            half = np.asarray(table[error], dtype=float) if error else np.nan
            low, high = middle - half, middle + half
    return middle, np.maximum(np.nan_to_num([middle - low, high - middle]), 0)


def _draw_lines(axis, table, x, y, hue, error, looks):
    for name, group in _groups(table, hue).items():
        colour, marker = looks[name]
        middle, bars = _ranges(group, y, error)
        bars = bars if bars.any() else None
        style = {"color": colour, "marker": marker, "elinewidth": 1, "label": str(name)}
        axis.errorbar(np.asarray(group[x]), middle, bars, **style)


def _log_axes(axis, which, ticks):
    """Logarithmic axes as asked, "x" or both, with the measured x as ticks."""
    if not which:
        return
    axis.set_xscale("log")
    axis.set_xticks(ticks, [f"{t:,}" for t in ticks])
    axis.xaxis.set_minor_locator(NullLocator())
    if which != "x":
        axis.set_yscale("log")


def _levels(axis, level, direction):
    """Quiet dashed lines with their names: chance, a null, no gain."""
    named = level if isinstance(level, dict) else {"": level}
    for name, value in named.items():
        if value is None:
            continue
        style = {"color": QUIET, "ls": (0, (4, 3)), "lw": 1, "zorder": 1}
        if direction == "y":
            axis.axhline(value, **style)
            place = {"xy": (0, value), "xytext": (3, 2), "ha": "left", "va": "bottom"}
            axes = ("axes fraction", "data")
        else:
            axis.axvline(value, **style)
            place = {"xy": (value, 1), "xytext": (0, 2), "ha": "center", "va": "bottom"}
            axes = ("data", "axes fraction")
        axis.annotate(
            name, xycoords=axes, textcoords="offset points", color=QUIET, **place
        )


def _share_limits(axes, direction):
    """The same limits for all panels."""
    limits = np.array([getattr(axis, f"get_{direction}lim")() for axis in axes])
    for axis in axes:
        getattr(axis, f"set_{direction}lim")(limits[:, 0].min(), limits[:, 1].max())


def _name_lines(axis):
    """Write the name of every line at its right end, none over another."""
    ends = []
    for bars in axis.containers:
        line = bars.lines[0]
        known = np.isfinite(line.get_ydata())
        if known.any():
            last = [data[known][-1] for data in (line.get_xdata(), line.get_ydata())]
            height = axis.transAxes.inverted().transform(axis.transData.transform(last))
            ends.append((height[1], bars.get_label(), line.get_color()))
    if not ends:
        return
    heights, names, colours = zip(*ends, strict=True)
    gap = 0.16 / (0.7 * axis.figure.get_figheight())
    for y, name, colour in zip(_spread(heights, gap), names, colours, strict=True):
        axis.text(1.03, y, name, color=colour, va="center", transform=axis.transAxes)


def _spread(places, gap):
    """Places as near as possible to those given, at least a gap apart."""
    places = np.array(places, dtype=float)
    order = np.argsort(places, kind="stable")
    moved = places[order]
    for i in range(1, len(moved)):
        moved[i] = max(moved[i], moved[i - 1] + gap)
    moved[-1] = min(moved[-1], max(1.0, places.max()))
    for i in range(len(moved) - 2, -1, -1):
        moved[i] = min(moved[i], moved[i + 1] - gap)
    places[order] = moved
    return places


def _legend(looks, *, line=""):
    """Names of many classes, as the legend of panels."""
    longest = max(len(str(name)) for name in looks)
    columns = min(max(int(WIDTH / (LETTER * longest + 0.45)), 1), len(looks))
    rows = -(-len(looks) // columns)
    figure = Figure((WIDTH, 0.19 * rows + 0.1))
    handles = [
        Line2D([], [], color=colour, marker=marker, ls=line, label=str(name))
        for name, (colour, marker) in looks.items()
    ]
    style = {"columnspacing": 1.2, "handletextpad": 0.4, "borderpad": 0}
    figure.legend(
        handles=handles,
        loc="center left",
        ncols=columns,
        handlelength=1.4 if line else 0.8,
        labelspacing=0.3,
        **style,
    )
    return figure


# Dots


def dots(
    table,
    *,
    value,
    error=None,
    chance=None,
    level=None,
    xlabel=None,
    groups=None,
    percent=False,
):
    """Scores as dots with their intervals, one row an index entry.

    Parameters
    ----------
    table : DataFrame
        Indexed by the names of the rows; drawn from top to bottom.
    value : str
        Column of numbers or of intervals.
    error : str or pair of str, optional
        Column with the half width of an interval, or columns with its ends.
    chance : float, optional
    level : dict of str to float, optional
        Further quiet lines by name.
    xlabel : str, optional
    groups : sequence of str, optional
        One entry a row, such as the kind of a method: it gives colour and marker.
        Rows of one group that stand together have its name above them.
    percent : bool
        Write shares in percent.
    """
    names = [""] * len(table) if groups is None else list(groups)
    rows = _rows([str(label) for label in table.index], names)
    width = max(WIDTH, _longest(rows) + 2.4)
    figure, axis = _canvas(width, 0.2 * len(rows) + 0.75)
    _draw_dots(axis, table, value, error, names, rows)
    _dress_dots(axis, xlabel or value, chance, level, percent)
    if not _is_headed(names) and len(set(names)) > 1:
        return Panels([figure], _legend(styles(names)))
    return figure


def dot_panels(
    table,
    *,
    value,
    row,
    col,
    error=None,
    group=None,
    chance=None,
    level=None,
    xlabel=None,
    percent=False,
):
    """The same rows of dots under many conditions: small multiples of `dots`.

    Parameters
    ----------
    table : DataFrame
        Long: one line a row and a condition.
    value, row, col : str
        Columns: numbers or intervals, name of the row, name of the panel.
    error : str or pair of str, optional
    group : str, optional
        Column that gives colour and marker.
    chance : float or dict of panel to float, optional
    level : dict of str to float, optional
        Further quiet lines by name, in all panels.
    xlabel : str, optional
    percent : bool
    """
    order = table.drop_duplicates(row)
    names = [""] * len(order) if group is None else list(order[group])
    rows = _rows([str(label) for label in order[row]], names)
    panels = _groups(table, col)
    size = (max(3.5, _longest(rows) + 1.8), 0.19 * len(rows) + 0.85)
    figures, axes = zip(*(_canvas(*size) for _ in panels), strict=True)
    for axis, (title, part) in zip(axes, panels.items(), strict=True):
        part = part.set_index(row).reindex(order[row])
        _draw_dots(axis, part, value, error, names, rows)
        at = chance.get(title) if isinstance(chance, dict) else chance
        _dress_dots(axis, xlabel or value, at, level, percent)
        axis.set_title(str(title), pad=14 if at is not None or level else 6)
    _share_limits(axes, "x")
    legend = None
    if not _is_headed(names) and len(set(names)) > 1:
        legend = _legend(styles(names))
    return Panels(list(figures), legend, columns=2)


def _is_headed(names):
    """Whether rows of one group stand together, so that a heading serves them."""
    changes = [a for a, b in zip(names, [None, *names], strict=False) if a != b]
    return len(changes) == len(set(names)) > 1


def _rows(labels, names):
    """What stands in each line from the top: (row or None, text)."""
    if not _is_headed(names):
        return list(enumerate(labels))
    lines, before = [], None
    for i, (label, name) in enumerate(zip(labels, names, strict=True)):
        if name != before:
            lines.append((None, str(name)))
        lines.append((i, label))
        before = name
    return lines


def _longest(rows):
    """Inches of the longest name of a row."""
    return LETTER * max((len(text) for _, text in rows), default=0)


def _draw_dots(axis, table, value, error, names, rows):
    """Dots and bars of one panel, with the names of rows and headings."""
    middle, bars = _ranges(table, value, error)
    height = {i: -line for line, (i, _) in enumerate(rows) if i is not None}
    for name, (colour, marker) in styles(names).items():
        mine = [i for i in height if names[i] == name]
        axis.errorbar(
            middle[mine],
            [height[i] for i in mine],
            xerr=bars[:, mine],
            fmt=marker,
            color=colour,
            elinewidth=1.2,
            label=str(name),
        )
    axis.set_yticks([-line for line in range(len(rows))], [text for _, text in rows])
    axis.set_ylim(0.6 - len(rows), 0.6)
    for (i, text), label in zip(rows, axis.get_yticklabels(), strict=True):
        if i is None:
            label.set(fontweight="bold", color=styles(names)[text][0])


def _dress_dots(axis, xlabel, chance, level, percent):
    if chance is not None:  # an accuracy, which no interval can take beyond 0 and 1
        low, high = axis.get_xlim()
        axis.set_xlim(max(low, -0.02), min(high, 1.02))
    axis.tick_params(axis="y", length=0)
    axis.spines["left"].set_visible(False)
    axis.grid(axis="x")
    axis.set_xlabel(xlabel)
    _levels(
        axis, ({"chance": chance} if chance is not None else {}) | (level or {}), "x"
    )
    if percent:
        axis.xaxis.set_major_formatter(PercentFormatter(1, symbol=" %"))


# Matrices and maps


def heatmap(table, *, cmap="viridis", label="", limits=(None, None), size=0.75):
    """A labelled matrix, for confusions and for scores by model and factor.

    Parameters
    ----------
    table : DataFrame
        NaN is an empty cell with a dash.
    cmap : str
    label : str
        What the numbers are; stands above the matrix.
    limits : pair of float or None
        Ends of the colour scale.
    size : float
        Inches of a column, at most.
    """
    left = LETTER * max(len(str(name)) for name in table.index)
    width = min(size, max((WIDTH - left) / table.shape[1], 0.36))
    names, turn, below = _fitted(table.columns, width)
    size = (width * table.shape[1] + left + 0.25, 0.26 * len(table) + below + 0.35)
    figure, axis = _canvas(*size)
    sns.heatmap(
        table.astype(float),
        annot=table.map(_short).to_numpy(),
        fmt="",
        annot_kws={"fontsize": 9},
        cmap=cmap,
        vmin=limits[0],
        vmax=limits[1],
        cbar=False,
        ax=axis,
    )
    missing = table.isna().to_numpy()
    for y, x in zip(*np.nonzero(missing), strict=True):
        axis.text(x + 0.5, y + 0.5, "–", color=QUIET, ha="center", va="center")
    turn = turn | {"ha": "right"} if turn else {"rotation": 0}
    axis.set_xticks(axis.get_xticks(), names, **turn)
    axis.tick_params(axis="y", rotation=0)
    axis.tick_params(length=0)
    axis.set(xlabel="", ylabel="")
    axis.set_title(label, fontsize=9, fontweight="normal")
    return figure


def _short(value):
    """Two digits without the zero before the point: .43, −.07, 1."""
    if np.isnan(value):
        return "–"
    text = f"{round(float(value), 2) + 0.0:.2f}".replace("-", "−")
    return (
        text.replace("0.", ".", 1) if abs(value) < 0.995 else text.removesuffix(".00")
    )


def scatter_panels(embeddings, labels, *, columns=3):
    """Two-dimensional embeddings side by side, one colour and marker a class.

    Parameters
    ----------
    embeddings : dict of title to (n, 2) array
    labels : (n,) array of str
    columns : int
        Panels side by side where the screen is wide.
    """
    looks = _class_styles(labels)
    figures = []
    for title, points in embeddings.items():
        figure, axis = _canvas(2.7, 2.7)
        for name, (colour, marker) in looks.items():
            part = points[labels == name]
            style = {"s": 9, "marker": marker, "color": colour, "lw": 0, "alpha": 0.8}
            axis.scatter(*part.T, rasterized=True, **style)
        _bare(axis)
        axis.set_title(title)
        figures.append(figure)
    return Panels(figures, _legend(looks), columns)


def _class_styles(labels):
    """Colour and marker of every class, in its order."""
    looks = styles(np.unique(labels).tolist())
    return {name: (fixed(c, lighter=LIGHTER), m) for name, (c, m) in looks.items()}


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
    symbols = dict(zip(MARKERS + "*", SYMBOLS, strict=True))
    for name, (colour, marker) in _class_styles(labels).items():
        rows = np.flatnonzero(labels == name)
        figure.add_scatter(
            x=points[rows, 0].round(2),
            y=points[rows, 1].round(2),
            mode="markers",
            name=str(name),
            customdata=rows,
            marker={"color": colour, "symbol": symbols[marker], "size": 6},
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


SYMBOLS = ("circle", "square", "diamond", "triangle-up", "triangle-down", "cross", "x")
SYMBOLS += ("triangle-left", "triangle-right", "star")


def _sprite(images, columns=40):
    """All images in one picture, lossy, for display only."""
    images = _tiles(images)
    missing = -len(images) % columns
    padded = np.concatenate([images, np.zeros((missing, *images.shape[1:]), "uint8")])
    buffer = io.BytesIO()
    Image.fromarray(contact_sheet(padded, columns)).save(buffer, "WEBP", quality=70)
    source = "data:image/webp;base64," + base64.b64encode(buffer.getvalue()).decode()
    return {"source": source, "size": images.shape[1], "columns": columns}
