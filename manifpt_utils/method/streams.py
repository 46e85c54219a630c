"""Features of many images: in memory, or in a file that is mapped where they are many.

Everything here gives the same numbers either way, to the last digit.
"""

import tempfile

import numpy as np

from .._support.cache import cache_folder
from .projection import BYTES, rows_within

LARGE = 2**30  # bytes of features, above which they lie in a file
BATCH = 64  # images of a batch of a network, by which parts are cut


def streamed(transform, images):
    """What a transformer makes of images, part by part where both are large.

    Parameters
    ----------
    transform : callable
        From (m, ...) images to (m, ...) features, of each image by itself.
    images : (n, ...) array

    Returns
    -------
    (n, ...) array
        A memory map of a file without a name, which goes when the map does, if all
        features would take more than `LARGE` bytes.

    Examples
    --------
    >>> streamed(lambda x: x / 2, np.arange(3.0)).tolist()
    [0.0, 0.5, 1.0]
    """
    if not are_large(images):
        return transform(images)
    first = np.asarray(transform(images[:1]))
    if first.nbytes * len(images) <= LARGE:
        return transform(images)
    found = _map((len(images), *first.shape[1:]), first.dtype)
    for part in _parts(len(images), 4 * first[0].size):
        found[part] = transform(images[part])
    return found


def are_large(images):
    """Whether as many numbers in single precision would take more than `LARGE` bytes.

    >>> are_large(np.empty((0, 3)))
    False
    """
    return bool(len(images)) and 4 * images[0].size * len(images) > LARGE


def in_parts(function, images):
    """What a function gives for images, called part by part where they are large.

    Parameters
    ----------
    function : callable
        From (m, ...) images to m results, of each image by itself.
    images : (n, ...) array

    Returns
    -------
    (n, ...) array

    Examples
    --------
    >>> in_parts(np.sqrt, np.array([4.0, 9.0])).tolist()
    [2.0, 3.0]
    """
    if not are_large(images):
        return function(images)
    parts = _parts(len(images), 4 * images[0].size)
    return np.concatenate([function(images[part]) for part in parts])


def take_rows(x, rows):
    """Some rows in another order; those of a memory map are a memory map again.

    Parameters
    ----------
    x : (n, ...) array
    rows : (m,) int array

    Returns
    -------
    (m, ...) array

    Examples
    --------
    >>> take_rows(np.arange(3), np.array([2, 0])).tolist()
    [2, 0]
    """
    rows = np.asarray(rows)
    is_small = len(rows) * x[:1].nbytes <= LARGE
    if not isinstance(x, np.memmap) or is_small:
        return x[rows]
    found = _map((len(rows), *x.shape[1:]), x.dtype)
    for part in _parts(len(rows), x[0].size):
        found[part] = x[rows[part]]
    return found


def mean_and_scale(x, axis=None):
    """Mean and standard deviation of rows (n, d) float32: numbers, or of each column.

    Parameters
    ----------
    x : (n, d) float32 array
    axis : {None, 0}

    Returns
    -------
    (mean, scale)

    Examples
    --------
    >>> mean_and_scale(np.float32([[1, 3], [3, 3]]), axis=0)[0].tolist()
    [2.0, 3.0]
    """
    if x.nbytes <= LARGE:
        return x.mean(axis=axis), x.std(axis=axis)
    add, rows = (_sum, x.reshape(-1)) if axis is None else (_column_sums, x)
    n = np.float32(len(rows))
    mean = add(rows, lambda part: part) / n
    square = add(rows, lambda part: np.square(part - mean)) / n
    return mean, np.sqrt(square)


def _sum(x, of):
    """Sum over a function of (n,) numbers, in pairs of halves as numpy adds them."""
    if len(x) <= BYTES // 16:
        return of(x).sum()
    half = len(x) // 2
    half -= half % 8
    return _sum(x[:half], of) + _sum(x[half:], of)


def _column_sums(x, of):
    """Sums over the rows of a function of (n, d) numbers, row by row as numpy does."""
    total = np.empty((0, x.shape[1]), x.dtype)
    for part in _parts(len(x), 4 * x.shape[1]):
        total = np.concatenate([total, of(x[part])]).sum(axis=0, keepdims=True)
    return total[0]


def _parts(n, numbers):
    """Slices of n rows of which so many numbers each fit into memory."""
    step = rows_within(numbers)
    step = max(step - step % BATCH, min(step, BATCH))
    return [slice(i, i + step) for i in range(0, n, step)]


def _map(shape, dtype):
    folder = cache_folder()
    if folder is not None:
        folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryFile(dir=folder) as file:
        return np.memmap(file, dtype, "w+", shape=shape)
