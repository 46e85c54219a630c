"""One evaluation for every method: splits, seeds, accuracy and separability."""

import math
from typing import NamedTuple

import numpy as np
import pandas as pd
from sklearn.base import clone
from sklearn.frozen import FrozenEstimator
from sklearn.metrics import confusion_matrix
from sklearn.model_selection import StratifiedShuffleSplit
from sklearn.pipeline import make_pipeline

from ..metrics import FrechetRatio, frechet_distance_ratio


class Evaluation(NamedTuple):
    """Attribution scores, one entry a seed; unseen sets by name."""

    accuracy: np.ndarray  # (s,) in 0..1
    unseen: dict  # name -> (s,) accuracy on sets that took no part in training
    ratio: np.ndarray  # (s,) Frechet distance ratio of test features
    null: np.ndarray  # (s,) the same with labels permuted
    confusion: pd.DataFrame  # rows true, columns predicted, rows sum to 1
    n_train: int  # per class
    n_test: int  # per class
    d: int  # dimension of the penultimate features

    def row(self):
        """Mean and standard deviation as a flat dictionary, one table row."""
        row = {"accuracy": self.accuracy.mean(), "sd": _sd(self.accuracy)}
        for name, values in self.unseen.items():
            row |= {name: values.mean(), f"{name} sd": _sd(values)}
        row |= {"FDR": self.ratio.mean(), "FDR sd": _sd(self.ratio)}
        row |= {"FDR null": self.null.mean(), "d": self.d}
        return row | {"n train": self.n_train, "n test": self.n_test}


def _sd(values):
    return values.std(ddof=1) if len(values) > 1 else np.nan


def evaluate(
    pipeline,
    images,
    labels,
    *,
    n_train,
    n_test,
    seeds=(0, 1, 2),
    unseen=None,
    n_permutations=5,
):
    """Train and test a pipeline of images -> features -> classifier on several splits.

    Parameters
    ----------
    pipeline : sklearn.pipeline.Pipeline
        Every step before the last is frozen (`FrozenEstimator`), see
        `attribution_pipeline`, or is fitted on the training images of each split.
    images : (n, h, w, 3) uint8 array
    labels : (n,) array
    n_train, n_test : int
        Images a class.
    seeds : sequence of int
        Each gives one split and one initialisation.
    unseen : dict, optional
        name -> (images, labels), scored by the same trained classifiers.
    n_permutations : int or None
        Label permutations behind the null of the FDR; None leaves the FDR out, which
        for few images costs more than the training.

    Returns
    -------
    Evaluation

    Raises
    ------
    ValueError
        If a class has too few images, or there is only one class.
    """
    *steps, head = [step for _, step in pipeline.steps]
    frozen = all(isinstance(step, FrozenEstimator) for step in steps)
    unseen = unseen or {}
    if frozen:
        prefix = pipeline[:-1]
        images = prefix.transform(images)
        unseen = {k: (prefix.transform(x), y) for k, (x, y) in unseen.items()}
        pipeline = make_pipeline(head)
    return evaluate_features(
        pipeline,
        images,
        labels,
        n_train=n_train,
        n_test=n_test,
        seeds=seeds,
        unseen=unseen,
        n_permutations=n_permutations,
    )


def evaluate_features(
    estimator,
    features,
    labels,
    *,
    n_train,
    n_test,
    seeds=(0, 1, 2),
    unseen=None,
    n_permutations=5,
):
    """As `evaluate`, for features that are computed already.

    Parameters
    ----------
    estimator : classifier
    features : (n, d) array
    labels : (n,) array
    n_train, n_test, seeds, unseen, n_permutations
        As for `evaluate`; `unseen` holds features.
    """
    labels = np.asarray(labels)
    _check_counts(labels, n_train, n_test)
    unseen = unseen or {}
    parts = [split(labels, n_train=n_train, n_test=n_test, seed=s) for s in seeds]
    runs = [
        _one_run(estimator, features, labels, part, seed, unseen, n_permutations)
        for part, seed in zip(parts, seeds, strict=True)
    ]
    accuracy, unseen_scores, ratios, confusions = zip(*runs, strict=True)
    names = np.unique(labels)
    return Evaluation(
        accuracy=np.array(accuracy),
        unseen={k: np.array([u[k] for u in unseen_scores]) for k in unseen},
        ratio=np.array([r.ratio for r in ratios]),
        null=np.array([r.null_mean for r in ratios]),
        confusion=pd.DataFrame(np.mean(confusions, axis=0), names, names),
        n_train=n_train,
        n_test=n_test,
        d=ratios[0].d,
    )


