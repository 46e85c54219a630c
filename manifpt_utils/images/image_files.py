"""Strict reading of image files: 8-bit RGB without loss, or one clear error.

A decoder changes some images without a word: it cuts 16 bits to 8, resolves a palette,
drops transparency, or reads only the first frame of an animation.  Such files are
refused by name, because the change would be a trace of the file and not of the model
that made the image.
"""

import io
import os
import stat
import struct
import warnings
import zlib
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError
from tqdm.auto import tqdm

from .file_facts import header_facts, pixel_facts, raw_layout, tiff_tags

FORMATS = ("PNG", "JPEG", "WEBP", "BMP", "TIFF", "GIF")
CONVERTIBLE = ("RGB", "L", "RGBA", "LA")  # the last two if nothing is transparent
MAX_PIXELS = 4096 * 4096
MAX_BYTES = 2**28  # of a file; the largest image takes a quarter of it, uncompressed
CHANNELS, SAMPLE_FORMAT, SIGNED = 277, 339, 2  # tags of a TIFF file, and a value
REFUSED = {
    "P": "a palette image",
    "PA": "a palette image",
    "CMYK": "a CMYK image",
    "1": "a 1-bit image",
    "I": "a 32-bit image",
    "F": "a floating-point image",
}
WAIT = "wait until nothing writes to the folder, then start again."
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
    """Decoded images of one class, and the facts about their files."""

    pixels: np.ndarray  # (n, h, w, 3) uint8
    facts: list | None  # n Facts; None if there were no files


def read_images(paths, *, size=None, reference=None):
    """Read image files of one size into one array.

    Parameters
    ----------
    paths : list of Path
    size : (int, int), optional
        Height and width that every image gets: the largest centred part of that shape
        is resized with a Lanczos filter.  Without it, all images must be of one size.
    reference : Path, optional
        The file whose size all images must have; the first of `paths` by default.

    Returns
    -------
    Images

    Raises
    ------
    ValueError
        If a file is not an 8-bit image that RGB holds without loss, or is of another
        size.
    """
    reference = reference or paths[0]
    shape = size or read_image(reference)[0].shape[:2]
    pixels = _room_for(len(paths), shape)
    facts = []
    title = f"read {Path(paths[0]).parent.name}"
    for i, path in enumerate(tqdm(paths, desc=title, delay=2)):
        image, found = read_image(path)
        facts.append(found)
        if size is None and image.shape[:2] != tuple(shape):
            raise ValueError(_size_message(path, image.shape, reference, shape))
        pixels[i] = resized(image, shape)
    return Images(pixels, facts)


def _room_for(n, shape):
    try:
        return np.empty((n, *shape, 3), np.uint8)
    except MemoryError as error:
        raise ValueError(
            f"{n:,} images of {shape[1]} x {shape[0]} pixels do not fit into memory; "
            "give a smaller size, or per_class to read fewer."
        ) from error


def _size_message(path, found, reference, shape):
    return (
        f"{path} is {found[1]} x {found[0]} pixels, but {reference} is {shape[1]} x "
        f"{shape[0]}; give a size, for instance size={min(*found[:2], *shape)}, to "
        "bring all images to it, or replace the file."
    )


def resized(image, shape):
    """Crop an image at its centre to given proportions, and resize it.

    Parameters
    ----------
    image : (h, w, 3) uint8 array
    shape : (int, int)
        Height and width; an image that has them already is not changed.  The filter is
        Lanczos.

    Returns
    -------
    (*shape, 3) uint8 array
    """
    if image.shape[:2] == tuple(shape):
        return image
    image = Image.fromarray(image)
    return np.asarray(ImageOps.fit(image, shape[::-1], Image.Resampling.LANCZOS))


def read_image(path, content=None):
    """Read one image file.

    Parameters
    ----------
    path : Path or str
    content : bytes, optional
        Content of the file if it is not on disk; `path` is then only its name.

    Returns
    -------
    pixels : (h, w, 3) uint8 array
        Turned upright if the file says how the camera was held.
    facts : Facts

    Raises
    ------
    ValueError
        If the file is not an image of `FORMATS`, is damaged, too large, animated,
        transparent, or stored in anything but 8 bits of grey or RGB; or if it vanishes
        or changes while it is read.
    """
    file = path if content is None else io.BytesIO(content)
    if content is None:
        check_file(path)
    with _refusing(path):
        before = _state(path, content)
        image = Image.open(file, formats=FORMATS)
    with image:
        _check_header(image, path)
        with _refusing(path):
            facts = header_facts(image)
            image.load()
            upright = ImageOps.exif_transpose(image)
        _check_opaque(upright, path)
        pixels = np.array(upright.convert("RGB"))
        found = pixels, pixel_facts(facts, image, pixels)
    with _refusing(path):
        after = _state(path, content)
    if after != before:
        raise ValueError(f"{path} changed while it was read; {WAIT}")
    return found


