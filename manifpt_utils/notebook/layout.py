"""What all figures share: a canvas, labels that fit, and the legend of panels."""

from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from .drawing import WIDTH

LETTER = 0.07  # inches that a letter of 9 points takes
LINE = 0.17  # inches that a line of such letters is high
GAP = 0.05  # inches between pictures
HEADING = 0.1  # inches that a bold letter of a title takes, in a wide font


def canvas(width, height):
    """A figure with one axis, in inches, that no notebook shows by itself."""
    figure = Figure((width, height))
    return figure, figure.add_subplot()


def bare(axis):
    """Remove ticks and frame."""
    axis.set(xticks=[], yticks=[])
    axis.spines[:].set_visible(False)


def grid(n, m, size, left, top, right, gap=GAP):
    """Axes (n, m) of one size, in inches, with room for labels left and above."""
    width = left + m * size + (m - 1) * gap + right
    height = top + n * size + (n - 1) * gap + 0.02
    figure = Figure((width, height), layout="none")
    places = {"left": left / width, "right": 1 - right / width}
    places |= {"top": 1 - top / height, "bottom": 0.02 / height}
    places |= {"wspace": gap / size, "hspace": gap / size}
    return figure.subplots(n, m, squeeze=False, gridspec_kw=places)


def fitted(labels, width):
    """Labels that fit a width, broken or slanted; their angle; their height."""
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
    """A label broken into lines that fit a width, if its words allow it."""
    lines = [""]
    for word in text.split():
        wider = f"{lines[-1]} {word}".strip()
        if lines[-1] and len(wider) * LETTER > size:
            lines.append(word)
        else:
            lines[-1] = wider
    return "\n".join(lines)


def legend(looks, *, line=""):
    """Names of many classes, as the legend of panels."""
    longest = max(len(str(name)) for name in looks)
    entry = LETTER * longest + 0.45
    columns = min(max(int(WIDTH / entry), 1), len(looks))
    rows = -(-len(looks) // columns)
    figure = Figure((columns * entry + 0.1, 0.19 * rows + 0.1))
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


def colour_bar(cmap, limits, label):
    """What colours mean, as the legend of panels."""
    figure, axis = canvas(3.2, 0.55)
    figure.colorbar(
        ScalarMappable(Normalize(*limits), cmap), cax=axis, orientation="horizontal"
    )
    axis.set_title(label, fontsize=9, fontweight="normal")
    return figure
