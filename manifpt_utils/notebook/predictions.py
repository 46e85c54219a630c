"""What a reader expects of a result, asked before it is shown and taken up after it.

Before a result a chapter asks, and after it the chapter compares::

    expect("03_attribution", "lead", None, n_train=n_train)
    ...
    compare("03_attribution", "lead", gain)

The question lies in `notebooks/quizzes/03_attribution.yml` (see `notebook.questions`).
In the book both are a form that the browser keeps.  In a running notebook the reader
writes the answer in the place of `None` and runs both cells; with `None` the second one
says what the run found, and nothing else.
"""

from numbers import Real

from IPython.display import display

from .findings import MARKDOWN, checked, is_missing, left_out, listing, plain_values
from .judging import UNITS, AnswerError
from .questions import (
    SCALES,
    as_words,
    filled_prediction,
    native,
    read_predictions,
    side_of,
)
from .quiz import FOLDER

_LOOKS = {"%": "percent", "points": "points", None: "number"}
_EXPECTED = {}  # (chapter, id) -> what the reader entered in this kernel


def expect(name, id_, entry, /, **values):
    """Ask what the reader expects, and keep the answer until `compare`.

    Parameters
    ----------
    name : str
        Of the chapter, and of its file in `notebooks/quizzes`.
    id_ : str
        Of the prediction.
    entry : str, bool, number or None
        What the reader expects; None if nothing.
    **values : number, str, bool, list or interval
        What the question speaks of.

    Raises
    ------
    ValueError
        If there is no such prediction, or a value is not given.
    AnswerError
        If the entry is of another kind.
    """
    asked = filled_prediction(_asked(name, id_), values, source=f"{name}.yml")
    _EXPECTED.pop((name, id_), None)
    lines = [f"**Your guess.** {asked.ask}"]
    if entry is None:
        lines += [*_choices(asked), _how_to_enter(asked)]
    else:
        _EXPECTED[name, id_] = entry = _checked(asked, entry)
        lines.append(f"You expect: {_as_text(asked, entry)}.")
    _show("prediction", lines, name, asked)


def compare(name, id_, found, /):
    """Set what the run found beside what the reader expected.

    Parameters
    ----------
    name, id_ : str
        As for `expect`.
    found : str, bool, number, interval or None
        Of the run.  An interval is ahead, behind or undecided where the prediction has
        options.  None says that this run has no such result.

    Raises
    ------
    ValueError
        If there is no such prediction, or its options do not hold what was found.
    """
    asked, found = _asked(name, id_), native(found)
    if _is_absent(found):
        return left_out(
            "What you expected", "this run has no result to compare it with"
        )
    result, words = _result(asked, found)
    entry = _EXPECTED.get((name, id_))
    parts = [f"*{asked.about}.*", f"{asked.source}: **{words}**."]
    if entry is not None:
        parts.insert(1, f"You expected: {_as_text(asked, entry)}.")
        parts.append(_comparison(asked, entry, result))
    values = plain_values({"result": result})
    _show(
        "prediction-found", [" ".join(parts)], name, asked, words=words, values=values
    )


def _is_absent(found):
    found = getattr(found, "mean", found)
    return found is None or (isinstance(found, float) and is_missing(found))


def _asked(name, id_):
    there = read_predictions(FOLDER / f"{name}.yml")
    if id_ not in there:
        raise ValueError(f"{name}.yml has no prediction {id_!r}, but {listing(there)}.")
    return there[id_]


def _show(kind, lines, name, asked, **more):
    text = checked(lines)
    words = {"kind": kind, "name": name, "prediction": asked.model_dump(), **more}
    display({MARKDOWN: text, "text/plain": text}, metadata={MARKDOWN: words}, raw=True)


def _choices(asked):
    """A list of what may be entered, if it is no number."""
    items = [f"- `{_code(option.value)}`: {option.text}" for option in asked.options]
    return ["\n".join(items)] if items else []


def _choices_or_number(asked):
    if asked.kind == "number":
        unit = f", in {UNITS[asked.unit]}" if asked.unit else ""
        return f"a number{unit}, such as 12.5"
    return listing([_code(option.value) for option in asked.options], last="or")


def _code(value):
    return f'"{value}"' if isinstance(value, str) else repr(value)


def _how_to_enter(asked):
    what = "one of these" if asked.options else _choices_or_number(asked)
    return (
        f"*Nothing is entered yet. In a running notebook, write {what} in the place of "
        "`None` and run the cell; the result is compared with it below.*"
    )


def _checked(asked, entry):
    values = [option.value for option in asked.options]
    is_number = isinstance(entry, Real) and not isinstance(entry, bool)
    fits = is_number if asked.kind == "number" else entry in values
    if not fits:
        wanted = _choices_or_number(asked)
        raise AnswerError(
            f"the prediction {asked.id} takes {wanted}; got {_code(entry)}."
        )
    return entry


def _as_text(asked, entry):
    if asked.kind == "number":
        return as_words(entry / SCALES[asked.unit], asked.looks or _LOOKS[asked.unit])
    return next(option.text for option in asked.options if option.value == entry)


def _result(asked, found):
    """What an entry is compared with, and the words for it."""
    if asked.kind == "number":
        mean = float(getattr(found, "mean", found))
        looks = asked.looks or _LOOKS[asked.unit]
        return SCALES[asked.unit] * mean, as_words(found, looks)
    side = side_of(found)
    known = {option.value: option.text for option in asked.options}
    if side not in known:
        raise ValueError(
            f"the prediction {asked.id} has options for {listing(map(_code, known))}, "
            f"and the run found {_code(side)}."
        )
    more = f", {as_words(found, asked.looks)}" if asked.looks else ""
    return side, known[side] + more


def _comparison(asked, entry, result):
    if asked.kind == "choice":
        return (
            "That is what you expected."
            if entry == result
            else "The result is another one."
        )
    if abs(entry - result) <= 0.1 * abs(result):
        return "You were within a tenth of it."
    return "It is more than that." if result > entry else "It is less than that."
