"""GM-Photo, the benchmark that ships with the project: views of four photographs."""

import warnings
from pathlib import Path

import numpy as np

from .._support.paths import DATA
from .benchmark import Benchmark
from .catalogue import CORE, trained_sheets
from .choice import choose
from .factors import read_factors
from .manifest import read_manifest, verified
from .photograph import PhotoManifold
from .sheets import read_sheet
from .validation import check_integer

N_REAL, N_TEST = 8000, 2000
MANIFOLD_SEED, TEST_SEED = 0, 1  # generators were trained on the first


def retrained(benchmark, n, *, models=None, data_folder=None):
    """Samples of the same models, trained again from other random starts.

    Parameters
    ----------
    benchmark : Benchmark
    n : int
        Samples of each further training; all samples of a training that has fewer.
    models : sequence of str, optional
        Some of the benchmark's models; all by default.
    data_folder : Path, optional
        As for `load`.

    Returns
    -------
    images : (m, h, w, 3) uint8 array
    labels : (m,) str array
        Model names; both arrays are empty if no model was trained again.

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
        for model, files in sorted(trained_sheets(manifest, photo).items())
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
            f"fewer, and all of these are returned: {few}.",
            stacklevel=3,
        )


def load_photo(photo, models, seed, n_real, data_folder):
    """The benchmark of one photograph; parameters and errors as for `load`."""
    folder = Path(data_folder or DATA)
    n_real = N_REAL if n_real is None else n_real
    check_integer(n_real, "n_real", 1)
    manifest = read_manifest(folder)
    trained = trained_sheets(manifest, photo)
    if not trained:
        raise ValueError(
            f"{folder} holds no samples of gm-photo/{photo}; generators are trained by "
            "`manifpt zoo train` and stored by `manifpt zoo pack`."
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


def _choose_files(trained, seed, models, order):
    with_seed = [m for m in order if seed in trained.get(m, {})]
    if not with_seed:
        seeds = sorted({s for files in trained.values() for s in files})
        raise ValueError(f"no generator has training_seed={seed}; there are {seeds}.")
    where = f" with training_seed={seed}" if seed else ""
    return {m: trained[m][seed] for m in choose(models, with_seed, where, CORE)}
