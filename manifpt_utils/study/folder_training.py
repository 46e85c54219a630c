"""One training of the study of a folder: images, representation, classifier."""

import warnings
from functools import lru_cache

from ..baselines import baseline
from ..images.loading import load
from ..method.classifiers import attributor
from ..method.evaluation import copies, evaluate, with_effort
from ..method.representations import representations


def score(folder, size, training):
    """The share of test images whose model is told.

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
    n = training.n_train + training.n_test
    x, labels, groups, estimator = _material(folder, size, training.method, n)
    found = evaluate(
        with_effort(estimator, training.effort),
        x,
        labels,
        n_train=training.n_train,
        n_test=training.n_test,
        seeds=[training.seed],
        groups=groups,
        n_permutations=None,
    )
    return float(found.accuracy[0])


def _material(folder, size, method, n):
    """What a method sees of the images, their labels and copies, and its classifier."""
    images, labels, groups = drawn(folder, size, n)
    if method.name == "ours":
        transformer, x = _features(folder, size, method, n)
        return x, labels, groups, attributor(transformer)
    return images, labels, groups, baseline(method.name, image_size=images.shape[1:3])


@lru_cache(maxsize=1)
def benchmark(folder, size):
    """The images of a folder; what has to be said of them is in `warnings`."""
    with warnings.catch_warnings(action="ignore"):
        return load(folder, size=size)


@lru_cache(maxsize=1)
def drawn(folder, size, n):
    """Images per class, their labels, and which are copies of each other.

    Real images are a class only where there is one model.
    """
    data = benchmark(folder, size)
    is_alone = len(data.models) == 1
    images, labels = data.labelled(n, with_real=is_alone)
    return images, labels, copies(images)


@lru_cache(maxsize=1)
def _features(folder, size, method, n):
    shown = representations(benchmark(folder, size), [method.space], [method.kind])
    (transformer,) = shown.values()
    return transformer, transformer.transform(drawn(folder, size, n)[0])
