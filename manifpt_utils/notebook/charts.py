"""Charts: lines, dots with intervals, and matrices.

Names stand beside what they name, intervals are drawn, and helps for the eye, such as
chance, are quiet lines.
"""

import numpy as np
import seaborn as sns
from matplotlib.ticker import LogLocator, NullFormatter, NullLocator
from seaborn.utils import relative_luminance

from .drawing import STYLE, WIDTH, Panels
from .layout import HEADING, LETTER, LINE, canvas, fitted, legend
from .palette import QUIET, styles

DIRECT = 7  # number of lines up to which every panel names its own
AXES = 0.65  # share of the width and height of a figure that its axes take, about
ON_DARK, ON_LIGHT = "#ffffff", "#050505"  # text on cells, the same in dark mode
EVEN = 0.1826  # luminance on which both have the same contrast, 4.51


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
    """Lines with markers, one panel per value of `col`, from a long table.

    Parameters
    ----------
    table : DataFrame
    x, y, hue, col : str
        Names of columns; `y` may hold intervals, and `hue` has one value per line.
    error : str or pair of str, optional
        Column with the half width of an interval, or columns with its ends.
    log : bool or "x"
        Which axes are logarithmic: both, none, or "x".
    xlabel, ylabel : str, optional
    level : float or dict of str to float, optional
        Heights of quiet lines, by name, such as {"chance": 0.1}.
    percent : bool
        Whether to write shares on the y-axis in percent.
    """
    names = list(dict.fromkeys(table[hue]))
    panels = {"": table} if col is None else _groups(table, col)
    direct = len(names) <= DIRECT and max(map(len, map(str, names)), default=0) < 20
    width = 2.8 if len(panels) > 1 and not direct else 3.5
    size = (WIDTH, 3.2) if len(panels) == 1 else (width, 2.6)
    figures, axes = zip(*(canvas(*size) for _ in panels), strict=True)
    for axis, (title, part) in zip(axes, panels.items(), strict=True):
        _draw_lines(axis, part, x, y, hue, error, styles(names))
        _log_axes(axis, log, sorted(set(part[x])))
        axis.set(xlabel=xlabel or x, ylabel=ylabel or y, title=title)
        _level_lines(axis, level, "y")
        if isinstance(level, dict) and "chance" in level:
            _only_shares(axis, "y")
        axis.grid(axis="y")
        if percent:
            axis.yaxis.set_major_formatter(_in_percent)
    _share_limits(axes, "y")
    beside = direct and any(_is_crossed(axis, level) for axis in axes)
    for axis in axes:
        if not beside:
            _name_heights(axis, level)
        if axis.get_yscale() == "log":
            _decimals(axis)
    if direct:
        for axis in axes:
            _name_lines(axis, _named(level) if beside else {})
        return figures[0] if len(panels) == 1 else Panels(list(figures), columns=2)
    return Panels(list(figures), legend(styles(names), line="-"))


def _groups(table, column):
    """Parts of a table by the values of a column, in order of appearance."""
    return {name: part for name, part in table.groupby(column, sort=False)}


def _ranges(table, value, error):
    """Middles (n,) and lengths of the bars to both sides (2, n), as arrays."""
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
    axis.set_xticks(ticks, [_short_count(t) for t in ticks])
    axis.xaxis.set_minor_locator(NullLocator())
    if which != "x":
        axis.set_yscale("log")


def _decimals(axis):
    """Plain numbers at a logarithmic y-axis: 0.1, 1, 10, and more if it is short."""
    low, high = axis.get_ylim()
    between = (1,) if high / low > 100 else (1, 2, 5)
    axis.yaxis.set_major_locator(LogLocator(subs=between))
    axis.yaxis.set_major_formatter(lambda value, _: f"{value:,.12g}")
    axis.yaxis.set_minor_formatter(NullFormatter())


def _short_count(n):
    """A count, with tens of thousands as 10k, so that ticks stay apart."""
    return f"{n // 1000:,}k" if n >= 10_000 and n % 1000 == 0 else f"{n:,}"


def _in_percent(share, _):
    """A tick in percent, with as many digits as it needs."""
    return f"{round(100 * share, 6):g} %".replace("-", "−")


def _only_shares(axis, direction):
    """Limit an axis to possible shares, even if an interval reaches beyond."""
    low, high = getattr(axis, f"get_{direction}lim")()
    getattr(axis, f"set_{direction}lim")(max(low, -0.02), min(high, 1.02))


def _named(level):
    """Levels by name: a single one has none."""
    named = level if isinstance(level, dict) else {"": level}
    return {name: value for name, value in named.items() if value is not None}


def _level_lines(axis, level, direction):
    """Quiet dashed lines: chance, a null, no gain."""
    draw = axis.axhline if direction == "y" else axis.axvline
    for value in _named(level).values():
        draw(value, color=QUIET, ls=(0, (4, 3)), lw=1, zorder=1)


