"""Artifacts per second: every rung of the ladder, and the exact point in each space."""

from functools import partial

import numpy as np

from manifpt_utils._support.names import PAPER_SPACES
from manifpt_utils.images.loading import load
from manifpt_utils.method.exact import ExactManifold
from manifpt_utils.method.representations import representations

from .measure import Contender, Task

KINDS = ("nearest", "hull", "highpass", "median", "pca", "denoiser")


def tasks(*, quick=False):
    """Two tasks: estimates and controls in RGB, and exact projections by space."""
    return [_ladder(quick), _exact(quick)]


def _ladder(quick):
    n, n_real = (4, 400) if quick else (100, 8_000)
    contenders = tuple(Contender(kind, partial(_rung, kind)) for kind in KINDS)
    title = f"artifacts of {6 * n:,} images from {n_real:,} real ones, RGB"
    return Task(title, partial(_samples, n, n_real), contenders, _length, count=6 * n)


def _exact(quick):
    n, n_real = (1, 200) if quick else (20, 8_000)
    spaces = PAPER_SPACES[:2] if quick else PAPER_SPACES
    contenders = tuple(
        Contender(f"exact, {space}", partial(_closest, space), once=True)
        for space in spaces
    )
    title = f"closest points of {6 * n:,} images on the known manifold"
    return Task(title, partial(_samples, n, n_real), contenders, _length, count=6 * n)


def _samples(n, n_real):
    data = load("gm-photo/coffee", models="core", n_real=n_real)
    return data, data.labelled(n)[0]


def _rung(kind, data, images):
    (shown,) = representations(data, ["rgb"], [kind]).values()
    return lambda: np.linalg.norm(shown.transform(images), axis=1).mean()


def _closest(space, data, images):
    exact = ExactManifold(data.manifold, space).fit(data.real)
    return lambda: exact.project(images).distance.mean()


def _length(first, other):
    return f"mean length {other:.2f}"
