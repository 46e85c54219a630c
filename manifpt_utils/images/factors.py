"""The table of design factors, one row for each model."""

import io

import pandas as pd

FACTORS = ["family", "up", "nl_last", "norm", "down", "skip", "loss", "loss_fine"]


def read_factors(content):
    """Read the table from the bytes of a CSV file: a DataFrame indexed by model."""
    table = pd.read_csv(io.BytesIO(content), index_col="model", keep_default_na=False)
    missing = [column for column in FACTORS if column not in table]
    if missing:
        raise ValueError(f"factors.csv lacks the columns {missing}.")
    return table[FACTORS]
