"""The leads of artifacts over a rival, and the number of real views they need.

The artifacts are rows of `ESTIMATES.results`; the rival is the raw image or the best
earlier method, from `COMPARISON.results`.  Both have the same splits, seeds and test
images, so they are compared per seed.
"""

import numpy as np
import pandas as pd
from scipy.stats import t as student

from ..metrics.intervals import mean_interval
from .estimates import COLUMNS, ESTIMATES, N_REAL

SEARCHED = "searched in RGB"  # stored as "exact": its view is found among pixels
PLACES = {"closed": "home", "transfer": "away"}
RIVAL = ["photo", "column", "n_train", "seed"]
TEST = ["photo", "n_train", "column", "kind"]


def raw_scores(compared):
    """Scores of raw images, from the results of `comparison`.

    Parameters
    ----------
    compared : DataFrame
        From `COMPARISON.results`.

    Returns
    -------
    Series
        Indexed by space, photo, column, n_train and seed, for `lead`.
    """
    table = _of_pairs(compared)
    return table[table["kind"] == "raw"].set_index(["space", *RIVAL])["score"]


def _of_pairs(compared):
    """The rows that both studies have: shared models, at home and away."""
    return compared[(compared["models"] == "shared") & compared["column"].isin(COLUMNS)]


def best_earlier_scores(compared):
    """Scores of the best earlier method of every test, per seed.

    Parameters
    ----------
    compared : DataFrame
        From `COMPARISON.results`.

    Returns
    -------
    DataFrame
        Indexed by photo, column, n_train and seed: `method`, which has the highest mean
        over the seeds, and its `score`.
    """
    table = _of_pairs(compared)
    table = table[table["kind"] == "earlier"]
    means = table.groupby([*RIVAL[:-1], "method"])["score"].mean().dropna()
    best = means.groupby(RIVAL[:-1]).idxmax()
    rows = table.set_index([*RIVAL[:-1], "method"]).loc[best.tolist()]
    return rows.reset_index().set_index(RIVAL)[["method", "score"]]


def lead(table, rival, *, confidence=0.95):
    """The leads of artifacts over a rival, paired by seed.

    Parameters
    ----------
    table : DataFrame
        Rows of the results.
    rival : Series
        Scores of the rival, indexed by some of the keys, of which the seed is one.
    confidence : float
        Confidence of the interval over seeds.

    Returns
    -------
    DataFrame
        Indexed by the keys without the seed.  Columns: `mean` of the difference and
        `sem`, its standard error; `seeds`, their number; `low` and `high`, the interval
        by Student's t; and `significant`, whether the interval lies above zero.
    """
    cell = pd.MultiIndex.from_frame(table[rival.index.names])
    ahead = table["score"].to_numpy() - rival.reindex(cell).to_numpy()
    keys = [key for key in ESTIMATES.keys if key != "seed"]
    groups = table.assign(ahead=ahead).groupby(keys, sort=False)["ahead"]
    found = groups.agg(["mean", "sem", "count"]).rename(columns={"count": "seeds"})
    freedom = (found["seeds"] - 1).clip(lower=1)
    reach = student.ppf((1 + confidence) / 2, freedom) * found["sem"].fillna(np.inf)
    found["low"], found["high"] = found["mean"] - reach, found["mean"] + reach
    return found.assign(significant=found["low"] > 0)


def readable(found):
    """Leads with names for readers.

    Parameters
    ----------
    found : DataFrame
        From `lead`, with its index as columns.

    Returns
    -------
    DataFrame
        With a column `place`, "home" or "away".  The kind "exact" is called
        `SEARCHED`: outside RGB its view is not the closest one in the space.
    """
    kind = found["kind"].replace("exact", SEARCHED)
    return found.assign(kind=kind, place=found["column"].map(PLACES))


