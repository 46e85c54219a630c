"""One training of the study of estimates, and the density of the real views."""

from functools import lru_cache

import numpy as np

from ..images.loading import load
from ..method.classifiers import classifier_for
from ..method.evaluation import accuracy, fit_and_test
from ..method.exact import ExactManifold
from ..method.manifold import METRICS, DataManifold
from .comparison_training import generators, nested_split
from .estimates import COLUMNS, EXACT, N_REAL
from .settings import N_TEST, OTHER, shared

N_PAIRS = 2000  # pairs of real views that give their typical distance


def scores(training):
    """Accuracies at home and away, or the gap between real views.

    Returns
    -------
    dict of str to float
        Column to score.
    """
    t = training
    if not t.n_train:
        return {"gap": gap(t.photo, t.space, t.n_real)}
    representation = training[1:6]
    head, x = _features(t.photo, representation)
    labels = _pool(t.photo)[1]
    room = shared(t.photo).room
    train, test = nested_split(labels, room=room, n_train=t.n_train, seed=t.seed)
    _, away = _features(OTHER[t.photo], representation)
    others = _pool(OTHER[t.photo])[1]
    first = _first(others)
    pairs = ((x[test], labels[test]), (away[first], others[first]))
    tests = dict(zip(COLUMNS, pairs, strict=True))
    pair = x[train], labels[train]
    options = {"seed": t.seed, "with_probability": False}
    _, predictions = fit_and_test(head, pair, tests, **options)
    shares = accuracy(predictions)[t.seed]
    return {column: shares[column] for column in COLUMNS}


def _first(labels):
    """Rows of test images from another photograph: the first of every class."""
    return np.concatenate(
        [np.flatnonzero(labels == name)[:N_TEST] for name in np.unique(labels)]
    )


@lru_cache
def _pool(photo):
    """All generated images that may be used, and their labels."""
    setting = shared(photo)
    return generators(setting).labelled(setting.room + N_TEST)


@lru_cache(maxsize=2)
def _features(photo, representation):
    """The classifier for a representation, and all images in this representation."""
    space, kind, k, search, n_real = representation
    images, _ = _pool(photo)
    if kind in EXACT:
        data = generators(shared(photo))
        among = "rgb" if kind == "exact_rgb" else None
        exact = ExactManifold(data.manifold, space, search_space=among)
        shown = exact.fit(data.real)
        return classifier_for(shown), shown.transform(images)
    manifold, index = _manifold(photo, space, search, n_real)
    manifold.set_params(estimator=kind, k=k)
    return classifier_for(manifold), manifold.project(images, index=index).artifact


@lru_cache(maxsize=2)
def _manifold(photo, space, search, n_real):
    """A manifold with the neighbours of all images, which serve every estimator."""
    is_metric = search in METRICS
    manifold = DataManifold(
        space,
        estimator="hull",
        metric=search if is_metric else "euclidean",
        search_space=None if is_metric else search,
    )
    manifold.fit(_real(photo)[:n_real])
    return manifold, manifold.project(_pool(photo)[0]).index


@lru_cache(maxsize=2)
def _real(photo):
    model = shared(photo).names[0]
    return load(f"gm-photo/{photo}", models=[model], n_real=max(N_REAL)).real


def gap(photo, space, n_real):
    """Distance from a new real view to its nearest neighbour among the real views.

    Parameters
    ----------
    photo, space : str
    n_real : int
        Real views that stand for the manifold.

    Returns
    -------
    float
        Median of these distances, divided by the median distance between two real
        views: near 1 if the nearest view is no better than any other, near 0 if views
        are dense.
    """
    manifold, _ = _manifold(photo, space, "euclidean", n_real)
    manifold.set_params(estimator="nearest", k=1)
    new = generators(shared(photo)).real_test[:N_PAIRS]
    near = manifold.project(new).distance
    x = manifold.space_.transform(new).astype(np.float64)
    apart = np.linalg.norm(x[::2] - x[1::2], axis=1)
    return float(np.median(near) / np.median(apart))
