"""How well a score tells images of known sources from those of unknown ones.

A high score means that an image seems to be from a known source.  An image is accepted
if its score reaches a threshold; below it, the answer is "none of these".  A false
positive is an accepted image of an unknown source.
"""

from typing import NamedTuple

import numpy as np
from sklearn.metrics import roc_auc_score, roc_curve


class OpenSetCurve(NamedTuple):
    """The effect of every threshold, from the strictest to the most lenient.

    Attributes
    ----------
    threshold : (t,) float array
        Images with at least this score are accepted; the first threshold accepts none.
    false_positive : (t,) float array
        Share of the unknown images that are accepted.
    correct : (t,) float array
        Share of the known images that are accepted and named correctly.
    """

    threshold: np.ndarray
    false_positive: np.ndarray
    correct: np.ndarray

    def correct_at(self, fpr):
        """The largest share named correctly with at most this share of false positives.

        Examples
        --------
        >>> open_set_curve([0.9, 0.4], [True, True], [0.5]).correct_at(0.05)
        0.5
        """
        return float(self.correct[self.false_positive <= fpr].max())


def auroc(known, unknown):
    """Area under the ROC curve of known against unknown images.

    .. math::

        P(s_{known} > s_{unknown}) + \\tfrac12 P(s_{known} = s_{unknown})

    Parameters
    ----------
    known, unknown : (n,), (m,) array
        Scores, high for known.

    Returns
    -------
    float
        1 if every known image has a higher score than every unknown one; 0.5 for a
        score without information.

    Raises
    ------
    ValueError
        If a set is empty or not one-dimensional, or a score is not finite.

    Examples
    --------
    >>> round(auroc([0.9, 0.8, 0.4], [0.5, 0.1]), 3)
    0.833
    """
    return float(roc_auc_score(*_labelled(known, unknown)))


def tpr_at_fpr(known, unknown, *, fpr=0.05):
    """Share of the known images that are accepted if few unknown ones may be.

    Parameters
    ----------
    known, unknown : (n,), (m,) array
        Scores, high for known.
    fpr : float
        Largest share of the unknown images that may be accepted, from 0 to 1.

    Returns
    -------
    float
        The largest share over all thresholds that keep to `fpr`; images of equal score
        are accepted together.  A score without information gives about `fpr`.

    Raises
    ------
    ValueError
        As for `auroc`, or if `fpr` is not a share.

    Examples
    --------
    >>> tpr_at_fpr([0.9, 0.8, 0.4], [0.5, 0.1])
    0.6666666666666666
    """
    if not 0 <= fpr <= 1:
        raise ValueError(
            f"fpr must be a share from 0 to 1, got {fpr}; 0.05 lets one unknown image "
            "in twenty pass."
        )
    false_positive, true_positive, _ = _roc(known, unknown)
    return float(true_positive[false_positive <= fpr].max())


def oscr(known_scores, known_correct, unknown_scores):
    """Area under the curve of correct classification against false positives (OSCR).

    Parameters
    ----------
    known_scores : (n,) array
        Scores of known images; high means known.
    known_correct : (n,) bool array
        Whether the known image is named correctly.
    unknown_scores : (m,) array

    Returns
    -------
    float
        At most the accuracy on known images, which is reached if every correctly named
        image has a higher score than every unknown one.  A score without information
        gives half the accuracy.

    Raises
    ------
    ValueError
        As for `open_set_curve`.

    References
    ----------
    Dhamija et al., Reducing network agnostophobia, NeurIPS 2018.

    Examples
    --------
    >>> oscr([0.9, 0.8, 0.4], [True, False, True], [0.5, 0.1])
    0.5
    """
    curve = open_set_curve(known_scores, known_correct, unknown_scores)
    return float(np.trapezoid(curve.correct, curve.false_positive))


def open_set_curve(known_scores, known_correct, unknown_scores):
    """Correct classification and false positives at every threshold.

    Parameters
    ----------
    known_scores : (n,) array
    known_correct : (n,) bool array
    unknown_scores : (m,) array

    Returns
    -------
    OpenSetCurve

    Raises
    ------
    ValueError
        If a set is empty or not one-dimensional, a score is not finite, or
        `known_correct` is not a bool for every known image.

    Examples
    --------
    >>> curve = open_set_curve([0.9, 0.4], [True, True], [0.5])
    >>> curve.false_positive.tolist(), curve.correct.tolist()
    ([0.0, 0.0, 1.0, 1.0], [0.0, 0.5, 0.5, 1.0])
    """
    known, right = np.asarray(known_scores, dtype=float), np.asarray(known_correct)
    if right.dtype != bool or right.shape != known.shape:
        raise ValueError(
            f"known_correct must say True or False for each of {known.shape} scores, "
            f"got {right.dtype} {right.shape}."
        )
    _labelled(known, unknown_scores)  # refuses invalid scores
    if not right.any():
        ends = np.array([0.0, 1.0])
        return OpenSetCurve(np.array([np.inf, -np.inf]), ends, np.zeros(2))
    # Known images that are named incorrectly count on neither axis.
    false_positive, true_positive, threshold = _roc(known[right], unknown_scores)
    return OpenSetCurve(threshold, false_positive, true_positive * right.mean())


def _roc(known, unknown):
    return roc_curve(*_labelled(known, unknown), drop_intermediate=False)


def _labelled(known, unknown):
    """Whether each image is known, and the scores of all."""
    parts = {"known": known, "unknown": unknown}
    parts = {name: np.asarray(x, dtype=float) for name, x in parts.items()}
    for name, x in parts.items():
        if x.ndim != 1 or not len(x):
            raise ValueError(
                f"the {name} scores must be (n,) with at least one image, got "
                f"{x.shape}."
            )
        if not np.isfinite(x).all():
            raise ValueError(
                f"{np.count_nonzero(~np.isfinite(x))} of the {name} scores are NaN or "
                "infinite; remove these images first."
            )
    known, unknown = parts.values()
    return np.r_[np.ones(len(known)), np.zeros(len(unknown))], np.r_[known, unknown]
