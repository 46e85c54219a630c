"""Spectra as fingerprints: the radial profile, and the decay at high frequencies."""

from numbers import Integral

import numpy as np
from scipy.fft import fft2, fftshift
from scipy.interpolate import make_interp_spline
from scipy.optimize import minimize_scalar
from scipy.sparse import csr_array

from ..method.spaces import Space, slices

LUMA = (0.299, 0.587, 0.114)  # weights of OpenCV and MATLAB
FLOOR = 1e-8  # below the resolution of 8 bits; keeps logarithms finite
SPARSE = 0.1  # above this share of empty rings, too much is interpolated


class AzimuthalSpectrum(Space):
    r"""Log magnitude spectrum, averaged over rings (Durall et al. 2020).

    .. math:: f_r = S_r / S_1, \quad S_r = \text{mean over ring } r \text{ of }
        20 \ln |F + 10^{-8}|

    with the Fourier transform F of the grey image.  Upsampling layers bend the end of
    this curve.

    Parameters
    ----------
    normalise : bool
        Whether to divide by the first ring; False returns S.
    n_points : int, optional
        Number of values to which the curve is interpolated (cubic spline), for images
        of several sizes.

    Attributes
    ----------
    image_shape_ : None
    n_rings_ : int
        20 for 32 x 32 pixels, 43 for 64 x 64.

    Raises
    ------
    ValueError
        If images are smaller than 8 x 8, or have another size than in `fit` and
        `n_points` is not given.

    Notes
    -----
    Details follow the code of cc-hpc-itwm/DeepFakeDetection.  The logarithm is natural
    in spite of the factor 20.  Radii are whole pixels from the centre (n - 1) / 2.  The
    ring of radius 0, which holds the zero frequency, and the last ring are left out,
    and the profile is divided by the first ring that remains; CelebA crops have 80
    points. On images that are not square, rings of equal radius in pixels are ellipses
    in frequency.  That code also divides by the first ring if it is almost zero; we
    leave such an image as it is.

    Examples
    --------
    >>> x = np.random.default_rng(0).integers(0, 256, (2, 32, 32, 3), np.uint8)
    >>> AzimuthalSpectrum().fit_transform(x).shape
    (2, 20)
    """

    _smallest = 8

    def __init__(self, *, normalise=True, n_points=None):
        self.normalise = normalise
        self.n_points = n_points

    def _learn(self, images):
        if self.n_points is not None and not (
            isinstance(self.n_points, Integral) and self.n_points >= 2
        ):
            raise ValueError(
                f"n_points must be an integer above 1 or None, got {self.n_points!r}."
            )
        self.image_shape_ = None
        self.n_rings_ = pixel_rings(*images.shape[1:3]).max() - 1

    def _embed(self, images):
        rings = pixel_rings(*images.shape[1:3])
        if self.n_points is None and rings.max() - 1 != self.n_rings_:
            raise ValueError(
                f"images of {images.shape[1]} x {images.shape[2]} pixels have "
                f"{rings.max() - 1} rings, those of the fit {self.n_rings_}; resize "
                "them, or set n_points to interpolate."
            )
        mean = _ring_means(rings)[1:-1]
        parts = [_spectra(grey(images[s])) @ mean.T for s in slices(images)]
        return self._finish(np.concatenate(parts)).astype(np.float32)

    def _finish(self, profile):
        if self.n_points is not None:
            old, new = (np.linspace(0, 1, k) for k in (profile.shape[1], self.n_points))
            degree = min(3, len(old) - 1)
            profile = make_interp_spline(old, profile, degree, axis=1)(new)
        if not self.normalise:
            return profile
        first = profile[:, :1]
        return profile / np.where(np.abs(first) < 1e-3, 1.0, first)

    def get_feature_names_out(self, input_features=None):
        """Names such as `ring_1`: (d,) object array."""
        size = self.n_points or self.n_rings_
        return np.array([f"ring_{r + 1}" for r in range(size)], dtype=object)


