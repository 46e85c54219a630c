"""A benchmark from a folder of images: `real/` and one sub-folder per model."""

import warnings
from numbers import Integral
from pathlib import Path

import numpy as np
from sklearn.model_selection import GroupShuffleSplit

from .._support.cache import cache_folder
from .._support.paths import DATA
from .audit import compare, file_table
from .benchmark import Benchmark, RealSplit
from .copies import digests, refuse_copied_classes
from .factors import MEANING, read_factors
from .image_files import read_image, read_images
from .layout import class_paths
from .packed import are_large, check_unchanged, read_packed, take
from .validation import check_integer


def from_folder(
    path,
    *,
    models=None,
    n_real=None,
    test_fraction=0.2,
    size=None,
    packed=None,
    seed=0,
):
    """Load real and generated images from a folder.

    ::

        root/real/*.png          real images
        root/<model>/*.png       samples of one generator; one or more such folders
        root/factors.csv         optional: how each model was built, see `read_factors`

    Files may be PNG, JPEG, WebP, BMP or TIFF, in 8 bits of RGB or grey.  Without a
    `factors.csv` the table of the paper's 27 models is used, if it knows all of yours.
    The real images are split at random into `real` and `real_test`; copies of one
    image stay on one side.

    Parameters
    ----------
    path : str or Path
    models : sequence of str, optional
        Which generators; all by default.  One alone can only be told from real images.
    n_real : int, optional
        Size of the manifold set; by default all that are not kept for the test.
    test_fraction : float
        Share of the real images that is kept for `real_test`.
    size : int or (int, int), optional
        Height and width to bring every image to, by one centred crop and one Lanczos
        step.  Without it all images must be of one size.
    packed : bool, optional
        Whether the images are decoded once into files that are mapped, so that only
        what is used of them is in memory; by default if they take over 256 MB, and
        there is a folder for cached features.
    seed : int
        Seed of the split.

    Returns
    -------
    Benchmark

    Raises
    ------
    ValueError
        If the folder is not of this form or changes while it is read, an image is
        damaged or not 8-bit, there are too few real images, or all images of a class
        are in another class as well.

    Warns
    -----
    UserWarning
        If classes differ in how their files are stored, which gives a class away
        whatever model made it, or if there are copies.  `Benchmark.warnings` keeps the
        messages and `Benchmark.audit` what is behind them.
    """
    size = check_size(size)
    _check_fraction(test_fraction)
    root = Path(path).expanduser()
    paths = class_paths(root, models)
    images, files = _read(paths, size, packed)
    check_unchanged(_listed(paths), _listed(class_paths(root, models)))
    kept, test = _split(files.loc["real", "digest"], n_real, test_fraction, seed, root)
    refuse_copied_classes(files)
    real = images.pop("real")
    benchmark = Benchmark(
        root.resolve().name,
        take(real, kept),
        take(real, test),
        images,
        factors=_folder_factors(root, list(images)),
        audit=compare(files),
        split=RealSplit(len(real), test_fraction),
    )
    for message in benchmark.warnings:
        warnings.warn(f"{root}: {message}", stacklevel=2)
    return benchmark


def check_size(size):
    """Return a size as height and width, or None.

    Raises
    ------
    ValueError
        If it is not one or two positive integers.
    """
    if size is None:
        return None
    pair = (size, size) if np.isscalar(size) else tuple(size)
    if len(pair) != 2 or not all(isinstance(s, Integral) and s > 0 for s in pair):
        raise ValueError(f"size must be one or two positive integers, got {size!r}.")
    return pair


def _check_fraction(test_fraction):
    if not 0 < test_fraction < 1:
        raise ValueError(
            f"test_fraction must lie between 0 and 1, got {test_fraction}; 0.2 keeps a "
            "fifth of the real images for the test."
        )


def _listed(paths):
    return [path for files in paths.values() for path in files]


def _reader(paths, size, reference, packed):
    """The function that reads files: into memory, or into a file that is mapped."""
    if packed is None:
        shape = size or read_image(reference)[0].shape[:2]
        packed = cache_folder() is not None and are_large(paths, shape)
    return read_packed if packed else read_images


def _read(paths, size, packed):
    """Images by class, and the table of their files."""
    reference = paths["real"][0]
    read_all = _reader(paths, size, reference, packed)
    read = {
        name: read_all(files, size=size, reference=reference)
        for name, files in paths.items()
    }
    images = {name: x.pixels for name, x in read.items()}
    facts = {name: x.facts for name, x in read.items()}
    found = {name: digests(x) for name, x in images.items()}
    return images, file_table(paths, facts, found)


def _split(contents, n_real, test_fraction, seed, root):
    """Disjoint manifold and test images; copies of one image stay together."""
    total = len(contents)
    if contents.nunique() < 2:
        raise ValueError(
            f"{root / 'real'} holds {total} image(s), all the same; at least two "
            "different ones are needed, one for the manifold and one for the test."
        )
    splitter = GroupShuffleSplit(1, test_size=test_fraction, random_state=seed)
    kept, test = next(splitter.split(contents, groups=contents))
    wanted = len(kept) if n_real is None else n_real
    check_integer(wanted, "n_real", 1)
    if wanted > len(kept):
        raise ValueError(
            f"n_real={n_real}, but {root / 'real'} holds {total} images, of which "
            f"{len(test)} (a share of test_fraction={test_fraction:g}) are kept for "
            f"the test; ask for 1 to {len(kept)}, or add some."
        )
    rng = np.random.default_rng(seed)
    return rng.permutation(kept)[:wanted], rng.permutation(test)


def _folder_factors(root, models):
    """The folder's own table, or the rows of ours if it knows every model."""
    own = root / "factors.csv"
    path = own if own.is_file() else DATA / "factors.csv"
    if not path.is_file():
        return None
    table = read_factors(path.read_bytes(), path)
    unknown = [m for m in models if m not in table.index]
    if unknown and path == own:
        raise ValueError(_missing_rows(own, unknown, table.index))
    return None if unknown else table.loc[models]


def _missing_rows(path, unknown, known):
    cut = any(name.lstrip("0") in known for name in unknown)
    hint = (
        " Spreadsheets cut the zeros that a name begins with; make that column text, "
        "or rename the folder."
    )
    return (
        f"{path} has no row for {unknown}, but for {list(known)}; add it, or remove "
        f"the file.{hint * cut} {MEANING}"
    )
