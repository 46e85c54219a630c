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


def score(reading, training):
    """The share of test images whose model is named correctly.

    Parameters
    ----------
    reading : Reading
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
    x, estimator = _material(reading, training.method, counts)
    pool = drawn(reading, counts)
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


def _material(reading, method, counts):
    """What a method sees of the images, and its classifier."""
    if method.name == "ours":
        transformer, x = _features(reading, method, counts)
        return x, classifier_for(transformer)
    images = drawn(reading, counts).images
    return images, baseline(method.name, image_size=images.shape[1:3])


@lru_cache(maxsize=1)
def benchmark(reading):
    """The images that a Reading names as a Benchmark, with its `warnings`."""
    with warnings.catch_warnings(action="ignore"):
        return load(reading.source, size=reading.size, normalise=reading.normalise)


class Pool(NamedTuple):
    """Images to train and to test on."""

    images: np.ndarray
    labels: np.ndarray
    tested: np.ndarray | None  # which are for the test, where that is given
    groups: np.ndarray  # copies of one image have one number


@lru_cache(maxsize=1)
def drawn(reading, counts):
    """The images of all trainings with as many per class to train and to test on.

    Real images are a class only if there is a single model.
    """
    data = benchmark(reading)
    is_alone = len(data.models) == 1
    found = data.for_evaluation(*counts, with_real=is_alone)
    return Pool(*found, copies(found[0]))


@lru_cache(maxsize=1)
def _features(reading, method, counts):
    shown = representations(benchmark(reading), [method.space], [method.kind])
    (transformer,) = shown.values()
    return transformer, transformer.transform(drawn(reading, counts).images)
