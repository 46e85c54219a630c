"""Balls around points that reach to their k-th neighbour, and what lies inside them.

The distances of all pairs are bounded from below and above by a matrix product in
single precision, which is fast.  Only pairs that the bounds leave open are computed in
double precision, so that every decision is that of the exact distance.
"""

from typing import NamedTuple

import numpy as np
from sklearn.metrics.pairwise import euclidean_distances

BLOCK = 256  # rows of a distance matrix held at once
CHUNK = 2**21  # numbers in the differences held at once
DENSE = 1 / 16  # share of open pairs from which on one product is the faster way
PARTS = 16  # of a row, for every neighbour that is looked for
TINY = np.float32(1e-30)  # squared distances below are left open, whatever the norms


class Points(NamedTuple):
    """Points as given, and in single precision: centred, within -1..1."""

    given: np.ndarray  # (n, d) float32 or float64
    rough: np.ndarray  # (n, d) float32
    norms: np.ndarray  # (n,) float32, squared norms of the rough ones
    center: np.ndarray  # (d,) float64
    scale: float


def points(*sets):
    """Prepare sets (n, d) of one dimension, with one centre and one scale."""
    total = sum(x.sum(axis=0, dtype=np.float64) for x in sets)
    center = total / sum(map(len, sets))
    ends = [end - center for x in sets for end in (x.max(axis=0), x.min(axis=0))]
    scale = float(np.abs(ends).max()) or 1.0
    return [_points(x, center, scale) for x in sets]


def _points(x, center, scale):
    rough = np.empty(x.shape, np.float32)
    for rows in _slices(len(x)):
        rough[rows] = (x[rows] - center) / scale
    norms = np.einsum("ij,ij->i", rough, rough)
    return Points(x, rough, norms, center, scale)


def _slices(n):
    return (slice(start, start + BLOCK) for start in range(0, n, BLOCK))


class Block(NamedTuple):
    """Some rows of a against all of b, with lower bounds of their squared distances."""

    a: Points
    b: Points
    rows: slice
    lower: np.ndarray  # (r, m) float32, in units of the scale

    def below(self, limit):
        """Pairs (i, j) with a squared distance below the limit, (r, 1) or (1, m)."""
        open_ = _scaled(limit, self.a.scale)
        i, j = np.nonzero(self.lower < open_)
        limit = np.broadcast_to(limit, self.lower.shape)[i, j]
        upper = self.lower[i, j] + 2 * _slack(self.a, self.b, i + self.rows.start, j)
        inside = upper < limit / self.a.scale**2
        left = ~inside
        inside[left] = self.squared(i[left], j[left]) < limit[left]
        return i[inside] + self.rows.start, j[inside]

    def squared(self, i, j):
        """Squared distances (p,) of pairs, in double precision."""
        x, y = self.a.given[self.rows], self.b.given
        if len(i) > DENSE * self.lower.size:
            x, y = x - self.a.center, y - self.a.center
            return euclidean_distances(x, y, squared=True)[i, j]
        found = np.empty(len(i))
        step = max(1, CHUNK // x.shape[1])
        for start in range(0, len(i), step):
            part = slice(start, start + step)
            difference = x[i[part]].astype(np.float64) - y[j[part]]
            found[part] = np.einsum("ij,ij->i", difference, difference)
        return found


def _scaled(limit, scale):
    """Limits in the units of a block; nothing is below a limit of zero."""
    return np.where(limit > 0, limit / scale**2, -np.inf).astype(np.float32)


def _slack(a, b, i, j):
    """How far squared distances from single precision may be off.

    Rounding errors of a sum of d products grow as the root of d (Higham and Mary, A new
    approach to probabilistic rounding error analysis, SIAM J. Sci. Comput., 2019);
    four standard deviations, and the roundings before and after the sum.
    """
    unit = (4 * a.rough.shape[1] ** 0.5 + 16) * 2.0**-24
    return np.float32(unit) * (a.norms[i] + b.norms[j]) + TINY


def blocks(a, b):
    """All rows of a against all of b, block by block."""
    every = slice(None)
    for rows in _slices(len(a.rough)):
        lower = (-2 * a.rough[rows]) @ b.rough.T
        lower += (a.norms[rows] - _slack(a, a, rows, rows) / 2)[:, None]
        lower += b.norms - _slack(b, b, every, every) / 2
        yield Block(a, b, rows, lower)


def _near(lower, count):
    """Columns (n, count) of small entries of every row, found by looking once at each.

    They are the least entries of as many parts of the row: not the smallest of all, but
    nearly so, and nothing is sorted.
    """
    n, m = lower.shape
    parts = min(m, PARTS * count)
    width = m // parts
    split = lower[:, : parts * width].reshape(n, parts, width)
    least = split.argmin(axis=2)
    values = np.take_along_axis(split, least[..., None], axis=2)[..., 0]
    chosen = np.argpartition(values, count - 1, axis=1)[:, :count]
    return chosen * width + np.take_along_axis(least, chosen, axis=1)


def squared_radii(x, k):
    """Squared distances (n,) to the k-th neighbour, in double precision."""
    return np.concatenate([_squared_radii(block, k) for block in blocks(x, x)])


def _squared_radii(block, k):
    near = _near(block.lower, k + 1)
    n = len(near)
    i, j = np.repeat(np.arange(n), k + 1), near.ravel()
    first = block.squared(i, j)
    # The k-th neighbour is not farther than the farthest of these; who else may be?
    limit = first.reshape(n, -1).max(axis=1, keepdims=True)
    np.put_along_axis(block.lower, near, np.inf, axis=1)
    others = np.nonzero(block.lower < _scaled(limit, block.a.scale))
    i = np.concatenate([i, others[0]])
    found = np.concatenate([first, block.squared(*others)])
    order = np.lexsort((found, i))
    return found[order][np.searchsorted(i[order], np.arange(n)) + k]
