"""What happens to an image between its generator and its detector.

Every function takes 8-bit images (n, h, w, 3) and returns the same number of images of
the same size and type.  `POSTPROCESSINGS` lists the treatments of the chapter on
robustness with their strengths; `postprocess` applies one of them.
"""

from functools import partial
from numbers import Real

import numpy as np
import torch
from scipy.ndimage import gaussian_filter
from torch.nn import functional

from .._support.suggestion import suggestion
from .jpeg import jpeg
from .validation import check_images, check_integer

__all__ = [
    "POSTPROCESSINGS",
    "blur",
    "crop",
    "jpeg",
    "noise",
    "postprocess",
    "reduce_bits",
    "resize",
]


def blur(images, *, sd):
    """Convolve images with a Gaussian.

    Images are continued by their mirror image, so that their mean is unchanged.

    Parameters
    ----------
    images : (n, h, w, 3) uint8 array
    sd : float
        Standard deviation of the Gaussian in pixels; 0 changes nothing.

    Returns
    -------
    (n, h, w, 3) uint8 array

    Raises
    ------
    ValueError
        If the images are not uint8 (n, h, w, 3), or `sd` is negative or not finite.

    Examples
    --------
    >>> black = np.zeros((1, 8, 8, 3), np.uint8)
    >>> blur(black, sd=2).max()
    np.uint8(0)
    """
    images = check_images(images)
    _check_deviation(sd)
    return _to_bytes(gaussian_filter(images.astype(np.float32), (0, sd, sd, 0)))


def resize(images, *, factor):
    """Reduce images, and enlarge them to their size again.

    The reduction is bilinear with anti-aliasing, the enlargement bicubic; both results
    are rounded to 8 bits, as in files.

    Parameters
    ----------
    images : (n, h, w, 3) uint8 array
    factor : float
        Factor of both sides, in (0, 1]; 1 changes nothing.

    Returns
    -------
    (n, h, w, 3) uint8 array

    Raises
    ------
    ValueError
        If the images are not uint8 (n, h, w, 3), or `factor` is out of range or leaves
        no pixel.

    Examples
    --------
    >>> noise = np.random.default_rng(0).integers(0, 256, (1, 8, 8, 3), np.uint8)
    >>> resize(noise, factor=0.5).std() < noise.std()
    np.True_
    """
    images = check_images(images)
    size = _reduced(images.shape[1:3], factor, "factor")
    small = _interpolate(images, size, "bilinear")
    return _interpolate(small, images.shape[1:3], "bicubic")


def crop(images, *, fraction):
    """Cut the central part out of images, and enlarge it to their size.

    Parameters
    ----------
    images : (n, h, w, 3) uint8 array
    fraction : float
        Share of both sides that is kept, in (0, 1]; 1 changes nothing.

    Returns
    -------
    (n, h, w, 3) uint8 array
        Enlarged with a bicubic filter.

    Raises
    ------
    ValueError
        If the images are not uint8 (n, h, w, 3), or `fraction` is out of range or
        leaves no pixel.

    Examples
    --------
    >>> framed = np.pad(np.full((1, 6, 6, 3), 255, np.uint8), [(0, 0), *[(1, 1)] * 2,
    ...     (0, 0)])
    >>> crop(framed, fraction=0.75).min()
    np.uint8(255)
    """
    images = check_images(images)
    height, width = images.shape[1:3]
    h, w = _reduced((height, width), fraction, "fraction")
    top, left = (height - h) // 2, (width - w) // 2
    part = images[:, top : top + h, left : left + w]
    return _interpolate(part, (height, width), "bicubic")


def noise(images, *, sd, seed):
    """Add independent Gaussian noise to every pixel and channel.

    Parameters
    ----------
    images : (n, h, w, 3) uint8 array
    sd : float
        Standard deviation in grey levels, before rounding; 0 changes nothing.
    seed : int

    Returns
    -------
    (n, h, w, 3) uint8 array

    Raises
    ------
    ValueError
        If the images are not uint8 (n, h, w, 3), or `sd` is negative or not finite.

    Examples
    --------
    >>> grey = np.full((1, 64, 64, 3), 128, np.uint8)
    >>> noise(grey, sd=5, seed=0).std().round()
    np.float64(5.0)
    """
    images = check_images(images)
    _check_deviation(sd)
    rng = np.random.default_rng(seed)
    return _to_bytes(images + sd * rng.standard_normal(images.shape, np.float32))


