"""One training of the comparison: images, representation, and all its scores."""

from functools import lru_cache
from typing import NamedTuple

import numpy as np

from ..baselines import baseline
from ..images.benchmark import Benchmark
from ..images.gm_photo import N_REAL
from ..images.loading import load
from ..method.classifiers import classifier_for
from ..method.evaluation import accuracy, fit_and_test, split
from ..method.representations import representations
from ..metrics import frechet_distance_ratio
from .comparison import Column, columns, counterpart, is_moved, unseen
from .settings import ABLATED, N_TEST

N_COMPONENTS = 3  # common dimension; the shortest features have no more
N_PERMUTATIONS = 5  # permutations for the null of the ratio
DENOISER_STEPS = 1200  # where none is shipped; the shipped ones have as many


class Material(NamedTuple):
    """What one method is trained and tested on in one setting."""

    estimator: object
    pool: tuple  # features and labels, the class "real" included
    tests: dict  # column -> features and labels


def scores(fit):
    """Train once and score every column of the training.

    Returns
    -------
    dict of Column to dict
        `score` with further numbers, or the `reason` why there is none.
    """
    try:
        return _scores(fit, _material(fit.setting, fit.method))
    except ValueError as error:
        return {column: _refusal(error) for column in columns(fit)}


def _refusal(error):
    return {"reason": " ".join(str(error).split())}


def _scores(fit, material):
    x, labels = material.pool
    rows = np.arange(len(labels))
    if fit.task == "closed":
        rows = np.flatnonzero(labels != "real")
    room, n, seed = fit.setting.room, fit.n_train, fit.seed
    parts = nested_split(labels[rows], room=room, n_train=n, seed=seed)
    train, test = (rows[part] for part in parts)
    tests = {Column(fit.task): (x[test], labels[test]), **material.tests}
    served = columns(fit)
    tests = {column: tests[column] for column in served if column in tests}
    pair = x[train], labels[train]
    numbered = dict(enumerate(tests.values()))
    fitted, predictions = fit_and_test(
        material.estimator, pair, numbered, seed=seed, with_probability=False
    )
    shares = accuracy(predictions)[seed]
    found = {
        column: {"score": shares[i], "n_test": _per_class(y)}
        for i, (column, (_, y)) in enumerate(tests.items())
    }
    for column in served[len(tests) :]:
        found[column] = _separability(column, fitted, x[test], labels[test], fit)
    return found


def nested_split(labels, *, room, n_train, seed):
    """Rows to train on and to test on; the test set does not depend on `n_train`.

    Parameters
    ----------
    labels : (n,) array
    room : int
        The largest number of training images per class.
    n_train : int
        Training images per class; they are the first of those of the largest number.
    seed : int

    Returns
    -------
    (train, test) : two int arrays
    """
    train, test = split(labels, n_train=room, n_test=N_TEST, seed=seed)
    groups = [train[labels[train] == name] for name in np.unique(labels)]
    return np.concatenate([group[:n_train] for group in groups]), test


def _per_class(labels):
    return len(labels) // len(np.unique(labels))


def _separability(column, fitted, x, labels, fit):
    try:
        result = frechet_distance_ratio(
            fitted.transform(x),
            labels,
            seed=fit.seed,
            n_permutations=N_PERMUTATIONS,
            n_components=N_COMPONENTS if column.name == "FDR PCA" else None,
        )
    except ValueError as error:
        return _refusal(error)
    found = {"score": result.ratio, "null": result.null_mean, "d": result.d}
    return found | {"n_test": _per_class(labels)}


@lru_cache(maxsize=1)
def _material(setting, method):
    home, tests = _images(setting, is_moved(setting, method))
    has_real = setting.question == "model"
    images, labels = home.labelled(setting.room + N_TEST, with_real=has_real)
    if method.name != "ours":
        head = _earlier(method, home.real.shape[1:3])
        pairs = {column: (x, y) for column, (x, y, _) in tests.items()}
        return Material(head, (images, labels), pairs)
    own = _representation(home, method)
    # On another photograph, artifacts are taken from the real images of that
    # photograph.
    pairs = {}
    for column, (x, y, where) in tests.items():
        shown = own if where is home else _representation(where, method)
        pairs[column] = shown.transform(x), y
    return Material(classifier_for(own), (own.transform(images), labels), pairs)


def _earlier(method, image_size):
    options = ABLATED.get(method.kind, {})
    is_published = method.kind == "published"
    return baseline(method.name, paper=is_published, image_size=image_size, **options)


def _representation(data, method):
    options = {"denoiser_steps": DENOISER_STEPS}
    (shown,) = representations(data, [method.space], [method.kind], **options).values()
    return shown


@lru_cache(maxsize=1)
def _images(setting, moved):
    """The benchmark of a setting, and for each column images, labels and benchmark."""
    if setting.question == "origin":
        return _origins(setting), {}
    home = generators(setting)
    if not moved:
        return home, {}
    away = generators(counterpart(setting))
    tests = {Column("transfer"): (*away.labelled(N_TEST), away)}
    for column in unseen(setting.photo) if setting.models == "shared" else ():
        images = _again(setting.photo, column)
        tests[column] = images, np.repeat(column.model, len(images)), home
    return home, tests


def _again(photo, column):
    """Samples of a model that was trained again, from another random start."""
    options = {"models": [column.model], "training_seed": column.start, "n_real": 1}
    return load(f"gm-photo/{photo}", **options).images[column.model][:N_TEST]


@lru_cache(maxsize=2)
def generators(setting):
    """The benchmark of a photograph, with the models that take part in a setting."""
    return load(f"gm-photo/{setting.photo}", models=list(setting.names))


def _origins(setting):
    """A benchmark whose classes are the photographs on which one model was trained.

    Its manifold is that of all these photographs together.  If each artifact were taken
    from the right one, the classifier would be told the answer.
    """
    model, photos = setting.models, setting.names
    parts = {
        photo: load(f"gm-photo/{photo}", models=[model], n_real=N_REAL // len(photos))
        for photo in photos
    }
    return Benchmark(
        name=str(setting),
        real=np.concatenate([part.real for part in parts.values()]),
        real_test=np.concatenate([part.real_test for part in parts.values()]),
        images={photo: part.images[model] for photo, part in parts.items()},
    )
