"""The map of the regime: which kind leads in which cell, from the stored results.

The rivals of a closest point need no real image: they are the image itself and its
high-pass.  In every cell, the better one of the two is the rival.  A kind leads where
the interval of the difference of its accuracy and the rival's lies above zero;
differences are paired by photograph and seed.  If several kinds may lead, their
intervals are made wider for their number (Bonferroni).
"""

import numpy as np
import pandas as pd

from ..metrics.intervals import mean_interval, paired_difference
from .regime import DIMENSIONS, RATIOS

RIVALS = ("raw", "highpass")
ESTIMATES = ("nearest", "tangent", "hull")
CELL = ["task", "n_train", "column", "m", "ratio"]
CLOSEST, ORACLE, NOTHING = "closest point", "only the oracle", "nothing"


def trained(table, *, classifier="linear"):
    """The rows of one classifier, without the measurements of the images."""
    return table[table["classifier"] == classifier]


def facts(table):
    """The measurements of the images of every cell.

    Returns
    -------
    DataFrame
        Index `photo`, `m`, `ratio`, `task`; columns `length`, `apparent`, `spacing`,
        `dimension`.
    """
    rows = table[table["n_train"] == 0]
    index = ["photo", "m", "ratio", "task"]
    return rows.pivot_table("score", index, "column").rename_axis(columns=None)


def accuracies(table):
    """Mean accuracy with its interval, per cell and kind, as a long table."""
    groups = table.groupby([*CELL, "kind"], sort=False)["score"]
    return groups.agg(mean_interval).reset_index(name="accuracy")


def leads(table, kinds, *, rivals=RIVALS):
    """The leads of some kinds over the better one of their rivals.

    Parameters
    ----------
    table : DataFrame
        Rows of one classifier, see `trained`.
    kinds, rivals : sequence of str

    Returns
    -------
    DataFrame
        One row per cell and kind: `CELL`, `kind`, `rival`, and `lead`, an interval of
        95 % for one kind, and wider for several kinds (Bonferroni).
    """
    confidence = 1 - 0.05 / len(kinds)
    scores_of = _by_cell(table)
    rows = []
    for cell in table[CELL].drop_duplicates().itertuples(index=False, name=None):
        scores = scores_of[cell]
        rival = _better(scores, rivals)
        for kind in kinds:
            gap = paired_difference(scores[kind], scores[rival], confidence=confidence)
            rows.append((*cell, kind, rival, gap))
    return pd.DataFrame(rows, columns=[*CELL, "kind", "rival", "lead"])


def mean_lead(table, kind, *, rivals=RIVALS):
    """The mean over all cells of the lead of one kind over the better rival of each.

    Parameters
    ----------
    table : DataFrame
        Rows of one classifier, see `trained`.
    kind : str
    rivals : sequence of str

    Returns
    -------
    Interval
        Over the repetitions: the seeds on each photograph.
    """
    gaps = [
        scores[kind] - scores[_better(scores, rivals)]
        for scores in _by_cell(table).values()
    ]
    return mean_interval(pd.concat(gaps).groupby(["photo", "seed"]).mean())


def _by_cell(table):
    """The scores of every cell, rows (photo, seed) and one column per kind."""
    wide = table.pivot_table("score", [*CELL, "photo", "seed"], "kind")
    return dict(list(wide.groupby(CELL)))  # one pivot per cell would take seconds


def _better(scores, rivals):
    return scores[[*rivals]].mean().idxmax()


def best(found):
    """The rows of `leads` that have the largest mean in their cell."""
    means = found["lead"].map(lambda lead: lead.mean)
    return found.loc[means.groupby([found[c] for c in CELL], sort=False).idxmax()]


