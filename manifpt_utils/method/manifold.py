"""The estimated manifold: from real images to the closest point and the artifact.

Three estimators of the closest point are offered.  `nearest` is the paper's: the
nearest real image in the embedding space (Sec. 2.2).  The others are ours.  `tangent`
is the projection on the leading directions of the k nearest real images, a local
principal component analysis in the spirit of tangent distance (Simard et al. 1993).
`hull` is the projection on all their directions, their affine hull, as in locally
linear embedding (Roweis and Saul 2000).
"""

from numbers import Integral

import faiss
import numpy as np
from faiss.contrib.exhaustive_search import knn_ground_truth
from sklearn.preprocessing import normalize
from sklearn.utils.validation import _num_samples, check_is_fitted, validate_data

from .._support.cache import cached
from .._support.source import code_of
from .device import torch_device
from .local_projection import (
    affine_projection,
    knee,
    tangent_projection,
    tangent_residuals,
)
from .projection import BYTES, Projector, displacement, rows_within
from .search import CertifiedSearch, Rows, parts_of
from .spaces import make_space

ESTIMATORS = {"nearest": 1, "tangent": 33, "hull": 33}  # with their default k
RENAMED = {"affine": "hull"}
METRICS = ("euclidean", "cosine")
SEARCHES = ("auto", "brute", "certified")
HELD_OUT = 200  # real images by which the number of directions is chosen
LONG = 1e10  # multiplications above which a search takes longer than hashing its input
PAYS = 2e12  # multiplications from which "auto" uses the certified search
LARGE = 2**30  # bytes of features above which none are kept


