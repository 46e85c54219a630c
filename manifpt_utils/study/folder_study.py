"""The study of a folder of your own images: every method, with several seeds.

All representations of the ladder, in some spaces, and the earlier methods are trained
and tested on the same splits.  `manifpt study run --benchmark FOLDER` computes what the
results lack, and `summary` makes a table of them.
"""

from hashlib import sha256
from itertools import product
from pathlib import Path
from typing import NamedTuple

import pandas as pd

from .._support.names import (
    BASELINES,
    CONTROLS,
    ESTIMATES,
    EXACT,
    FILTERED,
    FILTERS,
    NORMALISATIONS,
    SPACES,
)
from .._support.suggestion import suggestion
from .comparison import COMPARISON
from .settings import Method, ours
from .study import Study

FOLDER_KINDS = tuple(x for x in (*CONTROLS, *ESTIMATES) if x not in EXACT)
NAMED = ("method", "space", "kind")  # columns that name a method
TREATED = ("size", "normalise")  # columns that say how the images were read
QUICK = {"seeds": 1, "effort": 0.2, "spaces": ("rgb",)}  # for --quick


class FolderTraining(NamedTuple):
    """One training on the images of a folder."""

    method: Method
    n_train: int  # images per class
    n_test: int
    effort: float  # share of the usual number of training steps of networks
    seed: int

    def __str__(self):
        return f"{self.method}, {self.n_train}, {self.seed}"


class Reading(NamedTuple):
    """Which images are read, and how."""

    source: str  # as `load` takes it
    size: int | None  # height and width to which every image is brought
    normalise: str | None


class FolderStudy(Study):
    """The study of one folder of images.

    Parameters
    ----------
    folder : path
        Or another source of own images, as `load` describes them.
    name : str
        Name of the two files of results.
    size : int, optional
        Height and width to which every image is brought.  The column `size` of the
        results is 0 if images keep their size.
    normalise : {None, "png", "size", "jpeg90"}
        How the images are treated, as `load` does.
    """

    keys = (*NAMED, *TREATED, "n_train", "n_test", "effort", "seed")
    values = ("score", "reason")
    types = {"n_train": int, "n_test": int, "seed": int, "effort": float}
    types |= {"size": int, "score": float}
    names = (*BASELINES, "ours", "", *SPACES, *FOLDER_KINDS, "earlier", *NORMALISATIONS)
    order = {name: i for i, name in enumerate(names)}

    def __init__(self, folder, *, name="results", size=None, normalise=None):
        self.reading = Reading(_absolute(str(folder)), size, normalise)
        self.name = name
        self._sheets = _described(self.reading.source)

    def planned(self):
        """All trainings with the default options."""
        return planned()

    def pruned(self, table, made_of):
        """The table itself; other images are refused by `check`."""
        return table

    def cells(self, training):
        """The one cell of a training."""
        treated = self.reading.size or 0, self.reading.normalise or ""
        return {(*training.method, *treated, *training[1:])}

    def batch(self, training):
        """Trainings of one method share its features."""
        return training[:-1]

    def account(self, training):
        """CPU seconds are summed by method."""
        return str(training.method)

    def sheets(self):
        """A hash of the names, sizes and times of the files of every class."""
        return self._sheets

    def measure(self, training):
        """Train once and test once: a row, with a reason if there is no score."""
        from .folder_training import score  # imports torch

        (cell,) = self.cells(training)
        try:
            found = {"score": score(self.reading, training)}
        except ValueError as error:
            found = {"reason": " ".join(str(error).split())}
        return [dict(zip(self.keys, cell, strict=True)) | found]

    def check(self, store):
        """Refuse to add rows to the results of other images.

        Parameters
        ----------
        store : Store

        Raises
        ------
        ValueError
            If the results are those of other files than the folder has now.
        """
        known = store.read()[1]["sheets"]
        differ = sorted(
            name
            for name in known.keys() | self._sheets.keys()
            if known.get(name) != self._sheets.get(name)
        )
        if known and differ:
            raise ValueError(
                f"{store.csv} holds results of other images: {', '.join(differ)} "
                "changed since then. Give another file by -o, or delete that one."
            )


def _absolute(source):
    """A path that processes in other folders understand; other names as they are."""
    from ..images.readers import torchvision_data  # needs numpy

    return source if torchvision_data.fits(source) else str(Path(source).resolve())


