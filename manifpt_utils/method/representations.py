"""What a classifier is shown of an image: itself or its artifact, in one of the spaces.

Every entry is a fitted scikit-learn transformer from images to rows of numbers.
"""

from typing import NamedTuple

from .manifold import DataManifold, ExactManifold
from .spaces import make_space

KINDS = ("raw", "nearest", "hull", "exact")


class Representation(NamedTuple):
    """What a classifier is shown of an image: a space, and what is shown of it.

    Examples
    --------
    >>> str(Representation("rgb", "nearest"))
    'rgb nearest'
    """

    space: str
    kind: str

    def __str__(self):
        return f"{self.space} {self.kind}"


def representations(benchmark, spaces=("rgb", "frequency"), kinds=KINDS):
    """Fit the asked representations on the real images of a benchmark.

    Parameters
    ----------
    benchmark : Benchmark
    spaces : sequence of str
    kinds : sequence of {"raw", "nearest", "hull", "exact"}
        The embedding itself, or artifacts by the two estimators or with the exact
        closest point.  "exact" is left out where the manifold is not known.

    Returns
    -------
    dict of Representation to fitted transformer
        In the order of `spaces`, then `kinds`.

    Raises
    ------
    ValueError
        If a kind is unknown.
    """
    unknown = set(kinds) - set(KINDS)
    if unknown:
        raise ValueError(f"unknown kinds {sorted(unknown)}; known: {', '.join(KINDS)}.")
    if benchmark.manifold is None:
        kinds = [kind for kind in kinds if kind != "exact"]
    return {
        Representation(space, kind): _make(space, kind, benchmark).fit(benchmark.real)
        for space in spaces
        for kind in kinds
    }


def _make(space, kind, benchmark):
    if kind == "raw":
        return make_space(space)
    if kind == "exact":
        return ExactManifold(benchmark.manifold, space)
    return DataManifold(space, estimator=kind)


def gain(scores, kind="nearest"):
    """How much better an artifact does than the raw image of its own space.

    Parameters
    ----------
    scores : Series
        Indexed by space and kind.
    kind : str
        Of the artifact.

    Returns
    -------
    Series
        Score of the artifact minus that of "raw", one entry a space.

    Raises
    ------
    ValueError
        If one of the two kinds is not among the scores.

    Examples
    --------
    >>> scores = {("rgb", "raw"): 0.5, ("rgb", "nearest"): 0.75}
    >>> gain(pd.Series(scores)).to_dict()
    {'rgb': 0.25}
    """
    wide = scores.unstack(sort=False)
    for needed in (kind, "raw"):
        if needed not in wide:
            raise ValueError(
                f"the gain of {kind!r} over 'raw' needs scores of both; there are only "
                f"those of {list(wide)}."
            )
    return wide[kind] - wide["raw"]
