"""The projection of a whole benchmark, shard by shard, on one machine or on several.

::

    manifpt project faces/ -o faces-projected/ --workers 2

A shard is some images of one model that follow each other.  Its task holds paths and
numbers of rows, never images: a worker maps the files, fits the manifold once, and
writes `<model>/<first row>.safetensors`.  What is written is not computed again, so the
same call continues after an interrupt, and every worker computes on one thread, so that
the digits do not depend on how many there are.
"""

import json
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

import faiss
import numpy as np
import pandas as pd
from safetensors.numpy import load_file, save
from tqdm import tqdm

from .._support.cache import digest
from .._support.files import write_whole
from .._support.provenance import versions
from .._support.workers import results_of
from ..images.file_names import names_of
from ..images.validation import check_integer
from .device import use_device
from .manifold import DataManifold
from .processes import one_thread

RECORD, SUMMARY, NAMES = "projection.json", "summary.csv", "files.csv"
SHARD = 2000  # images of a task


class Estimate(NamedTuple):
    """How the closest points are estimated, and from which real images."""

    real: str  # path of a file of NumPy
    content: str  # digest of these images, which another file may hold later
    space: str
    estimator: str
    device: str | None


class Shard(NamedTuple):
    """Images of one model that one task projects, and where the result goes."""

    images: str  # path of a file of NumPy
    start: int
    stop: int
    target: str
    with_artifacts: bool


def project_benchmark(
    benchmark,
    output,
    *,
    space="rgb",
    estimator="nearest",
    shard=SHARD,
    with_artifacts=True,
    workers=None,
    scheduler=None,
    device=None,
):
    """Project all images of all models on the real ones, and write what comes out.

    Parameters
    ----------
    benchmark : Benchmark
    output : str or Path
        A folder, which workers on other machines have to see under the same path, as
        the packed images in the folder of the cache.
    space, estimator : str
        As for `DataManifold`; the search is certified.
    shard : int
        Images of a task.
    with_artifacts : bool
        False leaves out the artifacts, which take four bytes per number.
    workers, scheduler
        A Dask cluster, see `workers.results_of`; without either, all is done here.
    device : str, optional
        Of every worker, see `use_device`.

    Returns
    -------
    DataFrame
        By model: `images`, `mean distance`, and the share `certified`.

    Raises
    ------
    ValueError
        If the folder holds the projection of other images, or by another estimate.
    """
    check_integer(shard, "shard", 1)
    output = Path(output).expanduser().resolve()
    settings = {"space": space, "estimator": estimator, "shard": shard}
    settings |= {"with_artifacts": with_artifacts}
    contents = _begin(output, benchmark, settings)
    path = _on_disk(benchmark.real, "real", output)
    estimate = Estimate(path, contents["real"], space, estimator, device)
    shards = _planned(benchmark, output, shard, with_artifacts)
    todo = [x for x in shards if not Path(x.target).is_file()]
    calls = [(estimate, x) for x in todo]
    for _ in tqdm(_work(calls, workers, scheduler), total=len(calls), unit="shard"):
        pass
    found = _summary(shards)
    write_whole(output / SUMMARY, found.to_csv())
    return found


def read_shards(output, model):
    """What was written about the images of a model, shard by shard.

    Parameters
    ----------
    output : str or Path
    model : str

    Yields
    ------
    dict of str to array
        `index` (n, k) of the real images, `distance` (n,), and `artifact` (n, d) where
        it was kept; rows stand in the order of the images.

    Raises
    ------
    ValueError
        If there is nothing about the model.
    """
    paths = sorted((Path(output) / model).glob("*.safetensors"))
    if not paths:
        raise ValueError(
            f"{output} holds no projection of {model!r}; make one with `manifpt "
            "project`."
        )
    for path in paths:
        found = load_file(path)
        del found["certified"]
        yield found


