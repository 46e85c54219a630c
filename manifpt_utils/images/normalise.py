"""Treat all images as if stored in one way, and what that cannot cure.

========  ==========================================================================
"png"     Every image becomes 8-bit RGB; no pixel is changed.  This cures
          differences of the file alone: format, colour mode and metadata.
"size"    In addition, all images get the smallest height and width among them
          by one centred crop and one resizing (Lanczos).  This cures differences in
          size; how far an image was reduced can still show in its sharpness.
"jpeg90"  In addition, all images are compressed as JPEG of quality 90, with colours at
          half the resolution, and decoded again.  Every image then has passed through
          the same tables last.  Alone, this hides nothing of an earlier compression
          from a method that looks for it; with a `size` of half the smallest or less,
          it hides most of it, but not all.
========  ==========================================================================

None of these restores what an earlier compression removed.  The only full cure is to
make the files of all classes anew, in one way, from their originals.
"""

import numpy as np
from tqdm.auto import tqdm

from .._support.names import NORMALISATIONS
from .._support.suggestion import suggestion
from .image_files import read_image, resized
from .jpeg import jpeg
from .validation import check_images, check_size

QUALITY = 90
SIZED = ("size", "jpeg90")  # those that bring images to one size


def normalise(images, how, *, size=None):
    """Treat images as if all of them had been stored in one way.

    Parameters
    ----------
    images : (n, h, w, 3) uint8 array, or sequence of (h, w, 3) uint8 arrays
        Images of all classes; for "size" and "jpeg90" they may differ in size.
    how : {"png", "size", "jpeg90"}
        See the table of this module.
    size : int or (int, int), optional
        Height and width of the result.  For "size" and "jpeg90" the default is the
        smallest height and the smallest width among the images; "png" keeps their size.
        To treat later images as those of a benchmark, call `normalise(images,
        benchmark.normalise, size=benchmark.real.shape[1:3])`.

    Returns
    -------
    (n, h, w, 3) uint8 array

    Raises
    ------
    ValueError
        If `how` is unknown, if an image is not uint8 (h, w, 3), if there is no image,
        or if images differ in size and neither `how` nor `size` makes them equal.

    Examples
    --------
    >>> images = [np.zeros((8, 12, 3), np.uint8), np.zeros((10, 9, 3), np.uint8)]
    >>> normalise(images, "size").shape
    (2, 8, 9, 3)
    """
    check_normalise(how)
    shape = check_size(size)
    if shape is None and how in SIZED and len(images):
        shape = tuple(min(image.shape[i] for image in images) for i in (0, 1))
    if shape is not None:
        images = [resized(check_images([image])[0], shape) for image in images]
    images = check_images(images)
    return jpeg(images, quality=QUALITY) if how == "jpeg90" else images


def check_normalise(how):
    """Refuse an unknown normalisation; None means no normalisation.

    Raises
    ------
    ValueError
        The nearest known one is suggested.
    """
    if how is not None and how not in NORMALISATIONS:
        raise ValueError(f"unknown normalise={how!r};{suggestion(how, NORMALISATIONS)}")


def smallest_size(paths):
    """The smallest height and width among image files.

    Parameters
    ----------
    paths : list of Path

    Returns
    -------
    (int, int)

    Raises
    ------
    ValueError
        If a file is refused by `read_image`.
    """
    files = tqdm(paths, desc="measure images", delay=2)
    sizes = np.array([read_image(path)[0].shape[:2] for path in files])
    return tuple(map(int, sizes.min(0)))
