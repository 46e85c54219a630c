"""Squared distances of all pairs of two sets: bounds that are fast, and exact values.

Every point has a rough copy, in the number type that the processor multiplies fastest,
and the distance of the copy from the point is known.  One matrix product of the copies
gives lower bounds of all squared distances.
"""

from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

import numpy as np
import torch
from threadpoolctl import threadpool_limits

BLOCK = 512  # rows of a distance matrix that each worker holds at once
WORKERS = 2  # numpy has one thread only
CHUNK = 2**15  # numbers of points held at once: few enough for the processor's cache
ALIGN = 32  # products are fastest if the length of rows is a multiple of it
SHARE = 2.0**-8  # share by which a lower bound may be below the squared distance
TINY = 1e-30  # smaller squared distances are always left open
# Positive numbers are ordered like their bits; negative ones are below them, in reverse
# order.  So numpy can compare numbers of types that it does not know.
BITS = {
    torch.bfloat16: torch.int16,
    torch.float32: torch.int32,
    torch.float64: torch.int64,
}


def fastest_type():
    """The type of rough copies: bfloat16 if the processor multiplies matrices of it."""
    multiplies = torch.cpu.get_capabilities().get("amx_bf16", False)
    return torch.bfloat16 if multiplies else torch.float32


class Points(NamedTuple):
    """Points as given, and their rough copies, which are centred and within -1..1.

    The columns after those of a copy turn products into distances; see `_left`.
    """

    given: np.ndarray  # (n, d) float32 or float64
    rough: torch.Tensor  # (n, at least d + 6)
    norms: np.ndarray  # (n,) float64, squared norms of the copies
    errors: np.ndarray  # (n,) float64, distances from the copies, at most
    center: np.ndarray  # (d,) float64
    scale: float

    def take(self, rows):
        """Only some of the points."""
        some = (x[rows] for x in (self.given, self.rough, self.norms, self.errors))
        return Points(*some, self.center, self.scale)

    @property
    def unit(self):
        """Rounding error of a squared distance of copies, relative to their norms.

        A sum of n products, in any order, is off by at most n roundings of the sum of
        their sizes (Higham, Accuracy and Stability of Numerical Algorithms, 2002,
        section 3.1), which is hardly more than twice the sum of both squared norms.
        Numbers of bfloat16 have exact products and are summed in single precision.
        """
        is_double = self.rough.dtype == torch.float64
        precision = np.finfo(np.float64 if is_double else np.float32).eps
        return 1.02 * (self.given.shape[1] + 8) * precision

    @property
    def slack(self):
        """(n,) array: What a bound subtracts from a squared distance of copies."""
        rough = 2 * (1 + 1 / SHARE) * self.errors**2
        return self.unit * self.norms + rough + TINY


def points(*sets, dtype=None):
    """Prepare sets (n, d) of one dimension, with a common centre and scale."""
    total = sum(x.sum(axis=0, dtype=np.float64) for x in sets)
    center = total / sum(map(len, sets))
    ends = [end - center for x in sets for end in (x.max(axis=0), x.min(axis=0))]
    # A power of two, because dividing by it changes no digit.
    scale = 2.0 ** np.frexp(np.abs(ends).max())[1]
    return [_points(x, center, scale, dtype or fastest_type()) for x in sets]


