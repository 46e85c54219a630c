"""Tables that look alike in the book, in JupyterLab, in editors and on code hosts.

Code hosts remove style sheets, so a table is plain HTML with a caption, and its marks
are elements that every host shows: the best number of a column is bold, and numbers
that are not distinguishable from it are underlined.
"""

import math
from html import escape
from itertools import groupby
from numbers import Integral, Real
from typing import NamedTuple

import numpy as np
import pandas as pd
from IPython.display import display

from .findings import DASH, fixed, interval_end, is_missing, warning_below_a_table

MOST_COLUMNS = 8  # columns that fit on a page of 1,280 pixels
HALF = "±"
MOST_ROWS = 15  # rows above which a table is folded
_MARKS = {"best": "strong", "tied": "ins"}  # elements that GitHub keeps
_PLAIN_MARKS = {"best": "*", "tied": "=", None: ""}


class _Cell(NamedTuple):
    text: str
    spread: str = ""  # half the width of the interval, or its ends
    mark: str | None = None
    is_number: bool = True


def table(
    frame,
    *,
    caption,
    digits=None,
    unit=None,
    best=None,
    within=None,
    ties=None,
    sort=None,
    fold=None,
    missing=None,
    split=False,
):
    """Display a DataFrame as a table.

    `digits`, `unit`, `best` and `within` are one value for all columns, or a dict from
    column to value.

    Parameters
    ----------
    frame : DataFrame
        Cells are numbers, intervals (shown as mean and half width, or as mean and ends
        where one side is longer), or words.  A default index is not shown; the outer
        levels of a MultiIndex become headings.
    caption : str
        What the table holds, in one sentence.
    digits : int, optional
        Digits after the point; by default 3, and 1 for percent.  Whole numbers have
        none.
    unit : {None, "%"}
        "%" shows numbers, except whole ones, as shares in percent.
    best : {None, "high", "low"}
        Whether the highest or the lowest number of a column is its best; columns of
        whole numbers count only if they are named.
    within : float, optional
        Numbers nearer to the best than this are not distinguishable from it.
    ties : dict of column to sequence of row labels, optional
        The rows that are not distinguishable from the best, as found by
        `metrics.leaders`. Without `within` and `ties`, these are the intervals that
        overlap the best one's.
    sort : column, optional
        Column by which the rows are ordered below every heading, the best first.
    fold : str, optional
        A sentence that says what the folded table shows.  Without it, more than fifteen
        rows are folded behind the caption.
    missing : str, optional
        Why some numbers are missing and shown as a dash.
    split : bool
        Whether to show more than eight columns as several tables instead of refusing
        them.

    Raises
    ------
    ValueError
        If there are more than eight columns, or a column is unknown.
    """
    for option in (digits, unit, best, within, ties, [sort] if sort else None):
        _check_columns(frame, option)
    if sort is not None:
        frame = _sorted(frame, sort, lowest_first=_of(best, sort) == "low")
    names = not isinstance(frame.index, pd.RangeIndex)
    parts = _parts(frame, MOST_COLUMNS - names, split)
    for number, part in enumerate(parts, 1):
        cells = {c: _column(part[c], c, digits, unit, best, within, ties) for c in part}
        title = caption if len(parts) == 1 else f"{caption} ({number} of {len(parts)})"
        notes = _notes(part, cells, unit, missing)
        html = _html(part, cells, title, notes, unit)
        if fold or len(frame) > MOST_ROWS:
            html = (
                f"<details><summary>{escape(fold or title)}</summary>{html}</details>"
            )
        plain = _plain(part, cells, title, notes)
        display({"text/html": html, "text/plain": plain}, raw=True)


def _of(option, column):
    """The value of an option for one column."""
    return option.get(column) if isinstance(option, dict) else option


def _check_columns(frame, named):
    for column in named if isinstance(named, (dict, list)) else ():
        if column not in frame:
            raise ValueError(
                f"there is no column {column!r}; the table has {list(frame.columns)}."
            )


