"""Checks of a batch of images."""

from numbers import Integral

import numpy as np

LARGEST_SIDE = 4096


def check_images(images, *, smallest=1, shape=None):
    """Refuse anything that is not a batch of 8-bit RGB images.

    Parameters
    ----------
    images : (n, h, w, 3) uint8 array, or a list of (h, w, 3) arrays
    smallest : int
        Least height and width, in pixels.
    shape : (int, int, int), optional
        The shape that every image must have.

    Returns
    -------
    (n, h, w, 3) uint8 array

    Raises
    ------
    ValueError
        If type, shape or size are wrong, or there is no image.
    """
    try:
        images = np.asarray(images)
    except ValueError as error:
        raise ValueError(
            "images differ in size; resize them to one size first."
        ) from error
    if images.ndim != 4 or images.shape[-1] != 3:
        raise ValueError(
            f"images must be (n, h, w, 3), got {images.shape}; pass one image as "
            "image[None], a grey image as np.repeat(image[..., None], 3, axis=-1)."
        )
    _check_type(images)
    if len(images) == 0:
        raise ValueError("there are 0 sample(s) in images; at least one is required.")
    _check_size(images.shape[1:], smallest, shape)
    return images


def _check_type(images):
    if np.issubdtype(images.dtype, np.inexact) and not np.isfinite(images).all():
        raise ValueError("images hold NaN or infinity; remove those images first.")
    if images.dtype != np.uint8:
        raise ValueError(
            f"images must be uint8, grey levels 0..255, got {images.dtype}; convert "
            "numbers in 0..1 by np.rint(255 * x).astype(np.uint8)."
        )


def _check_size(found, smallest, shape):
    if shape is not None and found != tuple(shape):
        raise ValueError(
            f"images are {found}, but the space was fitted on {tuple(shape)}; resize "
            "all images of a benchmark to one size."
        )
    if min(found[:2]) < smallest:
        raise ValueError(
            f"images of {found[0]} x {found[1]} pixels are too small for this space; "
            f"give at least {smallest} x {smallest}."
        )


def check_integer(value, name, low, high=None):
    """Refuse anything that is not a whole number within bounds."""
    if not isinstance(value, Integral) or value < low or value > (high or value):
        bounds = f"of at least {low}" if high is None else f"from {low} to {high}"
        raise ValueError(f"{name} must be a whole number {bounds}, got {value!r}.")


def check_size(size):
    """Return a size as height and width, or None.

    Raises
    ------
    ValueError
        If it is not one or two positive integers, or one is over 4096.
    """
    if size is None:
        return None
    pair = (size, size) if np.isscalar(size) else tuple(size)
    if len(pair) != 2 or not all(isinstance(s, Integral) and s > 0 for s in pair):
        raise ValueError(f"size must be one or two positive integers, got {size!r}.")
    if max(pair) > LARGEST_SIDE:
        raise ValueError(
            f"size={size!r} is more than {LARGEST_SIDE} pixels a side; give a smaller "
            "one, for instance 64."
        )
    return pair
