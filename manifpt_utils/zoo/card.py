"""The tables of the data card, written from the records, so no number is typed."""

from pathlib import Path

import numpy as np

from .._support.paths import DATA
from ..images.manifest import read_manifest
from .factorial import designs
from .plan import COLLAPSED_SEEDS
from .quality import COMPARED, LEAST_COVERED, known_manifold, quality
from .records import RECORDS, read_record, replace
from .registry import MODELS

BEGIN, END = "<!-- begin generated table -->", "<!-- end generated table -->"
HEADER = (
    "| Model | Seed | Parameters | Steps | Batch | Training CPU s | Images | "
    "Bytes per image |"
)
QUALITY_HEADER = (
    "| Model, seed | Distance | Cells | FD | Precision | Recall | Density | Coverage |"
)
EXPERIMENT_HEADER = (
    "| Design | Seeds | Training CPU s | Distance | Cells | FD | Precision |"
)
FRESH_SEED = 2


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
    records = [read_record(path) for path in data.glob(RECORDS["models"])]
    place = {model: i for i, model in enumerate(MODELS)}
    records.sort(key=lambda r: (r["photo"], place.get(r["model"], 99), r["seed"]))
    of = {photo: [] for photo in dict.fromkeys(r["photo"] for r in records)}
    for record in records:
        of[record["photo"]].append(record)
    trained = [_training_table(*of_photo, manifest) for of_photo in of.items()]
    measured = [_quality_table(*of_photo) for of_photo in of.items()]
    return [*trained, _totals(manifest), *measured, *_experiment_table(data)]


def _training_table(photo, records, manifest):
    """How long the trainings on one photograph took."""
    rows = [HEADER, "| :-- |" + " --: |" * 7]
    rows += [_training_row(r, manifest) for r in records]
    return f"Trainings on *{photo}*:\n\n" + "\n".join(rows)


def _quality_table(photo, records):
    """How good the samples of one photograph are, below what real views reach."""
    rows = [QUALITY_HEADER, "| :-- |" + " --: |" * 7]
    rows.append(_quality_row("*real views*", _of_real_views(photo)))
    rows += [_quality_row(f"{r['model']}, {r['seed']}", r["quality"]) for r in records]
    return f"Samples of *{photo}*:\n\n" + "\n".join(rows)


def _experiment_table(data):
    """One row per design, the mean over its seeds; empty if none is stored."""
    records = [read_record(path) for path in data.glob(RECORDS["experiments"])]
    if not records:
        return []
    rows = [EXPERIMENT_HEADER, "| :-- |" + " --: |" * 6]
    for design in designs():
        runs = [r for r in records if r["model"] == design]
        rows += [_experiment_row(design, runs)] if runs else []
    return ["\n".join(rows), _of_collapsed(records)]


def _of_collapsed(records):
    """A sentence that says how many starts of which designs are not stored."""
    starts = []
    for design, seeds in COLLAPSED_SEEDS.items():
        n_stored = sum(r["model"] == design for r in records)
        starts.append(f"{len(seeds)} of {len(seeds) + n_stored} starts of *{design}*")
    return (
        "Not stored, because their closest views lie in less than "
        f"{100 * LEAST_COVERED:.0f} % of the cells: {', '.join(starts)}."
    )


def _experiment_row(design, runs):
    def mean(name):
        return np.mean([r["quality"][name] for r in runs])

    # CPU seconds of a training on a GPU do not measure its work.
    on_processor = [r for r in runs if r.get("device") != "cuda"]
    seconds = np.mean([r["training_cpu_seconds"] for r in on_processor or runs])
    return (
        f"| {design} | {len(runs)} | {seconds:,.0f} | {mean('mean_distance'):,.0f} | "
        f"{100 * mean('covered'):.0f} % | {mean('frechet_distance'):.1f} | "
        f"{mean('precision'):.2f} |"
    )


def _of_real_views(photo):
    """Quality of views that are used neither for training nor for comparison."""
    return quality(photo, known_manifold(photo).sample(COMPARED, seed=FRESH_SEED))


def _training_row(record, manifest):
    name = f"gm-photo/{record['photo']}/{record['model']}-{record['seed']}.webp"
    return (
        f"| {record['model']} | {record['seed']} | "
        f"{record['parameters']:,} | {record['steps']:,} | {record['batch']} | "
        f"{_seconds(record)} | {record['images']:,} | "
        f"{manifest[name]['bytes'] / record['images']:,.0f} |"
    )


def _seconds(record):
    """CPU seconds of a training; on a GPU they are the smaller part of its time."""
    mark = " (GPU)" if record.get("device") == "cuda" else ""
    return f"{record['training_cpu_seconds']:,.0f}{mark}"


def _quality_row(name, found):
    return (
        f"| {name} | {found['mean_distance']:,.0f} | "
        f"{100 * found['covered']:.0f} % | {found['frechet_distance']:.1f} | "
        f"{found['precision']:.2f} | {found['recall']:.2f} | {found['density']:.2f} | "
        f"{found['coverage']:.2f} |"
    )


def _totals(manifest):
    sheets = [e for name, e in manifest.items() if name.endswith(".webp")]
    total = sum(entry["bytes"] for entry in manifest.values())
    return (
        f"{len(sheets)} sheets hold {sum(e['images'] for e in sheets):,} samples; all "
        f"{len(manifest)} files of the manifest together take {total / 1e6:.1f} MB."
    )
