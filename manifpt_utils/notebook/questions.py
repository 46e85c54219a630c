"""Questions about a chapter: a YAML file that a run fills with its own numbers.

A file holds the key `questions` with a list of them::

    questions:
      - id: q1
        kind: single
        ask: The artifact gains {gain:points} over the raw image.  What is it then?
        answer: gain
        options:
          - {value: ahead, text: ahead of it, feedback: Zero is below the interval.}
          - {value: behind, text: behind it, feedback: The interval decides.}
          - {value: undecided, text: neither, feedback: Zero is in the interval.}

Names in braces, and `gain` after `answer`, are names of values that the run gives
(`notebook.quiz`).  `{gain:percent}`, `{gain:points}`, `{gain:number}` and
`{gain:whole}` say how a number is written; without that, its form is chosen.  If a
value is missing in a run, the questions that use it are left out, and so is a question
whose `when` is false.

What a chapter asks before it shows a result stands there too, under a second key::

    predictions:
      - id: lead
        kind: choice
        about: The artifact of the paper
        ask: Will the artifact be ahead of the raw image?
        looks: points
        options:
          - {value: ahead, text: it is ahead of it}
          - {value: behind, text: it is behind it}
          - {value: undecided, text: the two cannot be told apart}

Its answer is a value of the run, written by its `looks` (`notebook.predictions`).
"""

from functools import partial
from pathlib import Path
from string import Formatter
from typing import Annotated, Literal

import numpy as np
import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from .._support.suggestion import suggestion
from .findings import is_missing, listing, number, percent, points

LETTERS = "abcdefghijklmnopqrstuvwxyz"
SCALES = {"%": 100, "points": 100, None: 1}  # factors from a share to each unit
SIDES = {1: "ahead", -1: "behind", 0: "undecided"}  # of an interval
_WRITTEN = {
    "number": number,
    "percent": percent,
    "points": points,
    "whole": partial(number, digits=0),
}
_MARKUP = str.maketrans({c: f"\\{c}" for c in "\\`*_[]<>&"})

Text = Annotated[str, Field(pattern=r"\S")]
Name = Annotated[str, Field(pattern=r"^[A-Za-z]\w*$")]
_TRIED = {"bool", "constrained-str", "float", "str"}  # pydantic's words
_TEXT = "text that is not empty"
_NAME = "the name of a value of the run"
_NUMBER = f"a number, or {_NAME}"


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


class Option(_Part):
    """One of the options to choose from, or to put in order."""

    text: Text = Field(description=_TEXT)
    feedback: Text = Field(
        description="text that says why the option is right or wrong"
    )
    right: bool | Name | None = Field(None, description=f"true, false, or {_NAME}")
    value: bool | str | float | None = Field(
        None, description="what the question's `answer` is where this is right"
    )
    by: float | Name | None = Field(None, description=_NUMBER)
    when: Name | None = Field(None, description=_NAME)


class Slip(_Part):
    """A wrong number whose reason is known."""

    answer: float | Name = Field(description=_NUMBER)
    feedback: Text = Field(description="text that says what was mistaken for what")


class Question(_Part):
    """A question, as in a file, or filled with the values of a run."""

    id: str = Field(pattern=r"^q\d+$", description="q and a number, such as q1")
    kind: Literal["single", "multiple", "number", "order"] = Field(
        description="single, multiple, number or order"
    )
    ask: Text = Field(description=_TEXT)
    when: Name | None = Field(None, description=_NAME)
    hints: list[Text] = Field([], description="a list of texts")
    options: list[Option] = Field(
        [], max_length=len(LETTERS), description="a list of at most 26 options"
    )
    answer: float | Name | None = Field(None, description=_NUMBER)
    tolerance: float | Name | None = Field(None, description=_NUMBER)
    unit: Literal["%", "points"] | None = Field(None, description='"%" or "points"')
    first: Literal["smallest", "largest"] = Field(
        "smallest", description="smallest or largest"
    )
    if_right: Text | None = Field(None, description=_TEXT)
    if_wrong: Text | None = Field(None, description=_TEXT)
    slips: list[Slip] = Field([], description="a list of known wrong answers")


class Choice(_Part):
    """One of the results that may be expected."""

    value: bool | str = Field(
        description="what the run may find, a word or true, false"
    )
    text: Text = Field(description=_TEXT)


