"""Sentences about the run of a notebook, whose words depend on the numbers.

A finding is the output of a code cell, in Markdown, so that it reads the same in the
book, in JupyterLab, in an editor and on a code host::

    gain = paired_difference(nearest, raw)
    finding(
        f"The nearest artifact is {verdict(gain)} the raw image: {points(gain)}.",
        gain=gain,
    )

Shares are numbers between 0 and 1 everywhere; `percent` and `points` write them.  An
interval is any object with `mean`, `low`, `high`, `n`, `confidence` and `sign`, such as
`manifpt_utils.metrics.Interval`.
"""

import math
import re
from html import escape

import numpy as np
from IPython.display import display

CAUTION = "Before you believe a number here"
DASH = "–"
MARKDOWN = "text/markdown"
_FORBIDDEN = {
    r"(?i)\bnan\b|<NA>|\bNaT\b": "a number is missing in it; say what is missing, or "
    "write it with percent(), points() or number(), which show a dash",
    r"(?i)(?<![\w-])[-+−]?inf\b": "a number in it is infinite",
    r"\{[\w:-]+\}\s*`|\{glue|^:::": "only the book understands this syntax; write "
    "plain Markdown",
    r"^\s{0,3}#": "the table of contents misses a heading in an output; write it in a "
    "Markdown cell",
}


def finding(*paragraphs, **values):
    """Display sentences that depend on the run.

    Parameters
    ----------
    *paragraphs : str
        Markdown, formulas and relative links included.
    **values : number, str, bool or interval
        The numbers behind the sentences, kept in the notebook's metadata for programs.

    Raises
    ------
    ValueError
        If a paragraph is empty, or holds "nan", a heading or syntax that only the book
        can read; if a value has another type.
    """
    _show("finding", checked(paragraphs), values)


def answer(*paragraphs, **values):
    """Display the answer that opens a chapter: a box in the book, or a quotation.

    Parameters and errors are those of `finding`.
    """
    quoted = checked(paragraphs).replace("\n", "\n> ").replace("> \n", ">\n")
    _show("answer", f"> {quoted}", values)


def left_out(section, why):
    """Display in one line that a section does not apply to this run.

    Parameters
    ----------
    section : str or list of str
        What is left out, as the subject of a sentence: "The comparison with x*".
    why : str
        The reason, without a full stop.
    """
    sections = [section] if isinstance(section, str) else section
    if not (sections and all(s.strip() for s in sections) and why.strip()):
        raise ValueError("say which section is left out, and why.")
    are = "are" if sections[1:] else "is"
    finding(f"*{listing(sections)} {are} left out: {why.rstrip('.')}.*")


_cautioned = False  # whether the last `caution` of this notebook warned


def caution(*benchmarks):
    """Display the warnings of some benchmarks, if they have any.

    Each table that follows refers to them.

    Parameters
    ----------
    *benchmarks : Benchmark
        Benchmarks whose `warnings` are shown; names of files appear unchanged.
    """
    global _cautioned
    messages = dict.fromkeys(text for b in benchmarks for text in b.warnings)
    _cautioned = bool(messages)
    if messages:
        title = f"**{CAUTION}:** look at the files themselves."
        items = "\n".join(f"- {_literal(text)}" for text in messages)
        _show("finding", f"{title}\n\n{items}", {})


def warning_below_a_table():
    """What a table says of the warnings that stand above it; empty without any."""
    return f"These images come with warnings: see “{CAUTION}”." if _cautioned else ""


def _literal(text):
    """Text in which Markdown and HTML characters are escaped."""
    return re.sub(r"([\\`*_{}\[\]#$|~^])", r"\\\1", escape(text, quote=False))


