"""What a GPU gives beside a CPU: spaces, search, denoiser and training.

    python -m benchmarks.gpu_check [--device cuda]

Prints a row per task: the difference, what is tolerated, and the wall seconds of both.
The exit status is 1 where a difference is larger.  Trainings are compared by what they
are for, for the order of additions differs between devices and a training enlarges it.
"""

import argparse
import os
import time

import numpy as np
import pandas as pd
import torch

from manifpt_utils._support.cache import VARIABLE
from manifpt_utils.images.loading import load
from manifpt_utils.method.classifiers import attribution_pipeline
from manifpt_utils.method.denoiser import Denoiser, denoising_error
from manifpt_utils.method.device import torch_device
from manifpt_utils.method.evaluation import evaluate
from manifpt_utils.method.manifold import DataManifold
from manifpt_utils.method.spaces import make_space

N_REAL, N_IMAGES = 8_000, 100  # real images, and images per model


def space(name, data, images, device):
    """Features of a network."""
    return make_space(name, device=device).fit(data.real).transform(images)


def search(data, images, device):
    """Numbers of the nearest real images, certified on either device."""
    manifold = DataManifold("rgb", search="certified", device=device).fit(data.real)
    return manifold.project(images).index[:, 0]


def denoise(data, images, device):
    """Artifacts by a denoiser that is shipped."""
    denoiser = Denoiser(weights="coffee", device=device).fit(data.real)
    return denoiser.transform(images)


def train_denoiser(data, images, device):
    """The share of noise that a denoiser leaves after a short training."""
    denoiser = Denoiser(steps=300, device=device).fit(data.real)
    return denoising_error(denoiser, data.real_test[:200]).to_numpy()


def train_classifier(data, images, device):
    """Accuracy on held-out images over three trainings."""
    manifold = DataManifold("rgb").fit(data.real)
    pipeline = attribution_pipeline(manifold, device=device)
    labels = np.repeat(data.models, N_IMAGES)
    counts = {"n_train": N_IMAGES // 2, "n_test": N_IMAGES // 2}
    found = evaluate(pipeline, images, labels, **counts, n_permutations=None)
    return np.array([found.accuracy.mean()])


# Task to function, and the largest difference that is tolerated.  Features are of the
# size of one, and differ by the order in which products are added.
TASKS = {
    "space, supervised": (lambda *a: space("supervised", *a), 1e-3),
    "space, selfsupervised": (lambda *a: space("selfsupervised", *a), 1e-3),
    "certified search": (search, 0),
    "denoiser, shipped": (denoise, 1e-4),
    "denoiser, trained": (train_denoiser, 0.02),
    "classifier, trained": (train_classifier, 0.03),
}


def timed(function, *arguments):
    """What a function returns, and its wall seconds."""
    start = time.perf_counter()
    found = function(*arguments)
    return found, time.perf_counter() - start


def main():
    parser = argparse.ArgumentParser(prog="python -m benchmarks.gpu_check")
    parser.add_argument("--device", default="cuda", help="compared with the CPU")
    device = parser.parse_args().device
    try:
        torch_device(device)
    except ValueError as error:
        parser.error(str(error))
    os.environ[VARIABLE] = "off"
    data = load("gm-photo/coffee", models="core", n_real=N_REAL)
    images = data.generated(N_IMAGES)
    torch.zeros(1, device=device)  # starts the device before anything is timed
    rows = {}
    for name, (function, tolerated) in TASKS.items():
        (one, seconds), (other, there) = (
            timed(function, data, images, where) for where in ("cpu", device)
        )
        off = float(np.abs(np.subtract(one, other, dtype=np.float64)).max())
        rows[name] = off, tolerated, off <= tolerated, seconds, there
    columns = ["difference", "tolerated", "equal", "CPU s", f"{device} s"]
    table = pd.DataFrame.from_dict(rows, "index", columns=columns)
    print(table.to_string(float_format="{:.3g}".format))
    raise SystemExit(0 if table["equal"].all() else 1)


if __name__ == "__main__":
    main()
