"""One way to load a benchmark, shipped or your own."""

from pathlib import Path

from .._support.suggestion import suggestion
from .folder import check_size, from_folder
from .gm_photo import load_photo
from .photograph import PHOTOGRAPHS, SIZE

SHIPPED = [f"gm-photo/{photo}" for photo in PHOTOGRAPHS]


def load(
    name, *, models=None, training_seed=0, n_real=None, size=None, data_folder=None
):
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
        Size of the manifold set: by default 8,000 for GM-Photo, and for a folder all
        that are not kept for the test.
    size : int or (int, int), optional
        Height and width to bring every image of a folder to; as they are by default.
    data_folder : Path, optional
        Where GM-Photo lies, if not beside the package.

    Returns
    -------
    Benchmark

    Raises
    ------
    ValueError
        If a name is unknown (the nearest one is suggested), a data file is missing or
        not the one the manifest lists, or a folder is refused by `from_folder`.

    Warns
    -----
    UserWarning
        As `from_folder` does.

    Examples
    --------
    >>> benchmark = load("gm-photo/coffee", models=["dcgan"], n_real=10)
    >>> benchmark.images["dcgan"].shape, benchmark.real_test.shape
    ((1000, 32, 32, 3), (2000, 32, 32, 3))
    """
    name = _as_text(name)
    if name in SHIPPED:
        _check_photo_size(size)
        photo = name.partition("/")[2]
        return load_photo(photo, models, training_seed, n_real, data_folder)
    if not Path(name).expanduser().is_dir():
        raise ValueError(
            f"no benchmark and no folder {name!r};{suggestion(name, SHIPPED)} Or give "
            "the path of a folder with real/ and <model>/."
        )
    if training_seed:
        raise ValueError(
            f"training_seed={training_seed} is for gm-photo only; a folder of images "
            "has no seeds, so leave it at 0."
        )
    return from_folder(name, models=models, n_real=n_real, size=size)


def folder_sizes(names, size):
    """The size in which `load` is to bring each of some benchmarks.

    Parameters
    ----------
    names : sequence of str
    size : int or (int, int), optional
        Wanted for the folders among them.

    Returns
    -------
    dict of str to size
        None for those of GM-Photo, which keep their own size.  Where there is no
        folder, `size` stays, for `load` to refuse.

    Examples
    --------
    >>> folder_sizes(["my_images", "gm-photo/flower"], 48)
    {'my_images': 48, 'gm-photo/flower': None}
    """
    folders = [name for name in names if name not in SHIPPED]
    return {n: size if n in folders or not folders else None for n in names}


def _as_text(name):
    if not isinstance(name, (str, Path)):
        raise ValueError(
            f"name must be that of a benchmark or a folder, got {name!r}; for instance "
            "'gm-photo/coffee'."
        )
    return name.as_posix() if isinstance(name, Path) else name


def _check_photo_size(size):
    if check_size(size) not in (None, (SIZE, SIZE)):
        raise ValueError(
            f"size={size!r} is for folders of images; those of GM-Photo are {SIZE} x "
            f"{SIZE}, so leave size out."
        )
