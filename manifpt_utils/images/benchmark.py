"""Benchmarks: real images, samples of several generators, and their design factors.

`load("gm-photo/coffee")` reads the one that ships inside, `load("path/to/folder")` any
folder of the form `real/*.png`, `<model>/*.png`.
"""

import math
import zlib
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import pandas as pd

from .audit import Audit
from .photograph import PhotoManifold
from .validation import check_integer


class RealSplit(NamedTuple):
    """How the real images of a folder were divided."""

    total: int
    test_fraction: float


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
    audit : Audit, optional
        How the files are stored, where the benchmark is a folder; `audit.warnings` is
        what has to be said beside any result on them.
    split : RealSplit, optional
        How the real images were divided, where the benchmark is a folder.
    normalise : {None, "png", "size", "jpeg90"}
        How the images were treated, see the function `normalise`; later images are to
        be treated in the same way.

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
    audit: Audit | None = None
    split: RealSplit | None = None
    normalise: str | None = None

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

    @property
    def warnings(self):
        """What has to be said beside any result on these images: a list of str."""
        return [] if self.audit is None else self.audit.warnings

    def labelled(self, n, *, seed=0, with_real=False):
        """Draw images of every class without replacement, to tell the classes apart.

        What is drawn from a class depends on the seed and the class alone, and the
        first images of a larger `n` are those of a smaller one.

        Parameters
        ----------
        n : int
            Images per class.
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
            If a class holds fewer than `n` images, `n` is not positive, or there is
            only one class.
        """
        classes = self.images | ({"real": self.real_test} if with_real else {})
        if len(classes) < 2:
            raise ValueError(
                f"{self.name} has one model, {self.models}: attribution among models "
                "needs two or more. Add a model, tell it from real images "
                "(with_real=True), or draw its images without labels (generated)."
            )
        return self._drawn(classes, n, seed), np.repeat(list(classes), n)

    def generated(self, n, *, seed=0):
        """Draw images of every model without replacement, as `labelled` does.

        Parameters
        ----------
        n : int
            Images per model.
        seed : int

        Returns
        -------
        (n * models, h, w, 3) uint8 array

        Raises
        ------
        ValueError
            If a model has fewer than `n` images, or `n` is not positive.
        """
        return self._drawn(self.images, n, seed)

    def _drawn(self, classes, n, seed):
        check_integer(n, "n", 1)
        smallest = min(classes, key=lambda name: len(classes[name]))
        if len(classes[smallest]) < n:
            raise ValueError(self._shortage(smallest, len(classes[smallest]), n))
        parts = [x[_order(name, len(x), seed)[:n]] for name, x in classes.items()]
        return np.concatenate(parts)

    def _shortage(self, name, found, n):
        asked = f"n={n} images per class were asked for, but class {name!r} holds"
        if name != "real" or self.split is None:
            return f"{asked} {found}; ask for at most that many."
        total, fraction = self.split
        return (
            f"{asked} {found}: of the {total} real images of {self.name} a share of "
            f"test_fraction={fraction:g} is kept as the class 'real', and the others "
            f"stand for the manifold. Ask for at most {found}, or give about "
            f"{math.ceil(n / fraction):,} real images."
        )


def _order(name, n, seed):
    """A permutation that belongs to one class, whatever other classes there are."""
    return np.random.default_rng([seed, zlib.crc32(name.encode())]).permutation(n)
