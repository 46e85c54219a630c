"""Artifacts without a closest real image: what a filter removes from an image.

`Highpass` and `Median` are controls.  They know no real image, so what they gain over
the raw image cannot be credited to the manifold.  The learned projection of `denoiser`
has the same interface, and learns its filter from real images.
"""

import numpy as np
from scipy import ndimage
from scipy.fft import fft2, fftshift
from sklearn.utils.validation import check_is_fitted

from .._support.names import FILTERED
from ..images.validation import check_images
from .projection import Projector, displacement, rows_within
from .spaces import ALIASES

OFFSET = 1e-3  # offset of the log spectrum, relative to the mean magnitude
SCALED_BY = 1000  # real images whose artifacts give that mean


class Filter(Projector):
    r"""An artifact that is computed from the image alone, as pixels or as spectrum.

    In "frequency" it is the log spectrum of the artifact, not the difference of two log
    spectra: for a linear filter :math:`h` that difference, :math:`\log |F| - \log |H
    F|`, would be the same for all images.

    Parameters
    ----------
    space : {"rgb", "frequency"}

    Attributes
    ----------
    image_shape_ : tuple
        (h, w, 3).
    offset_ : float
        What is added to magnitudes before the logarithm: a thousandth of their mean
        over artifacts of real images.
    """

    _numbers = 8  # that are in memory at once for every value of an image

    def __init__(self, space="rgb"):
        self.space = space

    def fit(self, real, y=None):
        """Learn what the filter needs of real images (n, h, w, 3), 8-bit RGB.

        Raises
        ------
        ValueError
            If the images or a parameter are unfit, or the space has no pixels.
        """
        real = check_images(real)
        self.space_ = _shown_in(self.space, type(self).__name__)
        self.image_shape_ = real.shape[1:]
        self._n_features_out = real[0].size
        self._learn(real)
        if self.space_ == "frequency":
            few = real[:: -(-len(real) // SCALED_BY)]
            artifacts = self._in_parts(few, self._artifacts)
            self.offset_ = OFFSET * float(_magnitudes(artifacts).mean()) or OFFSET
        return self

    def project(self, images):
        """The filtered images and what was taken out, as an `EstimatedProjection`.

        All are pixels in 0..1, whatever the space: only `transform` gives spectra.
        """
        artifact = self._in_parts(self._check(images), self._artifacts)
        artifact = artifact.reshape(len(artifact), -1)
        x = images.reshape(artifact.shape) / np.float32(255)
        return displacement(x, x - artifact)

    def transform(self, images):
        """Artifacts of the images, as pixels or as log spectra: (n, d) float32."""
        found = self._in_parts(self._check(images), self._shown)
        return found.reshape(len(found), -1)

    def _check(self, images):
        check_is_fitted(self)
        return check_images(images, shape=self.image_shape_)

    def _shown(self, images):
        artifacts = self._artifacts(images)
        if self.space_ == "rgb":
            return artifacts
        return np.log(_magnitudes(artifacts) + np.float32(self.offset_))

    def _in_parts(self, images, compute):
        """Arrays of the shape of the images, computed for some images at a time."""
        found = np.empty(images.shape, np.float32)
        step = rows_within(self._numbers * images[0].size)
        for start in range(0, len(images), step):
            rows = slice(start, start + step)
            found[rows] = compute(images[rows])
        return found

    def _learn(self, real):
        """Learn nothing, because such a filter needs no real image."""

    def _artifacts(self, images):
        """What the filter takes out, in 0..1: (n, h, w, 3) float32 array."""
        x = images / np.float32(255)
        return x - self._filtered(x)


class Highpass(Filter):
    """The image minus its own Gaussian blur.

    Parameters
    ----------
    space : {"rgb", "frequency"}
    sd : float
        Standard deviation of the blur, in pixels.

    Examples
    --------
    >>> grey = np.full((1, 8, 8, 3), 128, np.uint8)
    >>> bool(np.abs(Highpass().fit_transform(grey)).max() < 1e-6)
    True
    """

    def __init__(self, space="rgb", *, sd=0.5):
        super().__init__(space)
        self.sd = sd

    def _learn(self, real):
        if not self.sd > 0:
            raise ValueError(f"sd must be positive, got {self.sd!r}.")

    def _filtered(self, x):
        return ndimage.gaussian_filter(x, (0, self.sd, self.sd, 0))


class Median(Filter):
    """The image minus the medians of its own 3 x 3 neighbourhoods.

    Parameters
    ----------
    space : {"rgb", "frequency"}
    """

    def _filtered(self, x):
        return ndimage.median_filter(x, (1, 3, 3, 1))


def _shown_in(space, name):
    """The full name of a space of images."""
    space = ALIASES.get(space, space) if isinstance(space, str) else space
    if not isinstance(space, str) or space not in FILTERED:
        raise ValueError(
            f"{name} filters pixels, and its artifact is no image that a network could "
            f"read, so it has no features in {space!r}; give one of "
            f"{', '.join(FILTERED)}."
        )
    return space


def _magnitudes(artifacts):
    return np.abs(fftshift(fft2(artifacts, axes=(1, 2)), axes=(1, 2)))
