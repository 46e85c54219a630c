"""The picture of the playground, and its words for those who cannot see it."""

import io

import numpy as np
from matplotlib.figure import Figure
from matplotlib.gridspec import GridSpec

from ..notebook.palette import INK, PALETTE, QUIET
from ..notebook.pictures import signed, symmetric_limit
from .looking import in_the_set

DPI = 110


def picture(before, after, coverage):
    """Draw an image before and after a change, what is subtracted, and all classes.

    Parameters
    ----------
    before, after : Found
    coverage : float
        Of the sets.

    Returns
    -------
    bytes
        PNG.
    """
    n = len(after.p)
    figure = Figure((9.5, 3.6 + 0.18 * n), layout="constrained", dpi=DPI)
    grid = GridSpec(2, 5, figure, height_ratios=[1.9, 1.5 + 0.18 * n])
    for place, (title, image, options) in enumerate(_images(before, after)):
        axis = figure.add_subplot(grid[0, place])
        axis.imshow(image, interpolation="none", **options)
        axis.set_title(title, fontsize=9)
        axis.axis("off")
    _bars(figure.add_subplot(grid[1, :]), before, after, coverage)
    file = io.BytesIO()
    figure.savefig(file, format="png")
    return file.getvalue()


def _images(before, after):
    gap = after.artifact / 255
    most = symmetric_limit(after.spectrum, 1.0)
    colours = {"cmap": "RdBu_r", "vmin": -most, "vmax": most}
    return [
        ("as it came", before.image, {}),
        ("after the change", after.image, {}),
        ("closest point x*", after.star, {}),
        ("artifact", signed(gap, symmetric_limit(gap)), {}),
        ("its spectrum", after.spectrum, colours),
    ]


def _bars(axis, before, after, coverage):
    """The p-value of every class, and from where on it cannot be ruled out."""
    places = np.arange(len(after.p))
    kept = in_the_set(after.p, coverage)
    colours = np.where(kept, PALETTE["blue"], QUIET)
    axis.barh(places, after.p, color=colours, height=0.6)
    axis.bar(0, 0, color=PALETTE["blue"], label="after the change, in the set")
    axis.bar(0, 0, color=QUIET, label="after the change, ruled out")
    style = {"marker": "D", "color": PALETTE["orange"], "ls": "", "ms": 5}
    axis.plot(before.p, places, label="as it came", **style)
    axis.axvline(1 - coverage, color=INK, ls="--", lw=1, label="in the set from here")
    axis.set_yticks(places, after.p.index)
    axis.set(xlim=(0, 1), xlabel="p-value of a class")
    axis.invert_yaxis()
    axis.spines[["top", "right"]].set_visible(False)
    axis.legend(loc="lower right", fontsize=8, frameon=False)


def description(before, after):
    """What the picture shows, in words.

    Parameters
    ----------
    before, after : Found

    Returns
    -------
    str
    """
    highest = after.p.sort_values(ascending=False).head(3)
    classes = ", ".join(f"{name} {p:.2f}" for name, p in highest.items())
    same = np.array_equal(before.image, after.image)
    image = "The image" if same else "The image before and after the change"
    return (
        f"{image}, its closest point, its artifact of {after.length:.1f} grey levels, "
        f"and the spectrum of the artifact; below, the p-values of {len(after.p)} "
        f"classes, of which the highest are {classes}."
    )