class DataManifold(Projector):
    """The data manifold estimated from real images, as a scikit-learn transformer.

    .. math::

        x^* = \\arg\\min_{x \\in M} ||x_G - x||_2, \\qquad a(x_G) = x_G - x^*
        \\qquad \\text{(eqs. 1, 2)}

    `fit` takes real images, `transform` turns images into their artifacts.

    Parameters
    ----------
    space : str, transformer or None
        Embedding space (Tab. 4): "rgb", "frequency", "imagenet", "selfsupervised",
        any transformer of images, or None where the input is features already.
    estimator : {"nearest", "tangent", "hull"}
        "nearest" is the paper's; "tangent" projects on the `m` leading directions of k
        neighbours, "hull" on all their directions.
    k : int, optional
        Neighbours used, by default 1 for "nearest" and 33 for the others; with a larger
        k, "nearest" takes the mean of the neighbours.
    m : int, optional
        Directions of "tangent", fewer than k.  Where it is not given, `fit` chooses it
        on the real images alone, see the notes.
    ridge : float
        Regularisation of "hull", relative to the mean squared distance of the
        neighbours.  With large values the result is the mean of the neighbours.
    metric : {"euclidean", "cosine"}
        How distances between an image and the real images are measured.
    search_space : str, transformer or None
        Space in which the neighbours are sought, if not in `space`; the artifact is
        then the difference in `space` from the images found there.
    search : {"auto", "brute", "certified"}
        How the neighbours are found.  "brute": faiss compares with every real image,
        in single precision.  "certified": candidates are compared in double precision,
        and all others are shown to be farther (`CertifiedSearch`), which takes less
        time where there are many images. The two differ only where two real images are
        equally near up to rounding. "auto": "certified" where the work is large, else
        "brute".
    device : str, optional
        Device of torch for a certified search, by default that of `use_device`; on a
        GPU, "auto" is certified.  That of a network is a parameter of its space.

    Attributes
    ----------
    space_ : transformer or None
    features_ : (n, d) float32 array, or `Rows`
        The real images in the embedding space; above a gigabyte they are not kept but
        computed when needed.
    image_shape_ : tuple or None
        (h, w, 3) where artifacts are images, None where they are plain vectors.
    m_ : int
        Directions of "tangent".
    certified_share_ : float
        Share of the images in the last call of `project` whose neighbours the certified
        search found without a comparison with all real images; NaN if the search was
        not certified.

    Notes
    -----
    faiss finds the neighbours; artifact and distance are recomputed from the features,
    so that an image of the manifold set has an artifact of exactly zero.  (If another
    real image differs from it by less than single precision tells apart, brute search
    may take that one; `search="certified"` does not.)  Never project the real images on
    themselves: use `exclude_self`, or a disjoint set.

    The 33 neighbours of "hull" span 32 directions.  On views of a photograph, whose
    closest point is known, the error for held-out views falls as k grows through 5, 9,
    17 and 33, both with 1,000 real images and with 30,000: the first directions are
    tangents, the further ones follow the curvature.  More neighbours begin to absorb
    the artifact.

    Where `m` is not given, up to 200 real images are projected on the planes of 0, 1,
    ... k - 2 directions of their k - 1 nearest neighbours, each image without itself.
    The distance that is left falls with every further direction, so the smallest one
    would always choose the hull.  Therefore `m_` is the knee of this curve, where it is
    farthest below the straight line between its ends.

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
        m=None,
        ridge=1e-3,
        metric="euclidean",
        search_space=None,
        search="auto",
        device=None,
    ):
        self.space = space
        self.estimator = estimator
        self.k = k
        self.m = m
        self.ridge = ridge
        self.metric = metric
        self.search_space = search_space
        self.search = search
        self.device = device

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
        self.device_ = str(torch_device(self.device))
        self.space_ = None if self.space is None else make_space(self.space).fit(real)
        is_large = _may_be_large(real)
        features = self._embed(real[:1] if is_large else real, reset=True)
        self._check_count(_num_samples(real))
        self.features_ = _features(real, self._embed) if is_large else features
        self._fit_search(real)
        self.image_shape_ = getattr(self.space_, "image_shape_", None)
        self._n_features_out = self.features_.shape[1]
        if self.estimator == "tangent":
            self.m_ = self._chosen_m() if self.m is None else int(self.m)
        return self

    def fit_transform(self, real, y=None):
        """Leave-one-out artifacts of the real images themselves: (n, d) float32."""
        return self.fit(real).project(real, exclude_self=True).artifact

    def transform(self, images):
        """Artifacts of the images: (n, d) float32 array."""
        check_is_fitted(self)
        shape = _num_samples(images), self._n_features_out
        artifacts = np.empty(shape, np.float32)
        done = 0
        for part in self.project_in_parts(images):
            artifacts[done : done + len(part.artifact)] = part.artifact
            done += len(part.artifact)
        return artifacts

    def project_in_parts(self, images, *, memory=BYTES):
        """Project images in parts, for sets that would not fit into memory as a whole.

        Parameters
        ----------
        images : as for `project`
        memory : int
            Bytes that the arrays of one part may take.

        Yields
        ------
        EstimatedProjection
            The projection of the next images, in their order.
        """
        check_is_fitted(self)
        # Features, their search keys, closest points, artifacts.
        step = rows_within(4 * self._n_features_out, memory=memory)
        for start in range(0, max(1, _num_samples(images)), step):
            yield self.project(images[start : start + step])

    def project(self, images, *, exclude_self=False, index=None):
        """Estimate the closest point of the manifold to every image.

        Parameters
        ----------
        images : (n, h, w, 3) uint8 array, or (n, d) array where `space` is None
        exclude_self : bool
            True where the images are those that were fitted, in their order: each one
            is left out of its own neighbours, also of those in `index`.
        index : (n, m) int array, optional
            Neighbours of these images that were found before, nearest first.  The first
            k are used, so that other estimators and smaller k need no new search.

        Returns
        -------
        EstimatedProjection
            Named tuple of `x_star`, `artifact`, `distance`, `index`.

        Raises
        ------
        ValueError
            If `exclude_self` does not fit the images, or `index` holds fewer than k
            neighbours per image.
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
        index = _first(index, len(x), self._n_neighbors(), exclude_self)
        if index.shape[1] == 1:
            x_star = self.features_[index[:, 0]]
        else:
            x_star = self._combine(x, index)
        return displacement(x, x_star, index)

    def _check_parameters(self):
        if self.estimator not in ESTIMATORS:
            raise ValueError(unknown("estimator", self.estimator, ESTIMATORS))
        _check_positive("k", self.k)
        _check_positive("m", self.m)
        if self.estimator == "tangent" and (self.m or 1) >= self._n_neighbors():
            raise ValueError(
                f"k={self._n_neighbors()} neighbours span {self._n_neighbors() - 1} "
                f"directions, so m={self.m or 1} is too large; give a smaller m or a "
                "larger k."
            )
        if not self.ridge > 0:
            raise ValueError(f"ridge must be positive, got {self.ridge!r}.")
        if self.search not in SEARCHES:
            raise ValueError(unknown("search", self.search, SEARCHES))
        if self.metric not in METRICS:
            raise ValueError(unknown("metric", self.metric, METRICS))
        if self.space is None and self.search_space is not None:
            raise ValueError(
                "search_space needs images, but space=None takes features; give the "
                "manifold a space."
            )

    def _check_count(self, n):
        k = self._n_neighbors()
        if self.estimator == "tangent" and self.m is None and n == k:
            raise ValueError(
                f"to choose m, each of {n} real images is left out, so k={k} needs one "
                "more; give another image, a smaller k, or m."
            )
        if n < k:
            raise ValueError(
                f"{n} real images (n_samples={n}) cannot give {k} neighbours, {k - n} "
                "are missing; give more images or a smaller k."
            )

    def _chosen_m(self):
        """The knee of the distances that are left by more and more directions."""
        n = len(self.features_)
        rows = np.linspace(0, n - 1, min(n, HELD_OUT)).astype(int)
        found = self._nearest(self.keys_[rows], self._n_neighbors() + 1)
        index = _without(found, rows)[:, :-1]
        left = [
            tangent_residuals(self.features_[rows[part]], self.features_[index[part]])
            for part in self._batches(index)
        ]
        return max(1, knee(np.concatenate(left).mean(axis=0)))

    def _n_neighbors(self):
        return int(self.k or ESTIMATORS[self.estimator])

    def _embed(self, images, *, reset=False):
        features = images if self.space_ is None else self.space_.transform(images)
        return validate_data(self, features, reset=reset, dtype=np.float32, order="C")

    def _fit_search(self, real):
        self.search_space_ = None
        if self.search_space is not None:
            self.search_space_ = make_space(self.search_space).fit(real)
        # Centring makes the search ten times more accurate at no cost.
        self.center_ = np.float32(0)
        keys = self._all_keys(real)
        self.center_ = _mean(keys)
        if not isinstance(keys, Rows):
            keys = np.ascontiguousarray(keys - self.center_)
        self.keys_, self.certified_share_ = keys, np.nan
        self._certified = None
        if self.search == "certified":
            self._certified = CertifiedSearch(keys, device=self.device_)

    def _all_keys(self, real):
        if _may_be_large(real):
            return _features(real, self._keys_of)
        return self._uncentred_keys(real, self.features_)

    def _keys_of(self, images):
        x = None if self.search_space_ is not None else self._embed(images)
        return self._search_keys(images, x)

    def _search_keys(self, images, features):
        """Rows whose Euclidean distances decide which real images are neighbours."""
        keys = self._uncentred_keys(images, features)
        return np.ascontiguousarray(keys - self.center_)

    def _uncentred_keys(self, images, features):
        keys = features
        if self.search_space_ is not None:
            keys = self.search_space_.transform(images).astype(np.float32)
        return normalize(keys) if self.metric == "cosine" else keys

    def _neighbors(self, keys, exclude_self):
        k = self._n_neighbors() + exclude_self
        if k > len(self.features_):
            raise ValueError(
                f"with one left out, {len(self.features_)} real images cannot give "
                f"{self._n_neighbors()} neighbours; give more images or a smaller k."
            )
        return self._nearest(keys, k)

    def _nearest(self, keys, k):
        """Numbers of the k nearest real images: (n, k) int64."""
        if not self._is_certified(keys):
            self.certified_share_ = np.nan
            return _search(keys, self.keys_, k)
        if self._certified is None:
            self._certified = CertifiedSearch(self.keys_, device=self.device_)
        found = self._certified.query(keys, k)
        self.certified_share_ = float(found.certified.mean())
        return found.index

    def _is_certified(self, keys):
        if self.search != "auto":
            return self.search == "certified"
        is_large = isinstance(self.keys_, Rows) or keys.size * len(self.keys_) > PAYS
        return is_large or self.device_ != "cpu"

    def _combine(self, x, index):
        """The estimate of the closest point from each row of neighbours."""
        x_star = np.empty_like(x)
        for rows in self._batches(index):
            x_star[rows] = self._estimate(x[rows], self.features_[index[rows]])
        return x_star

    def _batches(self, index):
        """Slices of rows whose neighbours fit into memory, with their differences."""
        step = rows_within(2 * index.shape[1] * self._n_features_out)
        return (slice(i, i + step) for i in range(0, len(index), step))

    def _estimate(self, x, neighbors):
        if self.estimator == "nearest":
            return neighbors.mean(axis=1)
        if self.estimator == "hull":
            return affine_projection(x, neighbors, ridge=self.ridge)
        return tangent_projection(x, neighbors, self._n_directions())

    def _n_directions(self):
        if self.m is None and not hasattr(self, "m_"):
            raise ValueError(
                "m was not chosen, because the manifold was fitted with another "
                "estimator; fit it again, or give m."
            )
        return int(self.m or self.m_)