def _name_positions(axis, level):
    """Names of vertical lines, above them."""
    for name, value in _named(level).items():
        place = {"xytext": (0, 2), "textcoords": "offset points", "va": "bottom"}
        data = ("data", "axes fraction")
        axis.annotate(
            name, (value, 1), xycoords=data, color=QUIET, ha="center", **place
        )


def _name_heights(axis, level):
    """Names of horizontal lines, each at the end and on the side with most room."""
    for name, value in _named(level).items():
        right, up = _roomiest(axis, name, value)
        place = {"xytext": (3 - 6 * right, 2 * up), "textcoords": "offset points"}
        place |= {"ha": ("left", "right")[right], "va": "bottom" if up > 0 else "top"}
        data = ("axes fraction", "data")
        axis.annotate(name, (right, value), xycoords=data, color=QUIET, **place)


def _is_crossed(axis, level):
    """Whether lines or bars cross the name of a horizontal line wherever it stands."""
    return any(
        _crossings(axis, name, value, *_roomiest(axis, name, value))
        for name, value in _named(level).items()
    )


def _roomiest(axis, name, height):
    """Where the fewest lines and bars cross a name: (0 or 1 for left or right, 1 or
    -1 for above or below the height)."""
    places = [(right, up) for up in (1, -1) for right in (0, 1)]
    return min(places, key=lambda place: _crossings(axis, name, height, *place))


def _crossings(axis, name, height, right, up):
    """How many points of lines and bars a name would cover; all, outside the axes."""
    wide, tall = axis.figure.get_size_inches() * AXES
    x, y = _drawn_points(axis).T
    (_, level), *_ = _as_shares(axis, [(axis.get_xlim()[0], height)])
    if not 0 <= level + up * LINE / tall <= 1:
        return len(x)
    beside = abs(right - x) < LETTER * len(name) / wide
    covered = (0 < up * (y - level)) & (up * (y - level) < LINE / tall)
    return (beside & covered).sum()


def _drawn_points(axis):
    """Points on all lines and bars, close to each other, in shares of the axes."""
    paths = []
    for bars in axis.containers:
        paths.append(bars.lines[0].get_xydata())
        paths += [segment for part in bars.lines[2] for segment in part.get_segments()]
    shares = [_as_shares(axis, path) for path in paths]
    known = [path[np.isfinite(path).all(axis=1)] for path in shares]
    return np.concatenate([np.empty((0, 2)), *map(_dense, filter(len, known))])


def _dense(path):
    """Points along a path, twenty for each of its corners."""
    corners = np.arange(len(path))
    places = np.linspace(0, corners[-1], 20 * len(path))
    return np.transpose([np.interp(places, corners, values) for values in path.T])


def _as_shares(axis, points):
    """Points of the data in shares of the width and height of the axes."""
    return (axis.transData + axis.transAxes.inverted()).transform(points)


def _share_limits(axes, direction):
    """The same limits for all panels."""
    limits = np.array([getattr(axis, f"get_{direction}lim")() for axis in axes])
    for axis in axes:
        getattr(axis, f"set_{direction}lim")(limits[:, 0].min(), limits[:, 1].max())


def _name_lines(axis, level):
    """Write the name of every line at its right end, none over another."""
    left = axis.get_xlim()[0]
    ends = [
        (_as_shares(axis, [(left, value)])[0][1], name, QUIET)
        for name, value in level.items()
    ]
    for bars in axis.containers:
        line = bars.lines[0]
        known = np.isfinite(line.get_ydata())
        if known.any():
            last = [data[known][-1] for data in (line.get_xdata(), line.get_ydata())]
            height = _as_shares(axis, last)[1]
            ends.append((height, bars.get_label(), line.get_color()))
    if not ends:
        return
    heights, names, colours = zip(*ends, strict=True)
    gap = 0.16 / (0.7 * axis.figure.get_figheight())
    for y, name, colour in zip(_spread(heights, gap), names, colours, strict=True):
        axis.text(1.03, y, name, color=colour, va="center", transform=axis.transAxes)


