"""Who leads where, in the stored results of the study of the regime: the map.

The rivals of a closest point need no real image: the image itself and its high-pass.
In every cell the better one of the two is the rival.  A kind leads where the interval
of its accuracy less the rival's, pair by pair, lies above zero; the pairs are the
photographs and seeds.  Where several kinds may lead, their intervals are as much wider
as their number asks for (Bonferroni).
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
    """The rows of one classifier, without what was measured of the images."""
    return table[table["classifier"] == classifier]


def facts(table):
    """What was measured of the images of every cell.

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
    """How far some kinds are ahead of the better one of their rivals.

    Parameters
    ----------
    table : DataFrame
        Rows of one classifier, see `trained`.
    kinds, rivals : sequence of str

    Returns
    -------
    DataFrame
        A row per cell and kind: `CELL`, `kind`, `rival`, and `lead`, an interval of
        95 % for one kind and as much wider for several as their number asks for.
    """
    confidence = 1 - 0.05 / len(kinds)
    rows = []
    for cell, part in table.groupby(CELL, sort=False):
        scores = part.pivot_table("score", ["photo", "seed"], "kind")
        rival = scores[[*rivals]].mean().idxmax()
        for kind in kinds:
            gap = paired_difference(scores[kind], scores[rival], confidence=confidence)
            rows.append((*cell, kind, rival, gap))
    return pd.DataFrame(rows, columns=[*CELL, "kind", "rival", "lead"])


def best(found):
    """The rows of `leads` with the largest mean of their cell."""
    means = found["lead"].map(lambda lead: lead.mean)
    return found.loc[means.groupby([found[c] for c in CELL], sort=False).idxmax()]


def verdicts(table):
    """What every cell of the map says.

    Parameters
    ----------
    table : DataFrame
        Rows of one classifier.

    Returns
    -------
    DataFrame
        `CELL`, `kind` and `lead` of the best estimate, `oracle`, the lead of the exact
        closest point, and `verdict`: "closest point" where an estimate leads, "only
        the oracle" where only the exact one does, else "nothing".
    """
    estimated = best(leads(table, ESTIMATES)).set_index(CELL)
    exact = leads(table, ["exact"]).set_index(CELL)["lead"]
    found = estimated.assign(oracle=exact)
    signs = found[["lead", "oracle"]].map(lambda lead: lead.sign)
    words = np.where(signs["oracle"] > 0, ORACLE, NOTHING)
    words = np.where(signs["lead"] > 0, CLOSEST, words)
    return found.assign(verdict=words).reset_index()


def decided(found, column="lead"):
    """Means of leads as a map, rows m and columns ratio; NaN where none is decided.

    Parameters
    ----------
    found : DataFrame
        One row per m and ratio.
    column : str
        With intervals.

    Returns
    -------
    DataFrame
    """
    values = found[column].map(lambda lead: lead.mean if lead.sign else np.nan)
    return _as_map(found.assign(value=values), "value")


def nearest_cell(ratio, dimension):
    """The cell of the map in which a ratio and a dimension lie.

    Returns
    -------
    (m, ratio) : (int, float)
        The nearest on logarithmic scales, at the border of the map where they lie
        outside.

    Examples
    --------
    >>> nearest_cell(0.8, 4), nearest_cell(0, 50)
    ((3, 1.0), (10, 0.1))
    """
    return _nearest(DIMENSIONS, dimension), _nearest(RATIOS, ratio)


def _nearest(known, value):
    logs = np.log(np.asarray(known, dtype=float))
    return known[int(np.argmin(np.abs(logs - np.log(max(value, min(known) / 10)))))]


def in_words(found):
    """Verdicts as a map: the name of the best estimate, "only the oracle", "nothing".

    Parameters
    ----------
    found : DataFrame
        Of `verdicts`, one row per m and ratio.

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
    """In how many cells leads lie above zero, and in how many below it.

    Parameters
    ----------
    found : DataFrame
        Of `leads`.

    Returns
    -------
    DataFrame
        Index `kind`, a column per task and place: "8 / 2".
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
        As of `accuracies`, with a column `classifier`; only kinds that both have.
    """
    in_cell = (table["m"] == cell[0]) & (table["ratio"] == cell[1])
    rows = table[in_cell & (table["n_train"] == n_train)]
    network = accuracies(trained(rows, classifier="network"))
    linear = accuracies(trained(rows)).assign(classifier="linear")
    linear = linear[linear["kind"].isin(network["kind"])]
    return pd.concat([linear, network.assign(classifier="network")])
