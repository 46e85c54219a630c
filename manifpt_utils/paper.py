"""The numbers of the paper's tables, to stand beside ours.

They are those of the conference version (Song et al., CVPR 2024), read from the
pictures of its tables on the project's page; the workshop version's Tables 1, 5 and 6
agree with them where they overlap.  The printed "Average" row of the NMI table
disagrees with the rows above it and is left out.
"""

import io

import pandas as pd

from .benchmark import DATA, read_manifest, verified
from .parameters import suggestion

TABLES = (
    "attribution_accuracy",
    "attribution_fdr",
    "cross_dataset_accuracy",
    "layer_type_nmi",
    "training_dataset_accuracy",
)


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
        One row a method: the eight baselines by their names, the paper's own method by
        its space, "rgb" to "selfsupervised".

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
    content = verified(DATA, "paper_tables.csv", read_manifest())
    table = pd.read_csv(io.BytesIO(content))
    table = table[table["table"] == name]
    methods, columns = (list(dict.fromkeys(table[c])) for c in ("method", "column"))
    value = "sd" if sd else "value"
    wide = table.pivot(index="method", columns="column", values=value)
    return wide.loc[methods, columns]
