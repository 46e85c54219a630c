"""The numbers of the paper's tables, to stand beside ours.

They are those of the conference version (Song et al., CVPR 2024), read from the
pictures of its tables on the project's page; the workshop version's Tables 1, 5 and 6
agree with them where they overlap.  The printed "Average" row of the NMI table
disagrees with the rows above it and is left out.
"""

import io

import numpy as np
import pandas as pd

from .._support.paths import DATA
from .._support.suggestion import suggestion
from ..images.manifest import read_manifest, verified

TABLES = (
    "attribution_accuracy",
    "attribution_fdr",
    "cross_dataset_accuracy",
    "layer_type_nmi",
    "training_dataset_accuracy",
)
CELL = ["table", "method", "column"]
IN_ORDER = 0.8  # share of pairs from which an order is said to agree


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


def side_by_side(ours):
    """Every number of the paper beside ours, with a verdict.

    The verdict is the first that holds of

    - *agrees in order*: of the pairs of this cell with another of its group, at least
      `IN_ORDER` stand in the same order in both.  A group is a column of a table, but
      a row of the table of the NMI, whose columns are compared;
    - *not comparable*, with the reason;
    - *higher*, *lower* or *inside*: where our interval lies, or whether it holds the
      paper's value.

    Parameters
    ----------
    ours : DataFrame
        Indexed by table, method and column, as the paper's cells are; `mean` in the
        paper's units, its interval `low` and `high`, and `reason`, why values cannot
        be compared, or an empty text.  Without an interval the mean stands for it.

    Returns
    -------
    DataFrame
        One row for every cell of the paper, indexed likewise: `paper`, `ours`, `low`,
        `high`, `pairs`, those `in order`, and `verdict`.

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
    counts = found.groupby(groups, sort=False)[["paper", "ours"]].apply(_in_order)
    found = found.join(counts.droplevel(0))
    found["verdict"] = [_verdict(row) for _, row in found.iterrows()]
    return found.drop(columns="reason")


def _group(table, method, column):
    return f"{table} {method if table == 'layer_type_nmi' else column}"


def _in_order(group):
    """For every row: pairs with other rows, and those that both columns order alike."""
    known = group["ours"].notna().to_numpy()
    signs = [np.sign(np.subtract.outer(v, v)) for v in group.to_numpy().T]
    other = np.outer(known, known) & ~np.eye(len(group), dtype=bool)
    alike = (signs[0] == signs[1]) & other
    counts = {"pairs": other.sum(axis=1), "in order": alike.sum(axis=1)}
    return pd.DataFrame(counts, index=group.index)


def _verdict(row):
    if row["pairs"] and row["in order"] >= IN_ORDER * row["pairs"]:
        return "agrees in order"
    if row["reason"]:
        return f"not comparable: {row['reason']}"
    low, high = row[["low", "high"]].fillna(row["ours"])
    if low <= row["paper"] <= high:
        return "inside"
    return "higher" if row["paper"] < low else "lower"
