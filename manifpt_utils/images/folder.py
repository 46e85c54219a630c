"""A benchmark from a folder of images: `real/` and one sub-folder per model."""

import math
import warnings
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
from sklearn.model_selection import GroupShuffleSplit

from .._support.cache import cache_folder
from .._support.files import read_whole
from .._support.paths import DATA
from .audit import compare, file_table
from .benchmark import Benchmark, RealSplit
from .copies import describe_copies, digests, refuse_copied_classes
from .factors import MEANING, read_factors
from .file_facts import Facts
from .given_split import describe_left_out, left_out
from .image_files import read_image
from .near_copies import signatures
from .normalise import SIZED, check_normalise, smallest_size
from .normalise import normalise as normalised
from .normalised_folder import read_record
from .packed import are_large, check_unchanged, read_packed, take
from .readers import folders
from .readers.source import limited, read_files
from .validation import check_integer, check_size

NO_FACTS = Facts("", "", True, np.nan, "", "", "", 0)  # of images that never were files
NO_AUDIT = (
    "the real images are not image files, so the storage of the classes could not be "
    "compared: a difference between the steps that real and generated images went "
    "through stays unseen."
)


def from_folder(
    path,
    *,
    models=None,
    n_real=None,
    test_fraction=0.2,
    size=None,
    normalise=None,
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
        Names of the models; all by default.  A single one can only be told from real
        images.
    n_real : int, optional
        Size of the manifold set; by default all real images that are not kept for the
        test.
    test_fraction : float
        Share of the real images that is kept for `real_test`.
    size : int or (int, int), optional
        Height and width to which every image is brought, by one centred crop and one
        resizing with a Lanczos filter.  Without it, all images must be of one size.
    normalise : {None, "png", "size", "jpeg90"}
        How all images are treated after reading, see the function `normalise`.  The
        last two bring them to `size`, or to the smallest size among them.
    packed : bool, optional
        Whether the images are decoded once into memory-mapped files, so that only the
        used part is in memory.  By default this is done if they take over 256 MB and
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
        If the files of classes are stored in different ways, which gives classes away
        without any trace of a model; or if there are copies or near copies.
        `Benchmark.warnings` keeps the messages, and `Benchmark.audit` the facts behind
        them.
    """
    root = Path(path).expanduser()
    options = {"n_real": n_real, "test_fraction": test_fraction, "size": size}
    options |= {"normalise": normalise, "packed": packed, "seed": seed}
    return assemble(lambda: folders.read(root, models), **options)


def assemble(
    find,
    *,
    n_real=None,
    test_fraction=0.2,
    size=None,
    normalise=None,
    per_class=None,
    packed=None,
    seed=0,
):
    """Read the images of a source, and divide the real ones.

    Parameters
    ----------
    find : callable
        Lists the images as a Source.  It is called again after reading, to detect files
        that changed meanwhile.
    n_real, test_fraction, size, normalise, packed, seed
        As for `from_folder`.  If the source has its own real test images, these are
        `real_test`.  If it has test images of every class, `test_fraction` of the other
        real images is added to `real_test`, for training on the class "real": the
        manifold set cannot be used for that, because its images have no artifacts.
    per_class : int, optional
        Draw at most this many images of a class, and as many of each side of a given
        split.  Of real images, draw at least as many as `n_real` needs.

    Returns
    -------
    Benchmark

    Raises
    ------
    ValueError, UserWarning
        As for `from_folder`.
    """
    size = check_size(size)
    check_normalise(normalise)
    _check_fraction(test_fraction)
    everything = find()
    limits = _limits(everything, per_class, n_real, test_fraction)
    source = limited(everything, limits, seed)
    if normalise in SIZED and size is None:
        size = _smallest_size(source, normalise)
    images, files = _read(source, size, normalise, packed)
    if source.read is read_files:
        check_unchanged(_places(everything), _places(find()))
    benchmark = _benchmark(
        source, images, files, normalise, division=(n_real, test_fraction, seed)
    )
    benchmark = replace(benchmark, resized=size is not None)
    for message in benchmark.warnings:
        warnings.warn(f"{source.origin}: {message}", stacklevel=3)
    return benchmark


def _benchmark(source, images, files, normalise, *, division):
    """The benchmark of images that were read, and of the table of their files."""
    copied = left_out(source, files["digest"])
    contents = files.loc["real", "digest"]
    sides = _sides(source, contents, *division)
    refuse_copied_classes(files)
    audit = _audited(source, images, files, normalise)
    real, images, tested = _without(copied, source.tested, sides, images)
    return Benchmark(
        source.name,
        *real,
        images,
        factors=_folder_factors(source.folder, list(images)),
        audit=audit,
        split=None if source.tested else RealSplit(len(contents), division[1]),
        layout=source.layout,
        tested=tested,
        notes=_notes(files, copied),
        normalise=normalise,
    )


def _smallest_size(source, normalise):
    """The smallest height and width among the images, which must be files."""
    places = _places(source)
    if not all(isinstance(place, Path) for place in places):
        raise ValueError(
            f"normalise={normalise!r} needs a size for images that are not all files; "
            "give one, for instance size=64."
        )
    return smallest_size(places)


def _audited(source, images, files, normalise):
    """The audit of the files, or None if the images are not files."""
    if not _has_facts(files):
        return None
    found = np.concatenate([signatures(x) for x in images.values()])
    before = read_record(source.folder)
    return compare(files, found, normalise=normalise, before=before)


def _check_fraction(test_fraction):
    if not 0 < test_fraction < 1:
        raise ValueError(
            f"test_fraction must be between 0 and 1, got {test_fraction}; 0.2 keeps a "
            "fifth of the real images for the test."
        )


def _limits(source, per_class, n_real, test_fraction):
    """How many images of each class are read at most; empty if there is no limit."""
    if per_class is None:
        return {}
    check_integer(per_class, "per_class", 1)
    limits = dict.fromkeys(source.items, per_class)
    if n_real is not None:
        check_integer(n_real, "n_real", 1)
        limits["real"] = max(per_class, math.ceil((n_real + 1) / (1 - test_fraction)))
    return limits


def _places(source):
    return [item.place for found in source.items.values() for item in found]


def _read(source, size, normalise, packed):
    """Images by class, and the table of their files."""
    if source.read is read_files and _to_be_packed(source, size, packed):
        read = read_files(source.items, size, _packer(normalise))
        normalise = None  # it was done while packing
    else:
        read = source.read(source.items, size)
    images = {name: x.pixels for name, x in read.items()}
    if normalise is not None:
        images = {name: normalised(x, normalise) for name, x in images.items()}
    facts = {name: x.facts for name, x in read.items()}
    found = {name: digests(x) for name, x in images.items()}
    if None in facts.values():
        facts = {name: [NO_FACTS] * len(x) for name, x in images.items()}
    return images, file_table(source.items, facts, found)


def _to_be_packed(source, size, packed):
    """Whether to pack the images, if the caller left that open."""
    if packed is not None:
        return packed
    paths = {k: [item.place for item in found] for k, found in source.items.items()}
    shape = size or read_image(paths["real"][0])[0].shape[:2]
    return cache_folder() is not None and are_large(paths, shape)


def _packer(normalise):
    """A function like `read_images` that returns treated, memory-mapped images."""
    if normalise is None:
        return read_packed
    return partial(read_packed, treat=partial(normalised, how=normalise), key=normalise)


def _has_facts(files):
    return bool(files["width"].all())


def _sides(source, contents, n_real, test_fraction, seed):
    """Rows of the real images for the manifold set and for the class "real"."""
    given = source.tested.get("real")
    train = np.arange(len(contents)) if given is None else np.flatnonzero(~given)
    options = n_real, test_fraction, seed, source.real_place
    if given is not None and len(source.tested) == 1:
        return _taken(train, *options), np.flatnonzero(given)
    kept, held_out = _split(contents.iloc[train], *options)
    later = [] if given is None else np.flatnonzero(given)
    return train[kept], np.concatenate([train[held_out], later]).astype(int)


def _taken(rows, n_real, _, seed, place):
    """The rows of the manifold set, if the source has its own test images."""
    wanted = len(rows) if n_real is None else n_real
    check_integer(wanted, "n_real", 1)
    if wanted > len(rows):
        raise ValueError(
            f"n_real={n_real}, but {place} holds {len(rows)} images that are not for "
            f"the test; ask for 1 to {len(rows)}, or add some."
        )
    return np.random.default_rng(seed).permutation(rows)[:wanted]


def _split(contents, n_real, test_fraction, seed, place):
    """Disjoint rows for the manifold set and the test; copies stay together."""
    total = len(contents)
    if contents.nunique() < 2:
        raise ValueError(
            f"{place} holds {total} image(s), all the same; at least two "
            "different ones are needed, one for the manifold and one for the test."
        )
    splitter = GroupShuffleSplit(1, test_size=test_fraction, random_state=seed)
    kept, test = next(splitter.split(contents, groups=contents))
    wanted = len(kept) if n_real is None else n_real
    check_integer(wanted, "n_real", 1)
    if wanted > len(kept):
        raise ValueError(
            f"n_real={n_real}, but {place} holds {total} images, of which "
            f"{len(test)} (a share of test_fraction={test_fraction:g}) are kept for "
            f"the test; ask for 1 to {len(kept)}, or add some."
        )
    rng = np.random.default_rng(seed)
    return rng.permutation(kept)[:wanted], rng.permutation(test)


def _without(copied, tested, sides, images):
    """Real images, images of models, and which of them are for the test."""
    kept, test = sides
    test = test[~copied["real"][test]] if "real" in copied else test
    real = images.pop("real")
    pair = take(real, kept), take(real, test)
    if len(tested) <= 1:
        return pair, images, None
    good = {name: np.flatnonzero(~copied[name]) for name in images}
    images = {
        name: x if len(good[name]) == len(x) else take(x, good[name])
        for name, x in images.items()
    }
    rest = {name: tested[name][good[name]] for name in images}
    return pair, images, {"real": tested["real"][test]} | rest


def _notes(files, copied):
    """Warnings beside any result that are not in the audit: a list of str."""
    found = [describe_left_out(copied)]
    if not _has_facts(files):
        found += [NO_AUDIT, describe_copies(files)]
    return [message for message in found if message]


def _folder_factors(root, models):
    """The folder's own table, or the paper's if it has every model."""
    own = root / "factors.csv"
    path = own if own.is_file() else DATA / "factors.csv"
    if not path.is_file():
        return None
    table = read_factors(read_whole(path), path)
    unknown = [m for m in models if m not in table.index]
    if unknown and path == own:
        raise ValueError(_missing_rows(own, unknown, table.index))
    return None if unknown else table.loc[models]


def _missing_rows(path, unknown, known):
    cut = any(name.lstrip("0") in known for name in unknown)
    hint = (
        " Spreadsheets remove zeros at the start of a name; make that column text, "
        "or rename the folder."
    )
    return (
        f"{path} has no row for {unknown}, only for {list(known)}; add it, or remove "
        f"the file.{hint * cut} {MEANING}"
    )
