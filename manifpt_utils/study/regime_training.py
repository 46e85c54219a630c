"""One training of the study of the regime, and the images for it."""

from functools import lru_cache
from typing import NamedTuple

import numpy as np
from sklearn.linear_model import RidgeClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from ..images.traces import COARSE, FINE, inject
from ..images.views import ViewManifold
from ..method.classifiers import classifier_for
from ..method.controls import PrincipalComponents
from ..method.denoiser import Denoiser
from ..method.evaluation import accuracy, fit_and_test
from ..method.filters import Highpass
from ..method.location import dimension
from ..method.manifold import DataManifold
from ..method.spaces import make_space
from .regime import AWAY, COLUMNS, N_TRAIN

TRACES = {"fine": FINE, "coarse": COARSE}
N_REAL, N_HELD_OUT = 1000, 500  # real views, and new ones that give the spacing
N_TEST = 50  # test images per class
N_PILOT = 20  # images from which the strength of a trace is corrected
CORRECTION = (0.5, 3)  # bounds of this correction
STEPS = 20  # steps of the projection, which starts at the view with the trace
PILOT_STEPS = 10
LONG, STARTS = 1.0, 2  # from this ratio on, it also starts at views of the search
DENOISER_STEPS = 500
PENALTY = 3000  # penalty of the ridge regression, for columns of unit variance
OFFSET = 0.01  # added to magnitudes; a quarter of those of rounding to 8 bits
SIDE = 32


class Images(NamedTuple):
    """The images of one cell of one photograph."""

    x: np.ndarray  # (n, 32, 32, 3) uint8
    labels: np.ndarray  # (n,) str
    artifact: np.ndarray  # (n, 3072) float32, exact, in 0..1


def scores(training):
    """Accuracies at home and away, or measurements of the images.

    Returns
    -------
    dict of str to float
        Column to score.
    """
    t = training
    cell = t.m, t.ratio, t.task
    if not t.n_train:
        return _facts(t.photo, *cell)
    shown = _features if t.classifier == "linear" else _pixels
    home, away = (shown(p, *cell, t.kind) for p in (t.photo, AWAY[t.photo]))
    labels = _images(t.photo, *cell).labels
    train, test = _split(labels, t.n_train, t.seed)
    pairs = ((home[test], labels[test]), (away[test], labels[test]))
    tests = dict(zip(COLUMNS, pairs, strict=True))
    options = {"seed": t.seed, "with_probability": False}
    pair = home[train], labels[train]
    _, found = fit_and_test(classifier(t.classifier), pair, tests, **options)
    return accuracy(found)[t.seed].to_dict()


def classifier(name):
    """An untrained classifier.

    Parameters
    ----------
    name : {"linear", "network"}
        "linear" is a ridge regression on pixels and log spectrum (n, 4704); "network"
        is the small residual network on pixels (n, 3072).
    """
    if name == "network":
        return classifier_for(
            make_space("rgb").fit(np.zeros((1, SIDE, SIDE, 3), np.uint8))
        )
    ridge = RidgeClassifier(alpha=PENALTY, solver="cholesky")
    return make_pipeline(StandardScaler(), ridge)


@lru_cache(maxsize=4)
def _features(photo, m, ratio, task, kind):
    """Pixels, followed by the log magnitudes of their spectrum: (n, 4704) float32."""
    x = _pixels(photo, m, ratio, task, kind)
    spectra = np.fft.rfft2(x.reshape(-1, SIDE, SIDE, 3), axes=(1, 2))
    magnitudes = np.log(np.abs(spectra) + OFFSET).reshape(len(x), -1)
    return np.hstack([x, magnitudes]).astype(np.float32)


def _split(labels, n_train, seed):
    """Rows for training and testing; few training images are the first of the many."""
    rng = np.random.default_rng(seed)
    rows = [rng.permutation(np.flatnonzero(labels == name)) for name in _names(labels)]
    train = np.concatenate([r[:n_train] for r in rows])
    return train, np.concatenate([r[-N_TEST:] for r in rows])


def _names(labels):
    return list(dict.fromkeys(labels))


@lru_cache
def _manifold(photo, m):
    return ViewManifold(photo, m=m)


@lru_cache
def _real(photo, m):
    return _manifold(photo, m).sample(N_REAL, seed=0)


@lru_cache
def _spacing(photo, m):
    """Median distance of a new real view from its nearest one, in grey levels."""
    new = _manifold(photo, m).sample(N_HELD_OUT, seed=1)
    return 255 * float(np.median(_fitted(photo, m, "nearest").project(new).distance))


@lru_cache
def _dimension(photo, m):
    return dimension(_real(photo, m))


@lru_cache(maxsize=16)
def _fitted(photo, m, kind):
    """A representation, fitted on the real views."""
    estimators = {"nearest": {}, "hull": {}, "tangent": {"m": m}}
    if kind in estimators:
        made = DataManifold(estimator=kind, **estimators[kind])
    elif kind == "denoiser":
        made = Denoiser(steps=DENOISER_STEPS)
    else:
        made = {"highpass": Highpass, "pca": PrincipalComponents}[kind]()
    return made.fit(_real(photo, m))


@lru_cache(maxsize=4)
def _pixels(photo, m, ratio, task, kind):
    """All images of a cell, as a classifier sees them: (n, 3072) float32."""
    images = _images(photo, m, ratio, task)
    if kind == "exact":
        return images.artifact
    if kind == "raw":
        return images.x.reshape(len(images.x), -1) / np.float32(255)
    return _fitted(photo, m, kind).transform(images.x)


@lru_cache(maxsize=4)
def _images(photo, m, ratio, task):
    """Views with traces, and their exact artifacts."""
    n = max(N_TRAIN) + N_TEST
    manifold, length = _manifold(photo, m), ratio * _spacing(photo, m)
    parts = []
    for trace in TRACES[task]:
        # Every trace has its own seed, so that classes share no view.
        seed = 100 + (*FINE, *COARSE).index(trace)
        c = manifold.coordinates(n, seed=seed)
        pilot = inject(manifold, c[:N_PILOT], trace, length, seed=seed)
        quick = {"near": c[:N_PILOT], "starts": 0, "steps": PILOT_STEPS}
        found = np.median(manifold.project(pilot, **quick).distance)
        corrected = length * np.clip(length / found, *CORRECTION)
        x = inject(manifold, c, trace, corrected, seed=seed)
        whole = {"near": c, "starts": STARTS if ratio >= LONG else 0, "steps": STEPS}
        parts.append((x, manifold.project(x, **whole).x_star))
    x, x_star = map(np.concatenate, zip(*parts, strict=True))
    artifact = ((x - x_star) / 255).reshape(len(x), -1).astype(np.float32)
    return Images(x, np.repeat(TRACES[task], n), artifact)


def _facts(photo, m, ratio, task):
    """Measurements of the images of a cell."""
    images, spacing = _images(photo, m, ratio, task), _spacing(photo, m)
    exact = 255 * np.linalg.norm(images.artifact, axis=1)
    nearest = 255 * _fitted(photo, m, "nearest").project(images.x).distance
    return {
        "length": float(np.median(exact)) / spacing,
        "apparent": float(np.median(nearest)) / spacing,
        "spacing": spacing,
        "dimension": _dimension(photo, m),
    }
