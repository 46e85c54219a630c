"""Facts about how an image file is stored, not about what it shows."""

import io
import zlib
from functools import cache
from typing import NamedTuple

import numpy as np
from PIL import Image

LOSSY = ("jpeg", "tiff_jpeg", "webp", "VP8")
SUBSAMPLING = {
    (1, 1): "4:4:4",
    (2, 1): "4:2:2",
    (2, 2): "4:2:0",
    (1, 2): "4:4:0",
    (4, 1): "4:1:1",
}
METADATA = ("comment", "dpi", "exif", "gamma", "icc_profile", "photoshop", "xmp")
JPEG_TABLES, CHROMA_SUBSAMPLING = 347, 530  # tags of a TIFF file


class Facts(NamedTuple):
    """How one file is stored.

    Attributes
    ----------
    format : str
        As Pillow names it: "PNG", "JPEG", ...
    compression : str
        "jpeg", "VP8" (lossy WebP), "VP8L" (lossless WebP), or the name in a TIFF file;
        empty if the format leaves no choice.
    lossless : bool
    quality : float
        The quality setting of libjpeg whose luminance table is nearest to that of the
        JPEG file.
    tables : str
        Check sum of the JPEG quantisation tables, also of those inside a TIFF file.
    subsampling : str
        Subsampling of the colours: "4:4:4" (none), "4:2:0", ...
    mode : str
        Colour mode of Pillow: "RGB", "L" (grey), "RGBA", ...
    bits : int
        Bits per sample, or per pixel if samples are packed, as in a 16-bit BMP.
    grey : bool
        Whether red, green and blue are equal in every pixel.
    width, height : int
        Size in pixels of the upright image, before any resizing.
    metadata : str
        The kinds of metadata that the file carries.
    """

    format: str
    compression: str
    lossless: bool
    quality: float
    tables: str
    subsampling: str
    mode: str
    bits: int
    grey: bool = False
    width: int = 0
    height: int = 0
    metadata: str = ""


def header_facts(image):
    """Facts of an image that Pillow has opened and not yet decoded.

    Parameters
    ----------
    image : PIL.Image.Image

    Returns
    -------
    Facts
        Facts that need the decoded image keep their defaults.
    """
    tables = getattr(image, "quantization", None)
    raw_tables = tables or tiff_tags(image).get(JPEG_TABLES)
    compression = _compression(image)
    return Facts(
        format=image.format,
        compression=compression,
        lossless=compression not in LOSSY,
        quality=_nearest_quality(tuple(tables[0])) if tables else np.nan,
        tables=f"{zlib.crc32(repr(raw_tables).encode()):08x}" if raw_tables else "",
        subsampling=_subsampling(image),
        mode=image.mode,
        bits=_bits(image),
    )


def pixel_facts(facts, image, pixels):
    """Add the facts that are known once an image is decoded.

    Parameters
    ----------
    facts : Facts
        From `header_facts`.
    image : PIL.Image.Image
        Decoded, because some files hold their metadata after the pixels.
    pixels : (h, w, 3) uint8 array
        The upright image.

    Returns
    -------
    Facts
    """
    height, width = pixels.shape[:2]
    kinds = [kind for kind in METADATA if image.info.get(kind)]
    kinds += ["text"] if getattr(image, "text", None) else []
    return facts._replace(
        grey=bool((pixels == pixels[..., :1]).all()),
        width=width,
        height=height,
        metadata=", ".join(kinds),
    )


def tiff_tags(image):
    """Tags of a TIFF file by number; empty for other formats."""
    return getattr(image, "tag_v2", {})


def raw_layout(image):
    """Pillow's names for the layout of samples in the file: "RGB", "L;4", "BGR;16"."""
    parts = [tile[3] for tile in image.tile]
    names = [a for p in parts for a in (p if isinstance(p, tuple) else (p,))]
    return {name for name in names if isinstance(name, str)}


def _bits(image):
    depths = (name.partition(";")[2] for name in raw_layout(image))
    numbers = ("".join(filter(str.isdigit, depth)) for depth in depths)
    return max((int(number) for number in numbers if number), default=8)


def _compression(image):
    if image.format == "WEBP":
        return _webp_codec(image.fp)
    if image.format == "JPEG":
        return "jpeg"
    return image.info.get("compression", "") if image.format == "TIFF" else ""


def _webp_codec(file):
    """The first chunk of a WebP file that holds pixels, "VP8" or "VP8L".

    Pillow reads such a file to its end when it opens it, so the position can be moved.
    """
    file.seek(12)
    while header := file.read(8):
        name, size = header[:4].decode("latin-1"), header[4:]
        if name in ("VP8 ", "VP8L"):
            return name.strip()
        file.seek(int.from_bytes(size, "little") + size[0] % 2, io.SEEK_CUR)
    return ""


def _subsampling(image):
    layers = getattr(image, "layer", ())
    steps = tiff_tags(image).get(CHROMA_SUBSAMPLING)
    steps = layers[0][1:3] if len(layers) == 3 else steps
    return SUBSAMPLING.get(tuple(steps), "other") if steps else ""


@cache
def _nearest_quality(table):
    return float(np.abs(_libjpeg_tables() - table).sum(1).argmin() + 1)


@cache
def _libjpeg_tables():
    """Luminance tables of libjpeg for the qualities 1 to 100: (100, 64) array."""
    return np.array([_luminance_table(quality) for quality in range(1, 101)])


def _luminance_table(quality):
    file = io.BytesIO()
    Image.new("L", (8, 8)).save(file, "JPEG", quality=quality)
    return Image.open(file).quantization[0]
