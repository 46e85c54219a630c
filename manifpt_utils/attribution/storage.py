"""An attributor on disk: safetensors and JSON, every file with its check sum.

No file in the folder holds code: weights, real images and calibration scores are plain
arrays, and everything else is text.
"""

import hashlib
import json
import shutil
import tempfile
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from safetensors.numpy import load, save
from sklearn.frozen import FrozenEstimator
from sklearn.pipeline import make_pipeline

from .._support.files import check_writable, read_whole, sha256_of, writing
from .._support.provenance import versions
from ..images.validation import check_images
from ..method.denoiser import Denoiser
from ..method.device import torch_device, use_device
from ..method.representations import make_representation
from ..metrics.intervals import Interval
from .attributor import Attributor, Quality
from .pictures import confusion_picture
from .selection import Candidate, make_classifier

SCHEMA = 2
RECORD = "attributor.json"
ARRAYS = ("classifier", "real", "calibration")  # and "denoiser", where it has one
TABLES = ("candidates", "confusion", "images")
PICTURE = "confusion.png"
WRITTEN = {RECORD, PICTURE, *(f"{name}.csv" for name in TABLES)}
WRITTEN |= {f"{name}.safetensors" for name in (*ARRAYS, "denoiser")}


def save_attributor(attributor, folder, *, origin=None):
    """Write a fitted attributor into a folder of its own.

    The folder appears only when all of it is written.

    Parameters
    ----------
    attributor : fitted Attributor
    folder : str or Path
        A new or empty folder, or one with an attributor, which is replaced.
    origin : str, optional
        Where the images are from; it is written into the record.

    Raises
    ------
    ValueError
        If the folder holds anything else.
    """
    folder = Path(folder).expanduser().resolve()
    check_free(folder)
    with _replacing(folder) as place:
        for name, content in _contents(attributor).items():
            (place / name).write_bytes(content)
        record = _record(attributor, origin) | {"files": _check_sums(place)}
        record |= {"sha256": _sum_of(record)}
        text = json.dumps(record, indent=2, ensure_ascii=False)
        (place / RECORD).write_text(text + "\n", encoding="utf-8")


def check_free(folder):
    """Refuse a folder in which something else would be lost.

    Raises
    ------
    ValueError
        If it holds anything but an attributor, is a file or the current folder, or
        cannot be written.
    """
    folder = folder.expanduser().resolve()
    check_writable(folder)
    if folder == Path.cwd():
        raise ValueError(
            f"{folder} is the current folder, which cannot be replaced; name another."
        )
    if not folder.exists():
        return
    found = (
        {path.name for path in folder.iterdir()} if folder.is_dir() else {folder.name}
    )
    if found and RECORD not in found:
        raise ValueError(
            f"{folder} exists and holds no attributor; name a new folder, "
            "because it would be replaced."
        )
    others = sorted(found - WRITTEN)
    if others:
        raise ValueError(
            f"{folder} holds {others[0]!r} beside an attributor, which would be lost; "
            "move it away, or name a new folder."
        )


@contextmanager
def _replacing(folder):
    """A temporary folder beside it, which replaces the folder at the end."""
    with writing(folder):
        folder.parent.mkdir(parents=True, exist_ok=True)
        place = Path(tempfile.mkdtemp(prefix=f".{folder.name}.", dir=folder.parent))
        try:
            yield place
            place.chmod(0o755)
            _exchange(place, folder)
        finally:
            shutil.rmtree(place, ignore_errors=True)


def _exchange(place, folder):
    """Move a folder to where another may be, which is lost only once that is done."""
    old = place.with_name(place.name + ".old")
    if folder.exists():
        folder.rename(old)
    try:
        place.rename(folder)
    except BaseException:
        if old.exists():
            old.rename(folder)
        raise
    shutil.rmtree(old, ignore_errors=True)


def _contents(attributor):
    """The content of every file except the record, by name."""
    transformer, classifier = _steps(attributor)
    weights = {k: _array(v) for k, v in classifier.weights_of().items()}
    known = {
        "scores": attributor.calibration_scores_,
        "labels": attributor.calibration_labels_,
    }
    arrays = {"classifier": weights, "real": {"images": attributor.real_}}
    arrays["calibration"] = known
    if isinstance(transformer, Denoiser):
        state = transformer.network_.state_dict()
        arrays["denoiser"] = {k: _array(v) for k, v in state.items()}
    files = {f"{name}.safetensors": save(_ordered(x)) for name, x in arrays.items()}
    quality = attributor.quality_
    tables = attributor.candidates_, quality.confusion, attributor.images_
    for name, table in zip(TABLES, tables, strict=True):
        text = table.to_csv(index=name == "confusion", lineterminator="\n")
        files[f"{name}.csv"] = text.encode()
    return files | {PICTURE: confusion_picture(quality.confusion)}


def _steps(attributor):
    frozen, classifier = (step for _, step in attributor.pipeline_.steps)
    return frozen.estimator, classifier


def _array(tensor):
    return tensor.detach().cpu().numpy()


def _ordered(arrays):
    """Contiguous copies: safetensors writes memory as it lies, whatever its order."""
    return {name: np.ascontiguousarray(x) for name, x in arrays.items()}


def _check_sums(place):
    return {x.name: sha256_of(x) for x in sorted(place.iterdir())}


