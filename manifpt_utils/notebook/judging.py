"""Whether an answer to a question is right, almost right, or not yet, and why."""

from numbers import Real
from typing import NamedTuple

from .questions import LETTERS

UNITS = {"%": "percent", "points": "percentage points"}  # as they are asked for


class AnswerError(ValueError):
    """What was given cannot be judged; a notebook shows this sentence alone."""

    def _render_traceback_(self):
        return [f"{type(self).__name__}: {self}"]


class Verdict(NamedTuple):
    """A state, such as "right", "almost" or "not yet", and why, as Markdown."""

    state: str
    text: str

    def _repr_markdown_(self):
        return f"**{self.state.capitalize()}.** {self.text}"


def judged(question, answer, *, name):
    """Judge an answer.

    Parameters
    ----------
    question : Question
        A question that holds the values of the run.
    answer : str, number or list of str
    name : str
        Name of the question, for error messages.

    Returns
    -------
    Verdict

    Raises
    ------
    AnswerError
        If the question takes another kind of answer.
    """
    if question.kind == "number":
        return _number(question, _given_number(answer, name))
    letters = LETTERS[: len(question.options)]
    given = [answer] if isinstance(answer, str) else answer
    needed = {"single": 1, "order": len(letters)}.get(question.kind)
    if not _are_letters(given, letters) or len(given) != (needed or len(given)):
        raise AnswerError(f"{name} takes {_wanted(question)}; got {answer!r}.")
    chosen = [question.options[letters.index(letter)] for letter in given]
    judge = {"single": _single, "multiple": _multiple, "order": _order}
    return judge[question.kind](question, chosen)


def _given_number(answer, name):
    if isinstance(answer, bool) or not isinstance(answer, Real):
        raise AnswerError(f"{name} takes a number, such as 0.5; got {answer!r}.")
    return float(answer)


def _are_letters(given, letters):
    is_list = isinstance(given, (list, tuple)) and len(given) > 0
    known = is_list and all(isinstance(x, str) and x in [*letters] for x in given)
    return known and len(set(given)) == len(given)


def _wanted(question):
    last = LETTERS[len(question.options) - 1]
    if question.kind == "single":
        return f'one letter from a to {last}, such as "a"'
    if question.kind == "order":
        return f"a list of all letters from a to {last}, the {question.first} first"
    return f'a list of different letters from a to {last}, such as ["a", "{last}"]'


def _single(question, chosen):
    (option,) = chosen
    return Verdict("right" if option.right else "not yet", option.feedback)


def _multiple(question, chosen):
    wrong = [option for option in chosen if not option.right]
    n_missing = sum(o.right for o in question.options) - len(chosen) + len(wrong)
    if wrong:
        state = "not yet" if n_missing or len(wrong) > 1 else "almost"
        return Verdict(state, _joined(wrong))
    if n_missing:
        return Verdict("almost", f"{_joined(chosen)} But {n_missing} more to find.")
    return Verdict("right", _joined(chosen))


def _joined(options):
    return " ".join(option.feedback for option in options)


def _order(question, chosen):
    places = [option.by for option in chosen]
    right = sorted(places, reverse=question.first == "largest")
    misplaced = [i for i, place in enumerate(places) if place != right[i]]
    if not misplaced:
        return Verdict("right", _joined(chosen))
    is_swap = len(misplaced) == 2 and misplaced[1] - misplaced[0] == 1
    return Verdict("almost" if is_swap else "not yet", chosen[misplaced[0]].feedback)


def _number(question, given):
    def is_near(value):
        return abs(given - value) <= question.tolerance

    if is_near(question.answer):
        return Verdict("right", question.if_right)
    for slip in question.slips:
        if is_near(slip.answer):
            return Verdict("almost", slip.feedback)
    if question.unit and abs(100 * given - question.answer) <= question.tolerance:
        return Verdict("almost", f"It is asked for in {UNITS[question.unit]}.")
    if is_near(-question.answer):
        return Verdict("almost", "The sign is the other way round.")
    return Verdict("not yet", question.if_wrong)
