"""Measures of feature sets: separability, agreement with design factors, coverage.

Separability is the Frechet distance and its ratio between and within classes (eq. 19),
agreement is the mutual information of a clustering with the design factors of the
models (Tab. 6), coverage is precision and recall and two integral probability metrics
(eqs. 9-18).  Moments and distances are computed in float64.
"""

from itertools import combinations
from math import factorial, prod
from typing import NamedTuple

import numpy as np
import pandas as pd
from scipy.linalg import svdvals
from scipy.optimize import linear_sum_assignment
from scipy.special import entr
from sklearn.cluster import KMeans
from sklearn.decomposition import PCA
from sklearn.metrics import normalized_mutual_info_score
from sklearn.metrics.cluster import contingency_matrix, expected_mutual_information
from sklearn.metrics.pairwise import euclidean_distances
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

BLOCK = 1024  # rows of a distance matrix held at once
GRAM_BYTES = 2**30  # above this the inner products are not kept
# A point on the surface of a ball is outside it, whatever the rounding.
INSIDE = 1 - 1e-9


class FrechetRatio(NamedTuple):
    """Separability of labelled features, with what it has to be compared to."""

    ratio: float  # inter / intra
    inter: float  # mean squared Frechet distance over pairs of classes
    intra: float  # mean over classes, between two halves of the class
    null_mean: float  # mean ratio after permuting the labels
    null_sd: float
    n: int  # features per class
    d: int  # dimension


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


def frechet_distance(x, y):
    """Squared Frechet distance between the Gaussians fitted to two sets of features.

    .. math::

        FD = ||m_1 - m_2||^2 + \\mathrm{tr}(S_1 + S_2 - 2 (S_1 S_2)^{1/2})

    Parameters
    ----------
    x : (n, d) array
    y : (m, d) array

    Returns
    -------
    float
        In squared units of the features, >= 0.  It is biased upwards, by about
        d (d + 1) / (2 n) for standard normal features and n = m well above d: compare
        distances at equal n and d only.

    Raises
    ------
    ValueError
        If an array is not two-dimensional and finite, has fewer than two rows, or the
        dimensions differ.

    Notes
    -----
    With few rows, :math:`\\mathrm{tr} (S_1 S_2)^{1/2}` is the sum of the singular
    values of :math:`A B^T`, A and B being the centred features over
    :math:`\\sqrt{n - 1}`: exact at any rank, no covariance is formed.  Otherwise it is
    taken from symmetric eigenvalues, clipped at zero.  The general matrix square root
    is avoided: it returns complex numbers when n <= d.

    References
    ----------
    Heusel et al., GANs trained by a two time-scale update rule, NeurIPS 2017.

    Examples
    --------
    >>> frechet_distance([[0.0], [2.0]], [[3.0], [5.0]])
    9.0
    """
    return _frechet(*_check_pair(x, y))


def frechet_distance_gaussian(mean_x, cov_x, mean_y, cov_y):
    """Squared Frechet distance between two Gaussians, from their moments.

    Parameters
    ----------
    mean_x, mean_y : (d,) array
    cov_x, cov_y : (d, d) array, symmetric, positive semi-definite

    Returns
    -------
    float

    Raises
    ------
    ValueError
        If the shapes do not fit together.

    Examples
    --------
    >>> frechet_distance_gaussian([0.0], [[1.0]], [3.0], [[4.0]])
    10.0
    """
    mean_x, cov_x, mean_y, cov_y = (
        np.asarray(a, dtype=np.float64) for a in (mean_x, cov_x, mean_y, cov_y)
    )
    shape = mean_x.shape * 2
    if len(shape) != 2 or not (cov_x.shape == cov_y.shape == shape == mean_y.shape * 2):
        raise ValueError(
            "means must be (d,) and covariances (d, d) with one d, got "
            f"{mean_x.shape}, {cov_x.shape}, {mean_y.shape}, {cov_y.shape}."
        )
    return _gaussian(mean_x, cov_x, _root(cov_x), mean_y, cov_y)


