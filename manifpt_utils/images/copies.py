"""Copies: images whose pixels are equal, whatever their files are called."""

import hashlib
from itertools import permutations

import numpy as np
import pandas as pd

from .._support.printable import printable

SHOWN = 3  # examples in a message, and files in each example


def digests(images):
    """Tell equal images by equal strings.

    If a split takes these strings as groups, copies of one image are never on both
    sides.

    Parameters
    ----------
    images : (n, ...) array

    Returns
    -------
    (n,) str array

    Examples
    --------
    >>> images = np.zeros((3, 4, 4, 3), np.uint8)
    >>> images[2] = 1
    >>> first, second, third = digests(images)
    >>> bool(first == second), bool(first == third)
    (True, False)
    """
    images = np.ascontiguousarray(images)
    found = [hashlib.sha256(image).hexdigest() for image in images]
    return np.array(found, dtype="U64")


def refuse_copied_classes(files):
    """Refuse a class if all of its images are in another class as well.

    Parameters
    ----------
    files : DataFrame
        Indexed by class and file, with a column `digest`.

    Raises
    ------
    ValueError
        If there is such a class; the message names it and some files.
    """
    contents = {k: set(x) for k, x in files["digest"].groupby(level="class")}
    models_first = sorted(contents, key=lambda name: name == "real")
    for copy, original in permutations(models_first, 2):
        if contents[copy] <= contents[original]:
            pair = files.loc[[original, copy]]
            raise ValueError(
                f"all images of {copy!r} are in {original!r} as well "
                f"({_examples(pair)}): one class cannot be told from its copy. Replace "
                f"the images of {copy!r}, or remove that folder."
            )


def describe_copies(files):
    """Say which files have the same pixels as another file.

    Parameters
    ----------
    files : DataFrame
        Indexed by class and file, with a column `digest`.

    Returns
    -------
    str
        Empty if all images differ.
    """
    if not files["digest"].duplicated().any():
        return ""
    by_class = files["digest"].groupby(level="class")
    surplus = by_class.size() - by_class.nunique()
    found = [
        f"{k} of the {by_class.size()[name]} in {printable(name)}"
        for name, k in surplus.items()
        if k
    ]
    homes = files.reset_index().groupby("digest")["class"].nunique()
    shared = int((homes > 1).sum())
    found += [f"{shared} in more than one class"] if shared else []
    return (
        f"some images are copies of another one: {'; '.join(found)} "
        f"({_examples(files)}). Copies count as one image, and no method can tell "
        "apart what lies in several classes; remove all but one of each."
    )


def _examples(files):
    """Names of equal files, those in several classes first."""
    same = files[files["digest"].duplicated(keep=False)]
    names = [printable("/".join(name)) for name in same.index]
    names = pd.Series(names, same.index)
    groups = [list(x) for _, x in names.groupby(same["digest"].to_numpy(), sort=False)]
    groups.sort(key=lambda group: len({name.partition("/")[0] for name in group}) == 1)
    text = ", ".join(" = ".join(_both_ends(group)) for group in groups[:SHOWN])
    return text + (", ..." if len(groups) > SHOWN else "")


def _both_ends(names):
    """A few of the names, and the last one, which may be of another class."""
    return names if len(names) <= SHOWN else [*names[: SHOWN - 1], "...", names[-1]]
