"""Data sets of torchvision as the real images, from local files; nothing is downloaded.

`torchvision:CIFAR10:/data` reads CIFAR-10 from the folder `/data`: its training images
for the manifold set, and its test images for the class `real`.  The images of models
lie in `/data/generated/<model>/`, or in the folder that `generated` names.
"""

from functools import partial
from pathlib import Path, PurePosixPath
from typing import NamedTuple

import numpy as np

from ..._support.suggestion import suggestion
from ..choice import choose
from ..image_files import Images, resized
from ..layout import image_paths, subfolders
from .source import TEST, TRAIN, Item, Source, read_files

PREFIX = "torchvision:"
TREE = "torchvision:<data set>:<folder>, with images of models in generated/<model>/"
CIFAR_RECORD = 1 + 3 * 32 * 32  # bytes: a category and an image
PARTS = {"0": TRAIN, "2": TEST}  # of CelebA; 1, its validation part, is left out


class Pixels(NamedTuple):
    """An image that never was a file."""

    side: str
    row: int


def fits(name):
    """Whether a name is that of a data set of torchvision."""
    return isinstance(name, str) and name.startswith(PREFIX)


def read(name, models=None, generated=None):
    """Find the real images of a data set, and images of models in a folder: a Source.

    Parameters
    ----------
    name : str
        "torchvision:<data set>:<folder>", for instance "torchvision:CIFAR10:/data".
    models : sequence of str, optional
    generated : str or Path, optional
        The folder with `<model>/`; by default `generated/` in the folder of the data
        set.

    Raises
    ------
    ValueError
        If the data set is unknown, its files are missing or damaged, or there are no
        images of models.
    """
    data_set, root = _parsed(name)
    found = DATA_SETS[data_set](root)
    folder = root / "generated" if generated is None else Path(generated).expanduser()
    items, arrays = {}, {}
    for side, real in zip((TRAIN, TEST), found, strict=True):
        if isinstance(real, np.ndarray):
            arrays[side] = real
            real = [Item(f"{side}/{i}", Pixels(side, i)) for i in range(len(real))]
        items[side] = real
    tested = np.arange(sum(map(len, items.values()))) >= len(items[TRAIN])
    classes = {"real": items[TRAIN] + items[TEST]} | _generated(folder, models)
    how = partial(_read, arrays) if arrays else read_files
    layout = f"{data_set} of torchvision as real images, and {folder.name}/<model>/"
    files = tuple(_files(root))
    return Source(layout, root / data_set, classes, {"real": tested}, how, files)


def _parsed(name):
    data_set, _, folder = name.removeprefix(PREFIX).partition(":")
    if data_set not in DATA_SETS:
        raise ValueError(
            f"unknown data set {data_set!r} in {name!r};"
            f"{suggestion(data_set, DATA_SETS)}"
        )
    root = Path(folder).expanduser()
    if not folder or not root.is_dir():
        raise ValueError(
            f"{name!r} names no folder; write torchvision:{data_set}:<folder>, with "
            "the folder that you give to torchvision as root."
        )
    return data_set, root


def _files(root):
    """Files of a data set that torchvision unpacks into folders of its root."""
    unpacked = [*root.glob("*-batches-*/*"), *root.glob("*/raw/*-ubyte")]
    return sorted(path for path in unpacked if path.is_file())


def _generated(folder, models):
    found = subfolders(folder) if folder.is_dir() else {}
    found.pop("real", None)  # the real images are those of the data set
    if not found:
        raise ValueError(
            f"{folder} holds no images of models; make a folder <model>/ there, or "
            "give generated=, the folder that has them."
        )
    return {
        name: [Item(path.name, path) for path in image_paths(found[name])]
        for name in choose(models, list(found))
    }


