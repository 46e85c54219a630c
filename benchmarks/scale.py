"""Real size: what the projection of millions of images takes, from a part of them.

    python -m benchmarks.scale
    python -m benchmarks.scale --only large --folder /data/scratch

Images lie on disk as bytes and are mapped.  Each contender has a process of its own, so
that its peak memory is its own: all of it, libraries, mapped files and real images
included.  CPU seconds are the sum over all threads; ours hold the start each time,
though it is measured once.

The law is a line in the number of generated images: a start that is paid once (reading,
directions, codes of the real images) and a price per image.  It is drawn through the
smallest and the largest size, and checked at the one between.
"""

import argparse
import os
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import NamedTuple

import faiss
import numpy as np
import pandas as pd
from faiss.contrib.exhaustive_search import knn_ground_truth
from PIL import Image, ImageFilter
from tqdm import tqdm

from manifpt_utils._support.cache import VARIABLE
from manifpt_utils.images.loading import load
from manifpt_utils.images.photograph import load_photograph
from manifpt_utils.method.manifold import DataManifold

from .__main__ import describe_machine
from .memory import peak

SIDE = 256  # of the large images
BLOCK = 500  # real images that a peer compares with at once


class Case(NamedTuple):
    """One size of images: how many are measured, and how many are meant."""

    title: str
    n_real: int
    sizes: tuple  # numbers of generated images
    wanted: int
    minutes: float  # CPU minutes that the wanted number may take; NaN for no target
    gigabytes: float  # that may be resident
    peer_size: int  # generated images of the peer's run


CASES = {
    "many": Case(
        "27 models x 100,000 images of 32 px on 30,000 real ones (d = 3,072)",
        *(30_000, (2_000, 4_000, 8_000), 2_700_000, 60.0, 2.0, 2_000),
    ),
    "large": Case(
        f"5,000 images of {SIDE} px on 5,000 real ones (d = {3 * SIDE**2:,})",
        *(5_000, (150, 300, 600), 5_000, float("nan"), 4.0, 150),
    ),
}
QUICK = {"n_real": 300, "sizes": (20, 40, 80), "peer_size": 20}


class Run(NamedTuple):
    """What one process measured."""

    n: int
    cpu: float  # seconds
    gigabytes: float  # peak of the resident memory
    share: float  # certified; NaN for a peer
    index: np.ndarray  # (n,) the nearest real image


def write_many(folder, n_real, n):
    """Views of a photograph, and samples of all models trained on it."""
    data = load("gm-photo/coffee", models="all", n_real=n_real)
    images = np.concatenate([*data.images.values()])
    order = np.random.default_rng(0).permutation(len(images))[:n]
    np.save(folder / "real.npy", data.real)
    np.save(folder / "generated.npy", images[order])


def write_large(folder, n_real, n):
    """Crops of a photograph, and other crops that are a little blurred and noisy."""
    rng = np.random.default_rng(0)
    photograph = Image.fromarray(load_photograph("coffee"))
    for name, count in (("real", n_real), ("generated", n)):
        shape = (count, SIDE, SIDE, 3)
        path = folder / f"{name}.npy"
        images = np.lib.format.open_memmap(path, "w+", np.uint8, shape)
        for i in tqdm(range(count), desc=f"write {name}", leave=False):
            images[i] = _crop(photograph, rng, is_real=name == "real")
        images.flush()


def _crop(photograph, rng, *, is_real):
    side = rng.uniform(200, 300)
    left, top = (rng.uniform(0, 0.6 * (s - side)) for s in photograph.size)
    box = left, top, left + side, top + side
    view = photograph.resize((SIDE, SIDE), Image.Resampling.BICUBIC, box)
    if is_real:
        return np.asarray(view)
    view = np.asarray(view.filter(ImageFilter.GaussianBlur(0.7)), np.float32)
    return np.clip(view + rng.normal(0, 3, view.shape), 0, 255).astype(np.uint8)


WRITERS = {"many": write_many, "large": write_large}


def certified(folder, sizes):
    """Closest points and artifacts by the manifold, part by part: a run per size."""
    start = time.process_time()
    real, images = _mapped(folder, max(sizes))
    manifold = DataManifold("rgb", search="certified").fit(real)
    started = time.process_time() - start
    return [_projected(manifold, images[:n], started) for n in sizes]


def _projected(manifold, images, started):
    start = time.process_time()
    index, shares = [], []
    for part in manifold.project_in_parts(images):
        index.append(part.index[:, 0])
        shares += [manifold.certified_share_] * len(part.index)
    seconds = started + time.process_time() - start
    share, index = float(np.mean(shares)), np.concatenate(index)
    return Run(len(images), seconds, peak() / 1e9, share, index)


