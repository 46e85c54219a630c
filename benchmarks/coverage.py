"""Precision, recall, density and coverage, against the package of their authors."""

from contextlib import redirect_stdout
from functools import partial
from io import StringIO

import numpy as np
from prdc import compute_prdc

from manifpt_utils.metrics import precision_recall

from .measure import Contender, Task

NEIGHBOURS = 5
TARGET_SPEED, TARGET_MEMORY, TARGET_DIFFERENCE = 3, 350, 1e-6


def tasks(*, quick=False):
    """The task: as many real as fake features, of the dimension of a ResNet50."""
    n, d = (300, 64) if quick else (10_000, 2_048)
    contenders = (
        Contender("precision_recall", _ours),
        Contender("prdc", _prdc, once=not quick),
    )
    title = f"k-NN precision and recall, {n:,} against {n:,}, d = {d:,}"
    return [Task(title, partial(_features, n, d), contenders, _difference)]


def _features(n, d):
    """Two sets that look like ReLU features, of few dimensions and some noise."""
    rng = np.random.default_rng(0)
    directions = rng.standard_normal((12, d), dtype=np.float32)

    def draw(spread):
        x = spread * rng.standard_normal((n, 12), dtype=np.float32) @ directions
        for part in np.array_split(x, 50):
            part += 0.3 * rng.standard_normal(part.shape, dtype=np.float32)
        return np.maximum(x, 0, out=x)

    return draw(1.0), draw(0.9)


def _ours(real, fake):
    return lambda: list(precision_recall(real, fake, k=NEIGHBOURS))


def _prdc(real, fake):
    def values():
        with redirect_stdout(StringIO()):  # it prints the sizes
            return list(compute_prdc(real, fake, NEIGHBOURS).values())

    return values


def _difference(first, other):
    return f"{np.abs(np.subtract(first, other)).max():.0e}"


def verdict(table):
    """Compare with the aims for speed, memory and equality."""
    speed, difference = table.loc["prdc", ["wall ratio", "agreement"]]
    memory = table.loc["precision_recall", "extra MB"]
    met = (
        speed >= TARGET_SPEED
        and memory <= TARGET_MEMORY
        and float(difference) <= TARGET_DIFFERENCE
    )
    return (
        f"prdc / precision_recall: {speed:.1f} in wall time, {memory:.0f} MB extra, "
        f"difference {difference}; targets at least {TARGET_SPEED}, at most "
        f"{TARGET_MEMORY} MB and {TARGET_DIFFERENCE:.0e}: {'met' if met else 'missed'}"
    )
