"""Manifolds on which nothing has to be estimated, for checks of the theory.

Points are given by coordinates in the unit cube, and closest points are exact.  The
unit of length is the root mean squared distance between two random points, so that one
manifold can be compared with another.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from sklearn.metrics import pairwise_distances_argmin

from ..images.photograph import SIZE

STEP = 1e-3  # change of a coordinate, for derivatives
SWISS_ROLL = 1.5 * np.pi, 21.0  # where the spiral starts; the width of the roll
TURNS = 4096  # points of the spiral from which the search of the closest one starts


@dataclass(frozen=True)
class KnownManifold:
    """A manifold with its coordinates and its exact closest points.

    Attributes
    ----------
    name : str
    dimension : int
        m, the number of coordinates.
    points : callable
        Maps coordinates (n, m) in 0..1 to points (n, d); the real data are the points
        of uniformly distributed coordinates.
    closest : callable
        Maps any points (n, d) to the closest points of the manifold (n, d).

    Examples
    --------
    >>> unit = circle()
    >>> unit.closest(2 * unit.points(np.array([[0.25]]))).round(3) + 0.0
    array([[0.   , 0.707]])
    """

    name: str
    dimension: int
    points: Callable
    closest: Callable

    def coordinates(self, n, *, seed=0):
        """Uniform coordinates (n, m); a larger n begins with the same ones."""
        return np.random.default_rng(seed).random((n, self.dimension))

    def sample(self, n, *, seed=0):
        """Random real points (n, d)."""
        return self.points(self.coordinates(n, seed=seed))

    def artifacts(self, x):
        """Exact artifacts (n, d) of generated points, x - x* (eqs. 1 and 2)."""
        return x - self.closest(x)

    def tangents(self, coordinates):
        """Derivatives (n, m, d) of the points in the coordinates."""
        u = np.clip(coordinates, STEP, 1 - STEP)
        moves = STEP * np.eye(self.dimension)
        ends = [(self.points(u + move), self.points(u - move)) for move in moves]
        return np.stack([(a - b) / (2 * STEP) for a, b in ends], axis=1)

    def volumes(self, coordinates):
        """Volume (n,) on the manifold per volume of the cube; 1 over the density."""
        tangents = self.tangents(coordinates).astype(float)
        return np.sqrt(np.linalg.det(tangents @ tangents.transpose(0, 2, 1)))

    def normals(self, coordinates, *, seed=0):
        """Random directions (n, d) of length 1, perpendicular to the manifold."""
        along = np.linalg.qr(self.tangents(coordinates).transpose(0, 2, 1)).Q
        v = np.random.default_rng(seed).normal(size=along.shape[:2])
        v = v - np.einsum("ndm,nem,ne->nd", along, along, v, optimize=True)
        return v / np.linalg.norm(v, axis=1, keepdims=True)


def known_manifolds(photo):
    """Circle, sphere, swiss roll, and the views of a photograph.

    Parameters
    ----------
    photo : PhotoManifold

    Returns
    -------
    dict of str to KnownManifold
    """
    found = circle(), sphere(), swiss_roll(), photograph(photo)
    return {manifold.name: manifold for manifold in found}


def circle():
    """A circle in the plane; dimension 1."""
    return KnownManifold("circle", 1, lambda u: _on_circle(u[:, 0]), _onto_sphere)


def sphere():
    """A sphere in space; dimension 2."""
    return KnownManifold("sphere", 2, _on_sphere, _onto_sphere)


def _on_circle(turns):
    angle = 2 * np.pi * turns
    return np.stack([np.cos(angle), np.sin(angle)], axis=1) / np.sqrt(2)


def _on_sphere(u):
    height = 2 * u[:, 1] - 1  # uniform, as Archimedes found
    flat = _on_circle(u[:, 0]) * np.sqrt(1 - height**2)[:, None]
    return np.column_stack([flat, height / np.sqrt(2)])


def _onto_sphere(x):
    return x / (np.sqrt(2) * np.linalg.norm(x, axis=1, keepdims=True))


def swiss_roll():
    """The swiss roll of scikit-learn, a rolled-up rectangle in space; dimension 2.

    Its real points are distributed as those of `sklearn.datasets.make_swiss_roll`:
    uniformly in the angle, hence rarer on the outer turns.
    """
    scale = _random_distance(_on_roll(_lattice(400)))
    return KnownManifold(
        "swiss roll",
        2,
        lambda u: _on_roll(u) / scale,
        lambda x: _onto_roll(x * scale) / scale,
    )


def _lattice(n):
    """Coordinates (n * n, 2) that fill the unit square evenly."""
    middle = (np.arange(n) + 0.5) / n
    return np.stack(np.meshgrid(middle, middle), axis=-1).reshape(-1, 2)


def _random_distance(x):
    return np.sqrt(2 * x.var(axis=0, dtype=np.float64).sum())


def _on_roll(u):
    first, width = SWISS_ROLL
    return _roll(first * (1 + 2 * u[:, 0]), width * u[:, 1])


def _roll(angle, along):
    return np.stack([angle * np.cos(angle), along, angle * np.sin(angle)], axis=1)


def _onto_roll(x):
    first, width = SWISS_ROLL
    ends = first, 3 * first
    grid = np.linspace(*ends, TURNS)
    spiral = np.stack([grid * np.cos(grid), grid * np.sin(grid)], axis=1)
    angle = grid[pairwise_distances_argmin(x[:, [0, 2]], spiral)]
    for _ in range(3):
        angle = np.clip(angle - _spiral_step(angle, x), *ends)
    return _roll(angle, np.clip(x[:, 1], 0, width))


def _spiral_step(angle, x):
    """Newton's step towards the closest point of the spiral."""
    cos, sin = np.cos(angle), np.sin(angle)
    slope = angle - x[:, 0] * (cos - angle * sin) - x[:, 2] * (sin + angle * cos)
    bend = 1 + x[:, 0] * (2 * sin + angle * cos) - x[:, 2] * (2 * cos - angle * sin)
    return slope / np.maximum(bend, 1)


def photograph(photo):
    """All views of a photograph, not rounded to 8 bits; dimension 3.

    Parameters
    ----------
    photo : PhotoManifold
    """
    low, high = photo.bounds.T

    def views(u):
        place = low + u * (high - low)
        place[:, 2] = low[2] * (high[2] / low[2]) ** u[:, 2]
        return photo.render(place).reshape(len(u), -1)

    some = np.random.default_rng(0).random((1000, 3))
    scale = np.float32(_random_distance(views(some)))

    def closest(x):
        images = (x * scale).reshape(-1, SIZE, SIZE, 3)
        return photo.project(images).x_star.reshape(len(x), -1) / scale

    return KnownManifold("photograph", 3, lambda u: views(u) / scale, closest)
