"""The leads of artifacts over a rival, and the number of real views they need.

The artifacts are rows of `ESTIMATES.results`, the rival is the raw image or an earlier
method, from `COMPARISON.results`; both have the same splits, seeds and test images, so
that they are compared seed by seed.  Which space and which earlier method stand against
each other on a photograph is chosen on the other photographs, so that no test image has
a part in the choice.
"""

import pandas as pd
from scipy.stats import t as student

from ..metrics.intervals import holm, mean_interval, t_test
from .estimates import COLUMNS, ESTIMATES, N_REAL

SEARCHED = "searched in RGB"  # what readers see of the kind "exact_rgb"
PLACES = {"closed": "home", "transfer": "away"}
RIVAL = ["photo", "column", "n_train", "seed"]
TEST = ["n_train", "place", "kind", "n_real"]
LEVEL = 0.05  # of p-values


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


def chosen_earlier_scores(compared):
    """Scores, seed by seed, of the earlier method that is best on other photographs.

    Parameters
    ----------
    compared : DataFrame
        From `COMPARISON.results`.

    Returns
    -------
    DataFrame
        Indexed by photo, column, n_train and seed: `method`, which has the highest mean
        over the other photographs in the same column, and its `score`.
    """
    table = _of_pairs(compared)
    table = table[table["kind"] == "earlier"]
    means = table.groupby([*RIVAL[:-1], "method"])["score"].mean().reset_index()
    chosen = best_elsewhere(means, ["column", "n_train"], "method", "score")
    rows = table.merge(chosen[[*RIVAL[:-1], "method"]])
    return rows.set_index(RIVAL)[["method", "score"]].sort_index()