def _begin(output, benchmark, settings):
    """Write what the folder is of, or refuse one of something else; return digests."""
    classes = {"real": benchmark.real, **benchmark.images}
    contents = {name: digest(x) for name, x in classes.items()}
    settings = settings | {"images": contents}
    path = output / RECORD
    if path.is_file():
        known = json.loads(path.read_text(encoding="utf-8"))["settings"]
        differ = sorted(k for k in settings if settings[k] != known.get(k))
        if differ:
            raise ValueError(
                f"{output} holds another projection: {', '.join(differ)} differ. Give "
                "another folder by -o, or delete that one."
            )
        return contents
    if output.is_dir() and any(output.iterdir()):
        raise ValueError(
            f"{output} exists and holds no projection; name a new folder, so that "
            "nothing in it is lost."
        )
    output.mkdir(parents=True, exist_ok=True)
    rows = [
        pd.DataFrame({"class": name, "file": names_of(x, name, benchmark)})
        for name, x in classes.items()
    ]
    write_whole(output / NAMES, pd.concat(rows).to_csv(index_label="row"))
    record = {"settings": settings, "versions": versions()}
    write_whole(path, json.dumps(record, indent=1) + "\n")
    return contents


def _on_disk(images, name, output):
    """The path of a file that holds the images; written if they are in memory."""
    if isinstance(images, np.memmap) and images.filename is not None:
        whole = np.load(images.filename, mmap_mode="r")
        if whole.shape == images.shape:
            return str(images.filename)
    path = output / "images" / f"{name}.npy"
    if not path.is_file():
        path.parent.mkdir(exist_ok=True)
        partial = path.with_suffix(".partial.npy")
        np.save(partial, images)
        partial.rename(path)
    return str(path)


def _planned(benchmark, output, size, with_artifacts):
    found = []
    for name, images in benchmark.images.items():
        path = _on_disk(images, name, output)
        (output / name).mkdir(exist_ok=True)
        for start in range(0, len(images), size):
            target = str(output / name / f"{start:09}.safetensors")
            stop = min(start + size, len(images))
            found.append(Shard(path, start, stop, target, with_artifacts))
    return found


def _work(calls, workers, scheduler):
    if not calls:
        return ()
    if workers is None and scheduler is None:
        return (_project(*call) for call in calls)
    return results_of(_project, calls, workers=workers, scheduler=scheduler)


@contextmanager
def _one_thread():
    before = faiss.omp_get_max_threads()
    faiss.omp_set_num_threads(1)
    try:
        with one_thread():
            yield
    finally:
        faiss.omp_set_num_threads(before)


@_one_thread()
def _project(estimate, shard):
    """Project the images of a shard and write its file."""
    manifold = _manifold(*estimate)
    images = np.load(shard.images, mmap_mode="r")[shard.start : shard.stop]
    parts, shares = [], []
    for part in manifold.project_in_parts(images):
        parts.append(part)
        shares.append(manifold.certified_share_ * len(part.index))
    names = ["index", "distance"] + ["artifact"] * shard.with_artifacts
    arrays = {n: np.concatenate([getattr(part, n) for part in parts]) for n in names}
    arrays["certified"] = np.array(sum(shares))
    write_whole(Path(shard.target), save(arrays))
    return shard.target


@lru_cache(maxsize=1)
def _manifold(real, content, space, estimator, device):
    """The manifold, fitted once by every worker for one content of the file."""
    with use_device(device):
        manifold = DataManifold(space, estimator=estimator, search="certified")
        return manifold.fit(np.load(real, mmap_mode="r"))


def _summary(shards):
    rows = []
    for shard in shards:
        found = load_file(shard.target)
        row = [Path(shard.target).parent.name, len(found["distance"])]
        rows.append([*row, found["distance"].sum(), found["certified"].item()])
    table = pd.DataFrame(
        rows, columns=["model", "images", "mean distance", "certified"]
    )
    table = table.groupby("model", sort=False).sum()
    means = table.iloc[:, 1:].div(table["images"], axis=0)
    return table[["images"]].join(means)
