"""Benchmarks: real images, samples of several generators, and their design factors.

`load("gm-photo/coffee")` reads the one that ships inside, `load("path/to/folder")` any
folder of the form `real/*.png`, `<model>/*.png`.
"""

import hashlib
import io
import json
import warnings
import zlib
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from difflib import get_close_matches
from numbers import Integral
from pathlib import Path

import numpy as np
import pandas as pd
from PIL import Image
from sklearn.model_selection import GroupShuffleSplit

from .image_files import image_paths, read_images
from .parameters import suggestion
from .photos import PHOTOGRAPHS, PhotoManifold

DATA = Path(__file__).resolve().parents[1] / "data"
N_REAL, N_TEST = 8000, 2000
MANIFOLD_SEED, TEST_SEED = 0, 1  # the generators were trained on the first
COLUMNS = 40  # of a sheet of samples
# The data set of the paper that each photograph plays: a column of factors.csv.
DATA_SETS = {
    "coffee": "gm_celeba",
    "flower": "gm_cifar10",
    "astronaut": "gm_chq",
    "china": "gm_ffhq",
}
# One or more of each family, trained on the first two photographs.
CORE = ("dcgan", "lsgan", "wgan_gp", "beta_vae", "glow", "ddpm")
RECORDED = ("family", "parameters", "steps", "training_cpu_seconds", "images")
FACTORS = ["family", "up", "nl_last", "norm", "down", "skip", "loss", "loss_fine"]


@dataclass(frozen=True, eq=False, repr=False)
class Benchmark:
    """Real and generated images of one size, 8-bit RGB.

    Parameters
    ----------
    name : str
    real : (n, h, w, 3) uint8 array
        The manifold set: what stands for the data manifold.
    real_test : (m, h, w, 3) uint8 array
        Other real images, to be told apart from generated ones.
    images : dict of str to (k, h, w, 3) uint8 array
        Samples by model.
    factors : DataFrame, optional
        Index `model`; columns `family`, `up`, `nl_last`, `norm`, `down`, `skip`,
        `loss`, `loss_fine`.
    manifold : PhotoManifold, optional
        The exact manifold, where it is known.

    Raises
    ------
    ValueError
        If an array is not uint8 (n, h, w, 3), or the sizes differ.
    """

    name: str
    real: np.ndarray
    real_test: np.ndarray
    images: dict[str, np.ndarray]
    factors: pd.DataFrame | None = None
    manifold: PhotoManifold | None = None

    def __post_init__(self):
        arrays = {"real": self.real, "real_test": self.real_test, **self.images}
        for name, x in arrays.items():
            if x.dtype != np.uint8 or x.ndim != 4 or x.shape[3] != 3:
                raise ValueError(
                    f"{name} must be uint8 (n, h, w, 3), got {x.dtype} {x.shape}."
                )
            if x.shape[1:] != self.real.shape[1:]:
                raise ValueError(
                    f"{name} holds images of shape {x.shape[1:]}, real of "
                    f"{self.real.shape[1:]}; bring all classes to one size."
                )

    def __repr__(self):
        return (
            f"Benchmark({self.name!r}, real={len(self.real)}, "
            f"real_test={len(self.real_test)}, models={self.models})"
        )

    @property
    def models(self):
        """Names of the generators."""
        return list(self.images)

    def labelled(self, n, *, seed=0, with_real=False):
        """Draw images of every class without replacement.

        What is drawn from a class depends on the seed and the class alone, and the
        first images of a larger `n` are those of a smaller one.

        Parameters
        ----------
        n : int
            Images a class.
        seed : int
        with_real : bool
            Add the class "real", from `real_test`.

        Returns
        -------
        images : (n * classes, h, w, 3) uint8 array
        labels : (n * classes,) str array

        Raises
        ------
        ValueError
            If a class holds fewer than `n` images, or `n` is not positive.
        """
        classes = dict(self.images)
        if with_real:
            classes["real"] = self.real_test
        _check_counts(classes, n)
        parts = [x[_order(name, len(x), seed)[:n]] for name, x in classes.items()]
        return np.concatenate(parts), np.repeat(list(classes), n)