def _sorted(frame, column, *, lowest_first):
    """Rows ordered by the value of a column, below the same headings as before."""
    values = frame[column].map(_mean)
    values = (values if lowest_first else -values).fillna(float("inf"))
    outer = frame.index.droplevel(-1) if frame.index.nlevels > 1 else [0] * len(frame)
    heading = pd.factorize(pd.Index(outer))[0]
    order = sorted(range(len(frame)), key=lambda i: (heading[i], values.iloc[i]))
    return frame.iloc[order]


def _parts(frame, width, split):
    """The columns, divided into parts that fit on a page."""
    n = frame.shape[1]
    if n > width and not split:
        raise ValueError(
            f"{n + MOST_COLUMNS - width} columns do not fit on a page, which shows "
            f"{MOST_COLUMNS}; put them in rows, leave some out, or give split=True."
        )
    return [frame.iloc[:, i : i + width] for i in range(0, max(n, 1), width)]


def _column(values, column, digits, unit, best, within, ties):
    """Cells of one column, in which the best and its ties are marked."""
    digits, percent = _of(digits, column), _of(unit, column) == "%"
    cells = [_cell(value, digits, percent) for value in values]
    how, means = _of(best, column), values.map(_mean)
    if not isinstance(best, dict) and all(isinstance(v, Integral) for v in values):
        how = None  # counts are neither good nor bad
    if how is None or means.isna().all() or len({cell.text for cell in cells}) == 1:
        return cells
    top = int((means if how == "high" else -means).reset_index(drop=True).idxmax())
    named = None if column not in (ties or {}) else set(ties[column])
    for i, (label, value) in enumerate(values.items()):
        if cells[i].text == cells[top].text:
            cells[i] = cells[i]._replace(mark="best")
        elif named is None:
            tied = _is_tied(value, values.iloc[top], how, _of(within, column))
            cells[i] = cells[i]._replace(mark="tied" if tied else None)
        elif label in named:
            cells[i] = cells[i]._replace(mark="tied")
    return cells


def _cell(value, digits, percent):
    """Text of one value."""
    if isinstance(value, (bool, np.bool_)):
        return _Cell("yes" if value else "no", is_number=False)
    if isinstance(value, Integral):
        return _Cell(fixed(value, 0))
    if hasattr(value, "low") or isinstance(value, Real) or value is None:
        digits = (1 if percent else 3) if digits is None else digits
        scale = 100 if percent else 1
        mean = _mean(value)
        text = DASH if is_missing(mean) else fixed(scale * mean, digits)
        return _Cell(text, _spread(value, scale, digits))
    if value is pd.NA or value is pd.NaT:
        return _Cell(DASH)
    return _Cell(str(value), is_number=False)


def _mean(value):
    """The number in a cell; NaN for words."""
    value = value.mean if hasattr(value, "low") else value
    is_number = isinstance(value, Real) and not isinstance(value, bool)
    return float(value) if is_number else float("nan")


def _has_interval(value):
    return not is_missing(getattr(value, "low", None))


def _spread(value, scale, digits):
    """Half the width of an interval, its ends if one side is longer, or nothing."""
    if not _has_interval(value):
        return ""
    below, above = value.mean - value.low, value.high - value.mean
    if math.isclose(below, above, abs_tol=0.5 * 10**-digits / scale):
        return f"{HALF} {fixed(scale * (below + above) / 2, digits)}"
    low, high = (interval_end(scale * x, digits) for x in (value.low, value.high))
    return f"({low} to {high})"


def _is_tied(value, best, how, within):
    """Whether a value is not distinguishable from the best one."""
    if is_missing(_mean(value)):
        return False
    if within is not None:
        return abs(_mean(value) - _mean(best)) <= within
    if not (hasattr(value, "low") and hasattr(best, "low")):
        return False
    upper, lower = (best, value) if how == "high" else (value, best)
    return not lower.high < upper.low  # an unknown interval distinguishes nothing


