"""What GM-Photo holds: which models were trained on which photograph, and how.

Only the manifest, the records and the table of factors are read here, no image.
"""

import io
import json
from collections import defaultdict
from pathlib import Path

import pandas as pd

from .._support.paths import DATA
from .._support.suggestion import suggestion
from .manifest import read_manifest, verified

# The data set of the paper for which each photograph stands: a column of factors.csv.
DATA_SETS = {
    "coffee": "gm_celeba",
    "flower": "gm_cifar10",
    "astronaut": "gm_chq",
    "china": "gm_ffhq",
}
PAPER_NAMES = {
    "gm_celeba": "GM-CelebA",
    "gm_cifar10": "GM-CIFAR10",
    "gm_chq": "GM-CHQ",
    "gm_ffhq": "GM-FFHQ",
}
# One or more models of each family, trained on the first two photographs.
CORE = ("dcgan", "lsgan", "wgan_gp", "beta_vae", "glow", "ddpm")
RECORDED = ("family", "parameters", "steps", "device", "training_cpu_seconds")
RECORDED += ("images",)
DEVICE = {"device": "cpu"}  # of trainings before it was recorded


def records(photo, *, data_folder=None):
    """What is known about every stored training on one photograph.

    Parameters
    ----------
    photo : str
        "coffee", "flower", ...
    data_folder : Path, optional
        As for `load`.

    Returns
    -------
    DataFrame
        Indexed by model and seed: `family`, `parameters`, `steps`, `device`,
        `training_cpu_seconds`, `images`, and the measured quality, which the data card
        explains.  Empty if nothing is stored.

    Raises
    ------
    ValueError
        If the photograph is unknown.

    Examples
    --------
    >>> records("coffee").loc[("dcgan", 0), "images"].item()
    1000
    """
    _check_photo(photo)
    folder = Path(data_folder or DATA)
    manifest = read_manifest(folder)
    rows = {}
    for model, files in trained_sheets(manifest, photo).items():
        for seed, name in files.items():
            path = Path(name).with_suffix(".json").as_posix()
            content = DEVICE | json.loads(verified(folder, path, manifest))
            kept = {key: content[key] for key in RECORDED if key in content}
            rows[model, seed] = kept | content.get("quality", {})
    table = pd.DataFrame.from_dict(rows, orient="index")
    table.index = pd.MultiIndex.from_tuples(rows, names=["model", "seed"])
    return table


def listed(photo, *, data_folder=None):
    """The models that the paper lists for the data set for which a photograph stands.

    Parameters
    ----------
    photo : str
        "coffee", "flower", ...
    data_folder : Path, optional
        As for `load`.

    Returns
    -------
    tuple of str

    Raises
    ------
    ValueError
        If the photograph is unknown.

    Examples
    --------
    >>> {photo: len(listed(photo)) for photo in DATA_SETS}
    {'coffee': 15, 'flower': 12, 'astronaut': 17, 'china': 8}
    """
    _check_photo(photo)
    places = model_places(data_folder=data_folder)
    return tuple(places.query("photograph == @photo")["model"])


def model_places(*, data_folder=None):
    """Every place in the paper's list of models and data sets (its Table 2).

    Parameters
    ----------
    data_folder : Path, optional
        As for `load`.

    Returns
    -------
    DataFrame
        One row per model and data set: `family`, `model`, `data set`, and the
        `photograph` that stands for the data set here.

    Examples
    --------
    >>> model_places().groupby("data set").size().to_dict()
    {'GM-CHQ': 17, 'GM-CIFAR10': 12, 'GM-CelebA': 15, 'GM-FFHQ': 8}
    """
    folder = Path(data_folder or DATA)
    content = verified(folder, "factors.csv", read_manifest(folder))
    table = pd.read_csv(io.BytesIO(content))
    photos = {PAPER_NAMES[column]: photo for photo, column in DATA_SETS.items()}
    table = table.rename(columns=PAPER_NAMES)
    long = table.melt(["family", "model"], list(photos), "data set", "is listed")
    long = long[long.pop("is listed").astype(bool)].reset_index(drop=True)
    return long.assign(photograph=long["data set"].map(photos))


def _check_photo(photo):
    if photo not in DATA_SETS:
        raise ValueError(f"unknown photograph {photo!r};{suggestion(photo, DATA_SETS)}")


def trained_sheets(manifest, photo):
    """Sheets of one photograph: {model: {seed: file name}}."""
    found = defaultdict(dict)
    for name in manifest:
        path = Path(name)
        if path.parent.as_posix() == f"gm-photo/{photo}" and path.suffix == ".webp":
            model, _, seed = path.stem.rpartition("-")
            found[model][int(seed)] = name
    return found
