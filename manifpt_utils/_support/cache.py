"""Numeric results on disk, found again by the content they were computed from.

The key of a result is a hash of everything that decides it: the arrays and parameters
that go in, the source code that computes, and the libraries, threads and processor
below it.  Whatever changes, an old result is no longer found, so a result is the same
with and without the cache.

The folder is `.cache/features` beside the package in a checkout; elsewhere there is no
cache.  The environment variable `MANIFPT_CACHE` names another folder, or is `off`.
"""

import io
import os
import platform
import time
from contextlib import suppress
from functools import cache
from hashlib import blake2b
from importlib.metadata import version
from pathlib import Path

import faiss
import numpy as np
import torch

from .files import write_whole
from .paths import ROOT

VARIABLE = "MANIFPT_CACHE"
SUFFIX = ".feature.npz"  # of the files that may be removed
LIMIT = 1_000_000_000  # bytes; beyond it, what was not used for longest is removed
WORTH = 0.1  # seconds; what took less is not kept
LIBRARIES = ("numpy", "torch", "torchvision", "faiss-cpu", "pillow")


def cached(compute, *inputs, code):
    """The array that `compute` returns, read from disk if it was computed before.

    A file that is damaged is computed again; a folder that cannot be written, or a
    full disk, only means that nothing is kept.

    Parameters
    ----------
    compute : callable
        Without arguments; returns one array that depends on `inputs` alone.
    *inputs : arrays, tensors, texts and numbers
        All that goes into the computation, its name included.
    code : str
        `source_key` of the files that compute.

    Returns
    -------
    array
    """
    folder = cache_folder()
    if folder is None:
        return compute()
    path = folder / f"{digest(*inputs, code, *_surroundings())}{SUFFIX}"
    value = _read(path)
    if value is None:
        begun = time.monotonic()
        value = compute()
        if time.monotonic() - begun >= WORTH:
            _keep(path, value)
    return value


def cache_folder():
    """Where results are kept, or None if they are not."""
    place = os.environ.get(VARIABLE, "")
    if place:
        return None if place == "off" else Path(place)
    is_checkout = (ROOT / "pyproject.toml").is_file()
    return ROOT / ".cache" / "features" if is_checkout else None


def digest(*values):
    """Hash of arrays with shape and type, tensors, texts and numbers: a text.

    Examples
    --------
    >>> x = np.zeros(4, np.uint8)
    >>> digest(x) == digest(x.copy()), digest(x) == digest(x.reshape(2, 2))
    (True, False)
    """
    found = blake2b(digest_size=20)
    for value in values:
        if isinstance(value, torch.Tensor):
            value = value.detach().cpu().numpy()
        if isinstance(value, np.ndarray):
            found.update(f"array {value.dtype.str} {value.shape};".encode())
            found.update(np.ascontiguousarray(value).reshape(-1).view(np.uint8))
        else:
            text = repr(value)
            found.update(f"{type(value).__name__} {len(text)} {text};".encode())
    return found.hexdigest()


def source_key(*paths):
    """Hash of source files, taken when a module is imported: `source_key(__file__)`.

    Later would be too late: the file may have been edited since.
    """
    return digest(*(Path(path).read_bytes() for path in paths))


@cache
def _libraries():
    return [f"{name} {version(name)}" for name in LIBRARIES]


def _surroundings():
    """What decides the last bits of a result besides its code."""
    processor = (platform.machine(), torch.backends.cpu.get_cpu_capability())
    threads = (torch.get_num_threads(), faiss.omp_get_max_threads())
    return *_libraries(), *processor, *threads


def _read(path):
    """The array of a file, or None if there is none that can be read."""
    try:
        with open(path, "rb") as file:
            value = np.load(file, allow_pickle=False)["value"]  # tests its check sum
    except Exception:  # damage can show in any way
        return None
    with suppress(OSError):
        os.utime(path)  # used just now
    return value


def _keep(path, value):
    packed = io.BytesIO()
    np.savez(packed, allow_pickle=False, value=value)
    with suppress(OSError):
        path.parent.mkdir(parents=True, exist_ok=True)
        write_whole(path, packed.getvalue())
        _remove_oldest(path.parent)


def _remove_oldest(folder):
    """Remove what was not used for longest, until the rest is below the limit."""
    states = []
    for path in folder.glob(f"*{SUFFIX}*"):  # also what a killed process left
        with suppress(OSError):  # another process removed it
            states.append((path.stat(), path))
    excess = sum(state.st_size for state, _ in states) - LIMIT
    for state, path in sorted(states, key=lambda pair: pair[0].st_mtime_ns):
        if excess <= 0:
            break
        path.unlink(missing_ok=True)
        excess -= state.st_size
