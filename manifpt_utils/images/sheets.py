"""Sheets: all samples of one training, tiled into one lossless image."""

import io

import numpy as np
from PIL import Image

from .manifest import verified

COLUMNS = 40  # images in a row of a sheet


def read_sheet(folder, name, manifest):
    """Read and verify a sheet of samples.

    Returns
    -------
    (n, h, w, 3) uint8 array
    """
    content, entry = verified(folder, name, manifest), manifest[name]
    with Image.open(io.BytesIO(content), formats=("WEBP",)) as image:
        sheet = np.array(image.convert("RGB"))
    return cut_sheet(sheet, entry["images"], entry["shape"])


def cut_sheet(sheet, n, shape):
    """Take the first `n` images, row by row, from a sheet of `COLUMNS` columns."""
    h, w, channels = shape
    tiles = sheet.reshape(-1, h, COLUMNS, w, channels).swapaxes(1, 2)
    return np.ascontiguousarray(tiles.reshape(-1, h, w, channels)[:n])
