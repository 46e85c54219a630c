"""Means of a few repetitions with their intervals, and comparisons of methods.

A score is measured once per random start or per model.  As there are few repetitions,
the interval of their mean is Student's.  Two methods that share the repetitions are
compared by their differences within each repetition.
"""

from typing import NamedTuple

import numpy as np
import pandas as pd
from scipy.stats import t as student


class Interval(NamedTuple):
    """A mean with its interval; ends are NaN if there are too few repetitions."""

    mean: float
    low: float
    high: float
    n: int
    sd: float
    confidence: float = 0.95

    @property
    def sign(self):
        """1 if the interval lies above zero, -1 if below zero, else 0.

        Examples
        --------
        >>> mean_interval([1, 2, 3]).sign, mean_interval([4, 5, 6]).sign
        (0, 1)
        """
        return int(self.low > 0) - int(self.high < 0)


def mean_interval(values, *, confidence=0.95):
    """Mean, Student's interval, count and standard deviation of some values.

    Parameters
    ----------
    values : (n,) array
        NaN is left out and does not count.
    confidence : float
        Between 0 and 1.

    Returns
    -------
    Interval
        One value gives a mean without an interval; no value gives neither.

    Raises
    ------
    ValueError
        If the values are not one-dimensional or the confidence is impossible.

    Examples
    --------
    >>> found = mean_interval([0.5, 0.6, 0.7])
    >>> round(found.mean, 3), round(found.low, 3), round(found.high, 3), found.n
    (0.6, 0.352, 0.848, 3)
    """
    x = _known(values)
    if not 0 < confidence < 1:
        raise ValueError(
            f"confidence must be between 0 and 1, got {confidence}; 0.95 is usual."
        )
    nan = float("nan")
    if not len(x):
        return Interval(nan, nan, nan, 0, nan, confidence)
    mean = float(x.mean())
    if len(x) == 1:
        return Interval(mean, nan, nan, 1, nan, confidence)
    sd = _deviation(x)
    half = student.ppf((1 + confidence) / 2, len(x) - 1) * sd / len(x) ** 0.5
    return Interval(
        mean, float(mean - half), float(mean + half), len(x), sd, confidence
    )


def share_interval(shares, *, confidence=0.95):
    """The same for shares: no mean of shares lies outside 0 to 1, nor its interval.

    Parameters
    ----------
    shares : (n,) array
        Between 0 and 1; NaN is left out, and counts as no value.
    confidence : float

    Returns
    -------
    Interval
        Student's, cut off at 0 and 1, which costs it no confidence.

    Raises
    ------
    ValueError
        If a value is no share.

    Examples
    --------
    >>> found = share_interval([0.9, 1.0, 1.0])
    >>> round(found.mean, 3), round(found.low, 3), found.high
    (0.967, 0.823, 1.0)
    """
    x = _known(shares)
    # What was summed in another order may miss a bound by rounding.
    if len(x) and not (x.min() >= -1e-9 and x.max() <= 1 + 1e-9):
        raise ValueError(
            f"shares lie between 0 and 1, got {x.min():g} to {x.max():g}; for other "
            "values take mean_interval."
        )
    found = mean_interval(x, confidence=confidence)
    low, high = np.clip([found.low, found.high], 0, 1).tolist()
    return found._replace(low=low, high=high)


def paired_difference(a, b, *, confidence=0.95):
    """Interval of the mean of a - b over pairs; a pair without a value is left out.

    Parameters
    ----------
    a, b : (n,) array or Series
        Scores of two methods in the same repetitions, in the same order.
    confidence : float

    Returns
    -------
    Interval

    Raises
    ------
    ValueError
        If the two differ in length or, as Series, in their index.

    Examples
    --------
    >>> paired_difference([0.5, 0.7], [0.4, 0.6]).sign
    1
    """
    if all(isinstance(x, pd.Series) for x in (a, b)) and not a.index.equals(b.index):
        raise ValueError(
            "the two have different indices, so they do not form pairs; reindex one "
            "like the other."
        )
    x, y = (np.asarray(values, dtype=float) for values in (a, b))
    if x.shape != y.shape:
        raise ValueError(f"{x.shape} and {y.shape} values make no pairs.")
    return mean_interval(x - y, confidence=confidence)


