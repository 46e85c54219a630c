"""Files that are written whole or not at all, and what is said where they cannot be."""

import errno
import hashlib
import os
import threading
from contextlib import contextmanager
from pathlib import Path

ELSEWHERE = "choose another place"
REMEDIES = {
    errno.ENOSPC: f"make room, or {ELSEWHERE}",
    errno.EDQUOT: f"make room, or {ELSEWHERE}",
    errno.EACCES: f"allow it, for instance by chmod u+w, or {ELSEWHERE}",
    errno.EPERM: f"allow it, for instance by chmod u+w, or {ELSEWHERE}",
}
HEAD = 1000  # bytes in which the mark of a report lies


def write_whole(path, content):
    """Write a text (UTF-8) or bytes under a temporary name, then move the file.

    Parameters
    ----------
    path : Path
        The folder must exist.
    content : str or bytes

    Raises
    ------
    OSError
        If it cannot be written; what was there before is still there.
    """
    data = content.encode() if isinstance(content, str) else content
    mine = f"{os.getpid()}.{threading.get_ident()}"  # others may write to path
    partial = path.with_name(f".{path.name}.{mine}")
    with writing(path):
        try:
            partial.write_bytes(data)
            os.replace(partial, path)
        finally:
            partial.unlink(missing_ok=True)


@contextmanager
def writing(path):
    """Name what cannot be written, and what helps, in the OSError that comes."""
    try:
        yield
    except OSError as error:
        if error.errno is None:  # it was named before
            raise
        remedy = REMEDIES.get(error.errno, ELSEWHERE)
        message = f"{path} cannot be written ({error.strerror or error}); {remedy}."
        raise OSError(message) from error


def read_whole(path):
    """The bytes of a file.

    Parameters
    ----------
    path : Path

    Raises
    ------
    ValueError
        If it cannot be read.
    """
    try:
        return path.read_bytes()
    except OSError as error:
        raise ValueError(
            f"{path} cannot be read ({error.strerror}); allow it, for instance by "
            "chmod u+r, or name another file."
        ) from error


def sha256_of(path):
    """The sha256 of the content of a file, in hexadecimal; it is read part by part."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def check_writable(path):
    """Refuse, before any work, a place where nothing can be written.

    Parameters
    ----------
    path : Path
        Of a file or folder; the folders around it may be missing.

    Raises
    ------
    ValueError
        If a file stands where a folder is needed, or permission is lacking.
    """
    home = next(x for x in Path(path).absolute().parents if os.path.lexists(x))
    if not home.is_dir():
        raise ValueError(
            f"{path} cannot be written, for {home} is no folder; {ELSEWHERE}."
        )
    if not os.access(home, os.W_OK | os.X_OK):
        raise ValueError(
            f"{path} cannot be written, for you have no permission to write to {home}; "
            f"{REMEDIES[errno.EACCES]}."
        )


def check_replaceable(path, mark, *, remedy="choose another name"):
    """Refuse to write over a file that is not an earlier one of the same kind.

    Parameters
    ----------
    path : Path
    mark : str
        What files of this kind have at their beginning.
    remedy : str

    Raises
    ------
    ValueError
        If the file is there and has no such mark.
    """
    if path.is_file():
        with open(path, "rb") as file:
            earlier = mark.encode() in file.read(HEAD)
        if not earlier:
            raise ValueError(f"{path} exists and is no earlier report; {remedy}.")
