"""What a classifier is shown of an image: itself or its artifact, in one of the spaces.

Every entry is a fitted scikit-learn transformer from images to rows of numbers.
"""

from functools import partial
from typing import NamedTuple

from .controls import MeanReal, PrincipalComponents, RandomReal
from .denoiser import Denoiser, shipped
from .exact import ExactManifold
from .filters import SHOWN_IN, Highpass, Median
from .manifold import DataManifold, unknown
from .spaces import ALIASES, make_space

ESTIMATES = ("nearest", "tangent", "hull", "denoiser", "exact", "exact_rgb")
CONTROLS = ("raw", "highpass", "median", "pca", "mean", "random")
KINDS = (*CONTROLS, *ESTIMATES)


class Representation(NamedTuple):
    """The name of a representation.

    Examples
    --------
    >>> print(Representation("rgb", "nearest"))
    rgb nearest
    """

    space: str  # "rgb", "frequency", "supervised" or "selfsupervised"
    kind: str  # one of `KINDS`

    def __str__(self):
        return f"{self.space} {self.kind}"


def representations(
    benchmark, spaces=("rgb", "frequency"), kinds=("raw", "nearest", "hull", "exact")
):
    """Fit the asked representations on the real images of a benchmark.

    Parameters
    ----------
    benchmark : Benchmark
    spaces : sequence of str
    kinds : sequence of str
        Some of `KINDS`.  "raw" is the embedding itself.  Artifacts are estimates
        ("nearest", "tangent", "hull", "denoiser"), with the closest point of the known
        manifold in the space itself ("exact") or among pixels ("exact_rgb"), or
        controls ("highpass", "median", "pca", "mean", "random").

    Returns
    -------
    dict of Representation to fitted transformer
        In the order of `spaces`, then `kinds`.  Left out is what there cannot be:
        "exact" where the manifold is not known, "exact_rgb" in RGB, where it is
        "exact", and filters of pixels in spaces that are no pixels.

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
        name: _make(name, benchmark).fit(benchmark.real)
        for name in names
        if is_possible(name, benchmark)
    }


def is_possible(name, benchmark):
    """Whether there is such a representation of a benchmark.

    Parameters
    ----------
    name : Representation
    benchmark : Benchmark
    """
    space = ALIASES.get(name.space, name.space)
    if name.kind in FILTERS:
        return space in SHOWN_IN
    if name.kind == "exact_rgb" and space == "rgb":
        return False
    return not name.kind.startswith("exact") or benchmark.manifold is not None


def _make(name, benchmark):
    space, kind = name
    if kind == "raw":
        return make_space(space)
    if kind == "denoiser":
        return Denoiser(space, weights=shipped(benchmark))
    if kind in MAKERS:
        return MAKERS[kind](space)
    search = "rgb" if kind == "exact_rgb" else None
    return ExactManifold(benchmark.manifold, space, search_space=search)


FILTERS = ("highpass", "median", "denoiser")
MAKERS = {
    "highpass": Highpass,
    "median": Median,
    "pca": PrincipalComponents,
    "mean": MeanReal,
    "random": RandomReal,
    "nearest": DataManifold,
    "tangent": partial(DataManifold, estimator="tangent"),
    "hull": partial(DataManifold, estimator="hull"),
}


def gain(scores, kind="nearest"):
    """How much better an artifact does than the raw image of its own space.

    Parameters
    ----------
    scores : Series
        Indexed by space and kind; keys of class `Representation` make such an index.
    kind : str
        Of the artifact.

    Returns
    -------
    Series
        Score of the artifact minus that of "raw", one entry per space.

    Raises
    ------
    ValueError
        If one of the two kinds is not among the scores, or they are indexed by
        something else.

    Examples
    --------
    >>> import pandas as pd
    >>> shown = [Representation("rgb", kind) for kind in ("raw", "nearest")]
    >>> gain(pd.Series(dict(zip(shown, (0.5, 0.75))))).to_dict()
    {'rgb': 0.25}
    """
    if scores.index.nlevels != 2:
        raise ValueError(
            "scores must be indexed by space and kind, got an index like "
            f"{scores.index[0]!r}; use Representation(space, kind) for its keys."
        )
    wide = scores.unstack(sort=False)
    for needed in (kind, "raw"):
        if needed not in wide:
            raise ValueError(
                f"the gain of {kind!r} over 'raw' needs scores of both; there are only "
                f"those of {list(wide)}."
            )
    return wide[kind] - wide["raw"]