def frechet_distance_ratio(
    features, labels, *, n_per_class=None, seed=0, n_permutations=20, n_components=None
):
    """Frechet distance between classes, relative to the one within classes (FDR).

    .. math::

        FDR = \\frac{\\text{inter-class FD}}{\\text{intra-class FD}}
        \\qquad \\text{(eq. 19)}

    Intra is the mean over classes of the distance between two random disjoint halves,
    inter the mean over all pairs of full classes.

    Parameters
    ----------
    features : (n, d) array
    labels : (n,) array
    n_per_class : int, optional
        Features drawn from every class; by default as many as the smallest class has.
    seed : int
        Of the draw, of the halves and of the permutations.
    n_permutations : int
        Label permutations behind the null; 0 gives a null of NaN.
    n_components : int, optional
        Project on this many principal components of all features first, so that
        spaces of different dimension can be compared.

    Returns
    -------
    FrechetRatio
        The ratio of indistinguishable classes is **about 0.5, not 1**, since the
        upward bias of the distance falls with n and the halves have n / 2 (it rises
        towards 1 where n is far below d).  The ratio also grows with n for one and
        the same geometry.  Read it beside `null_mean`, at equal n and d.

    Raises
    ------
    ValueError
        If the features are not two-dimensional and finite, there are fewer than two
        classes, or a class has fewer than four (or `n_per_class`) features.

    References
    ----------
    Yu et al., Attributing fake images to GANs, ICCV 2019.

    Examples
    --------
    >>> x = np.random.default_rng(0).normal(size=(400, 2))
    >>> result = frechet_distance_ratio(x, np.repeat(["dcgan", "glow"], 200))
    >>> result.n, result.d, bool(result.null_mean < 1)
    (200, 2, True)
    """
    x, labels = _check_labelled(features, labels)
    rng = np.random.default_rng(seed)
    rows = _equal_classes(labels, n_per_class, rng)
    x = x[rows.ravel()]
    if n_components is not None:
        x = _principal_components(x, n_components, seed)
    n, d = rows.shape[1], x.shape[1]
    gram = _gram(x, n)
    groups = np.arange(rows.size).reshape(rows.shape)
    inter, intra = _inter_intra(x, gram, groups)
    null = [
        _quotient(*_inter_intra(x, gram, rng.permuted(groups)))
        for _ in range(n_permutations)
    ] or [np.nan]
    mean, sd = map(float, (np.mean(null), np.std(null)))
    return FrechetRatio(_quotient(inter, intra), inter, intra, mean, sd, n, d)


def _quotient(inter, intra):
    if intra > 0:
        return inter / intra
    return np.inf if inter > 0 else np.nan


def _frechet(x, y):
    """Frechet distance of validated float64 arrays."""
    mean_x, mean_y = x.mean(axis=0), y.mean(axis=0)
    a = (x - mean_x) / np.sqrt(len(x) - 1)
    b = (y - mean_y) / np.sqrt(len(y) - 1)
    if min(len(x), len(y)) > x.shape[1]:
        cov = a.T @ a
        return _gaussian(mean_x, cov, _root(cov), mean_y, b.T @ b)
    gap = mean_x - mean_y
    return _assemble(gap @ gap, (a**2).sum() + (b**2).sum(), svdvals(a @ b.T).sum())


def _assemble(gap, spread, common):
    # Rounding may leave a tiny negative number between equal sets.
    return max(float(gap + spread - 2 * common), 0.0)


def _root(cov):
    """A matrix R with R^T R = cov."""
    values, vectors = np.linalg.eigh(cov)
    return np.sqrt(np.clip(values, 0, None))[:, None] * vectors.T


def _gaussian(mean_x, cov_x, root_x, mean_y, cov_y):
    values = np.linalg.eigvalsh(root_x @ cov_y @ root_x.T)
    common = np.sqrt(np.clip(values, 0, None)).sum()
    gap = mean_x - mean_y
    return _assemble(gap @ gap, np.trace(cov_x) + np.trace(cov_y), common)


def _gram(x, n):
    """Inner products of all features where they save work, else None."""
    if n > x.shape[1] or 8 * len(x) ** 2 > GRAM_BYTES:
        return None
    centred = x - x.mean(axis=0)
    return centred @ centred.T


def _gram_frechet(gram, i, j):
    """Frechet distance between two sets of rows, from inner products alone."""
    cross, *own = (gram[np.ix_(p, q)] for p, q in ((i, j), (i, i), (j, j)))
    gap = own[0].mean() + own[1].mean() - 2 * cross.mean()
    spread = sum((np.trace(g) - len(g) * g.mean()) / (len(g) - 1) for g in own)
    rows = cross.mean(axis=1, keepdims=True)
    centred = cross - rows - cross.mean(axis=0) + cross.mean()
    scale = np.sqrt((len(i) - 1) * (len(j) - 1))
    return _assemble(gap, spread, svdvals(centred).sum() / scale)


