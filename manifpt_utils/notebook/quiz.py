"""The quiz that ends a chapter, and the check of an answer in a kernel.

The last code cell of a chapter gives the numbers of its run::

    quiz("03_attribution", accuracy=accuracy, chance=chance, gain=gain)

The questions lie in `notebooks/quizzes/03_attribution.yml` (see
`notebook.questions`).  The output is text with folded answers; the book makes a form
of it.  Where the notebook runs, `check("3.q1", "b")` judges an answer, and
`check("3.1", function)` a solution of an exercise (`notebook.exercises`).
"""

from typing import NamedTuple

from IPython.display import display

from .._support.paths import ROOT
from .exercises import EXERCISES
from .findings import MARKDOWN, checked, left_out, listing, plain_values
from .judging import AnswerError, Verdict, judged
from .questions import LETTERS, filled, read_questions
from .trying import tried

FOLDER = ROOT / "notebooks" / "quizzes"
_ASKED = {}  # chapter -> what was asked last in this kernel
_HINTED = {}  # question or exercise -> number of hints asked for in this kernel
_MISSED = {}  # exercise -> number of wrong functions in this kernel after the first


class _Asked(NamedTuple):
    questions: dict  # id -> Question
    missed: dict  # id -> number of wrong answers


def quiz(name, /, **values):
    """Ask the questions about a chapter, with the numbers of its run.

    Parameters
    ----------
    name : str
        Name of the chapter, and of its file in `notebooks/quizzes`.
    **values : number, str, bool, list, interval or None
        Values that the questions use.  If one is missing (None, NaN), the questions
        that use it are left out.

    Raises
    ------
    ValueError
        If the file has an error, or a value is not given or is of the wrong kind.
    """
    source = FOLDER / f"{name}.yml"
    questions = filled(read_questions(source), values, source=source.name)
    _ASKED[chapter(name)] = _Asked({q.id: q for q in questions}, {})
    if not questions:
        return left_out("The quiz", "none of its questions applies to this run")
    text = checked([as_markdown(name, questions)])
    words = {
        "kind": "quiz",
        "name": name,
        "questions": [q.model_dump(exclude_defaults=True) for q in questions],
        "values": plain_values({k: _joined(v) for k, v in values.items()}),
    }
    display({MARKDOWN: text, "text/plain": text}, metadata={MARKDOWN: words}, raw=True)


def _joined(value):
    return listing(value) if isinstance(value, list) else value


def check(name, answer=...):
    """Judge an answer to a question, or a solution of an exercise, without giving it.

    Parameters
    ----------
    name : str
        Name of a question, such as "3.q1", or of an exercise, such as "3.1".
    answer : str, number, list or function
        For a question: a letter, a list of letters (for an order, from the first to the
        last) or a number.  For an exercise: the reader's function.  Without it, a hint
        is given.

    Returns
    -------
    Verdict
        `state` is "right", "almost" or "not yet"; for an exercise it can also be
        "nothing yet", "on the way" or "hint".  `text` says why; each wrong answer to a
        question brings a further hint, and so does each wrong function after the first.

    Raises
    ------
    AnswerError
        If the question has not been asked, or takes another kind of answer.
    """
    name = str(name)
    if name in EXERCISES:
        return _exercise(name, answer)
    number, _, id_ = name.rpartition(".")
    if id_.isdigit():
        raise AnswerError(f"there is no exercise {name!r}, but {_exercises(number)}.")
    if number not in _ASKED:
        raise AnswerError(
            f"{name!r} has not been asked; run the cell with quiz(...) at the end of "
            'the chapter first, and name a question as "3.q1", an exercise as "3.1".'
        )
    asked = _ASKED[number]
    if id_ not in asked.questions:
        there = listing([f"{number}.{known}" for known in asked.questions])
        raise AnswerError(f"there is no question {name!r} in this run, but {there}.")
    question = asked.questions[id_]
    if answer is ...:
        return _next_hint(name, question.hints)
    found = judged(question, answer, name=name)
    if found.state == "right":
        return found
    n_missed = asked.missed[id_] = asked.missed.get(id_, 0) + 1
    return _with_hint(found, question.hints, n_missed)