def unknown(what, name, known):
    """An error message about a name, with a hint where it was renamed.

    Examples
    --------
    >>> unknown("estimator", "affine", ["nearest", "hull"])
    "unknown estimator 'affine', which was renamed 'hull'; known: nearest, hull."
    """
    hint = f", which was renamed {RENAMED[name]!r}" if name in RENAMED else ""
    return f"unknown {what} {name!r}{hint}; known: {', '.join(known)}."


def _may_be_large(images):
    return 4 * np.size(images) > LARGE


def _mean(keys):
    """Mean of rows (n, d): (d,) float32."""
    if not isinstance(keys, Rows):
        return keys.mean(axis=0, dtype=np.float64).astype(np.float32)
    total = sum(keys[part].sum(axis=0, dtype=np.float64) for part in parts_of(keys))
    return (total / len(keys)).astype(np.float32)


def _features(images, embed):
    """Features of images, or an object that computes them where they are large."""
    rows = Rows(images, embed)
    return rows if 4 * len(rows) * rows.shape[1] > LARGE else embed(images)


def _check_positive(name, value):
    is_whole = isinstance(value, Integral) and not isinstance(value, bool)
    if value is not None and not (is_whole and value > 0):
        raise ValueError(f"{name} must be a positive integer or None, got {value!r}.")


