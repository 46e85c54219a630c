"""Images of every class, divided into those to learn from, calibrate and test on."""

from typing import NamedTuple

import numpy as np
import pandas as pd

from ..images.copies import digests
from ..images.file_names import files_of

SHARES = {"calibrate": 0.2, "test": 0.2}  # of every class; "learn" gets the rest
LEAST = 10  # images that a class needs
GIVEN = {"learn and calibrate": 8, "test": 2}  # of these, where the split is given
VERDICTS = UNKNOWN, UNSURE, SEVERAL = "unknown", "unsure", "several"  # for no class
SEPARATOR = " | "  # between the classes of a set


class Part(NamedTuple):
    """Some images with their classes."""

    images: np.ndarray  # (n, h, w, 3) uint8
    labels: np.ndarray  # (n,) str


def parts_of(benchmark, *, with_real=True, seed=0):
    """Divide the images of every class; test images that are given stay such.

    Copies count as one image, and an image that lies in several classes is in none.

    Parameters
    ----------
    benchmark : Benchmark
        Where its images came with a split of their own, all test images are the test,
        and a quarter of the others calibrates.
    with_real : bool
        Whether "real" is a class, made of the real images outside the manifold set.
    seed : int

    Returns
    -------
    dict of str to Part
        As by `divide`.

    Raises
    ------
    ValueError
        If there are fewer than two classes, a class has fewer than ten different images
        that no other class has, or too few on a side of a given split, or its name is
        that of a verdict.
    """
    real = {"real": benchmark.real_test} if with_real else {}
    classes = real | dict(benchmark.images)
    rows = _own_rows(benchmark, classes)
    own = {name: classes[name][x] for name, x in rows.items()}
    if benchmark.tested is None:
        return divide(own, seed=seed)
    tested = {name: benchmark.tested[name][x] for name, x in rows.items()}
    return divide(own, seed=seed, tested=tested)


def _own_rows(benchmark, classes):
    """By class, the rows of images that can be told apart from those of others."""
    if len(classes) < 2:
        raise ValueError(
            f"{benchmark.name} has one class, {list(classes)}; attribution needs two: "
            "add a model, or keep the real images as a class (with_real=True)."
        )
    rows = dict(zip(classes, _own(classes), strict=True))
    for name in classes:
        _check_class(name)
    for name, x in rows.items():
        if len(x) < LEAST:
            raise ValueError(_too_few(name, len(x), len(classes[name])))
    return rows


def _check_class(name):
    """Refuse a class that an answer could not name."""
    if name in VERDICTS or SEPARATOR.strip() in name:
        raise ValueError(
            f"the class {name!r} would not be told from an answer: "
            f"{', '.join(VERDICTS)}, or classes with {SEPARATOR.strip()!r} between "
            "them; rename it."
        )


def _own(classes):
    """Per class, the rows of images without their copies and in no other class."""
    found = [digests(x) for x in classes.values()]
    everything = [set(x) for x in found]
    for i, contents in enumerate(found):
        others = set().union(*everything[:i], *everything[i + 1 :])
        first = np.sort(np.unique(contents, return_index=True)[1])
        yield first[[contents[row] not in others for row in first]]


def _too_few(name, own, found):
    kept = " (a fifth of the real images; the others stand for the manifold)"
    return (
        f"class {name!r} has {own} images of its own among {found}"
        f"{kept if name == 'real' else ''}, and {LEAST} are needed to learn, calibrate "
        "and test; add some, or leave the class out."
    )


def divide(classes, *, seed=0, tested=None):
    """Divide the images of every class at random.

    Parameters
    ----------
    classes : dict of str to (n, h, w, 3) uint8 array
    seed : int
    tested : dict of str to (n,) bool array, optional
        Which images are the test, where that is given.

    Returns
    -------
    dict of str to Part
        "learn" (three fifths), "calibrate" and "test" (a fifth each, at least one).
    """
    rng = np.random.default_rng(seed)
    if tested is None:
        rows = {name: _rows(len(x), rng) for name, x in classes.items()}
    else:
        rows = {name: _given_rows(name, tested[name], rng) for name in classes}
    return {part: _part(classes, rows, part) for part in ("learn", *SHARES)}


def _rows(n, rng):
    order, places, start = rng.permutation(n), {}, 0
    for part, share in SHARES.items():
        stop = start + max(1, round(share * n))
        places[part], start = np.sort(order[start:stop]), stop
    return places | {"learn": np.sort(order[start:])}


def _given_rows(name, tested, rng):
    counts = dict(zip(GIVEN, (np.sum(~tested), np.sum(tested)), strict=True))
    for side, least in GIVEN.items():
        if counts[side] < least:
            raise ValueError(
                f"class {name!r} has {counts[side]} images of its own to {side} on in "
                f"the given split, and {least} are needed; add some, or leave the "
                "class out."
            )
    order = rng.permutation(np.flatnonzero(~tested))
    stop = max(1, round(len(order) * SHARES["calibrate"] / (1 - SHARES["test"])))
    found = {"calibrate": order[:stop], "learn": order[stop:]}
    return {k: np.sort(x) for k, x in found.items()} | {"test": np.flatnonzero(tested)}


def _part(classes, rows, part):
    images = [x[rows[name][part]] for name, x in classes.items()]
    counts = [len(x) for x in images]
    return Part(np.concatenate(images), np.repeat(list(classes), counts))


def balanced(labels):
    """Rows repeated so that every class is as frequent as the largest one.

    Parameters
    ----------
    labels : (n,) array

    Returns
    -------
    (m,) int array

    Examples
    --------
    >>> balanced(np.array(["a", "b", "b", "b"])).tolist()
    [0, 0, 0, 1, 2, 3]
    """
    rows = [np.flatnonzero(labels == name) for name in np.unique(labels)]
    return np.concatenate([np.resize(x, max(map(len, rows))) for x in rows])


def table_of(parts, benchmark):
    """Which image is in which part.

    Parameters
    ----------
    parts : dict of str to Part
    benchmark : Benchmark

    Returns
    -------
    DataFrame
        `class`, `part`, `digest`, and `file`, empty where the benchmark is no folder.
    """
    rows = [
        pd.DataFrame({"class": x.labels, "part": part, "digest": digests(x.images)})
        for part, x in parts.items()
    ]
    table = pd.concat(rows, ignore_index=True)
    files = files_of(benchmark).reset_index()
    return table.merge(files, "left", on=["class", "digest"]).fillna({"file": ""})


def was_resized(benchmark):
    """Whether the files of a benchmark have, or may have, another size than its images.

    Images that are no files, and were brought to a size, may have had any size.
    """
    if benchmark.audit is None:
        return benchmark.resized
    height, width = benchmark.real.shape[1:3]
    files = benchmark.audit.files
    return bool(((files["height"] != height) | (files["width"] != width)).any())


def few(part, n):
    """At most n images of every class, drawn at random, always the same ones.

    Parameters
    ----------
    part : Part
    n : int

    Returns
    -------
    Part
    """
    rng = np.random.default_rng(0)
    of_class = (np.flatnonzero(part.labels == name) for name in np.unique(part.labels))
    rows = np.concatenate([rng.permutation(x)[:n] for x in of_class])
    return Part(part.images[rows], part.labels[rows])
