"""What a classifier is shown: an image or its artifact, in one of the spaces.

Every entry is a fitted scikit-learn transformer from images to rows of numbers.
"""

from functools import partial
from typing import NamedTuple

from .._support.names import EXACT, FILTERED, FILTERS, KINDS, TOGETHER
from .controls import MeanReal, PrincipalComponents, RandomReal, SideBySide
from .denoiser import Denoiser, shipped
from .exact import ExactManifold
from .filters import Highpass, Median
from .manifold import DataManifold, unknown
from .spaces import ALIASES, make_space


class Representation(NamedTuple):
    """The name of a representation.

    Examples
    --------
    >>> print(Representation("rgb", "nearest"))
    rgb nearest
    """

    space: str  # "rgb", "frequency", "imagenet", "selfsupervised", "supervised"
    kind: str  # one of `KINDS`

    def __str__(self):
        return f"{self.space} {self.kind}"


def representations(
    benchmark,
    spaces=("rgb", "frequency"),
    kinds=("raw", "nearest", "hull", "exact"),
    *,
    denoiser_steps=2000,
):
    """Fit the requested representations on the real images of a benchmark.

    Parameters
    ----------
    benchmark : Benchmark
    spaces : sequence of str
    kinds : sequence of str
        Some of `KINDS`.  "raw" is the embedding itself.  All others are artifacts: by
        an estimate ("nearest", "tangent", "hull", "denoiser"), by the closest point of
        the known manifold in the space itself ("exact") or among pixels ("exact_rgb"),
        or by a control ("highpass", "median", "pca", "mean", "random").  The kinds of
        `TOGETHER` are two of these side by side.
    denoiser_steps : int
        Training steps of a denoiser, where none is shipped for the benchmark.

    Returns
    -------
    dict of Representation to fitted transformer
        In the order of `spaces`, then `kinds`.  Impossible combinations are left out:
        "exact" where the manifold is not known, "exact_rgb" in RGB, where it would be
        "exact", and filters of pixels in spaces without pixels.

    Raises
    ------
    ValueError
        If a kind is unknown.
    """
    for kind in kinds:
        if kind not in KINDS:
            raise ValueError(unknown("kind", kind, KINDS))
    names = [Representation(space, kind) for space in spaces for kind in kinds]
    return {
        name: _make(name, benchmark, denoiser_steps).fit(benchmark.real)
        for name in names
        if is_possible(name, benchmark)
    }


def is_possible(name, benchmark):
    """Whether this representation is possible for a benchmark.

    Parameters
    ----------
    name : Representation
    benchmark : Benchmark
    """
    space = ALIASES.get(name.space, name.space)
    if name.kind in (*FILTERS, *TOGETHER):
        return space in FILTERED
    if name.kind == "exact_rgb" and space == "rgb":
        return False
    return name.kind not in EXACT or benchmark.manifold is not None


def make_representation(name, **options):
    """A representation that needs nothing but real images, before it is fitted.

    Parameters
    ----------
    name : Representation
        Of any kind but "exact", "exact_rgb" and those of `TOGETHER`.
    **options
        Parameters of its class, such as `weights` of a denoiser.

    Returns
    -------
    transformer

    Examples
    --------
    >>> make_representation(Representation("rgb", "highpass"), sd=1)
    Highpass(sd=1)
    """
    return MAKERS[name.kind](name.space, **options)


def _make(name, benchmark, denoiser_steps):
    space, kind = name
    if kind in TOGETHER:
        pair = [name._replace(kind=part) for part in TOGETHER[kind]]
        return SideBySide([_make(part, benchmark, denoiser_steps) for part in pair])
    if kind == "denoiser":
        # With a bar, because this may take minutes for large images.
        options = {"steps": denoiser_steps, "progress": True}
        return make_representation(name, weights=shipped(benchmark), **options)
    if kind in MAKERS:
        return make_representation(name)
    search = "rgb" if kind == "exact_rgb" else None
    return ExactManifold(benchmark.manifold, space, search_space=search)


MAKERS = {
    "raw": make_space,
    "denoiser": Denoiser,
    "highpass": Highpass,
    "median": Median,
    "pca": PrincipalComponents,
    "mean": MeanReal,
    "random": RandomReal,
    "nearest": DataManifold,
    "tangent": partial(DataManifold, estimator="tangent"),
    "hull": partial(DataManifold, estimator="hull"),
}
