"""The numbers of the paper's tables, for comparison with ours.

They are those of the conference version (Song et al., CVPR 2024), read from the
pictures of its tables on the project's page.  Tables 1, 5 and 6 of the workshop version
agree with them where they overlap.  The printed "Average" row of the NMI table
disagrees with the rows above it and is left out.
"""

import io

import numpy as np
import pandas as pd

from .._support.names import BASELINES
from .._support.paths import DATA
from .._support.suggestion import suggestion
from ..images.manifest import read_manifest, verified
from ..metrics.intervals import Interval, mean_interval

TABLES = (
    "attribution_accuracy",
    "attribution_fdr",
    "cross_dataset_accuracy",
    "layer_type_nmi",
    "training_dataset_accuracy",
)
CELL = ["table", "method", "column"]
IN_ORDER = 0.8  # share of pairs from which on the order counts as equal
AGREES, NOT_COMPARABLE = "agrees in order", "not comparable"
VERDICTS = (AGREES, "higher", "inside", "lower", NOT_COMPARABLE)


def paper_table(name, *, sd=False):
    """One table of the paper.

    Parameters
    ----------
    name : str
        One of `TABLES`.  Accuracies are in percent.
    sd : bool
        Whether to return the printed deviations instead of the values; NaN where there
        is none.

    Returns
    -------
    pandas.DataFrame
        One row per method: the eight baselines by their names, the paper's own method
        by its space, "rgb" to "selfsupervised".

    Raises
    ------
    ValueError
        If there is no such table.

    Examples
    --------
    >>> paper_table("layer_type_nmi").loc["rgb", "up"]
    np.float64(0.625)
    """
    if name not in TABLES:
        raise ValueError(f"unknown table {name!r};{suggestion(name, TABLES)}")
    table = _cells()
    table = table[table["table"] == name]
    methods, columns = (list(dict.fromkeys(table[c])) for c in ("method", "column"))
    value = "sd" if sd else "value"
    wide = table.pivot(index="method", columns="column", values=value)
    return wide.loc[methods, columns]


def _cells():
    content = verified(DATA, "paper_tables.csv", read_manifest())
    return pd.read_csv(io.BytesIO(content))


def own_cells(scores, *, confidence=0.95):
    """Our cells that were measured several times.

    Parameters
    ----------
    scores : dict of (table, method, column) to sequence of float
        One value per seed, in the paper's units.
    confidence : float
        Confidence of the interval over the seeds.

    Returns
    -------
    DataFrame
        In the form that `side_by_side` needs.

    Examples
    --------
    >>> own_cells({("layer_type_nmi", "rgb", "up"): [0.5, 0.7]})["mean"].tolist()
    [0.6]
    """
    found = {
        cell: mean_interval(values, confidence=confidence)
        for cell, values in scores.items()
    }
    index = pd.MultiIndex.from_tuples(found, names=CELL)
    table = pd.DataFrame([cell._asdict() for cell in found.values()], index)
    reasons = np.where(table["n"] > 0, "", "it could not be measured")
    return table[["mean", "low", "high", "n"]].assign(reason=reasons)


def side_by_side(ours):
    """Every number of the paper, our number, and a verdict.

    The verdict is the first of these that is true:

    - *not comparable*, with a reason;
    - *agrees in order*: at least `IN_ORDER` of the pairs of this cell with other
      comparable cells of its group have the same order in both.  A group is a column of
      a table, except in the NMI table, where it is a row;
    - *higher*, *lower* or *inside*: our interval lies above or below the paper's value,
      or contains it.

    Parameters
    ----------
    ours : DataFrame
        Indexed by table, method and column, as the paper's cells are.  Columns: `mean`
        in the paper's units, its interval `low` and `high` over `n` seeds, and
        `reason`, which says why values cannot be compared, or is an empty text.
        Without an interval, the mean takes its place.  Other columns are kept.

    Returns
    -------
    DataFrame
        One row for every cell of the paper, with the same index and the columns
        `paper`, `ours`, `pairs`, `in order` (the number of pairs in the same order),
        and `verdict`.

    Raises
    ------
    ValueError
        If a cell of ours is not in the paper, or is given twice.
    """
    cells, ours = _cells().set_index(CELL), ours.rename_axis(CELL)
    unknown = ours.index.difference(cells.index)
    if len(unknown) or not ours.index.is_unique:
        wrong = unknown.append(ours.index[ours.index.duplicated()])
        raise ValueError(
            f"{wrong[0]} is not a cell of the paper's tables, or is there twice."
        )
    found = cells[["value"]].set_axis(["paper"], axis=1).join(ours)
    found = found.rename(columns={"mean": "ours"})
    found["reason"] = found["reason"].fillna("nothing of ours corresponds to it")
    groups = [_group(*cell) for cell in found.index]
    counts = found.groupby(groups, sort=False).apply(_counted)
    found = found.join(counts.droplevel(0))
    found["verdict"] = [_verdict(row) for _, row in found.iterrows()]
    return found


def _group(table, method, column):
    return f"{table} {method if table == 'layer_type_nmi' else column}"


def _counted(group):
    """For every cell of a group, the numbers of pairs and of those in order."""
    pairs, alike = _in_order(group["paper"].to_numpy(), _comparable(group).to_numpy())
    return pd.DataFrame({"pairs": pairs, "in order": alike}, group.index)


def _comparable(found):
    """Our values; NaN where there is a reason not to compare them."""
    return found["ours"].where(found["reason"] == "")