def _sum_of(record):
    """The check sum of a record, whatever blanks its file has."""
    content = {name: value for name, value in record.items() if name != "sha256"}
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def _record(attributor, origin):
    counts = pd.crosstab(attributor.images_["class"], attributor.images_["part"])
    quality = attributor.quality_
    return {
        "schema": SCHEMA,
        "origin": origin,
        "parameters": attributor.get_params(),
        "choice": attributor.choice_._asdict(),
        "classes": attributor.classes_.tolist(),
        "image_shape": [int(n) for n in attributor.image_shape_],
        "resizes": attributor.resizes_,
        "normalise": attributor.normalise_,
        "real_names": attributor.real_names_,
        "n_images": counts.to_dict("index"),
        "warnings": attributor.warnings_,
        "quality": {
            "accuracy": _as_json(quality.accuracy),
            "chance": quality.chance,
            "coverage": _as_json(quality.coverage),
            "set_size": quality.set_size,
            "unknown": quality.unknown,
        },
        "versions": versions(),
    }


def _as_json(interval):
    names = "mean", "low", "high", "n"
    return {name: getattr(interval, name) for name in names}


def load_attributor(folder, *, device=None):
    """Read an attributor that `save` wrote.

    Parameters
    ----------
    folder : str or Path
    device : str, optional
        "cpu", "cuda" or "auto", by default that of `use_device`.

    Returns
    -------
    Attributor

    Raises
    ------
    ValueError
        If there is none, a file is missing or changed, another version wrote it, or
        the device cannot be used.
    """
    folder = Path(folder).expanduser()
    torch_device(device)
    record = _read_record(folder)
    attributor = Attributor(**record["parameters"] | {"device": device})
    attributor.classes_ = np.array(record["classes"])
    attributor.choice_ = Candidate(**record["choice"])
    attributor.image_shape_ = tuple(record["image_shape"])
    attributor.resizes_ = record["resizes"]
    attributor.normalise_ = record["normalise"]
    attributor.real_names_ = record["real_names"]
    attributor.warnings_ = record["warnings"]
    attributor.quality_ = _quality(record["quality"], folder)
    attributor.candidates_, attributor.images_ = (
        pd.read_csv(folder / f"{name}.csv", keep_default_na=False, dtype={"class": str})
        for name in ("candidates", "images")
    )
    arrays = {name: _arrays(folder, name) for name in ARRAYS}
    attributor.real_ = check_images(arrays["real"]["images"])
    attributor.calibration_scores_ = arrays["calibration"]["scores"]
    attributor.calibration_labels_ = arrays["calibration"]["labels"]
    with use_device(device):
        attributor.pipeline_ = _pipeline(attributor, arrays["classifier"], folder)
    return attributor


def _arrays(folder, name):
    return load((folder / f"{name}.safetensors").read_bytes())


def _read_record(folder):
    """The record, after a check that every file is as it was written."""
    path = folder / RECORD
    if not path.is_file():
        raise ValueError(
            f"{folder} holds no attributor ({RECORD} is missing); make one with "
            "`manifpt attribute fit`."
        )
    try:
        record = json.loads(read_whole(path))
        schema, files = record["schema"], record["files"]
    except (ValueError, KeyError, TypeError) as error:
        raise ValueError(
            f"{path} is damaged ({error!r}); fit the attributor again."
        ) from error
    if schema != SCHEMA:
        raise ValueError(
            f"{path} was written in format {schema!r}, and this version reads format "
            f"{SCHEMA}; fit the attributor again, or use the version that made it."
        )
    if _sum_of(record) != record.get("sha256"):
        raise ValueError(_changed(path))
    for name, expected in files.items():
        _check_file(folder, name, expected)
    return record


def _check_file(folder, name, expected):
    path = folder / name
    if Path(name).name != name:
        raise ValueError(
            f"{folder / RECORD} names {name!r}, which lies outside its folder; fit the "
            "attributor again."
        )
    if not path.is_file():
        raise ValueError(f"{path} is missing; fit the attributor again.")
    if sha256_of(path) != expected:
        raise ValueError(_changed(path))


def _changed(path):
    return (
        f"{path} is not as it was written, so answers could be wrong; fit the "
        "attributor again, or restore the file."
    )


def _quality(found, folder):
    texts = {"index_col": 0, "dtype": {0: str}, "keep_default_na": False}
    confusion = pd.read_csv(folder / "confusion.csv", **texts)
    confusion.columns = confusion.columns.rename("predicted")
    intervals = {
        name: Interval(**found[name], sd=np.nan) for name in ("accuracy", "coverage")
    }
    return Quality(**found | intervals, confusion=confusion)


def _pipeline(attributor, weights, folder):
    """The pipeline again: the representation from the real images, and the weights."""
    choice = attributor.choice_
    own = folder / "denoiser.safetensors"
    options = {"weights": own} if choice.estimate == "denoiser" else {}
    transformer = make_representation(choice.representation, **options)
    transformer.fit(attributor.real_)
    options = {"seed": attributor.seed, "precision": attributor.precision}
    classifier = make_classifier(choice.classifier, transformer, **options)
    state = {name: torch.from_numpy(x) for name, x in weights.items()}
    width = transformer.transform(attributor.real_[:1]).shape[1]
    classifier.restore(state, attributor.classes_, width)
    return make_pipeline(FrozenEstimator(transformer), classifier)
