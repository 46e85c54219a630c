"""Images compressed as JPEG files and decoded again."""

import io

import numpy as np
from PIL import Image

from .validation import check_images, check_integer


def jpeg(images, *, quality):
    """Compress images as JPEG files and read them again.

    Parameters
    ----------
    images : (n, h, w, 3) uint8 array
    quality : int
        1 to 100, on the scale of libjpeg; colours are stored at half the resolution.

    Returns
    -------
    (n, h, w, 3) uint8 array

    Raises
    ------
    ValueError
        If the images are not uint8 (n, h, w, 3), or the quality is out of range.

    Examples
    --------
    >>> grey = np.full((1, 8, 8, 3), 128, np.uint8)
    >>> jpeg(grey, quality=50).mean()
    np.float64(128.0)
    """
    images = check_images(images)
    check_integer(quality, "quality", 1, 100)
    return np.stack([_compressed(image, int(quality)) for image in images])


def _compressed(image, quality):
    file = io.BytesIO()
    Image.fromarray(image).save(file, "JPEG", quality=quality)
    return np.asarray(Image.open(file))
