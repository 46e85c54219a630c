"""Conformal prediction: answers that may be several classes, or none.

A classifier always names a class.  Images that took no part in its training tell how
typical a score is for images of each class; a new image then gets a p-value per class
and, at a chosen coverage, the set of classes that cannot be ruled out (Vovk et al.
2005).  If new images and calibration images are exchangeable, the set holds the true
class at least as often as promised, whatever the classifier.
"""

import math
from functools import reduce
from typing import NamedTuple

import numpy as np
from scipy.stats import betabinom


def p_values(scores, calibration, labels):
    """How typical each image is for each class.

    .. math::

        p_{ik} = \\frac{1 + |\\{j : y_j = k,\\; s_j \\le s_{ik}\\}|}{1 + n_k}

    Parameters
    ----------
    scores : (n, c) array
        Of new images for every class; the higher, the more typical.
    calibration : (m,) array
        Of other images, each for its true class.
    labels : (m,) int array
        The true classes of these, as columns of `scores`.

    Returns
    -------
    (n, c) float array
        Above 0 and at most 1.  Over images of class k, `p[:, k] <= a` happens with a
        chance of at most a.

    Raises
    ------
    ValueError
        If shapes do not fit, a score is not finite, or a class has no calibration
        image.

    Examples
    --------
    >>> p_values([[0.9, 0.1]], [0.8, 0.7, 0.6, 0.2], [0, 0, 1, 1])
    array([[1.        , 0.33333333]])
    """
    scores = np.asarray(scores, dtype=float)
    known, labels = np.asarray(calibration, dtype=float), np.asarray(labels)
    _check(scores, known, labels)
    columns = [_ranks(scores[:, k], known[labels == k]) for k in range(scores.shape[1])]
    return np.stack(columns, axis=1)


def _ranks(scores, known):
    """p-values for one class."""
    below = np.searchsorted(np.sort(known), scores, side="right")
    return (1 + below) / (1 + len(known))


def _check(scores, known, labels):
    if scores.ndim != 2 or known.ndim != 1 or known.shape != labels.shape:
        raise ValueError(
            "scores must be (n, c), calibration and labels (m,), got "
            f"{scores.shape}, {known.shape} and {labels.shape}."
        )
    if not (np.isfinite(scores).all() and np.isfinite(known).all()):
        raise ValueError("scores hold NaN or infinity; remove these images first.")
    missing = sorted(set(range(scores.shape[1])) - set(labels.tolist()))
    if missing:
        raise ValueError(
            f"classes {missing} have no calibration image; hold out some of each."
        )


def prediction_sets(p, *, coverage=0.9):
    """The classes that cannot be ruled out.

    Parameters
    ----------
    p : (n, c) array
        From `p_values`.
    coverage : float
        The share of images whose set is to hold their true class, between 0 and 1.

    Returns
    -------
    (n, c) bool array
        A row without a class means that the image is like none of them.

    Raises
    ------
    ValueError
        If the coverage is not between 0 and 1.

    Examples
    --------
    >>> prediction_sets([[0.5, 0.04], [0.02, 0.01]], coverage=0.9)
    array([[ True, False],
           [False, False]])
    """
    check_coverage(coverage)
    # Rounded, for 1 - 0.9 is a little less than the p-value of one in ten.
    return np.asarray(p, dtype=float) > round(1 - coverage, 12)


def check_coverage(coverage):
    """Refuse a coverage that is no share."""
    if not 0 < coverage < 1:
        raise ValueError(
            f"coverage must lie between 0 and 1, got {coverage}; 0.9 asks for sets "
            "that hold the true class nine times in ten."
        )


def least_calibration(coverage):
    """Calibration images per class below which no class can ever be ruled out.

    Examples
    --------
    >>> least_calibration(0.9), least_calibration(0.95)
    (9, 19)
    """
    check_coverage(coverage)
    return math.ceil(round(1 / (1 - coverage), 9)) - 1


class CoverageRange(NamedTuple):
    """Shares of covered images that chance alone gives, mean and both ends."""

    mean: float
    low: float
    high: float


def coverage_range(n_calibration, n_test, *, classes=1, coverage=0.9, confidence=0.95):
    """Where the share of covered test images lies if nothing but chance is at work.

    For exchangeable images without equal scores, the number of covered images of one
    class is beta-binomial: one calibration set may be lucky for all that follow.

    Parameters
    ----------
    n_calibration, n_test : int
        Images per class.
    classes : int
        The share is that of all their test images together.
    coverage, confidence : float
        Promised coverage, and share of the calibrations that stay in the range.

    Returns
    -------
    CoverageRange
        The mean is a little above `coverage`, because p-values come in steps.

    Raises
    ------
    ValueError
        If a number is below 1, or a share is none.

    References
    ----------
    Vovk, Conditional validity of inductive conformal predictors, ACML 2012.

    Examples
    --------
    >>> found = coverage_range(99, 100)
    >>> round(found.mean, 3), found.low, found.high
    (0.9, 0.81, 0.97)
    """
    check_coverage(coverage)
    if min(n_calibration, n_test, classes) < 1 or not 0 < confidence < 1:
        raise ValueError(
            "there must be images and classes, and a confidence between 0 and 1, got "
            f"{n_calibration}, {n_test}, {classes} and {confidence}."
        )
    ranks = n_calibration + 1  # a new image takes each of them equally often
    ruled_out = math.floor(round((1 - coverage) * ranks, 9))
    if not ruled_out:
        return CoverageRange(1.0, 1.0, 1.0)
    one = betabinom(n_test, ranks - ruled_out, ruled_out).pmf(np.arange(n_test + 1))
    total = np.cumsum(reduce(np.convolve, [one] * classes))
    ends = np.searchsorted(total, [(1 - confidence) / 2, (1 + confidence) / 2])
    low, high = (float(end / (classes * n_test)) for end in ends)
    return CoverageRange(1 - ruled_out / ranks, low, high)