def best_elsewhere(table, test, choice, value):
    """For every photograph the rows of what is best on all the others.

    Parameters
    ----------
    table : DataFrame
        One row per photograph, test and what can be chosen.
    test : list of str
        Columns that name a test; its rows on the other photographs decide.
    choice, value : str
        Columns of what is chosen, and of what is to be high.

    Returns
    -------
    DataFrame
        A row per photograph and test.  What lacks a value on some photograph is not
        chosen.

    Examples
    --------
    >>> rows = {"photo": list("aabbcc"), "test": 1, "space": ["rgb", "frequency"] * 3}
    >>> table = pd.DataFrame(rows | {"mean": [0.1, 0.9, 0.5, 0.4, 0.6, 0.3]})
    >>> best_elsewhere(table, ["test"], "space", "mean")["space"].tolist()
    ['rgb', 'frequency', 'frequency']
    """
    wide = table.pivot_table(value, [*test, choice], "photo", sort=False)
    wide = wide.dropna()
    parts = []
    for photo in wide:
        others = wide.drop(columns=photo).mean(axis=1)
        best = others.groupby(test, sort=False).idxmax()
        names = pd.DataFrame(best.tolist(), columns=[*test, choice])
        parts.append(names.assign(photo=photo))
    return table.merge(pd.concat(parts), on=["photo", *test, choice])


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
        Indexed by the keys without the seed: `mean` of the difference; `seeds`, how
        many; `low` and `high`, its interval by Student's t; and `p`, two-sided.  The
        unit is the training; one has neither interval nor p-value.
    """
    cell = pd.MultiIndex.from_frame(table[rival.index.names])
    ahead = table["score"].to_numpy() - rival.reindex(cell).to_numpy()
    keys = [key for key in ESTIMATES.keys if key != "seed"]
    groups = table.assign(ahead=ahead).groupby(keys, sort=False)["ahead"]
    found = groups.agg(["mean", "sem", "count"]).rename(columns={"count": "seeds"})
    freedom = (found["seeds"] - 1).clip(lower=1)
    sem = found.pop("sem")
    reach = student.ppf((1 + confidence) / 2, freedom) * sem
    found["low"], found["high"] = found["mean"] - reach, found["mean"] + reach
    # A mean without any spread is sure, whatever it is.
    ratio = found["mean"].abs() / sem.where(sem != 0, 1e-12)
    return found.assign(p=2 * student.sf(ratio, freedom))


def readable(found):
    """Leads with names for readers.

    Parameters
    ----------
    found : DataFrame
        From `lead`, with its index as columns.

    Returns
    -------
    DataFrame
        With a column `place`, "home" or "away".  The kind "exact_rgb" is called
        `SEARCHED`.  In RGB it is the exact one, whose rows appear under both names.
    """
    table = found.assign(place=found["column"].map(PLACES))
    in_rgb = table[(table["kind"] == "exact") & (table["space"] == "rgb")]
    table = pd.concat([table, in_rgb.assign(kind="exact_rgb")], ignore_index=True)
    return table.assign(kind=table["kind"].replace("exact_rgb", SEARCHED))


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


def apart(first, second):
    """How far two kinds of artifacts are apart in each space.

    Parameters
    ----------
    first, second : DataFrame
        Rows of `readable`, each of one kind with one number of real views.

    Returns
    -------
    Series of Interval
        By space: the difference of the mean leads over places and numbers of training
        images, over the photographs.  A space that one of the two lacks is left out.

    Examples
    --------
    >>> rows = {"space": "rgb", "photo": ["coffee", "china"], "mean": [0.5, 0.7]}
    >>> exact = pd.DataFrame(rows)
    >>> round(apart(exact, exact.assign(mean=0.4))["rgb"].mean, 2)
    0.2
    """
    keys = ["space", "photo"]
    means = [part.groupby(keys, sort=False)["mean"].mean() for part in (first, second)]
    gaps = (means[0] - means[1]).dropna()
    return gaps.groupby("space", sort=False).apply(mean_interval)


def spaces_of_all_kinds(found):
    """The spaces in which no kind is missing, in their order.

    Examples
    --------
    >>> rows = {"space": ["rgb", "rgb", "frequency"], "kind": ["exact", "hull", "hull"]}
    >>> spaces_of_all_kinds(pd.DataFrame(rows))
    ['rgb']
    """
    kinds = found.groupby("space", sort=False)["kind"].nunique()
    return list(kinds.index[kinds == found["kind"].nunique()])


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


def in_chosen_spaces(found):
    """Leads in the space that is best on the other photographs.

    Parameters
    ----------
    found : DataFrame
        From `readable`.

    Returns
    -------
    DataFrame
        One row per photograph, test, kind and number of real views.
    """
    return best_elsewhere(found, TEST, "space", "mean")


def over_all(found):
    """Leads over the photographs, tested and corrected for their number.

    Parameters
    ----------
    found : DataFrame
        From `in_chosen_spaces`.

    Returns
    -------
    DataFrame
        Columns of `TEST`; `lead`, an `Interval`; its `p` by the t-test over the
        photographs, and `p_holm`, corrected for all rows.
    """
    table = over_photographs(found, TEST)
    groups = found.groupby(TEST, sort=False)["mean"]
    p = [t_test(part) for _, part in groups]
    return table.assign(p=p, p_holm=holm(p))


def first_leads(tested):
    """From how many real views on a lead stays above zero, by corrected p-values.

    Parameters
    ----------
    tested : DataFrame
        From `over_all`.

    Returns
    -------
    Series
        Indexed by place, n_train and kind: the number, 0 for what needs no real views;
        missing where the largest number is not enough.
    """
    means = tested["lead"].map(lambda lead: lead.mean)
    is_ahead = (tested["p_holm"] <= LEVEL) & (means > 0)
    groups = tested.assign(ahead=is_ahead).groupby(["place", "n_train", "kind"])
    first = {key: threshold(g.set_index("n_real")["ahead"]) for key, g in groups}
    return pd.Series(first, dtype="Int64")


def threshold(is_ahead):
    """The least number of real views from which on a lead stays.

    Parameters
    ----------
    is_ahead : Series of bool
        Indexed by the number of real views.

    Examples
    --------
    >>> threshold(pd.Series({100: True, 1000: False, 10000: True, 50000: True}))
    10000
    """
    falling = is_ahead.sort_index(ascending=False)
    holds = falling.index[falling.astype(bool).cummin()]
    return int(holds[-1]) if len(holds) else None
