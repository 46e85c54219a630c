"""Tables of scores: what was measured for every representation, and what pays.

*Scores* are a (representations, repetitions) DataFrame, indexed by space and kind: one
row for what a classifier is shown, one column for every training.  The trainings of a
column share their images, so that rows are compared within columns.
"""

import pandas as pd

from ..metrics.intervals import leaders, mean_interval
from .evaluation import HELD_OUT
from .representations import Representation

MINUS_RAW = " − raw"


def accuracies(evaluations, *, unseen=HELD_OUT, classes=None):
    """Scores of one test of many evaluations.

    Parameters
    ----------
    evaluations : dict of Representation to Evaluation
        All with the same seeds.
    unseen : str
        Name of a set that took no part in training; by default the held-out images.
    classes : sequence of str, optional
        Only the images of some classes.

    Returns
    -------
    (representations, seeds) DataFrame

    Examples
    --------
    >>> from types import SimpleNamespace
    >>> columns = {"seed": [0, 0], "set": "new", "true": ["a", "b"], "predicted": "a"}
    >>> found = SimpleNamespace(predictions=pd.DataFrame(columns))
    >>> accuracies({Representation("rgb", "raw"): found}, unseen="new").to_numpy()
    array([[0.5]])
    """
    rows = [_by_seed(x.predictions, unseen, classes) for x in evaluations.values()]
    index = pd.MultiIndex.from_tuples(evaluations, names=Representation._fields)
    return pd.DataFrame(rows).set_axis(index)


def _by_seed(predictions, name, classes):
    """Share of right predictions: a Series by seed."""
    part = predictions[predictions["set"] == name]
    if classes is not None:
        part = part[part["true"].isin(classes)]
    right = part["true"] == part["predicted"]
    return right.groupby(part["seed"], sort=False).mean()


def gain(scores, kind="nearest"):
    """How much better an artifact does than the raw image of its own space.

    Parameters
    ----------
    scores : Series, or (representations, repetitions) DataFrame
        Indexed by space and kind.
    kind : str
        Kind of the artifact.

    Returns
    -------
    Series or DataFrame
        Score of the artifact minus that of "raw", one entry or row per space.

    Raises
    ------
    ValueError
        If one of the two kinds is not among the scores.

    Examples
    --------
    >>> scores = {("rgb", "raw"): 0.5, ("rgb", "nearest"): 0.75}
    >>> gain(pd.Series(scores)).to_dict()
    {'rgb': 0.25}
    """
    known = list(dict.fromkeys(scores.index.get_level_values(1)))
    for needed in (kind, "raw"):
        if needed not in known:
            raise ValueError(
                f"the gain of {kind!r} over 'raw' needs scores of both; there are only "
                f"those of {known}."
            )
    return scores.xs(kind, level=1) - scores.xs("raw", level=1)


def mean_gain(scores, kind="nearest"):
    """The gain in the mean of all spaces.

    Parameters
    ----------
    scores : (representations, repetitions) DataFrame
    kind : str

    Returns
    -------
    Interval
        Over the repetitions.

    Examples
    --------
    >>> scores = {("rgb", "raw"): [0.5, 0.6], ("rgb", "nearest"): [0.6, 0.7]}
    >>> mean_gain(pd.DataFrame(scores).T).sign
    1
    """
    return mean_interval(gain(scores, kind).mean())


def space_table(scores, *, gains=("nearest", "hull")):
    """One row per space: the score of every kind, and what artifacts add to "raw".

    Parameters
    ----------
    scores : (representations, repetitions) DataFrame
    gains : sequence of str
        Kinds of artifacts; those without scores are left out.

    Returns
    -------
    DataFrame of Interval
        Over the repetitions.  Columns are the kinds, then "nearest − raw" and others.
    """
    table = _intervals(scores).unstack(sort=False)
    for kind in gains:
        if kind in table:
            table[kind + MINUS_RAW] = _intervals(gain(scores, kind))
    return table


def _intervals(scores):
    """The interval of every row."""
    return pd.Series([mean_interval(x) for x in scores.to_numpy(float)], scores.index)


def panels(tests):
    """Scores of several tests in one long table, as `figures.dot_panels` takes it.

    Parameters
    ----------
    tests : dict of str to (representations, repetitions) DataFrame

    Returns
    -------
    DataFrame
        One line per test and representation: `test`, `space`, `kind`,
        `representation`, and `score`, an Interval.
    """
    long = pd.concat({name: _intervals(s) for name, s in tests.items()}, names=["test"])
    long = long.rename("score").reset_index()
    return long.assign(representation=long["space"] + " " + long["kind"])


def best(scores):
    """The best representation, and those that are not distinguishable from it.

    Returns
    -------
    list of Representation
        The best first.
    """
    return [Representation(*key) for key in leaders(scores)]
