"""Controls: artifacts that are taken without looking for a closest real point.

Each puts something simple in the place of the manifold of real images: their mean, a
subspace, or a random one of them.  What an estimate gains over these controls is what
nearness to the image is worth.  `SideBySide` shows several of them at once.
"""

from numbers import Integral

import numpy as np
from sklearn.base import (
    BaseEstimator,
    ClassNamePrefixFeaturesOutMixin,
    TransformerMixin,
    clone,
)
from sklearn.decomposition import PCA
from sklearn.utils.validation import check_is_fitted

from ..images.copies import digests
from .filters import Highpass
from .projection import Projector, displacement
from .spaces import make_space

SCALED_BY = 1000  # real images that give the scales of what is put side by side


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
        With one seed, an image always has the same partner, whatever images are with
        it.
    """

    def __init__(self, space="rgb", *, seed=0):
        super().__init__(space)
        self.seed = seed

    def _learn(self, features):
        self.features_ = features

    def project(self, images):
        """Real images at random and the artifacts, as an `EstimatedProjection`."""
        check_is_fitted(self)
        partners = [self._partner(int(digest, 16)) for digest in digests(images)]
        return displacement(self._embed(images), self.features_[partners])

    def _partner(self, digest):
        rng = np.random.default_rng([self.seed, digest])
        return rng.integers(len(self.features_))


class Blurred(Control):
    """The image minus its own Gaussian blur, both in the space.

    Between pixels it is the high-pass, but for the rounding of the blurred image; in a
    space of a network, where a high-pass has no features, it stands for one.

    Parameters
    ----------
    space : str or transformer
    sd : float
        Standard deviation of the blur, in pixels.

    Examples
    --------
    >>> grey = np.full((2, 8, 8, 3), 128, np.uint8)
    >>> Blurred().fit(grey).transform(grey).any().item()
    False
    """

    def __init__(self, space="rgb", *, sd=0.5):
        super().__init__(space)
        self.sd = sd

    def fit(self, real, y=None):
        """Fit the space on real images (n, h, w, 3); the blur uses none of them."""
        self.filter_ = Highpass(sd=self.sd).fit(real)
        return super().fit(real)

    def _learn(self, features):
        """Learn nothing."""

    def project(self, images):
        """The blurred images and what they lack, as an `EstimatedProjection`."""
        check_is_fitted(self)
        blurred = 255 * self.filter_.project(images).x_star.reshape(images.shape)
        x_star = self._embed(blurred.round().clip(0, 255).astype(np.uint8))
        return displacement(self._embed(images), x_star)


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


class SideBySide(ClassNamePrefixFeaturesOutMixin, TransformerMixin, BaseEstimator):
    """Several representations of an image, as channels of one picture.

    Each part is centred and scaled by its own values for real images, because a
    classifier scales all channels alike, and an artifact is far shorter than an image.

    Parameters
    ----------
    parts : sequence of transformers
        They give images of one size, for instance a space and `Highpass()`.

    Attributes
    ----------
    parts_ : list of fitted transformers
    scales_ : list of (mean, standard deviation), one per part
    image_shape_ : tuple
        Height, width, and the channels of all parts together.

    Examples
    --------
    >>> real = np.arange(2 * 48, dtype=np.uint8).reshape(2, 4, 4, 3)
    >>> shown = SideBySide([make_space("rgb"), MeanReal()]).fit(real)
    >>> shown.image_shape_, shown.transform(real).shape
    ((4, 4, 6), (2, 96))
    """

    def __init__(self, parts):
        self.parts = parts

    def fit(self, real, y=None):
        """Fit all parts on real images (n, h, w, 3), 8-bit RGB.

        Raises
        ------
        ValueError
            If a part gives no images, or images of another size.
        """
        self.parts_ = [clone(part).fit(real) for part in self.parts]
        shapes = [part.image_shape_ for part in self.parts_]
        if None in shapes or len({shape[:2] for shape in shapes}) != 1:
            raise ValueError(
                "only images of one size can be put side by side; the parts give "
                f"{', '.join(map(str, shapes))}, where None is no image. Give parts "
                "in one space of images, such as 'rgb'."
            )
        self.image_shape_ = (*shapes[0][:2], sum(shape[2] for shape in shapes))
        self._n_features_out = int(np.prod(self.image_shape_))
        few = real[:: -(-len(real) // SCALED_BY)]
        self.scales_ = [_mean_and_sd(part.transform(few)) for part in self.parts_]
        return self

    def transform(self, images):
        """All parts, flattened channel-last: (n, d) float32 array."""
        check_is_fitted(self)
        height, width, _ = self.image_shape_
        shown = [
            ((part.transform(images) - mean) / sd).reshape(-1, height, width, channels)
            for part, (mean, sd) in zip(self.parts_, self.scales_, strict=True)
            for channels in [part.image_shape_[2]]
        ]
        rows = np.concatenate(shown, axis=3).reshape(len(images), -1)
        return rows.astype(np.float32, copy=False)


def _mean_and_sd(x):
    mean, sd = x.mean(dtype=np.float64), x.std(dtype=np.float64)
    return np.float32(mean), np.float32(sd or 1)
