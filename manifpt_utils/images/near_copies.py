"""Near copies: one image that was saved, resized or brightened in two ways.

Two images are near copies if they are not equal and fulfil two conditions, in grey and
reduced to 16 x 16 pixels.  They differ by at most `THRESHOLD` grey levels (root mean
square), and a shift or a change of scale explains at most `MOTION` of this difference.
The reduction averages out what compression and resizing do to single pixels.  The
second condition excludes another view of the same thing, where a small motion of the
camera explains most of the difference; it explains little of what a compression does.
Images that were mirrored, turned or cropped are not found.
"""

from itertools import product

import numpy as np
import pandas as pd
from PIL import Image
from scipy.spatial import KDTree

from .._support.printable import printable

SIDE = 16  # pixels of a reduced image
THRESHOLD = 4.0  # grey levels
MOTION = 0.75  # grey levels
NEIGHBOURS = 5  # nearest images in each class that are examined
BATCH = 4096  # pairs that are compared at once
MOST = 200_000  # images that are compared
SHOWN = 3  # examples in a message
COLUMNS = ["class", "file", "other_class", "other_file", "difference"]


def signatures(images):
    """Reduce images of any size to signatures, in which near copies hardly differ.

    Parameters
    ----------
    images : (n, h, w, 3) uint8 array, or sequence of (h, w, 3) uint8 arrays

    Returns
    -------
    (n, 256) float32 array
        Grey levels of 16 x 16 pixels, divided by 16, so that the Euclidean distance of
        two rows is the root of their mean squared difference.

    Examples
    --------
    >>> grey = np.full((1, 64, 48, 3), 100, np.uint8)
    >>> np.linalg.norm(signatures(grey) - signatures(grey + 1)).round(3)
    np.float32(1.0)
    """
    reduced = [_reduced(image) for image in images]
    return np.array(reduced, np.float32).reshape(len(reduced), SIDE**2) / SIDE


def _reduced(image):
    grey = Image.fromarray(image).convert("L").convert("F")  # means are not rounded
    return np.asarray(grey.resize((SIDE, SIDE), Image.Resampling.LANCZOS))


def find_near_copies(files, found):
    """Find the pairs of images that are near copies.

    Memory is linear in the number of images.  If there are more than `MOST`, a random
    part of that size is compared.

    Parameters
    ----------
    files : DataFrame
        Indexed by class and file, with a column `digest`.
    found : (n, 256) float32 array
        Signatures of the images.

    Returns
    -------
    DataFrame
        One row per pair: `class`, `file`, `other_class`, `other_file`, and `difference`
        in grey levels.  Pairs of two classes come first, and nearer pairs before
        farther ones.  For every image, its five nearest in each class are examined, and
        of equal images only one is used.
    """
    rows = _compared(files)
    if len(rows) < 2:
        return pd.DataFrame(columns=COLUMNS)
    files, found = files.iloc[rows], found[rows]
    pairs = _close(_turned(found), files.index.get_level_values("class"))
    ends = pairs[["one", "other"]].to_numpy().T
    still = _motion(found, *ends) <= MOTION
    return _named(pairs[still], files.index)


def _close(x, classes):
    """Pairs of rows within the threshold, each once: `one`, `other`, `difference`."""
    places = {name: np.flatnonzero(classes == name) for name in classes.unique()}
    trees = {name: KDTree(x[place]) for name, place in places.items()}
    pairs = pd.concat(
        _nearest(x, places[a], places[b], trees[b])
        for a, b in product(places, repeat=2)
    )
    return pairs.drop_duplicates(["one", "other"], ignore_index=True)


def _compared(files):
    """Rows of images that differ from each other; a part of them if there are many."""
    rows = np.flatnonzero(~files["digest"].duplicated().to_numpy())
    if len(rows) > MOST:
        rows = np.sort(np.random.default_rng(0).permutation(rows)[:MOST])
    return rows


