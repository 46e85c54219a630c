"""Statements about distributions, checked on supports and on finite samples.

The paper's eqs. 4 to 18 are about supports.  A statement about supports is checked case
by case (`implication`).  On finite samples, the check is whether the violation of the
statement falls as the samples grow (`limit`); the laws of that fall are here as well.
"""

import numpy as np
from scipy.special import gamma
from sklearn.metrics import pairwise_distances_argmin, pairwise_distances_chunked

from .checks import check_features, check_pair, precision_of
from .intervals import mean_interval, paired_difference

HOLDS, IN_THE_LIMIT, FAILS, OPEN = "holds", "holds in the limit", "fails", "open"
ONE_WAY = "one direction only"


def nearest_distances(x, reference, *, sizes=None):
    """Distances from every point to the nearest point of growing parts of a reference.

    Parameters
    ----------
    x : (n, d) array
    reference : (m, d) array
    sizes : sequence of int, optional
        How many of the first rows of the reference are used; by default all.

    Returns
    -------
    (n,) array, or (sizes, n) array
        Exactly zero for a point that is in the reference.

    Raises
    ------
    ValueError
        If the arrays are not features of one dimension, or a size is not in 1..m.

    Examples
    --------
    >>> nearest_distances([[0.0], [5.0]], [[1.0], [5.0]], sizes=[1, 2])
    array([[1., 4.],
           [1., 0.]])
    """
    x, reference = check_pair(x, reference, dtype=precision_of(x, reference))
    every = [len(reference)] if sizes is None else list(sizes)
    if not all(1 <= size <= len(reference) for size in every):
        raise ValueError(
            f"sizes must be in 1..{len(reference)}, the rows of the reference, got "
            f"{every}."
        )
    order = sorted(set(every))
    found, best = {}, np.full(len(x), np.inf)
    for start, stop in zip([0, *order], order, strict=False):
        part = reference[start:stop]
        near = part[pairwise_distances_argmin(x, part)]
        best = found[stop] = np.minimum(best, np.linalg.norm(x - near, axis=1))
    return best if sizes is None else np.stack([found[size] for size in every])


def ball_radii(x, *, k):
    """Distance from every point to its k-th neighbour, the point itself not counted.

    Parameters
    ----------
    x : (n, d) array
    k : int
        Below n.

    Returns
    -------
    (n,) array

    Examples
    --------
    >>> ball_radii([[0.0], [1.0], [3.0]], k=2)
    array([3., 2., 3.])
    """
    x = check_features(x, "the set", dtype=precision_of(x))
    if not 1 <= k < len(x):
        raise ValueError(f"k must be in 1..{len(x) - 1} for {len(x)} points, got {k}.")
    parts = pairwise_distances_chunked(x)
    return np.concatenate([np.partition(part, k, axis=1)[:, k] for part in parts])


def expected_nearest_distance(n, volumes, *, dimension):
    """Mean distance from a random real point to the nearest of n others, for large n.

    .. math::

        E ||a|| \\approx \\Gamma(1 + 1/m) \\; (n \\omega_m)^{-1/m} \\; E[p(x)^{-1/m}]

    with the density p on a manifold of dimension m, and the volume :math:`\\omega_m` of
    the unit ball.

    Parameters
    ----------
    n : int or array
    volumes : (k,) array
        1 / p at random real points.
    dimension : int

    Returns
    -------
    float or array

    References
    ----------
    Percus & Martin, Scaling universalities of kth-nearest neighbor distances on closed
    manifolds, Advances in Applied Mathematics 1998.

    Examples
    --------
    >>> found = expected_nearest_distance([100, 200], [2 * np.pi], dimension=1)
    >>> (found / np.pi).round(6)
    array([0.01 , 0.005])
    """
    m = dimension
    ball = np.pi ** (m / 2) / gamma(m / 2 + 1)
    spread = np.mean(np.asarray(volumes, dtype=float) ** (1 / m))
    return gamma(1 + 1 / m) * (np.asarray(n) * ball) ** (-1 / m) * spread


