"""The table of design factors, one row per model."""

from .spreadsheet import read_table

FACTORS = ["family", "up", "nl_last", "norm", "down", "skip", "loss", "loss_fine"]
MEANING = (
    "factors.csv tells how each model was built. It is a table with a heading and one "
    f"row per model; its columns are model, {', '.join(FACTORS)}. It is optional: "
    "without it, all sections about design factors are left out."
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
        What messages call it.

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
    table = read_table(content, name, ["model", *FACTORS], meaning=MEANING)
    _check_rows(table, name)
    return table.set_index("model")


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
