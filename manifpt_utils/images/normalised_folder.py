"""A copy of a folder in which all images are stored in one way."""

import json
import shutil
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from PIL import Image
from tqdm.auto import tqdm

from .._support.files import writing
from .image_files import read_image
from .normalise import SIZED, normalise

RECORD = "normalised.json"  # lies beside the classes of a copy
FACTORS = "factors.csv"


class NormalisedFrom(NamedTuple):
    """From what the files of a copy were made, and how.

    Attributes
    ----------
    normalise : {"png", "size", "jpeg90"}
    warnings : list of str
        Warnings of the audit of the source.
    """

    normalise: str
    warnings: list


def read_record(root):
    """The record of how the files of a folder were made, or None if it has none.

    Parameters
    ----------
    root : Path

    Returns
    -------
    NormalisedFrom or None

    Raises
    ------
    ValueError
        If the record is damaged.
    """
    path = root / RECORD
    if not path.is_file():
        return None
    try:
        found = NormalisedFrom(**json.loads(path.read_bytes()))
        if not all(isinstance(x, str) for x in (found.normalise, *found.warnings)):
            raise TypeError("text is missing")
    except (ValueError, TypeError) as error:
        raise ValueError(
            f"{path} is damaged ({error}); it tells what was done to these images, so "
            "write the folder again by manifpt audit, or remove the file."
        ) from error
    return found


def check_target(root, target):
    """Refuse to write a copy over anything else, or into its own source.

    Parameters
    ----------
    root, target : Path

    Raises
    ------
    ValueError
        If the target is the source, lies in it or around it, exists and is not empty,
        or its parent is missing; or if the source is no folder with `real/`.
    """
    if not (root / "real").is_dir():
        raise ValueError(
            f"only a folder with real/ and <model>/ is copied, and {root} is another "
            "layout; notebooks and load() take normalise= for all of them."
        )
    source, place = root.resolve(), target.resolve()
    if source == place or source in place.parents or place in source.parents:
        raise ValueError(
            f"{target} and the source {root} lie in each other; choose a folder beside "
            "the source, which is never changed."
        )
    if target.exists() and not (target.is_dir() and not any(target.iterdir())):
        raise ValueError(f"{target} exists already; choose a new folder.")
    if not place.parent.is_dir():
        raise ValueError(f"{place.parent} is no folder; make it first.")


def write_normalised(root, target, how, found, *, size=None):
    """Write a copy of a folder as 8-bit PNG files, treated by `normalise`.

    The copy appears as a whole or not at all.

    Parameters
    ----------
    root, target : Path
    how : {"png", "size", "jpeg90"}
    found : Audit
        The audit of the source, whose warnings are kept in the record.
    size : int or (int, int), optional
        As for `normalise`.
    """
    check_target(root, target)
    partial = target.with_name(f".{target.name}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    with writing(target), _removed(partial):
        _write_images(root, partial, how, found.files, size)
        if (root / FACTORS).is_file():
            shutil.copyfile(root / FACTORS, partial / FACTORS)
        record = NormalisedFrom(how, found.warnings)
        (partial / RECORD).write_text(json.dumps(record._asdict(), indent=1) + "\n")
        if target.exists():
            target.rmdir()
        partial.rename(target)


@contextmanager
def _removed(folder):
    try:
        yield
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _write_images(root, target, how, files, size):
    if size is None and how in SIZED:
        size = tuple(int(side) for side in files[["height", "width"]].min())
    with tqdm(total=len(files), desc="write files", delay=5) as bar:
        for name, part in files.groupby(level="class", sort=False):
            (target / name).mkdir(parents=True)
            for file, new in png_names(part.index.unique("file")).items():
                image = read_image(root / name / file)[0]
                image = normalise([image], how, size=size)[0]
                Image.fromarray(image).save(target / name / new)
                bar.update()


def png_names(files):
    """A different name with the suffix .png for every file of a class.

    Parameters
    ----------
    files : sequence of str

    Returns
    -------
    dict of str to str

    Examples
    --------
    >>> png_names(["a.png", "b.jpg", "b.webp"])
    {'a.png': 'a.png', 'b.jpg': 'b.png', 'b.webp': 'b.webp.png'}
    """
    found, taken = {}, set()
    for file in sorted(files, key=lambda file: not file.lower().endswith(".png")):
        stem = Path(file).stem
        new = next(x for x in _candidates(stem, file) if x.casefold() not in taken)
        taken.add(new.casefold())
        found[file] = new
    return found


def _candidates(stem, file):
    yield f"{stem}.png"
    yield f"{file}.png"
    number = 2
    while True:
        yield f"{stem}-{number}.png"
        number += 1
