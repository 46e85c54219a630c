"""Interactive figures in steps: a slider moves from one precomputed frame to the next.

Every step has a short label on the slider, and a sentence that says what is to be seen.
The book shows the sentence below the figure and reads it to those who cannot see it.
Nothing moves by itself, and no step glides into the next one.
"""

from typing import NamedTuple

import numpy as np
import plotly.graph_objects as go
from matplotlib import colormaps
from PIL import Image

from .charts import legible
from .drawing import encoded
from .palette import PALETTE, QUIET, fixed
from .pictures import tiles

PIXELS = 3  # between two images of a grid
ROW = 125  # pixels of the page for a row of images
SLIDER = 110  # pixels of the page for the slider
CURVE = 190  # pixels of the page for a curve below the images
VIRIDIS = colormaps["viridis"]
AT_ONCE = {"mode": "immediate", "transition": {"duration": 0}}
AT_ONCE["frame"] = {"duration": 0, "redraw": True}


class Step(NamedTuple):
    """One position of the slider.

    Attributes
    ----------
    label : str
        Short, on the slider.
    said : str
        A sentence: what is to be seen.
    """

    label: str
    said: str


def image_steps(grids, steps, *, row_labels, column_labels, title, curves=None):
    """Rows of images that change with a slider.

    Parameters
    ----------
    grids : list of lists of rows of (h, w, 3) arrays
        One grid per step, uint8 or from 0 to 1; all images of one size.
    steps : list of Step
    row_labels, column_labels : list of str
    title : str
        What the slider is about; stands before its label.
    curves : Curves, optional
        Shown below, with a mark that goes along.

    Returns
    -------
    plotly Figure

    Raises
    ------
    ValueError
        If there is not one grid, and one value of the curves, for every step.
    """
    _check_steps(steps, grids, "grid")
    pictures = [go.Image(source=_grid(grid), hoverinfo="skip") for grid in grids]
    figure, updates = go.Figure(pictures[0]), [[picture] for picture in pictures]
    figure.update_layout(_image_axes(grids[0], row_labels, column_labels))
    height = ROW * len(row_labels) + SLIDER
    if curves is not None:
        _check_steps(steps, curves.at, "value of the curves")
        share = 0.8 * CURVE / (height + CURVE)
        height += CURVE
        _add_curves(figure, curves, share)
        for update, place in zip(updates, curves.at, strict=True):
            update.append(_mark(curves, place))
    return _stepped(figure, updates, steps, title, height)


class Curves(NamedTuple):
    """Curves on logarithmic axes, and where each step stands on them.

    Attributes
    ----------
    x : list of float
    y : dict of name to list of float
    at : list of float
        One x per step.
    xlabel, ylabel : str
    """

    x: list
    y: dict
    at: list
    xlabel: str
    ylabel: str


def matrix_steps(tables, steps, *, title, xlabel, ylabel):
    """A matrix of shares, such as a confusion matrix, that changes with a slider.

    Parameters
    ----------
    tables : list of DataFrame
        One per step, shares from 0 to 1.
    steps : list of Step
    title : str
        What the slider is about; stands before its label.
    xlabel, ylabel : str
        What columns and rows are.

    Returns
    -------
    plotly Figure
        Shares of a tenth and more stand in the cells, in percent.

    Raises
    ------
    ValueError
        If there is not one table for every step.
    """
    _check_steps(steps, tables, "table")
    updates = [_matrix(table) for table in tables]
    figure = go.Figure(updates[0])
    height = 30 * len(tables[0]) + 130
    axis = {"ticks": "", "showgrid": False, "constrain": "domain"}
    figure.update_xaxes(title=xlabel, tickangle=-60, side="top", **axis)
    figure.update_yaxes(title=ylabel, autorange="reversed", **axis)
    return _stepped(figure, updates, steps, title, height + SLIDER)


def _check_steps(steps, values, name):
    if not steps or len(values) != len(steps):
        raise ValueError(
            f"every step needs one {name}: got {len(steps)} steps and {len(values)}."
        )


def _matrix(table):
    """The cells, and the numbers on them."""
    shares = table.to_numpy(float)
    cells = go.Heatmap(
        z=shares.round(3),
        x=list(table.columns),
        y=list(table.index),
        hovertemplate="%{y} → %{x}: %{z:.0%}<extra></extra>",
        zmin=0,
        zmax=1,
        colorscale="Viridis",
        showscale=False,
    )
    return [cells, _numbers(table, shares)]


