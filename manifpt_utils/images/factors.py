"""The table of design factors, one row per model."""

import csv
import io

import pandas as pd

FACTORS = ["family", "up", "nl_last", "norm", "down", "skip", "loss", "loss_fine"]
MEANING = (
    "factors.csv tells how each model was built. It is a table with a heading and one "
    f"row per model; its columns are model, {', '.join(FACTORS)}. It is optional: "
    "without it, what is said about design factors is left out."
)


def read_factors(content, name="factors.csv"):
    """Read the table as editors and spreadsheets write it.

    Values may be separated by commas, semicolons or tabulators, and the text may be in
    UTF-8, UTF-16 or Latin-1.  Further columns and blank rows are ignored.

    Parameters
    ----------
    content : bytes
        Content of a CSV file.
    name : str or Path
        How messages call it.

    Returns
    -------
    DataFrame
        Indexed by model; columns `FACTORS`, all of them text.

    Raises
    ------
    ValueError
        If there is no row, a column is missing, a row is too long or too short, a
        value is empty, or two rows are of one model.

    Examples
    --------
    >>> heading = "Model;Family;Up;nl_last;norm;down;skip;loss;loss_fine"
    >>> row = "007;GAN;nearest;tanh;batch;strided;none;gan;lsgan"
    >>> read_factors(f"{heading}\\n{row}".encode()).loc["007", "family"]
    'GAN'
    """
    try:
        heading, *rows = _rows(_text(content)) or [[]]
    except csv.Error as error:
        raise ValueError(f"{name} cannot be read ({error}). {MEANING}") from error
    heading = [column.lower() for column in heading]
    missing = [column for column in ["model", *FACTORS] if column not in heading]
    if missing:
        raise ValueError(f"{name} lacks the columns {missing}. {MEANING}")
    twice = [column for column in ["model", *FACTORS] if heading.count(column) > 1]
    if twice:
        raise ValueError(f"{name} has the column {twice[0]!r} twice; keep one.")
    uneven = [row for row in rows if len(_trimmed(row, heading)) != len(heading)]
    if uneven:
        raise ValueError(
            f"{name}: the row {uneven[0]} has {len(uneven[0])} values under "
            f"{len(heading)} columns; a value that holds a separator belongs in quotes."
        )
    rows = [_trimmed(row, heading) for row in rows]
    table = pd.DataFrame(rows, columns=heading)[["model", *FACTORS]]
    _check_rows(table, name)
    return table.set_index("model")


def _text(content):
    """Decode what spreadsheets write."""
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        return content.decode("utf-16", errors="replace")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return content.decode("latin-1")


def _rows(text):
    """Values without blanks around them, of all rows that have any."""
    heading = next(filter(str.strip, text.splitlines()), "")
    separator = max(",;\t", key=heading.count)
    rows = csv.reader(io.StringIO(text), delimiter=separator, skipinitialspace=True)
    rows = [[value.strip() for value in row] for row in rows]
    return [row for row in rows if any(row)]


def _trimmed(row, heading):
    """The row without empty values beyond the last column."""
    return row[: len(heading)] if not any(row[len(heading) :]) else row


def _check_rows(table, name):
    if table.empty:
        raise ValueError(f"{name} has a heading and no rows. {MEANING}")
    blank = table == ""
    if blank.any(axis=None):
        model, column = blank.stack().idxmax()
        raise ValueError(
            f"{name} has no {column!r} in the row of {table.loc[model, 'model']!r}; "
            "write 'none' where a model has no such part."
        )
    twice = table.loc[table["model"].duplicated(), "model"]
    if len(twice):
        raise ValueError(f"{name} has two rows for {twice.iloc[0]!r}; keep one.")