def _turned(x):
    """Rotate so that the first coordinates vary most, which makes a tree fastest."""
    x = x - x.mean(0)
    return x @ np.linalg.eigh(x.T @ x)[1][:, ::-1]


def _nearest(x, place, other, tree):
    """The nearest others of every image, as pairs `one` < `other`, `difference`."""
    k = list(range(1, NEIGHBOURS + 1 + (place is other)))
    distance, near = tree.query(x[place], k=k, distance_upper_bound=THRESHOLD)
    if place is other:  # an image is not its own copy
        distance[near == np.arange(len(place))[:, None]] = np.inf
    found = np.isfinite(distance)
    ends = np.repeat(place, found.sum(1)), other[near[found]]
    return pd.DataFrame(
        {
            "one": np.minimum(*ends),
            "other": np.maximum(*ends),
            "difference": distance[found],
        }
    )


def _motion(found, one, other):
    """How much of each difference a shift and a change of scale explain: (n,) array."""
    starts = range(0, len(one), BATCH)
    parts = [slice(start, start + BATCH) for start in starts]
    explained = [_explained(found[one[part]], found[other[part]]) for part in parts]
    return np.concatenate([np.empty(0), *explained])


def _explained(a, b):
    """Project differences on the changes that motion makes: (n,) array.

    The mean is left out, because a change in brightness is not a motion.
    """
    mean = (a + b).reshape(-1, SIDE, SIDE) / 2
    down, right = np.gradient(mean, axis=(1, 2))
    y, x = np.mgrid[-1 : 1 : SIDE * 1j, -1 : 1 : SIDE * 1j]
    moves = np.stack([down, right, y * down + x * right], axis=-1)
    moves = moves.reshape(-1, SIDE**2, 3)  # (n, pixels, moves)
    moves = moves - moves.mean(axis=1, keepdims=True)
    across = moves.transpose(0, 2, 1)
    ridge = 1e-6 * np.eye(3)  # in flat images no motion is visible
    amounts = np.linalg.solve(across @ moves + ridge, across @ (b - a)[..., None])
    return np.linalg.norm((moves @ amounts)[..., 0], axis=1)


def _named(pairs, index):
    """Pairs of row numbers as pairs of classes and files."""
    ends = [
        index[pairs[end].to_numpy()].to_frame(index=False) for end in ("one", "other")
    ]
    found = pd.concat([*ends, pairs["difference"].reset_index(drop=True)], axis=1)
    found.columns = COLUMNS
    within = found["class"] == found["other_class"]
    order = np.lexsort([found["difference"], within])
    return found.iloc[order].reset_index(drop=True)


def describe_near_copies(pairs):
    """Say which classes hold near copies, and what that means.

    Parameters
    ----------
    pairs : DataFrame
        From `find_near_copies`.

    Returns
    -------
    str
        Empty where there are none.
    """
    if pairs.empty:
        return ""
    counts = pairs.groupby(["class", "other_class"], sort=False).size()
    where = [_place(a, b, count) for (a, b), count in counts.items()]
    more = f" and {len(where) - SHOWN} more such" if len(where) > SHOWN else ""
    first = [_example(pair) for pair in pairs.head(SHOWN).itertuples(index=False)]
    return (
        f"some images are near copies of another one: {'; '.join(where[:SHOWN])}"
        f"{more} ({'; '.join(first)}). If one of two is trained on and the other one "
        "tested, a method that only remembers seems to generalise; look at them, and "
        "remove one of each pair that shows the same."
    )


def _place(one, other, count):
    pairs = f"{count} pair{'s' * (count > 1)}"
    if one == other:
        return f"{pairs} in {printable(one)}"
    return f"{pairs} of {printable(one)} and {printable(other)}"


def _example(pair):
    one, one_file, other, other_file, difference = pair
    ends = f"{one}/{one_file} ~ {other}/{other_file}"
    return f"{printable(ends)}, {difference:.1f} grey levels apart"
