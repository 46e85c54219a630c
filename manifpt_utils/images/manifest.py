"""The manifest of `data/`: the sha256 of every file, checked when a file is read."""

import hashlib
import json
from pathlib import Path

from .._support.paths import DATA


def read_manifest(folder=None):
    """Read the list of data files: for each name its sha256, bytes and further facts.

    Parameters
    ----------
    folder : Path, optional
        `data/` beside the package by default.

    Returns
    -------
    dict of str to dict

    Raises
    ------
    ValueError
        If there is no manifest, or it is damaged.
    """
    path = Path(folder or DATA) / "manifest.json"
    if not path.is_file():
        raise ValueError(
            f"{path} is missing; work in a checkout of the project, where data/ lies "
            "beside the package, or name the folder with data_folder=."
        )
    try:
        return json.loads(path.read_text(encoding="utf-8"))["files"]
    except (ValueError, KeyError) as error:
        message = f"{path} is damaged ({error!r}); restore it with git."
        raise ValueError(message) from error


def verified(folder, name, manifest):
    """Read a data file and check it against the manifest.

    Parameters
    ----------
    folder : Path
    name : str
        Relative to the folder, with forward slashes.
    manifest : dict
        From `read_manifest`.

    Returns
    -------
    bytes

    Raises
    ------
    ValueError
        If the file is missing, not listed or changed.
    """
    path = Path(folder) / name
    remedy = (
        "restore it with git, or, if it was changed on purpose, run "
        "`manifpt zoo pack --only-manifest`."
    )
    if name not in manifest:
        raise ValueError(f"{path} is not listed in the manifest; {remedy}")
    if not path.is_file():
        raise ValueError(f"{path} is missing; {remedy}")
    content = path.read_bytes()
    if hashlib.sha256(content).hexdigest() != manifest[name]["sha256"]:
        raise ValueError(f"{path} is not the file the manifest lists; {remedy}")
    return content
