"""Conformal prediction: answers that may be several classes, or none.

A classifier always names a class.  Images that took no part in its training tell how
typical a score is for images of each class; a new image then gets a p-value per class
and, at a chosen coverage, the set of classes that cannot be ruled out (Vovk et al.
2005).  If new images and calibration images are exchangeable, the set holds the true
class at least as often as promised, whatever the classifier.
"""

import math

import numpy as np


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