def over_photographs(found, by):
    """Leads with intervals over the photographs.

    Parameters
    ----------
    found : DataFrame
        From `lead`, with its index as columns.
    by : sequence of str
        Names of columns; within each photograph, the mean over all other columns is
        taken.

    Returns
    -------
    DataFrame
        Columns `by` and `lead`, an `Interval`; rows in the order of appearance.
    """
    means = found.groupby([*by, "photo"], sort=False)["mean"].mean()
    groups = means.groupby(list(by), sort=False)
    rows = [(*_tuple(key), mean_interval(part)) for key, part in groups]
    return pd.DataFrame(rows, columns=[*by, "lead"])


def by_regime(found):
    """Leads by place and number of training images, for a figure of four panels.

    Parameters
    ----------
    found : DataFrame
        From `readable`; leads are averaged over spaces.

    Returns
    -------
    DataFrame
        `n_train`, `place`, `kind`, `n_real`, `lead`, an `Interval` over photographs,
        and `panel`, the regime in words; home first.  Kinds that need no real views
        have a row for every number of them.
    """
    by = ["n_train", "place", "kind", "n_real"]
    table = over_photographs(at_every_count(found), by)
    panel = table["place"] + ", " + table["n_train"].astype(str) + " images per model"
    order = {"by": ["n_train", "place", "n_real"], "ascending": [True, False, True]}
    return table.assign(panel=panel).sort_values(**order, kind="stable")


def growth(found):
    """The gain in lead from the smallest to the largest number of real views.

    Parameters
    ----------
    found : DataFrame
        From `lead`, with its index as columns; leads are averaged over everything
        except photographs and numbers of real views.

    Returns
    -------
    Interval
        Over the photographs.
    """
    means = found[found["n_real"] > 0].pivot_table("mean", "photo", "n_real")
    return mean_interval(means[max(means)] - means[min(means)])


def _tuple(key):
    return key if isinstance(key, tuple) else (key,)


def threshold(significant):
    """The least number of real views from which on a lead is always significant.

    Parameters
    ----------
    significant : Series of bool
        Indexed by the number of real views.

    Examples
    --------
    >>> threshold(pd.Series({100: True, 1000: False, 10000: True, 50000: True}))
    10000
    """
    falling = significant.sort_index(ascending=False)
    holds = falling.index[falling.astype(bool).cummin()]
    return int(holds[-1]) if len(holds) else None


def at_every_count(table, counts=N_REAL):
    """The table, in which rows that need no real views appear for every number of them.

    Examples
    --------
    >>> rows = pd.DataFrame({"kind": ["exact", "hull"], "n_real": [0, 100]})
    >>> at_every_count(rows, [100, 1000])["n_real"].tolist()
    [100, 100, 1000]
    """
    flat = table["n_real"] == 0
    copies = [table[flat].assign(n_real=count) for count in counts]
    return pd.concat([table[~flat], *copies], ignore_index=True)


def best_spaces(found):
    """For every test, kind and number of views, the space with the largest lead.

    Parameters
    ----------
    found : DataFrame
        From `lead`, with its index as columns.
    """
    groups = found.groupby([*TEST, "n_real"], sort=False)
    return found.loc[groups["mean"].idxmax()]


def first_leads(found):
    """The number of real views that make a lead significant, and the first space.

    Parameters
    ----------
    found : DataFrame
        From `lead`, with its index as columns.

    Returns
    -------
    DataFrame
        Indexed by photo, n_train, column and kind: `n_real`, 0 for kinds that need no
        real views, and `space`; missing values if no space is ever ahead.
    """
    rows = {key: _first_lead(g) for key, g in found.groupby(TEST, sort=False)}
    table = pd.DataFrame.from_dict(rows, orient="index", columns=["n_real", "space"])
    table.index = pd.MultiIndex.from_tuples(rows, names=TEST)
    return table.astype({"n_real": "Int64"})


def _first_lead(group):
    """Number of real views and space of the earliest lead, or None and None."""
    spaces = group.groupby("space", sort=False)
    first = [
        (threshold(part.set_index("n_real")["significant"]), s) for s, part in spaces
    ]
    return min((n for n in first if n[0] is not None), default=(None, None))
