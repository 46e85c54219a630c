"""What an attributor says of an unknown model: one that was left out of its fit."""

from typing import NamedTuple

import numpy as np
from sklearn.base import clone

from ..method.processes import in_processes, n_processes
from ..method.streams import streamed, take_rows
from ..metrics.conformal import p_values, prediction_sets
from ..metrics.detection import auroc
from .parts import balanced, parts_of


class LeftOut(NamedTuple):
    """How well images of a model that was left out are told from those of the others.

    Attributes
    ----------
    auroc : float
        By the largest probability of an image; 0.5 is chance.
    unknown : float
        Share of the images of this model with an empty set.
    known_unknown : float
        Share of the test images of the other classes with an empty set.
    """

    auroc: float
    unknown: float
    known_unknown: float


class _Known(NamedTuple):
    """The features of a part, with their classes."""

    features: np.ndarray
    labels: np.ndarray

    def where(self, chosen):
        rows = np.flatnonzero(chosen)
        return take_rows(self.features, rows), self.labels[rows]


def leave_out(attributor, benchmark, models, *, progress=False):
    """Train the classifier without each of some models, and ask about its images.

    Space and estimate are those that the attributor chose, the images of the other
    classes stay in the part in which they were, and features are computed once.

    Parameters
    ----------
    attributor : fitted Attributor
    benchmark : Benchmark
        That of the fit.
    models : sequence of str
        Each is left out by itself; two classes must remain.
    progress : bool
        Show a bar.

    Returns
    -------
    dict of str to LeftOut

    Raises
    ------
    ValueError
        If a model is not a class of the attributor, or is one of only two.
    """
    _check(attributor, models)
    frozen, classifier = (step for _, step in attributor.pipeline_.steps)
    classifier = clone(classifier).set_params(progress=False)
    options = {"with_real": attributor.with_real, "seed": attributor.seed}
    parts = {
        name: _Known(streamed(frozen.transform, part.images), part.labels)
        for name, part in parts_of(benchmark, **options).items()
    }
    known = parts, classifier, attributor.coverage
    bar = {"desc": "left out", "disable": not progress}
    height, width = attributor.image_shape_[:2]
    processes = min(max(1, len(models)), n_processes(height * width))
    calls = [(model, *known) for model in models]
    found = in_processes(_without, calls, processes=processes, **bar)
    return dict(zip(models, found, strict=True))


def _check(attributor, models):
    classes = attributor.classes_.tolist()
    for model in models:
        if model not in classes or len(classes) < 3:
            raise ValueError(
                f"{model!r} cannot be left out of {classes}; name one of at least "
                "three classes."
            )


def _without(model, parts, classifier, coverage):
    """Train without a model, calibrate, and test on its images and on the others."""
    features, labels = parts["learn"].where(parts["learn"].labels != model)
    rows = balanced(labels)
    fitted = classifier.fit(take_rows(features, rows), labels[rows])
    scores = {
        name: fitted.predict_proba(part.where(part.labels != model)[0])
        for name, part in parts.items()
        if name != "learn"
    }
    its = [fitted.predict_proba(x.where(x.labels == model)[0]) for x in parts.values()]
    others = np.concatenate(its)
    held = parts["calibrate"].labels
    codes = np.searchsorted(fitted.classes_, held[held != model])
    typical = scores["calibrate"][np.arange(len(codes)), codes]
    empty = [
        ~prediction_sets(p_values(x, typical, codes), coverage=coverage).any(axis=1)
        for x in (others, scores["test"])
    ]
    area = auroc(scores["test"].max(axis=1), others.max(axis=1))
    return LeftOut(area, *(float(x.mean()) for x in empty))
