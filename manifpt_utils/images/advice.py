"""What to do about files that are stored in another way from class to class."""

from typing import NamedTuple

LOSSY = ("lossless", "quality", "tables", "subsampling")
SIZES = ("width", "height")
LOOKS = ("grey",)  # facts about the picture, which no way of storage changes


class Advice(NamedTuple):
    """The mildest normalisation that removes all facts that differ.

    Attributes
    ----------
    how : {"png", "size", "jpeg90"}
    sentence : str
        What the normalisation removes, and what it leaves.
    """

    how: str
    sentence: str


def advice(differing):
    """Choose a normalisation by the facts that differ between classes.

    Parameters
    ----------
    differing : sequence of str
        Fields of `Facts`.

    Returns
    -------
    Advice or None
        None where no fact differs that a normalisation can remove.

    Examples
    --------
    >>> advice(["format", "metadata"]).how, advice(["width", "quality"]).how
    ('png', 'jpeg90')
    """
    stored = set(differing) - set(LOOKS)
    if stored & set(LOSSY):
        return Advice("jpeg90", COMPRESSED)
    if stored & set(SIZES):
        return Advice("size", RESIZED)
    return Advice("png", CONTAINED) if stored else None


COMPRESSED = (
    "alone it makes the files equal and not the pixels, where an earlier compression "
    "is found as well as before; with a size of half the smallest or less it hides "
    "most of that, and not all."
)
RESIZED = (
    "it brings all images to the smallest size among them. How far an image was "
    "reduced can still show in its sharpness."
)
CONTAINED = (
    "these facts are in the files alone and not in the pixels, so reading all images "
    "as 8-bit RGB removes them."
)
