"""The layout of ForenSynths (Wang et al. 2020): `<model>/{0_real,1_fake}/`.

Some models have a folder for each category in between, such as `progan/airplane/`.
The real images of all models are one class.
"""

from ..choice import choose
from ..layout import image_paths, subfolders
from .source import Source, named

TREE = "ForenSynths: <model>/0_real/ and 1_fake/, or these in <model>/<category>/"
REAL, FAKE = "0_real", "1_fake"


def fits(root):
    """Whether a folder inside has real and generated images."""
    return bool(_models(root))


def read(root, models=None):
    """Find the images of every model, and the real ones of all: a Source."""
    found = _models(root)
    items = {"real": []}
    for name in choose(models, list(found)):
        for pair in found[name]:
            items["real"] += named(root, image_paths(pair / REAL))
            items.setdefault(name, []).extend(named(root, image_paths(pair / FAKE)))
    return Source(TREE, root, items, {})


def _models(root):
    """The folders with real and generated images, by model."""
    found = {name: _pairs(folder) for name, folder in subfolders(root).items()}
    return {name: pairs for name, pairs in found.items() if pairs}


def _pairs(folder):
    inside = [folder, *subfolders(folder).values()]
    return [x for x in inside if (x / REAL).is_dir() and (x / FAKE).is_dir()]
