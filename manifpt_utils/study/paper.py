"""The numbers of the paper's tables, to stand beside ours.

They are those of the conference version (Song et al., CVPR 2024), read from the
pictures of its tables on the project's page; the workshop version's Tables 1, 5 and 6
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
IN_ORDER = 0.8  # share of pairs from which an order is said to agree
AGREES, NOT_COMPARABLE = "agrees in order", "not comparable"
VERDICTS = (AGREES, "higher", "inside", "lower", NOT_COMPARABLE)


def paper_table(name, *, sd=False):
    """One table of the paper.

    Parameters
    ----------
    name : str
        One of `TABLES`.  Accuracies are in percent.
    sd : bool
        The printed deviations instead of the values; NaN where there is none.

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
    """Cells of ours that were measured several times.

    Parameters
    ----------
    scores : dict of (table, method, column) to sequence of float
        One value per seed, in the paper's units.
    confidence : float
        Confidence of the interval over the seeds.

    Returns
    -------
    DataFrame
        As `side_by_side` takes it.

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
    """Every number of the paper beside ours, with a verdict.

    The verdict is the first that holds of

    - *not comparable*, with a reason;
    - *agrees in order*: of the pairs of this cell with another comparable one of its
      group, at least `IN_ORDER` stand in the same order in both.  A group is a column
      of a table, but a row of the table of the NMI, whose columns are compared;
    - *higher*, *lower* or *inside*: where our interval lies, or whether it holds the
      paper's value.

    Parameters
    ----------
    ours : DataFrame
        Indexed by table, method and column, as the paper's cells are; `mean` in the
        paper's units, its interval `low` and `high` over `n` seeds, and `reason`, why
        values cannot be compared, or an empty text.  Without an interval the mean
        stands for it.  Other columns are kept.

    Returns
    -------
    DataFrame
        One row for every cell of the paper, indexed likewise, with `paper`, `ours`,
        `pairs`, those `in order`, and `verdict`.

    Raises
    ------
    ValueError
        If a cell of ours is none of the paper's, or is given twice.
    """
    cells, ours = _cells().set_index(CELL), ours.rename_axis(CELL)
    unknown = ours.index.difference(cells.index)
    if len(unknown) or not ours.index.is_unique:
        wrong = unknown.append(ours.index[ours.index.duplicated()])
        raise ValueError(
            f"{wrong[0]} is no cell of the paper's tables, or there twice."
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
    """Pairs of every cell of a group, and those in order."""
    pairs, alike = _in_order(group["paper"].to_numpy(), _comparable(group).to_numpy())
    return pd.DataFrame({"pairs": pairs, "in order": alike}, group.index)


def _comparable(found):
    """Our values, NaN where there is a reason not to compare them."""
    return found["ours"].where(found["reason"] == "")


def _in_order(paper, ours):
    """For every item the pairs with others, and those that both sides order alike."""
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
    """How many numbers agree in order, and how many would if our order meant nothing.

    Our rows of a table (columns, for the NMI) are shuffled all columns alike, because
    the columns of one table resemble each other, on both sides.

    Parameters
    ----------
    found : DataFrame
        From `side_by_side`.
    n_shuffles, seed : int

    Returns
    -------
    DataFrame
        Indexed by table: `numbers`, how many are `comparable`, how many agree
        `in order`; `by chance`, the mean over the shuffles, with 95 % of them between
        `low` and `high`; `p`, the share of shuffles with at least as many; and
        `rank correlation`, Spearman's, mean over the groups.  NaN where fewer than two
        numbers can be compared.
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
    """Mean over the groups in which three numbers or more can be compared."""
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
        One of accuracies.

    Returns
    -------
    DataFrame
        Shares: columns `paper` and `ours`, one row per column of the table; only
        methods that both sides have take part.
    """
    part = found.loc[table].dropna(subset=["ours"])
    is_earlier = part.index.get_level_values("method").isin(BASELINES)
    best = part.groupby([is_earlier, "column"])[["paper", "ours"]].max()
    return (best.loc[False] - best.loc[True]) / 100


def side_table(found, table, *, confidence=0.95):
    """One table of the paper beside ours, for readers.

    Parameters
    ----------
    found : DataFrame
        From `side_by_side`.
    table : str
        One of `TABLES`.
    confidence : float
        Confidence of the intervals in it.

    Returns
    -------
    DataFrame
        Below each group, one row per number: `paper`, `ours`, an `Interval`, `hull`
        where there is one, `in order`, as "9 of 11", and `verdict`.
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
