"""From finished trainings to `data/`: lossless sheets, weights, records, manifest.

Every file is written under a temporary name and moved when it is complete, and a sheet
is decoded and compared with its samples before that.  The table of the data card is
written from the records, so no number in it was ever typed.
"""

import hashlib
import io
import json
import math
import os
from functools import cache
from pathlib import Path

import numpy as np
from PIL import Image
from tqdm import tqdm

from ..benchmark import COLUMNS, DATA, TEST_SEED, cut_sheet, read_manifest
from ..photos import PhotoManifold
from .registry import MODELS

MANIFEST_VERSION = 1
LISTED = ("factors.csv", "gm-photo/*/*", "encoders/*")
SUFFIXES = (".csv", ".webp", ".safetensors", ".json")
LOSS_POINTS = 50
PROJECTED = 200  # samples whose distance and place are measured
CELLS = 4  # a side of the grid over x, y and log side
BEGIN, END = "<!-- begin generated table -->", "<!-- end generated table -->"
HEADER = (
    "| Photograph | Model | Seed | Parameters | Steps | Batch | Training CPU s | "
    "Distance | Cells | Bytes an image |"
)


def pack(root="zoo_runs", *, data=DATA, progress=False):
    """Store all finished trainings and describe them in manifest and data card.

    Parameters
    ----------
    root : path
        Folder of all trainings.
    data : path
        Where `gm-photo/`, `manifest.json` and `README.md` lie.
    progress : bool
        Show a progress bar.

    Returns
    -------
    list of Path
        The sheets, one for each finished training.

    Raises
    ------
    ValueError
        If there is no finished training, or one does not hold what it should.
    """
    runs = finished(root)
    if not runs:
        raise ValueError(
            f"{root} holds no finished training; run "
            "`python -m manifpt_utils.zoo train` first."
        )
    bar = tqdm(runs, desc="pack", disable=not progress)
    sheets = [pack_run(folder, Path(data)) for folder in bar]
    write_manifest(data)
    write_table(data)
    return sheets


def finished(root):
    """Folders of the trainings that ran to their end."""
    return sorted(path.parent for path in Path(root).glob("*/*-*/record.json"))


def pack_run(folder, data):
    """Store one training; returns the path of its sheet."""
    samples, record = _read_run(folder)
    target = data / "gm-photo" / record["photo"] / f"{record['model']}-{record['seed']}"
    target.parent.mkdir(parents=True, exist_ok=True)
    sheet = target.with_suffix(".webp")
    known = sheet.exists() and _holds(sheet.read_bytes(), samples)
    if not known:
        replace(sheet, encode(samples))
    measured = _measured(target.with_suffix(".json")) if known else None
    weights = (folder / "weights.safetensors").read_bytes()
    replace(target.with_suffix(".safetensors"), weights)
    stored = {
        **record,
        "losses": thin(record["losses"]),
        "images": len(samples),
        "shape": list(samples.shape[1:]),
        **(measured or quality(record["photo"], samples[:PROJECTED])),
    }
    text = json.dumps(stored, indent=1) + "\n"
    replace(target.with_suffix(".json"), text.encode())
    return sheet


def _measured(path):
    """The quality that a stored record holds, of samples that did not change."""
    if not path.exists():
        return None
    stored = json.loads(path.read_text(encoding="utf-8"))
    if stored.get("projected") != min(PROJECTED, stored.get("images", 0)):
        return None
    return {key: stored[key] for key in ("mean_distance", "covered", "projected")}


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
        A WebP file of `COLUMNS` images in a row; the last row is filled with black.

    Raises
    ------
    ValueError
        If decoding does not give the samples back.
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
    """Whether a sheet decodes to exactly these samples."""
    try:
        with Image.open(io.BytesIO(content), formats=("WEBP",)) as image:
            sheet = np.array(image.convert("RGB"))
        return np.array_equal(
            cut_sheet(sheet, len(samples), samples.shape[1:]), samples
        )
    except (OSError, ValueError):
        return False


