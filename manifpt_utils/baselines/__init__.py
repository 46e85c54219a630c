"""Eight earlier fingerprinting methods, each a pipeline of images to model names.

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

All but the last were binary detectors; one classifier over all models is our choice.
Each is evaluated like our own: `attribution.evaluate(baseline("Durall20"), ...)`.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from numbers import Integral

from sklearn.base import clone
from sklearn.model_selection import GridSearchCV
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import Pipeline
from sklearn.svm import SVC, LinearSVC

from .._support.suggestion import suggestion
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

__all__ = ["BASELINES", "Builder", "baseline"]


@dataclass(frozen=True)
class Builder:
    """One row of the table: what a method is made of, and its published settings."""

    features: Callable
    classifier: Callable
    published: dict = field(default_factory=dict)

    def __call__(self, *, paper=False, image_size=32, seed=0, **options):
        """Build the pipeline; parameters as for `baseline`."""
        pipeline = Pipeline(
            [("features", self.features()), ("classifier", self.classifier())]
        )
        options = (self.published if paper else {}) | options
        places = {
            name: f"{step}__{name}"
            for step, estimator in pipeline.steps
            for name in estimator.get_params(deep=False)
        }
        if self.features is RGB:
            options.setdefault("image_shape", _image_shape(image_size))
        for name in options:
            if name not in places:
                raise ValueError(f"unknown option {name!r};{suggestion(name, places)}")
        pipeline.set_params(**{places[k]: v for k, v in options.items()})
        return with_seed(clone(pipeline), seed)


def _image_shape(image_size):
    size = (image_size,) * 2 if isinstance(image_size, Integral) else image_size
    if len(size) != 2 or not all(isinstance(s, Integral) and s > 0 for s in size):
        raise ValueError(
            f"image_size must be a side, or (height, width), got {image_size!r}."
        )
    return *size, 3


def _tuned_linear():
    grid = {"C": [0.01, 0.1, 1, 10]}
    search = GridSearchCV(LinearSVC(dual=False, max_iter=5000), grid, cv=3)
    return StandardisedClassifier(search)


def _tuned_radial():
    grid = {"C": [1, 6.37, 40], "gamma": ["scale", 0.86]}
    return StandardisedClassifier(GridSearchCV(SVC(), grid, cv=3))


def _neighbours():
    return StandardisedClassifier(KNeighborsClassifier(5))


BASELINES = {
    "McCloskey18": Builder(
        SaturationStatistics,
        _tuned_linear,
        {"classifier": LinearSVC(dual=False, max_iter=5000)},
    ),
    "Nataraj19": Builder(
        CooccurrenceMatrices,
        CooccurrenceNetwork,
        {"levels": 256, "width": 32, "epochs": 50, "rate": 1e-4, "patience": 5},
    ),
    "Durall20": Builder(
        AzimuthalSpectrum,
        _tuned_radial,
        {"n_points": 80, "classifier": SVC(C=6.37, gamma=0.86), "standardise": False},
    ),
    "Dzanic20": Builder(
        SpectrumDecay,
        _neighbours,
        {"n_rings": 200, "smooth": 5, "criterion": "norm"},
    ),
    "Wang20": Builder(
        RGB,
        RobustResNet,
        {"backbone": "resnet50", "epochs": 1000, "rate": 1e-4, "patience": 5},
    ),
    "Marra18": Builder(
        RGB,
        FineTunedNetwork,
        {"backbone": "inception_v3", "epochs": 30, "rate": 1e-4, "patience": 5},
    ),
    "Marra19": Builder(
        RGB,
        IncrementalNetwork,
        {"backbone": "inception_v3", "memory": 2000, "epochs": 70, "rate": 1e-4},
    ),
    "Yu19": Builder(
        RGB,
        EqualizedNetwork,
        {"base": 1024, "side": 128, "epochs": 40, "rate": 1e-3, "patience": 5}
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
        The published settings, for the published image sizes and a GPU.  By default a
        variant for images of 28 to 64 pixels, which two CPU cores train in seconds.
    image_size : int or (int, int)
        Side, or height and width, of the images that a network will be given.
    seed : int
        Set on every step that has one.
    **options
        Parameters of the features and the classifier of this method.

    Returns
    -------
    sklearn.pipeline.Pipeline
        Steps `features` and `classifier`; takes (n, h, w, 3) uint8 images.  Its
        `transform` gives the penultimate features of a network, the standardised
        features otherwise.

    Raises
    ------
    ValueError
        If the name or an option is unknown; the nearest known one is suggested.

    Examples
    --------
    >>> baseline("Dzanic20", image_size=64)["features"]
    SpectrumDecay()
    """
    builder = BASELINES.get(name) if isinstance(name, str) else None
    if builder is None:
        raise ValueError(f"unknown baseline {name!r};{suggestion(name, BASELINES)}")
    return builder(paper=paper, image_size=image_size, seed=seed, **options)