class Prediction(_Part):
    """What a chapter asks before it shows a result."""

    id: Name = Field(description="a short name, such as lead")
    kind: Literal["choice", "number"] = Field(description="choice or number")
    about: Text = Field(description="a few words on what is expected")
    ask: Text = Field(description=_TEXT)
    options: list[Choice] = Field([], description="a list of options")
    unit: Literal["%", "points"] | None = Field(None, description='"%" or "points"')
    looks: Literal["number", "percent", "points", "whole"] | None = Field(
        None, description="number, percent, points or whole"
    )
    source: Text = Field("This run found", description="words before the result")


class _File(_Part):
    questions: list[Question] = Field(min_length=1, description="a list of questions")
    predictions: list[Prediction] = Field([], description="a list of predictions")


# --- reading ----------------------------------------------------------------------


def read_questions(path):
    """Read and check a file of questions.

    Parameters
    ----------
    path : path

    Returns
    -------
    list of Question

    Raises
    ------
    ValueError
        If the file is missing or wrong.  All problems are listed together, each with
        its question and its remedy.
    """
    return _read(path).questions


def read_predictions(path):
    """Read and check what a chapter asks before its results.

    Parameters
    ----------
    path : path
        Of the file that holds the questions, too.

    Returns
    -------
    dict of str to Prediction
        By their ids.

    Raises
    ------
    ValueError
        As `read_questions` does.
    """
    return {found.id: found for found in _read(path).predictions}


def _read(path):
    """The content of a file, checked as a whole."""
    path = Path(path)
    raw = _content(path)
    try:
        file = _File.model_validate(raw)
    except ValidationError as error:
        found = dict.fromkeys(_problem(raw, item) for item in error.errors())
        raise _error(path, found) from None
    problems = []
    for part, kind in ((file.questions, "question"), (file.predictions, "prediction")):
        problems += _repeated([item.id for item in part], kind)
    for question in file.questions:
        problems += [f"{question.id}: {text}" for text in _problems_of(question)]
    for asked in file.predictions:
        problems += [f"{asked.id}: {text}" for text in _prediction_problems(asked)]
    if problems:
        raise _error(path, problems)
    return file


def _repeated(ids, kind):
    return [
        f"{id_} is there {ids.count(id_)} times; give each {kind} an id of its own."
        for id_ in dict.fromkeys(ids)
        if ids.count(id_) > 1
    ]


def _prediction_problems(asked):
    if asked.kind == "number" and asked.options:
        yield "a prediction of kind number has no options; take them out."
    if asked.kind == "choice" and len(asked.options) < 2:
        yield "a prediction of kind choice needs two options or more."
    if asked.kind == "choice" and asked.unit:
        yield "unit is for a prediction of kind number; take it out."
    yield from _template_problems(asked.ask)


def _error(path, problems):
    return ValueError("\n  ".join([f"{path.name}:", *problems]))


def _content(path):
    try:
        return yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as error:
        there = [found.stem for found in path.parent.glob("*.yml")]
        reason, hint = error.strerror or error, suggestion(path.stem, there)
        raise ValueError(f"cannot read {path.name}: {reason};{hint}") from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ValueError(f"{path.name} is not valid YAML: {error}") from None


def _problem(raw, found):
    """A sentence about an error that pydantic found: which question, and a remedy."""
    place = [step for step in found["loc"] if step not in _TRIED]
    if "hints" in place:  # no need to say which one
        place = place[: place.index("hints") + 1]
    if len(place) < 2 or place[0] not in _File.model_fields:
        return (
            "the file must hold the key `questions` with a list of questions, and may "
            "hold `predictions` with a list of predictions."
        )
    *outer, last = place
    where, kind = _where(raw, outer)
    if found["type"] == "extra_forbidden":
        return f"{where}: unknown key {last!r};{suggestion(last, kind.model_fields)}"
    if isinstance(last, int):
        return f"{_where(raw, place)[0]} must be a mapping such as {{text: ...}}."
    wanted = kind.model_fields[last].description
    if found["type"] == "missing":
        return f"{where}: {last} is missing; it must be {wanted}."
    return f"{where}: {last} = {found['input']!r} must be {wanted}."


