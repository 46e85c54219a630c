"""Known traces: errors of a chosen length, injected into views of a photograph.

A trace is a way in which an image differs from a real one.  The `FINE` ones are those
of upsamplers and filters.  The `COARSE` ones are smooth, or move what is seen, so that
they have little or nothing at high frequencies.  Every image gets the trace at such a
strength that its part at right angles to the manifold has the wanted length.  The image
is then clipped and rounded to 8 bits as all others are.
"""

import numpy as np
import torch
from scipy.ndimage import convolve, gaussian_filter
from torch.nn.functional import interpolate

from .._support.suggestion import suggestion
from .photograph import SIZE

SD = 1.0  # of blur and sharpening, in pixels
ROUNDS = 6  # iterations in which the strength of a bulge is found
LARGEST_BULGE = 0.6
# After zeros are inserted, the four phases of the result are weighted unequally.
ZEROS_KERNEL = np.array([[0.2, 0.5, 0.3], [0.6, 1.2, 0.4], [0.2, 0.4, 0.2]])


def _halved(x):
    n, height, width, _ = x.shape
    return x.reshape(n, height // 2, 2, width // 2, 2, 3).mean(axis=(2, 4))


def _upsampled(mode):
    """The trace of a reduction to half the size, and this interpolation back."""

    def trace(x, rng):
        small = torch.from_numpy(_halved(x)).permute(0, 3, 1, 2)
        large = interpolate(small, scale_factor=2, mode=mode)
        return large.permute(0, 2, 3, 1).numpy() - x

    return trace


def _zeros(x, rng):
    between = np.zeros_like(x)
    between[:, ::2, ::2] = _halved(x)
    return convolve(between, ZEROS_KERNEL[None, :, :, None], mode="nearest") - x


def _blur(x, rng):
    return gaussian_filter(x, (0, SD, SD, 0)) - x


def _pattern(values):
    """The trace that adds the same (32, 32, 3) values to every image."""

    def trace(x, rng):
        return np.broadcast_to(values, x.shape).astype(x.dtype)

    return trace


_down, _right = np.mgrid[-1 : 1 : SIZE * 1j, -1 : 1 : SIZE * 1j][..., None]
_even = np.arange(SIZE) % 2 * 2 - 1
FINE_DIRECTIONS = {
    "nearest": _upsampled("nearest"),
    "linear": _upsampled("bilinear"),
    "cubic": _upsampled("bicubic"),
    "zeros": _zeros,
    "blur": _blur,
    "checkerboard": _pattern(np.multiply.outer(_even, _even)[..., None]),
    "rows": _pattern(_even[:, None, None]),
    "noise": lambda x, rng: rng.standard_normal(x.shape).astype(x.dtype),
    "sharpening": lambda x, rng: -_blur(x, rng),
}
COARSE_DIRECTIONS = {
    "cast": _pattern(np.array([1.0, 0.0, -1.0])),
    "ramp": _pattern(_right),
    "vignette": _pattern(2 / 3 - _down**2 - _right**2),
}
DIRECTIONS = FINE_DIRECTIONS | COARSE_DIRECTIONS
FINE = tuple(FINE_DIRECTIONS)
COARSE = (*COARSE_DIRECTIONS, "warp")


def inject(manifold, coordinates, trace, length, *, seed=0):
    """Views with a trace of a chosen length, rounded to 8 bits.

    Parameters
    ----------
    manifold : ViewManifold
    coordinates : (n, m) array
        Coordinates of the views.
    trace : str
        One of `FINE` or `COARSE`.
    length : float
        Length of the part of the trace at right angles to the manifold, in grey levels
        (root of the sum of squares), before clipping and rounding.
    seed : int
        Seed of the trace "noise".

    Returns
    -------
    (n, 32, 32, 3) uint8 array

    Raises
    ------
    ValueError
        If the trace is unknown or the length not positive.

    Examples
    --------
    >>> from manifpt_utils.images.views import ViewManifold
    >>> manifold = ViewManifold("coffee", m=3)
    >>> c = manifold.coordinates(2)
    >>> wrong = inject(manifold, c, "ramp", 200)
    >>> distance = manifold.project(wrong, near=c, starts=0).distance
    >>> bool((abs(distance - 200) < 20).all())
    True
    """
    if trace not in (*FINE, *COARSE):
        hint = suggestion(str(trace), (*FINE, *COARSE))
        raise ValueError(f"unknown trace {trace!r};{hint}")
    if not length > 0:
        raise ValueError(f"length must be positive, got {length!r}.")
    if trace == "warp":
        wrong = _warped(manifold, coordinates, length)
    else:
        views = manifold.render(coordinates)
        direction = DIRECTIONS[trace](views, np.random.default_rng(seed))
        strength = length / _across(manifold, coordinates)(direction)
        wrong = views + strength[:, None, None, None] * direction
    return np.rint(np.clip(wrong, 0, 255)).astype(np.uint8)


def _warped(manifold, coordinates, length):
    """Views with bulges of such strength that their error has the wanted length."""
    views, across = manifold.render(coordinates), _across(manifold, coordinates)
    bulge = np.full(len(views), 0.01)
    for _ in range(ROUNDS):
        wrong = manifold.render(coordinates, bulge=bulge)
        found = np.maximum(across(wrong - views), 1)
        bulge = np.clip(bulge * np.clip(length / found, 0.1, 4), 0, LARGEST_BULGE)
    return manifold.render(coordinates, bulge=bulge)


def _across(manifold, coordinates):
    """A function that measures the part of an error at right angles to the manifold."""
    n = len(coordinates)
    slopes = manifold.jacobian(coordinates).reshape(n, manifold.m, -1)
    # Orthonormal columns that span the tangent space of every view.
    tangents = np.linalg.qr(slopes.transpose(0, 2, 1).astype(float))[0]

    def length(error):
        error = error.reshape(n, -1).astype(float)
        along = np.einsum("nim,ni->nm", tangents, error)
        return np.sqrt(np.maximum((error**2).sum(1) - (along**2).sum(1), 1e-12))

    return length
