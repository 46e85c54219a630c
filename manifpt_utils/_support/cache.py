"""Numeric results on disk, found again by the content they were computed from.

The key of a result is a hash of everything that decides it: the arrays and parameters
that go in, the code that computes (`source.code_of`), the versions of the libraries it
uses, and the processor.  If any of these changes, the old result is no longer found, so
a result is the same with and without the cache.  The number of threads is not part of
the key: features, projections and views were measured to be equal, bit by bit, on one
thread and on two.  Another processor, however, can change the last bits.

joblib.Memory keeps the results, and removes first what was not read for longest.  By
default it would pickle them; but a pickle can run code when it is read, and a pickle
with a flipped bit can be read as something else.  So arrays are written in NumPy's own
format, with a check sum.

The folder is `.cache/features` beside the package in a checkout; elsewhere there is no
cache.  The environment variable `MANIFPT_CACHE` names another folder, or is `off`.
"""

import io
import os
import platform
import warnings
from contextlib import suppress
from functools import cache
from hashlib import blake2b
from importlib.metadata import version
from pathlib import Path

import numpy as np
import torch
from joblib import Memory, register_store_backend
from joblib.memory import FileSystemStoreBackend

from .files import write_whole
from .paths import ROOT

VARIABLE = "MANIFPT_CACHE"
LIMIT = 1_000_000_000  # bytes
LIBRARIES = ("numpy", "scipy", "scikit-learn", "torch", "torchvision", "skorch")
LIBRARIES += ("faiss-cpu", "pillow")


def cached(compute, *inputs, code):
    """The array that `compute` returns, read from disk if it was computed before.

    A file that is damaged is computed again; a folder that cannot be written, or a
    full disk, only means that nothing is kept.

    Parameters
    ----------
    compute : callable
        A function without arguments that returns one array, which depends on `inputs`
        alone.
    *inputs : arrays, tensors, texts and numbers
        Everything that goes into the computation, and a name for it.
    code : str
        The `code_of` of the functions and classes that compute.

    Returns
    -------
    array
    """
    folder = cache_folder()
    memory = folder and _memory(folder)
    if not memory:
        return compute()
    key = digest(*inputs, code, *_surroundings())
    return memory.cache(_result, ignore=["compute", "memory"])(compute, memory, key)


def cache_folder():
    """The folder in which results are kept, or None if they are not kept."""
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


@cache
def _surroundings():
    """What decides the last bits of a result, besides its code."""
    libraries = [f"{name} {version(name)}" for name in LIBRARIES]
    return *libraries, platform.machine(), torch.backends.cpu.get_cpu_capability()


class Arrays(FileSystemStoreBackend):
    """joblib's files, each an array with a check sum and without pickle."""

    def load_item(self, call_id, **_options):
        """Read an array; any damage is an exception, after which joblib computes."""
        with open(self._path(call_id), "rb") as file:
            return np.load(file, allow_pickle=False)["value"]

    def dump_item(self, call_id, item, **_options):
        """Write an array, unless the disk is full or must not be written."""
        packed, path = io.BytesIO(), self._path(call_id)
        np.savez(packed, allow_pickle=False, value=item)
        with suppress(OSError):
            path.parent.mkdir(parents=True, exist_ok=True)
            write_whole(path, packed.getvalue())

    def _path(self, call_id):
        return Path(self.location, *call_id, "output.pkl")  # joblib's name


register_store_backend("arrays", Arrays)


@cache
def _memory(folder):
    """joblib's memory in a folder; None if the folder cannot be used."""
    with suppress(OSError), warnings.catch_warnings(action="ignore"):
        memory = Memory(folder, backend="arrays", verbose=0)
        memory.cache(_result).check_call_in_cache(None, memory, "")  # this writes files
        return memory


def _result(compute, memory, key):
    memory.reduce_size(LIMIT)  # makes room for the new result
    return compute()