class SpectrumDecay(Space):
    r"""How the magnitude spectrum decays at its end (Dzanic et al. 2020).

    .. math:: |F(r)| / |F(0)| \approx y_1 (r / r_1)^b, \quad r \ge \text{start} \cdot
        r_\text{max}

    There are three features: b, and y_1 and y_last, the first and the last magnitude
    (relative to the zero frequency) of the fitted range.  Spectra of camera images
    decay steadily; those of generated images level off.

    Parameters
    ----------
    n_rings : int, optional
        Rings between half and all of the largest radius; max(6, n // 4) by default.
    smooth : int
        Width of the moving average over rings; odd.
    start : float
        Where the fit begins, as a share of the largest radius; in 0.5..0.75.
    criterion : {"log", "norm"}
        What the fit minimises: the squares of log magnitudes ("log"), or the 2-norm of
        the residuals of a curve that passes through y_1 ("norm").

    Attributes
    ----------
    image_shape_ : tuple
        (n, n, 3) of the fitted images.

    Raises
    ------
    ValueError
        If images are not square, are smaller than 16 x 16, have another size than in
        `fit`, or are too small for the number of rings.

    Notes
    -----
    arXiv 1911.06465, NeurIPS 2020.  Its MATLAB code (FourierSpectrumDiscrepancies) uses
    grey images, 200 rings above half of the corner's radius, a moving average of width
    5, and the 2-norm.  Ours differs on purpose in the following.  The radius starts at
    the zero frequency, not one pixel beside it.  Magnitudes are divided by the zero
    frequency as the paper says (from memory) and the code does not, which makes y_1 and
    y_last independent of exposure.  The fit starts at 0.75 as in the paper (from
    memory), while the code has 0.85.  Empty rings are interpolated, while the code
    divides 0 by 0.  Of 200 rings, some 130 are empty at 32 pixels, which is why fewer
    rings, and with them the logarithmic fit, are the default.

    Examples
    --------
    >>> x = np.random.default_rng(0).integers(0, 256, (2, 32, 32, 3), np.uint8)
    >>> SpectrumDecay().fit_transform(x).shape
    (2, 3)
    """

    _smallest = 16

    def __init__(self, *, n_rings=None, smooth=1, start=0.75, criterion="log"):
        self.n_rings = n_rings
        self.smooth = smooth
        self.start = start
        self.criterion = criterion

    @property
    def _shape(self):
        return self.image_shape_

    def _learn(self, images):
        self._check_parameters()
        _, height, width, _ = images.shape
        if height != width:
            raise ValueError(
                f"images are {height} x {width}, but rings of frequencies need square "
                "ones; crop them to squares first."
            )
        radius, ring, n_rings = self._rings(height)
        empty = n_rings - len(np.unique(ring[ring >= 0]))
        if empty > SPARSE * n_rings:
            raise ValueError(
                f"of {n_rings} rings, {empty} are empty in images of {height} x "
                f"{width}; set n_rings to None or less, or give larger images."
            )
        self.image_shape_ = images.shape[1:]

    def _check_parameters(self):
        n = self.n_rings
        if n is not None and not (isinstance(n, Integral) and n >= 6):
            raise ValueError(f"n_rings must be an integer above 5 or None, got {n!r}.")
        if not isinstance(self.smooth, Integral) or self.smooth % 2 != 1:
            raise ValueError(
                f"smooth must be a positive odd number, got {self.smooth!r}."
            )
        if not 0.5 <= self.start <= 0.75:
            raise ValueError(f"start must be in 0.5..0.75, got {self.start!r}.")
        if self.criterion not in ("log", "norm"):
            raise ValueError(
                f'criterion must be "log" or "norm", got {self.criterion!r}.'
            )

    def _rings(self, size):
        n_rings = self.n_rings or max(6, size // 4)
        return *frequency_rings(size, n_rings), n_rings

    def _embed(self, images):
        parts = [self._describe(_magnitudes(grey(images[s]))) for s in slices(images)]
        return np.concatenate(parts).astype(np.float32)

    def _describe(self, magnitude):
        """Features (n, 3) from relative magnitudes (n, h * w)."""
        size = self.image_shape_[0]
        radius, ring, n_rings = self._rings(size)
        mean = _ring_means(ring, n_rings)
        filled = np.flatnonzero(mean.sum(axis=1))
        first = int(n_rings * (self.start - 0.5) / 0.5)
        repair = _smoother(n_rings, self.smooth) @ _interpolator(filled, n_rings)
        x = (repair @ (mean @ radius.ravel())[filled])[first:]
        y = (magnitude @ mean.T)[:, filled] @ repair.T
        return decay(x / x[-1], np.maximum(y[:, first:], FLOOR), self.criterion)

    def get_feature_names_out(self, input_features=None):
        """`exponent`, `first` and `last`: (3,) object array."""
        return np.array(["exponent", "first", "last"], dtype=object)


def grey(images):
    """Luminance of 8-bit images, rounded to grey levels: (n, h, w) float64.

    >>> grey(np.array([[[[255, 0, 0]]]], np.uint8)).item()
    76.0
    """
    return np.rint(images @ np.array(LUMA))


def pixel_rings(height, width):
    """Distance from the centre of the image in whole pixels: (h, w) int array.

    >>> [int(pixel_rings(n, n).max()) - 1 for n in (28, 32, 64, 128)]
    [18, 20, 43, 88]
    """
    y, x = np.ogrid[:height, :width]
    return np.hypot(y - (height - 1) / 2, x - (width - 1) / 2).astype(int)


def frequency_rings(size, n_rings):
    """Rings of equal width between half of the largest radius and all of it.

    Returns
    -------
    radius : (size, size) float array
        Distance from the zero frequency, which is at size // 2.
    ring : (size, size) int array
        Number of the ring; -1 inside the innermost ring.

    Examples
    --------
    >>> frequency_rings(16, 6)[1].diagonal().tolist()
    [5, 4, 2, 1, -1, -1, -1, -1, -1, -1, -1, -1, -1, 1, 2, 4]
    """
    frequency = np.arange(size) - size // 2
    radius = np.hypot(frequency[:, None], frequency)
    kept = radius > 0.5 * np.hypot(size / 2, size / 2)
    edges = np.linspace(radius[kept].min(), radius[kept].max(), n_rings + 1)
    ring = np.digitize(radius, edges[1:-1])
    return radius, np.where(kept, ring, -1)


def decay(x, y, criterion="log"):
    """Fit a power law to a spectrum relative to its zero frequency.

    Parameters
    ----------
    x : (k,) array
        Radii.
    y : (n, k) array
        Positive magnitudes.
    criterion : {"log", "norm"}

    Returns
    -------
    (n, 3) array
        Exponent, first and last magnitude.

    Examples
    --------
    >>> x = np.linspace(0.5, 1, 5)
    >>> decay(x, 3 * x[None] ** -2.0).round(6)
    array([[-2., 12.,  3.]])
    """
    log_x = np.log(x) - np.log(x).mean()
    exponent = np.log(y) @ log_x / (log_x @ log_x)
    if criterion == "norm":
        exponent = np.array([_held_exponent(x / x[0], row / row[0]) for row in y])
    return np.stack([exponent, y[:, 0], y[:, -1]], axis=1)


def _held_exponent(x, y):
    def residual(b):
        return np.linalg.norm(y - x**b)

    return minimize_scalar(residual, bounds=(-50, 50), method="bounded").x


def _spectra(images):
    """20 ln |F + 1e-8| of grey images: (n, h * w)."""
    spectrum = fftshift(fft2(images), axes=(1, 2)) + FLOOR
    # The sum with FLOOR can still be exactly zero.
    size = np.maximum(np.abs(spectrum), np.finfo(float).tiny)
    return 20 * np.log(size).reshape(len(images), -1)


def _magnitudes(images):
    """Magnitudes relative to the zero frequency: (n, h * w)."""
    magnitude = np.abs(fft2(images))
    gain = magnitude[:, :1, :1]
    relative = magnitude / np.where(gain > 0, gain, 1)  # a black image has none
    return fftshift(relative, axes=(1, 2)).reshape(len(images), -1)


def _ring_means(ring, n_rings=None):
    """The matrix (n_rings, h * w) that averages over rings; -1 belongs to no ring."""
    ring = ring.ravel()
    pixels = np.flatnonzero(ring >= 0)
    counts = np.bincount(ring[pixels], minlength=n_rings or 0)
    weights = 1 / counts[ring[pixels]]
    shape = len(counts), len(ring)
    return csr_array((weights, (ring[pixels], pixels)), shape=shape)


def _interpolator(filled, n_rings):
    """The matrix (n_rings, k) that fills empty rings from the nearest others."""
    rings = np.arange(n_rings)
    return np.array([np.interp(rings, filled, unit) for unit in np.eye(len(filled))]).T


def _smoother(n_rings, width):
    """The matrix of a moving average that narrows at both ends."""
    rings = np.arange(n_rings)
    reach = np.minimum(np.minimum(rings, rings[::-1]), width // 2)[:, None]
    near = np.abs(rings[:, None] - rings) <= reach
    return near / near.sum(axis=1, keepdims=True)