def _where(raw, place):
    """The words for a place in the file, and the model that describes it."""
    words, kind = [], _File
    parts = {"questions": Question, "options": Option, "slips": Slip}
    if place[:1] == ["predictions"]:
        parts = {"predictions": Prediction, "options": Choice}
    for step in place:
        raw = raw[step] if isinstance(raw, (dict, list)) else None
        if isinstance(step, str):
            kind = parts.get(step, kind)
        elif kind in (Question, Prediction):
            named = raw.get("id") if isinstance(raw, dict) else None
            words.append(str(named or f"{kind.__name__.lower()} {step + 1}"))
        else:
            is_option = kind in (Option, Choice)
            words.append(f"option {LETTERS[step]}" if is_option else "slip")
    return ", ".join(words), kind


def _problems_of(question):
    """Problems between the parts of a question."""
    if question.kind == "number":
        yield from _number_problems(question)
    else:
        yield from _choice_problems(question)
    for text in texts_of(question):
        yield from _template_problems(text)


def _number_problems(question):
    for name in ("answer", "tolerance", "if_right", "if_wrong"):
        if getattr(question, name) is None:
            yield f"{name} is missing, which a question of kind number needs."
    if question.options:
        yield "a question of kind number has no options; take them out."


def _choice_problems(question):
    if len(question.options) < 2:
        yield f"a question of kind {question.kind} needs at least two options."
    if question.kind == "order":
        wanted, what = "by", "a number or the name of one"
    elif question.answer is not None:
        wanted, what = "value", "what `answer` is where it is right"
    else:
        wanted, what = "right", "true or false"
    for letter, option in zip(LETTERS, question.options, strict=False):
        if getattr(option, wanted) is None:
            yield f"option {letter}: {wanted} is missing; it must be {what}."
    if wanted == "right" and question.kind == "single":
        known = [option.right for option in question.options]
        if all(isinstance(r, bool) for r in known) and known.count(True) != 1:
            yield f"exactly one option must be right, but {known.count(True)} are."


def _template_problems(text):
    try:
        fields = _fields(text)
    except ValueError as error:
        yield f"{text!r}: {error}; write a brace twice if you mean the sign itself."
        return
    for name, form in fields:
        if not name.isidentifier():
            yield f"{{{name}}} is not a name; write a brace twice if you mean the sign."
        elif form and form not in _WRITTEN:
            yield f"{{{name}:{form}}} is unknown;{suggestion(form, _WRITTEN)}"


def _fields(text):
    """Names in braces, and how each is to be written."""
    return [
        (name, form) for _, name, form, _ in Formatter().parse(text) if name is not None
    ]


def texts_of(question):
    """All texts of a question that may contain names.

    Parameters
    ----------
    question : Question

    Returns
    -------
    list of str
    """
    own = [question.ask, *question.hints, question.if_right, question.if_wrong]
    for option in question.options:
        own += [option.text, option.feedback]
    return [text for text in own + [s.feedback for s in question.slips] if text]


def names_in(question):
    """Names of the values that a question uses.

    Parameters
    ----------
    question : Question

    Returns
    -------
    set of str
    """
    fields = [question.when, question.answer, question.tolerance]
    for option in question.options:
        fields += [option.right, option.by, option.when]
    fields += [slip.answer for slip in question.slips]
    named = {field for field in fields if isinstance(field, str)}
    return named.union(*({n for n, _ in _fields(t)} for t in texts_of(question)))


# --- filling ----------------------------------------------------------------------


def filled_prediction(asked, values, *, source):
    """A prediction with the values of a run in its text.

    Parameters
    ----------
    asked : Prediction
    values : dict of str to number, str, bool, list or interval
    source : str
        Name of the file, for errors.

    Returns
    -------
    Prediction

    Raises
    ------
    ValueError
        If a value is not given.
    """
    values = {name: native(value) for name, value in values.items()}
    wanted = {name for name, _ in _fields(asked.ask)}
    problems = [
        f"{asked.id}: the run gives no {name}; give it to expect(...), or take it out."
        for name in sorted(wanted - set(values))
    ]
    if problems:
        raise _error(Path(source), problems)
    return asked.model_copy(update={"ask": _written(asked.ask, values)})


def side_of(found):
    """What a choice is compared with: of an interval the side of zero it lies on.

    >>> side_of("norm"), side_of(True)
    ('norm', True)
    """
    found = native(found)
    return SIDES[found.sign] if hasattr(found, "sign") else found


def as_words(value, looks=None):
    """A value of a run as text that holds no markup of its own.

    >>> as_words(0.125, "percent"), as_words(3)
    ('12.5 %', '3')
    """
    return _words(native(value), looks)


