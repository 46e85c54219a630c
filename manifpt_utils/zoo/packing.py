"""From finished trainings to `data/`: lossless sheets, records, manifest.

Every file is written under a temporary name and moved when it is complete.  Before
that, a sheet is decoded and compared with its samples.
"""

import hashlib
import io
import json
import math
import warnings
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pandas as pd
from PIL import Image
from tqdm import tqdm

from .._support.paths import DATA
from ..images.sheets import COLUMNS, cut_sheet
from .card import write_table
from .factorial import LEVELS, designs
from .plan import Training, core, folder_of
from .quality import COMPARED, LEAST_COVERED, PROJECTED, is_collapsed, quality
from .records import RECORDS, read_record, replace, write_record
from .registry import EXPERIMENTS

MANIFEST_VERSION = 1
LISTED = (
    "factors.csv",
    "paper_tables.csv",
    "gm-photo/*/*",
    "experiments/*",
    "experiments/*/*",
    "encoders/*",
    "denoisers/*",
    "results/*",
)
SUFFIXES = (".csv", ".webp", ".safetensors", ".json")
LOSS_POINTS = 50


def pack(root="zoo_runs", *, data=DATA, progress=False):
    """Store all finished trainings and describe them in manifest and data card.

    Parameters
    ----------
    root : path
        Folder of all trainings.
    data : path
        Folder with `gm-photo/`, `manifest.json` and `README.md`.
    progress : bool
        Show a progress bar.

    Returns
    -------
    list of Path
        The sheets, one for each finished training that is stored.

    Raises
    ------
    ValueError
        If there is no finished training, or the files of one are not as they should be.

    Warns
    -----
    UserWarning
        If a generator has collapsed; it is not stored.
    """
    runs = finished(root)
    if not runs:
        raise ValueError(
            f"{root} holds no finished training; run `manifpt zoo train` first."
        )
    bar = tqdm(runs, desc="pack", disable=not progress)
    sheets = [sheet for folder in bar if (sheet := pack_run(folder, Path(data)))]
    measure(data, progress=progress)
    write_designs(data)
    write_manifest(data)
    write_table(data)
    return sheets


def finished(root):
    """Folders of the finished trainings."""
    return sorted(path.parent for path in Path(root).glob("*/*-*/record.json"))


def pack_run(folder, data):
    """Store one training; returns the path of its sheet, None if it has collapsed."""
    samples, record = _read_run(folder)
    training = Training(record["model"], record["photo"], record["seed"])
    samples = samples[: stored_samples(training)]
    name = f"{record['model']}-{record['seed']}"
    target = data / folder_of(record["model"]) / record["photo"] / name
    target.parent.mkdir(parents=True, exist_ok=True)
    sheet = target.with_suffix(".webp")
    known = sheet.exists() and _holds(sheet.read_bytes(), samples)
    measured = _measured(target.with_suffix(".json")) if known else {}
    measured = measured or {"quality": quality(record["photo"], samples)}
    if is_collapsed(measured["quality"]):
        return _warn_of_collapse(folder, measured["quality"]["covered"])
    if not known:
        replace(sheet, encode(samples))
    stored = {
        **record,
        "losses": thin(record["losses"]),
        "images": len(samples),
        "shape": list(samples.shape[1:]),
        **measured,
    }
    write_record(target.with_suffix(".json"), stored)
    return sheet


def _warn_of_collapse(folder, covered):
    warnings.warn(
        f"{folder} is not stored: its samples have closest views in {covered:.0%} of "
        f"the photograph's cells, and below {LEAST_COVERED:.0%} a generator counts as "
        "collapsed; train it from another seed.",
        stacklevel=3,
    )


def stored_samples(training):
    """The number of samples of a training that are stored, so that `data/` stays small.

    These are 1,000 for each of the six `CORE` models on the first two photographs, 300
    for every other model and photograph, 200 for a further seed, and 150 for a run of
    the controlled experiments.

    Examples
    --------
    >>> stored_samples(Training("ddpm", "coffee", 0))
    1000
    """
    if training.model in EXPERIMENTS:
        return 150
    if training.seed:
        return 200
    return 1000 if training in core() else 300


