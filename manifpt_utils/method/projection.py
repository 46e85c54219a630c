"""What all estimates of the closest point, and all controls, have in common."""

from typing import NamedTuple

import numpy as np
from sklearn.base import (
    BaseEstimator,
    ClassNamePrefixFeaturesOutMixin,
    TransformerMixin,
)

BYTES = 2**28  # memory for what is computed at once


class EstimatedProjection(NamedTuple):
    """Estimates of the closest points, all in the embedding space."""

    x_star: np.ndarray  # (n, d) float32
    artifact: np.ndarray  # (n, d) float32, x_G - x_star
    distance: np.ndarray  # (n,) float64, norm of the artifact
    index: np.ndarray  # (n, k) int64, neighbours among the real images, nearest first


class Projector(ClassNamePrefixFeaturesOutMixin, TransformerMixin, BaseEstimator):
    """A transformer from images to artifacts: `fit` on real images, then `project`.

    Attributes
    ----------
    image_shape_ : tuple or None
        (h, w, 3) where artifacts are images, None where they are plain vectors.
    """

    def transform(self, images):
        """Artifacts of the images: (n, d) float32 array."""
        return self.project(images).artifact

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.transformer_tags.preserves_dtype = ["float32"]
        return tags


def displacement(x, x_star, index=None):
    """The projection that takes x to x_star; without an index it has no neighbours.

    Examples
    --------
    >>> x = np.array([[3.0, 4.0]], np.float32)
    >>> displacement(x, np.zeros_like(x)).distance
    array([5.])
    """
    if index is None:
        index = np.empty((len(x), 0), dtype=np.int64)
    artifact = x - x_star
    distance = np.sqrt(np.einsum("ij,ij->i", artifact, artifact, dtype=np.float64))
    return EstimatedProjection(x_star, artifact, distance, index)


def rows_within(numbers, *, memory=BYTES):
    """How many rows of float32 numbers fit into some bytes; at least one.

    Examples
    --------
    >>> rows_within(1000, memory=12_000), rows_within(1000, memory=1)
    (3, 1)
    """
    return max(1, memory // (4 * numbers))
