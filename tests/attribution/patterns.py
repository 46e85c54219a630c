"""A folder of images whose three models differ as plainly as could be."""

import numpy as np
from PIL import Image

SIZE = 12
PATTERNS = {
    "stripes": np.arange(SIZE)[:, None, None] % 2 * 1.0,
    "columns": np.arange(SIZE)[None, :, None] % 2 * 1.0,
    "dots": (np.add.outer(np.arange(SIZE), np.arange(SIZE)) % 2)[..., None] * 1.0,
}


def pictures(name, n, *, strength=60, seed=0):
    """Noisy grey images with the pattern of a model, or none for real ones."""
    rng = np.random.default_rng([seed, len(name), ord(name[0])])
    x = 100 + 30 * rng.normal(size=(n, SIZE, SIZE, 3))
    x = x + strength * PATTERNS.get(name, 0)
    return np.clip(np.rint(x), 0, 255).astype(np.uint8)


def write(folder, images):
    """Store images as PNG files."""
    folder.mkdir(parents=True, exist_ok=True)
    for i, image in enumerate(images):
        Image.fromarray(image).save(folder / f"{i:03d}.png")
    return folder