def _notes(frame, cells, unit, missing):
    """What the marks that a table has mean, and that there are warnings."""
    found = [cell for column in cells.values() for cell in column]
    marks = {cell.mark for cell in found}
    notes = ["Numbers in percent."] if unit == "%" else []
    if "best" in marks:
        tied = "; underlined: not distinguishable from it" if "tied" in marks else ""
        notes.append(f"Bold: the best of its column{tied}.")
    if any(cell.spread for cell in found):
        levels = {v.confidence for c in frame for v in frame[c] if _has_interval(v)}
        name = " or ".join(f"{100 * level:g} %" for level in sorted(levels))
        notes += _on_spreads({cell.spread[:1] for cell in found}, name)
    if missing and any(cell.text == DASH for cell in found):
        notes.append(f"{DASH}: {missing.rstrip('.')}.")
    return " ".join(filter(None, [*notes, warning_below_a_table()]))


def _on_spreads(signs, name):
    """What stands behind a mean: one sentence or two."""
    words = [f"{HALF}: half the width of the {name} interval."] * (HALF in signs)
    if "(" in signs:
        words.append(f"In brackets: the {name} interval, where one side is longer.")
    return words


def _html(frame, cells, title, notes, unit):
    names = not isinstance(frame.index, pd.RangeIndex)
    small = f"<br><small>{escape(notes)}</small>" if notes else ""
    head = [_corner(frame.index.names[-1])] if names else []
    for column in frame:
        text = column if not isinstance(column, tuple) else ", ".join(map(str, column))
        text = f"{text}, %" if isinstance(unit, dict) and unit.get(column) else text
        side = _side(any(cell.is_number for cell in cells[column]))
        head.append(f'<th scope="col"{side}>{escape(str(text))}</th>')
    return (
        f'<table class="dataframe"><caption>{escape(title)}{small}</caption>'
        f"<thead><tr>{''.join(head)}</tr></thead>{_bodies(frame, cells, names)}</table>"
    )


def _corner(name):
    return (
        f'<th scope="col"{_side(False)}>{escape(str(name))}</th>'
        if name
        else ("<td></td>")
    )


def _side(is_number):
    side = "right" if is_number else "left"
    return f' style="text-align: {side}"'


def _bodies(frame, cells, names):
    """One body per heading; the heading spans all columns."""
    nested = frame.index.nlevels > 1
    numbered = enumerate(frame.index)
    bodies = []
    for heading, rows in groupby(numbered, lambda row: row[1][:-1] if nested else None):
        lines = [_heading(heading, frame.shape[1] + 1)] if nested else []
        for i, label in rows:
            name = label[-1] if nested else label
            first = f'<th scope="row"{_side(False)}>{escape(str(name))}</th>'
            rest = "".join(_td(cells[column][i]) for column in frame)
            lines.append(f"<tr>{first if names else ''}{rest}</tr>")
        bodies.append(f"<tbody>{''.join(lines)}</tbody>")
    return "".join(bodies)


def _heading(labels, width):
    text = escape(", ".join(map(str, labels)))
    return f'<tr><th scope="rowgroup" colspan="{width}"{_side(False)}>{text}</th></tr>'


def _td(cell):
    text = escape(cell.text)
    if cell.mark:
        text = "<{0}>{1}</{0}>".format(_MARKS[cell.mark], text)
    spread = cell.spread.replace(" ", "&nbsp;")
    spread = f" <small>{spread}</small>" if spread else ""
    return f"<td{_side(cell.is_number)}>{text}{spread}</td>"


def _plain(frame, cells, title, notes):
    """The table without HTML: * marks the best of a column, = those tied with it."""
    texts = pd.DataFrame(
        {column: [_plain_cell(cell) for cell in cells[column]] for column in frame},
        index=frame.index,
    )
    notes = notes.replace("Bold:", "*:").replace("underlined:", "=:")
    text = texts.to_string(index=not isinstance(frame.index, pd.RangeIndex))
    return "\n".join(filter(None, [title, text, notes]))


def _plain_cell(cell):
    spread = f" {cell.spread}" if cell.spread else ""
    return f"{cell.text}{spread}{_PLAIN_MARKS[cell.mark]}"
