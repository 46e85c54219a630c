"""One function that loads every benchmark, shipped or your own."""

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
    """Load a shipped benchmark by its name, or your own images by their path.

    ===================================  =============================================
    name                                 what is read
    ===================================  =============================================
    "gm-photo/<photograph>"              the benchmark that ships inside
    a folder                             `real/` and `<model>/`; the same in `train/`
                                         and `test/`; the layouts of GenImage,
                                         ForenSynths and dgm-eval; parquet files
    a CSV file                           columns file, label and (optionally) split
    a parquet file                       in the form of Community Forensics
    "torchvision:<data set>:<folder>"    CIFAR10, CelebA, FashionMNIST or MNIST as the
                                         real images
    ===================================  =============================================

    The layout of a folder is recognised; `layout` of the benchmark says which it is.

    Parameters
    ----------
    name : str or Path
    models : sequence of str, or one name, optional
        Names of the models.  "core" stands for the six that coffee and flower share, or
        for all models of a benchmark that lacks one of these six; "all" is the default.
    training_seed : int
        Which training of each model, if there are several.
    n_real : int, optional
        Size of the manifold set: by default 8,000 for GM-Photo, and for a folder all
        real images that are not kept for the test.
    size : int or (int, int), optional
        Height and width to which your own images are brought; by default they keep
        their size.
    normalise : {None, "png", "size", "jpeg90"}
        How your own images are treated, see the function `normalise`.
    per_class : int, optional
        Draw at most this many images of each class, before any is decoded; if the
        source has its own split, this many of each side.  Of real images, draw at least
        as many as `n_real` needs.
    generated : str or Path, optional
        For a data set of torchvision, the folder with `<model>/`; by default
        `generated/` within the folder of the data set.
    data_folder : Path, optional
        The folder of GM-Photo, if it is not beside the package.

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
    return assemble(lambda: source_of(name, models, generated), **options)


def source_of(name, models=None, generated=None):
    """Find your own images that a name stands for, without reading them: a Source.

    Parameters
    ----------
    name, models, generated
        As for `load`.

    Raises
    ------
    ValueError
        As `load` does.
    """
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
    """The options of `load` for each of several benchmarks.

    Parameters
    ----------
    names : sequence of str
    **options
        `size` and `normalise` for the folders among them.

    Returns
    -------
    dict of str to dict
        By name.  Empty for GM-Photo, whose images need no treatment.  A name without a
        folder keeps the options, and `load` refuses it.

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
            f"size={size!r} is for folders of images; images of GM-Photo are {SIZE} x "
            f"{SIZE}, so leave size out."
        )
    if normalise is not None:
        raise ValueError(
            f"normalise={normalise!r} is for folders of images; images of GM-Photo are "
            "all stored in one way, so leave normalise out."
        )
