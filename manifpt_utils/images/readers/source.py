"""What every reader returns: the images of each class, and which are for the test."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from ..choice import shuffled
from ..image_files import read_images

TRAIN, TEST = "train", "test"


class Item(NamedTuple):
    """One image that has not been read yet."""

    name: str  # what messages and tables call it; unique in its class
    place: Any  # a Path, or anything that its reader understands


def read_files(items, size, read_all=None):
    """Read the images of every class from their files.

    Parameters
    ----------
    items : dict of str to list of Item
        The class "real" comes first; its first file has the size that all must have.
    size : (int, int), optional
    read_all : callable, optional
        Reads the files of one class, as `read_images` does.

    Returns
    -------
    dict of str to Images
    """
    read_all, reference = read_all or read_images, items["real"][0].place
    return {
        name: read_all([x.place for x in found], size=size, reference=reference)
        for name, found in items.items()
    }


class Source(NamedTuple):
    """Images of every class, found and not yet read.

    Attributes
    ----------
    layout : str
        The recognised layout, in words.
    origin : Path
        The folder or file that was read.
    items : dict of str to list of Item
        Images of each class, the class "real" first.
    tested : dict of str to bool array
        Which items are for the test, for the classes of which the source says so.
    read : callable
        Reads the images of items, as `read_files` does.
    files : sequence of Path
        Files that hold the images of items which have no file of their own.
    """

    layout: str
    origin: Path
    items: dict[str, list[Item]]
    tested: dict[str, np.ndarray]
    read: Callable = read_files
    files: tuple[Path, ...] = ()

    @property
    def name(self):
        """The name of a benchmark from this source."""
        path = self.origin.resolve()
        return path.stem if path.is_file() else path.name

    @property
    def folder(self):
        """The folder in which a table of the models is sought."""
        return self.origin if self.origin.is_dir() else self.origin.parent

    @property
    def real_place(self):
        """The place of the real images, for messages."""
        folder = self.origin / "real"
        return str(folder) if folder.is_dir() else f"{self.origin}, class 'real',"


def named(root, paths):
    """Items of some files, each named by its path relative to a folder."""
    return [Item(path.relative_to(root).as_posix(), path) for path in paths]


def divided(layout, origin, sides):
    """A source whose images are divided into two sides.

    Parameters
    ----------
    layout : str
    origin : Path
    sides : dict of str to dict of str to list of Item
        By class and then by side, `TRAIN` or `TEST`.  If no class has a `TEST` side, or
        none has a `TRAIN` side, the source is not divided.

    Returns
    -------
    Source

    Raises
    ------
    ValueError
        If one class has both sides and another class only one.
    """
    found = {side for parts in sides.values() for side, x in parts.items() if x}
    both = found == {TRAIN, TEST}
    for name, parts in sides.items():
        lacking = [side for side in (TRAIN, TEST) if both and not parts.get(side)]
        if lacking:
            raise ValueError(
                f"{origin} has images of {name!r} for one side only and none for "
                f"{lacking[0]}; every class needs both, so add some, or leave that "
                "class out."
            )
    items = {k: [*x.get(TRAIN, []), *x.get(TEST, [])] for k, x in sides.items()}
    counts = {k: len(x.get(TRAIN, [])) for k, x in sides.items()}
    tested = {k: np.arange(len(x)) >= counts[k] for k, x in items.items()}
    return Source(layout, origin, items, tested if both else {})


def limited(source, limits, seed):
    """Draw some of the images of every class, and as many of each side.

    Parameters
    ----------
    source : Source
    limits : dict of str to int
        Largest number per class.  A larger limit begins with the images of a smaller
        one.
    seed : int

    Returns
    -------
    Source
    """
    items, tested = dict(source.items), dict(source.tested)
    for name, most in limits.items():
        kept = _drawn(name, len(items[name]), tested.get(name), most, seed)
        items[name] = [items[name][i] for i in kept]
        if name in tested:
            tested[name] = tested[name][kept]
    return source._replace(items=items, tested=tested)


def _drawn(name, n, tested, most, seed):
    """Rows of one class, in their order."""
    order = shuffled(name, n, seed)
    sides = [order] if tested is None else [order[~tested[order]], order[tested[order]]]
    return np.sort(np.concatenate([side[:most] for side in sides]))
