"""One way to load a benchmark, shipped or your own."""

from pathlib import Path

from .._support.suggestion import suggestion
from .folder import from_folder
from .gm_photo import load_photo
from .photograph import PHOTOGRAPHS, SIZE
from .validation import check_size

SHIPPED = [f"gm-photo/{photo}" for photo in PHOTOGRAPHS]


def load(
    name,
    *,
    models=None,
    training_seed=0,
    n_real=None,
    size=None,
    normalise=None,
    data_folder=None,
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
    normalise : {None, "png", "size", "jpeg90"}
        How to treat the images of a folder, see the function `normalise`.
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
        _check_photo_options(size, normalise)
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
    return from_folder(
        name, models=models, n_real=n_real, size=size, normalise=normalise
    )


def folder_options(names, **options):
    """The options with which `load` is to read each of some benchmarks.

    Parameters
    ----------
    names : sequence of str
    **options
        `size` and `normalise`, as they are wanted for the folders among them.

    Returns
    -------
    dict of str to dict
        Empty for those of GM-Photo, which are as they are.  Where there is no folder,
        the options stay, for `load` to refuse.

    Examples
    --------
    >>> folder_options(["my_images", "gm-photo/flower"], size=48)
    {'my_images': {'size': 48}, 'gm-photo/flower': {}}
    """
    folders = [name for name in names if name not in SHIPPED]
    return {n: options if n in folders or not folders else {} for n in names}


def _as_text(name):
    if not isinstance(name, (str, Path)):
        raise ValueError(
            f"name must be that of a benchmark or a folder, got {name!r}; for instance "
            "'gm-photo/coffee'."
        )
    return name.as_posix() if isinstance(name, Path) else name


def _check_photo_options(size, normalise):
    if check_size(size) not in (None, (SIZE, SIZE)):
        raise ValueError(
            f"size={size!r} is for folders of images; those of GM-Photo are {SIZE} x "
            f"{SIZE}, so leave size out."
        )
    if normalise is not None:
        raise ValueError(
            f"normalise={normalise!r} is for folders of images; those of GM-Photo are "
            "all stored in one way, so leave normalise out."
        )
