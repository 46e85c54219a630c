"""Small images and folders of them."""

import numpy as np
from PIL import Image


def noise(n, *, seed=0, size=(8, 8)):
    return np.random.default_rng(seed).integers(0, 256, (n, *size, 3), dtype=np.uint8)


def write_images(folder, images, *, suffix=".png", **options):
    folder.mkdir(parents=True, exist_ok=True)
    for i, image in enumerate(images):
        Image.fromarray(image).save(folder / f"{i:03}{suffix}", **options)


def write_folder(root, *, n=20, models=("a", "b"), size=(8, 8), **options):
    """Real images and models of one recipe: noise, and nothing to learn."""
    for seed, name in enumerate(["real", *models]):
        write_images(root / name, noise(n, seed=seed, size=size), **options)
    return root
