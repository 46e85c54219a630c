"""What every reader finds: the images of each class, and which are for the test."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from ..choice import shuffled
from ..image_files import read_images

TRAIN, TEST = "train", "test"


class Item(NamedTuple):
    """One image that has not been read."""

    name: str  # what messages and tables call it, once in each class
    place: Any  # a Path, or whatever its reader understands


def read_files(items, size, read_all=None):
    """Read the images of every class from their files.

    Parameters
    ----------
    items : dict of str to list of Item
        The class "real" first; its first file has the right size.
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
        What was recognised, in words.
    origin : Path
        The folder or file that was read.
    items : dict of str to list of Item
        By class, the class "real" first.
    tested : dict of str to bool array
        Which items are for the test, of those classes for which the source says so.
    read : callable
        Makes images of the items, as `read_files` does.
    """

    layout: str
    origin: Path
    items: dict[str, list[Item]]
    tested: dict[str, np.ndarray]
    read: Callable = read_files

    @property
    def name(self):
        """What to call a benchmark of it."""
        path = self.origin.resolve()
        return path.stem if path.is_file() else path.name

    @property
    def folder(self):
        """The folder in which tables about its models are looked for."""
        return self.origin if self.origin.is_dir() else self.origin.parent

    @property
    def real_place(self):
        """What messages call the place of the real images."""
        folder = self.origin / "real"
        return str(folder) if folder.is_dir() else f"{self.origin}, class 'real',"


def named(root, paths):
    """Items of some files, each called by its path within a folder."""
    return [Item(path.relative_to(root).as_posix(), path) for path in paths]


def divided(layout, origin, sides):
    """A source whose images come in two sides.

    Parameters
    ----------
    layout : str
    origin : Path
    sides : dict of str to dict of str to list of Item
        By class and then by side, `TRAIN` or `TEST`.  Where no class has a `TEST`
        side, or none a `TRAIN` side, there is no division.

    Returns
    -------
    Source

    Raises
    ------
    ValueError
        If one class has both sides and another has one.
    """
    found = {side for parts in sides.values() for side, x in parts.items() if x}
    both = found == {TRAIN, TEST}
    for name, parts in sides.items():
        lacking = [side for side in (TRAIN, TEST) if both and not parts.get(side)]
        if lacking:
            raise ValueError(
                f"{origin} has images of {name!r} for one side only, none for "
                f"{lacking[0]}; every class needs both, so add some, or leave that "
                "class out."
            )
    items = {k: [*x.get(TRAIN, []), *x.get(TEST, [])] for k, x in sides.items()}
    counts = {k: len(x.get(TRAIN, [])) for k, x in sides.items()}
    tested = {k: np.arange(len(x)) >= counts[k] for k, x in items.items()}
    return Source(layout, origin, items, tested if both else {})


def limited(source, limits, seed):
    """Draw some of the images of every class, and of either side alike.

    Parameters
    ----------
    source : Source
    limits : dict of str to int
        By class.  The first images of a larger limit are those of a smaller one.
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