def _spread(places, gap):
    """Places as near as possible to the given ones, and at least a gap apart."""
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
    """Scores as dots with their intervals, one row per index entry.

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
        Positions of further quiet lines, by name.
    xlabel : str, optional
    groups : sequence of str, optional
        One entry per row, such as the kind of a method, which decides colour and
        marker. If rows of one group stand together, the name of the group is above
        them.
    percent : bool
        Whether to write shares in percent.
    """
    names = [""] * len(table) if groups is None else list(groups)
    rows = _rows([str(label) for label in table.index], names)
    width = max(WIDTH, _longest(rows) + 2.4)
    figure, axis = canvas(width, 0.2 * len(rows) + 0.75)
    _draw_dots(axis, table, value, error, names, rows)
    _dress_dots(axis, xlabel or value, chance, level, percent)
    key = _legend_of_rows(names)
    return figure if key is None else Panels([figure], key)


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
        A long table: one line for each row and condition.
    value, row, col : str
        Names of the columns that hold numbers or intervals, the name of the row, and
        the name of the panel.  Rows of one name may stand in several groups.
    error : str or pair of str, optional
    group : str, optional
        Column that decides colour and marker.
    chance : float or dict of panel to float, optional
    level : dict of str to float, optional
        Positions of further quiet lines in all panels, by name.
    xlabel : str, optional
    percent : bool
    """
    keys = list(dict.fromkeys([row, group or row]))
    order = table.drop_duplicates(keys)
    names = [""] * len(order) if group is None else list(order[group])
    rows = _rows([str(label) for label in order[row]], names)
    panels = _groups(table, col)
    widest = max(_longest(rows) + 1.8, *(HEADING * len(str(title)) for title in panels))
    size = (max(3.5, widest), 0.15 * len(rows) + 0.85)
    figures, axes = zip(*(canvas(*size) for _ in panels), strict=True)
    for axis, (title, part) in zip(axes, panels.items(), strict=True):
        part = part.set_index(keys).reindex(order.set_index(keys).index)
        _draw_dots(axis, part, value, error, names, rows)
        at = chance.get(title) if isinstance(chance, dict) else chance
        _dress_dots(axis, xlabel or value, at, level, percent)
        if isinstance(chance, dict):
            _name_positions(axis, {" ": axis.get_xlim()[0]})  # so that all are level
        _head(axis.figure, str(title))
    _share_limits(axes, "x")
    return Panels(list(figures), _legend_of_rows(names), columns=2)


def _head(figure, title):
    """A title from the left edge of a figure, where it has the whole width."""
    style = {"fontsize": "axes.titlesize", "fontweight": "axes.titleweight"}
    look = {name: STYLE[key] for name, key in style.items()}
    figure.suptitle(title, x=0.02, ha="left", **look)


def _legend_of_rows(names):
    """What colours mean, unless headings or the names of rows say it."""
    if _is_headed(names) or not 1 < len(set(names)) < len(names):
        return None
    return legend(styles(names))


def _is_headed(names):
    """Whether rows of one group stand together, so that they can have a heading."""
    changes = [a for a, b in zip(names, [None, *names], strict=False) if a != b]
    return 1 < len(changes) == len(set(names)) < len(names)


def _rows(labels, names):
    """The lines from the top: (row or None, text)."""
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
    axis.tick_params(axis="y", length=0)
    axis.spines["left"].set_visible(False)
    axis.grid(axis="x")
    axis.set_xlabel(xlabel)
    named = ({"chance": chance} if chance is not None else {}) | (level or {})
    _level_lines(axis, named, "x")
    _name_positions(axis, named)
    if chance is not None:
        _only_shares(axis, "x")
    if percent:
        axis.xaxis.set_major_formatter(_in_percent)
    elif max(np.abs(axis.get_xlim())) >= 1000:
        axis.xaxis.set_major_formatter("{x:,.0f}")


def heatmap(table, *, cmap="viridis", label="", limits=(None, None), size=0.75):
    """A labelled matrix, for confusions and for scores by model and factor.

    Parameters
    ----------
    table : DataFrame
        The numbers; NaN gives an empty cell with a dash.
    cmap : str
    label : str
        What the numbers mean; it stands above the matrix.
    limits : pair of float or None
        Ends of the colour scale.
    size : float
        Inches of a column, at most.
    """
    left = LETTER * max(len(str(name)) for name in table.index) + 0.25
    width = min(size, max((WIDTH - left) / table.shape[1], 0.32))
    names, turn, below = fitted(table.columns, width)
    size = (width * table.shape[1] + left, 0.26 * len(table) + below + 0.35)
    figure, axis = canvas(*size)
    numbers = {"annot": table.map(_short).to_numpy(), "fmt": "", "cbar": False}
    colours = {"cmap": cmap, "vmin": limits[0], "vmax": limits[1]}
    sns.heatmap(
        table.astype(float), ax=axis, annot_kws={"fontsize": 9}, **numbers, **colours
    )
    (cells,) = axis.collections
    colours = np.asarray(cells.get_facecolors())[~table.isna().to_numpy().ravel()]
    for text, colour in zip(axis.texts, legible(colours), strict=True):
        text.set_color(colour)
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


def legible(colours):
    """Near-black or white for text on each colour, whichever has more contrast.

    One of the two always has the contrast of 4.5 that WCAG asks for.

    Parameters
    ----------
    colours : (n, 3) or (n, 4) array
        Red, green and blue, from 0 to 1.

    Returns
    -------
    list of str

    Examples
    --------
    >>> legible([(0.0, 0.3, 0.3), (0.1, 0.6, 0.55)])
    ['#ffffff', '#050505']
    """
    return [ON_DARK if relative_luminance(c) < EVEN else ON_LIGHT for c in colours]


def _short(value):
    """Two digits without the zero before the point: .43, −.07, 1."""
    if np.isnan(value):
        return "–"
    text = f"{round(float(value), 2) + 0.0:.2f}".replace("-", "−")
    return (
        text.replace("0.", ".", 1) if abs(value) < 0.995 else text.removesuffix(".00")
    )
