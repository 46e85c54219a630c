"""The estimated manifold: from real images to the closest point and the artifact.

Two estimators of the closest point are offered.  `nearest` is the paper's: the nearest
real image in the embedding space (Sec. 2.2).  `hull` is ours: the projection on the
affine hull of the k nearest real images, a local tangent-space estimate in the spirit
of tangent distance (Simard et al. 1993) and locally linear embedding (Roweis and Saul
2000).
"""

from typing import NamedTuple

import faiss
import numpy as np
from sklearn.base import (
    BaseEstimator,
    ClassNamePrefixFeaturesOutMixin,
    TransformerMixin,
)
from sklearn.preprocessing import normalize
from sklearn.utils.validation import check_is_fitted, validate_data

from .._support.cache import cached
from .._support.source import code_of
from .spaces import make_space

ESTIMATORS = {"nearest": 1, "hull": 33}
METRICS = ("euclidean", "cosine")
BATCH = 256  # queries solved at once by the affine estimator, bounds its memory
LONG = 1e10  # multiplications of a search that takes longer than to hash its input


class EstimatedProjection(NamedTuple):
    """Estimates of the closest points, all in the embedding space."""

    x_star: np.ndarray  # (n, d) float32
    artifact: np.ndarray  # (n, d) float32, x_G - x_star
    distance: np.ndarray  # (n,) float64, norm of the artifact
    index: np.ndarray  # (n, k) int64, neighbours among the real images, nearest first


