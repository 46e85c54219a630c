"""A benchmark from a folder of images: `real/` and one sub-folder for each model."""

import hashlib
import warnings
from difflib import get_close_matches
from numbers import Integral
from pathlib import Path

import numpy as np
from sklearn.model_selection import GroupShuffleSplit

from .._support.paths import DATA
from .benchmark import Benchmark
from .choice import choose
from .factors import read_factors
from .image_files import image_paths, read_images


def from_folder(
    path, *, models=None, n_real=None, test_fraction=0.2, size=None, seed=0
):
    """Load real and generated images from a folder.

    ::

        root/real/*.png          views of the world
        root/<model>/*.png       samples of one generator, two generators or more
        root/factors.csv         optional: column `model` and those of `factors`

    Files may be PNG, JPEG, WebP, BMP or TIFF, in 8 bits of RGB or grey.  Without a
    `factors.csv` the table of the paper's 27 models is used, if it knows all of yours.
    The real images are split at random into `real` and `real_test`; copies of one
    image stay on one side.

    Parameters
    ----------
    path : str or Path
    models : sequence of str, optional
        Which generators; all by default.
    n_real : int, optional
        Size of the manifold set; what the test leaves by default.
    test_fraction : float
        Share of the real images that is kept for `real_test`.
    size : int or (int, int), optional
        Height and width to bring every image to, by one centred crop and one Lanczos
        step.  Without it all images must be of one size.
    seed : int
        Of the split.

    Returns
    -------
    Benchmark

    Raises
    ------
    ValueError
        If the folder is not of this form, an image is damaged or not 8-bit, or there
        are too few real images.

    Warns
    -----
    UserWarning
        If classes differ in file format, or only some were resized: both are traces
        that give a class away whatever model made it.
    """
    size = _check_options(size, test_fraction)
    root = Path(path).expanduser()
    paths = {name: image_paths(f) for name, f in _class_folders(root, models).items()}
    reference = paths["real"][0]
    read = {
        name: read_images(files, size=size, reference=reference)
        for name, files in paths.items()
    }
    _warn_of_traces(read)
    images = {name: x.pixels for name, x in read.items()}
    real, test = _split(images.pop("real"), n_real, test_fraction, seed, root)
    factors = _folder_factors(root, list(images))
    return Benchmark(root.resolve().name, real, test, images, factors=factors)


def _check_options(size, test_fraction):
    """Return the size as height and width."""
    if not 0 < test_fraction < 1:
        raise ValueError(
            f"test_fraction must lie between 0 and 1, got {test_fraction}; 0.2 keeps a "
            "fifth of the real images for the test."
        )
    if size is None:
        return None
    pair = (size, size) if np.isscalar(size) else tuple(size)
    if len(pair) != 2 or not all(isinstance(s, Integral) and s > 0 for s in pair):
        raise ValueError(f"size must be one or two positive integers, got {size!r}.")
    return pair


def _class_folders(root, models):
    if not root.is_dir():
        raise ValueError(f"{root} is not a folder; give one with real/ and <model>/.")
    folders = {
        p.name: p
        for p in sorted(root.iterdir())
        if p.is_dir() and not p.name.startswith((".", "__"))
    }
    if "real" not in folders:
        near = get_close_matches("real", map(str.lower, folders), n=1)
        hint = "".join(f" Rename {f!r}?" for f in folders if f.lower() in near)
        raise ValueError(f"{root} has no sub-folder real/ with the real images.{hint}")
    known = [name for name in folders if name != "real"]
    if len(known) < 2:
        raise ValueError(
            f"{root} holds {len(known)} model folder(s) beside real/ {known}; to tell "
            "models apart, at least two are needed."
        )
    return {name: folders[name] for name in ["real", *choose(models, known)]}


def _warn_of_traces(read):
    formats = {name: "/".join(sorted(x.formats)) for name, x in read.items()}
    if len(set(formats.values())) > 1:
        warnings.warn(
            f"file formats differ between classes {formats}: compression gives classes "
            "away. Store all of them in one format.",
            stacklevel=3,
        )
    if len(set().union(*(x.resized for x in read.values()))) > 1:
        kept = [name for name, x in read.items() if False in x.resized]
        warnings.warn(
            f"images were resized, but not all of {kept}: the filter gives classes "
            "away. Choose a size that none of them has.",
            stacklevel=3,
        )


def _split(real, n_real, test_fraction, seed, root):
    """Disjoint manifold and test sets; copies of one image stay together."""
    digests = np.array([hashlib.sha256(x).hexdigest() for x in real])
    if len(np.unique(digests)) < 2:
        raise ValueError(
            f"{root / 'real'} holds {len(real)} image(s), all the same; at least two "
            "different ones are needed, one for the manifold and one for the test."
        )
    splitter = GroupShuffleSplit(1, test_size=test_fraction, random_state=seed)
    kept, test = next(splitter.split(real, groups=digests))
    wanted = len(kept) if n_real is None else n_real
    if not 1 <= wanted <= len(kept):
        raise ValueError(
            f"n_real={n_real}, but {root / 'real'} holds {len(real)} images, of which "
            f"{len(test)} are kept for the test; ask for 1 to {len(kept)}, or add some."
        )
    rng = np.random.default_rng(seed)
    return real[rng.permutation(kept)[:wanted]], real[rng.permutation(test)]


def _folder_factors(root, models):
    """The folder's own table, or the rows of ours if it knows every model."""
    own = root / "factors.csv"
    path = own if own.is_file() else DATA / "factors.csv"
    if not path.is_file():
        return None
    table = read_factors(path.read_bytes())
    unknown = [m for m in models if m not in table.index]
    if unknown and path == own:
        raise ValueError(f"{own} has no row for {unknown}; add it or remove the file.")
    return None if unknown else table.loc[models]
