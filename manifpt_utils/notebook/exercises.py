"""The exercises: arguments for each function, and known mistakes in its result.

The reader writes a function, and `check("1.1", function)` of `notebook.quiz` tries it
on small arrays.  The answer names the property that is wrong (sign, shape, space,
leaving one out), but never the solution.
"""

from typing import NamedTuple

import numpy as np
from scipy.spatial.distance import cdist
from scipy.stats import t as student

from .judging import Verdict

_RNG = np.random.default_rng(0)
_GENERATED, _REAL = _RNG.normal(size=(5, 3)), _RNG.normal(size=(9, 3))
_IMAGE, _CLOSEST = _RNG.uniform(size=(6, 8)), _RNG.uniform(size=(6, 8))
_ARTIFACTS = _RNG.normal(loc=0.4, size=(8, 3))
_MODELS = ["a", "b", "c"]
_MADE_BY = np.array([*"aaaabbbbcc"])
_TAKEN_FOR = np.array([*"aabcbbbacc"])
_WITH, _WITHOUT = np.array([0.71, 0.66, 0.69, 0.75]), np.array([0.65, 0.61, 0.66, 0.68])


class Exercise(NamedTuple):
    """Arguments for the reader's function, the right result, and known mistakes.

    `mistakes` are pairs of a wrong result and a sentence about it.
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
    ValueError
        If it is not a function.

    Examples
    --------
    >>> tried(EXERCISES["1.1"], lambda generated, real: real, name="1.1").state
    'on the way'
    """
    if function is None or function is Ellipsis:
        return Verdict("nothing yet", "Write the function first.")
    if not callable(function):
        kind = type(function).__name__
        raise ValueError(
            f"{name} takes your function itself, without brackets; got a {kind}."
        )
    try:
        found = function(*(np.copy(x) for x in exercise.arguments))
    except NotImplementedError:
        return Verdict("nothing yet", "The function waits for your code.")
    except Exception as error:  # the reader's code may raise anything
        words = f"It stops with {type(error).__name__}: {error}"
        return Verdict("on the way", words)
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
        words = f"Its shape is {found.shape}; for these arguments it must be {wanted}."
        return Verdict("on the way", words)
    if not np.isfinite(found).all():
        return Verdict("on the way", "Some of the numbers are not finite.")
    if _is_like(found, exercise.expected):
        return Verdict("right", "The function does what it should.")
    if _is_like(found, -exercise.expected):
        return Verdict("almost", "The sign is the other way round.")
    return Verdict("on the way", "The shape is right, but the numbers are not.")


def _is_like(found, expected):
    return found.shape == expected.shape and np.allclose(found, expected)


# --- the exercises ----------------------------------------------------------------


def _nearest():
    star = _REAL[cdist(_GENERATED, _REAL).argmin(axis=1)]
    away = np.linalg.norm(_GENERATED - star, axis=1)
    return Exercise(
        (_GENERATED, _REAL),
        _GENERATED - star,
        (
            (star, "These are the closest points; an artifact is the difference."),
            (away, "These are the lengths of the artifacts; keep the differences."),
        ),
        (
            "Begin with the distances of all pairs, an array of shape (5, 9).",
            "In each row, the smallest distance belongs to the closest real point.",
        ),
    )


def _left_out():
    lengths = np.sort(cdist(_REAL, _REAL), axis=1)[:, 1]
    return Exercise(
        (_REAL,),
        lengths,
        (
            (
                np.zeros(len(_REAL)),
                "Every point has found itself; leave it out of its own search.",
            ),
            (lengths**2, "These are the squares of the lengths."),
        ),
        (
            "A point must not be among the points with which it is compared.",
            "An infinite distance to itself keeps a point from being found.",
        ),
    )


def _spectrum(image):
    return np.fft.fftshift(np.log(np.abs(np.fft.fft2(image))))


def _spectral():
    found = _spectrum(_IMAGE) - _spectrum(_CLOSEST)
    plain = np.abs(np.fft.fft2(_IMAGE)) - np.abs(np.fft.fft2(_CLOSEST))
    return Exercise(
        (_IMAGE, _CLOSEST),
        found,
        (
            (
                _spectrum(_IMAGE - _CLOSEST),
                "This is the spectrum of a difference between pixels. The space of "
                "the artifact is that of the spectra: subtract there.",
            ),
            (np.fft.ifftshift(found), "The mean of the image belongs in the centre."),
            (np.fft.fftshift(plain), "The logarithm of the magnitudes is missing."),
            (plain, "The logarithm of the magnitudes and the shift are missing."),
        ),
        (
            "Take each image into the frequency space on its own.",
            "fft2, absolute value, logarithm, fftshift; then the difference.",
        ),
    )


def _shared():
    lengths = np.linalg.norm(_ARTIFACTS, axis=1)
    of_mean = np.linalg.norm(_ARTIFACTS.mean(axis=0))
    return Exercise(
        (_ARTIFACTS,),
        np.asarray(of_mean / np.median(lengths)),
        (
            (of_mean / lengths.mean(), "It is divided by the mean length; take the "
             "median, which a single bad image does not move."),
            (of_mean, "This is the length of the mean; divide by the median length."),
            (1 - of_mean / np.median(lengths), "This is the part that is not shared."),
        ),
        ("The length of a mean is not the mean of the lengths.",),
    )  # fmt: skip


def _confusion():
    counts = np.array(
        [
            [np.sum((_MADE_BY == row) & (_TAKEN_FOR == column)) for column in _MODELS]
            for row in _MODELS
        ]
    )
    shares = counts / counts.sum(axis=1, keepdims=True)
    by_column = counts / counts.sum(axis=0)
    return Exercise(
        (_MADE_BY, _TAKEN_FOR, _MODELS),
        shares,
        (
            (counts, "These are counts; divide each row by its sum."),
            (shares.T, "Rows and columns are exchanged."),
            (by_column.T, "Rows and columns are exchanged."),
            (by_column, "Each column adds up to 1; instead, each row should."),
            (counts / counts.sum(), "These are shares of all images, not of a row."),
        ),
        ("Rows are the models that made images, columns the models named.",),
    )


def _gain():
    difference = _WITH - _WITHOUT
    n = len(difference)
    mean, error = difference.mean(), difference.std(ddof=1) / n**0.5
    spread = np.hypot(_WITH.std(ddof=1), _WITHOUT.std(ddof=1)) / n**0.5

    def interval(half):
        return np.array([mean, mean - half, mean + half])

    half = student.ppf(0.975, n - 1)
    return Exercise(
        (_WITH, _WITHOUT),
        interval(half * error),
        (
            (interval(1.96 * error), "The factor of the normal distribution is too "
             "small for so few seeds; take that of Student's t."),
            (interval(half * error * n**0.5), "Divide the standard deviation by the "
             "root of the number of seeds."),
            (interval(half * spread), "Both have the same seeds: take the differences "
             "within each seed first."),
            (
                interval(half * error) - [2 * mean] * 3,
                "The sign is the other way round: it is what the artifact gains.",
            ),
        ),
        ("Work with the differences within each seed.",
         "The factor is scipy.stats.t.ppf(0.975, n − 1)."),
    )  # fmt: skip


EXERCISES = {
    "1.1": _nearest(),
    "1.2": _left_out(),
    "2.1": _spectral(),
    "2.2": _shared(),
    "3.1": _confusion(),
    "3.2": _gain(),
}