def leaders(scores, *, confidence=0.95, highest=True):
    """The best method, then those that are not distinguishable from it.

    Parameters
    ----------
    scores : (methods, repetitions) DataFrame
        The repetitions are the same for all methods; missing ones are NaN.
    confidence : float
    highest : bool
        Whether a high score is good.

    Returns
    -------
    list
        Index entries.  A method that shares fewer than two repetitions with the best
        one counts as not distinguishable from it.

    Examples
    --------
    >>> leaders(pd.DataFrame({1: [0.9, 0.8, 0.2], 2: [0.8, 0.9, 0.1]}, list("abc")))
    ['a', 'b']
    """
    means = (
        scores.mean(axis=1).dropna().sort_values(ascending=not highest, kind="stable")
    )
    if means.empty:
        return []
    best = scores.loc[means.index[0]]
    gaps = {
        name: paired_difference(scores.loc[name], best, confidence=confidence)
        for name in means.index
    }
    return [name for name, gap in gaps.items() if gap.sign == 0]


def chosen_elsewhere(scores):
    """Scores of what is best on the other tests, test by test.

    Parameters
    ----------
    scores : (methods, tests) DataFrame
        A method that lacks a score is never chosen.

    Returns
    -------
    Series
        One score per test, in whose choice the test had no part; NaN where there is no
        other test, or no method.

    Examples
    --------
    >>> columns = ["coffee", "flower", "china"]
    >>> scores = pd.DataFrame([[0.5, 0.6, 0.7], [0.7, 0.5, 0.9]], columns=columns)
    >>> chosen_elsewhere(scores).tolist()
    [0.7, 0.5, 0.9]
    """
    known = scores.dropna()
    if known.empty or len(known.columns) < 2:
        return pd.Series(np.nan, scores.columns)
    means = {test: known.drop(columns=test).mean(axis=1) for test in known}
    return pd.Series({t: known.at[mean.idxmax(), t] for t, mean in means.items()})


def t_test(values):
    """Two-sided p-value of the hypothesis that the mean is zero; NaN below two values.

    Examples
    --------
    >>> round(t_test([0.5, 0.6, 0.7]), 4)
    0.0091
    """
    x = _known(values)
    if len(x) < 2:
        return float("nan")
    sd = _deviation(x)
    if sd == 0:
        return 0.0 if x.any() else 1.0
    return float(2 * student.sf(abs(x.mean()) / sd * len(x) ** 0.5, len(x) - 1))


def holm(p_values):
    """P-values corrected for their number by Holm's method.

    Parameters
    ----------
    p_values : (n,) array
        NaN stands for no test: it stays NaN and does not count.

    Returns
    -------
    (n,) array

    Raises
    ------
    ValueError
        If a value is not a probability.

    Examples
    --------
    >>> holm([0.01, 0.04, 0.03]).round(3)
    array([0.03, 0.06, 0.06])
    """
    p = np.array(p_values, dtype=float)
    known = np.flatnonzero(~np.isnan(p))
    if not ((p[known] >= 0) & (p[known] <= 1)).all():
        raise ValueError(f"p-values must be between 0 and 1, got {p.tolist()}.")
    order = known[np.argsort(p[known], kind="stable")]
    weighted = p[order] * np.arange(len(order), 0, -1)
    p[order] = np.minimum(np.maximum.accumulate(weighted), 1)
    return p


def _known(values):
    x = np.asarray(values, dtype=float)
    if x.ndim != 1:
        raise ValueError(f"values must be one-dimensional, got {x.shape}.")
    return x[~np.isnan(x)]


def _deviation(x):
    """Standard deviation, exactly zero if all values are the same."""
    return float(np.std(x, ddof=1)) if np.ptp(x) else 0.0