def _in_order(paper, ours):
    """For every item, its number of pairs, and of those that both sides order alike."""
    known = ~np.isnan(ours)
    signs = [np.sign(np.subtract.outer(values, values)) for values in (paper, ours)]
    other = np.outer(known, known) & ~np.eye(len(known), dtype=bool)
    return other.sum(axis=1), ((signs[0] == signs[1]) & other).sum(axis=1)


def _agrees(pairs, in_order):
    return (pairs > 0) & (in_order >= IN_ORDER * pairs)


def _verdict(row):
    if row["reason"]:
        return NOT_COMPARABLE
    if _agrees(row["pairs"], row["in order"]):
        return AGREES
    low, high = row[["low", "high"]].fillna(row["ours"])
    if low <= row["paper"] <= high:
        return "inside"
    return "higher" if row["paper"] < low else "lower"


def agreement(found, *, n_shuffles=2000, seed=0):
    """How many numbers agree in order, and how many would agree by chance.

    For chance, our rows of a table (columns, for the NMI) are shuffled in the same way
    in all columns, because the columns of one table resemble each other, on both sides.

    Parameters
    ----------
    found : DataFrame
        From `side_by_side`.
    n_shuffles, seed : int

    Returns
    -------
    DataFrame
        Indexed by table.  Columns: `numbers`; `comparable` and `in order`, the counts
        of those that can be compared and that agree; `by chance`, the mean over the
        shuffles, 95 % of which are between `low` and `high`; `p`, the share of shuffles
        with at least as many; and `rank correlation`, the mean of Spearman's over the
        groups.  NaN where fewer than two numbers can be compared.
    """
    rng = np.random.default_rng(seed)
    tables = found.groupby(level="table", sort=False)
    rows = {name: _agreement(part, n_shuffles, rng) for name, part in tables}
    return pd.DataFrame.from_dict(rows, orient="index").loc[list(TABLES)]


def _agreement(part, n_shuffles, rng):
    paper, ours = (_items(part, v) for v in (part["paper"], _comparable(part)))
    kept = ~np.isnan(ours).all(axis=1)
    paper, ours = paper[kept], ours[kept]
    comparable = int((~np.isnan(ours)).sum())
    row = {"numbers": len(part), "comparable": comparable}
    row["in order"] = _n_agreeing(paper, ours)
    if comparable < 2:
        return row | dict.fromkeys(["by chance", "low", "high", "p"], np.nan)
    null = np.array(
        [_n_agreeing(paper, rng.permutation(ours)) for _ in range(n_shuffles)]
    )
    low, high = np.quantile(null, [0.025, 0.975])
    p = (1 + (null >= row["in order"]).sum()) / (1 + n_shuffles)
    row |= {"by chance": null.mean(), "low": low, "high": high, "p": p}
    return row | {"rank correlation": _rank_correlation(paper, ours)}


def _items(part, values):
    """Values of a table as an array: a row per shuffled item, a column per group."""
    across = "method" if "layer_type_nmi" in part.index else "column"
    return values.droplevel("table").unstack(across, sort=False).to_numpy(dtype=float)


def _n_agreeing(paper, ours):
    columns = zip(paper.T, ours.T, strict=True)
    return int(sum(_agrees(*_in_order(*column)).sum() for column in columns))


def _rank_correlation(paper, ours):
    """Mean over the groups in which at least three numbers can be compared."""
    found = [
        pd.DataFrame(column).T.corr(method="spearman", min_periods=3).iloc[0, 1]
        for column in zip(paper.T, ours.T, strict=True)
    ]
    known = [value for value in found if not np.isnan(value)]
    return float(np.mean(known)) if known else np.nan


def best_leads(found, table):
    """The best of four artifacts minus the best earlier method, on both sides.

    Parameters
    ----------
    found : DataFrame
        From `side_by_side`.
    table : str
        A table of accuracies.

    Returns
    -------
    DataFrame
        Differences of shares: columns `paper` and `ours`, one row per column of the
        table.  Only methods that both sides have are used.
    """
    part = found.loc[table].dropna(subset=["ours"])
    is_earlier = part.index.get_level_values("method").isin(BASELINES)
    best = part.groupby([is_earlier, "column"])[["paper", "ours"]].max()
    return (best.loc[False] - best.loc[True]) / 100


def side_table(found, table, *, confidence=0.95):
    """One table of the paper with our numbers, for readers.

    Parameters
    ----------
    found : DataFrame
        From `side_by_side`.
    table : str
        One of `TABLES`.
    confidence : float
        Confidence of the intervals in `found`.

    Returns
    -------
    DataFrame
        One row per number, group by group: `paper`; `ours`, an `Interval`; `hull` if
        there is one; `in order`, such as "9 of 11"; and `verdict`.
    """
    group = "method" if table == "layer_type_nmi" else "column"
    parts = found.loc[table].groupby(level=group, sort=False)
    part = pd.concat({name: p.droplevel(group) for name, p in parts}, names=[group])
    columns = {"paper": part["paper"], "ours": _as_intervals(part, confidence)}
    if "hull" in part and part["hull"].notna().any():
        columns["hull"] = part["hull"]
    pairs = zip(part["in order"], part["pairs"], strict=True)
    columns["in order"] = [f"{a} of {b}" if b else None for a, b in pairs]
    return pd.DataFrame(columns | {"verdict": part["verdict"]}, part.index)


def _as_intervals(part, confidence):
    rows = part[["ours", "low", "high", "n"]].itertuples(index=False)
    return [Interval(*row, sd=np.nan, confidence=confidence) for row in rows]
