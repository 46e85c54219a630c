"""Does a design choice change a fingerprint by more than another random start does?"""

from math import factorial, prod
from typing import NamedTuple

import numpy as np
import pandas as pd
from sklearn.metrics import pairwise_distances

from .checks import check_features


class Effect(NamedTuple):
    """Result of `permutation_anova`.

    Attributes
    ----------
    statistic : float
        Pseudo-F; for n objects in g groups that do not differ, it is (n - g) / (n - g -
        2) in expectation if distances are those of normal features.
    share : float
        Share of the sum of squared distances that lies between groups; in 0..1.
    null_share : float
        Mean of the share over the permutations.
    p_value : float
        From a sample of permutations, but not below the smallest p-value that all
        permutations together allow.
    n_permutations : int
    """

    statistic: float
    share: float
    null_share: float
    p_value: float
    n_permutations: int


def energy_distances(features, groups):
    """Energy distance between the features of every two groups.

    .. math::

        D^2(A, B) = 2 E|a - b| - E|a - a'| - E|b - b'|

    where every expectation is over pairs of *distinct* images, so that two samples of
    one distribution have a distance around zero whatever their size.  A negative
    estimate of the square counts as zero.

    Parameters
    ----------
    features : (n, d) array
    groups : (n,) array
        Group of every row, at least two rows each.

    Returns
    -------
    pandas.DataFrame
        Symmetric, with a zero diagonal; in units of the square root of a distance.

    Raises
    ------
    ValueError
        If the features are not finite, lengths differ, or a group has one row.

    References
    ----------
    Székely & Rizzo, Energy statistics, JSPI 2013.

    Examples
    --------
    >>> x = np.r_[np.zeros((3, 1)), np.full((3, 1), 2.0)]
    >>> energy_distances(x, list("aaabbb")).loc["a", "b"].item()
    2.0
    """
    x = check_features(features, "features")
    names, codes, counts = _check_groups(x, groups)
    members = np.eye(len(names))[codes]
    sums = members.T @ pairwise_distances(x) @ members
    pairs = np.outer(counts, counts) - np.diag(counts)
    means = sums / pairs
    within = np.diag(means)
    squares = means + means.T - (within[:, None] + within)
    np.fill_diagonal(squares, 0.0)
    return pd.DataFrame(np.sqrt(squares.clip(0)), index=names, columns=names)


def _check_groups(x, groups):
    groups = np.asarray(groups)
    if groups.shape != (len(x),):
        raise ValueError(
            f"groups must be ({len(x)},), one per row of features, got {groups.shape}."
        )
    names, codes, counts = np.unique(groups, return_inverse=True, return_counts=True)
    if counts.min() < 2:
        raise ValueError(
            f"group {names[counts.argmin()].item()!r} has one row; give it two or more."
        )
    return names, codes, counts


def permutation_anova(distances, groups, *, n_permutations=999, seed=0):
    """Test whether objects of one group are nearer to each other than to other objects.

    .. math::

        F = \\frac{SS_{between} / (g - 1)}{SS_{within} / (n - g)}

    with sums of squared distances, divided by the size of the group (Anderson 2001).
    The null assigns the groups to the objects at random.  If the objects are numbers, F
    is that of the analysis of variance.

    Parameters
    ----------
    distances : (n, n) array
        Symmetric, with a zero diagonal.
    groups : (n,) array
        At least two groups, one of them with two objects or more.
    n_permutations : int
    seed : int

    Returns
    -------
    Effect

    Raises
    ------
    ValueError
        If `distances` is not symmetric with a zero diagonal, lengths differ, or all
        groups are of one object or all objects in one group.

    References
    ----------
    Anderson, A new method for non-parametric multivariate analysis of variance,
    Austral Ecology 2001.

    Examples
    --------
    >>> x = np.array([0.0, 1.0, 10.0, 11.0])
    >>> effect = permutation_anova(abs(x[:, None] - x), list("aabb"))
    >>> round(effect.statistic), round(effect.p_value, 1)
    (200, 0.3)
    """
    squares = np.square(_check_distances(distances))
    codes, sizes = _check_objects(groups, len(squares))
    rng = np.random.default_rng(seed)
    dealt = [rng.permutation(codes) for _ in range(n_permutations)]
    total = squares.sum() / 2 / len(squares)
    within = np.array([_within(squares, c, sizes) for c in [codes, *dealt]])
    share = 1 - within / total if total else np.zeros(len(within))
    freedom = (len(codes) - len(sizes)) / (len(sizes) - 1)
    rest = 1 - share[0]
    return Effect(
        statistic=float(freedom * share[0] / rest) if rest else np.inf,
        share=float(share[0]),
        null_share=float(share[1:].mean()) if n_permutations else np.nan,
        # A sample of assignments may hold too few that equal the true one.
        p_value=max(float(np.mean(share >= share[0] - 1e-12)), smallest_p_value(sizes)),
        n_permutations=n_permutations,
    )


