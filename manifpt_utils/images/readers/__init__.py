"""Sources of images: one small module per source, and one table of all of them.

A reader looks at a path and finds out which images of which class lie there.  It
returns a `Source`; images are decoded only after some of them were chosen.
"""

from typing import NamedTuple

from ..layout import missing_real, rename_hint, subfolders
from . import (
    dgm_eval,
    folders,
    forensynths,
    genimage,
    listing,
    parquet,
    torchvision_data,
)


class Reader(NamedTuple):
    """How a layout is told from others, and how it is read."""

    tree: str  # the layout in words
    fits: object  # path -> bool
    read: object  # (path, models) -> Source


FILES = [
    Reader(listing.TREE, listing.fits, listing.read),
    Reader(parquet.TREE, parquet.fits, parquet.read),
]
FOLDERS = [
    Reader(folders.TREE, folders.fits, folders.read),
    Reader(folders.DIVIDED_TREE, folders.fits_divided, folders.read_divided),
    Reader(genimage.TREE, genimage.fits, genimage.read),
    Reader(forensynths.TREE, forensynths.fits, forensynths.read),
    Reader(dgm_eval.TREE, dgm_eval.fits, dgm_eval.read),
    Reader(parquet.TREE, parquet.fits, parquet.read),
]


def find(path, models=None):
    """Find the images of a file or folder, in whatever layout it has.

    Parameters
    ----------
    path : Path
    models : sequence of str, optional
        Names of the models; all by default.

    Returns
    -------
    Source

    Raises
    ------
    ValueError
        If no layout fits, or more than one does, or the reader refuses what it finds.
    """
    readers = FOLDERS if path.is_dir() else FILES
    if path.is_dir():
        subfolders(path)  # raises an error with a remedy if there is no permission
    fitting = [reader for reader in readers if reader.fits(path)]
    if len(fitting) > 1:
        raise ValueError(
            f"{path} fits more than one layout: {_listed(fitting)}. Move what does not "
            "belong to the right one out of the folder."
        )
    if not fitting:
        raise ValueError(_not_understood(path))
    return fitting[0].read(path, models)


def understood():
    """The layouts that can be read, in words: a list of str.

    Examples
    --------
    >>> understood()[0]
    'real/ and <model>/'
    """
    named = dict.fromkeys(reader.tree for reader in FOLDERS + FILES)
    return [*named, torchvision_data.TREE]


def _not_understood(path):
    if path.is_dir():
        start = f"{missing_real(path)}{rename_hint(subfolders(path))}"
    else:
        start = f"{path} is neither a folder nor a file that can be read here."
    return f"{start} What is read:{''.join(f'{chr(10)}  - {x}' for x in understood())}"


def _listed(readers):
    return "; or ".join(reader.tree for reader in readers)
