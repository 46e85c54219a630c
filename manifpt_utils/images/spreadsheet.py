"""Tables as editors and spreadsheets write them: one reader for all CSV files."""

import csv
import io

import pandas as pd


def read_table(content, name, columns, *, optional=(), aliases=None, meaning=""):
    """Read columns of a CSV file.

    Values may be separated by commas, semicolons or tabulators, and the text may be in
    UTF-8, UTF-16 or Latin-1.  Further columns and blank rows are ignored.

    Parameters
    ----------
    content : bytes
    name : str or Path
        What messages call the file.
    columns : sequence of str
        Names in lower case; in the file, case does not matter.
    optional : sequence of str
        Columns that are read if they exist.
    aliases : dict of str to str, optional
        Other names of columns, each with the name that it stands for.
    meaning : str
        A sentence for messages: what the file is for.

    Returns
    -------
    DataFrame
        Text without blanks around it.

    Raises
    ------
    ValueError
        If a column is missing or appears twice, or a row is too long or too short.

    Examples
    --------
    >>> table = read_table(b"File;Label\\n a.png ; real", "my.csv", ["file", "label"])
    >>> table.loc[0].to_list()
    ['a.png', 'real']
    """
    meaning = f" {meaning}" if meaning else ""
    try:
        heading, *rows = _rows(_text(content)) or [[]]
    except csv.Error as error:
        raise ValueError(f"{name} cannot be read ({error}).{meaning}") from error
    heading = [(aliases or {}).get(x, x) for x in map(str.lower, heading)]
    missing = [column for column in columns if column not in heading]
    if missing:
        raise ValueError(f"{name} lacks the columns {missing}.{meaning}")
    wanted = [*columns, *(column for column in optional if column in heading)]
    twice = [column for column in wanted if heading.count(column) > 1]
    if twice:
        raise ValueError(f"{name} has the column {twice[0]!r} twice; keep one.")
    uneven = [row for row in rows if len(_trimmed(row, heading)) != len(heading)]
    if uneven:
        raise ValueError(
            f"{name}: the row {uneven[0]} has {len(uneven[0])} values under "
            f"{len(heading)} columns; a value that holds a separator belongs in quotes."
        )
    rows = [_trimmed(row, heading) for row in rows]
    return pd.DataFrame(rows, columns=heading)[wanted]


def _text(content):
    """Decode text in the encodings that spreadsheets use."""
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        return content.decode("utf-16", errors="replace")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return content.decode("latin-1")


def _rows(text):
    """Values without surrounding blanks, of all rows that have any."""
    heading = next(filter(str.strip, text.splitlines()), "")
    separator = max(",;\t", key=heading.count)
    rows = csv.reader(io.StringIO(text), delimiter=separator, skipinitialspace=True)
    rows = [[value.strip() for value in row] for row in rows]
    return [row for row in rows if any(row)]


def _trimmed(row, heading):
    """The row without empty values beyond the last column."""
    return row[: len(heading)] if not any(row[len(heading) :]) else row
