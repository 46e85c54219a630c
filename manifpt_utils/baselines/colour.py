"""Colours as fingerprints: saturated pixels, and which grey levels are neighbours."""

from numbers import Integral

import numpy as np

from ..method.spaces import Space

COLOURS = ("red", "green", "blue")


class SaturationStatistics(Space):
    r"""Shares of over- and under-exposed values (McCloskey and Albright 2018).

    .. math:: f_o(t) = P(I \ge t), \qquad f_u(t) = P(I \le t)

    over all pixels and channels of an image.  A camera saturates where a scene is too
    bright; a generator that normalises its activations hardly ever saturates.

    Parameters
    ----------
    over, under : sequence of int
        Thresholds t, as grey levels.

    Raises
    ------
    ValueError
        If a threshold is not a grey level, or images are not 8-bit RGB images.

    Notes
    -----
    arXiv 1812.08247; the ICIP 2019 version is "Detecting GAN-generated imagery using
    saturation cues".  There is no official code.  That there are eight thresholds in
    240..255 and eight in 0..15 is known to us second-hand; the exact thresholds, and
    that the channels are pooled, are our choice.  Shares in disjoint bins would be a
    linear map of these shares, which a linear classifier cannot tell apart.  Images of
    all classes must have been clipped and saved in the same way.

    Examples
    --------
    >>> white = np.full((1, 4, 4, 3), 255, np.uint8)
    >>> SaturationStatistics(over=(250,), under=(5,)).fit_transform(white)
    array([[1., 0.]], dtype=float32)
    """

    def __init__(self, *, over=tuple(range(241, 256, 2)), under=tuple(range(0, 15, 2))):
        self.over = over
        self.under = under

    def _learn(self, images):
        for name in ("over", "under"):
            levels = getattr(self, name)
            if not all(isinstance(t, Integral) and 0 <= t <= 255 for t in levels):
                raise ValueError(
                    f"{name} must hold grey levels, whole numbers in 0..255, got "
                    f"{levels!r}."
                )
        self.image_shape_ = None

    def _embed(self, images):
        values = images.reshape(len(images), -1)
        over = [(values >= t).mean(axis=1) for t in self.over]
        under = [(values <= t).mean(axis=1) for t in self.under]
        return np.stack(over + under, axis=1).astype(np.float32)

    def get_feature_names_out(self, input_features=None):
        """Names such as `over_241` and `under_0`: (d,) object array."""
        names = [f"over_{t}" for t in self.over] + [f"under_{t}" for t in self.under]
        return np.array(names, dtype=object)


class CooccurrenceMatrices(Space):
    r"""How often two grey levels are neighbours, per channel (Nataraj et al. 2019).

    .. math::

        f_c(i, j) = L^2 \, P(I_c(y, x) = i, \; I_c(y, x + \delta) = j)

    for L grey levels.  For independent, uniformly distributed levels, f = 1 everywhere.

    Parameters
    ----------
    levels : int
        Grey levels L, a power of two up to 256.
    offset : int
        Horizontal distance of the two pixels.
    symmetric : bool
        Whether to count each pair in both orders.
    log : bool
        Whether to return log(1 + f) instead of f.

    Attributes
    ----------
    image_shape_ : tuple
        (L, L, 3): the rows are images again, flattened channel-last.

    Raises
    ------
    ValueError
        If a parameter has an impossible value, or images are not wider than the offset.

    Notes
    -----
    arXiv 1903.06836; there is no official code.  256 levels and offset 1 are those of
    the paper (from memory); the GRIP-UNINA re-implementation uses offset 5 and
    `symmetric`.  An image of 32 x 32 pixels leaves 98 % of 256 x 256 cells empty;
    therefore 64 levels are our choice, and so is the scale.  Images are never resized.
    A row with 256 levels takes 786 kB.

    Examples
    --------
    >>> grey = np.full((1, 4, 4, 3), 255, np.uint8)
    >>> counts = CooccurrenceMatrices(levels=2).fit_transform(grey)
    >>> counts.reshape(2, 2, 3)[..., 0]
    array([[0., 0.],
           [0., 4.]], dtype=float32)
    """

    def __init__(self, *, levels=64, offset=1, symmetric=False, log=False):
        self.levels = levels
        self.offset = offset
        self.symmetric = symmetric
        self.log = log

    def _learn(self, images):
        if self.levels not in (2, 4, 8, 16, 32, 64, 128, 256):
            raise ValueError(
                f"levels must be a power of two from 2 to 256, got {self.levels!r}."
            )
        if not isinstance(self.offset, Integral) or self.offset < 1:
            raise ValueError(f"offset must be a positive integer, got {self.offset!r}.")
        self._check_width(images)
        self.image_shape_ = (self.levels, self.levels, 3)

    def _check_width(self, images):
        if images.shape[2] <= self.offset:
            raise ValueError(
                f"images {images.shape[2]} pixels wide have no two pixels at offset "
                f"{self.offset}; give wider images or a smaller offset."
            )

    def _embed(self, images):
        self._check_width(images)
        features = np.stack([self._density(image) for image in images])
        return np.log1p(features) if self.log else features

    def _density(self, image):
        """The f of one image, flattened: (L * L * 3,) float32."""
        level = image.astype(np.intp) // (256 // self.levels)
        left, right = level[:, : -self.offset], level[:, self.offset :]
        cells = (left * self.levels + right) * 3 + np.arange(3)
        size = self.levels**2 * 3
        counts = np.bincount(cells.ravel(), minlength=size)
        if self.symmetric:
            square = counts.reshape(self.image_shape_)
            counts = (square + square.swapaxes(0, 1)).ravel() / 2
        return (counts * (self.levels**2 * 3 / left.size)).astype(np.float32)

    def get_feature_names_out(self, input_features=None):
        """Names such as `3_4_red` (left level, right level): (d,) object array."""
        levels = range(self.levels)
        names = [f"{i}_{j}_{c}" for i in levels for j in levels for c in COLOURS]
        return np.array(names, dtype=object)