def _points(x, center, scale, dtype):
    n, d = x.shape
    rough = torch.zeros(n, -(-(d + 6) // ALIGN) * ALIGN, dtype=dtype)
    norms, rests = np.empty((2, n))
    for rows in slices(n, _step(x)):
        exact = (x[rows] - center) * (1 / scale)
        rough[rows, :d] = torch.from_numpy(exact)
        copies = rough[rows, :d].double().numpy()
        norms[rows] = _sums_of_squares(copies)
        rests[rows] = _sums_of_squares(exact - copies)
    # Both additions are far above the rounding errors of double precision.
    errors = 1.001 * np.sqrt(rests) + 2.0**-50 * np.sqrt(norms)
    made = Points(x, rough, norms, errors, center, scale)
    rough[:, d : d + 3] = 1
    rough[:, d + 3 : d + 6] = _summands(torch.from_numpy(norms - made.slack), dtype)
    return made


def _summands(values, dtype):
    """Three numbers (n, 3) that sum up to each value, in three times the digits."""
    found = torch.empty(len(values), 3, dtype=dtype)
    for column in found.T:
        column[:] = values
        values = values - column
    return found


def _left(rough, d):
    """Copies changed so that their products with others are lower bounds.

    After -2 x come the summands of x and then ones; after y come ones and then the
    summands of y.
    """
    left = rough.clone()
    left[:, :d] *= -2
    left[:, d : d + 3] = rough[:, d + 3 : d + 6]
    left[:, d + 3 : d + 6] = 1
    return left


def _sums_of_squares(x):
    return np.einsum("ij,ij->i", x, x)


def slices(n, step):
    """Slices of `step` rows, one after another, that cover n rows."""
    return (slice(start, start + step) for start in range(0, n, step))


def _step(x):
    return max(1, CHUNK // x.shape[1])


class Block(NamedTuple):
    """Some rows of a and all rows of b, with lower bounds of their squared distances.

    Let s be the squared distance of two copies and e the sum of their errors.  For the
    squared distance t of the points, by the triangle inequality,

        s <= (sqrt(t) + e)^2 <= (1 + SHARE) t + (1 + 1 / SHARE) e^2,

    and e^2 is at most twice the sum of both squared errors.  So the sum of the slacks
    of both points is subtracted from s; (1 + SHARE) t is at least this difference.
    """

    a: Points
    b: Points
    rows: slice
    lower: np.ndarray  # (r, m) bits of the differences, in units of the scale

    @property
    def dtype(self):
        """The number type of the differences."""
        return self.b.rough.dtype

    def near(self, limit):
        """Which pairs (r, m) may be below the limit, (r, 1) or (1, m)."""
        # Larger than the share and the two roundings, of the differences and of the
        # limit.
        wide = np.where(limit > 0, (1 + 4 * SHARE) * limit / self.a.scale**2, -np.inf)
        bits = torch.from_numpy(wide).to(self.dtype).view(BITS[self.dtype]).numpy()
        return self.lower < bits

    def between(self, flat):
        """Lower and upper bounds (p,) of squared distances, for pairs by flat index."""
        a, b = self.a, self.b
        i, j = np.divmod(flat, self.lower.shape[1])
        i += self.rows.start or 0
        bits = torch.from_numpy(self.lower.ravel()[flat])
        differences = bits.view(self.dtype).double().numpy()
        off = a.unit * (a.norms[i] + b.norms[j]) + 2 * TINY
        # The last rounding, to the type of the differences, is off by half its
        # precision.
        off += 0.51 * torch.finfo(self.dtype).eps * np.abs(differences)
        copies = differences + a.slack[i] + b.slack[j]
        error = a.errors[i] + b.errors[j]
        least = np.sqrt(np.maximum(copies - off, 0)) - error
        most = np.sqrt(np.maximum(copies + off, 0)) + error
        return (np.maximum(least, 0) * a.scale) ** 2, (most * a.scale) ** 2

    def exact(self, flat):
        """Squared distances (p,) in double precision, for pairs by flat index."""
        i, j = np.divmod(flat, self.lower.shape[1])
        x, y = self.a.given[self.rows], self.b.given
        found = np.empty(len(flat))
        for part in slices(len(flat), _step(x)):
            difference = x[i[part]].astype(np.float64) - y[j[part]]
            found[part] = _sums_of_squares(difference)
        return found

    def sharper(self):
        """The same pairs with bounds by a product in double precision, or None."""
        if self.dtype == torch.float64:
            return None
        sets = self.a.given[self.rows], self.b.given
        where = self.a.center, self.a.scale
        return _block(*(_points(x, *where, torch.float64) for x in sets), slice(None))


def _block(a, b, rows):
    lower = torch.mm(_left(a.rough[rows], a.given.shape[1]), b.rough.T)
    return Block(a, b, rows, lower.view(BITS[lower.dtype]).numpy())


def over_blocks(function, a, b):
    """Results of a function of all rows of a and all rows of b, block by block."""
    with ThreadPoolExecutor(WORKERS, initializer=_share_threads) as pool:
        every = slices(len(a.given), BLOCK)
        return list(pool.map(lambda rows: function(_block(a, b, rows)), every))


def _share_threads():
    """Give matrix products in this worker its share of the threads."""
    share = max(1, torch.get_num_threads() // WORKERS)
    threadpool_limits(share, user_api="openmp")