def verdicts(table):
    """The verdict of every cell of the map.

    Parameters
    ----------
    table : DataFrame
        Rows of one classifier.

    Returns
    -------
    DataFrame
        `CELL`; `kind` and `lead` of the best estimate; `oracle`, the lead of the exact
        closest point; and `verdict`: "closest point" if an estimate leads, "only the
        oracle" if only the exact one leads, else "nothing".
    """
    estimated = best(leads(table, ESTIMATES)).set_index(CELL)
    exact = leads(table, ["exact"]).set_index(CELL)["lead"]
    found = estimated.assign(oracle=exact)
    signs = found[["lead", "oracle"]].map(lambda lead: lead.sign)
    words = np.where(signs["oracle"] > 0, ORACLE, NOTHING)
    words = np.where(signs["lead"] > 0, CLOSEST, words)
    return found.assign(verdict=words).reset_index()


def decided(found, column="lead"):
    """Mean leads as a map, rows m and columns ratio; NaN if an interval holds zero.

    Parameters
    ----------
    found : DataFrame
        One row per m and ratio.
    column : str
        Name of a column of intervals.

    Returns
    -------
    DataFrame
    """
    values = found[column].map(lambda lead: lead.mean if lead.sign else np.nan)
    return _as_map(found.assign(value=values), "value")


def nearest_cell(ratio, dimension):
    """The cell of the map that is nearest to a ratio and a dimension.

    Returns
    -------
    (m, ratio) : (int, float)
        The nearest cell on logarithmic scales; outside of the map, it is a cell at its
        border.

    Examples
    --------
    >>> nearest_cell(0.8, 4), nearest_cell(0, 50)
    ((3, 1.0), (10, 0.1))
    """
    return _nearest(DIMENSIONS, dimension), _nearest(RATIOS, ratio)


def is_outside(ratio, dimension):
    """Whether a ratio or a dimension lies well beyond the upper ends of the map.

    At 1.5 times the last value, that is; below, the map goes down to what `locate` can
    tell from zero.

    Examples
    --------
    >>> is_outside(0.8, 4), is_outside(0.8, 50), is_outside(5, 4)
    (False, True, True)
    """
    return bool(ratio > 1.5 * max(RATIOS) or dimension > 1.5 * max(DIMENSIONS))


def _nearest(known, value):
    logs = np.log(np.asarray(known, dtype=float))
    return known[int(np.argmin(np.abs(logs - np.log(max(value, min(known) / 10)))))]


def in_words(found):
    """Verdicts as a map: the name of the best estimate, "only the oracle" or "nothing".

    Parameters
    ----------
    found : DataFrame
        From `verdicts`, one row per m and ratio.

    Returns
    -------
    DataFrame
        Rows m, columns ratio.
    """
    leads = found["verdict"] == CLOSEST
    shown = found.assign(word=found["kind"].where(leads, found["verdict"]))
    return _as_map(shown, "word")


def _as_map(found, column):
    shown = found.pivot(index="m", columns="ratio", values=column)
    return shown.rename(index="m = {}".format).rename(columns="{:g}".format)


def tallies(found):
    """Number of cells in which leads lie above zero, and below zero.

    Parameters
    ----------
    found : DataFrame
        From `leads`.

    Returns
    -------
    DataFrame
        Index `kind`, one column per task and place, with entries such as "8 / 2".
    """
    signs = found["lead"].map(lambda lead: lead.sign)
    panel = found["task"] + ", " + found["column"]
    sides = signs.groupby([found["kind"], panel], sort=False).agg(
        lambda part: f"{(part > 0).sum()} / {(part < 0).sum()}"
    )
    return sides.unstack(sort=False).rename_axis(columns=None)


def two_classifiers(table, cell, *, n_train):
    """Accuracies of one cell of the map under both classifiers.

    Parameters
    ----------
    table : DataFrame
        From `REGIME.results`.
    cell : (int, float)
        m and ratio.
    n_train : int

    Returns
    -------
    DataFrame
        As from `accuracies`, with a column `classifier`; only kinds that both have.
    """
    in_cell = (table["m"] == cell[0]) & (table["ratio"] == cell[1])
    rows = table[in_cell & (table["n_train"] == n_train)]
    network = accuracies(trained(rows, classifier="network"))
    linear = accuracies(trained(rows)).assign(classifier="linear")
    linear = linear[linear["kind"].isin(network["kind"])]
    return pd.concat([linear, network.assign(classifier="network")])