def filled(questions, values, *, source):
    """The questions that apply to a run, with its values in them.

    Parameters
    ----------
    questions : list of Question
    values : dict of str to number, str, bool, list, interval or None
    source : str
        Name of the file, for errors.

    Returns
    -------
    list of Question
        Options are marked as right or wrong, and names are replaced by numbers.

    Raises
    ------
    ValueError
        If a value is not given, or is not of the kind that a question needs.
    """
    values = {name: native(value) for name, value in values.items()}
    problems = [
        f"{question.id}: the run gives no {name}; give it to quiz(...), or remove it."
        for question in questions
        for name in sorted(names_in(question) - set(values))
    ]
    if problems:
        raise _error(Path(source), problems)
    found = []
    for question in questions:
        try:
            found.append(_fill(question, values))
        except ValueError as error:
            raise _error(Path(source), [f"{question.id}: {error}"]) from None
    return [question for question in found if question]


def native(value):
    """A number of numpy as one of Python; anything else as it is."""
    return value.item() if isinstance(value, np.generic) else value


def _is_absent(value):
    """Whether a value is missing in a run; an interval is missing if its mean is."""
    value = getattr(value, "mean", value)
    return is_missing(value) if value is None or isinstance(value, float) else False


def _fill(question, values):
    """One question with the values of a run, or None if it does not apply."""
    kept = [o for o in question.options if not o.when or _holds(values[o.when])]
    question = question.model_copy(update={"options": kept})
    absent = {name for name in names_in(question) if _is_absent(values[name])}
    if absent or (question.when and not values[question.when]):
        return None
    made = {"ask": _written(question.ask, values), "when": None}
    made["hints"] = [_written(hint, values) for hint in question.hints]
    if question.kind == "number":
        return question.model_copy(update=made | _filled_number(question, values))
    made["options"] = options = _distinct(_filled_options(question, values))
    rights = sum(bool(option.right) for option in options)
    if question.kind == "single" and rights != 1:
        raise ValueError(f"one option must be right in this run, but {rights} are.")
    is_empty = len(options) < 2 or (question.kind == "multiple" and not rights)
    return None if is_empty else question.model_copy(update=made | {"answer": None})


def _holds(value):
    return not _is_absent(value) and bool(value)


def _filled_number(question, values):
    scale = SCALES[question.unit]

    def scaled(field, name):
        return scale * _as_number(values.get(field, field), name)

    made = {n: scaled(getattr(question, n), n) for n in ("answer", "tolerance")}
    texts = ("if_right", "if_wrong")
    made |= {name: _written(getattr(question, name), values) for name in texts}
    made["slips"] = [
        Slip(answer=scaled(s.answer, "slip"), feedback=_written(s.feedback, values))
        for s in question.slips
    ]
    return made


def _as_number(value, name):
    value = getattr(value, "mean", value)
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise ValueError(f"{name} must be a number, but the run gives {value!r}.")
    return float(value)


def _filled_options(question, values):
    for option in question.options:
        made = {
            "text": _written(option.text, values),
            "feedback": _written(option.feedback, values),
            "when": None,
        }
        if question.kind == "order":
            made["by"] = _as_number(values.get(option.by, option.by), "by")
        else:
            made |= {"right": _is_right(option, question, values), "value": None}
        yield option.model_copy(update=made)


def _is_right(option, question, values):
    if isinstance(option.right, str):
        return bool(values[option.right])
    if option.right is not None:
        return option.right
    found = side_of(values[question.answer])
    is_list = isinstance(found, (list, tuple, set))
    return option.value in found if is_list else option.value == found


def _distinct(options):
    """Options with different texts; of options with the same text, the right one."""
    found = {}
    for option in options:
        if option.text not in found or option.right:
            found[option.text] = option
    return list(found.values())


def _written(text, values):
    """The text with the values in it, in which no value is read as markup."""
    parts = []
    for literal, name, form, _ in Formatter().parse(text):
        parts.append(literal)
        if name is not None:
            parts.append(_words(values[name], form))
    return "".join(parts).strip()


def _words(value, form):
    if form:
        return _WRITTEN[form](value)
    if isinstance(value, float) or hasattr(value, "mean"):
        return number(value)
    if isinstance(value, int) and not isinstance(value, bool):
        return f"{value:,}"
    if isinstance(value, (list, tuple, set)):
        return listing(str(item).translate(_MARKUP) for item in value)
    return str(value).translate(_MARKUP)
