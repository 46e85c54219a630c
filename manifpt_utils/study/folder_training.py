"""One training of the study of a folder: images, representation, classifier."""

import warnings
from functools import lru_cache
from typing import NamedTuple

import numpy as np

from ..baselines import baseline
from ..images.loading import load
from ..method.classifiers import classifier_for
from ..method.evaluation import copies, evaluate, with_effort
from ..method.representations import representations


def score(folder, size, training):
    """The share of test images whose model is named correctly.

    Parameters
    ----------
    folder : Path
    size : int or (int, int), optional
    training : FolderTraining

    Returns
    -------
    float

    Raises
    ------
    ValueError
        If the method cannot work on these images, or there are too few.
    """
    counts = training.n_train, training.n_test
    x, estimator = _material(folder, size, training.method, counts)
    pool = drawn(folder, size, counts)
    found = evaluate(
        with_effort(estimator, training.effort),
        x,
        pool.labels,
        n_train=training.n_train,
        n_test=training.n_test,
        seeds=[training.seed],
        groups=pool.groups,
        tested=pool.tested,
        n_permutations=None,
    )
    return float(found.accuracy[0])


def _material(folder, size, method, counts):
    """What a method sees of the images, and its classifier."""
    if method.name == "ours":
        transformer, x = _features(folder, size, method, counts)
        return x, classifier_for(transformer)
    images = drawn(folder, size, counts).images
    return images, baseline(method.name, image_size=images.shape[1:3])


@lru_cache(maxsize=1)
def benchmark(folder, size):
    """The images of a folder as a Benchmark, with its `warnings`."""
    with warnings.catch_warnings(action="ignore"):
        return load(folder, size=size)


class Pool(NamedTuple):
    """Images to train and to test on."""

    images: np.ndarray
    labels: np.ndarray
    tested: np.ndarray | None  # which are for the test, where that is given
    groups: np.ndarray  # copies of one image have one number


@lru_cache(maxsize=1)
def drawn(folder, size, counts):
    """The images of all trainings with as many per class to train and to test on.

    Real images are a class only if there is a single model.
    """
    data = benchmark(folder, size)
    is_alone = len(data.models) == 1
    found = data.for_evaluation(*counts, with_real=is_alone)
    return Pool(*found, copies(found[0]))


@lru_cache(maxsize=1)
def _features(folder, size, method, counts):
    shown = representations(benchmark(folder, size), [method.space], [method.kind])
    (transformer,) = shown.values()
    return transformer, transformer.transform(drawn(folder, size, counts).images)