def _inter_intra(x, gram, groups):
    """Mean distances between the groups of rows (c, n), and between their halves."""
    half = groups.shape[1] // 2
    halves = [(g[:half], g[half : 2 * half]) for g in groups]
    inter = np.mean(_pair_distances(x, gram, groups))
    return float(inter), float(np.mean([_rows_frechet(x, gram, *h) for h in halves]))


def _rows_frechet(x, gram, i, j):
    return _frechet(x[i], x[j]) if gram is None else _gram_frechet(gram, i, j)


def _pair_distances(x, gram, groups):
    if gram is not None or groups.shape[1] <= x.shape[1]:
        return [_rows_frechet(x, gram, i, j) for i, j in combinations(groups, 2)]
    moments = [(x[g].mean(axis=0), np.atleast_2d(np.cov(x[g].T))) for g in groups]
    # One decomposition a class serves all its pairs.
    left = [(mean, cov, _root(cov)) for mean, cov in moments]
    return [
        _gaussian(*left[i], *moments[j]) for i, j in combinations(range(len(groups)), 2)
    ]


def _principal_components(x, n_components, seed):
    most = min(x.shape)
    if not 1 <= n_components <= most:
        raise ValueError(
            f"n_components must lie in 1..{most} for {x.shape[0]} features of "
            f"dimension {x.shape[1]}, got {n_components!r}."
        )
    return PCA(n_components, random_state=seed).fit_transform(x)


def _equal_classes(labels, n_per_class, rng):
    """Row numbers (c, n): n random rows of every class, in random order."""
    names, counts = np.unique(labels, return_counts=True)
    smallest = str(names[counts.argmin()])
    n = counts.min() if n_per_class is None else n_per_class
    if n < 4:
        raise ValueError(
            f"{n} features a class cannot be split into halves with a covariance; at "
            f"least 4 are needed (smallest class: {smallest!r})."
        )
    if counts.min() < n:
        raise ValueError(
            f"class {smallest!r} has {counts.min()} features, fewer than "
            f"n_per_class={n}; lower it or give more."
        )
    return np.stack([rng.permutation(np.flatnonzero(labels == c))[:n] for c in names])


def cluster_artifacts(features, *, n_clusters, seed=0, n_components=50):
    """Cluster features: standardise, reduce to principal components, k-means.

    Parameters
    ----------
    features : (n, d) array
    n_clusters : int
        The number of models is the natural choice.
    seed : int
    n_components : int
        Principal components kept, at most min(n, d).

    Returns
    -------
    (n,) int array
        Cluster of every row.

    Raises
    ------
    ValueError
        If the features are not two-dimensional and finite, or `n_clusters` is not
        between 2 and n.

    Examples
    --------
    >>> x = np.repeat([[0.0, 0.0], [5.0, 5.0]], 10, axis=0)
    >>> np.unique(cluster_artifacts(x, n_clusters=2), return_counts=True)[1].tolist()
    [10, 10]
    """
    x = _check_features(features, "features", dtype=np.float32)
    if not 2 <= n_clusters <= len(x):
        raise ValueError(
            f"n_clusters must lie in 2..{len(x)}, the number of features, got "
            f"{n_clusters!r}."
        )
    steps = make_pipeline(
        StandardScaler(),
        PCA(min(n_components, *x.shape), random_state=seed),
        KMeans(n_clusters, n_init=10, random_state=seed),
    )
    return steps.fit_predict(x)