def thin(losses):
    """At most `LOSS_POINTS` entries, evenly spread, with the first and the last."""
    if len(losses) <= LOSS_POINTS:
        return losses
    chosen = np.linspace(0, len(losses) - 1, LOSS_POINTS).round().astype(int)
    return [losses[i] for i in chosen]


def quality(photo, images):
    """Measure how near images are to the known manifold, and how much they cover.

    Parameters
    ----------
    photo : str
    images : (n, 32, 32, 3) uint8 array

    Returns
    -------
    dict
        `mean_distance` in grey levels, root of the sum of squares over all 3,072
        values; `covered`, the share of 4 x 4 x 4 cells of x, y and log side that hold
        a projection; `projected`, the number of images.
    """
    manifold = _manifold(photo)
    found = manifold.project(images)
    low, high = manifold.bounds.copy().T
    place = found.coordinates.copy()
    for values in (low, high, place.T):
        values[2] = np.log(values[2])
    cells = np.clip((place - low) / (high - low) * CELLS, 0, CELLS - 1).astype(int)
    return {
        "mean_distance": round(float(found.distance.mean()), 1),
        "covered": round(len(np.unique(cells, axis=0)) / CELLS**3, 3),
        "projected": len(images),
    }


@cache
def _manifold(photo):
    return PhotoManifold(photo)


def replace(path, content):
    """Write bytes under a temporary name and move them into place."""
    temporary = path.with_name(path.name + ".part")
    temporary.write_bytes(content)
    os.replace(temporary, path)


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
        record = _read_record(path.with_suffix(".json"))
        entry |= {"images": record["images"], "shape": record["shape"]}
    return entry


def _read_record(path):
    if not path.exists():
        raise ValueError(
            f"{path} is missing beside its sheet; pack that training again."
        )
    return json.loads(path.read_text(encoding="utf-8"))


def write_table(data=DATA):
    """Write the generated table into the data card."""
    data = Path(data)
    card = data / "README.md"
    text = card.read_text(encoding="utf-8")
    if text.count(BEGIN) != 1 or text.count(END) != 1:
        raise ValueError(f"{card} must hold {BEGIN!r} and {END!r} once each.")
    before, rest = text.split(BEGIN)
    after = rest.split(END)[1]
    table = "\n\n".join([BEGIN, *_table(data), END])
    replace(card, (before + table + after).encode())


def _table(data):
    """The paragraphs of the generated region."""
    manifest = read_manifest(data)
    records = [_read_record(path) for path in data.glob("gm-photo/*/*.json")]
    place = {model: i for i, model in enumerate(MODELS)}
    records.sort(key=lambda r: (r["photo"], place.get(r["model"], 99), r["seed"]))
    rows = [HEADER, "| :-- | :-- |" + " --: |" * 8]
    for photo in dict.fromkeys(r["photo"] for r in records):
        rows.append(_real_row(photo))
        rows += [_row(r, manifest) for r in records if r["photo"] == photo]
    return ["\n".join(rows), _totals(manifest)]


def _real_row(photo):
    views = _manifold(photo).sample(PROJECTED, seed=TEST_SEED)
    found = quality(photo, views)
    return (
        f"| {photo} | *real views* | | | | | | {found['mean_distance']:.0f} | "
        f"{found['covered']:.0%} | |"
    )


def _row(record, manifest):
    name = f"gm-photo/{record['photo']}/{record['model']}-{record['seed']}.webp"
    return (
        f"| {record['photo']} | {record['model']} | {record['seed']} | "
        f"{record['parameters']:,} | {record['steps']:,} | {record['batch']} | "
        f"{record['training_cpu_seconds']:,.0f} | {record['mean_distance']:.0f} | "
        f"{record['covered']:.0%} | {manifest[name]['bytes'] / record['images']:,.0f} |"
    )


def _totals(manifest):
    sheets = [e for name, e in manifest.items() if name.endswith(".webp")]
    total = sum(entry["bytes"] for entry in manifest.values())
    return (
        f"{len(sheets)} sheets hold {sum(e['images'] for e in sheets):,} samples; all "
        f"{len(manifest)} files of the manifest together take {total / 1e6:.1f} MB."
    )