def by_faiss(folder, n):
    """Nearest real images by faiss, with everything in memory at once."""
    start = time.process_time()
    queries, real = (_floats(x) for x in _mapped(folder, n)[::-1])
    return _run(faiss.knn(queries, real, 1)[1][:, 0], start)


def by_faiss_in_blocks(folder, n):
    """Nearest real images by faiss, some real ones at a time."""
    start = time.process_time()
    real, images = _mapped(folder, n)
    blocks = (_floats(real[i : i + BLOCK]) for i in range(0, len(real), BLOCK))
    return _run(knn_ground_truth(_floats(images), blocks, 1)[1][:, 0], start)


def _run(index, start):
    seconds = time.process_time() - start
    return Run(len(index), seconds, peak() / 1e9, float("nan"), index)


def _mapped(folder, n):
    real, images = (
        np.load(folder / f"{name}.npy", mmap_mode="r") for name in ("real", "generated")
    )
    return real, images[:n]


def _floats(images):
    return images.reshape(len(images), -1) / np.float32(255)


PEERS = {
    "many": {"faiss.knn": by_faiss, "faiss, in blocks": by_faiss_in_blocks},
    "large": {"faiss, in blocks": by_faiss_in_blocks},
}


def in_a_process(function, *arguments):
    """What a function returns that is called in a process of its own."""
    context = get_context("spawn")
    with ProcessPoolExecutor(1, mp_context=context) as pool:
        return pool.submit(function, *arguments).result()


def report(name, case, folder):
    """Measure one case and print its table, its law and its targets."""
    in_a_process(WRITERS[name], folder, case.n_real, max(case.sizes))
    runs = in_a_process(certified, folder, case.sizes)
    peers = {
        peer: in_a_process(function, folder, case.peer_size)
        for peer, function in PEERS[name].items()
    }
    rows = [_row("DataManifold, certified", run, runs[0]) for run in runs]
    rows += [_row(peer, run, runs[0]) for peer, run in peers.items()]
    table = pd.DataFrame(rows).set_index("contender")
    print(f"\n{case.title}\n{table.to_string(float_format='{:.3g}'.format)}")
    print(law(runs, case))
    for peer, run in peers.items():
        print(_ratio(peer, run, runs))


def _row(name, run, first):
    same = np.count_nonzero(run.index[: len(first.index)] == first.index[: run.n])
    return {
        "contender": name,
        "images": run.n,
        "CPU s": run.cpu,
        "peak GB": run.gigabytes,
        "certified": run.share,
        "same nearest": f"{same} of {min(run.n, first.n)}",
    }


def _line(runs):
    """Start and price per image of the line through the outer sizes."""
    first, last = runs[0], runs[-1]
    price = (last.cpu - first.cpu) / (last.n - first.n)
    return first.cpu - price * first.n, price


def law(runs, case):
    """The line, how far the middle size is off it, and what it says of the whole."""
    start, price = _line(runs)
    middle = runs[1]
    off = middle.cpu / (start + price * middle.n) - 1
    minutes = (start + price * case.wanted) / 60
    most = max(run.gigabytes for run in runs)
    goal = f", target {case.minutes:.0f}" if np.isfinite(case.minutes) else ""
    return (
        f"law: {start:.1f} s + {1000 * price:.2f} ms per image; at {middle.n:,} images "
        f"the measured time is off by {off:+.1%}\n{case.wanted:,} images: "
        f"{minutes:.1f} CPU minutes{goal}; peak {most:.2f} GB, target "
        f"{case.gigabytes:g}"
    )


def _ratio(peer, run, runs):
    price = _line(runs)[1]
    return (
        f"{peer} / certified: {run.cpu / run.n / price:.1f} in CPU time per image, "
        f"{run.gigabytes / runs[0].gigabytes:.1f} in peak memory"
    )


def main():
    parser = argparse.ArgumentParser(prog="python -m benchmarks.scale")
    parser.add_argument("--only", choices=CASES, help="one of the two cases")
    parser.add_argument("--folder", type=Path, help="where 2 GB of images may lie")
    parser.add_argument("--quick", action="store_true", help="small sizes, no verdict")
    options = parser.parse_args()
    os.environ[VARIABLE] = "off"  # what is computed is measured, not what is read
    print(describe_machine())
    for name in [options.only] if options.only else CASES:
        case = CASES[name]._replace(**QUICK) if options.quick else CASES[name]
        with tempfile.TemporaryDirectory(dir=options.folder) as folder:
            report(name, case, Path(folder))


if __name__ == "__main__":
    main()
