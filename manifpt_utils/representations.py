"""What a classifier is shown of an image: itself or its artifact, in one of the spaces.

Every entry is a fitted scikit-learn transformer from images to rows of numbers, named
`"<space> <kind>"`, for instance `"rgb artifact"`.
"""

from .manifold import DataManifold, ExactManifold
from .spaces import make_space

KINDS = ("raw", "nearest", "affine", "exact")


def representations(benchmark, spaces=("rgb", "frequency"), kinds=KINDS):
    """Fit the asked representations on the real images of a benchmark.

    Parameters
    ----------
    benchmark : Benchmark
    spaces : sequence of str
    kinds : sequence of {"raw", "nearest", "affine", "exact"}
        The embedding itself, or artifacts by the two estimators or with the exact
        closest point.  "exact" is left out where the manifold is not known.

    Returns
    -------
    dict of str to fitted transformer
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
        f"{space} {kind}": _make(space, kind, benchmark).fit(benchmark.real)
        for space in spaces
        for kind in kinds
    }


def _make(space, kind, benchmark):
    if kind == "raw":
        return make_space(space)
    if kind == "exact":
        return ExactManifold(benchmark.manifold, space)
    return DataManifold(space, estimator=kind)