def factor_alignment(
    clusters, models, factors, *, n_permutations=1000, seed=0, average="arithmetic"
):
    """Agreement of a clustering with every design factor of the models (Tab. 6).

    .. math::

        NMI = \\frac{I(C; F)}{\\mathrm{average}(H(C), H(F))}

    A clustering that follows the models has a high NMI with *any* factor, the higher
    the more values the factor has.  The null therefore permutes the values of the
    factor over the models, never over the images.  The AMI corrects for chance over
    images only, so that it too needs this null.

    Parameters
    ----------
    clusters : (n,) int array
        Cluster of every image, from `cluster_artifacts`.
    models : (n,) str array
        Model of every image.
    factors : pandas.DataFrame
        One row a model (index), one column a factor.
    n_permutations : int
        Random assignments of values to models.  All distinct assignments are taken
        instead, once each, where there are no more than this.
    seed : int
    average : {"arithmetic", "max"}
        Normalisation of the AMI and of the NMI in the null.

    Returns
    -------
    pandas.DataFrame
        Indexed by factor.  `n_values`; `nmi` (arithmetic), `nmi_max` and `ami` of the
        clustering; `nmi_models`, the arithmetic NMI of the models themselves, that is
        of a clustering that separates each model perfectly; `null_mean`, `null_sd` and
        `p_value` of the NMI; `ami_null_mean`, `ami_null_sd`; `n_assignments` in the
        null and whether it is `exact`.  A factor with one value has NMI 0 and p 1.

    Raises
    ------
    ValueError
        If lengths differ, or a model has no row or no value in `factors`.

    References
    ----------
    McDaid et al., Normalized mutual information to evaluate overlapping community
    finding algorithms, 2011 (`average="max"`).  Vinh et al., Information theoretic
    measures for clusterings comparison, JMLR 2010 (AMI).

    Examples
    --------
    >>> models = np.repeat(["a", "b", "c", "d"], 5)
    >>> factors = pd.DataFrame({"up": ["x", "x", "y", "y"]}, index=list("abcd"))
    >>> factor_alignment(np.repeat([0, 1], 10), models, factors).p_value.round(3).item()
    0.333
    """
    _check_average(average)
    counts, factors = _check_alignment(clusters, models, factors)
    rng = np.random.default_rng(seed)
    rows = {
        factor: _align(counts, factors[factor], n_permutations, rng, average)
        for factor in factors
    }
    table = pd.DataFrame.from_dict(rows, orient="index")
    return table.rename_axis("factor")


def factor_collinearity(factors, *, average="arithmetic"):
    """NMI between every two design factors, over the models.

    Parameters
    ----------
    factors : pandas.DataFrame
        One row a model, one column a factor.
    average : {"arithmetic", "max"}

    Returns
    -------
    pandas.DataFrame
        Symmetric, in 0..1.  Two factors near 1 cannot be told apart by any clustering.
        With few models the value is high by chance already.

    Examples
    --------
    >>> table = pd.DataFrame({"up": list("xxyy"), "loss": list("abab")})
    >>> float(factor_collinearity(table).loc["up", "loss"].round(3))
    0.0
    """
    _check_average(average)

    def agreement(a, b):
        a, b = pd.factorize(factors[a])[0], pd.factorize(factors[b])[0]
        return normalized_mutual_info_score(a, b, average_method=average)

    rows = [[agreement(a, b) for b in factors] for a in factors]
    return pd.DataFrame(rows, index=factors.columns, columns=factors.columns)


class _Agreement(NamedTuple):
    nmi: float
    nmi_max: float
    ami: float


def _align(counts, values, n_permutations, rng, average):
    """One row of the table: counts is (clusters, models), values one per model."""
    codes = pd.factorize(values)[0]
    assignments, exact = _assignments(codes, n_permutations, rng)
    expected = {}
    observed = _agreement(counts, codes, average, expected)
    null = [_agreement(counts, a, average, expected) for a in assignments]
    chosen = "nmi_max" if average == "max" else "nmi"
    nmi, ami = (np.array([getattr(a, name) for a in null]) for name in (chosen, "ami"))
    as_high = np.sum(nmi >= getattr(observed, chosen) - 1e-12)
    return {
        "n_values": len(np.unique(codes)),
        **observed._asdict(),
        "nmi_models": _agreement(np.diag(counts.sum(axis=0)), codes, average, {}).nmi,
        "null_mean": nmi.mean(),
        "null_sd": nmi.std(),
        "p_value": (as_high + (not exact)) / (len(nmi) + (not exact)),
        "ami_null_mean": ami.mean(),
        "ami_null_sd": ami.std(),
        "n_assignments": len(nmi),
        "exact": exact,
    }


def _assignments(codes, n_permutations, rng):
    """Permutations of the values over the models: all distinct ones, or a sample."""
    repeats = np.bincount(codes).tolist()
    distinct = factorial(len(codes)) // prod(map(factorial, repeats))
    if distinct <= n_permutations:
        return [np.array(a) for a in _arrangements(sorted(codes.tolist()))], True
    return [rng.permutation(codes) for _ in range(n_permutations)], False