def _described(name):
    """A hash of the files of every class."""
    from ..images.loading import source_of  # needs numpy, which --help does not

    source, found = source_of(name), {}
    for label, items in source.items.items():
        files = [x.place for x in items if isinstance(x.place, Path)]
        states = [(x.name for x in items), map(_state, files or source.files)]
        found[label] = sha256(repr([*map(list, states)]).encode()).hexdigest()
    return found


def _state(path):
    """Size and time of a file."""
    status = path.stat()
    return status.st_size, status.st_mtime_ns


def methods(spaces=("rgb", "frequency"), kinds=FOLDER_KINDS, earlier=tuple(BASELINES)):
    """The methods to compare: representations in some spaces, and earlier methods.

    Parameters
    ----------
    spaces, kinds, earlier : sequence of str

    Returns
    -------
    list of Method

    Raises
    ------
    ValueError
        If a name is unknown; the nearest known one is suggested.

    Examples
    --------
    >>> [str(m) for m in methods(["rgb"], ["raw", "highpass"], ["Yu19"])]
    ['rgb raw', 'rgb highpass', 'Yu19']
    """
    for given, known in ((spaces, SPACES), (kinds, FOLDER_KINDS), (earlier, BASELINES)):
        for name in given:
            if name not in known:
                raise ValueError(f"unknown {name!r};{suggestion(str(name), known)}")
    shown = [
        ours(space, kind)
        for space, kind in product(spaces, kinds)
        if kind not in FILTERS or space in FILTERED
    ]
    return shown + [Method(name, "", "earlier") for name in earlier]


def planned(chosen=None, *, n_train=100, n_test=100, seeds=3, effort=1.0):
    """All trainings, method by method.

    Parameters
    ----------
    chosen : list of Method, optional
        All of `methods` by default.
    n_train, n_test : int
        Images per class.
    seeds : int
        Number of trainings per method, each on its own split.
    effort : float
        Share of the usual number of training steps of networks, kept to five digits
        as in the file of results.

    Returns
    -------
    list of FolderTraining
    """
    effort = float(f"{effort:.5g}")
    chosen = methods() if chosen is None else chosen
    return [
        FolderTraining(method, n_train, n_test, effort, seed)
        for method in chosen
        for seed in range(1, seeds + 1)
    ]


def expected_seconds(trainings, first, seconds):
    """Estimate the CPU seconds of some trainings from those of the first.

    Parameters
    ----------
    trainings : list of FolderTraining
    first : FolderTraining
        The training that was measured.
    seconds : float
        CPU seconds that it took.

    Returns
    -------
    float
        Assumes the ratios between methods that the stored comparison has.
    """
    weights = _weights()
    usual = pd.Series(weights).median()
    unit = seconds / weights.get(str(first.method), usual)
    return unit * sum(weights.get(str(t.method), usual) for t in trainings)


def _weights():
    """CPU seconds per training of the methods of the stored comparison."""
    table = COMPARISON.results()
    table = table[table["column"].isin(["closed", "with real"])]
    names = (str(Method(*row)) for row in table[[*NAMED]].to_numpy())
    counts = pd.Series(list(names)).value_counts()
    spent = pd.Series(COMPARISON.provenance()["cpu_seconds"])
    return (spent / counts).dropna().to_dict()


def summary(table):
    """Mean accuracies with their intervals over the trainings, the best first.

    Parameters
    ----------
    table : DataFrame
        Rows of a `FolderStudy`.

    Returns
    -------
    DataFrame
        Indexed by method; columns `size`, `normalise`, `n train`, `n test`, `effort`,
        `accuracy`, `low` and `high` of the 95 % interval, `trainings`, and the `reason`
        if there is no score.
    """
    from ..metrics.intervals import share_interval  # imports scipy

    rows = {}
    kept = [*TREATED, "n_train", "n_test", "effort"]
    for key, part in table.groupby([*NAMED, *kept], sort=False):
        found = share_interval(part["score"])
        reason = "; ".join(sorted(set(part["reason"]) - {""}))
        rows[str(Method(*key[:3])), *key[3:]] = (*found[:4], reason)
    names = ["method", *(name.replace("_", " ") for name in kept)]
    index = pd.MultiIndex.from_tuples(rows, names=names)
    columns = ["accuracy", "low", "high", "trainings", "reason"]
    found = pd.DataFrame([*rows.values()], index=index, columns=columns)
    return found.reset_index(names[1:]).sort_values("accuracy", ascending=False)