class DataManifold(ClassNamePrefixFeaturesOutMixin, TransformerMixin, BaseEstimator):
    """The data manifold estimated from real images, as a scikit-learn transformer.

    .. math::

        x^* = \\arg\\min_{x \\in M} ||x_G - x||_2, \\qquad a(x_G) = x_G - x^*
        \\qquad \\text{(eqs. 1, 2)}

    `fit` takes real images, `transform` turns images into their artifacts.

    Parameters
    ----------
    space : str, transformer or None
        Embedding space (Tab. 4): "rgb", "frequency", "supervised", "selfsupervised",
        any transformer of images, or None where the input is features already.
    estimator : {"nearest", "hull"}
        The paper's estimator, or the projection on the affine hull of k neighbours.
    k : int, optional
        Neighbours used: 1 for "nearest" (more average them), 33 for "hull".
    ridge : float
        Regularisation of the affine estimator, relative to the mean squared distance
        of the neighbours.  Large values give the mean of the neighbours.
    metric : {"euclidean", "cosine"}
        What makes a real image near.
    search_space : str, transformer or None
        Space in which the neighbours are sought, if not in `space`: the artifact is
        taken in `space` between the images found there.

    Attributes
    ----------
    space_ : transformer or None
    features_ : (n, d) float32 array
        The real images in the embedding space.
    image_shape_ : tuple or None
        (h, w, 3) where artifacts are images, None where they are plain vectors.

    Notes
    -----
    faiss finds the neighbours; artifact and distance are recomputed from the features,
    so that an image of the manifold set has an artifact of exactly zero.  Never project
    the real images on themselves: use `exclude_self`, or a disjoint set.

    Examples
    --------
    >>> real = np.eye(3, dtype=np.float32)
    >>> DataManifold(space=None).fit(real).transform(real + [0, 0, 0.25]).sum()
    np.float32(0.75)
    """

    def __init__(
        self,
        space="rgb",
        *,
        estimator="nearest",
        k=None,
        ridge=1e-3,
        metric="euclidean",
        search_space=None,
    ):
        self.space = space
        self.estimator = estimator
        self.k = k
        self.ridge = ridge
        self.metric = metric
        self.search_space = search_space

    def fit(self, real, y=None):
        """Embed the real images and keep them as the estimate of the manifold.

        Parameters
        ----------
        real : (n, h, w, 3) uint8 array, or (n, d) array where `space` is None
        y : ignored

        Returns
        -------
        DataManifold

        Raises
        ------
        ValueError
            If a parameter is unknown or there are fewer real images than neighbours.
        """
        self._check_parameters()
        self.space_ = None if self.space is None else make_space(self.space).fit(real)
        features = self._embed(real, reset=True)
        if len(features) < self._n_neighbors():
            raise ValueError(
                f"{len(features)} real images (n_samples={len(features)}) cannot give "
                f"{self._n_neighbors()} neighbours; give more images or a smaller k."
            )
        self.features_ = features
        self._fit_search(real)
        self.image_shape_ = getattr(self.space_, "image_shape_", None)
        self._n_features_out = features.shape[1]
        return self

    def fit_transform(self, real, y=None):
        """Leave-one-out artifacts of the real images themselves: (n, d) float32."""
        return self.fit(real).project(real, exclude_self=True).artifact

    def transform(self, images):
        """Artifacts of the images: (n, d) float32 array."""
        return self.project(images).artifact

    def project(self, images, *, exclude_self=False, index=None):
        """Estimate the closest point of the manifold to every image.

        Parameters
        ----------
        images : (n, h, w, 3) uint8 array, or (n, d) array where `space` is None
        exclude_self : bool
            True for the images that were fitted, in their order: leaves each one out.
        index : (n, m) int array, optional
            Neighbours of these images found before, nearest first, of which the first
            k are used: other estimators and smaller k need no other search.

        Returns
        -------
        EstimatedProjection
            Named tuple of `x_star`, `artifact`, `distance`, `index`.

        Raises
        ------
        ValueError
            If `exclude_self` does not fit the images, or `index` holds fewer than k
            neighbours an image.
        """
        check_is_fitted(self)
        x = self._embed(images)
        if exclude_self and len(x) != len(self.features_):
            raise ValueError(
                f"exclude_self needs the {len(self.features_)} fitted images in their "
                f"order, got {len(x)} images."
            )
        if index is None:
            index = self._neighbors(self._search_keys(images, x), exclude_self)
        index = _first(index, len(x), self._n_neighbors())
        if index.shape[1] == 1:
            x_star = self.features_[index[:, 0]]
        else:
            x_star = self._combine(x, index)
        artifact = x - x_star
        distance = np.sqrt(np.einsum("ij,ij->i", artifact, artifact, dtype=np.float64))
        return EstimatedProjection(x_star, artifact, distance, index)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.transformer_tags.preserves_dtype = ["float32"]
        return tags

    def _check_parameters(self):
        if self.estimator not in ESTIMATORS:
            known = ", ".join(ESTIMATORS)
            raise ValueError(f"unknown estimator {self.estimator!r}; known: {known}.")
        if self.k is not None and (not isinstance(self.k, int) or self.k < 1):
            raise ValueError(f"k must be a positive integer or None, got {self.k!r}.")
        if not self.ridge > 0:
            raise ValueError(f"ridge must be positive, got {self.ridge!r}.")
        if self.metric not in METRICS:
            known = ", ".join(METRICS)
            raise ValueError(f"unknown metric {self.metric!r}; known: {known}.")
        if self.space is None and self.search_space is not None:
            raise ValueError(
                "search_space needs images, but space=None takes features; give the "
                "manifold a space."
            )

    def _n_neighbors(self):
        return self.k or ESTIMATORS[self.estimator]

    def _embed(self, images, *, reset=False):
        features = images if self.space_ is None else self.space_.transform(images)
        return validate_data(self, features, reset=reset, dtype=np.float32, order="C")

    def _fit_search(self, real):
        self.search_space_ = None
        if self.search_space is not None:
            self.search_space_ = make_space(self.search_space).fit(real)
        self.center_ = np.float32(0)
        keys = self._search_keys(real, self.features_)
        # Centred coordinates make the search ten times more accurate at no cost.
        self.center_ = keys.mean(axis=0, dtype=np.float64).astype(np.float32)
        self.keys_ = np.ascontiguousarray(keys - self.center_)

    def _search_keys(self, images, features):
        """What neighbours are sought by: Euclidean distance of these rows."""
        keys = features
        if self.search_space_ is not None:
            keys = self.search_space_.transform(images).astype(np.float32)
        if self.metric == "cosine":
            keys = normalize(keys)
        return np.ascontiguousarray(keys - self.center_)

    def _neighbors(self, keys, exclude_self):
        k = self._n_neighbors() + exclude_self
        if k > len(self.features_):
            raise ValueError(
                f"leaving one out, {len(self.features_)} real images cannot give "
                f"{self._n_neighbors()} neighbours; give more images or a smaller k."
            )
        index = _search(keys, self.keys_, k)
        return _drop_self(index) if exclude_self else index

    def _combine(self, x, index):
        """Points of the neighbours' affine hulls; their means for "nearest"."""
        x_star = np.empty_like(x)
        for start in range(0, len(x), BATCH):
            rows = slice(start, start + BATCH)
            neighbors = self.features_[index[rows]]
            if self.estimator == "nearest":
                x_star[rows] = neighbors.mean(axis=1)
            else:
                x_star[rows] = affine_projection(x[rows], neighbors, ridge=self.ridge)
        return x_star