def _exercises(number):
    """Names of the exercises of a chapter, or of all if it has none."""
    return listing([x for x in EXERCISES if x.startswith(f"{number}.")] or EXERCISES)


def _exercise(name, answer):
    exercise = EXERCISES[name]
    if answer is ...:
        return _next_hint(name, exercise.hints)
    found = tried(exercise, answer, name=name)
    if found.state not in ("on the way", "almost"):
        return found
    # The first time, what is wrong may be enough.
    n_missed = _MISSED[name] = _MISSED.get(name, -1) + 1
    return _with_hint(found, exercise.hints, n_missed)


def _next_hint(name, hints):
    """The hint after the one that was asked for before; the last one stays."""
    if not hints:
        return Verdict("hint", "There is none; read the question once more.")
    n_given = _HINTED[name] = min(_HINTED.get(name, 0) + 1, len(hints))
    return Verdict("hint", hints[n_given - 1])


def _with_hint(found, hints, n):
    """A verdict with the n-th hint, if there is one; none is the zeroth."""
    given = [f"Hint: {hint}" for hint in hints[max(n - 1, 0) : n]]
    return Verdict(found.state, "\n\n".join([found.text, *given]))


def chapter(name):
    """The name of a chapter in `check`.

    >>> chapter("03_attribution"), chapter("method")
    ('3', 'method')
    """
    number = name.partition("_")[0]
    return str(int(number)) if number.isdigit() else name


def as_markdown(name, questions):
    """The questions as text, with folded hints and answers.

    Parameters
    ----------
    name : str
    questions : list of Question
        Filled.

    Returns
    -------
    str
    """
    one = f"{chapter(name)}.{questions[0].id}"
    opening = (
        "**Questions on this chapter.** Answer before you unfold. In a running "
        "notebook, `from manifpt_utils.notebook.quiz import check` and then "
        f'`check("{one}", ...)` judge an answer and hint.'
    )
    parts = [opening, *(_question(name, question) for question in questions)]
    return "\n\n---\n\n".join(parts)


def _question(name, question):
    unit = {"%": " (in percent)", "points": " (in points)"}.get(question.unit, "")
    lines = [f"**{chapter(name)}.{question.id}** {question.ask}{unit}"]
    lettered = list(zip(LETTERS, question.options, strict=False))
    lines.append("\n".join(f"- **{k}**: {option.text}" for k, option in lettered))
    lines += [_folded("Hint", hint) for hint in question.hints]
    lines.append(_folded("Answer", solution(question)))
    return "\n\n".join(filter(None, lines))


def _folded(title, text):
    return f"<details><summary>{title}</summary>\n\n{text}\n\n</details>"


def solution(question):
    """The answer to a question, and why, as text.

    Parameters
    ----------
    question : Question
        Filled.

    Returns
    -------
    str
    """
    if question.kind == "number":
        return f"{as_asked(question)}. {question.if_right}"
    lettered = list(zip(LETTERS, question.options, strict=False))
    if question.kind == "order":
        lettered.sort(key=lambda item: item[1].by, reverse=question.first == "largest")
        return "\n".join(f"1. **{k}**: {o.text}. {o.feedback}" for k, o in lettered)
    return "\n".join(
        f"- **{letter}** is {'right' if option.right else 'wrong'}: {option.feedback}"
        for letter, option in lettered
    )


def as_asked(question):
    """The right number in its unit, with what is accepted beside it.

    >>> from manifpt_utils.notebook.questions import Question
    >>> words = {"id": "q1", "kind": "number", "ask": "?", "unit": "%"}
    >>> as_asked(Question(**words, answer=42.12, tolerance=2.0))
    '42.1 % (± 2 is near enough)'
    """
    unit = f" {question.unit}" if question.unit else ""
    near = f" (± {question.tolerance:.2g} is near enough)" if question.tolerance else ""
    return f"{question.answer:.3g}{unit}{near}"
