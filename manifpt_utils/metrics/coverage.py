"""Coverage of one set of features by another: precision, recall and two IPMs.

They belong to eqs. 9-18 of the paper.  All results are those of float64 distances.
"""

from typing import NamedTuple

import numpy as np
from scipy.optimize import linear_sum_assignment
from sklearn.metrics.pairwise import euclidean_distances

from . import balls, bounds
from .checks import check_pair, precision_of

BLOCK = 1024  # rows of a kernel matrix held at once
# A point on the surface of a ball is outside it, in spite of rounding.
INSIDE = 1 - 1e-9


class PrecisionRecall(NamedTuple):
    """Shares of points inside the k-nearest-neighbour balls of the other set."""

    precision: float
    recall: float
    density: float
    coverage: float


class KernelDistance(NamedTuple):
    """Unbiased squared MMD and its distribution when the two sets are mixed."""

    value: float
    null_mean: float
    null_sd: float
    p_value: float


def precision_recall(real, fake, *, k=5):
    """Precision, recall, density and coverage, from k-nearest-neighbour balls.

    The ball of a real point reaches to its k-th real neighbour.  Precision is the share
    of fake points inside the ball of any real point; recall exchanges the two sets.  On
    the true supports, precision 1 is equivalent to a fingerprint of {0} (eqs. 9-14). On
    finite samples the balls are wide, and precision 1 no longer implies zero artifacts.

    Parameters
    ----------
    real : (n, d) array
    fake : (m, d) array
    k : int
        Number of the neighbour that sets the radius, the point itself not counted.

    Returns
    -------
    PrecisionRecall
        Precision, recall and coverage are in 0..1; density is in 0..n/k, and on average
        1 for equal distributions.  All depend on n, m and k: compare only at equal
        values.

    Raises
    ------
    ValueError
        If an array is not two-dimensional and finite, the dimensions differ, or k is
        not below n and m.

    Notes
    -----
    A point on the surface of a ball is outside (`<`), so k + 1 copies of one point have
    a ball of radius 0 that holds nothing.

    Most pairs are decided by bounds from one matrix product, in bfloat16 on processors
    with units for it and in single precision on others.  All other pairs are computed
    in double precision, so the result is the same as in double precision.  Besides the
    features, their rough copies and some rows of the distances are in memory.

    References
    ----------
    Kynkäänniemi et al., Improved precision and recall metric, NeurIPS 2019.  Naeem et
    al., Reliable fidelity and diversity metrics for generative models, ICML 2020.

    Examples
    --------
    >>> x = np.arange(10.0)[:, None]
    >>> precision_recall(x, x + 100, k=2)
    PrecisionRecall(precision=0.0, recall=0.0, density=0.0, coverage=0.0)
    """
    real, fake = check_pair(real, fake, dtype=precision_of(real, fake))
    most = min(len(real), len(fake)) - 1
    if not 1 <= k <= most:
        raise ValueError(
            f"k must be in 1..{most} for {len(real)} real and {len(fake)} fake "
            f"points, got {k!r}."
        )
    limits, fake_limits = (INSIDE * balls.squared_radii(x, k) for x in (real, fake))
    hits = np.empty(len(fake), int)
    covered, recalled = np.zeros((2, len(real)), bool)

    def look(block):
        is_inside = balls.inside(block, limits[None])
        hits[block.rows] = is_inside.sum(axis=1)
        covered[is_inside.any(axis=0)] = True
        is_inside = balls.inside(block, fake_limits[block.rows, None])
        recalled[is_inside.any(axis=0)] = True

    bounds.over_blocks(look, *bounds.points(fake, real))
    values = (hits > 0).mean(), recalled.mean(), hits.mean() / k, covered.mean()
    return PrecisionRecall(*map(float, values))


def _blocks(n):
    return (slice(start, start + BLOCK) for start in range(0, n, BLOCK))


def kernel_distance(x, y, *, degree=3, n_permutations=200, seed=0):
    """Unbiased squared maximum mean discrepancy with a polynomial kernel.

    .. math:: k(x, y) = (\\langle x, y \\rangle / d + 1)^{\\text{degree}}

    This is an integral probability metric (eqs. 15-18), called KID if the features are
    those of Inception.

    Parameters
    ----------
    x : (n, d) array
    y : (m, d) array
    degree : int
    n_permutations : int
        Number of random mixtures of the two sets for the null; 0 gives a null of NaN.
    seed : int

    Returns
    -------
    KernelDistance
        `value` is on average 0 for equal distributions and may be negative. `p_value`
        is the share of mixtures with a distance at least as large.

    Raises
    ------
    ValueError
        If an array is not two-dimensional and finite, has fewer than two rows, or the
        dimensions differ.

    References
    ----------
    Binkowski et al., Demystifying MMD GANs, ICLR 2018.

    Examples
    --------
    >>> x = np.random.default_rng(0).normal(size=(100, 3))
    >>> kernel_distance(x, x + 2).p_value < 0.01
    True
    """
    x, y = check_pair(x, y)
    rng = np.random.default_rng(seed)
    sides = np.zeros((1 + n_permutations, len(x) + len(y)))
    sides[:, : len(x)] = 1
    sides[1:] = rng.permuted(sides[1:], axis=1)
    value, *null = _mmd(np.concatenate([x, y]), sides.T, degree)
    # A division may come back, and differ from the true one by rounding.
    least = value - 1e-12 * max(1, abs(value))
    p_value = (1 + np.sum(null >= least)) / (1 + len(null)) if null else np.nan
    null = null or [np.nan]
    return KernelDistance(*map(float, (value, np.mean(null), np.std(null), p_value)))


def _mmd(z, sides, degree):
    """Squared MMD for every division of the rows of z in two, a column of 0 and 1."""
    product, row_sums, diagonal = np.empty_like(sides), *np.empty((2, len(z), 1))
    for rows in _blocks(len(z)):
        kernel = (z[rows] @ z.T / z.shape[1] + 1) ** degree
        product[rows] = kernel @ sides
        row_sums[rows] = kernel.sum(axis=1, keepdims=True)
        diagonal[rows, 0] = np.diagonal(kernel, offset=rows.start)
    others = 1 - sides
    n, m = sides.sum(axis=0), others.sum(axis=0)
    within_x = (sides * (product - diagonal)).sum(axis=0) / (n * (n - 1))
    within_y = (others * (row_sums - product - diagonal)).sum(axis=0) / (m * (m - 1))
    return within_x + within_y - 2 * (others * product).sum(axis=0) / (n * m)


def wasserstein_distance(x, y):
    """Exact 1-Wasserstein distance between two samples of equal size.

    .. math:: W_1 = \\min_\\pi \\frac{1}{n} \\sum_i ||x_i - y_{\\pi(i)}||_2

    This is an integral probability metric (eqs. 15-18): it is 0 if and only if the
    samples are equal.  Memory grows as n squared and time nearly as n cubed; n = 2,000
    takes seconds.

    Parameters
    ----------
    x, y : (n, d) array

    Returns
    -------
    float
        In units of the features.  For two samples of one distribution it is positive
        and falls slowly with n.

    Raises
    ------
    ValueError
        If the shapes differ or an array is not two-dimensional and finite.

    Examples
    --------
    >>> wasserstein_distance([[0.0], [1.0]], [[3.0], [2.0]])
    2.0
    """
    x, y = check_pair(x, y)
    if len(x) != len(y):
        raise ValueError(f"x has {len(x)} rows and y {len(y)}; draw as many from both.")
    rows, columns = linear_sum_assignment(euclidean_distances(x, y))
    return float(np.linalg.norm(x[rows] - y[columns], axis=1).mean())
