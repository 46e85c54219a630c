"""Images that are easy to tell apart, for all that learns from them."""

import numpy as np
import pytest


@pytest.fixture
def easy_images():
    """Function of a number: that many images per model, and the model names."""

    def draw(n, seed=0, size=8):
        rng = np.random.default_rng(seed)
        labels = np.repeat(["dcgan", "ddpm", "glow"], n)
        x = rng.normal(128, 20, (3 * n, size, size, 3))
        x[labels == "ddpm", ::2] += 40
        x[labels == "glow", :, ::2] += 40
        return np.clip(x, 0, 255).astype(np.uint8), labels

    return draw


@pytest.fixture
def easy_rows(easy_images):
    """The same as rows of numbers in 0..1."""

    def draw(n, seed=0, size=8):
        images, labels = easy_images(n, seed, size)
        return images.reshape(len(images), -1).astype(np.float32) / 255, labels

    return draw
