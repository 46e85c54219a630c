"""Packed images: the files of a class, decoded once into one memory-mapped file.

A large folder is read once; after that, its images are a memory map, and only the part
that is used is in memory.  The packed file lies in the folder of cached features. Its
name is a hash of the paths, sizes and times of the image files and of how they were
read, so that a file that was replaced is read again.  Packed files of images that have
changed since are deleted when their folder is read again.  If all packed files take
more than 64 GB, those that were unused for longest are deleted, unless they were used
within a day.
"""

import json
import os
import shutil
import threading
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path

import numpy as np

from .._support.cache import VARIABLE, cache_folder, digest
from .._support.files import write_whole
from .._support.source import code_of
from .file_facts import Facts
from .image_files import Images, read_image, read_images
from .pruning import drop_oldest, drop_stale, family_of, mark_used

LARGE = 2**28  # bytes of all images from which on they are packed
BLOCK = 2**26  # bytes of images that are decoded or copied at once


def read_packed(paths, *, size=None, reference=None, folder=None, treat=None, key=""):
    """Read image files as `read_images` does, or map the file of an earlier call.

    Parameters
    ----------
    paths : list of Path
    size, reference
        As for `read_images`.
    folder : Path, optional
        Folder of the packed files; by default `packed` in the folder of the cache.
    treat : callable, optional
        Treats images (n, h, w, 3) after reading, without changing their shape.
    key : str
        A text that identifies what `treat` does.

    Returns
    -------
    Images
        `pixels` is a read-only memory map.

    Raises
    ------
    ValueError
        If a file is refused by `read_images`, or changes while it is read; if there is
        no folder for packed files, or not enough space.
    """
    folder = _packed_folder(folder)
    before = _states(paths)
    sources = code_of(read_image), version("pillow"), str(size), key
    name = f"{family_of(paths)}-{digest(*map(str, before), *sources)}"
    target, facts = folder / f"{name}.npy", folder / f"{name}.json"
    if not (target.is_file() and facts.is_file()):
        reference = reference or paths[0]
        found = _pack(paths, target, size, reference, treat or _as_they_are)
        try:
            check_unchanged(before, _states(paths))
        except ValueError:
            target.unlink()
            raise
        write_whole(facts, json.dumps({"states": before, "facts": found}))
        drop_stale(folder, name, _states)
        drop_oldest(folder, name)
    mark_used(target)
    rows = json.loads(facts.read_text(encoding="utf-8"))["facts"]
    known = [Facts(*row) for row in rows]
    return Images(np.load(target, mmap_mode="r"), known)


def _as_they_are(images):
    return images


def _packed_folder(folder):
    if folder is None:
        cache = cache_folder()
        if cache is None:
            raise ValueError(
                f"images are packed in the folder of the cache, but {VARIABLE} is off "
                "or there is none; set it to a folder, or read with packed=False."
            )
        folder = cache / "packed"
    try:
        Path(folder).mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ValueError(_unwritable(folder, error)) from error
    return Path(folder)


def _unwritable(path, error):
    return (
        f"images cannot be packed in {path} ({error}); free space, set {VARIABLE} to "
        "another folder, or set it to off, so that they are read into memory."
    )


def _states(paths):
    """Path, size and time of every file."""
    found = []
    for path in paths:
        try:
            status = path.stat()
        except OSError:
            found.append((str(path.absolute()), 0, 0))
        else:
            found.append((str(path.resolve()), status.st_size, status.st_mtime_ns))
    return found


def check_unchanged(before, after):
    """Refuse files that changed while they were read.

    Parameters
    ----------
    before, after : list
        The states of all files before and after reading; equal if nothing changed.

    Raises
    ------
    ValueError
        If they differ; the message names a file.

    Examples
    --------
    >>> check_unchanged(["a.png"], ["a.png"])
    """
    changed = sorted(set(before) ^ set(after))
    if changed:
        name = changed[0] if isinstance(changed[0], (str, Path)) else changed[0][0]
        raise ValueError(
            f"{name} changed, appeared or vanished while its folder was read; wait "
            "until nothing writes to the folder, and read it again."
        )


def _pack(paths, target, size, reference, treat):
    """Decode into a file, some images at a time, and return rows of facts."""
    first = read_images([reference], size=size).pixels
    step = max(1, BLOCK // first.nbytes)
    facts = []
    with _array_file(target, (len(paths), *first.shape[1:])) as write:
        for i in range(0, len(paths), step):
            part = paths[i : i + step]
            images = read_images(part, size=size, reference=reference)
            write(treat(images.pixels))
            facts += map(list, images.facts)
    return facts


@contextmanager
def _array_file(target, shape):
    """A function that writes rows of bytes to a NumPy file, which is moved when whole.

    It does not write to a memory map, because then a full disk would kill the process.
    """
    partial = target.with_name(f".{target.name}.{os.getpid()}.{threading.get_ident()}")
    needed, free = int(np.prod(shape)), shutil.disk_usage(target.parent).free
    if needed > free:
        lack = f"{needed / 1e9:.1f} GB are needed, {free / 1e9:.1f} are free"
        raise ValueError(_unwritable(target.parent, lack))
    header = {"descr": "|u1", "fortran_order": False, "shape": tuple(shape)}
    try:
        with open(partial, "wb") as file:
            np.lib.format.write_array_header_1_0(file, header)
            yield lambda rows: file.write(np.ascontiguousarray(rows).data)
        os.replace(partial, target)
    except OSError as error:
        raise ValueError(_unwritable(target.parent, error)) from error
    finally:
        partial.unlink(missing_ok=True)


def take(images, rows):
    """Selected images in the given order; of a memory map, a memory map again.

    Parameters
    ----------
    images : (n, h, w, 3) uint8 array
    rows : (m,) int array

    Returns
    -------
    (m, h, w, 3) uint8 array

    Examples
    --------
    >>> take(np.zeros((3, 2, 2, 3), np.uint8), np.array([2, 0])).shape
    (2, 2, 2, 3)
    """
    if not isinstance(images, np.memmap):
        return images[rows]
    source = Path(images.filename)
    target = source.with_name(f"{source.stem}-{digest(rows)[:16]}.npy")
    if not target.is_file():
        step = max(1, BLOCK // images[0].nbytes)
        with _array_file(target, (len(rows), *images.shape[1:])) as write:
            for i in range(0, len(rows), step):
                write(images[rows[i : i + step]])
    return np.load(target, mmap_mode="r")


def are_large(paths, shape):
    """Whether the images of these files, of one height and width, are worth packing.

    Parameters
    ----------
    paths : dict of str to list of Path
        By class.
    shape : (int, int)

    Examples
    --------
    >>> are_large({"real": range(5_000)}, (256, 256))
    True
    """
    return sum(map(len, paths.values())) * 3 * int(np.prod(shape)) > LARGE
