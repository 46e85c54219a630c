"""Projection on the manifold: the closest real image to every generated one."""

from functools import partial

import faiss
import numpy as np
from sklearn.neighbors import NearestNeighbors

from manifpt_utils.method.manifold import DataManifold

from .measure import Contender, Task

TARGET = 1.1
LOOPED = 3  # queries of the per-image loop, which takes minutes for all of them


def tasks(*, quick=False):
    """The tasks, at the size of 32 x 32 RGB images and of ResNet50 features."""
    n_queries, n_references = (200, 1_000) if quick else (5_000, 20_000)
    dimensions = (192, 128) if quick else (3_072, 2_048)
    return [_task(n_queries, n_references, d) for d in dimensions]


def _task(n_queries, n_references, d):
    contenders = (
        Contender("faiss.knn, index only", _faiss),
        Contender(
            "DataManifold.project", _manifold, note="with x*, artifact, distance"
        ),
        Contender("NearestNeighbors, brute", _nearest_neighbors),
        Contender(
            "loop over images",
            _loop,
            scale=n_queries / LOOPED,
            once=True,
            note=f"extrapolated from {LOOPED} queries",
        ),
    )
    title = f"nearest of {n_references:,} for {n_queries:,} queries, d = {d:,}"
    data = partial(_features, n_queries, n_references, d)
    return Task(title, data, contenders, _same_neighbour)


def _features(n_queries, n_references, d):
    rng = np.random.default_rng(0)
    return tuple(
        rng.random((n, d), dtype=np.float32) for n in (n_queries, n_references)
    )


def _faiss(queries, references):
    return lambda: faiss.knn(queries, references, 1)[1][:, 0]


def _manifold(queries, references):
    manifold = DataManifold(space=None).fit(references)
    return lambda: manifold.project(queries).index[:, 0]


def _nearest_neighbors(queries, references):
    search = NearestNeighbors(n_neighbors=1, algorithm="brute").fit(references)
    return lambda: search.kneighbors(queries, return_distance=False)[:, 0]


def _loop(queries, references):
    def nearest(query):
        return min(
            range(len(references)),
            key=lambda i: np.linalg.norm(query - references[i]),
        )

    return lambda: np.array([nearest(query) for query in queries[:LOOPED]])


def _same_neighbour(first, other):
    same = np.count_nonzero(first[: len(other)] == other)
    return f"{same:,} of {len(other):,} equal"


def verdict(table):
    """Compare the projection with the bare search, which is part of it."""
    wall, cpu = table.loc["DataManifold.project", ["wall ratio", "CPU ratio"]]
    outcome = "met" if wall <= TARGET else "missed"
    return (
        f"project / faiss.knn: {wall:.2f} in wall time, {cpu:.2f} in CPU time; "
        f"target at most {TARGET}: {outcome}"
    )
