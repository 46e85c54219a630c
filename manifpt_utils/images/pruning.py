"""Which packed files go: those of files that changed, and the longest unused ones.

A packed file is called `<family>-<content>.npy`; the family stands for the folder that
was read.  Beside it lie what is known of the files, `.json`, and images taken out of
it, `<family>-<content>-<rows>.npy`; all of them go together.
"""

import json
import os
import time
from contextlib import suppress
from pathlib import Path

from .._support.cache import digest

LIMIT = 2**36  # bytes of all packed files together
UNUSED = 24 * 3600  # seconds after which a file may go for the sake of others


def family_of(paths):
    """A name for the folder in which some files lie together.

    Parameters
    ----------
    paths : list of Path

    Returns
    -------
    str
        Of 12 characters.
    """
    places = [str(path.resolve().parent) for path in paths]
    return digest(os.path.commonpath(places))[:12]


def mark_used(path):
    """Note down that a packed file was read now, where that can be written."""
    with suppress(OSError):
        os.utime(path)


def drop_stale(folder, kept, states):
    """Drop packed files of the same folder whose own files changed or vanished.

    Parameters
    ----------
    folder : Path
        Of the packed files.
    kept : str
        The packed file that was just written, without its ending.
    states : callable
        From a list of paths to what is known of each.
    """
    family = kept.partition("-")[0]
    for path in folder.glob(f"{family}-*.json"):
        if path.stem != kept and _is_stale(path, states):
            _drop(folder, path.stem)


def _is_stale(path, states):
    try:
        known = json.loads(path.read_text(encoding="utf-8"))["states"]
    except (OSError, ValueError, KeyError, TypeError):
        return False  # being written, or by another version: only its age counts
    now = states([Path(name) for name, *_ in known])
    return [list(state) for state in now] != known


def drop_oldest(folder, kept, *, limit=LIMIT):
    """Drop what was not used for longest until all packed files are within a limit.

    Nothing goes that was used within a day, by this program or another one.

    Parameters
    ----------
    folder : Path
    kept : str
        A packed file that stays, without its ending.
    limit : int
        Bytes.
    """
    sizes, used = {}, {}
    for path in folder.glob("*.npy"):
        with suppress(OSError):  # another process may have dropped it
            status, name = path.stat(), _whole(path.stem)
            sizes[name] = sizes.get(name, 0) + status.st_size
            used[name] = max(used.get(name, 0), status.st_mtime)
    total = sum(sizes.values())
    for name in sorted(sizes, key=used.get):
        if total <= limit or time.time() - used[name] < UNUSED:
            return
        if name != kept:
            _drop(folder, name)
            total -= sizes[name]


def _whole(name):
    """The packed file that images were taken out of."""
    return "-".join(name.split("-")[:2])


def _drop(folder, name):
    for path in [*folder.glob(f"{name}.*"), *folder.glob(f"{name}-*.npy")]:
        with suppress(OSError):  # a system may keep what a program has mapped
            path.unlink()