def _arrangements(values):
    if not values:
        yield ()
    for value in sorted(set(values)):
        rest = list(values)
        rest.remove(value)
        for tail in _arrangements(rest):
            yield value, *tail


def _agreement(counts, codes, average, expected):
    """Agreement of clusters with a factor; `expected` keeps the costly expectations."""
    joint = counts @ np.eye(codes.max() + 1, dtype=counts.dtype)[codes]
    share = joint / joint.sum()
    entropies = [entr(share.sum(axis=axis)).sum() for axis in (0, 1)]
    information = max(sum(entropies) - entr(share).sum(), 0.0)
    arithmetic, largest = np.mean(entropies), np.max(entropies)
    key = tuple(sorted(joint.sum(axis=0)))
    if key not in expected:
        expected[key] = expected_mutual_information(joint, int(joint.sum()))
    scale = largest if average == "max" else arithmetic
    ami = _divide(information - expected[key], scale - expected[key])
    return _Agreement(
        _divide(information, arithmetic), _divide(information, largest), ami
    )


def _divide(part, whole):
    # Without entropy there is nothing to share.
    return float(part / whole) if whole > 1e-12 else 0.0


def precision_recall(real, fake, *, k=5):
    """Precision, recall, density and coverage, from k-nearest-neighbour balls.

    A fake point counts as precise if it lies inside the ball of any real point, whose
    radius is the distance to that point's k-th real neighbour; recall exchanges the
    sets.  On the true supports, precision 1 is a fingerprint of {0} (eqs. 9-14); on
    finite samples the balls are wide, and precision 1 no longer implies zero artifacts.

    Parameters
    ----------
    real : (n, d) array
    fake : (m, d) array
    k : int
        Neighbour that sets the radius, the point itself not counted.

    Returns
    -------
    PrecisionRecall
        Precision, recall, coverage in 0..1; density in 0..n/k, 1 in the mean for equal
        distributions.  All depend on n, m and k: compare at equal values only.

    Raises
    ------
    ValueError
        If an array is not two-dimensional and finite, the dimensions differ, or k is
        not below n and m.

    Notes
    -----
    A point on the surface of a ball is outside (`<`): k + 1 copies of one point have
    a ball of radius 0, which holds nothing.

    References
    ----------
    Kynkaanniemi et al., Improved precision and recall metric, NeurIPS 2019.  Naeem et
    al., Reliable fidelity and diversity metrics for generative models, ICML 2020.

    Examples
    --------
    >>> x = np.arange(10.0)[:, None]
    >>> precision_recall(x, x + 100, k=2)
    PrecisionRecall(precision=0.0, recall=0.0, density=0.0, coverage=0.0)
    """
    real, fake = _check_pair(real, fake)
    most = min(len(real), len(fake)) - 1
    if not 1 <= k <= most:
        raise ValueError(
            f"k must lie in 1..{most} for {len(real)} real and {len(fake)} fake "
            f"points, got {k!r}."
        )
    center = real.mean(axis=0)
    real, fake = real - center, fake - center
    balls, fake_balls = _balls(real, k), _balls(fake, k)
    hits = np.zeros(len(fake), int)
    covered, recalled = np.zeros((2, len(real)), bool)
    for rows in _blocks(len(fake)):
        squared = euclidean_distances(fake[rows], real, squared=True)
        inside = squared < balls
        hits[rows] = inside.sum(axis=1)
        covered |= inside.any(axis=0)
        recalled |= (squared < fake_balls[rows, None]).any(axis=0)
    values = (hits > 0).mean(), recalled.mean(), hits.mean() / k, covered.mean()
    return PrecisionRecall(*map(float, values))


def _blocks(n):
    return (slice(start, start + BLOCK) for start in range(0, n, BLOCK))


def _balls(x, k):
    """Squared radii (n,): just below the squared distance to the k-th neighbour."""
    radii = np.empty(len(x))
    for rows in _blocks(len(x)):
        squared = euclidean_distances(x[rows], x, squared=True)
        kth = np.argpartition(squared, k, axis=1)[:, k]
        # Taken from the difference, the distance of two copies is exactly zero.
        radii[rows] = ((x[rows] - x[kth]) ** 2).sum(axis=1)
    return radii * INSIDE


