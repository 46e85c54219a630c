"""Balls around points that reach to their k-th neighbour, and the points inside.

Bounds on the distances decide most pairs.  Only pairs that they leave open are computed
in double precision, so every decision is that of the exact distance.
"""

from collections import Counter
from hashlib import sha256

import numpy as np

from .bounds import over_blocks, points, slices

OPEN = 1 / 16  # share of open pairs above which sharper bounds are faster
PAIRS = 2**16  # pairs of points that are compared at once
PARTS = 16  # parts of a row, per neighbour that is sought


def inside(block, limit):
    """Which pairs (r, m) have a squared distance below the limit, (r, 1) or (1, m)."""
    found = block.near(limit)
    flat = np.flatnonzero(found)
    is_open = np.empty(len(flat), bool)
    limits = np.broadcast_to(limit, found.shape).flat
    for part in slices(len(flat), PAIRS):
        lower, upper = block.between(flat[part])
        least = limits[flat[part]]
        found.flat[flat[part]] = upper < least
        is_open[part] = (lower < least) & (upper >= least)
    if is_open.sum() > OPEN * found.size and (sharper := block.sharper()):
        return inside(sharper, limit)
    flat = flat[is_open]
    found.flat[flat] = block.exact(flat) < limits[flat]
    return found


def squared_radii(x, k):
    """Squared distances (n,) to the k-th neighbour, in double precision."""
    # Bounds cannot tell copies from near points, but k copies give a radius of 0.
    chosen = np.flatnonzero(_copies(x) <= k)
    (every,) = points(x)
    some = every if len(chosen) == len(x) else every.take(chosen)
    radii = np.zeros(len(x))
    found = over_blocks(lambda block: _squared_radii(block, k), some, every)
    radii[chosen] = np.concatenate([[], *found])
    return radii


def _copies(x):
    """How many rows are equal to each row, itself counted: (n,)."""
    rows = [sha256(row.tobytes()).digest() for row in x]
    counts = Counter(rows)
    return np.array([counts[row] for row in rows])


def _squared_radii(block, k):
    n, m = block.lower.shape
    flat = _few_nearest(block.lower, k + 1)
    _, upper = block.between(flat)
    # The k-th neighbour is not farther than this; other points may be as near.
    limit = _kth(upper, flat // m, n, k)
    flat = np.flatnonzero(block.near(limit[:, None]))
    if len(flat) > OPEN * block.lower.size and (sharper := block.sharper()):
        return _squared_radii(sharper, k)
    i = flat // m
    lower, upper = block.between(flat)
    is_open = (upper >= _kth(lower, i, n, k)[i]) & (lower <= _kth(upper, i, n, k)[i])
    # All others are known to be nearer, or farther, than the k-th neighbour.
    lower[is_open] = block.exact(flat[is_open])
    return _kth(lower, i, n, k)


def _few_nearest(lower, count):
    """Flat indices of small entries, at least `count` of every row.

    Each row is cut into parts, and all entries up to the `count`-th smallest of the
    minima of its parts are taken.  These are hardly more than the smallest entries of
    the row, and nothing has to be sorted.
    """
    n, m = lower.shape
    parts = min(m, PARTS * count)
    width = m // parts
    least = lower[:, : parts * width].reshape(n, width, parts).min(axis=1)
    limit = np.partition(least, count - 1, axis=1)[:, count - 1, None]
    return np.flatnonzero(lower <= limit)


def _kth(values, i, n, k):
    """The k-th value, counted from 0, of each of n rows; i is sorted."""
    order = np.lexsort((values, i))
    return values[order][np.searchsorted(i, np.arange(n)) + k]
