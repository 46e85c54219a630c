"""How a reader's function is tried on small arrays.

The answer says which property fails (sign, shape, space, leaving one out), and never
tells the solution.
"""

from typing import NamedTuple

import numpy as np

from .judging import AnswerError, Verdict

_WAITS = (
    "The function waits for your code: write it in the place of `raise`, run that "
    "cell, and then run this one again."
)


class Exercise(NamedTuple):
    """Arguments for the reader's function, what comes out, and known mistakes.

    `mistakes` are pairs of a result and what is wrong with it.
    """

    arguments: tuple
    expected: np.ndarray
    mistakes: tuple
    hints: tuple


def tried(exercise, function, *, name):
    """Try a reader's function.

    Parameters
    ----------
    exercise : Exercise
    function : callable
    name : str
        Name of the exercise, for error messages.

    Returns
    -------
    Verdict
        `state` is "nothing yet", "on the way", "almost" or "right".

    Raises
    ------
    AnswerError
        If `function` is not a function.

    Examples
    --------
    >>> double = Exercise((np.ones(3),), 2 * np.ones(3), (), ())
    >>> tried(double, lambda x: x + x, name="1.1").state
    'right'
    """
    if function is None or function is Ellipsis:
        return Verdict("nothing yet", "Write the function first.")
    if not callable(function):
        kind = type(function).__name__
        raise AnswerError(
            f"{name} takes your function itself, without brackets; got a {kind}."
        )
    try:
        found = function(*(np.copy(x) for x in exercise.arguments))
    except NotImplementedError:
        return Verdict("nothing yet", _WAITS)
    except Exception as error:  # of the reader's code, which may raise anything
        why = str(error).rstrip(".")
        return Verdict("on the way", f"It stops with {type(error).__name__}: {why}.")
    return _compared(found, exercise)


def _compared(found, exercise):
    if found is None:
        return Verdict("nothing yet", "The function returns nothing.")
    try:
        found = np.asarray(found, dtype=float)
    except (TypeError, ValueError):
        return Verdict("on the way", "The result must be numbers.")
    for mistake, why in exercise.mistakes:
        if _is_like(found, np.asarray(mistake)):
            return Verdict("almost", why)
    wanted = exercise.expected.shape
    if found.shape != wanted:
        words = f"Its shape is {found.shape}, but must be {wanted} here."
        return Verdict("on the way", words)
    if not np.isfinite(found).all():
        return Verdict("on the way", "Some of the numbers are not finite.")
    if _is_like(found, exercise.expected):
        return Verdict("right", "The function does what it should.")
    if _is_like(found, -exercise.expected):
        return Verdict("almost", "The sign is the other way round.")
    words = "The shape is right, but the numbers are not yet"
    n_right = np.isclose(found, exercise.expected).sum()
    some = f": {n_right} of {found.size} are." if n_right else "."
    return Verdict("on the way", words + some)


def _is_like(found, expected):
    return found.shape == expected.shape and np.allclose(found, expected)