def _read(arrays, items, size):
    """Images of every class, the real ones from arrays: dict of str to Images."""
    places = [item.place for item in items["real"]]
    real = np.stack([arrays[side][row] for side, row in places])
    shape = size or real.shape[1:3]
    if real.shape[1:3] != tuple(shape):
        real = np.stack([resized(image, shape) for image in real])
    models = {name: found for name, found in items.items() if name != "real"}
    read = {name: read_files({"real": x}, size)["real"] for name, x in models.items()}
    for name, (pixels, _) in read.items():
        if pixels.shape[1:3] != tuple(shape):
            raise ValueError(
                f"images of {name!r} are {pixels.shape[2]} x {pixels.shape[1]} pixels, "
                f"real ones are {shape[1]} x {shape[0]}; give a size, for instance "
                f"size={min(*pixels.shape[1:3], *shape)}, to bring all to it."
            )
    return {"real": Images(real, None)} | read


# --- data sets --------------------------------------------------------------------


def _cifar10(root):
    """Images of CIFAR-10, from its binary version if it is there."""
    folder = root / "cifar-10-batches-bin"
    if not folder.is_dir():
        return _by_torchvision("CIFAR10", root)
    names = [[f"data_batch_{i}.bin" for i in range(1, 6)], ["test_batch.bin"]]
    return [np.concatenate([_records(folder / x) for x in side]) for side in names]


def _records(path):
    """Images of one file of the binary version, which holds plain bytes."""
    if not path.is_file():
        raise ValueError(f"{path} is missing; unpack cifar-10-binary.tar.gz again.")
    content = np.frombuffer(path.read_bytes(), np.uint8)
    if not len(content) or len(content) % CIFAR_RECORD:
        raise ValueError(
            f"{path} holds {len(content):,} bytes, which are not images of "
            f"{CIFAR_RECORD:,} bytes each; unpack cifar-10-binary.tar.gz again."
        )
    images = content.reshape(-1, CIFAR_RECORD)[:, 1:].reshape(-1, 3, 32, 32)
    return np.ascontiguousarray(images.transpose(0, 2, 3, 1))


def _by_torchvision(name, root):
    """Images of a data set of which torchvision keeps one array per side.

    The Python version of CIFAR-10 is pickled, and a pickle can run any program when it
    is read.  Torchvision reads it only after the check sums of all files were found to
    be the published ones, so nothing but the known content is read.
    """
    from ..._support.torchvision import torchvision

    data_set = getattr(torchvision.datasets, name)
    try:
        sides = [np.asarray(data_set(root, train=x).data) for x in (True, False)]
    except (RuntimeError, ValueError, OSError) as error:
        raise ValueError(
            f"torchvision finds no {name} in {root}, or not with the published check "
            f"sums ({error}); unpack the original archive there again."
        ) from error
    grey = sides[0].ndim == 3
    return [np.repeat(x[..., None], 3, axis=-1) if grey else x for x in sides]


def _celeba(root):
    """Files of CelebA, divided as its own table prescribes."""
    folder = root / "celeba" / "img_align_celeba"
    table = root / "celeba" / "list_eval_partition.txt"
    for path in (folder, table):
        if not path.exists():
            raise ValueError(f"{path} is missing; unpack CelebA there.")
    known = {path.name: path for path in image_paths(folder)}
    sides = {TRAIN: [], TEST: []}
    for line in table.read_text("utf-8").splitlines():
        name, _, part = line.strip().partition(" ")
        side = sides.get(PARTS.get(part.strip()))
        if side is not None:
            side.append(Item(name, _of_table(name, known, table)))
    if not all(sides.values()):
        raise ValueError(f"{table} names no images for either side; get it again.")
    return list(sides.values())


def _of_table(name, known, table):
    if name not in known or PurePosixPath(name).name != name:
        raise ValueError(f"{table} names {name!r}, which img_align_celeba lacks.")
    return known[name]


DATA_SETS = {
    "CIFAR10": _cifar10,
    "CelebA": _celeba,
    "FashionMNIST": partial(_by_torchvision, "FashionMNIST"),
    "MNIST": partial(_by_torchvision, "MNIST"),
}
