"""How surely a design choice explains distances: its effect in resamples of the runs.

The unit is the run, a training from one random start: other images of the same runs
are no new evidence.
"""

import numpy as np
import pandas as pd

from .intervals import Interval


def effect_resamples(distances, factors, *, n_resamples=2000, seed=0):
    """What factors explain beyond chance, for the runs and for resamples of them.

    .. math::

        \\frac{\\text{share} - \\text{null}}{1 - \\text{null}}
        = 1 - \\frac{SS_{within} / (n - g)}{SS_{total} / (n - 1)}

    with n runs and g levels: levels that are assigned at random explain
    (g - 1) / (n - 1) on average, so that factors of any number of levels compare.

    Parameters
    ----------
    distances : (runs, runs) DataFrame
        From `energy_distances`.
    factors : dict of str to Series
        Levels of each factor, by run.  Runs that have the same levels are a design.
    n_resamples : int
    seed : int
        Two tables of distances of the same runs are given the same resamples.

    Returns
    -------
    (1 + n_resamples, factors) DataFrame
        Row 0 is of the runs themselves.

    Raises
    ------
    ValueError
        If a run has no distances, or no level of a factor has two runs.

    Notes
    -----
    Runs are drawn with replacement within each design; draws of one run alone are drawn
    again.  A run and its copy are no pair, or the runs of a level would seem nearer to
    each other than they are.  Resamples of few runs vary too little: they are spread
    out around row 0 by one over the root of the mean variance of the counts, which is
    1/2 in a design of three runs.  A design of two always gives both of its runs; if
    there are no larger ones, the resamples are NaN.

    Examples
    --------
    >>> x, runs = np.array([0.0, 1.0, 10.0, 11.0]), list("abcd")
    >>> distances = pd.DataFrame(abs(x[:, None] - x), runs, runs)
    >>> sides = {"side": pd.Series(["low", "low", "high", "high"], runs)}
    >>> effect_resamples(distances, sides, n_resamples=9).loc[0, "side"].round(3).item()
    0.985
    """
    table = pd.DataFrame(factors)
    missing = table.index.difference(distances.index)
    if len(missing):
        raise ValueError(
            f"run {missing[0]!r} has a level and no distances; give distances of all "
            "runs that have a level."
        )
    designs = table.groupby(list(table), sort=False, dropna=False).ngroup()
    counts = _drawn(designs, n_resamples, seed)
    variances = designs.map(_variance_of_a_count(designs.value_counts()))
    squares = np.square(distances.loc[table.index, table.index].to_numpy())
    return pd.DataFrame(
        {
            name: _spread(_beyond(squares, counts, levels), variances[levels.notna()])
            for name, levels in table.items()
        }
    )


def _drawn(designs, n_resamples, seed):
    """How often each run is drawn: an int array (1 + n_resamples, runs)."""
    rng = np.random.default_rng(seed)
    counts = np.ones((1 + n_resamples, len(designs)), dtype=int)
    for rows in designs.groupby(designs, sort=False).indices.values():
        n = len(rows)
        drawn = rng.multinomial(n, [1 / n] * n, size=n_resamples)
        while n > 1 and len(alone := np.flatnonzero(drawn.max(axis=1) == n)):
            drawn[alone] = rng.multinomial(n, [1 / n] * n, size=len(alone))
        counts[1:, rows] = drawn
    return counts


def _variance_of_a_count(n):
    """Of how often one of n runs is drawn, without draws of one run alone."""
    alone = np.where(n > 1, n ** (1.0 - n), 0)  # the probability of such a draw
    return (2 - 1 / n - alone * n) / (1 - alone) - 1


def _spread(found, variances):
    """Resamples around row 0, as far apart as those of counts of variance one."""
    mean = variances.mean()
    rest = (found[1:] - found[0]) / mean**0.5 if mean > 0 else np.nan * found[1:]
    return np.append(found[0], found[0] + rest)


def _beyond(squares, counts, levels):
    """What one factor explains beyond chance in every resample."""
    takes_part = levels.notna().to_numpy()
    counts, squares = counts[:, takes_part], squares[np.ix_(takes_part, takes_part)]
    codes = pd.factorize(levels[takes_part])[0]
    sizes = np.bincount(codes)
    n, g = len(codes), len(sizes)
    if n == g:
        raise ValueError(
            f"each of {g} levels of {levels.name!r} has one run, so that runs and "
            "levels cannot be told apart; give a level a second run."
        )
    within, total = 0.0, _pair_sums(counts, squares)
    for level, size in enumerate(sizes):
        part = counts * (codes == level)
        pairs = size**2 - np.square(part).sum(axis=1)  # of a run and another one
        sums = _pair_sums(part, squares)
        mean = sums / np.maximum(pairs, 1)
        within = within + (size - 1) * mean / (n - g)
        total = total + size * (size - 1) * mean - sums
    total = total / (n * (n - 1))
    return np.where(total > 0, 1 - within / np.where(total > 0, total, 1), 0.0)


def _pair_sums(counts, squares):
    return ((counts @ squares) * counts).sum(axis=1)


def effect_interval(resamples, n, *, confidence=0.95):
    """An effect, or a difference of two, with its interval over runs.

    Parameters
    ----------
    resamples : (1 + n_resamples,) array
        A column of `effect_resamples`, the mean of several or their difference.
    n : int
        Runs behind it.
    confidence : float

    Returns
    -------
    Interval
        By percentiles; nothing explains more than all, so that it ends at 1.

    Examples
    --------
    >>> effect_interval([0.5, 0.3, 0.6, 0.7, 1.2], 12)[:4]
    (0.5, 0.3225, 1.0, 12)
    """
    value, *drawn = np.asarray(resamples, dtype=float)
    low, high = np.quantile(drawn, [(1 - confidence) / 2, (1 + confidence) / 2])
    low, high, sd = float(low), min(float(high), 1.0), float(np.std(drawn))
    return Interval(float(value), low, high, n, sd, confidence)
