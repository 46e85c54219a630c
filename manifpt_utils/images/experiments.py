"""Controlled experiments: one base generator, trained again with one factor changed.

The published models of a benchmark differ in everything at once.  Here, a run differs
from the base in one design factor.  Every design was trained from several random
starts, so that the effect of a factor can be told from the effect of the start.
"""

import io
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

from .._support.paths import DATA
from .._support.suggestion import suggestion
from .manifest import read_manifest, verified
from .sheets import read_sheet

BASE = "base"


class Experiments(NamedTuple):
    """Samples of every run, and the factor that was changed in it.

    Attributes
    ----------
    images : (n, h, w, 3) uint8 array
    runs : (n,) str array
        Run of every image; "up_nearest-0" is the first training of the design
        "up_nearest".
    designs : DataFrame
        Indexed by run: the level of each factor.
    """

    images: np.ndarray
    runs: np.ndarray
    designs: pd.DataFrame


def load_experiments(photo="coffee", *, n=None, data_folder=None):
    """Load the controlled experiments on one photograph.

    Parameters
    ----------
    photo : str
    n : int, optional
        Images per run; by default all that are stored.
    data_folder : Path, optional
        The folder with `experiments/`, if it is not beside the package.

    Returns
    -------
    Experiments

    Raises
    ------
    ValueError
        If there are none on this photograph, a run holds fewer than `n` images, or a
        file is missing or not the one the manifest lists.

    Examples
    --------
    >>> found = load_experiments("coffee", n=5)
    >>> found.designs.loc["base-0", "up"]
    'transposed_conv'
    """
    folder = Path(data_folder or DATA)
    manifest = read_manifest(folder)
    names = _sheets(manifest, photo)
    sheets = {run: read_sheet(folder, name, manifest) for run, name in names.items()}
    _check_count(sheets, n)
    parts = [x[:n] for x in sheets.values()]
    table = verified(folder, "experiments/designs.csv", manifest)
    designs = pd.read_csv(io.BytesIO(table), index_col="design", keep_default_na=False)
    rows = designs.loc[[run.rpartition("-")[0] for run in sheets]]
    return Experiments(
        np.concatenate(parts),
        np.repeat(list(sheets), [len(x) for x in parts]),
        rows.set_axis(pd.Index(sheets, name="run")),
    )


def _sheets(manifest, photo):
    """Names of the sheets by run, the base first."""
    paths = [Path(name) for name in manifest if name.startswith("experiments/")]
    sheets = [path for path in paths if path.suffix == ".webp"]
    photos = {path.parent.name for path in sheets}
    if photo not in photos:
        raise ValueError(
            f"there are no controlled experiments on {photo!r};"
            f"{suggestion(photo, photos)} They are made by "
            "`manifpt zoo train-all` and stored by `manifpt zoo pack`."
        )
    found = {p.stem: p.as_posix() for p in sheets if p.parent.name == photo}
    return dict(sorted(found.items(), key=lambda x: (not x[0].startswith(BASE), x[0])))


def _check_count(sheets, n):
    smallest = min(sheets, key=lambda run: len(sheets[run]))
    if n is not None and not 2 <= n <= len(sheets[smallest]):
        raise ValueError(
            f"n={n} images per run were asked for, but run {smallest!r} holds "
            f"{len(sheets[smallest])}; ask for at least 2 and at most as many."
        )


def one_factor(designs, factor):
    """Runs that differ in one factor only: the base, and the factor's other levels.

    Parameters
    ----------
    designs : DataFrame
        Levels of all factors, one row per run, as in `Experiments`.
    factor : str

    Returns
    -------
    Series
        Level of the factor, by run.

    Raises
    ------
    ValueError
        If the factor is unknown.

    Examples
    --------
    >>> designs = pd.DataFrame({"up": list("aab"), "norm": list("xyx")})
    >>> one_factor(designs, "up").tolist()
    ['a', 'b']
    """
    if factor not in designs:
        raise ValueError(
            f"unknown factor {factor!r};{suggestion(factor, designs.columns)}"
        )
    others = designs.drop(columns=factor)
    return designs.loc[(others == others.mode().iloc[0]).all(axis=1), factor]