def uncovered_on_a_line(k):
    """Share of a line that is in no k-nearest-neighbour ball of random points on it.

    A point lies outside if the k neighbours of the points to its left and to its right
    are all nearer than it is: each happens with probability 1 / 2**k, whatever the
    number of points.

    Examples
    --------
    >>> uncovered_on_a_line(1), uncovered_on_a_line(3)
    (0.25, 0.015625)
    """
    return 0.25**k


def exponent(sizes, values):
    """Slope of log value against log size, with an interval over repetitions.

    Parameters
    ----------
    sizes : (k,) array
    values : (repetitions, k) array
        Positive; a repetition with a value of zero or below has no slope.

    Returns
    -------
    Interval

    Examples
    --------
    >>> found = exponent([1, 2, 4], [[8, 4, 2], [4, 2, 1]])
    >>> round(found.mean, 6), found.n
    (-1.0, 2)
    """
    x, y = np.log(np.asarray(sizes, dtype=float)), np.asarray(values, dtype=float)
    if y.shape[1:] != x.shape:
        raise ValueError(f"{x.shape} sizes do not fit values of shape {y.shape}.")
    if np.ptp(x) == 0:
        return mean_interval(np.full(len(y), np.nan))
    x = (x - x.mean()) / ((x - x.mean()) ** 2).sum()
    known = (y > 0).all(axis=1)
    slopes = np.full(len(y), np.nan)
    slopes[known] = np.log(y[known]) @ x
    return mean_interval(slopes)


def limit(sizes, violations, *, expected):
    """Whether the violation of a statement is zero, falls as samples grow, or remains.

    A violation that falls is assumed to vanish; how fast it falls is not checked here
    (see `exponent`).  A violation remains if it does not fall and is, in the largest
    samples, larger than if it had fallen half as fast as expected.

    Parameters
    ----------
    sizes : (k,) array
    violations : (repetitions, k) array
        Zero if the statement is true.
    expected : float
        Exponent of the fall, below zero.

    Returns
    -------
    {"holds", "holds in the limit", "fails", "open"}
        "open" if the sizes or the repetitions are too few to tell.

    Examples
    --------
    >>> limit([1, 4], [[4, 2], [4, 2.1]], expected=-0.5)
    'holds in the limit'
    >>> limit([1, 4], [[4, 4], [4, 3.9]], expected=-0.5)
    'fails'
    """
    v, n = np.asarray(violations, dtype=float), np.asarray(sizes, dtype=float)
    if not v.any():
        return HOLDS
    first, last = v[:, n.argmin()], v[:, n.argmax()]
    if paired_difference(last, first).sign == -1:
        return IN_THE_LIMIT
    slow = first * (n.max() / n.min()) ** (expected / 2)
    stays = n.max() > n.min() and paired_difference(last, slow).sign == 1
    return FAILS if stays else OPEN


def implication(premises, conclusions):
    """Whether every case with the premise has the conclusion.

    Parameters
    ----------
    premises, conclusions : (n,) arrays of bool

    Returns
    -------
    {"holds", "fails", "open"}
        "open" if no case has the premise, because then nothing was tested.

    Examples
    --------
    >>> implication([True, False], [True, True]), implication([True], [False])
    ('holds', 'fails')
    """
    premises, conclusions = np.asarray(premises), np.asarray(conclusions)
    if not premises.any():
        return OPEN
    return HOLDS if conclusions[premises].all() else FAILS


def together(verdicts):
    """The verdict on a statement that has to hold in several cases: the worst one.

    Examples
    --------
    >>> together(["holds", "holds in the limit"]), together(["open", "fails"])
    ('holds in the limit', 'fails')
    """
    order = [FAILS, OPEN, IN_THE_LIMIT, HOLDS]
    return min(verdicts, key=order.index)


def equivalence(forward, backward):
    """The verdict on "if and only if", from those on its two directions.

    Examples
    --------
    >>> equivalence("fails", "holds"), equivalence("holds", "holds")
    ('one direction only', 'holds')
    """
    pair = {forward, backward}
    if FAILS in pair and len(pair) == 2:
        return OPEN if OPEN in pair else ONE_WAY
    return together(pair)