def _first(index, n, k, exclude_self):
    """The first k neighbours of n images, without the images themselves if asked."""
    if len(index) != n or index.shape[1] < k + exclude_self:
        itself = " besides the image itself" if exclude_self else ""
        raise ValueError(
            f"index holds {index.shape[1]} neighbours for {len(index)} images, but {k} "
            f"for {n} are needed{itself}; leave it out to search again."
        )
    return (_without(index, np.arange(n)) if exclude_self else index)[:, :k]


def _search(queries, keys, k):
    """Rows of the k keys nearest to each query, nearest first: (n, k) int64."""

    def search():
        return faiss.knn(queries, keys, k)[1]

    if isinstance(keys, Rows):
        blocks = (keys[part] for part in parts_of(keys))
        return knn_ground_truth(queries, blocks, k)[1]
    if queries.size * len(keys) < LONG:
        return search()
    # Between keys that are almost equally near, the number of threads can decide.
    inputs = queries, keys, k, faiss.omp_get_max_threads()
    return cached(search, "search", *inputs, code=code_of(_search))


def _without(index, rows):
    """Remove from each row its own number, or the last neighbour if it is not there."""
    mine = index == rows[:, None]
    # An exact duplicate can push an image out of its own list of neighbours.
    mine[~mine.any(axis=1), -1] = True
    return index[~mine].reshape(len(index), -1)