class ExactManifold(ClassNamePrefixFeaturesOutMixin, TransformerMixin, BaseEstimator):
    """Artifacts with the true closest point of a known manifold.

    The closest view is found among the images themselves, by optimisation, and then
    embedded like the generated image; `DataManifold` estimates it from a sample.

    Parameters
    ----------
    manifold : PhotoManifold
        Anything with `project(images)` and `views(coordinates)`.
    space : str or transformer
        As for `DataManifold`.
    """

    def __init__(self, manifold, space="rgb"):
        self.manifold = manifold
        self.space = space

    def fit(self, real, y=None):
        """Fit the embedding space on real images (n, h, w, 3)."""
        self.space_ = make_space(self.space).fit(real)
        self.image_shape_ = self.space_.image_shape_
        self._n_features_out = self.space_.transform(real[:1]).shape[1]
        return self

    def project(self, images):
        """Closest views in the embedding space, as an `EstimatedProjection`."""
        check_is_fitted(self)
        views = self.manifold.views(self.manifold.project(images).coordinates)
        x_star = self.space_.transform(views)
        artifact = self.space_.transform(images) - x_star
        index = np.empty((len(artifact), 0), dtype=np.int64)
        distance = np.linalg.norm(artifact.astype(np.float64), axis=1)
        return EstimatedProjection(x_star, artifact, distance, index)

    def transform(self, images):
        """Artifacts of the images: (n, d) float32 array."""
        return self.project(images).artifact


def _first(index, n, k):
    """The first k neighbours of n images."""
    if len(index) != n or index.shape[1] < k:
        raise ValueError(
            f"index holds {index.shape[1]} neighbours of {len(index)} images, but {k} "
            f"of {n} are needed; search again without it."
        )
    return index[:, :k]


def _search(queries, keys, k):
    """Rows of the k keys nearest to each query, nearest first: (n, k) int64."""

    def search():
        return faiss.knn(queries, keys, k)[1]

    if queries.size * len(keys) < LONG:
        return search()
    # Among keys that are almost as near, the number of threads can decide.
    inputs = queries, keys, k, faiss.omp_get_max_threads()
    return cached(search, "search", *inputs, code=code_of(_search))


def _drop_self(index):
    """Remove from each row its own number, or the last neighbour if it is not there."""
    mine = index == np.arange(len(index))[:, None]
    # An exact duplicate can push an image out of its own list of neighbours.
    mine[~mine.any(axis=1), -1] = True
    return index[~mine].reshape(len(index), -1)


def affine_projection(x, neighbors, *, ridge=1e-3):
    """Project points on the affine hulls of their neighbours.

    .. math::

        x^* = \\bar x + \\sum_j w_j (x_j - \\bar x), \\quad
        (G + \\lambda I) w = c, \\quad G_{jl} = \\langle x_j - \\bar x, x_l - \\bar x
        \\rangle, \\; c_j = \\langle x_j - \\bar x, x - \\bar x \\rangle

    with :math:`\\lambda` = `ridge` times the mean of the diagonal of G.

    Parameters
    ----------
    x : (n, d) array
    neighbors : (n, k, d) array
    ridge : float

    Returns
    -------
    (n, d) array

    Examples
    --------
    >>> line = np.array([[[0.0, 0.0], [2.0, 0.0], [4.0, 0.0]]])
    >>> affine_projection(np.array([[1.0, 3.0]]), line, ridge=1e-9).round(6)
    array([[1., 0.]])
    """
    center = neighbors.mean(axis=1)
    spread = neighbors - center[:, None]
    gram = spread @ spread.swapaxes(1, 2)
    # Duplicates of one image span nothing; the tiny constant keeps G invertible.
    scale = np.trace(gram, axis1=1, axis2=2) / gram.shape[1] * ridge + 1e-12
    gram = gram.astype(np.float64) + scale[:, None, None] * np.eye(gram.shape[1])
    right = np.einsum("nkd,nd->nk", spread, x - center)
    weights = np.linalg.solve(gram, right[..., None])[..., 0].astype(x.dtype)
    return center + np.einsum("nk,nkd->nd", weights, spread)