def percent(share, *, digits=1):
    """Write a share in percent, with its interval if it has one.

    The interval of a share is cut at 0 and 100 %, because Student's interval of a few
    repetitions near either end would reach beyond possible values.

    Examples
    --------
    >>> percent(0.4321), percent(float("nan"))
    ('43.2 %', '–')
    """
    return _with_interval(
        _between(share, 0, 1), lambda x: f"{fixed(100 * x, digits)} %", digits
    )


def _between(value, least, most):
    """A mean within bounds, its interval cut where the bounds are."""
    if not hasattr(value, "low") or not least <= value.mean <= most:
        return value
    return value._replace(low=max(value.low, least), high=min(value.high, most))


def points(difference, *, digits=1):
    """Write a difference of shares in percentage points, with its interval if known.

    Examples
    --------
    >>> points(0.0432), points(-0.01, digits=0), points(None)
    ('+4.3 points', '−1 point', '–')
    """

    def words(x):
        text = fixed(100 * x, digits, sign="+")
        return f"{text} point{'' if text[1:] == '1' else 's'}"

    return _with_interval(_between(difference, -1, 1), words, digits, sign="+")


def number(value, *, digits=2, within=(-math.inf, math.inf)):
    """Write any other number with fixed digits, with its interval if it has one.

    Parameters
    ----------
    value : number, interval or None
    digits : int
        Digits after the point.
    within : (float, float)
        Least and greatest possible value, at which an interval is cut: (-1, 1) for a
        correlation.

    Examples
    --------
    >>> number(-1.234), number(20_000, digits=0), number(float("nan"))
    ('−1.23', '20,000', '–')
    """
    value = _between(value, *within)
    return _with_interval(value, lambda x: fixed(x, digits), digits, scale=1)


def count(n, noun, plural=None):
    """Write a number of things.

    Examples
    --------
    >>> count(1, "image"), count(1200, "image"), count(2, "study", "studies")
    ('1 image', '1,200 images', '2 studies')
    """
    return f"{n:,} {noun if n == 1 else plural or noun + 's'}"


def listing(names, *, last="and"):
    """Write names as a list in a sentence; "none" if there are none.

    Examples
    --------
    >>> listing(["a", "b", "c"]), listing(["a", "b"], last="or"), listing([])
    ('a, b and c', 'a or b', 'none')
    """
    *most, end = [str(name) for name in names] or ["none"]
    return f"{', '.join(most)} {last} {end}" if most else end


def verdict(
    interval, *, ahead="ahead of", behind="behind", same="not distinguishable from"
):
    """Choose comparing words by the side of zero on which an interval lies.

    A number without an interval, or with too few repetitions for one, counts as not
    distinguishable from zero.

    Examples
    --------
    >>> verdict(0.04)
    'not distinguishable from'
    """
    return {1: ahead, -1: behind, 0: same}[getattr(interval, "sign", 0)]


def standing(difference, rival):
    """Compare by a difference of shares, in words and numbers.

    Parameters
    ----------
    difference : interval or float
        First side minus second side.
    rival : str
        Words for the second side.

    Examples
    --------
    >>> standing(0.04, "the raw image")
    'not distinguishable from the raw image, with a difference of +4.0 points'
    """
    return f"{verdict(difference)} {rival}, with a difference of {points(difference)}"


def standings(differences, rival, *, place="space"):
    """Compare in one place by its difference, in several by how many are ahead.

    Parameters
    ----------
    differences : sequence of interval or float
        First side minus second side, one for each place.
    rival : str
        Words for the second side.
    place : str
        What a place is.

    Examples
    --------
    >>> standings([0.04], "it")
    'not distinguishable from it, with a difference of +4.0 points'
    >>> standings([0.04, 0.02], "it")
    'ahead in 0, behind in 0 and undecided in 2 of 2 spaces'
    """
    differences = list(differences)
    if len(differences) == 1:
        return standing(differences[0], rival)
    return f"{tally(differences)} of {count(len(differences), place)}"


