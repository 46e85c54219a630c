"""One way to load a benchmark, shipped or your own."""

import os
from pathlib import Path

from .._support.suggestion import suggestion
from .folder import assemble
from .gm_photo import load_photo
from .photograph import PHOTOGRAPHS, SIZE
from .readers import find, torchvision_data
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
    per_class=None,
    generated=None,
    data_folder=None,
):
    """Load a benchmark by its name, or images from wherever they lie.

    ===================================  =============================================
    name                                 what is read
    ===================================  =============================================
    "gm-photo/<photograph>"              the benchmark that ships inside
    a folder                             `real/` and `<model>/`; the same in `train/`
                                         and `test/`; the layouts of GenImage,
                                         ForenSynths and dgm-eval; parquet files
    a CSV file                           columns file, label and, if wanted, split
    a parquet file                       as Community Forensics has them
    "torchvision:<data set>:<folder>"    CIFAR10, CelebA, FashionMNIST or MNIST as the
                                         real images
    ===================================  =============================================

    The layout of a folder is recognised; `layout` of the benchmark tells which it is.

    Parameters
    ----------
    name : str or Path
    models : sequence of str, or one name, optional
        Which generators.  "core" stands for the six that coffee and flower share, and
        for all where none of these is; "all", the default, for all there are.
    training_seed : int
        Which training of each generator, where there are several.
    n_real : int, optional
        Size of the manifold set: by default 8,000 for GM-Photo, and for a folder all
        that are not kept for the test.
    size : int or (int, int), optional
        Height and width to bring every image to, if they are your own; as they are by
        default.
    normalise : {None, "png", "size", "jpeg90"}
        How to treat your own images, see the function `normalise`.
    per_class : int, optional
        Draw at most so many images of each class, before any is decoded.  Where the
        source has a split of its own, so many of either side; of real images, at least
        as many as `n_real` takes.
    generated : str or Path, optional
        For a data set of torchvision, the folder with `<model>/`; `generated/` within
        the folder of the data set by default.
    data_folder : Path, optional
        Where GM-Photo lies, if not beside the package.

    Returns
    -------
    Benchmark

    Raises
    ------
    ValueError
        If a name is unknown (the nearest one is suggested), a data file is missing or
        not the one the manifest lists, no layout fits a folder or several do, or its
        images are refused as by `from_folder`.

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
        _check_unused("gm-photo", per_class=per_class, generated=generated)
        photo = name.partition("/")[2]
        return load_photo(photo, models, training_seed, n_real, data_folder)
    if training_seed:
        raise ValueError(
            f"training_seed={training_seed} is for gm-photo only; a folder of images "
            "has no seeds, so leave it at 0."
        )
    options = {"n_real": n_real, "size": size, "normalise": normalise}
    options |= {"per_class": per_class}
    return assemble(lambda: _source(name, models, generated), **options)


def _source(name, models, generated):
    """Where the images of a name lie: a Source."""
    if torchvision_data.fits(name):
        return torchvision_data.read(name, models, generated)
    _check_unused("a source that is not of torchvision", generated=generated)
    path = Path(name).expanduser()
    if not name or not os.path.lexists(path):
        raise ValueError(
            f"no benchmark and no folder {name[:200]!r};{suggestion(name, SHIPPED)} Or "
            "give the path of a folder with real/ and <model>/."
        )
    return find(path, models)


def _check_unused(what, **options):
    for option, value in options.items():
        if value is not None:
            raise ValueError(f"{option}={value!r} is not for {what}; leave it out.")


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
