"""Strict reading of image files: 8-bit RGB without loss, or one clear error.

What a decoder would change in silence (16 bits cut to 8, a palette, transparency, only
the first frame of an animation) is refused by name, for such a change would be a trace
of the file and not of the model that made the image.
"""

import struct
import warnings
import zlib
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError
from tqdm import tqdm

FORMATS = ("PNG", "JPEG", "WEBP", "BMP", "TIFF", "GIF")
CONVERTIBLE = ("RGB", "L", "RGBA", "LA")  # the last two where nothing is transparent
MAX_PIXELS = 4096 * 4096
SYSTEM_FILES = ("thumbs.db", "desktop.ini")
REFUSED = {
    "P": "a palette image",
    "PA": "a palette image",
    "CMYK": "a CMYK image",
    "1": "a 1-bit image",
    "I": "a 32-bit image",
    "F": "a floating-point image",
}
REMEDY = "convert all classes to 8-bit RGB PNG in one way, or remove the file"
DAMAGED = (
    OSError,
    SyntaxError,
    ValueError,
    EOFError,
    LookupError,
    struct.error,
    zlib.error,
)


class Images(NamedTuple):
    """Decoded images of one folder and what their files looked like."""

    pixels: np.ndarray  # (n, h, w, 3) uint8
    formats: frozenset  # names as in `FORMATS`
    resized: frozenset  # {True}, {False} or both


def image_paths(folder):
    """All files of a folder, sorted by name, without hidden ones.

    Parameters
    ----------
    folder : Path

    Returns
    -------
    list of Path

    Raises
    ------
    ValueError
        If the folder is empty or holds another folder.
    """
    paths = sorted(p for p in folder.iterdir() if not _ignored(p))
    nested = next((p for p in paths if p.is_dir()), None)
    if nested is not None:
        raise ValueError(f"{nested} is a folder; put its images straight in {folder}.")
    if not paths:
        raise ValueError(f"{folder} holds no images; fill it or remove the folder.")
    return paths


def _ignored(path):
    return path.name.startswith(".") or path.name.lower() in SYSTEM_FILES


def read_images(paths, *, size=None, reference=None):
    """Read image files of one size into one array.

    Parameters
    ----------
    paths : list of Path
    size : (int, int), optional
        Height and width that every image gets: the largest centred part of that shape,
        by one Lanczos reduction or enlargement.  Without it all must be of one size.
    reference : Path, optional
        The file whose size is the right one; the first of `paths` by default.

    Returns
    -------
    Images

    Raises
    ------
    ValueError
        If a file is no 8-bit image that RGB holds without loss, or of another size.
    """
    reference = reference or paths[0]
    shape = size or read_image(reference)[0].shape[:2]
    pixels = np.empty((len(paths), *shape, 3), np.uint8)
    formats, resized = set(), set()
    title = f"read {Path(paths[0]).parent.name}"
    for i, path in enumerate(tqdm(paths, desc=title, delay=2)):
        image, kind = read_image(path)
        formats.add(kind)
        resized.add(image.shape[:2] != tuple(shape))
        if size is None and image.shape[:2] != tuple(shape):
            raise ValueError(_size_message(path, image.shape, reference, shape))
        pixels[i] = image if image.shape[:2] == tuple(shape) else _resize(image, shape)
    return Images(pixels, frozenset(formats), frozenset(resized))


def _size_message(path, found, reference, shape):
    return (
        f"{path} is {found[1]} x {found[0]} pixels, but {reference} is {shape[1]} x "
        f"{shape[0]}; pass size= to bring all classes to one size, or fix the file."
    )


def _resize(image, shape):
    """One centred crop to the target's proportions and one Lanczos step."""
    image = Image.fromarray(image)
    return np.asarray(ImageOps.fit(image, shape[::-1], Image.Resampling.LANCZOS))


def read_image(path):
    """Read one image file.

    Parameters
    ----------
    path : Path

    Returns
    -------
    pixels : (h, w, 3) uint8 array
        Turned upright where the file says how it was held.
    kind : str
        One of `FORMATS`.

    Raises
    ------
    ValueError
        If the file is no image, damaged, too large, animated, transparent, or stored
        in anything but 8 bits of grey or RGB.
    """
    with _refusing(path):
        image = Image.open(path, formats=FORMATS)
    with image:
        _check_header(image, path)
        kind = image.format
        with _refusing(path):
            image.load()
            image = ImageOps.exif_transpose(image)
        _check_opaque(image, path)
        return np.array(image.convert("RGB")), kind


@contextmanager
def _refusing(path):
    """Turn whatever Pillow says about a file into one sentence with its name."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            yield
    except (Image.DecompressionBombWarning, Image.DecompressionBombError) as error:
        raise ValueError(_too_large(path)) from error
    except UnidentifiedImageError as error:
        known = ", ".join(FORMATS)
        message = f"{path} is not an image ({known}); remove it from the folder."
        raise ValueError(message) from error
    except DAMAGED as error:
        message = f"{path} cannot be read ({error}); replace or remove the file."
        raise ValueError(message) from error


def _too_large(path):
    return f"{path} has more than {MAX_PIXELS:,} pixels; reduce it or remove the file."


def _check_header(image, path):
    """Refuse before any pixel is decoded."""
    if image.width * image.height > MAX_PIXELS:
        raise ValueError(_too_large(path))
    with _refusing(path):
        frames = getattr(image, "n_frames", 1)
    if frames > 1:
        what = f"an animation or a stack of {frames} images"
    elif image.mode.startswith("I;16") or _stored_in_16_bits(image):
        what = "a 16-bit image"
    elif image.mode not in CONVERTIBLE:
        what = REFUSED.get(image.mode, f"an image of mode {image.mode}")
    else:
        return
    raise ValueError(f"{path} is {what}; {REMEDY}.")


def _stored_in_16_bits(image):
    """Whether the decoder is about to cut 16 bits to 8, which Pillow does unasked."""
    for tile in image.tile:
        arguments = tile[3] if isinstance(tile[3], tuple) else (tile[3],)
        if any(isinstance(a, str) and ";16" in a for a in arguments):
            return True
    return False


def _check_opaque(image, path):
    alpha = image.getchannel("A") if "A" in image.getbands() else None
    solid = alpha is None or alpha.getextrema()[0] == 255
    if not solid or "transparency" in image.info:
        raise ValueError(
            f"{path} has transparent pixels; put it on a background first, the same "
            "for all classes."
        )