def kernel_distance(x, y, *, degree=3, n_permutations=200, seed=0):
    """Unbiased squared maximum mean discrepancy with a polynomial kernel.

    .. math:: k(x, y) = (\\langle x, y \\rangle / d + 1)^{\\text{degree}}

    An integral probability metric (eqs. 15-18), known as KID on Inception features.

    Parameters
    ----------
    x : (n, d) array
    y : (m, d) array
    degree : int
    n_permutations : int
        Random mixtures of the two sets behind the null; 0 gives a null of NaN.
    seed : int

    Returns
    -------
    KernelDistance
        `value` is 0 in the mean for equal distributions and may be negative.
        `p_value` is the share of mixtures with a distance at least as large.

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
    x, y = _check_pair(x, y)
    rng = np.random.default_rng(seed)
    sides = np.zeros((1 + n_permutations, len(x) + len(y)))
    sides[:, : len(x)] = 1
    sides[1:] = rng.permuted(sides[1:], axis=1)
    value, *null = _mmd(np.concatenate([x, y]), sides.T, degree)
    p_value = (1 + np.sum(null >= value)) / (1 + len(null)) if null else np.nan
    null = null or [np.nan]
    return KernelDistance(*map(float, (value, np.mean(null), np.std(null), p_value)))


def _mmd(z, sides, degree):
    """Squared MMD for every way (column of 0/1) of parting the rows of z in two."""
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

    An integral probability metric (eqs. 15-18): 0 if and only if the samples are equal.
    Memory grows as n squared, time nearly as n cubed: seconds at n = 2,000.

    Parameters
    ----------
    x, y : (n, d) array

    Returns
    -------
    float
        In units of the features.  Between samples of one distribution it is positive
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
    x, y = _check_pair(x, y)
    if len(x) != len(y):
        raise ValueError(f"x has {len(x)} rows and y {len(y)}; draw as many from both.")
    rows, columns = linear_sum_assignment(euclidean_distances(x, y))
    return float(np.linalg.norm(x[rows] - y[columns], axis=1).mean())


def _check_features(x, name, *, dtype=np.float64):
    x = np.asarray(x, dtype=dtype)
    if x.ndim != 2 or not x.shape[1]:
        raise ValueError(
            f"{name} must be (n, d), one row a sample, got {x.shape}; flatten images "
            "with .reshape(len(images), -1)."
        )
    if len(x) < 2:
        raise ValueError(f"{name} has {len(x)} rows; at least 2 are needed.")
    if not np.isfinite(x).all():
        bad = np.flatnonzero(~np.isfinite(x).all(axis=1))
        raise ValueError(
            f"{name} holds NaN or infinity in {len(bad)} rows, the first is row "
            f"{bad[0]}; remove them first."
        )
    return x


def _check_pair(x, y):
    x, y = _check_features(x, "the first set"), _check_features(y, "the second set")
    if x.shape[1] != y.shape[1]:
        raise ValueError(
            f"dimensions differ: {x.shape[1]} and {y.shape[1]}; compare features of "
            "one space."
        )
    return x, y


def _check_labelled(features, labels):
    x, labels = _check_features(features, "features"), np.asarray(labels)
    if labels.shape != (len(x),):
        raise ValueError(f"{len(x)} features need as many labels, got {labels.shape}.")
    if len(np.unique(labels)) < 2:
        raise ValueError(
            f"all labels are {str(labels[0])!r}; at least two classes are needed."
        )
    return x, labels


def _check_average(average):
    if average not in ("arithmetic", "max"):
        raise ValueError(f'average must be "arithmetic" or "max", got {average!r}.')


def _check_alignment(clusters, models, factors):
    """Numbers of images (clusters, models), and the factors in the models' order."""
    clusters, models = np.asarray(clusters), np.asarray(models)
    if clusters.ndim != 1 or clusters.shape != models.shape:
        raise ValueError(
            f"clusters and models must be (n,) both, got {clusters.shape} and "
            f"{models.shape}."
        )
    names = np.unique(models)
    missing = [str(name) for name in names if name not in factors.index]
    if missing:
        raise ValueError(
            f"no factors for {', '.join(missing)}; add the rows or leave those images "
            "out."
        )
    factors = factors.loc[names]
    if len(factors) > len(names):
        twice = factors.index[factors.index.duplicated()][0]
        raise ValueError(f"factors has several rows for {twice!r}; give one a model.")
    for factor in factors.columns[factors.isna().any()]:
        empty = names[factors[factor].isna()]
        raise ValueError(f"factor {factor!r} has no value for {', '.join(empty)}.")
    return contingency_matrix(clusters, models), factors