def mean_over(n, unit="seed"):
    """Write over what a mean and its interval were taken.

    Examples
    --------
    >>> mean_over(3), mean_over(1)
    ('mean and 95 % interval over 3 seeds', 'one seed, which gives no interval')
    """
    if n == 1:
        return f"one {unit}, which gives no interval"
    return f"mean and 95 % interval over {count(n, unit)}"


def tally(intervals, *, ahead="ahead", behind="behind", same="undecided"):
    """Write how many intervals lie above zero, below it, or contain it.

    Examples
    --------
    >>> tally([0.04, 0.02])
    'ahead in 0, behind in 0 and undecided in 2'
    """
    words = {1: ahead, -1: behind, 0: same}
    signs = [getattr(interval, "sign", 0) for interval in intervals]
    return listing(f"{word} in {signs.count(sign)}" for sign, word in words.items())


def _with_interval(value, words, digits, *, scale=100, sign=""):
    """The mean in `words`, then its interval in brackets if there is one."""
    if not hasattr(value, "low"):
        return DASH if is_missing(value) else words(value)
    if is_missing(value.mean):
        return DASH
    if is_missing(value.low):
        return f"{words(value.mean)} (n = {value.n}, too few for an interval)"
    ends = (value.low, value.high)
    low, high = (interval_end(scale * x, digits, sign) for x in ends)
    name = f"{100 * value.confidence:g} % interval"
    return f"{words(value.mean)} ({name} {low} to {high}, n = {value.n})"


def is_missing(value):
    """Whether a value is None or NaN."""
    return value is None or math.isnan(value)


def fixed(x, digits, sign=""):
    """Fixed digits, thousands separated, a true minus sign, none before zero."""
    rounded = round(float(x), digits) + 0.0
    return f"{rounded:{sign},.{digits}f}".replace("-", "−")


def interval_end(x, digits, sign=""):
    """Fixed digits, one more where they would hide on which side of zero an end lies.

    Examples
    --------
    >>> interval_end(-0.04, 1, "+"), interval_end(-0.24, 1, "+"), interval_end(0, 1)
    ('−0.04', '−0.2', '0.0')
    """
    hidden = x and not round(float(x), digits)
    return fixed(x, digits + bool(hidden), sign)


def checked(paragraphs):
    """The paragraphs as one text, or an error that says what is wrong with them.

    Examples
    --------
    >>> checked(["One sentence. ", "Another one."])
    'One sentence.\\n\\nAnother one.'
    """
    if not paragraphs or not all(str(text).strip() for text in paragraphs):
        raise ValueError("a finding needs at least one sentence, and no empty ones.")
    for text in map(str, paragraphs):
        for pattern, remedy in _FORBIDDEN.items():
            if re.search(pattern, text, re.MULTILINE):
                raise ValueError(f"{text!r}: {remedy}.")
    return "\n\n".join(str(text).strip() for text in paragraphs)


def _show(kind, text, values):
    words = {"kind": kind}
    if values:
        words["values"] = plain_values(values)
    data = {MARKDOWN: text, "text/plain": text}
    display(data, metadata={MARKDOWN: words}, raw=True)


def plain_values(values):
    """Values of a run in a form that JSON can hold.

    Parameters
    ----------
    values : dict of str to number, str, bool, interval or None

    Returns
    -------
    dict
        NaN becomes None, and an interval becomes a dict.

    Raises
    ------
    ValueError
        If a value has another type.

    Examples
    --------
    >>> plain_values({"gain": float("nan"), "n": 3})
    {'gain': None, 'n': 3}
    """
    return {name: _plain(name, value) for name, value in values.items()}


def _plain(name, value):
    """A value for JSON: NaN becomes null, an interval becomes a mapping."""
    if hasattr(value, "_asdict"):
        return {key: _plain(name, part) for key, part in value._asdict().items()}
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    raise ValueError(
        f"{name} is a {type(value).__name__}; a finding keeps numbers, words and "
        "intervals."
    )
