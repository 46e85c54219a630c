"""Files that are no image to be read: damaged, hostile, or of another kind."""

import io
import struct
import zlib
from functools import cache

import numpy as np
import tifffile
from PIL import Image
from PIL.PngImagePlugin import PngInfo

UNREAD = "is empty, damaged, or of a format that is not read here"
CONVERT = "convert it to PNG or leave it out"
DAMAGED, REPLACE = "cannot be read", "replace or remove the file"
EITHER = f"{UNREAD}|{DAMAGED}", f"{CONVERT}|{REPLACE}"
LARGE = "more than 16,777,216 pixels", "reduce it or remove the file"
PART = "is only part of an image", REPLACE
KIND = "convert all classes to 8-bit RGB PNG in one way, or remove the file"


def pixels(seed=0, size=(8, 8)):
    return np.random.default_rng(seed).integers(0, 256, (*size, 3), dtype=np.uint8)


def write_class(folder, level, n, *, size=8, seed=0):
    folder.mkdir(parents=True)
    rng = np.random.default_rng([seed, level])
    for i, x in enumerate(rng.normal(level, 9, (n, size, size, 3))):
        image = Image.fromarray(np.clip(x, 0, 255).astype(np.uint8))
        image.save(folder / f"{i:03}.png")


IMAGE, PHOTO = Image.fromarray(pixels()), Image.fromarray(pixels(size=(64, 64)))
FRAMES = {"save_all": True, "append_images": [Image.fromarray(pixels(1))]}


def encoded(image, kind, **options):
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def tiff_of(array, **options):
    file = io.BytesIO()
    tifffile.imwrite(file, array, **options)
    return file.getvalue()


def chunk(kind, body, *, check=None):
    check = zlib.crc32(kind + body) if check is None else check
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", check)


def png(*chunks, width=8, height=8, depth=8, rows=None):
    """A PNG file written by hand, with chunks between its header and its pixels."""
    header = struct.pack(">IIBBBBB", width, height, depth, 2, 0, 0, 0)
    rows = bytes(8 * 25) if rows is None else rows
    body = chunk(b"IHDR", header) + b"".join(chunks)
    body += chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + body


def bmp(width, height):
    head = struct.pack("<IiiHHIIiiII", 40, width, height, 1, 24, 0, 0, 0, 0, 0, 0)
    return b"BM" + struct.pack("<IHHI", 54, 0, 0, 54) + head + bytes(192)


def tiff(width, height):
    """A TIFF file of no pixels that claims a size."""
    tags = [(256, 4, width), (257, 4, height), (258, 3, 8), (262, 3, 1), (273, 4, 8)]
    tags += [(277, 3, 1), (278, 4, height), (279, 4, 64)]
    rows = b"".join(struct.pack("<HHII", tag, kind, 1, x) for tag, kind, x in tags)
    return struct.pack("<2sHI", b"II", 42, 8) + struct.pack("<H", len(tags)) + rows


def gif(width, height):
    return b"GIF89a" + struct.pack("<HHBBB", width, height, 0, 0, 0) + b";"


def jpeg_of(width, height):
    """A JPEG file whose header claims another size than its pixels have."""
    content = encoded(IMAGE, "JPEG")
    place = content.index(b"\xff\xc0") + 5
    return content[:place] + struct.pack(">HH", height, width) + content[place + 4 :]


