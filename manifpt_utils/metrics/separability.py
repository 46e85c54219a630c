"""Separability of classes of features: the Frechet distance and its ratio (eq. 19).

Moments and distances are computed in float64.
"""

from itertools import combinations
from typing import NamedTuple

import numpy as np
from scipy.linalg import svdvals
from sklearn.decomposition import PCA

from .checks import check_labelled, check_pair

LEAST_HALVED = 4  # rows of which two halves have a covariance each
GRAM_BYTES = 2**30  # if they take more, inner products are not kept


class FrechetRatio(NamedTuple):
    """Separability of labelled features, with the null to compare it with."""

    ratio: float  # inter / intra
    inter: float  # mean squared Frechet distance over pairs of classes
    intra: float  # mean over classes, between two halves of the class
    null_mean: float  # mean ratio after permuting the labels
    null_sd: float
    n: int  # features per class
    d: int  # dimension


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
        At least 0, in squared units of the features.  It is biased upwards, by about d
        (d + 5) / (2 n) for standard normal features with n = m well above d: compare
        distances only at equal n and d.

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
    return _frechet(*check_pair(x, y))


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

    The intra-class FD is the mean over classes of the distance between two random
    disjoint halves; the inter-class FD is the mean over all pairs of full classes.

    Parameters
    ----------
    features : (n, d) array
    labels : (n,) array
    n_per_class : int, optional
        Features drawn from every class; by default as many as the smallest class has.
    seed : int
        Seed of the draw, of the halves and of the permutations.
    n_permutations : int
        Number of label permutations for the null; 0 gives a null of NaN.
    n_components : int, optional
        Project on this many principal components of all features first, so that
        spaces of different dimension can be compared.

    Returns
    -------
    FrechetRatio
        The ratio of indistinguishable classes is **about 0.5, not 1**, because the
        upward bias of the distance falls with n, and the halves have n / 2 images (it
        rises towards 1 if n is far below d).  For the same geometry, the ratio also
        grows with n.  Compare it with `null_mean`, and only at equal n and d.

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
    x, labels = check_labelled(features, labels)
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
    # Rounding may give a tiny negative number for equal sets.
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
    """Inner products of all features if they save work, else None."""
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
    # One decomposition per class serves all its pairs.
    left = [(mean, cov, _root(cov)) for mean, cov in moments]
    return [
        _gaussian(*left[i], *moments[j]) for i, j in combinations(range(len(groups)), 2)
    ]


def _principal_components(x, n_components, seed):
    most = min(x.shape)
    if not 1 <= n_components <= most:
        raise ValueError(
            f"n_components must be in 1..{most} for {x.shape[0]} features of "
            f"dimension {x.shape[1]}, got {n_components!r}."
        )
    return PCA(n_components, random_state=seed).fit_transform(x)


def _equal_classes(labels, n_per_class, rng):
    """Row numbers (c, n): n random rows of every class, in random order."""
    names, counts = np.unique(labels, return_counts=True)
    smallest = str(names[counts.argmin()])
    n = counts.min() if n_per_class is None else n_per_class
    if n < LEAST_HALVED:
        raise ValueError(
            f"{n} features per class cannot be split into halves with a covariance; at "
            f"least {LEAST_HALVED} are needed (smallest class: {smallest!r})."
        )
    if counts.min() < n:
        raise ValueError(
            f"class {smallest!r} has {counts.min()} features, fewer than "
            f"n_per_class={n}; lower it or give more."
        )
    return np.stack([rng.permutation(np.flatnonzero(labels == c))[:n] for c in names])