def check_file(path):
    """Refuse what must not be opened: a pipe or device, or a huge file.

    Parameters
    ----------
    path : Path or str

    Raises
    ------
    ValueError
        If the path is not that of a file of at most `MAX_BYTES`, or may not be looked
        at.
    """
    with _refusing(path):
        status = os.stat(path)
    if not stat.S_ISREG(status.st_mode):
        raise ValueError(f"{path} is not a file; remove it, or name a file.")
    if status.st_size > MAX_BYTES:
        raise ValueError(
            f"{path} takes {status.st_size:,} bytes, and no image that is read here "
            f"more than {MAX_BYTES:,}; reduce it or remove the file."
        )


def _state(path, content):
    """A state that changes when a file is rewritten; None for content in memory."""
    if content is not None:
        return None
    status = os.stat(path)
    return status.st_size, status.st_mtime_ns, status.st_ino


@contextmanager
def _refusing(path):
    """Turn any error of Pillow into one sentence with the name of the file."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            yield
    except (Image.DecompressionBombWarning, Image.DecompressionBombError) as error:
        raise ValueError(_too_large(path)) from error
    except UnidentifiedImageError as error:
        message = f"{path} is empty, damaged, or of a format that is not read here "
        known = ", ".join(FORMATS)
        message += f"({known} are); convert it to PNG or leave it out."
        raise ValueError(message) from error
    except PermissionError as error:
        remedy = "allow it, for instance by chmod u+r, or remove the file."
        message = f"you have no permission to read {path}; {remedy}"
        raise ValueError(message) from error
    except FileNotFoundError as error:
        raise ValueError(f"{path} vanished while it was read; {WAIT}") from error
    except DAMAGED as error:
        message = f"{path} cannot be read ({error}); replace or remove the file."
        raise ValueError(message) from error


def _too_large(path):
    return f"{path} has more than {MAX_PIXELS:,} pixels; reduce it or remove the file."


def _check_header(image, path):
    """Refuse what the header rules out, before any pixel is decoded."""
    if image.width * image.height > MAX_PIXELS:
        raise ValueError(_too_large(path))
    with _refusing(path):
        frames = getattr(image, "n_frames", 1)
        whole = image.format != "JPEG" or _has_end(image.fp)
    if not whole:
        raise ValueError(
            f"{path} is only part of an image; replace or remove the file."
        )
    bands, channels = len(image.getbands()), tiff_tags(image).get(CHANNELS, 1)
    if frames > 1:
        what = f"an animation or a stack of {frames} images"
    elif image.mode.startswith("I;16") or _stored_in_16_bits(image):
        what = "a 16-bit image"
    elif image.mode not in CONVERTIBLE:
        what = REFUSED.get(image.mode, f"an image of mode {image.mode}")
    elif SIGNED in tiff_tags(image).get(SAMPLE_FORMAT, ()):
        what = "an image of signed numbers"
    elif channels > bands:
        what = f"an image of {channels} channels, of which {bands} would be read"
    else:
        return
    raise ValueError(f"{path} is {what}; {REMEDY}.")


def _stored_in_16_bits(image):
    """Whether Pillow would cut 16 bits to 8, which it does without a word."""
    return any(";16" in name for name in raw_layout(image))


def _has_end(file):
    """Whether the marker that ends a JPEG image follows its header.

    Without this check, a file whose second half is zeros, as after an interrupted
    download, would be decoded without complaint.
    """
    position = file.tell()
    rest = file.read()
    file.seek(position)
    return b"\xff\xd9" in rest


def _check_opaque(image, path):
    alpha = image.getchannel("A") if "A" in image.getbands() else None
    solid = alpha is None or alpha.getextrema()[0] == 255
    if not solid or "transparency" in image.info:
        raise ValueError(
            f"{path} has transparent pixels; put it on a background first, the same "
            "for all classes."
        )
