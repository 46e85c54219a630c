"""Maps of images in two dimensions, one colour and marker for every class."""

import base64
import io

import numpy as np
import plotly.graph_objects as go
from PIL import Image

from .drawing import Panels
from .layout import bare, canvas, legend
from .palette import MARKERS, fixed, styles
from .pictures import contact_sheet, tiles

LIGHTER = 0.25  # share of white in points, which look the same in dark mode
# Plotly's names for the markers of the palette, and for the star.
SYMBOLS = ("circle", "square", "diamond", "triangle-up", "triangle-down", "cross", "x")
SYMBOLS += ("triangle-left", "triangle-right", "star")


def scatter_panels(embeddings, labels, *, columns=3):
    """Two-dimensional embeddings side by side, one colour and marker per class.

    Parameters
    ----------
    embeddings : dict of title to (n, 2) array
    labels : (n,) array of str
    columns : int
        Panels side by side on a wide screen.
    """
    looks = _class_styles(labels)
    area = np.clip(6000 / len(labels), 8, 24)  # larger if there are few
    figures = []
    for title, points in embeddings.items():
        figure, axis = canvas(2.7, 2.7)
        for name, (colour, marker) in looks.items():
            part = points[labels == name]
            style = {
                "s": area,
                "marker": marker,
                "color": colour,
                "lw": 0,
                "alpha": 0.8,
            }
            axis.scatter(*part.T, rasterized=True, **style)
        bare(axis)
        axis.set_title(title)
        figures.append(figure)
    return Panels(figures, legend(looks), columns)


def _class_styles(labels):
    """Colour and marker of every class, in its order."""
    looks = styles(np.unique(labels).tolist())
    return {name: (fixed(c, lighter=LIGHTER), m) for name, (c, m) in looks.items()}


def scatter_with_images(points, labels, images, *, title=""):
    """An interactive map; the book shows the image of the point in focus.

    Parameters
    ----------
    points : (n, 2) array
    labels : (n,) array of str
    images : (n, h, w, 3) uint8 array

    Returns
    -------
    plotly Figure
        `layout.meta.sprite` is one picture of all images, with `columns` in a row, each
        `ratio` times as high as wide; the customdata of a point is the number of its
        image there.
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
        height=_height(np.asarray(points)),
        meta=_sprite(images),
    )
    return figure


def _height(points, *, most=520, least=320):
    """Pixels that a map needs whose sides have one scale, on a wide page."""
    across, up = np.ptp(points, axis=0)
    return int(np.clip(700 * up / across if across else most, least, most))


def _sprite(images, columns=40):
    """All images in one lossy picture, for display only."""
    images = tiles(images)
    missing = -len(images) % columns
    padded = np.concatenate([images, np.zeros((missing, *images.shape[1:]), "uint8")])
    buffer = io.BytesIO()
    Image.fromarray(contact_sheet(padded, columns)).save(buffer, "WEBP", quality=70)
    source = "data:image/webp;base64," + base64.b64encode(buffer.getvalue()).decode()
    ratio = images.shape[1] / images.shape[2]
    return {"sprite": source, "columns": columns, "ratio": ratio}
