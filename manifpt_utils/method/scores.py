"""Tables of scores: what was measured per representation, and what artifacts gain.

*Scores* are a (representations, repetitions) DataFrame, indexed by space and kind: one
row for every representation that a classifier is shown, one column for every training.
All trainings of a column use the same images, so rows are compared within columns.
"""

import numpy as np
import pandas as pd

from ..metrics.intervals import leaders, mean_interval, share_interval
from .evaluation import HELD_OUT
from .representations import Representation

GAINS = (("nearest", "raw"), ("hull", "raw"), ("highpass", "raw"), ("denoiser", "raw"))
GAINS += (("nearest", "highpass"), ("denoiser", "highpass"))


def accuracies(evaluations, *, unseen=HELD_OUT, classes=None):
    """Accuracies of many evaluations on one test set.

    Parameters
    ----------
    evaluations : dict of Representation to Evaluation
        All evaluations have the same seeds.
    unseen : str
        Name of the test set; by default the held-out images of the split.
    classes : sequence of str, optional
        Use only the images of these classes.

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
    """Share of correct predictions: a Series by seed."""
    part = predictions[predictions["set"] == name]
    if classes is not None:
        part = part[part["true"].isin(classes)]
    right = part["true"] == part["predicted"]
    return right.groupby(part["seed"], sort=False).mean()


def gain(scores, kind="nearest", *, over="raw"):
    """How much better an artifact does than the raw image of its own space.

    Parameters
    ----------
    scores : Series, or (representations, repetitions) DataFrame
        Indexed by space and kind.
    kind : str
        Kind of the artifact.
    over : str
        Another kind to compare with, such as "highpass".

    Returns
    -------
    Series or DataFrame
        Score of `kind` minus score of `over`, one entry or row per space; NaN where a
        space lacks one of the two.

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
    for needed in (kind, over):
        if needed not in known:
            raise ValueError(
                f"the gain of {kind!r} over {over!r} needs scores of both; there are "
                f"only those of {known}."
            )
    return scores.xs(kind, level=1) - scores.xs(over, level=1)


def mean_gain(scores, kind="nearest", *, over="raw"):
    """The mean gain over all spaces that have both kinds.

    Parameters
    ----------
    scores : (representations, repetitions) DataFrame
    kind, over : str

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
    return mean_interval(gain(scores, kind, over=over).mean())


def space_table(scores):
    """One row per space: the score of every kind.

    Parameters
    ----------
    scores : (representations, repetitions) DataFrame

    Returns
    -------
    DataFrame of Interval
        Over the repetitions; columns are the kinds.
    """
    return _intervals(scores, share_interval).unstack(sort=False)


def gain_table(scores, pairs=GAINS):
    """One row per space: how much artifacts gain over "raw" and over a high-pass.

    Parameters
    ----------
    scores : (representations, repetitions) DataFrame
    pairs : sequence of (str, str)
        Kind of an artifact, and the kind it is compared with.  A pair is left out if
        one of the two has no scores.

    Returns
    -------
    DataFrame of Interval
        Over the repetitions.  Columns are named as in "nearest − raw".
    """
    known = set(scores.index.get_level_values(1))
    found = {
        f"{kind} − {over}": _intervals(gain(scores, kind, over=over), mean_interval)
        for kind, over in pairs
        if {kind, over} <= known
    }
    spaces = dict.fromkeys(scores.index.get_level_values(0))
    return pd.DataFrame(found, index=pd.Index(spaces, name="space"))


def _intervals(scores, interval):
    """The interval of every row."""
    return pd.Series([interval(x) for x in scores.to_numpy(float)], scores.index)


def panels(tests):
    """Scores of several tests in one long table, as `figures.dot_panels` takes it.

    Parameters
    ----------
    tests : dict of str to (representations, repetitions) DataFrame

    Returns
    -------
    DataFrame
        One row per test and representation: `test`, `space`, `kind`, `representation`,
        and `score`, an Interval.  The rows of a space stand together.
    """
    long = pd.concat(
        {name: _intervals(s, share_interval) for name, s in tests.items()},
        names=["test"],
    )
    long = long.rename("score").reset_index()
    order = [pd.factorize(long[name])[0] for name in ("space", "test")]
    long = long.iloc[np.lexsort(order)].reset_index(drop=True)
    return long.assign(representation=long["space"] + " " + long["kind"])


def best(scores):
    """The best representation, and those that are not distinguishable from it.

    Returns
    -------
    list of Representation
        The best first.
    """
    return [Representation(*key) for key in leaders(scores)]
