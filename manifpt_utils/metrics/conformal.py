"""Conformal prediction: the answer can be one class, several classes, or none.

A classifier always names a class.  Calibration images, which took no part in its
training, tell how typical a score is for images of each class.  A new image then gets a
p-value per class and, at a chosen coverage, the set of classes that cannot be ruled out
(Vovk et al. 2005).  If new images and calibration images are exchangeable, the set
holds the true class at least as often as promised, whatever the classifier.
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
        Scores of new images for every class; the higher, the more typical.
    calibration : (m,) array
        Scores of the calibration images, each for its true class.
    labels : (m,) int array
        True classes of the calibration images, as columns of `scores`.

    Returns
    -------
    (n, c) float array
        Above 0 and at most 1.  For an image of class k, `p[:, k] <= a` has a
        probability of at most a.

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
            f"classes {missing} have no calibration image; hold out some of each class."
        )


def prediction_sets(p, *, coverage=0.9):
    """The classes that cannot be ruled out.

    Parameters
    ----------
    p : (n, c) array
        From `p_values`.
    coverage : float
        The share of images whose set is to hold the true class, between 0 and 1.

    Returns
    -------
    (n, c) bool array
        A row without a class means that the image is like none of the classes.

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
    # Rounded, because 1 - 0.9 is a little less than 0.1, a p-value of one in ten.
    return np.asarray(p, dtype=float) > round(1 - coverage, 12)


def check_coverage(coverage):
    """Refuse a coverage that is not a share."""
    if not 0 < coverage < 1:
        raise ValueError(
            f"coverage must be between 0 and 1, got {coverage}; 0.9 asks for sets "
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
    """Shares of covered images by chance alone: the mean and both ends of a range."""

    mean: float
    low: float
    high: float


def coverage_range(n_calibration, n_test, *, classes=1, coverage=0.9, confidence=0.95):
    """The range of the share of covered test images if only chance is at work.

    For exchangeable images without equal scores, the number of covered images of one
    class has a beta-binomial distribution, because all test images share one
    calibration set.

    Parameters
    ----------
    n_calibration, n_test : int
        Images per class.
    classes : int
        Number of classes; the share is over the test images of all of them.
    coverage, confidence : float
        The promised coverage, and the share of calibrations whose result is in the
        range.

    Returns
    -------
    CoverageRange
        The mean is a little above `coverage`, because p-values come in steps.

    Raises
    ------
    ValueError
        If a number is below 1, or a share is not between 0 and 1.

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
    ranks = n_calibration + 1  # a new image has each rank equally often
    ruled_out = math.floor(round((1 - coverage) * ranks, 9))
    if not ruled_out:
        return CoverageRange(1.0, 1.0, 1.0)
    one = betabinom(n_test, ranks - ruled_out, ruled_out).pmf(np.arange(n_test + 1))
    total = np.cumsum(reduce(np.convolve, [one] * classes))
    ends = np.searchsorted(total, [(1 - confidence) / 2, (1 + confidence) / 2])
    low, high = (float(end / (classes * n_test)) for end in ends)
    return CoverageRange(1 - ruled_out / ranks, low, high)
