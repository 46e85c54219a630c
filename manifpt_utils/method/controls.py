"""Controls: artifacts that are taken without looking for a closest real point.

Each puts something simple in the place of the manifold of real images: their mean, a
subspace, or a random one of them.  What an estimate gains over these controls is what
nearness to the image is worth.
"""

from numbers import Integral

import numpy as np
from sklearn.decomposition import PCA
from sklearn.utils.validation import check_is_fitted

from .projection import Projector, displacement
from .spaces import make_space


class Control(Projector):
    """What these controls share; they work on the features of any space.

    Parameters
    ----------
    space : str or transformer
        As for `DataManifold`.
    """

    def __init__(self, space="rgb"):
        self.space = space

    def fit(self, real, y=None):
        """Learn the stand-in for the manifold from real images (n, h, w, 3)."""
        self.space_ = make_space(self.space).fit(real)
        features = self._embed(real)
        self.image_shape_ = self.space_.image_shape_
        self._n_features_out = features.shape[1]
        self._learn(features)
        return self

    def project(self, images):
        """The points of the stand-in and the artifacts, as an `EstimatedProjection`."""
        check_is_fitted(self)
        x = self._embed(images)
        return displacement(x, self._x_star(x))

    def _embed(self, images):
        return self.space_.transform(images).astype(np.float32, copy=False)


class MeanReal(Control):
    """The image minus the mean of the real images.

    Examples
    --------
    >>> real = np.stack([np.zeros((2, 2, 3)), np.full((2, 2, 3), 255)]).astype(np.uint8)
    >>> MeanReal().fit(real).transform(real)[:, 0]
    array([-0.5,  0.5], dtype=float32)
    """

    def _learn(self, features):
        self.mean_ = features.mean(axis=0, dtype=np.float64).astype(np.float32)

    def _x_star(self, x):
        return np.broadcast_to(self.mean_, x.shape)


class RandomReal(Control):
    """The image minus a real image that is drawn at random.

    Parameters
    ----------
    space : str or transformer
    seed : int
        The same images in the same order are always given the same partners.
    """

    def __init__(self, space="rgb", *, seed=0):
        super().__init__(space)
        self.seed = seed

    def _learn(self, features):
        self.features_ = features

    def _x_star(self, x):
        rng = np.random.default_rng(self.seed)
        return self.features_[rng.integers(len(self.features_), size=len(x))]


class PrincipalComponents(Control):
    """The image minus its projection on the leading components of the real images.

    All images share one plane, whereas the tangent estimate has one for each image.

    Parameters
    ----------
    space : str or transformer
    n_components : int
        By default as many as "hull" has directions.
    """

    def __init__(self, space="rgb", *, n_components=32):
        super().__init__(space)
        self.n_components = n_components

    def _learn(self, features):
        most = min(features.shape)
        is_whole = isinstance(self.n_components, Integral)
        if not is_whole or not 1 <= self.n_components <= most:
            raise ValueError(
                f"n_components must be a whole number from 1 to {most}; there are "
                f"{len(features)} real images of {features.shape[1]} features; got "
                f"{self.n_components!r}."
            )
        # The cheaper of two exact ways: a matrix of features, or one of few images.
        solver = "full" if len(features) < features.shape[1] else "covariance_eigh"
        self.components_ = PCA(self.n_components, svd_solver=solver)
        self.components_.fit(features)

    def _x_star(self, x):
        inside = self.components_.transform(x)
        return self.components_.inverse_transform(inside).astype(np.float32)
