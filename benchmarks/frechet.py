"""The Frechet distance, against the formula with a general matrix square root."""

from functools import partial

import numpy as np
from scipy.linalg import sqrtm

from manifpt_utils.metrics import frechet_distance

from .measure import Contender, Task


def tasks(*, quick=False):
    """The tasks: covariances of full rank, and fewer features than dimensions."""
    d, sizes = (64, (320, 16)) if quick else (2_048, (10_000, 500))
    return [_task(n, d) for n in sizes]


def _task(n, d):
    contenders = (
        Contender("frechet_distance", _ours),
        Contender("scipy.linalg.sqrtm", _matrix_root, once=True),
    )
    title = f"Frechet distance, n = {n:,} a set, d = {d:,}"
    return Task(title, partial(_features, n, d), contenders, _difference)


def _features(n, d):
    """Two sets that look like ReLU features: not negative, with unequal spreads."""
    rng = np.random.default_rng(0)
    scales = np.linspace(0.1, 2, d, dtype=np.float32)
    sets = [rng.standard_normal((n, d), dtype=np.float32) for _ in range(2)]
    for x, spread in zip(sets, (scales, scales[::-1]), strict=True):
        np.maximum(x, 0, out=x)
        x *= spread
    return sets


def _ours(x, y):
    return lambda: frechet_distance(x, y)


def _matrix_root(x, y):
    def distance():
        gap = x.mean(axis=0, dtype=np.float64) - y.mean(axis=0, dtype=np.float64)
        a, b = (np.cov(z, rowvar=False, dtype=np.float64) for z in (x, y))
        return gap @ gap + np.trace(a) + np.trace(b) - 2 * np.trace(sqrtm(a @ b)).real

    return distance


def _difference(first, other):
    return f"{abs(other - first) / abs(first):.0e} relative"
