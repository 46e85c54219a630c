"""Generators whose errors are known, because they are built in."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

OFF = 0.05  # how far a generated point is off the manifold
FAR, RARE = 0.15, 0.02  # distance and share of the points of "few far off"
MEMORY = 20  # real points that "memorised" repeats
APART = 10_000  # difference between the seeds of real points and of generated ones


class KnownGenerator(NamedTuple):
    """A generator on a known manifold.

    Attributes
    ----------
    draw : callable
        Draws generated points (n, d) for a manifold, n and the seed of the real points;
        they never coincide with these real points by sharing their seed.
    reaches : callable
        Tells from coordinates (n, m) of real points whether the generator's support
        holds them: (n,) bool array.
    """

    draw: Callable
    reaches: Callable


def _perfect(manifold, n, seed):
    return manifold.sample(n, seed=seed + APART)


def _bent(change):
    """A generator that changes the first coordinate of a perfect one."""

    def draw(manifold, n, seed):
        u = manifold.coordinates(n, seed=seed + APART)
        u[:, 0] = change(u[:, 0])
        return manifold.points(u)

    return draw


def _memorised(manifold, n, seed):
    """Repeats the first real points."""
    chosen = np.random.default_rng(seed + APART).integers(MEMORY, size=n)
    return manifold.sample(MEMORY, seed=seed)[chosen]


def _one_point(manifold, n, seed):
    return np.repeat(manifold.points(np.full((1, manifold.dimension), 0.25)), n, axis=0)


def _lifted(lengths):
    """A perfect generator whose points are moved at right angles to the manifold."""

    def draw(manifold, n, seed):
        u, far = manifold.coordinates(n, seed=seed + APART), lengths(n)
        x, moved = manifold.points(u), np.flatnonzero(far)
        ways = manifold.normals(u[moved], seed=seed)
        x[moved] += (far[moved, None] * ways).astype(x.dtype)
        return x

    return draw


def _everywhere(n):
    return np.full(n, OFF)


def _rarely(n):
    """The first point and every fiftieth after it, so that small n have some, too."""
    lengths = np.zeros(n)
    lengths[:: round(1 / RARE)] = FAR
    return lengths


def _halved(u):
    return u / 2


def _first_half(u):
    return u[:, 0] <= 0.5


def _all(u):
    return np.ones(len(u), bool)


def _none(u):
    return np.zeros(len(u), bool)


KNOWN_GENERATORS = {
    "perfect": KnownGenerator(_perfect, _all),
    "other frequencies": KnownGenerator(_bent(np.square), _all),
    "half of the modes": KnownGenerator(_bent(_halved), _first_half),
    "memorised": KnownGenerator(_memorised, _none),
    "one point": KnownGenerator(_one_point, _none),
    "all a little off": KnownGenerator(_lifted(_everywhere), _none),
    "few far off": KnownGenerator(_lifted(_rarely), _all),
}
