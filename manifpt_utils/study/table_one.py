"""Table 1 of the paper on any images: eight earlier methods and four spaces.

Each method is as published, and starts from the networks that the paper names.  Their
weights are local files: the ResNet50 of ImageNet (for the space SL, for the classifiers
on RGB and FREQ, and for Wang20), the ResNet50 of Barlow Twins (for the space SSL), and
the Inception-v3 of ImageNet (for Marra18 and Marra19).
"""

import io
import json
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

from .._support.cache import digest
from .._support.files import sha256_of, write_whole
from .._support.names import BASELINES, SPACES
from .._support.suggestion import suggestion
from ..baselines import baseline
from ..method.classifiers import attribution_pipeline
from ..method.device import use_device
from ..method.evaluation import evaluate
from ..method.manifold import DataManifold
from ..method.spaces import make_space

METHODS = (*BASELINES, *SPACES)
PIXELS = ("rgb", "frequency")
NEEDED = dict.fromkeys(("Wang20", *PIXELS, "supervised"), "resnet50")
NEEDED |= {"selfsupervised": "barlowtwins"}
NEEDED |= dict.fromkeys(("Marra18", "Marra19"), "inception")


class Networks(NamedTuple):
    """Files of the weights from which the paper starts; None if a file is missing."""

    resnet50: Path | None = None
    barlowtwins: Path | None = None
    inception: Path | None = None


def table_one(
    benchmark,
    path,
    networks,
    *,
    methods=METHODS,
    n_train=700,
    n_test=300,
    seeds=(0, 1, 2),
    small=False,
    device=None,
):
    """Train and test the methods of Table 1 that the file `path` lacks.

    The class `real` takes part, as in the paper.  Its artifacts are taken like all
    others, from real images that are disjoint from it.

    Parameters
    ----------
    benchmark : Benchmark
        If it has its own split, this split is kept.
    path : Path
        CSV file for the rows, one per method; a record beside it says what the rows
        have in common.
    networks : Networks
    methods : sequence of str
    n_train, n_test : int
        Images per class.
    seeds : sequence of int
    small : bool
        Whether to use the small networks of this package instead of those of the paper.
    device : str, optional
        Device of torch, see `use_device`.

    Returns
    -------
    DataFrame
        Columns method, accuracy and sd (over the seeds), FDR, FDR null, d, and reason,
        which says why a method could not be trained.

    Raises
    ------
    ValueError
        If a method is unknown, its weights are missing, or the file has other settings.
    """
    _check(methods, networks, small)
    images, labels, tested = benchmark.for_evaluation(n_train, n_test, with_real=True)
    options = {"n_train": n_train, "n_test": n_test, "seeds": list(seeds)}
    record = options | {"benchmark": benchmark.name, "classes": sorted(set(labels))}
    record |= {"shape": list(images.shape[1:]), "small": small}
    record |= {"normalise": benchmark.normalise, "images": _contents(benchmark)}
    record |= {"split": None if tested is None else digest(np.asarray(tested))}
    record |= {"weights": {} if small else _weights(networks)}
    rows = _stored(path, record)
    for method in methods:
        if method not in rows:
            with use_device(device):
                rows[method] = _row(
                    lambda name=method: _pipeline(benchmark, name, networks, small),
                    (images, labels),
                    options | {"tested": tested},
                )
            write_whole(path, _table(rows).to_csv(index=False))
    return _table(rows)


def _contents(benchmark):
    """A hash of the images of every class."""
    classes = {"real": benchmark.real, "real test": benchmark.real_test}
    classes |= benchmark.images
    return {name: digest(images) for name, images in classes.items()}


def _weights(networks):
    """Name and content of the files of weights."""
    given = {name: Path(path) for name, path in networks._asdict().items() if path}
    files = {name: path for name, path in given.items() if path.is_file()}
    return {name: f"{path.name} {sha256_of(path)}" for name, path in files.items()}


def _check(methods, networks, small):
    for method in methods:
        if method not in METHODS:
            raise ValueError(f"unknown method {method!r};{suggestion(method, METHODS)}")
        weights = NEEDED.get(method)
        if weights and not small and getattr(networks, weights) is None:
            raise ValueError(
                f"{method} starts from the weights {weights}; give their file by "
                f"--{weights}, leave {method} out, or take --small networks, which are "
                "not those of the paper."
            )
        if weights and not small and not Path(getattr(networks, weights)).is_file():
            raise ValueError(
                f"{getattr(networks, weights)} does not exist; give the file of the "
                f"weights {weights} by --{weights}."
            )


def _pipeline(benchmark, method, networks, small):
    """The pipeline from images to labels, as in the paper or with small networks."""
    weights = None if small else getattr(networks, NEEDED.get(method, ""), None)
    loaded = {} if weights is None else {"weights": str(weights)}
    if method in BASELINES:
        size = benchmark.real.shape[1:3]
        return baseline(method, paper=not small, image_size=size, **loaded)
    if method in PIXELS:
        manifold = DataManifold(method).fit(benchmark.real)
        head = {} if small else {"backbone": "resnet50"} | loaded
        return attribution_pipeline(manifold, **head)
    space = make_space(method, **loaded)
    return attribution_pipeline(DataManifold(space).fit(benchmark.real))


def _row(build, pair, options):
    try:
        found = evaluate(build(), *pair, **options).row()
    except ValueError as error:
        return {"reason": str(error)}
    return {name: found[name] for name in ("accuracy", "sd", "FDR", "FDR null", "d")}


def _table(rows):
    columns = ["method", "accuracy", "sd", "FDR", "FDR null", "d", "reason"]
    found = [{"method": name} | row for name, row in rows.items()]
    return pd.DataFrame(found, columns=columns)


def _stored(path, record):
    """Scores that the file already has, by method, after a check of its record."""
    beside = path.with_suffix(".json")
    if not path.is_file():
        write_whole(beside, json.dumps(record, indent=2))
        return {}
    known = json.loads(beside.read_text("utf-8")) if beside.is_file() else {}
    other = [key for key in record if known.get(key) != record[key]]
    if other:
        raise ValueError(
            f"{path} has rows with another {other[0]}; choose another file, or remove "
            "this one."
        )
    table = pd.read_csv(io.BytesIO(path.read_bytes())).set_index("method")
    scored = table[table["accuracy"].notna()]  # the others are tried again
    return {name: row.dropna().to_dict() for name, row in scored.iterrows()}
