"""The layout of GenImage (Zhu et al. 2023): `<generator>/{train,val}/{ai,nature}/`.

The real images of all generators are one class.  The archives unpack to a folder inside
that of the generator, such as `BigGAN/imagenet_ai_0419_biggan/`; this folder is found
as well.
"""

from ..choice import choose
from ..layout import nested_image_paths, subfolders
from .source import TEST, TRAIN, divided, named

TREE = "GenImage: <generator>/train/ and val/, each with ai/ and nature/"
SIDES = {TRAIN: "train", TEST: "val"}


def fits(root):
    """Whether a folder, or one inside it, has the form of a generator's folder."""
    return bool(_generators(root))


def read(root, models=None):
    """Find the images of every generator, and all of `nature/` as one class: a Source.

    Raises
    ------
    ValueError
        If one generator has both sides and another only one.
    """
    found = _generators(root)
    chosen = choose(models, list(found))
    sides = {"real": {side: [] for side in SIDES}} | {name: {} for name in chosen}
    for name in chosen:
        for side, folder in SIDES.items():
            parts = found[name] / folder
            if _is_side(parts):
                sides["real"][side] += named(root, nested_image_paths(parts / "nature"))
                sides[name][side] = named(root, nested_image_paths(parts / "ai"))
    return divided(TREE, root, sides)


def _generators(root):
    """Folders of generators by name: the given folder, or those inside it."""
    if _is_generator(root):
        return {root.resolve().name: root}
    homes = {name: _home(folder) for name, folder in subfolders(root).items()}
    return {name: home for name, home in homes.items() if home is not None}


def _home(folder):
    """The folder, or the only one inside it, that has the form of a generator's."""
    if _is_generator(folder):
        return folder
    inside = [home for home in subfolders(folder).values() if _is_generator(home)]
    return inside[0] if len(inside) == 1 else None


def _is_generator(folder):
    return any(_is_side(folder / side) for side in SIDES.values())


def _is_side(folder):
    return (folder / "ai").is_dir() and (folder / "nature").is_dir()
