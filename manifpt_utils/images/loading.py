"""One way to load a benchmark, shipped or your own."""

from pathlib import Path

from .._support.suggestion import suggestion
from .folder import from_folder
from .gm_photo import load_photo
from .photograph import PHOTOGRAPHS


def load(name, *, models=None, training_seed=0, n_real=None, data_folder=None):
    """Load a benchmark by its name, or a folder of images.

    Parameters
    ----------
    name : str or Path
        "gm-photo/<photograph>", or a folder as `from_folder` describes it.
    models : sequence of str, or one name, optional
        Which generators.  "core" stands for the six that coffee and flower share, and
        for all where none of these is; "all", the default, for all there are.
    training_seed : int
        Which training of each generator, where there are several.
    n_real : int, optional
        Size of the manifold set: 8,000 for GM-Photo, all there are for a folder.
    data_folder : Path, optional
        Where GM-Photo lies, if not beside the package.

    Returns
    -------
    Benchmark

    Raises
    ------
    ValueError
        If a name is unknown (the nearest one is suggested), or a data file is missing
        or not the one the manifest lists.

    Examples
    --------
    >>> benchmark = load("gm-photo/coffee", models=["dcgan"], n_real=10)
    >>> benchmark.images["dcgan"].shape, benchmark.real_test.shape
    ((1000, 32, 32, 3), (2000, 32, 32, 3))
    """
    known = [f"gm-photo/{photo}" for photo in PHOTOGRAPHS]
    if name in known:
        return load_photo(
            name.partition("/")[2], models, training_seed, n_real, data_folder
        )
    if not Path(name).expanduser().is_dir():
        raise ValueError(
            f"no benchmark and no folder {str(name)!r};{suggestion(name, known)} Or "
            "give the path of a folder with real/ and <model>/."
        )
    if training_seed:
        raise ValueError(
            f"training_seed={training_seed} is for gm-photo only; a folder of images "
            "has no seeds, so leave it at 0."
        )
    return from_folder(name, models=models, n_real=n_real)
