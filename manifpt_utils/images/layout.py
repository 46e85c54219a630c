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
    folders = subfolders(root)
    if "real" not in folders:
        raise ValueError(f"{missing_real(root)}{rename_hint(folders)}")
    known = [name for name in folders if name != "real"]
    if not known:
        raise ValueError(
            f"{root} holds no sub-folder besides real/; add one with the images of a "
            "model, named after it."
        )
    chosen = ["real", *choose(models, known)]
    return {name: image_paths(folders[name]) for name in chosen}


def subfolders(root):
    """The folders in a folder, without hidden ones: name -> path, sorted by name.

    Raises
    ------
    ValueError
        If there is no permission to read the folder.
    """
    return {
        p.name: p
        for p in _entries(root)
        if not p.name.startswith((".", "__")) and p.is_dir()
    }


def missing_real(root):
    """A sentence about a folder without real images."""
    return f"{root} has no sub-folder real/ with the real images."


def rename_hint(folders):
    """The end of a message: names that were probably meant to be real/."""
    near = get_close_matches("real", map(str.lower, folders), n=1)
    return "".join(f" Rename {f!r}?" for f in folders if f.lower() in near)


def image_paths(folder):
    """All files of a folder, sorted by name, without hidden ones.

    The folder itself may be a symbolic link; its files must not lead out of it.

    Parameters
    ----------
    folder : Path

    Returns
    -------
    list of Path

    Raises
    ------
    ValueError
        If the folder is empty, cannot be read, or holds anything but files.
    """
    paths = [p for p in _entries(folder) if not _ignored(p)]
    if not paths:
        raise ValueError(f"{folder} holds no images; fill it or remove the folder.")
    home = folder.resolve()
    for path in paths:
        _check_entry(path, folder, home)
    return paths


def nested_image_paths(folder):
    """The files of a folder or, if it holds only folders, the files of each of these.

    Parameters
    ----------
    folder : Path

    Returns
    -------
    list of Path

    Raises
    ------
    ValueError
        As `image_paths` does, for the folder or one within it.
    """
    inside = [p for p in _entries(folder) if not _ignored(p)]
    if not inside or not all(p.is_dir() for p in inside):
        return image_paths(folder)
    return [path for part in inside for path in image_paths(part)]


def _entries(folder):
    try:
        found = sorted(folder.iterdir())
    except PermissionError as error:
        raise ValueError(
            f"you have no permission to read the folder {folder}; allow it, for "
            "instance by chmod u+rx, or choose another folder."
        ) from error
    for path in found:
        check_name(path)
    return found


def check_name(path):
    """Refuse a name that is not text, which no table of files can hold."""
    try:
        path.name.encode()
    except UnicodeEncodeError as error:
        raise ValueError(
            f"the name of {printable(path)} is not text in UTF-8; rename it."
        ) from error


def _ignored(path):
    return path.name.startswith(".") or path.name.lower() in SYSTEM_FILES


def _check_entry(path, folder, home):
    if path.is_dir():
        raise ValueError(f"{path} is a folder; put its images directly into {folder}.")
    if not path.is_file():
        what = "a symbolic link to nothing" if path.is_symlink() else "not a file"
        raise ValueError(f"{path} is {what}; remove it from the folder.")
    if path.is_symlink() and path.resolve().parent != home:
        raise ValueError(
            f"{path} is a symbolic link out of its folder, to {path.resolve()}; put a "
            "copy in its place (cp -rL copies a folder with what its links lead to)."
        )
