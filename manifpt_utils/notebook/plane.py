"""Pictures of a plane: a curve, points of several kinds, and lines to them."""

import numpy as np

from .drawing import Panels
from .layout import bare, canvas, legend
from .palette import QUIET, styles

SIZE = 2.6  # inches of a panel, so that two stand side by side


def plane_panels(panels, *, curve=None, same_scale=True, columns=2):
    """Points in a plane, one panel per title.

    Parameters
    ----------
    panels : dict of title to dict of name to points
        Points are an (n, 2) array, or a pair of arrays (from, to): then a line leads to
        every point.  A name has the same colour and marker in all panels.
    curve : (n, 2) array or dict of title to one, optional
        A quiet line behind the points, in all panels or in the named ones.
    same_scale : bool
        Whether all panels have the same scale.
    columns : int
        Panels side by side on a wide screen.
    """
    looks = styles(name for shown in panels.values() for name in shown)
    figures, axes = zip(*(canvas(SIZE, SIZE + 0.2) for _ in panels), strict=True)
    for axis, (title, shown) in zip(axes, panels.items(), strict=True):
        behind = curve.get(title) if isinstance(curve, dict) else curve
        if behind is not None:
            axis.plot(*np.transpose(behind), color=QUIET, lw=1, zorder=1)
        for name, points in shown.items():
            _draw(axis, points, *looks[name])
        bare(axis)
        axis.set_title(title)
    for group in [axes] if same_scale else [[axis] for axis in axes]:
        _square(group)
    return Panels(list(figures), legend(looks), columns)


def _draw(axis, points, colour, marker):
    tips = points
    if isinstance(points, tuple):
        feet, tips = points
        ends = np.stack([feet, tips], axis=1)
        axis.plot(*ends.transpose(2, 1, 0), color=colour, lw=1, zorder=2)
    size = 7 if marker == "*" else 4  # a star looks small
    style = {"marker": marker, "ms": size, "ls": "", "mew": 0, "zorder": 3}
    axis.plot(*np.transpose(tips), color=colour, **style)


def _square(axes):
    """The smallest square of the plane that holds everything in the panels."""
    limits = np.array([[*axis.get_xlim(), *axis.get_ylim()] for axis in axes])
    low, high = limits[:, ::2].min(axis=0), limits[:, 1::2].max(axis=0)
    middle, half = (low + high) / 2, (high - low).max() / 2
    for axis in axes:
        axis.set(xlim=middle[0] + [-half, half], ylim=middle[1] + [-half, half])
        axis.set_aspect("equal")
