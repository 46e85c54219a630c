"""One training of the study of the ladder: images, representation, classifier."""

from dataclasses import replace
from functools import lru_cache, partial

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.svm import SVC

from ..baselines import baseline
from ..baselines.standardised import StandardisedClassifier
from ..images.postprocessing import postprocess
from ..method.classifiers import ImageAttributor, classifier_for
from ..method.controls import Blurred
from ..method.denoiser import Denoiser, denoising_error, shipped
from ..method.evaluation import with_seed
from ..method.exact import ExactManifold
from ..method.filters import Highpass
from ..method.representations import representations
from .comparison_training import DENOISER_STEPS, generators, nested_split
from .ladder import (
    N_VALIDATED,
    NOISE_LEFT,
    STRANGE,
    STRANGER,
    USUAL,
    VARIANTS,
    columns,
)
from .settings import N_TEST, OTHER, shared

N_MEASURED = 25  # images per model whose artifacts are measured
SCALE = 0.25  # standard deviation of pixels, around 0.5, for networks of other authors
PENALTIES = {"logistic regression": (1e-4, 1e-3, 1e-2, 0.1, 1)}
PENALTIES |= {"support vectors": (0.1, 1, 10, 100)}


def scores(training):
    """Accuracies: a dict of column to float."""
    x, labels = _home(training[:4], training.treatment, "none")
    train, test, validated = _rows(training, labels)
    fitted = _fitted(
        training, (x[train], labels[train]), (x[validated], labels[validated])
    )
    found = {}
    for column in columns(training):
        shown, names = _tested(training, column, test)
        found[column] = float(np.mean(fitted.predict(shown) == names))
    return found


def measures(training):
    """Measures of artifacts in RGB, over generated and over real images.

    Returns
    -------
    dict of str to float
        "cosine": mean cosine of the angle between the artifact and the exact artifact.
        "length": mean length, divided by the mean length of exact artifacts.  "real":
        mean length for new real images, divided by that for generated ones.  "noise
        left", for denoisers: the share of added noise that they leave in new real
        images.
    """
    data = generators(shared(training.photo))
    shown = _transformer(training[:4], training.photo, "none")
    images, _ = data.labelled(N_MEASURED)
    real = data.real_test[: len(images)]
    artifacts, of_real = shown.transform(images), shown.transform(real)
    exact = ExactManifold(data.manifold).fit(data.real).transform(images)
    lengths, right = _lengths(artifacts), _lengths(exact)
    cosines = (artifacts * exact).sum(axis=1) / (lengths * right)
    found = {"cosine": cosines.mean(), "length": lengths.mean() / right.mean()}
    found["real"] = _lengths(of_real).mean() / lengths.mean()
    if training.kind == "denoiser":
        found[NOISE_LEFT] = denoising_error(shown, real).mean()
    return {column: float(value) for column, value in found.items()}


def _lengths(x):
    return np.linalg.norm(x.astype(np.float64), axis=1)


def _rows(training, labels):
    """Rows to train on, to test on, and to validate on; no row is in two of these."""
    room = shared(training.photo).room
    split = partial(nested_split, labels, room=room, seed=training.seed)
    train, test = split(n_train=training.n_train)
    whole, _ = split(n_train=room)
    names = [whole[labels[whole] == name][-N_VALIDATED:] for name in np.unique(labels)]
    return train, test, np.concatenate(names)


def _tested(training, column, test):
    """Features and labels of the images of a column."""
    shown, treatment = training[:4], training.treatment
    if column == "transfer":
        return _away(shown, treatment)
    x, labels = _home(shown, treatment, "none" if column == "closed" else column)
    return x[test], labels[test]


def _fitted(training, train, validation):
    """A classifier, trained by its usual schedule or until it no longer improves."""
    transformer = _transformer(training[:4], training.photo, training.treatment)
    if training.classifier == USUAL:
        return with_seed(classifier_for(transformer), training.seed).fit(*train)
    if training.classifier in PENALTIES:
        return _penalised(training.classifier, train, validation, training.seed)
    return _settled(training.classifier, train, validation, training.seed)


def _settled(name, train, validation, seed):
    """A network that is trained until it no longer improves."""
    mean, scale = train[0].mean(), train[0].std() / SCALE + 1e-12
    network = with_seed(_network(name), seed)
    shown = [((x - mean) / scale + 0.5, y) for x, y in (train, validation)]
    network.fit_until_settled(*shown[0], shown[1])
    return _Rescaled(network, mean, scale)


class _Rescaled:
    """A network whose input is scaled to the contrast of photographs."""

    def __init__(self, network, mean, scale):
        self.network, self.mean, self.scale = network, mean, scale

    def predict(self, x):
        return self.network.predict((x - self.mean) / self.scale + 0.5)


def _network(name):
    """A network without its own augmentation."""
    if name == "small ResNet":
        return ImageAttributor()
    network = baseline(name)["classifier"]
    return network.set_params(mirror=False) if name == "Yu19" else network


def _penalised(name, train, validation, seed):
    """A classifier with the penalty that is best on the validation images."""
    fitted = [
        StandardisedClassifier(_linear_or_not(name, c, seed)).fit(*train)
        for c in PENALTIES[name]
    ]
    shares = [np.mean(f.predict(validation[0]) == validation[1]) for f in fitted]
    return fitted[int(np.argmax(shares))]


def _linear_or_not(name, c, seed):
    if name == "support vectors":
        return SVC(C=c, random_state=seed)
    return LogisticRegression(C=c, max_iter=500, random_state=seed)


@lru_cache(maxsize=8)
def _home(shown, treatment, treatment_of_tests):
    """All images of a photograph in a representation, and their labels."""
    photo = shown[0]
    images, labels = _pool(photo)
    images = postprocess(postprocess(images, treatment), treatment_of_tests)
    return _transformer(shown, photo, treatment).transform(images), labels


@lru_cache(maxsize=2)
def _away(shown, treatment):
    """The first test images of every class of the other photograph."""
    photo = OTHER[shown[0]]
    images, labels = generators(shared(photo)).labelled(N_TEST)
    images = postprocess(images, treatment)
    return _transformer(shown, photo, treatment).transform(images), labels


@lru_cache(maxsize=1)
def _pool(photo):
    setting = shared(photo)
    return generators(setting).labelled(setting.room + N_TEST)


@lru_cache(maxsize=4)
def _transformer(shown, photo, treatment):
    """A representation of the images of a photograph, fitted on its real views."""
    home, space, kind, variant = shown
    data = _treated(photo, treatment)
    if kind == "highpass" and variant != USUAL:
        return Highpass(space, **VARIANTS[kind, variant]).fit(data.real)
    if kind == "blur":
        return Blurred(space).fit(data.real)
    if kind == "denoiser":
        return _denoiser(space, variant, STRANGER[home], data).fit(data.real)
    return representations(data, [space], [kind]).popitem()[1]


def _denoiser(space, variant, stranger, data):
    """A shipped denoiser, or one that is trained on the (treated) real views."""
    if variant == STRANGE:
        return Denoiser(space, weights=stranger)
    if variant == USUAL and shipped(data):
        return Denoiser(space, weights=shipped(data))
    changed = VARIANTS.get(("denoiser", variant), {})
    return Denoiser(space, **{"steps": DENOISER_STEPS} | changed)


@lru_cache(maxsize=2)
def _treated(photo, treatment):
    """The benchmark of a photograph, with its real images treated like the others."""
    data = generators(shared(photo))
    if treatment == "none":
        return data
    real = postprocess(data.real, treatment)
    # The manifold of treated views is not known.
    return replace(data, real=real, manifold=None)