def _check_counts(classes, n):
    if n < 1:
        raise ValueError(f"n must be at least 1 image a class, got {n}.")
    smallest = min(classes, key=lambda name: len(classes[name]))
    if len(classes[smallest]) < n:
        raise ValueError(
            f"n={n} images a class were asked for, but class {smallest!r} holds "
            f"{len(classes[smallest])}; ask for at most that many."
        )


def _order(name, n, seed):
    """A permutation that belongs to one class, whatever other classes there are."""
    return np.random.default_rng([seed, zlib.crc32(name.encode())]).permutation(n)


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
        return _load_photo(
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


def retrained(benchmark, n, *, models=None, data_folder=None):
    """Samples of the same recipes, trained again from other random starts.

    Parameters
    ----------
    benchmark : Benchmark
    n : int
        Samples of each further training.
    models : sequence of str, optional
        Of the benchmark's models; all by default.
    data_folder : Path, optional
        As for `load`.

    Returns
    -------
    images : (m, h, w, 3) uint8 array
    labels : (m,) str array
        Model names; both are empty where nothing was trained again.

    Examples
    --------
    >>> images, labels = retrained(load("gm-photo/coffee", n_real=1), 5)
    >>> len(images) == len(labels)
    True
    """
    folder = Path(data_folder or DATA)
    photo = getattr(benchmark.manifold, "photo", None)
    manifest = read_manifest(folder) if photo else {}
    sheets = {
        (model, seed): read_sheet(folder, name, manifest)[:n]
        for model, files in sorted(_trained(manifest, photo).items())
        for seed, name in sorted(files.items())
        if seed and model in (models or benchmark.models)
    }
    empty = np.empty((0, *benchmark.real.shape[1:]), np.uint8)
    labels = [np.repeat(model, len(x)) for (model, _), x in sheets.items()]
    return (
        np.concatenate([empty, *sheets.values()]),
        np.concatenate([np.empty(0, "U1"), *labels]),
    )


def records(photo, *, data_folder=None):
    """What is known of every stored training on one photograph.

    Parameters
    ----------
    photo : str
        "coffee", "flower", ...
    data_folder : Path, optional
        As for `load`.

    Returns
    -------
    DataFrame
        Indexed by model and seed: `family`, `parameters`, `steps`,
        `training_cpu_seconds`, `images`, and the measured quality, described in the
        data card.  Empty where nothing is stored.

    Examples
    --------
    >>> records("coffee").loc[("dcgan", 0), "images"].item()
    1000
    """
    folder = Path(data_folder or DATA)
    manifest = read_manifest(folder)
    rows = {}
    for model, files in _trained(manifest, photo).items():
        for seed, name in files.items():
            path = Path(name).with_suffix(".json").as_posix()
            content = json.loads(verified(folder, path, manifest))
            kept = {key: content[key] for key in RECORDED if key in content}
            rows[model, seed] = kept | content.get("quality", {})
    table = pd.DataFrame.from_dict(rows, orient="index")
    table.index = pd.MultiIndex.from_tuples(rows, names=["model", "seed"])
    return table


def listed(photo, *, data_folder=None):
    """The models that the paper lists for the data set that a photograph plays.

    Parameters
    ----------
    photo : str
        "coffee", "flower", ...
    data_folder : Path, optional
        As for `load`.

    Returns
    -------
    tuple of str

    Examples
    --------
    >>> {photo: len(listed(photo)) for photo in DATA_SETS}
    {'coffee': 15, 'flower': 12, 'astronaut': 17, 'china': 8}
    """
    folder = Path(data_folder or DATA)
    content = verified(folder, "factors.csv", read_manifest(folder))
    table = pd.read_csv(io.BytesIO(content), index_col="model")
    return tuple(table.index[table[DATA_SETS[photo]].astype(bool)])


def _load_photo(photo, models, seed, n_real, data_folder):
    folder = Path(data_folder or DATA)
    n_real = N_REAL if n_real is None else n_real
    if n_real < 1:
        raise ValueError(f"n_real must be at least 1, got {n_real}.")
    manifest = read_manifest(folder)
    trained = _trained(manifest, photo)
    if not trained:
        raise ValueError(
            f"{folder} holds no samples of gm-photo/{photo}; generators are made by "
            "`python -m manifpt_utils.zoo train` and stored by its `pack`."
        )
    table = _read_factors(verified(folder, "factors.csv", manifest))
    files = _choose_files(trained, seed, models, table.index)
    images = {
        model: read_sheet(folder, name, manifest) for model, name in files.items()
    }
    manifold = PhotoManifold(photo)
    return Benchmark(
        name=f"gm-photo/{photo}",
        real=manifold.sample(n_real, seed=MANIFOLD_SEED),
        real_test=manifold.sample(N_TEST, seed=TEST_SEED),
        images=images,
        factors=table.loc[list(images)],
        manifold=manifold,
    )


def read_manifest(folder=None):
    """Read the list of data files: name to sha256, bytes and what else is known.

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
        "`python -m manifpt_utils.zoo pack --only-manifest`."
    )
    if name not in manifest:
        raise ValueError(f"{path} is not listed in the manifest; {remedy}")
    if not path.is_file():
        raise ValueError(f"{path} is missing; {remedy}")
    content = path.read_bytes()
    if hashlib.sha256(content).hexdigest() != manifest[name]["sha256"]:
        raise ValueError(f"{path} is not the file the manifest lists; {remedy}")
    return content


def _trained(manifest, photo):
    """Sheets of one photograph: {model: {seed: file name}}."""
    found = defaultdict(dict)
    for name in manifest:
        path = Path(name)
        if path.parent.as_posix() == f"gm-photo/{photo}" and path.suffix == ".webp":
            model, _, seed = path.stem.rpartition("-")
            found[model][int(seed)] = name
    return found


def _choose_files(trained, seed, models, order):
    with_seed = [m for m in order if seed in trained.get(m, {})]
    if not with_seed:
        seeds = sorted({s for files in trained.values() for s in files})
        raise ValueError(f"no generator has training_seed={seed}; there are {seeds}.")
    where = f" with training_seed={seed}" if seed else ""
    return {m: trained[m][seed] for m in _choose(models, with_seed, where, CORE)}


def _choose(models, known, where="", core=()):
    """The asked models in the order of the known ones."""
    if models is None:
        return list(known)
    if isinstance(models, str) or not isinstance(models, Iterable):
        models = [models]
    models = list(models)
    if not models:
        raise ValueError(f"models= is empty; leave it out, or name some of {known}.")
    groups = {"all": known, "core": [m for m in core if m in known] or known}
    chosen = [m for model in models for m in groups.get(model, [model])]
    for model in chosen:
        if model not in known:
            raise ValueError(
                f"unknown model {model!r}{where};{suggestion(model, known)}"
            )
    return [m for m in known if m in chosen]


def read_sheet(folder, name, manifest):
    """Read and verify a sheet of samples.

    Returns
    -------
    (n, h, w, 3) uint8 array
    """
    content, entry = verified(folder, name, manifest), manifest[name]
    with Image.open(io.BytesIO(content), formats=("WEBP",)) as image:
        sheet = np.array(image.convert("RGB"))
    return cut_sheet(sheet, entry["images"], entry["shape"])


def cut_sheet(sheet, n, shape):
    """Take the first `n` images, row by row, from a sheet of `COLUMNS` columns."""
    h, w, channels = shape
    tiles = sheet.reshape(-1, h, COLUMNS, w, channels).swapaxes(1, 2)
    return np.ascontiguousarray(tiles.reshape(-1, h, w, channels)[:n])


def _read_factors(content):
    table = pd.read_csv(io.BytesIO(content), index_col="model", keep_default_na=False)
    missing = [column for column in FACTORS if column not in table]
    if missing:
        raise ValueError(f"factors.csv lacks the columns {missing}.")
    return table[FACTORS]


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
    return {name: folders[name] for name in ["real", *_choose(models, known)]}


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
    table = _read_factors(path.read_bytes())
    unknown = [m for m in models if m not in table.index]
    if unknown and path == own:
        raise ValueError(f"{own} has no row for {unknown}; add it or remove the file.")
    return None if unknown else table.loc[models]
