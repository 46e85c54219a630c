"""The layout of a folder of images: `real/` and one sub-folder per model."""

from difflib import get_close_matches

from .._support.printable import printable
from .choice import choose

SYSTEM_FILES = ("thumbs.db", "desktop.ini")


def class_paths(root, models=None):
    """Find the image files of every class.

    Parameters
    ----------
    root : Path
    models : sequence of str, optional
        Which generators; all by default.

    Returns
    -------
    dict of str to list of Path
        The class "real" first.

    Raises
    ------
    ValueError
        If the folder is not of this form.
    """
    if not root.is_dir():
        raise ValueError(f"{root} is not a folder; give one with real/ and <model>/.")
    folders = {
        p.name: p
        for p in _entries(root)
        if p.is_dir() and not p.name.startswith((".", "__"))
    }
    if "real" not in folders:
        near = get_close_matches("real", map(str.lower, folders), n=1)
        hint = "".join(f" Rename {f!r}?" for f in folders if f.lower() in near)
        raise ValueError(f"{root} has no sub-folder real/ with the real images.{hint}")
    known = [name for name in folders if name != "real"]
    if not known:
        raise ValueError(
            f"{root} holds no sub-folder beside real/; add one with the images of a "
            "model, named after it."
        )
    chosen = ["real", *choose(models, known)]
    return {name: image_paths(folders[name]) for name in chosen}


def image_paths(folder):
    """All files of a folder, sorted by name, without hidden ones.

    The folder itself may be a symbolic link; its files may not lead out of it.

    Parameters
    ----------
    folder : Path

    Returns
    -------
    list of Path

    Raises
    ------
    ValueError
        If the folder is empty, may not be read, or holds anything but files.
    """
    paths = [p for p in _entries(folder) if not _ignored(p)]
    if not paths:
        raise ValueError(f"{folder} holds no images; fill it or remove the folder.")
    home = folder.resolve()
    for path in paths:
        _check_entry(path, folder, home)
    return paths


def _entries(folder):
    try:
        found = sorted(folder.iterdir())
    except PermissionError as error:
        raise ValueError(
            f"you have no permission to read the folder {folder}; allow it, for "
            "instance by chmod u+rx, or choose another folder."
        ) from error
    for path in found:
        _check_name(path)
    return found


def _check_name(path):
    try:
        path.name.encode()
    except UnicodeEncodeError as error:
        raise ValueError(
            f"the name of {printable(path)} is no text in UTF-8; rename it."
        ) from error


def _ignored(path):
    return path.name.startswith(".") or path.name.lower() in SYSTEM_FILES


def _check_entry(path, folder, home):
    if path.is_dir():
        raise ValueError(f"{path} is a folder; put its images straight in {folder}.")
    if not path.is_file():
        what = "a symbolic link to nothing" if path.is_symlink() else "not a file"
        raise ValueError(f"{path} is {what}; remove it from the folder.")
    if path.is_symlink() and path.resolve().parent != home:
        raise ValueError(
            f"{path} is a symbolic link out of its folder, to {path.resolve()}; put a "
            "copy in its place (cp -rL copies a folder with what its links lead to)."
        )