def _within(squares, codes, sizes):
    """Sum over the groups of squared distances between members, over group size."""
    members = np.eye(len(sizes))[codes]
    return (np.einsum("ig,ij,jg->g", members, squares, members) / 2 / sizes).sum()


def factor_effects(features, runs, levels, *, n_permutations=999, seed=0):
    """Effect of one design factor, with the runs of a level as repetitions.

    Parameters
    ----------
    features : (n, d) array
        Features, for instance artifacts.
    runs : (n,) array
        Run of every row.  Rows of runs that are not in `levels` are left out.
    levels : pandas.Series
        Level of the factor, by run.
    n_permutations : int
        Number of random assignments of levels to runs.
    seed : int

    Returns
    -------
    pandas.Series
        `n_levels`, `n_runs`; `between` and `within`, the mean energy distance of two
        runs of different levels and of the same level; `ratio` of the two; `share`,
        `null_share` and `p_value` of `permutation_anova`; and `smallest_p`, below which
        `p_value` cannot fall.

    Raises
    ------
    ValueError
        As `energy_distances` and `permutation_anova`.

    Examples
    --------
    >>> x, runs = np.array([[0.0], [0], [1], [1], [9], [9], [8], [8]]), list("aabbccdd")
    >>> levels = pd.Series(["low", "low", "high", "high"], index=list("abcd"))
    >>> factor_effects(x, runs, levels)[["between", "within"]].round(1).tolist()
    [4.0, 1.4]
    """
    kept = np.isin(runs, levels.index)
    distances = energy_distances(np.asarray(features)[kept], np.asarray(runs)[kept])
    groups = levels.loc[distances.index].to_numpy()
    effect = permutation_anova(
        distances, groups, n_permutations=n_permutations, seed=seed
    )
    alike = groups[:, None] == groups
    pairs, d = ~np.eye(len(groups), dtype=bool), distances.to_numpy()
    between, within = d[~alike].mean(), d[alike & pairs].mean()
    sizes = np.unique(groups, return_counts=True)[1]
    found = {
        "n_levels": len(sizes),
        "n_runs": len(groups),
        "between": between,
        "within": within,
        "ratio": between / within if within else np.inf,
        "share": effect.share,
        "null_share": effect.null_share,
        "p_value": effect.p_value,
        "smallest_p": smallest_p_value(sizes),
    }
    return pd.Series(found)


def smallest_p_value(sizes):
    """One over the number of different ways to assign objects to groups.

    Parameters
    ----------
    sizes : sequence of int
        Objects in each group.

    Returns
    -------
    float
        Groups of equal size count as interchangeable.

    Examples
    --------
    >>> smallest_p_value([3, 3])
    0.1
    """
    alike = prod(factorial(int(n)) for n in np.unique(sizes, return_counts=True)[1])
    return alike * prod(factorial(int(n)) for n in sizes) / factorial(int(sum(sizes)))


def beyond_chance(value, null):
    """How far a share of agreement lies above chance, relative to what is possible.

    .. math::

        \\frac{\\text{value} - \\text{null}}{1 - \\text{null}}

    The more levels a factor has, the higher is its null, and the less is left up to 1.
    So differences from the null cannot be compared between factors, but these quotients
    can.

    Parameters
    ----------
    value, null : float or array
        A share, such as that of `permutation_anova` or a normalised mutual information,
        and its mean over random assignments.

    Returns
    -------
    float64 or array
        On average 0 by chance, 1 at full agreement, below 0 for less than chance; 0
        where chance alone gives full agreement.

    Examples
    --------
    >>> beyond_chance([0.5, 1.0, 1.0], [0.5, 0.5, 1.0])
    array([0., 1., 0.])
    """
    value, null = (np.asarray(x, dtype=float) for x in (value, null))
    room = 1 - null
    is_open = room > 1e-9
    return np.where(is_open, (value - null) / np.where(is_open, room, 1), 0.0)[()]


def _check_distances(distances):
    d = check_features(distances, "distances")
    if d.shape[0] != d.shape[1] or not np.allclose(d, d.T) or np.diag(d).any():
        raise ValueError(
            f"distances must be (n, n), symmetric, with a zero diagonal; got {d.shape}."
        )
    return d


def _check_objects(groups, n):
    groups = np.asarray(groups)
    if groups.shape != (n,):
        raise ValueError(f"groups must be ({n},), one per object, got {groups.shape}.")
    _, codes, sizes = np.unique(groups, return_inverse=True, return_counts=True)
    if not 1 < len(sizes) < n:
        raise ValueError(
            f"{n} objects in {len(sizes)} groups leave nothing to compare; give at "
            "least two groups, one of them with two objects."
        )
    return codes, sizes
