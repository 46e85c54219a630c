"""One training of the study of a folder: images, representation, classifier."""

import warnings
from functools import lru_cache

from ..baselines import baseline
from ..images.loading import load
from ..method.classifiers import attributor
from ..method.evaluation import copies, evaluate, with_effort
from ..method.representations import representations


def score(folder, size, training, *, device="cpu"):
    """The share of test images whose model is named correctly.

    Parameters
    ----------
    folder : Path
    size : int or (int, int), optional
    training : FolderTraining
    device : str
        Device of torch for networks.

    Returns
    -------
    float

    Raises
    ------
    ValueError
        If the method cannot work on these images, or there are too few.
    """
    n = training.n_train + training.n_test
    x, labels, groups, estimator = _material(folder, size, training.method, n, device)
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


def _material(folder, size, method, n, device):
    """The features of the images for a method, labels, copies, and its classifier."""
    images, labels, groups = drawn(folder, size, n)
    if method.name == "ours":
        transformer, x = _features(folder, size, method, n)
        return x, labels, groups, attributor(transformer, device=device)
    options = {"device": device} if method.has_network else {}
    head = baseline(method.name, image_size=images.shape[1:3], **options)
    return images, labels, groups, head


@lru_cache(maxsize=1)
def benchmark(folder, size):
    """The images of a folder as a Benchmark, with its `warnings`."""
    with warnings.catch_warnings(action="ignore"):
        return load(folder, size=size)


@lru_cache(maxsize=1)
def drawn(folder, size, n):
    """Images of every class, their labels, and groups of copies.

    Real images are a class only if there is a single model.
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