def half_of_zeros():
    """As an interrupted download can leave it, and decoders take it."""
    flat = encoded(Image.new("RGB", (640, 480)), "JPEG", quality=95, subsampling=0)
    return flat[: len(flat) // 2] + bytes(len(flat) - len(flat) // 2)


def much_text():
    text = PngInfo()
    for i in range(100):
        text.add_text(f"k{i}", "x" * 1_000_000, zip=True)
    return encoded(IMAGE, "PNG", pnginfo=text)


@cache
def zeros():
    return zlib.compress(bytes(100_000_000), 9)


def five_channels():
    bands = {"photometric": "rgb", "extrasamples": ["unspecified"] * 2}
    return tiff_of(np.zeros((8, 8, 5), np.uint8), **bands)


def clear():
    alpha = np.zeros((8, 8), np.uint8)
    return encoded(Image.fromarray(np.dstack([pixels(), alpha])), "PNG")


def grey16(kind):
    return encoded(Image.fromarray(np.full((8, 8), 40000, np.uint16)), kind)


def rgb16():
    return tiff_of(np.full((8, 8, 3), 40000, np.uint16), photometric="rgb")


def signed():
    return tiff_of(np.full((8, 8), -5, np.int8), photometric="minisblack")


# Name of the file: its content, what is wrong, and what helps.
REFUSED = {
    "empty.png": (lambda: b"", UNREAD, CONVERT),
    "notes.txt": (lambda: b"hello", UNREAD, CONVERT),
    "svg.png": (
        lambda: b'<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg"/>',
        UNREAD,
        CONVERT,
    ),
    "page.jpg": (lambda: b"<!doctype html><script>1</script>", UNREAD, CONVERT),
    "archive.png": (lambda: b"PK\x03\x04" + bytes(100), UNREAD, CONVERT),
    "script.png": (
        lambda: b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 8 8\nshowpage",
        UNREAD,
        CONVERT,
    ),
    "paper.png": (lambda: encoded(IMAGE, "PDF"), UNREAD, CONVERT),
    "icon.png": (lambda: encoded(IMAGE, "ICO", sizes=[(8, 8)]), UNREAD, CONVERT),
    "netpbm.png": (lambda: encoded(IMAGE, "PPM"), UNREAD, CONVERT),
    "new.avif": (lambda: encoded(PHOTO, "AVIF"), UNREAD, CONVERT),
    "old.jp2": (lambda: encoded(PHOTO, "JPEG2000"), UNREAD, CONVERT),
    "zeros.png": (lambda: bytes(1000), UNREAD, CONVERT),
    "only_signature.png": (lambda: b"\x89PNG\r\n\x1a\n", UNREAD, CONVERT),
    "flipped_bit.png": (
        lambda: png(rows=bytes(200))[:-20] + b"x" * 20,
        DAMAGED,
        REPLACE,
    ),
    "wrong_check.png": (lambda: png(chunk(b"PLTE", bytes(3), check=1)), *EITHER),
    "no_rows.png": (lambda: png(rows=b""), DAMAGED, REPLACE),
    "few_rows.png": (lambda: png(rows=bytes(60)), DAMAGED, REPLACE),
    "no_width.png": (lambda: png(width=0), *EITHER),
    "short.png": (lambda: encoded(PHOTO, "PNG")[:-5000], DAMAGED, REPLACE),
    "short.tif": (lambda: encoded(PHOTO, "TIFF")[:-5000], DAMAGED, REPLACE),
    "hollow.tif": (lambda: tiff(8, 8)[:-40], *EITHER),
    "half.webp": (lambda: encoded(PHOTO, "WEBP")[:500], *EITHER),
    "half.bmp": (lambda: encoded(PHOTO, "BMP")[:500], DAMAGED, REPLACE),
    "short.jpg": (lambda: encoded(PHOTO, "JPEG")[:-800], *PART),
    "no_end.jpg": (lambda: encoded(PHOTO, "JPEG")[:-2], *PART),
    "no_scan.jpg": (
        lambda: encoded(PHOTO, "JPEG")[:200],
        f"{PART[0]}|{EITHER[0]}",
        EITHER[1],
    ),
    "zeros.jpg": (half_of_zeros, *PART),
    "much_text.png": (much_text, DAMAGED, REPLACE),
    "text_bomb.png": (
        lambda: png(chunk(b"zTXt", b"k\0\0" + zeros())),
        DAMAGED,
        REPLACE,
    ),
    "profile_bomb.png": (
        lambda: png(chunk(b"iTXt", b"k\0\1\0\0\0" + zeros())),
        DAMAGED,
        REPLACE,
    ),
    "bomb.png": (lambda: png(width=100_000, height=100_000), *LARGE),
    "small_bomb.png": (lambda: png(width=5_000, height=5_000), *LARGE),
    "warned.png": (lambda: png(width=12_000, height=12_000), *LARGE),
    "bomb.bmp": (lambda: bmp(50_000, 50_000), *LARGE),
    "bomb.tif": (lambda: tiff(60_000, 60_000), *LARGE),
    "bomb.jpg": (lambda: jpeg_of(60_000, 60_000), *LARGE),
    "bomb.gif": (
        lambda: gif(60_000, 60_000),
        f"{LARGE[0]}|{UNREAD}",
        f"{LARGE[1]}|{CONVERT}",
    ),
    "grey16.png": (lambda: grey16("PNG"), "is a 16-bit image", KIND),
    "rgb16.png": (
        lambda: png(depth=16, rows=b"".join(b"\0" + bytes(48) for _ in range(8))),
        "is a 16-bit image",
        KIND,
    ),
    "rgb16.tif": (rgb16, "is a 16-bit image", KIND),
    "signed.tif": (signed, "is an image of signed numbers", KIND),
    "five.tif": (five_channels, "5 channels, of which 3 would be read", KIND),
    "cmyk.jpg": (
        lambda: encoded(IMAGE.convert("CMYK"), "JPEG"),
        "a CMYK image",
        KIND,
    ),
    "palette.png": (
        lambda: encoded(IMAGE.convert("P"), "PNG"),
        "a palette image",
        KIND,
    ),
    "palette.gif": (lambda: encoded(IMAGE, "GIF"), "a palette image", KIND),
    "one_bit.png": (lambda: encoded(IMAGE.convert("1"), "PNG"), "a 1-bit image", KIND),
    "float.tif": (
        lambda: encoded(IMAGE.convert("F"), "TIFF"),
        "a floating-point image",
        KIND,
    ),
    "moving.gif": (lambda: encoded(IMAGE, "GIF", **FRAMES), "stack of 2 images", KIND),
    "moving.png": (lambda: encoded(IMAGE, "PNG", **FRAMES), "stack of 2 images", KIND),
    "moving.webp": (
        lambda: encoded(IMAGE, "WEBP", **FRAMES),
        "stack of 2 images",
        KIND,
    ),
    "pages.tif": (lambda: encoded(IMAGE, "TIFF", **FRAMES), "stack of 2 images", KIND),
    "clear.png": (clear, "has transparent pixels", "put it on a background first"),
    "key.png": (
        lambda: encoded(IMAGE, "PNG", transparency=(1, 2, 3)),
        "has transparent pixels",
        "put it on a background first",
    ),
}
# Odd, and yet an image.
READ = {
    "texts.png": lambda: png(*[chunk(b"tEXt", b"k%d\0v" % i) for i in range(10_000)]),
    "behind.png": lambda: png() + b"#!/bin/sh\necho hostile",
    "named.jpg": png,
    "unknown_chunk.png": lambda: png(chunk(b"abCd", bytes(100))),
    "long_comment.jpg": lambda: encoded(IMAGE, "JPEG", comment=b"<script>" * 4000),
    "bad_profile.jpg": lambda: encoded(IMAGE, "JPEG", icc_profile=b"no profile" * 20),
    "bad_exif.jpg": lambda: encoded(
        IMAGE, "JPEG", exif=b"Exif\0\0II*\0" + b"\xff" * 40
    ),
    "odd_turn.jpg": lambda: encoded(IMAGE, "JPEG", exif=b"Exif\0\0" + tiff(8, 8)),
}
