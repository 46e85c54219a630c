"""Tables of the stored comparison, for readers and for the text of the book.

A *method table* has one row per method, indexed by the fields of `Method`, and columns
of `summary`.
"""

import numpy as np
import pandas as pd
from scipy.stats import t as student

from .._support.names import BASELINES
from .comparison import COMPARISON
from .paper import CELL, paper_table
from .settings import (
    METHODS,
    N_TRAIN,
    PLAYS,
    Method,
    Setting,
    origin,
    ours,
    shared,
)

SETTING, METHOD = list(Setting._fields), list(Method._fields)
METHOD = ["method", *METHOD[1:]]
MOVES = {"CelebA to CIFAR10": "coffee", "CIFAR10 to CelebA": "flower"}
MOVES |= {"CHQ to FFHQ": "astronaut", "FFHQ to CHQ": "china"}
MODELS = {"StyleGAN3": "stylegan3", "NVAE": "nvae", "LDM": "ldm"}
# The setting and column that correspond to each column of the paper's tables.
COUNTERPARTS = {
    **{("attribution_accuracy", c): (s, "closed") for c, s in PLAYS.items()},
    **{("attribution_fdr", c): (s, "FDR") for c, s in PLAYS.items()},
    **{
        ("cross_dataset_accuracy", c): (shared(p), "transfer") for c, p in MOVES.items()
    },
    **{
        ("training_dataset_accuracy", c): (origin(model), "closed")
        for c, model in MODELS.items()
    },
}
NO_RATIO = "the paper does not say for which n and d its ratios are"


def summary(table, *, confidence=0.95):
    """Means over the seeds, with standard deviation and confidence interval.

    Scores on several further trainings of one model (column "unseen") are averaged
    first, for each seed, so that the unit of every interval is the seed.

    Parameters
    ----------
    table : DataFrame
        From `COMPARISON.results`.
    confidence : float
        Confidence of the interval, by Student's t.  It covers other seeds of splits and
        classifiers, but not other trainings of the generators.

    Returns
    -------
    DataFrame
        Indexed by the fields of setting and method, column and n_train: `mean`, `sd`,
        `low`, `high`, `seeds`, `null`, `d`, `n_test`, `reason`.  A single seed has
        neither deviation nor interval.
    """
    keys = [*SETTING, *METHOD, "column", "n_train"]
    runs = table.groupby([*keys, "seed"], sort=False)
    values = runs[["score", "null", "d", "n_test"]].mean()
    values = values.astype(float).join(runs["reason"].first())
    groups = values.groupby(keys, sort=False)
    scores = groups["score"]
    found = pd.DataFrame({"mean": scores.mean(), "sd": scores.std()})
    count = scores.count()
    reach = student.ppf((1 + confidence) / 2, (count - 1).clip(lower=1))
    reach = reach * found["sd"] / np.sqrt(count)
    found["low"], found["high"] = found["mean"] - reach, found["mean"] + reach
    found["seeds"] = count
    rest = groups[["null", "d", "n_test"]].mean()
    return found.join(rest).join(groups["reason"].first())


def method_table(found, setting, column, *, n_train=N_TRAIN, methods=METHODS):
    """One row per method: its scores in one column of one setting.

    Parameters
    ----------
    found : DataFrame
        From `summary`.
    setting : Setting
    column : str
    n_train : int
    methods : sequence of Method
        Rows, in this order; a method that the study does not test here has missing
        values.

    Returns
    -------
    DataFrame
        Indexed by `Method`, as tuples of its fields, with the columns of `found`.
    """
    levels = [*SETTING, "column", "n_train"]
    part = found.xs((*setting, column, n_train), level=levels)
    rows = pd.MultiIndex.from_tuples(methods, names=METHOD)
    return part.reindex(rows)


def labels(index):
    """Names of the rows of a method table.

    Examples
    --------
    >>> labels([("ours", "rgb", "hull"), ("Yu19", "", "earlier")])
    ['rgb hull', 'Yu19']
    """
    return [str(Method(*key)) for key in index]


def gains(scores, kind="nearest", *, over="raw"):
    """The gain of an artifact over the raw image of its space, or over another kind.

    Parameters
    ----------
    scores : Series
        Indexed by the fields of `Method`.
    kind : str
        Kind of the artifact.
    over : str
        The kind with which it is compared.

    Returns
    -------
    Series
        Score of `kind` minus score of `over`, one entry per space; NaN where a space
        lacks one of the two.
    """
    own = scores.xs("ours", level="method").unstack("kind", sort=False)
    return own[kind] - own[over]


def best(scores, *kinds):
    """The method with the highest score among those of some kinds.

    Parameters
    ----------
    scores : Series
        Indexed by the fields of `Method`.
    *kinds : str
        "earlier", "raw", "nearest", "hull", ...

    Returns
    -------
    (Method or None, float)
        None and NaN if none of these kinds has a score.
    """
    part = scores[scores.index.get_level_values("kind").isin(kinds)].dropna()
    if part.empty:
        return None, np.nan
    return Method(*part.idxmax()), float(part.max())


def counterparts(found):
    """The cells of the study that correspond to cells of the paper, in its units.

    The mean over seeds of the nearest artifact corresponds to the paper's method; the
    column `hull` holds that of the other estimate.

    Parameters
    ----------
    found : DataFrame
        From `summary`.

    Returns
    -------
    DataFrame
        In the form that `paper.side_by_side` needs.
    """
    rows = {}
    for (table, column), (setting, own_column) in COUNTERPARTS.items():
        for name in paper_table(table).index:
            row = _counterpart(found, setting, own_column, name, table)
            if row is not None:
                rows[table, name, column] = row
    result = pd.DataFrame.from_dict(rows, orient="index")
    result.index = pd.MultiIndex.from_tuples(rows, names=CELL)
    return result


def _counterpart(found, setting, column, name, table):
    """Our row for one method of the paper, or None if there is none."""
    is_earlier = name in BASELINES
    own = Method(name, "", "earlier") if is_earlier else ours(name, "nearest")
    cell = (*setting, *own, column, N_TRAIN)
    if cell not in found.index:
        return None
    scale = 1 if table == "attribution_fdr" else 100
    row = found.loc[cell]
    values = row[["mean", "low", "high"]].astype(float) * scale
    values["n"] = row["seeds"]
    other = (*setting, *ours(name, "hull"), column, N_TRAIN)
    hull = np.nan if is_earlier else scale * found["mean"].get(other, np.nan)
    reason = NO_RATIO if table == "attribution_fdr" else row["reason"]
    return {**values, "reason": reason, "hull": hull}


def stored(*, confidence=0.95):
    """The summary of the stored comparison."""
    return summary(COMPARISON.results(), confidence=confidence)
