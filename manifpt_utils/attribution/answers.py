"""The answers of an attributor about new images, one row per image."""

import hashlib
import os
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
from tqdm.auto import tqdm

from .._support.files import read_whole
from ..images.image_files import check_file, read_image, resized
from ..images.layout import check_name, image_paths
from ..images.normalise import normalise
from ..images.postprocessing import jpeg, resize
from ..metrics.conformal import prediction_sets
from .parts import SEPARATOR, SEVERAL, UNKNOWN, UNSURE

CHANGES = {
    "after JPEG 90": partial(jpeg, quality=90),
    "after resize 0.9": partial(resize, factor=0.9),
}
AT_ONCE = 256  # files that are read and answered together
FILE_COLUMNS = ("file", "sha256", "format", "width", "height")


def answer_images(attributor, images):
    """Answer for every image of an array.

    Parameters
    ----------
    attributor : fitted Attributor
    images : (n, h, w, 3) uint8 array

    Returns
    -------
    DataFrame
        One row per image:

        - `verdict`: the class, if it is the only one that cannot be ruled out;
          "several" where more than one cannot; "unknown" where every class is ruled
          out; "unsure" where the most probable class is not the one that remains, or
          changes under JPEG 90 or a resize by 0.9 and back,
        - `set`: all classes that cannot be ruled out,
        - `prediction`, `probability`: the most probable class,
        - `after JPEG 90`, `after resize 0.9`: the most probable class then,
        - `nearest real`, `distance`: the nearest real image, and the root mean square
          of the difference from it, in grey levels,
        - `probability of ...` and `p-value of ...` for every class.
    """
    probability = attributor.predict_proba(images)
    p = attributor.p_values(probability)
    sets = prediction_sets(p, coverage=attributor.coverage)
    classes = attributor.classes_
    table = pd.DataFrame({"set": [SEPARATOR.join(classes[row]) for row in sets]})
    table["prediction"] = classes[probability.argmax(axis=1)]
    table["probability"] = probability.max(axis=1)
    for name, change in CHANGES.items():
        changed = attributor.predict_proba(change(images))
        table[name] = classes[changed.argmax(axis=1)]
    table.insert(0, "verdict", _verdicts(table, sets))
    nearest = attributor.nearest_real(images)
    names = np.array(attributor.real_names_, dtype=object)
    table["nearest real"] = names[nearest.index[:, 0]]
    table["distance"] = 255 * nearest.distance / np.sqrt(images[0].size)
    return table.join(_columns("probability of", probability, classes)).join(
        _columns("p-value of", p, classes)
    )


def _verdicts(table, sets):
    stable = (table[list(CHANGES)].T == table["prediction"]).all()
    alone = table["set"] == table["prediction"]
    size = sets.sum(axis=1)
    cases = [size == 0, ~stable | ((size == 1) & ~alone), size > 1]
    return np.select(cases, [UNKNOWN, UNSURE, SEVERAL], table["set"])


def _columns(title, values, classes):
    return pd.DataFrame(values, columns=[f"{title} {name}" for name in classes])


def answer_files(attributor, paths, *, progress=False):
    """Answer for every file, some files at a time.

    Parameters
    ----------
    attributor : fitted Attributor
    paths : str, Path, or sequence of them
        Files, and folders of files.
    progress : bool
        Show a bar after two seconds.

    Yields
    ------
    DataFrame
        As `answer_images` gives it, with `file`, `sha256`, `format`, `width` and
        `height` in front.  For a file that cannot be read, `error` takes the place of
        the answer, and the other files are answered all the same.

    Raises
    ------
    ValueError
        If there is no such file or folder, or no file at all.
    """
    files = _listed(paths)
    with tqdm(total=len(files), desc="images", delay=2, disable=not progress) as bar:
        for start in range(0, len(files), AT_ONCE):
            some = files[start : start + AT_ONCE]
            yield _answered(attributor, some)
            bar.update(len(some))


def _listed(paths):
    """All files that were named, also those in folders."""
    paths = [paths] if isinstance(paths, (str, Path)) else paths
    paths = [_as_path(path) for path in paths]
    for path in paths:
        if not os.path.lexists(path):
            raise ValueError(f"{path} does not exist; name files, or folders of files.")
    files = [
        x for path in paths for x in (image_paths(path) if path.is_dir() else [path])
    ]
    if not files:
        raise ValueError("no image was named; give files, or folders of files.")
    return files


def _as_path(path):
    if not isinstance(path, (str, Path)):
        raise ValueError(
            f"a path was expected, got {type(path).__name__}; give the paths of files "
            "and folders, or all images as one (n, h, w, 3) uint8 array."
        )
    return Path(path).expanduser()


def _answered(attributor, files):
    """Rows of some files, in their order."""
    rows, images = [], []
    for path in files:
        row, image = _read(path, attributor)
        rows.append(row)
        images.append(image)
    table = pd.DataFrame(rows, columns=[*FILE_COLUMNS, "error"])
    table = table.astype({"width": "Int64", "height": "Int64"})  # unknown where unread
    read = [i for i, image in enumerate(images) if image is not None]
    if not read:
        return table
    answers = answer_images(attributor, np.stack([images[i] for i in read]))
    answers.index = read
    return table[list(FILE_COLUMNS)].join(answers).join(table["error"])


def _read(path, attributor):
    """The known facts about a file, and its image in the right size, or None."""
    row = {"file": str(path).encode(errors="backslashreplace").decode(), "error": ""}
    try:
        check_name(path)
        check_file(path)
        content = read_whole(path)
        row["sha256"] = hashlib.sha256(content).hexdigest()
        image, facts = read_image(path, content)
        row |= {"format": facts.format, "width": facts.width, "height": facts.height}
        return row, _sized(path, image, attributor)
    except ValueError as error:
        return row | {"error": str(error)}, None


def image_of(path, attributor):
    """Read one image as an attributor takes it: (h, w, 3) uint8 array.

    Raises
    ------
    ValueError
        If the file is not an image that can be read, or not of the size of the fit.
    """
    return _sized(path, read_image(Path(path))[0], attributor)


def _sized(path, image, attributor):
    """The image, treated as the images of the fit were."""
    shape = tuple(attributor.image_shape_)
    if image.shape != shape and not attributor.resizes_:
        raise ValueError(
            f"{path} is {image.shape[1]} x {image.shape[0]} pixels, but all images of "
            f"the fit were {shape[1]} x {shape[0]}; resizing this one alone would "
            "change what is looked for. Fit again with a size, so that all images are "
            "resized alike."
        )
    image = resized(image, shape[:2])
    how = attributor.normalise_
    return image if how is None else normalise(image[None], how, size=shape[:2])[0]
