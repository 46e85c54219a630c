"""Folders of images by class: `real/` and `<model>/`, once or for each side."""

from ..choice import choose
from ..layout import class_paths, image_paths, subfolders
from .source import TEST, TRAIN, Item, Source, divided

TREE = "real/ and <model>/"
DIVIDED_TREE = "train/ and test/, each with real/ and <model>/"


def fits(root):
    """Whether there is a folder of real images."""
    return (root / "real").is_dir()


def read(root, models=None):
    """Find the images of `real/` and `<model>/`: a Source."""
    found = class_paths(root, models)
    items = {k: [Item(p.name, p) for p in paths] for k, paths in found.items()}
    return Source(TREE, root, items, {})


def fits_divided(root):
    """Whether there are folders of real images for training and for testing."""
    return (root / TRAIN / "real").is_dir() and (root / TEST / "real").is_dir()


def read_divided(root, models=None):
    """Find the images of `train/` and `test/`: a Source.

    Raises
    ------
    ValueError
        If there is another folder besides the two, or a class is on one side only.
    """
    others = sorted(set(subfolders(root)) - {TRAIN, TEST})
    if others:
        raise ValueError(
            f"{root} holds the folder {others[0]}/ beside train/ and test/; move it "
            "out, or put its images into one of the two."
        )
    known = {side: subfolders(root / side) for side in (TRAIN, TEST)}
    names = sorted(known[TRAIN].keys() | known[TEST].keys() - {"real"})
    names = [name for name in names if name != "real"]
    sides = {
        name: {side: _images(root, known[side].get(name)) for side in known}
        for name in ["real", *_chosen(root, names, models)]
    }
    return divided(DIVIDED_TREE, root, sides)


def _chosen(root, names, models):
    if not names:
        raise ValueError(
            f"{root} holds real images only; add train/<model>/ and test/<model>/."
        )
    return choose(models, names)


def _images(root, folder):
    paths = image_paths(folder) if folder is not None else []
    return [Item(path.relative_to(root).as_posix(), path) for path in paths]
