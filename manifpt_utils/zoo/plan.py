"""The trainings of GM-Photo, how far each one is, and a queue that runs them."""

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from itertools import count, islice
from typing import NamedTuple

import torch
from tqdm import tqdm

from .._support.paths import DATA
from ..images.catalogue import CORE, DATA_SETS, listed
from ..images.manifest import read_manifest
from .registry import EXPERIMENTS, MODELS, steps_of
from .training import run_folder

FURTHER_SEEDS = (1, 2)  # further seeds of the core models, on the first photograph
EXPERIMENT_STARTS = 3  # seeds of every controlled experiment
# Seeds of controlled experiments whose training collapses.
COLLAPSED_SEEDS = {
    "down_fir": (0, 1, 2, 4, 5, *range(7, 15)),
    "up_pixel_shuffle": (0, 1),
}


class Training(NamedTuple):
    """One generator, trained on one photograph from one random start."""

    model: str
    photo: str
    seed: int


def planned(data=DATA):
    """All trainings of the benchmark whose recipe is in the registry.

    Returns
    -------
    list of Training
        The core models on the first two photographs, their further seeds, and the
        models that the paper's table lists for the data set for which a photograph
        stands; then the controlled experiments on the first photograph, ordered by
        seed.
    """
    first = next(iter(DATA_SETS))
    again = [Training(m, first, seed) for seed in FURTHER_SEEDS for m in CORE]
    lists = {photo: listed(photo, data_folder=data) for photo in DATA_SETS}
    papers = [
        Training(model, photo, 0)
        for photo, names in lists.items()
        for model in MODELS
        if model in names
    ]
    experiments = [
        Training(name, first, experiment_seeds(name)[i])
        for i in range(EXPERIMENT_STARTS)
        for name in EXPERIMENTS
    ]
    return list(dict.fromkeys([*core(), *again, *papers, *experiments]))


def core():
    """The core models on the first two photographs, which keep the most samples."""
    return [Training(m, photo, 0) for photo in list(DATA_SETS)[:2] for m in CORE]


def experiment_seeds(name):
    """The first seeds of a controlled experiment that do not collapse.

    Examples
    --------
    >>> experiment_seeds("base"), experiment_seeds("down_fir")
    ([0, 1, 2], [3, 6, 15])
    """
    good = (seed for seed in count() if seed not in COLLAPSED_SEEDS.get(name, ()))
    return list(islice(good, EXPERIMENT_STARTS))


def stored(training, data=DATA):
    """Whether `data/` holds the samples of a training."""
    model, photo, seed = training
    return f"{folder_of(model)}/{photo}/{model}-{seed}.webp" in read_manifest(data)


def folder_of(model):
    """The folder of `data/` that holds a model's samples."""
    return "experiments" if model in EXPERIMENTS else "gm-photo"


def state(training, *, root, data=DATA):
    """How far a training is, in words.

    Returns
    -------
    str
        "stored", "trained", "step 250 of 5000, about 400 CPU seconds left", or
        "not begun".
    """
    folder = run_folder(root, training.photo, training.model, training.seed)
    if stored(training, data):
        return "stored"
    if (folder / "record.json").exists():
        return "trained"
    if not (folder / "checkpoint.pt").exists():
        return "not begun"
    found = torch.load(folder / "checkpoint.pt", weights_only=True)
    total = steps_of(training.model, training.photo)
    left = found["seconds"] / max(found["step"], 1) * (total - found["step"])
    return f"step {found['step']} of {total}, about {left:.0f} CPU seconds left"


def train_all(trainings, *, root, jobs=1, device="cpu"):
    """Run trainings one after another, `jobs` at a time, each on one thread.

    A training that fails leaves its output in `<folder>.log`; the others continue.

    Returns
    -------
    list of Training
        Those that failed.
    """
    bar = tqdm(total=len(trainings), desc="trainings")

    def run(training):
        failed = _run(training, root, device)
        bar.update()
        return failed

    with bar, ThreadPoolExecutor(jobs) as pool:
        results = list(pool.map(run, trainings))
    return [t for t, failed in zip(trainings, results, strict=True) if failed]


def _run(training, root, device):
    """Train in a separate process; True if it failed."""
    model, photo, seed = training
    log = run_folder(root, photo, model, seed).with_suffix(".log")
    log.parent.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, "-m", "manifpt_utils.zoo", "train", "--model", model]
    command += ["--photo", photo, "--seed", str(seed), "--root", str(root)]
    command += ["--device", device]
    threads = dict.fromkeys(("OMP_NUM_THREADS", "MKL_NUM_THREADS"), "1")
    with open(log, "wb") as file:
        done = subprocess.run(
            command, env=os.environ | threads, stdout=file, stderr=subprocess.STDOUT
        )
    return done.returncode != 0
