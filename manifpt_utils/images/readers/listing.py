"""A CSV file of images: their paths, labels and (optionally) sides of a split."""

import os
from pathlib import PureWindowsPath

from ..._support.files import read_whole
from ..choice import choose
from ..layout import rename_hint
from ..spreadsheet import read_table
from .source import TEST, TRAIN, Item, divided

TREE = "a CSV file with the columns file, label and (optionally) split"
SUFFIXES = (".csv", ".tsv", ".txt")
MEANING = (
    "A list of images is a table with a heading and one row per image: file is a path "
    "from the folder of the table, label is 'real' or the name of a model, and split, "
    "which may be left out, is train or test."
)


def fits(path):
    """Whether a path is that of a CSV file."""
    return path.suffix.lower() in SUFFIXES and path.is_file()


def read(path, models=None):
    """Find the images that a table lists.

    Parameters
    ----------
    path : Path
        A CSV file, as `read_table` reads it.  The column `file` may also be called
        `path`.
    models : sequence of str, optional

    Returns
    -------
    Source

    Raises
    ------
    ValueError
        If the table has another form, a path leads out of its folder or to nothing, a
        file is listed twice, or a label or split is missing or unknown.
    """
    columns = ["file", "label"]
    table = read_table(
        read_whole(path),
        path,
        columns,
        optional=["split"],
        aliases={"path": "file"},
        meaning=MEANING,
    )
    _check(table, path)
    names = sorted(set(table["label"]) - {"real"})
    table = table[table["label"].isin(["real", *choose(models, names)])]
    home = path.parent.resolve()
    table = table.assign(place=[_place(x, path, home) for x in table["file"]])
    _refuse_repeated(table, path)
    sides = {name: _sides(table[table["label"] == name]) for name in ["real", *names]}
    sides = {name: parts for name, parts in sides.items() if parts}
    return divided(TREE, path, sides)


def _check(table, path):
    if table.empty:
        raise ValueError(f"{path} has a heading and no rows. {MEANING}")
    for column in table:
        blank = table.index[table[column] == ""]
        if len(blank):
            row = table.loc[blank[0]]
            raise ValueError(
                f"{path} has no {column} in the row of {row['file'] or row['label']!r};"
                f" fill it, or remove the row. {MEANING}"
            )
    labels = sorted(set(table["label"]))
    if "real" not in labels:
        hint = rename_hint(labels) or f" It has {labels[:5]}."
        raise ValueError(f"{path} has no row with the label 'real'.{hint} {MEANING}")
    if labels == ["real"]:
        raise ValueError(f"{path} has real images only; add those of a model.")
    if "split" in table:
        unknown = sorted(set(table["split"].str.lower()) - {TRAIN, TEST})
        if unknown:
            raise ValueError(
                f"{path} has the split {unknown[0]!r}; write train or test in every "
                "row, or remove the column."
            )


def _place(text, path, home):
    """The file that a row names, within the folder of the table."""
    # Both separators are recognised, so that no path of either system can hide its end.
    written = PureWindowsPath(text)
    if written.anchor or text.startswith("~") or ".." in written.parts:
        raise ValueError(
            f"{path} lists {text!r}, which leads out of its folder; put the images "
            "beside the table and write their paths from there."
        )
    place = path.parent.joinpath(*written.parts)
    if not os.path.isfile(place):
        raise ValueError(
            f"{path} lists {text!r}, but there is no such file in {path.parent}; "
            "correct the path, or remove the row."
        )
    if not place.resolve().is_relative_to(home):
        raise ValueError(
            f"{path} lists {text!r}, a symbolic link out of its folder, to "
            f"{place.resolve()}; put a copy in its place."
        )
    return place


def _refuse_repeated(table, path):
    """Refuse a file that is listed twice, however its path is written."""
    same = table["place"].map(lambda place: place.resolve())
    again = table[same.duplicated(keep=False)]
    if again.empty:
        return
    rows = again[same[again.index] == same[again.index[0]]]
    labels = list(dict.fromkeys(rows["label"]))
    splits = list(dict.fromkeys(rows.get("split", [])))
    what = "twice"
    if len(labels) > 1:
        what = f"with the labels {labels}"
    elif len(splits) > 1:
        what = f"for both {splits[0]} and {splits[1]}"
    raise ValueError(f"{path} lists {rows['file'].iloc[0]!r} {what}; keep one row.")


def _sides(rows):
    """Items of one class by side; all are for training if there is no split."""
    if rows.empty:
        return {}
    splits = rows["split"].str.lower() if "split" in rows else TRAIN
    found = rows.assign(side=splits)
    return {
        side: [Item(x.file, x.place) for x in part.itertuples()]
        for side, part in found.groupby("side")
    }