def _check_counts(labels, n_train, n_test):
    names, counts = np.unique(labels, return_counts=True)
    if len(names) < 2:
        raise ValueError(
            f"attribution needs at least two classes, got one class: {list(names)}."
        )
    if counts.min() < n_train + n_test:
        smallest = str(names[counts.argmin()])
        raise ValueError(
            f"class {smallest!r} has {counts.min()} images, fewer than {n_train} for "
            f"training and {n_test} for testing."
        )


def split(labels, *, n_train, n_test, seed):
    """Indices of a split with the same number of images of every class.

    Returns
    -------
    (train, test) : two int arrays
    """
    c = len(np.unique(labels))
    # Equal counts are drawn first, because stratification keeps proportions only.
    rng = np.random.default_rng(seed)
    keep = np.concatenate(
        [
            rng.choice(np.flatnonzero(labels == name), n_train + n_test, replace=False)
            for name in np.unique(labels)
        ]
    )
    splitter = StratifiedShuffleSplit(
        1, train_size=n_train * c, test_size=n_test * c, random_state=seed
    )
    train, test = next(splitter.split(keep, labels[keep]))
    return keep[train], keep[test]


def _one_run(estimator, features, labels, part, seed, unseen, n_permutations):
    train, test = part
    fitted = with_seed(clone(estimator), seed).fit(features[train], labels[train])
    predicted = fitted.predict(features[test])
    ratio = _separability(fitted, features[test], labels[test], seed, n_permutations)
    confusion = confusion_matrix(labels[test], predicted, normalize="true")
    scores = {k: (fitted.predict(x) == y).mean() for k, (x, y) in unseen.items()}
    return (predicted == labels[test]).mean(), scores, ratio, confusion


def with_seed(estimator, seed):
    """Set every parameter named `seed` or `random_state`, nested ones included."""
    names = _nested(estimator, "seed", "random_state")
    return estimator.set_params(**dict.fromkeys(names, seed))


def _nested(estimator, *names):
    """The parameters of these names, those of parts of the estimator included."""
    parameters = estimator.get_params()
    return {k: v for k, v in parameters.items() if k.rpartition("__")[2] in names}


def with_effort(estimator, effort):
    """Multiply the training steps of all networks, nested ones included.

    Parameters
    ----------
    estimator : classifier or pipeline
        Its parameters `epochs` and `min_steps` are changed in place.
    effort : float
        Above zero; below one for a quick look.

    Returns
    -------
    estimator
        The same object.

    Raises
    ------
    ValueError
        If effort is not a positive number.

    Examples
    --------
    >>> from .classifiers import VectorAttributor
    >>> with_effort(VectorAttributor(epochs=15, min_steps=200), 0.1).epochs
    2
    """
    if not 0 < effort < math.inf:
        raise ValueError(f"effort must be a positive number, got {effort!r}.")
    steps = {
        name: max(1, round(effort * value))
        for name, value in _nested(estimator, "epochs", "min_steps").items()
        if value
    }
    return estimator.set_params(**steps)


def _separability(fitted, features, labels, seed, n_permutations):
    """FDR of the penultimate features, or NaN where it was not asked for."""
    if hasattr(fitted, "transform"):
        features = fitted.transform(features)
    if n_permutations is None:
        return FrechetRatio(*[np.nan] * 5, len(labels), features.shape[1])
    return frechet_distance_ratio(
        features, labels, seed=seed, n_permutations=n_permutations
    )
