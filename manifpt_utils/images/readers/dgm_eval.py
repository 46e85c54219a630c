"""The layout of dgm-eval (Stein et al. 2023): a folder of images for each model.

Beside these folders lie the real images: those of the training in `train/`, and others
of their kind in `test/`; one of the two is enough.  A folder may hold a numbered folder
for each category, as in `train/0/0001.png`.  Only the real images are divided into two
sides.
"""

import os

import numpy as np

from ..choice import choose
from ..layout import nested_image_paths, subfolders
from .source import TEST, TRAIN, Source, named

TREE = "dgm-eval: <model>/ beside the real images in train/, test/ or both"


def fits(root):
    """Whether there are images in `train` or `test`, and a folder of another name."""
    folders = subfolders(root)
    sides = [folders.pop(side) for side in (TRAIN, TEST) if side in folders]
    return bool(sides and folders) and all(map(_holds_images, sides))


def read(root, models=None):
    """Find the images of every model and the real ones: a Source."""
    folders = subfolders(root)
    sides = {
        side: named(root, nested_image_paths(folders.pop(side)))
        for side in (TRAIN, TEST)
        if side in folders
    }
    real = [item for found in sides.values() for item in found]
    items = {"real": real} | {
        name: named(root, nested_image_paths(folders[name]))
        for name in choose(models, list(folders))
    }
    tested = np.arange(len(real)) >= len(sides.get(TRAIN, []))
    return Source(TREE, root, items, {"real": tested} if len(sides) == 2 else {})


def _holds_images(folder):
    """Whether a folder holds files, or numbered folders alone."""
    with os.scandir(folder) as entries:
        names = [(x.name, x.is_dir()) for x in entries if not x.name.startswith(".")]
    kinds = {is_dir for _, is_dir in names}
    return kinds == {False} or (
        kinds == {True} and all(name.isdecimal() for name, _ in names)
    )
