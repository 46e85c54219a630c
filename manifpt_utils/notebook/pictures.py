"""Pictures: samples, artifacts and views of a photograph.

Artifacts have negative values: all share one symmetric scale, on which zero is mid-grey
or white.
"""

import numpy as np
from matplotlib.colors import Normalize
from matplotlib.patches import Rectangle
from PIL import Image

from .drawing import WIDTH, Panels
from .layout import GAP, LETTER, bare, canvas, colour_bar, fitted, grid
from .palette import PALETTE, fixed

TILE = 64  # pixels to which larger images are reduced in sheets
PREVIEW = 320  # pixels of a photograph that is the background of a map


def signed(artifact, limit):
    """Map a signed image to [0, 1]: zero is mid-grey, +-limit white and black."""
    return np.clip(artifact / (2 * limit) + 0.5, 0, 1)


def symmetric_limit(artifacts, quantile=0.995):
    """One colour limit for many signed images, robust against a few large values."""
    return float(np.quantile(np.abs(artifacts), quantile)) or 1.0


def image_rows(rows, *, row_labels=None, column_labels=None, size=0.9, cmap=None, **kw):
    """A grid of small images.

    Parameters
    ----------
    rows : list of lists of (h, w[, 3]) arrays
        None leaves a place empty.
    row_labels, column_labels : sequence of str, optional
    size : float
        Inches of an image, at most; with many columns, images are smaller.
    cmap : str, optional
        Colours of images with one channel.
    **kw
        Further options of `imshow`.
    """
    n, m = len(rows), max(len(row) for row in rows)
    left = (
        LETTER * max((len(str(text)) for text in row_labels or [""]), default=0) + 0.1
    )
    size = min(size, max((WIDTH - left - 0.1) / m - GAP, 0.42))
    labels, turn, top = fitted(column_labels or [], size + GAP)
    axes = grid(n, m, size, left, top + 0.1, 0.8 * top if turn else 0.05)
    for axis, image in zip(axes.flat, _filled(rows, m), strict=True):
        bare(axis)
        if image is not None:
            axis.imshow(image, cmap=cmap, interpolation="none", **kw)
    style = {"fontsize": 9, "fontweight": "normal", "ha": "left" if turn else "center"}
    for axis, text in zip(axes[0], labels, strict=False):
        axis.set_title(text, loc="center", **turn, **style)
    for axis, text in zip(axes[:, 0], row_labels or [], strict=False):
        axis.set_ylabel(text, rotation=0, ha="right", va="center", fontsize=9)
    return axes[0, 0].figure


def _filled(rows, m):
    """All images of a grid with m columns; None where a row is short."""
    return [
        row[j] if j < len(row) else None for row in map(list, rows) for j in range(m)
    ]


def contact_sheet(images, columns=12):
    """Images side by side in one array; a last row that is not full is left out.

    Parameters
    ----------
    images : (n, h, w, c) array
    columns : int
        Images in a row; fewer images than this make one row.

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


def tiles(images):
    """Images as they are, or shrunk if they are too large for a sheet."""
    images = np.asarray(images)
    longest = max(images.shape[1:3])
    if longest <= TILE:
        return images
    h, w = (max(round(side * TILE / longest), 1) for side in images.shape[1:3])
    small = [Image.fromarray(x).resize((w, h), Image.Resampling.BOX) for x in images]
    return np.stack([np.asarray(x) for x in small])


def sheets(images, *, columns=12, n=24):
    """One contact sheet per model, each a panel.

    Parameters
    ----------
    images : dict of model to (n, h, w, 3) uint8 array
    columns, n : int
        Images in a row, and in total; fewer are shown if there are fewer.
    """
    figures = []
    for model, samples in images.items():
        sheet = contact_sheet(tiles(samples[:n]), columns)
        height = 3.6 * sheet.shape[0] / sheet.shape[1]
        figure, axis = canvas(3.6, height + 0.28)
        axis.imshow(sheet, interpolation="none")
        axis.set_title(model)
        bare(axis)
        figures.append(figure)
    return Panels(figures, columns=2)


def boxes_on_photograph(photograph, coordinates, *, labels=None, ax=None):
    """Draw views, given as (n, 3) x, y, side, as boxes on the photograph."""
    figure, ax = (None, ax) if ax else canvas(WIDTH, 0.67 * WIDTH)
    ax.imshow(photograph)
    bare(ax)
    colours = [fixed(colour) for colour in PALETTE.values()]
    for i, (x, y, side) in enumerate(coordinates):
        corner, colour = (x - side / 2, y - side / 2), colours[i % len(colours)]
        box = Rectangle(corner, side, side, fill=False, lw=2, ec=colour)
        ax.add_patch(box)
        if labels is not None:
            # Every second label stands below its box, because boxes may nearly
            # coincide.
            low = (corner[0], corner[1] + side * (i % 2))
            align = "top" if i % 2 else "bottom"
            style = {"color": "white", "backgroundcolor": colour, "va": align}
            ax.text(*low, labels[i], fontsize=9, **style)
    return figure or ax.figure


def coverage_maps(photo_manifold, coordinates, *, columns=3):
    """Maps of the closest views to each model's samples, on the photograph.

    Parameters
    ----------
    photo_manifold : PhotoManifold
    coordinates : dict of model to (n, 3) array
    columns : int
        Maps side by side on a wide screen.
    """
    (x0, x1), (y0, y1), sides = photo_manifold.bounds
    photograph = Image.fromarray(photo_manifold.photograph)
    w, h = photograph.size
    photograph.thumbnail((PREVIEW, PREVIEW))
    figures = []
    for model, c in coordinates.items():
        figure, axis = canvas(2.4, 2.4 * h / w + 0.25)
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
        bare(axis)
        figures.append(figure)
    legend = colour_bar("viridis", sides, "side of the view, pixels")
    return Panels(figures, legend, columns)


def spectra(spectra_by_model, *, columns=6, label="log magnitude"):
    """Mean spectra or mean spectral artifacts, one panel per model, on one scale.

    Parameters
    ----------
    spectra_by_model : dict of model to (h, w) array
    columns : int
        Panels side by side on a wide screen.
    label : str
        What the colours mean.
    """
    limit = symmetric_limit(list(spectra_by_model.values()), 1.0)
    figures = []
    for model, values in spectra_by_model.items():
        figure, axis = canvas(1.6, 1.8)
        options = {"cmap": "RdBu_r", "vmin": -limit, "vmax": limit}
        axis.imshow(values, interpolation="none", **options)
        axis.set_title(model)
        bare(axis)
        figures.append(figure)
    return Panels(figures, colour_bar("RdBu_r", (-limit, limit), label), columns)
