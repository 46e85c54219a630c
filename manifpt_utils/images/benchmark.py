"""Benchmarks: real images, samples of several generators, and their design factors.

`load("gm-photo/coffee")` reads the one that ships inside, `load("path/to/folder")` any
folder of the form `real/*.png`, `<model>/*.png`.
"""

import zlib
from dataclasses import dataclass

import numpy as np
import pandas as pd

from .photograph import PhotoManifold


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