def measure(data=DATA, *, progress=False):
    """Measure the quality of every stored training that has no measurement.

    Returns
    -------
    list of Path
        The records that were rewritten.
    """
    missing = [
        path
        for pattern in RECORDS.values()
        for path in sorted(Path(data).glob(pattern))
        if not _measured(path)
    ]
    for path in tqdm(missing, desc="measure", disable=not progress):
        record = read_record(path)
        sheet = path.with_suffix(".webp").read_bytes()
        samples = _decode(sheet, record["images"], record["shape"])
        write_record(path, {**record, "quality": quality(record["photo"], samples)})
    return missing


def _measured(path):
    """The quality in a stored record, if it has the wanted number of samples."""
    record = read_record(path) if path.exists() else {}
    found, n = record.get("quality", {}), record.get("images", 0)
    counts = found.get("projected"), found.get("compared")
    is_known = counts == (min(PROJECTED, n), min(COMPARED, n)) and "space" in found
    if not is_known:
        return {}
    return {"quality": found}


def _read_run(folder):
    record = json.loads((folder / "record.json").read_text(encoding="utf-8"))
    samples = np.load(folder / "samples.npy", allow_pickle=False)
    if samples.dtype != np.uint8 or samples.ndim != 4 or not len(samples):
        raise ValueError(
            f"{folder / 'samples.npy'} must be uint8 (n, h, w, 3), got {samples.dtype} "
            f"{samples.shape}; delete the folder and train again."
        )
    return samples, record


def encode(samples):
    """Arrange samples on a sheet, row by row, and compress it without loss.

    Parameters
    ----------
    samples : (n, h, w, 3) uint8 array

    Returns
    -------
    bytes
        A WebP file with `COLUMNS` images in a row; the last row is filled up with
        black.

    Raises
    ------
    ValueError
        If decoding does not give the same samples.
    """
    n, h, w, channels = samples.shape
    rows = math.ceil(n / COLUMNS)
    full = np.zeros((rows * COLUMNS, h, w, channels), np.uint8)
    full[:n] = samples
    tiles = full.reshape(rows, COLUMNS, h, w, channels).swapaxes(1, 2)
    file = io.BytesIO()
    image = Image.fromarray(tiles.reshape(rows * h, COLUMNS * w, channels))
    image.save(file, "WEBP", lossless=True, exact=True, quality=80, method=6)
    content = file.getvalue()
    if not _holds(content, samples):
        raise ValueError("the WebP encoder changed pixels; install another Pillow.")
    return content


def _holds(content, samples):
    """Whether a sheet decodes to exactly these samples, and no more of them."""
    n, height, *_ = samples.shape
    try:
        sheet = _pixels(content)
        found = cut_sheet(sheet, n, samples.shape[1:])
    except (OSError, ValueError):
        return False
    is_full = len(sheet) == math.ceil(n / COLUMNS) * height
    return is_full and np.array_equal(found, samples)


def _decode(content, n, shape):
    return cut_sheet(_pixels(content), n, shape)


def _pixels(content):
    with Image.open(io.BytesIO(content), formats=("WEBP",)) as image:
        return np.array(image.convert("RGB"))


def thin(losses):
    """At most `LOSS_POINTS` entries, evenly spread, with the first and the last."""
    if len(losses) <= LOSS_POINTS:
        return losses
    chosen = np.linspace(0, len(losses) - 1, LOSS_POINTS).round().astype(int)
    return [losses[i] for i in chosen]


def write_manifest(data=DATA):
    """List every data file with its sha256; returns the path of the manifest."""
    data = Path(data)
    paths = sorted({p for pattern in LISTED for p in data.glob(pattern)})
    files = {
        path.relative_to(data).as_posix(): _entry(path)
        for path in paths
        if path.suffix in SUFFIXES
    }
    content = {"version": MANIFEST_VERSION, "files": files}
    replace(data / "manifest.json", (json.dumps(content, indent=1) + "\n").encode())
    return data / "manifest.json"


def _entry(path):
    content = path.read_bytes()
    entry = {"sha256": hashlib.sha256(content).hexdigest(), "bytes": len(content)}
    if path.suffix == ".webp":
        record = read_record(path.with_suffix(".json"))
        entry |= {"images": record["images"], "shape": record["shape"]}
    return entry


def write_designs(data=DATA):
    """Write the levels of every controlled experiment beside their samples."""
    folder = Path(data) / "experiments"
    if not folder.is_dir():
        return
    table = pd.DataFrame(
        {name: asdict(design) for name, design in designs().items()}
    ).T.rename_axis("design")
    replace(folder / "designs.csv", table[list(LEVELS)].to_csv().encode())