def reduce_bits(images, *, bits):
    """Keep the highest bits of every value; the lower ones become their middle value.

    Parameters
    ----------
    images : (n, h, w, 3) uint8 array
    bits : int
        1 to 8; 8 changes nothing.

    Returns
    -------
    (n, h, w, 3) uint8 array
        Images with at most 2^bits different values.

    Raises
    ------
    ValueError
        If the images are not uint8 (n, h, w, 3), or `bits` is out of range.

    Examples
    --------
    >>> ramp = np.arange(12, dtype=np.uint8).reshape(1, 2, 2, 3)
    >>> reduce_bits(ramp, bits=6).ravel().tolist()
    [2, 2, 2, 2, 6, 6, 6, 6, 10, 10, 10, 10]
    """
    images = check_images(images)
    check_integer(bits, "bits", 1, 8)
    step = 2 ** (8 - bits)
    return (images // step * step + step // 2).astype(np.uint8)


POSTPROCESSINGS = {
    "none": check_images,
    "JPEG 95": partial(jpeg, quality=95),
    "JPEG 75": partial(jpeg, quality=75),
    "JPEG 50": partial(jpeg, quality=50),
    "blur 0.5": partial(blur, sd=0.5),
    "blur 1": partial(blur, sd=1),
    "resize 1/2": partial(resize, factor=1 / 2),
    "crop 7/8": partial(crop, fraction=7 / 8),
    "noise 2": partial(noise, sd=2),
    "noise 8": partial(noise, sd=8),
    "5 bits": partial(reduce_bits, bits=5),
}


def postprocess(images, name, *, seed=0):
    """Apply one of the named treatments.

    Parameters
    ----------
    images : (n, h, w, 3) uint8 array
    name : str
        A key of `POSTPROCESSINGS`: the treatment and its strength.
    seed : int
        Seed of the noise; the other treatments are not random.

    Returns
    -------
    (n, h, w, 3) uint8 array

    Raises
    ------
    ValueError
        If the name is unknown (the nearest one is suggested), or the images are not
        uint8 (n, h, w, 3).

    Examples
    --------
    >>> images = np.zeros((2, 8, 8, 3), np.uint8)
    >>> {name: postprocess(images, name).shape for name in ("JPEG 50", "noise 8")}
    {'JPEG 50': (2, 8, 8, 3), 'noise 8': (2, 8, 8, 3)}
    """
    if name not in POSTPROCESSINGS:
        raise ValueError(
            f"unknown postprocessing {name!r};{suggestion(name, POSTPROCESSINGS)}"
        )
    treatment = POSTPROCESSINGS[name]
    is_random = getattr(treatment, "func", None) is noise
    return treatment(images, seed=seed) if is_random else treatment(images)


def _interpolate(images, size, mode):
    if images.shape[1:3] == tuple(size):
        return images.copy()
    x = torch.from_numpy(np.ascontiguousarray(images)).permute(0, 3, 1, 2)
    x = functional.interpolate(x, tuple(size), mode=mode, antialias=True)
    return np.ascontiguousarray(x.permute(0, 2, 3, 1).numpy())


def _to_bytes(x):
    return np.rint(x).clip(0, 255).astype(np.uint8)


def _reduced(shape, factor, name):
    """Height and width after a reduction by a factor."""
    if not isinstance(factor, Real) or not 0 < factor <= 1:
        raise ValueError(f"{name} must be above 0 and at most 1, got {factor!r}.")
    size = tuple(round(side * factor) for side in shape)
    if min(size) < 1:
        raise ValueError(
            f"{name}={factor!r} leaves no pixel of {shape[0]} x {shape[1]}; "
            "choose a larger one."
        )
    return size


def _check_deviation(sd):
    if not isinstance(sd, Real) or not 0 <= sd < np.inf:
        raise ValueError(f"sd must be a finite number of at least 0, got {sd!r}.")
