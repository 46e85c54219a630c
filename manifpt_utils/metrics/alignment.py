"""Agreement of clusters of artifacts with the design factors of the models (Tab. 6)."""

from math import factorial, prod
from typing import NamedTuple

import numpy as np
import pandas as pd
from scipy.special import entr
from sklearn.cluster import KMeans
from sklearn.decomposition import PCA
from sklearn.metrics import normalized_mutual_info_score
from sklearn.metrics.cluster import contingency_matrix, expected_mutual_information
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from .checks import check_features


def cluster_artifacts(features, *, n_clusters, seed=0, n_components=50):
    """Cluster features: standardise, reduce to principal components, k-means.

    Parameters
    ----------
    features : (n, d) array
    n_clusters : int
        Number of clusters; the number of models is the natural choice.
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
    x = check_features(features, "features", dtype=np.float32)
    if not 2 <= n_clusters <= len(x):
        raise ValueError(
            f"n_clusters must be in 2..{len(x)}, the number of features, got "
            f"{n_clusters!r}."
        )
    reduced = principal_components(x, n_components=n_components, seed=seed)
    return KMeans(n_clusters, n_init=10, random_state=seed).fit_predict(reduced)


def principal_components(features, *, n_components=50, seed=0):
    """Standardise features and keep their first principal components.

    Parameters
    ----------
    features : (n, d) array
    n_components : int
        Number of components to keep, at most min(n, d).
    seed : int

    Returns
    -------
    (n, n_components) float32 array

    Examples
    --------
    >>> principal_components(np.eye(4), n_components=2).shape
    (4, 2)
    """
    x = check_features(features, "features", dtype=np.float32)
    kept = PCA(min(n_components, *x.shape), random_state=seed)
    return make_pipeline(StandardScaler(), kept).fit_transform(x)


def factor_alignment(
    clusters, models, factors, *, n_permutations=1000, seed=0, average="arithmetic"
):
    """Agreement of a clustering with every design factor of the models (Tab. 6).

    .. math::

        NMI = \\frac{I(C; F)}{\\mathrm{average}(H(C), H(F))}

    A clustering that follows the models has a high NMI with *any* factor, and the more
    values the factor has, the higher it is.  Therefore the null permutes the values of
    the factor over the models, never over the images.  The AMI corrects for chance over
    images only, so it needs this null, too.

    Parameters
    ----------
    clusters : (n,) int array
        Cluster of every image, from `cluster_artifacts`.
    models : (n,) str array
        Model of every image.
    factors : pandas.DataFrame
        One row per model (index), one column per factor.
    n_permutations : int
        Number of random assignments of values to models.  If there are no more distinct
        assignments than this, each of them is taken once instead.
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
        One row per model, one column per factor.
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
    """Agreement of clusters with a factor; `expected` caches costly expectations."""
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
    # Without entropy there is no information to share.
    return float(part / whole) if whole > 1e-12 else 0.0


def _check_average(average):
    if average not in ("arithmetic", "max"):
        raise ValueError(f'average must be "arithmetic" or "max", got {average!r}.')


def _check_alignment(clusters, models, factors):
    """Numbers of images (clusters, models), and the factors in the models' order."""
    clusters, models = np.asarray(clusters), np.asarray(models)
    if clusters.ndim != 1 or clusters.shape != models.shape:
        raise ValueError(
            f"clusters and models must both be (n,), got {clusters.shape} and "
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
        raise ValueError(f"factors has several rows for {twice!r}; keep one per model.")
    for factor in factors.columns[factors.isna().any()]:
        empty = names[factors[factor].isna()]
        raise ValueError(f"factor {factor!r} has no value for {', '.join(empty)}.")
    return contingency_matrix(clusters, models), factors
