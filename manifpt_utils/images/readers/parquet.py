"""Parquet files of encoded images, as in Community Forensics (Park and Owens 2025).

Each row is an image: `image_data` holds the bytes of its file, `model_name` the model
that made it, and `label` is 1 for generated and 0 for real; `split` and `image_name`
are read if they exist.  First all names are read and images are drawn from them; then
one pass over the files decodes these images.  In memory at once are one page of a file,
whose size its writer chose, and a few rows.
"""

from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
from tqdm.auto import tqdm

from ..._support.extras import extra
from ..choice import choose
from ..image_files import Images, read_image, resized
from .source import TEST, TRAIN, Item, divided

TREE = "parquet files with image_data, model_name and label (Community Forensics)"
NEEDED, OPTIONAL = ("image_data", "model_name", "label"), ("split", "image_name")
AT_ONCE = 32  # rows in memory as bytes
# By default, pyarrow reads a column of a whole row group, which can be a gigabyte.
STREAMED = {"buffer_size": 2**20, "pre_buffer": False}


class Row(NamedTuple):
    """Where an image lies: a file and a row of it."""

    path: Path
    row: int


def fits(path):
    """Whether a path is that of a parquet file, or of a folder with parquet files."""
    return bool(_files(path))


def read(path, models=None):
    """Find the images of parquet files.

    Parameters
    ----------
    path : Path
        A parquet file, or a folder with parquet files.
    models : sequence of str, optional

    Returns
    -------
    Source

    Raises
    ------
    ValueError
        If pyarrow is not installed; if a file is damaged or lacks a column; if there
        are no real or no generated images; or if a label is neither 0 nor 1.
    """
    parquet = extra("pyarrow.parquet", "parquet")
    table = pd.concat([_names(parquet, x) for x in _files(path)], ignore_index=True)
    names = sorted(set(table["class"]) - {"real"})
    if not names or len(names) == table["class"].nunique():
        lacking = "generated" if not names else "real"
        raise ValueError(
            f"{path} holds no {lacking} images (label {int(lacking != 'real')}); add a "
            "file that does."
        )
    classes = ["real", *choose(models, names)]
    sides = {name: _sides(table[table["class"] == name]) for name in classes}
    found = divided(TREE, path, sides)
    return found._replace(read=partial(_read, parquet), files=tuple(_files(path)))


def _files(path):
    if path.is_dir():
        return sorted(path.glob("*.parquet"))
    return [path] if path.suffix.lower() == ".parquet" and path.is_file() else []


def _names(parquet, path):
    """The columns of a file without the images, one row per image."""
    file = _opened(parquet, path)
    columns = file.schema_arrow.names
    missing = [column for column in NEEDED if column not in columns]
    if missing:
        raise ValueError(
            f"{path} lacks the columns {missing}; it has {columns}. Files of Community "
            f"Forensics have {list(NEEDED)}."
        )
    wanted = [x for x in (*NEEDED[1:], *OPTIONAL) if x in columns]
    table = file.read(columns=wanted).to_pandas()
    unknown = table.index[~table["label"].isin([0, 1])]
    if len(unknown):
        raise ValueError(
            f"{path} has the label {table['label'][unknown[0]]!r} in row {unknown[0]}; "
            "1 is for generated images and 0 for real ones."
        )
    nameless = table.index[(table["label"] == 1) & table["model_name"].isna()]
    if len(nameless):
        raise ValueError(f"{path} has no model_name in row {nameless[0]}; give one.")
    mixed = table.index[(table["label"] == 1) & (table["model_name"] == "real")]
    if len(mixed):
        raise ValueError(
            f"{path} has the model_name 'real' for a generated image in row "
            f"{mixed[0]}; give the model another name."
        )
    table["class"] = table["model_name"].where(table["label"] == 1, "real")
    table["place"] = [Row(path, row) for row in range(len(table))]
    return table


def _opened(parquet, path):
    try:
        return parquet.ParquetFile(path, **STREAMED)
    except Exception as error:  # pyarrow raises errors of several kinds
        raise ValueError(
            f"{path} cannot be read as parquet ({error}); get it again."
        ) from error


def _sides(rows):
    """Items by side; all are for training if the files have no split."""
    splits = rows["split"] if "split" in rows else pd.Series(TRAIN, rows.index)
    found = rows.assign(side=np.where(splits == TEST, TEST, TRAIN))
    return {
        side: [Item(f"{x.path.name}:{x.row}", x) for x in part["place"]]
        for side, part in found.groupby("side")
    }


def _read(parquet, items, size):
    """Images of every class, by one pass over the files: dict of str to Images."""
    wanted = [(x.place, name, i) for name, y in items.items() for i, x in enumerate(y)]
    pixels = {name: [None] * len(found) for name, found in items.items()}
    facts = {name: [None] * len(found) for name, found in items.items()}
    shape, first = size, None
    with tqdm(total=len(wanted), desc="read parquet", delay=2) as bar:
        for place, name, i, content in _contents(parquet, sorted(wanted)):
            label = f"row {place.row} of {place.path}"
            image, facts[name][i] = read_image(label, _bytes(content, label))
            shape, first = shape or image.shape[:2], first or label
            if size is None and image.shape[:2] != tuple(shape):
                raise ValueError(
                    f"{label} is {image.shape[1]} x {image.shape[0]} pixels, but "
                    f"{first} is {shape[1]} x {shape[0]}; give a size, for instance "
                    f"size={min(*image.shape[:2], *shape)}, to bring all to it."
                )
            pixels[name][i] = resized(image, shape)
            bar.update()
    return {name: Images(np.stack(pixels[name]), facts[name]) for name in items}


def _contents(parquet, wanted):
    """Encoded images in the order of the files, a few rows at a time."""
    for path in dict.fromkeys(place.path for place, _, _ in wanted):
        mine = {x[0].row: x for x in wanted if x[0].path == path}
        file, start = _opened(parquet, path), 0
        for group in range(file.num_row_groups):
            n = file.metadata.row_group(group).num_rows
            if any(start <= row < start + n for row in mine):
                yield from _of_group(file, group, start, mine)
            start += n


def _of_group(file, group, start, mine):
    options = {"row_groups": [group], "columns": ["image_data"]}
    for batch in file.iter_batches(batch_size=AT_ONCE, **options):
        values = batch.column(0)
        for offset in range(len(values)):
            if start + offset in mine:
                yield *mine[start + offset], values[offset].as_py()
        start += len(values)


def _bytes(content, label):
    if not isinstance(content, bytes) or not content:
        raise ValueError(f"{label} has no image_data; remove the row.")
    return content
