"""Benchmarks: real images, samples of several generators, and their design factors.

`load("gm-photo/coffee")` reads the benchmark that ships with the package.
`load("path/to/folder")` reads any folder of the form `real/*.png`, `<model>/*.png`, and
the other layouts that `load` lists.
"""

import math
import warnings
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
import pandas as pd

from .audit import Audit
from .choice import shuffled
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
        The manifold set: the real images that stand for the data manifold.
    real_test : (m, h, w, 3) uint8 array
        Other real images, which are to be told from generated ones.
    images : dict of str to (k, h, w, 3) uint8 array
        Samples by model.
    factors : DataFrame, optional
        Index `model`; columns `family`, `up`, `nl_last`, `norm`, `down`, `skip`,
        `loss`, `loss_fine`.
    manifold : PhotoManifold, optional
        The exact manifold, if it is known.
    audit : Audit, optional
        How the files are stored, if the benchmark is a folder; `audit.warnings` belong
        beside any result on these images.
    split : RealSplit, optional
        How the real images were divided, if they were divided at random.
    layout : str, optional
        The layout in which the images were found, in words.
    tested : dict of str to bool array, optional
        Which images are for the test, for each model and for "real" (of `real_test`),
        if the images came with their own split; `for_evaluation` keeps to it.
    notes : sequence of str
        Further warnings that belong beside any result, besides those of the audit.
    normalise : {None, "png", "size", "jpeg90"}
        How the images were treated, see the function `normalise`; later images must be
        treated in the same way.
    resized : bool
        Whether the images were brought to a size that was asked for.

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
    layout: str | None = None
    tested: dict[str, np.ndarray] | None = None
    notes: tuple[str, ...] = ()
    normalise: str | None = None
    resized: bool = False

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
            f"real_test={len(self.real_test)}, models={self.models}"
            f"{'' if self.layout is None else f', layout={self.layout!r}'})"
        )

    @property
    def models(self):
        """Names of the generators."""
        return list(self.images)

    @property
    def warnings(self):
        """list of str: Warnings that belong beside any result on these images."""
        return [*self.notes, *([] if self.audit is None else self.audit.warnings)]

    def labelled(self, n, *, seed=0, with_real=False):
        """Draw labelled images of every class, without replacement.

        The images of a class depend only on the seed and the class, and a larger `n`
        begins with the images of a smaller one.

        Parameters
        ----------
        n : int
            Images per class.
        seed : int
        with_real : bool
            Whether to add the class "real", from `real_test`.

        Returns
        -------
        images : (n * classes, h, w, 3) uint8 array
        labels : (n * classes,) str array

        Raises
        ------
        ValueError
            If a class holds fewer than `n` images, `n` is not positive, or there is
            only one class.

        Warns
        -----
        UserWarning
            If the images came with their own split, which is not kept here.
        """
        if self.tested is not None:
            warnings.warn(
                f"images of {self.name} are drawn from both sides of the split they "
                "came with; use for_evaluation to keep the sides apart.",
                stacklevel=2,
            )
        classes = self._classes(with_real)
        return self._drawn(classes, n, seed), np.repeat(list(classes), n)

    def for_evaluation(self, n_train, n_test, *, seed=0, with_real=False):
        """Draw images of every class to train and to test on, as `evaluate` takes them.

        ::

            images, labels, tested = benchmark.for_evaluation(100, 50)
            evaluate(model, images, labels, n_train=100, n_test=50, tested=tested)

        Parameters
        ----------
        n_train, n_test : int
            Images per class.
        seed : int
        with_real : bool
            Add the class "real", from `real_test`.

        Returns
        -------
        images : (n, h, w, 3) uint8 array
        labels : (n,) str array
        tested : (n,) bool array or None
            Which of them are for the test, where the images came with a split of their
            own; None where that is left to chance, as by `labelled`.

        Raises
        ------
        ValueError
            If a class has too few images, on a side where there are two, or there is
            only one class.
        """
        options = {"seed": seed, "with_real": with_real}
        if self.tested is not None:
            return self.given_split(n_train, n_test, **options)
        return *self.labelled(n_train + n_test, **options), None

    def has_real(self, n_train, n_test):
        """Whether `for_evaluation` finds as many images of the class "real"."""
        n = len(self.real_test)
        if self.tested is None:
            return n >= n_train + n_test
        n_tested = int(self.tested["real"].sum())
        return n - n_tested >= n_train and n_tested >= n_test

    def at_most(self, n, *, seed=0):
        """A benchmark with at most n random images of every model, and of `real_test`.

        Parameters
        ----------
        n : int
        seed : int

        Returns
        -------
        Benchmark
        """
        rng, found = np.random.default_rng(seed), dict(self.tested or {})
        classes = {}
        for name, x in (*self.images.items(), ("real", self.real_test)):
            rows = np.sort(rng.permutation(len(x))[:n])
            classes[name] = x[rows]
            if name in found:
                found[name] = found[name][rows]
        real_test, tested = classes.pop("real"), None if self.tested is None else found
        return replace(self, images=classes, real_test=real_test, tested=tested)

    def given_split(self, n_train=None, n_test=None, *, seed=0, with_real=False):
        """Draw images of every class from both sides of the split they came with.

        ::

            images, labels, tested = benchmark.given_split(100, 50)
            evaluate(model, images, labels, n_train=100, n_test=50, tested=tested)

        Parameters
        ----------
        n_train, n_test : int, optional
            Images per class; by default as many as the smallest class has.
        seed : int
        with_real : bool
            Whether to add the class "real", from `real_test`.

        Returns
        -------
        images : (n, h, w, 3) uint8 array
        labels : (n,) str array
        tested : (n,) bool array
            Which images are for the test.

        Raises
        ------
        ValueError
            If there is no such split, a class has too few images on a side, or there
            is only one class.
        """
        if self.tested is None:
            raise ValueError(
                f"{self.name} came without its own split; draw by labelled, and "
                "let evaluate divide."
            )
        classes = self._classes(with_real)
        sides = []
        for is_test, n in ((False, n_train), (True, n_test)):
            parts = {k: x[self.tested[k] == is_test] for k, x in classes.items()}
            n = min(map(len, parts.values())) if n is None else n
            sides.append((self._drawn(parts, n, seed), np.repeat(list(parts), n)))
        images, labels = map(np.concatenate, zip(*sides, strict=True))
        return images, labels, np.arange(len(labels)) >= len(sides[0][1])

    def _classes(self, with_real):
        """Images of each class; there must be at least two classes."""
        classes = self.images | ({"real": self.real_test} if with_real else {})
        if len(classes) < 2:
            raise ValueError(
                f"{self.name} has one model, {self.models}: attribution among models "
                "needs two or more. Add a model, tell it from real images "
                "(with_real=True), or draw its images without labels (generated)."
            )
        return classes

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
        parts = [x[shuffled(name, len(x), seed)[:n]] for name, x in classes.items()]
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
