"""GM-Photo, the benchmark that ships with the project: views of four photographs."""

import io
import json
import warnings
from collections import defaultdict
from pathlib import Path

import numpy as np
import pandas as pd

from .._support.paths import DATA
from .._support.suggestion import suggestion
from .benchmark import Benchmark
from .choice import choose
from .factors import read_factors
from .manifest import read_manifest, verified
from .photograph import PhotoManifold
from .sheets import read_sheet
from .validation import check_integer

N_REAL, N_TEST = 8000, 2000
MANIFOLD_SEED, TEST_SEED = 0, 1  # the generators were trained on the first
# The data set of the paper that each photograph plays: a column of factors.csv.
DATA_SETS = {
    "coffee": "gm_celeba",
    "flower": "gm_cifar10",
    "astronaut": "gm_chq",
    "china": "gm_ffhq",
}
# One or more of each family, trained on the first two photographs.
CORE = ("dcgan", "lsgan", "wgan_gp", "beta_vae", "glow", "ddpm")
RECORDED = ("family", "parameters", "steps", "training_cpu_seconds", "images")


def retrained(benchmark, n, *, models=None, data_folder=None):
    """Samples of the same recipes, trained again from other random starts.

    Parameters
    ----------
    benchmark : Benchmark
    n : int
        Samples of each further training; all there are where it has fewer.
    models : sequence of str, optional
        Of the benchmark's models; all by default.
    data_folder : Path, optional
        As for `load`.

    Returns
    -------
    images : (m, h, w, 3) uint8 array
    labels : (m,) str array
        Model names; both are empty where nothing was trained again.

    Raises
    ------
    ValueError
        If `n` is not positive, or a model is not one of the benchmark's.

    Warns
    -----
    UserWarning
        If a further training has fewer than `n` samples.

    Examples
    --------
    >>> from .loading import load
    >>> images, labels = retrained(load("gm-photo/coffee", n_real=1), 5)
    >>> len(images) == len(labels)
    True
    """
    check_integer(n, "n", 1)
    models = choose(models, benchmark.models)
    folder = Path(data_folder or DATA)
    photo = getattr(benchmark.manifold, "photo", None)
    manifest = read_manifest(folder) if photo else {}
    sheets = {
        (model, seed): read_sheet(folder, name, manifest)
        for model, files in sorted(_trained(manifest, photo).items())
        for seed, name in sorted(files.items())
        if seed and model in models
    }
    _warn_of_few(sheets, n)
    sheets = {training: x[:n] for training, x in sheets.items()}
    empty = np.empty((0, *benchmark.real.shape[1:]), np.uint8)
    labels = [np.repeat(model, len(x)) for (model, _), x in sheets.items()]
    return (
        np.concatenate([empty, *sheets.values()]),
        np.concatenate([np.empty(0, "U1"), *labels]),
    )


def _warn_of_few(sheets, n):
    few = {f"{m}-{seed}": len(x) for (m, seed), x in sheets.items() if len(x) < n}
    if few:
        warnings.warn(
            f"n={n} samples per training were asked for, but some trainings have "
            f"fewer, of which all are given: {few}.",
            stacklevel=3,
        )


def records(photo, *, data_folder=None):
    """What is known of every stored training on one photograph.

    Parameters
    ----------
    photo : str
        "coffee", "flower", ...
    data_folder : Path, optional
        As for `load`.

    Returns
    -------
    DataFrame
        Indexed by model and seed: `family`, `parameters`, `steps`,
        `training_cpu_seconds`, `images`, and the measured quality, described in the
        data card.  Empty where nothing is stored.

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
    for model, files in _trained(manifest, photo).items():
        for seed, name in files.items():
            path = Path(name).with_suffix(".json").as_posix()
            content = json.loads(verified(folder, path, manifest))
            kept = {key: content[key] for key in RECORDED if key in content}
            rows[model, seed] = kept | content.get("quality", {})
    table = pd.DataFrame.from_dict(rows, orient="index")
    table.index = pd.MultiIndex.from_tuples(rows, names=["model", "seed"])
    return table


def listed(photo, *, data_folder=None):
    """The models that the paper lists for the data set that a photograph plays.

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
    folder = Path(data_folder or DATA)
    content = verified(folder, "factors.csv", read_manifest(folder))
    table = pd.read_csv(io.BytesIO(content), index_col="model")
    return tuple(table.index[table[DATA_SETS[photo]].astype(bool)])


def _check_photo(photo):
    if photo not in DATA_SETS:
        raise ValueError(f"unknown photograph {photo!r};{suggestion(photo, DATA_SETS)}")


def load_photo(photo, models, seed, n_real, data_folder):
    folder = Path(data_folder or DATA)
    n_real = N_REAL if n_real is None else n_real
    check_integer(n_real, "n_real", 1)
    manifest = read_manifest(folder)
    trained = _trained(manifest, photo)
    if not trained:
        raise ValueError(
            f"{folder} holds no samples of gm-photo/{photo}; generators are made by "
            "`python -m manifpt_utils.zoo train` and stored by its `pack`."
        )
    table = read_factors(verified(folder, "factors.csv", manifest))
    files = _choose_files(trained, seed, models, table.index)
    images = {
        model: read_sheet(folder, name, manifest) for model, name in files.items()
    }
    manifold = PhotoManifold(photo)
    return Benchmark(
        name=f"gm-photo/{photo}",
        real=manifold.sample(n_real, seed=MANIFOLD_SEED),
        real_test=manifold.sample(N_TEST, seed=TEST_SEED),
        images=images,
        factors=table.loc[list(images)],
        manifold=manifold,
    )


def _trained(manifest, photo):
    """Sheets of one photograph: {model: {seed: file name}}."""
    found = defaultdict(dict)
    for name in manifest:
        path = Path(name)
        if path.parent.as_posix() == f"gm-photo/{photo}" and path.suffix == ".webp":
            model, _, seed = path.stem.rpartition("-")
            found[model][int(seed)] = name
    return found


def _choose_files(trained, seed, models, order):
    with_seed = [m for m in order if seed in trained.get(m, {})]
    if not with_seed:
        seeds = sorted({s for files in trained.values() for s in files})
        raise ValueError(f"no generator has training_seed={seed}; there are {seeds}.")
    where = f" with training_seed={seed}" if seed else ""
    return {m: trained[m][seed] for m in choose(models, with_seed, where, CORE)}
