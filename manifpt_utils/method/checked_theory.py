"""The quantities of eqs. 4 to 18 for known generators on known manifolds."""

from itertools import product

import numpy as np
import pandas as pd

from ..metrics.coverage import precision_recall, wasserstein_distance
from ..metrics.propositions import ball_radii, nearest_distances
from .known_generators import APART, KNOWN_GENERATORS

COORDINATES = 10_000  # of real points, to count which of them a support holds
ZERO = 1e-3  # error allowed to an exact search; 1 is the distance of two real points


def on_supports(manifolds, *, n=50, seed=0):
    """Precision, recall and the sizes of both fingerprints, on the true supports.

    The size of FPT(P; Q) is zero where the generator's support holds every real point.
    Otherwise it is the distance of the farthest real point from the generated ones.

    Parameters
    ----------
    manifolds : dict of str to KnownManifold
    n : int
        Generated points that are projected, and real ones whose distances are found.
    seed : int

    Returns
    -------
    DataFrame
        Indexed by manifold and generator; columns `precision`, `d(Q; P)`, `recall`,
        `d(P; Q)` and `mean length`.
    """
    found = {
        (name, model): _exact(manifold, generator, n, seed)
        for name, manifold in manifolds.items()
        for model, generator in KNOWN_GENERATORS.items()
    }
    table = pd.DataFrame.from_dict(found, orient="index")
    return table.rename_axis(["manifold", "generator"])


def _exact(manifold, generator, n, seed):
    x = generator.draw(manifold, n, seed)
    lengths = np.linalg.norm(manifold.artifacts(x), axis=1)
    lengths[lengths < ZERO] = 0
    u = manifold.coordinates(COORDINATES, seed=seed + 2 * APART)
    some = manifold.points(u[:n])
    back = np.where(generator.reaches(u[:n]), 0, nearest_distances(some, x))
    return {
        "precision": (lengths == 0).mean(),
        "d(Q; P)": lengths.max(),
        "recall": generator.reaches(u).mean(),
        "d(P; Q)": back.max(),
        "mean length": lengths.mean(),
    }


def on_samples(manifolds, *, sizes, seeds, k=3):
    """The same quantities, as samples of equal size estimate them.

    Parameters
    ----------
    manifolds : dict of str to KnownManifold
    sizes : sequence of int
        Numbers of real points, and as many generated ones; all above k.
    seeds : sequence of int
    k : int
        The distance to the k-th neighbour is the radius of the balls of precision and
        recall.

    Returns
    -------
    DataFrame
        Indexed by manifold, generator, seed and n.  A perfect generator has rows for
        all sizes, most other generators for the largest one alone.
    """
    keys = list(product(manifolds.items(), seeds))
    parts = [_sampled(manifold, sizes, seed, k) for (_, manifold), seed in keys]
    names = [(name, seed) for (name, _), seed in keys]
    table = pd.concat(parts, keys=names, names=["manifold", "seed"])
    return table.reorder_levels(["manifold", "generator", "seed", "n"]).sort_index()


def _sampled(manifold, sizes, seed, k):
    real, found = manifold.sample(max(sizes), seed=seed), {}
    for model, generator in KNOWN_GENERATORS.items():
        fake = generator.draw(manifold, max(sizes), seed)
        for n in _shown(model, sizes):
            found[model, n] = compare(real[:n], fake[:n], k=k)
    table = pd.DataFrame.from_dict(found, orient="index")
    return table.rename_axis(["generator", "n"])


def _shown(model, sizes):
    """The sizes that are informative for a generator; all would take much longer."""
    if model == "perfect":
        return sizes
    return {min(sizes), max(sizes)} if model == "all a little off" else {max(sizes)}


def compare(real, fake, *, k=3):
    """All quantities of eqs. 4 to 18 between two samples of equal size.

    Parameters
    ----------
    real, fake : (n, d) array
    k : int

    Returns
    -------
    dict of str to float

    Examples
    --------
    >>> x = np.arange(5.0)[:, None]
    >>> found = compare(x, x + 0.25)
    >>> found["d(Q; P)"], found["mean length"], found["W1"], found["precision"]
    (0.25, 0.25, 0.25, 1.0)
    """
    forth, back = nearest_distances(fake, real), nearest_distances(real, fake)
    balls = precision_recall(real, fake, k=k)
    return {
        "mean length": float(forth.mean()),
        "d(Q; P)": float(forth.max()),
        "d(P; Q)": float(back.max()),
        "precision": balls.precision,
        "recall": balls.recall,
        "radius": float(np.median(ball_radii(real, k=k))),
        "W1": wasserstein_distance(real, fake),
    }


def approach(manifold, *, sizes, n_queries, seeds):
    """Distance from a real point to the nearest of others, as their number grows.

    Parameters
    ----------
    manifold : KnownManifold
    sizes : sequence of int
    n_queries : int
        Held-out real points, whose true artifacts are zero.
    seeds : sequence of int

    Returns
    -------
    mean, longest : (seeds, sizes) array
    """
    found = []
    for seed in seeds:
        queries = manifold.sample(n_queries, seed=seed + APART)
        real = manifold.sample(max(sizes), seed=seed)
        found.append(nearest_distances(queries, real, sizes=sizes))
    lengths = np.array(found)
    return lengths.mean(axis=2), lengths.max(axis=2)