def _numbers(table, shares):
    """Shares of a tenth and more in percent; plotly's own are grey on some colours."""
    rows, columns = np.nonzero(shares >= 0.095)
    shown = shares[rows, columns]
    return go.Scatter(
        x=table.columns[columns],
        y=table.index[rows],
        text=[f"{100 * share:.0f}" for share in shown],
        textfont={"size": 10, "color": legible(VIRIDIS(shown))},
        mode="text",
        hoverinfo="skip",
        showlegend=False,
    )


def _grid(rows):
    """Images of a grid in one picture, without loss; what is between them is clear."""
    columns = max(map(len, rows))
    shown = tiles([_bytes(image) for row in rows for image in row])
    opaque = np.full((*shown.shape[:3], 1), 255, np.uint8)
    shown = np.concatenate([shown, opaque], axis=-1)
    gap = [(0, 0), (0, PIXELS), (0, PIXELS), (0, 0)]
    shown = np.pad(shown, gap).reshape(
        -1, columns, shown.shape[1] + PIXELS, shown.shape[2] + PIXELS, 4
    )
    sheet = shown.swapaxes(1, 2).reshape(shown.shape[0] * shown.shape[2], -1, 4)
    picture = Image.fromarray(sheet[:-PIXELS, :-PIXELS])
    return "data:image/webp;base64," + encoded(picture, "WEBP", lossless=True)


def _bytes(image):
    image = np.asarray(image)
    return image if image.dtype == np.uint8 else np.rint(255 * image).astype(np.uint8)


def _image_axes(grid, row_labels, column_labels):
    """Names of rows and columns where their images are."""
    h, w = tiles([_bytes(grid[0][0])]).shape[1:3]
    bare = {"showgrid": False, "zeroline": False, "ticks": "", "constrain": "domain"}
    return {
        "xaxis": bare | _places(column_labels, w) | {"side": "top"},
        "yaxis": bare | _places(row_labels, h) | {"scaleanchor": "x"},
    }


def _places(labels, side):
    middles = [i * (side + PIXELS) + side / 2 for i in range(len(labels))]
    return {"tickvals": middles, "ticktext": list(labels)}


def _add_curves(figure, curves, share):
    """A mark and the curves it is on, in the lowest share of the figure."""
    # Frames change the first two traces, images and mark, and leave the curves alone.
    figure.add_trace(_mark(curves, curves.at[0]))
    colours = [PALETTE["blue"], PALETTE["green"], QUIET]
    for (name, y), colour, dash in zip(
        curves.y.items(), colours, ("solid", "dash", "dot"), strict=False
    ):
        line = {"color": fixed(colour, lighter=0.25), "dash": dash}
        data = {"x": curves.x, "y": y, "name": name, "mode": "lines", "line": line}
        figure.add_scatter(**data, xaxis="x2", yaxis="y2")
    log = {"type": "log", "dtick": 1}
    figure.update_layout(
        yaxis={"domain": [share + 0.16, 1]},
        xaxis2=log | {"title": curves.xlabel, "anchor": "y2"},
        yaxis2={"title": curves.ylabel, "domain": [0, share], "anchor": "x2"},
        legend={"orientation": "h", "y": share + 0.1, "x": 0},
    )


def _mark(curves, place):
    """The first curve where a step stands."""
    y = next(iter(curves.y.values()))[list(curves.x).index(place)]
    colour = fixed(PALETTE["orange"], lighter=0.25)
    marker = {"size": 13, "symbol": "diamond", "color": colour}
    options = {"mode": "markers", "marker": marker, "showlegend": False}
    return go.Scatter(x=[place], y=[y], xaxis="x2", yaxis="y2", **options)


def _stepped(figure, updates, steps, title, height):
    """The figure with its frames and the slider that moves among them."""
    numbers = [str(i) for i in range(len(steps))]
    figure.frames = [
        go.Frame(name=number, data=data, traces=list(range(len(data))))
        for number, data in zip(numbers, updates, strict=True)
    ]
    moves = [
        {"label": label, "value": said, "method": "animate", "args": [[n], AT_ONCE]}
        for n, (label, said) in zip(numbers, steps, strict=True)
    ]
    slider = {"active": 0, "steps": moves, "pad": {"t": 55}, "minorticklen": 0}
    slider["currentvalue"] = {"prefix": f"{title}: "}
    slider["transition"] = {"duration": 0}
    figure.update_layout(sliders=[slider], height=height, dragmode=False)
    figure.update_layout(margin={"l": 8, "r": 8, "t": 36, "b": 8})
    return figure
