"""Eight earlier fingerprinting methods, each a pipeline from images to models.

===============  ==========================================  ==========================
name             features                                    classifier
===============  ==========================================  ==========================
`McCloskey18`    shares of saturated values                  linear support vectors
`Nataraj19`      co-occurrence matrices                      convolutional network
`Durall20`       azimuthal spectrum                          support vectors
`Dzanic20`       decay of the spectrum                       five nearest neighbours
`Wang20`         pixels, some blurred or compressed          residual network
`Marra18`        pixels                                      separable convolutions
`Marra19`        pixels                                      the same, by increments
`Yu19`           pixels                                      equalised network
===============  ==========================================  ==========================

All but the last two were binary detectors; to use one classifier over all models is our
choice.  They are evaluated as all others: `evaluate(baseline("Durall20"), images,
labels, ...)`.
"""

from collections.abc import Callable
from functools import partial
from numbers import Integral
from typing import NamedTuple

from sklearn.base import clone
from sklearn.model_selection import GridSearchCV
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import Pipeline
from sklearn.svm import SVC, LinearSVC

from .._support.suggestion import check_options, suggestion
from ..method.classifiers import NetworkClassifier
from ..method.evaluation import with_seed
from ..method.spaces import RGB
from .colour import CooccurrenceMatrices, SaturationStatistics
from .incremental import IncrementalNetwork
from .networks import (
    CooccurrenceNetwork,
    EqualizedNetwork,
    FineTunedNetwork,
    RobustResNet,
)
from .spectrum import AzimuthalSpectrum, SpectrumDecay
from .standardised import StandardisedClassifier

__all__ = ["BASELINES", "Baseline", "baseline"]


class Baseline(NamedTuple):
    """The parts of an earlier method, and the options that were published."""

    features: type  # a transformer of images
    classifier: Callable  # called without arguments
    published: dict

    @property
    def has_network(self):
        """Whether a network is trained."""
        kind = self.classifier
        return isinstance(kind, type) and issubclass(kind, NetworkClassifier)

    @property
    def needs_squares(self):
        """Whether images must be square, as rings of frequencies require."""
        return self.features in (AzimuthalSpectrum, SpectrumDecay)

    def pipeline(self, options):
        """Features and classifier, each with the options that it knows."""
        steps = [("features", self.features()), ("classifier", self.classifier())]
        known = [step.get_params(deep=False) for _, step in steps]
        check_options(options, known[0] | known[1])
        for (_, step), names in zip(steps, known, strict=True):
            step.set_params(**{k: v for k, v in options.items() if k in names})
        return clone(Pipeline(steps))


def _tuned(classifier, **grid):
    return partial(StandardisedClassifier, GridSearchCV(classifier, grid, cv=3))


LINEAR = LinearSVC(dual=False, max_iter=5000)
NEIGHBOURS = partial(StandardisedClassifier, KNeighborsClassifier(5))
BASELINES = {
    "McCloskey18": Baseline(
        SaturationStatistics,
        _tuned(LINEAR, C=[0.01, 0.1, 1, 10]),
        {"classifier": LINEAR},
    ),
    "Nataraj19": Baseline(
        CooccurrenceMatrices,
        CooccurrenceNetwork,
        {"levels": 256, "width": 32, "epochs": 50, "rate": 1e-4, "cycle": False},
    ),
    "Durall20": Baseline(
        AzimuthalSpectrum,
        _tuned(SVC(), C=[1, 6.37, 40], gamma=["scale", 0.86]),
        {"n_points": 80, "classifier": SVC(C=6.37, gamma=0.86), "standardise": False},
    ),
    "Dzanic20": Baseline(
        SpectrumDecay,
        NEIGHBOURS,
        {"n_rings": 200, "smooth": 5, "criterion": "norm"},
    ),
    "Wang20": Baseline(
        RGB,
        RobustResNet,
        {"backbone": "resnet50", "epochs": 1000, "rate": 1e-4, "patience": 5},
    ),
    "Marra18": Baseline(
        RGB,
        FineTunedNetwork,
        {"backbone": "inception_v3", "epochs": 30, "rate": 1e-4, "patience": 5},
    ),
    "Marra19": Baseline(
        RGB,
        IncrementalNetwork,
        {"backbone": "inception_v3", "memory": 2000, "epochs": 70, "rate": 1e-4},
    ),
    "Yu19": Baseline(
        RGB,
        EqualizedNetwork,
        {"base": 1024, "side": 128, "epochs": 40, "rate": 1e-3, "cycle": False}
        | {"batch_size": 32},
    ),
}


def baseline(name, *, paper=False, image_size=32, seed=0, **options):
    """Build an earlier method by its name.

    Parameters
    ----------
    name : str
        A key of `BASELINES`.
    paper : bool
        Whether to use the published settings, which are for the published image sizes
        and a GPU.  The default is a variant for images of 28 to 64 pixels, which two
        CPU cores train in seconds.
    image_size : int or (int, int)
        Side, or height and width, of the images.
    seed : int
        Seed of every step that has one.
    **options
        Parameters of the features and the classifier of this method.

    Returns
    -------
    sklearn.pipeline.Pipeline
        It takes (n, h, w, 3) uint8 images and has the steps `features` and
        `classifier`. Its `transform` gives the penultimate features of a network, or,
        without a network, the standardised features.

    Raises
    ------
    ValueError
        If the name or an option is unknown; the nearest known one is suggested.

    Examples
    --------
    >>> baseline("Dzanic20", image_size=64)["features"]
    SpectrumDecay()
    """
    method = BASELINES.get(name) if isinstance(name, str) else None
    if method is None:
        raise ValueError(f"unknown baseline {name!r};{suggestion(name, BASELINES)}")
    if paper:
        options = method.published | options
    if method.features is RGB:
        options = {"image_shape": _image_shape(image_size)} | options
    return with_seed(method.pipeline(options), seed)


def _image_shape(size):
    size = (size,) * 2 if isinstance(size, Integral) else size
    if len(size) != 2 or not all(isinstance(s, Integral) and s > 0 for s in size):
        raise ValueError(
            f"image_size must be a side, or (height, width), got {size!r}."
        )
    return *size, 3
