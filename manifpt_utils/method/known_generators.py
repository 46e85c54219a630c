"""Generators whose errors are known, because they are put in by hand."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

OFF = 0.05  # how far a generated point is off the manifold
FAR, RARE = 0.15, 0.02  # how far those of "few far off" are, and which share of all
MEMORY = 20  # real points that "memorised" repeats


class KnownGenerator(NamedTuple):
    """A generator on a known manifold.

    Attributes
    ----------
    draw : callable
        From a manifold, n and a seed to generated points (n, d).
    reaches : callable
        From coordinates (n, m) of real points to whether the generator's support holds
        them (n,).
    """

    draw: Callable
    reaches: Callable


def _perfect(manifold, n, seed):
    return manifold.sample(n, seed=seed)


def _bent(change):
    """A generator that changes the first coordinate of a perfect one."""

    def draw(manifold, n, seed):
        u = manifold.coordinates(n, seed=seed)
        u[:, 0] = change(u[:, 0])
        return manifold.points(u)

    return draw


def _memorised(manifold, n, seed):
    """Repeats the first real points of seed 0."""
    chosen = np.random.default_rng(seed).integers(MEMORY, size=n)
    return manifold.sample(MEMORY, seed=0)[chosen]


def _one_point(manifold, n, seed):
    return np.repeat(manifold.points(np.full((1, manifold.dimension), 0.25)), n, axis=0)


def _lifted(lengths):
    """A perfect generator whose points are moved straight off the manifold."""

    def draw(manifold, n, seed):
        u = manifold.coordinates(n, seed=seed)
        move = manifold.normals(u, seed=seed + 1)
        return manifold.points(u) + lengths(n, seed)[:, None] * move

    return draw


def _everywhere(n, seed):
    return np.full(n, OFF)


def _rarely(n, seed):
    lengths = np.zeros(n)
    lengths[: max(1, round(RARE * n))] = FAR
    return lengths


def _all(u):
    return np.ones(len(u), bool)


def _none(u):
    return np.zeros(len(u), bool)


KNOWN_GENERATORS = {
    "perfect": KnownGenerator(_perfect, _all),
    "other frequencies": KnownGenerator(_bent(np.square), _all),
    "half of the modes": KnownGenerator(_bent(lambda u: u / 2), lambda u: u[:, 0] <= 0.5),
    "memorised": KnownGenerator(_memorised, _none),
    "one point": KnownGenerator(_one_point, _none),
    "all a little off": KnownGenerator(_lifted(_everywhere), _none),
    "few far off": KnownGenerator(_lifted(_rarely), _all),
}
