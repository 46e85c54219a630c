"""Images of every class, divided into those to learn, to calibrate and to test on."""

from typing import NamedTuple

import numpy as np
import pandas as pd

from ..images.copies import digests

SHARES = {"calibrate": 0.2, "test": 0.2}  # of every class; the rest is learned from
LEAST = 10  # images of a class
VERDICTS = UNKNOWN, UNSURE, SEVERAL = "unknown", "unsure", "several"  # for no class
SEPARATOR = " | "  # between the classes of a set


class Part(NamedTuple):
    """Some images with their classes."""

    images: np.ndarray  # (n, h, w, 3) uint8
    labels: np.ndarray  # (n,) str


def classes_of(benchmark, *, with_real=True):
    """The images of every class that can be told apart.

    Copies count as one image, and what lies in several classes belongs to none.

    Parameters
    ----------
    benchmark : Benchmark
    with_real : bool
        With the class "real", from the real images that are not of the manifold set.

    Returns
    -------
    dict of str to (n, h, w, 3) uint8 array

    Raises
    ------
    ValueError
        If there are fewer than two classes, a class has fewer than ten images that
        are its own, or its name is that of a verdict.
    """
    real = {"real": benchmark.real_test} if with_real else {}
    classes = real | dict(benchmark.images)
    if len(classes) < 2:
        raise ValueError(
            f"{benchmark.name} has one class, {list(classes)}; attribution needs two: "
            "add a model, or keep the real images as a class (with_real=True)."
        )
    rows = dict(zip(classes, _own(classes), strict=True))
    for name in classes:
        _check_class(name)
    own = {name: x[rows[name]] for name, x in classes.items()}
    for name, x in own.items():
        if len(x) < LEAST:
            raise ValueError(_too_few(name, len(x), len(classes[name])))
    return own


def _check_class(name):
    """Refuse a class that an answer could not name."""
    if name in VERDICTS or SEPARATOR.strip() in name:
        raise ValueError(
            f"the class {name!r} would not be told from an answer: "
            f"{', '.join(VERDICTS)}, or classes with {SEPARATOR.strip()!r} between "
            "them; rename it."
        )


def _own(classes):
    """Per class, the rows that are the first of their content and in no other class."""
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


def divide(classes, *, seed=0):
    """Divide the images of every class at random.

    Parameters
    ----------
    classes : dict of str to (n, h, w, 3) uint8 array
    seed : int

    Returns
    -------
    dict of str to Part
        "learn" (three fifths), "calibrate" and "test" (a fifth each, at least one).
    """
    rng = np.random.default_rng(seed)
    rows = {name: _rows(len(x), rng) for name, x in classes.items()}
    return {part: _part(classes, rows, part) for part in ("learn", *SHARES)}


def _rows(n, rng):
    order, places, start = rng.permutation(n), {}, 0
    for part, share in SHARES.items():
        stop = start + max(1, round(share * n))
        places[part], start = np.sort(order[start:stop]), stop
    return places | {"learn": np.sort(order[start:])}


def _part(classes, rows, part):
    images = [x[rows[name][part]] for name, x in classes.items()]
    counts = [len(x) for x in images]
    return Part(np.concatenate(images), np.repeat(list(classes), counts))


def balanced(labels):
    """Rows in which every class is as frequent as the largest, by repetition.

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
    files = _files(benchmark).reset_index()
    return table.merge(files, "left", on=["class", "digest"]).fillna({"file": ""})


def _files(benchmark):
    """File names by class and digest, the first of copies."""
    if benchmark.audit is None:
        empty = pd.MultiIndex.from_tuples([], names=["class", "digest"])
        return pd.Series([], index=empty, name="file", dtype=object)
    files = benchmark.audit.files.reset_index().drop_duplicates(["class", "digest"])
    return files.set_index(["class", "digest"])["file"]


def names_of(images, name, benchmark):
    """Names of the files of some images of a class, or their numbers.

    Parameters
    ----------
    images : (n, h, w, 3) uint8 array
    name : str
        The class.
    benchmark : Benchmark

    Returns
    -------
    list of str
    """
    files = _files(benchmark)
    keys = [(name, digest) for digest in digests(images)]
    return [files.get(key, f"{name} {i}") for i, key in enumerate(keys)]


def was_resized(benchmark):
    """Whether the files of a benchmark are not of the size of its images."""
    if benchmark.audit is None:
        return False
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
