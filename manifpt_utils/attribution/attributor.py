"""An attributor: learns from images of known models, and answers about new images."""

from dataclasses import replace
from typing import NamedTuple

import numpy as np
import pandas as pd
from scipy.stats import binomtest
from sklearn.base import BaseEstimator
from sklearn.frozen import FrozenEstimator
from sklearn.pipeline import make_pipeline
from sklearn.utils.validation import check_is_fitted

from ..images.benchmark import Benchmark
from ..images.file_names import names_of
from ..images.validation import check_images
from ..method.device import torch_device, use_device
from ..method.manifold import DataManifold
from ..method.projection import rows_within
from ..method.streams import streamed, take_rows
from ..metrics.conformal import (
    check_coverage,
    least_calibration,
    p_values,
    prediction_sets,
)
from ..metrics.intervals import Interval
from .answers import answer_files, answer_images
from .parts import balanced, parts_of, table_of, was_resized
from .selection import STEPS, Candidate, candidates, fitted, make_classifier, select

MEMORY = 500_000_000  # bytes of real images as float32 numbers, at most


class Quality(NamedTuple):
    """Scores of an attributor on images that it neither learned nor calibrated on.

    Attributes
    ----------
    accuracy : Interval
        Share of images whose most probable class is the true one, with Wilson's 95 %
        interval over the images.
    chance : float
        One over the number of classes.
    coverage : Interval
        Share of images whose conformal set holds the true class.
    set_size : float
        Mean number of classes in a set.
    unknown : float
        Share of images with an empty set.
    confusion : DataFrame
        Numbers of images; rows are true classes, columns predicted ones.
    """

    accuracy: Interval
    chance: float
    coverage: Interval
    set_size: float
    unknown: float
    confusion: pd.DataFrame


class Attributor(BaseEstimator):
    """Tells which model made an image, how sure that is, and when it was none of them.

    The images of every class are divided.  The attributor learns from three fifths: on
    these, cross-validation chooses space, estimate and classifier where they were not
    given.  One fifth calibrates the p-values, and one fifth tests the result.  If the
    images came with a split into training and test, its test images are the test.

    Parameters
    ----------
    space : str, optional
        One of `SPACES`.  If it is not given, "rgb" or "frequency" is chosen.
    estimate : str, optional
        What the classifier is shown: "raw", "nearest", "highpass", "denoiser", "hull",
        "tangent", "median", "pca" or "mean".  If it is not given, one of the first four
        is chosen.
    classifier : {None, "linear", "network"}
        "linear" is logistic regression, "network" a small residual network; None
        chooses one of them.
    coverage : float
        Share of the images whose conformal set is to hold the true class.
    with_real : bool
        Whether "real" is one of the classes.
    denoiser_steps : int
        Training steps of a denoiser, where none is shipped for the benchmark.
    effort : float
        Factor on the training steps of networks.
    quick : bool
        Whether to choose after one round of cross-validation with few images.
    seed : int
    device : str, optional
        "cpu", "cuda" or "auto": where spaces, searches and networks compute, by default
        that of `use_device`.
    precision : {"float32", "bfloat16", "auto"}
        In which networks compute, see `device.torch_precision`.
    progress : bool
        Whether to show bars for what takes more than five seconds.

    Attributes
    ----------
    classes_ : (c,) str array
    choice_ : Candidate
        The chosen `space`, `estimate` and `classifier`.
    candidates_ : DataFrame
        The result of cross-validation for each candidate, see `select`.
    quality_ : Quality
        Scores on the test images.
    image_shape_ : tuple
        (h, w, 3).
    resizes_ : bool
        Whether the images were resized to this size; later images are treated alike.
    normalise_ : str or None
        How the images of the fit were normalised; later images are treated alike.
    images_ : DataFrame
        All images with their `class`, `part` and `digest`, and their `file` where the
        benchmark is a folder.
    warnings_ : list of str
        Warnings of the audit about the images.

    Examples
    --------
    >>> from manifpt_utils.images.loading import load
    >>> data = load("gm-photo/coffee", models=["dcgan", "ddpm"], n_real=200)
    >>> options = {"space": "frequency", "estimate": "raw", "classifier": "linear"}
    >>> found = Attributor(**options, with_real=False).fit(data)
    >>> found.sets(data.images["dcgan"][:3]).shape
    (3, 2)
    """

    def __init__(
        self,
        *,
        space=None,
        estimate=None,
        classifier=None,
        coverage=0.9,
        with_real=True,
        denoiser_steps=STEPS,
        effort=1.0,
        quick=False,
        seed=0,
        device=None,
        precision="float32",
        progress=False,
    ):
        self.space = space
        self.estimate = estimate
        self.classifier = classifier
        self.coverage = coverage
        self.with_real = with_real
        self.denoiser_steps = denoiser_steps
        self.effort = effort
        self.quick = quick
        self.seed = seed
        self.device = device
        self.precision = precision
        self.progress = progress

    def fit(self, benchmark, y=None):
        """Choose, learn, calibrate and test with the images of a benchmark.

        Parameters
        ----------
        benchmark : Benchmark
        y : ignored

        Returns
        -------
        self

        Raises
        ------
        ValueError
            If a name is unknown, or a class has too few images.
        """
        check_coverage(self.coverage)
        if not isinstance(benchmark, Benchmark):
            raise ValueError(
                f"fit takes a Benchmark, got {type(benchmark).__name__}; read a folder "
                "by load first."
            )
        with use_device(self.device):
            return self._fit(benchmark)

    def _fit(self, benchmark):
        benchmark = replace(benchmark, real=_within_memory(benchmark.real, self.seed))
        open_names = self.space, self.estimate, self.classifier
        choices = candidates(benchmark, *open_names)
        parts = parts_of(benchmark, with_real=self.with_real, seed=self.seed)
        self.images_ = table_of(parts, benchmark)
        transformers = fitted(benchmark, choices, self.denoiser_steps)
        self.candidates_ = self._compared(choices, transformers, parts["learn"])
        self.choice_ = Candidate(*self.candidates_.loc[0, list(Candidate._fields)])
        self._keep(benchmark)
        self._assemble(transformers[self.choice_.representation], parts["learn"])
        self._calibrate(parts["calibrate"])
        self.quality_ = self._tested(parts["test"])
        return self

    def _keep(self, benchmark):
        """Keep what later images are compared with, and how they are to be treated."""
        vars(self).pop("_pixels", None)  # the index of the real images of another fit
        self.real_ = benchmark.real
        self.real_names_ = names_of(self.real_, "real", benchmark)
        self.image_shape_ = benchmark.real.shape[1:]
        self.resizes_ = was_resized(benchmark)
        self.normalise_ = benchmark.normalise
        self.warnings_ = list(benchmark.warnings)

    def _compared(self, choices, transformers, part):
        names = "quick", "effort", "seed", "precision"
        options = {name: getattr(self, name) for name in names}
        options["device"] = str(torch_device())  # it is part of what a score is kept by
        if len(choices) > 1:
            return select(choices, transformers, part, **options)
        return pd.DataFrame([choices[0]._asdict()])

    def _assemble(self, transformer, part):
        """Train the chosen classifier; every class counts the same."""
        classifier = make_classifier(
            self.choice_.classifier,
            transformer,
            effort=self.effort,
            seed=self.seed,
            precision=self.precision,
            progress=self.progress,
        )
        features = streamed(transformer.transform, part.images)
        rows = balanced(part.labels)
        classifier.fit(take_rows(features, rows), part.labels[rows])
        self.classes_ = classifier.classes_
        self.pipeline_ = make_pipeline(FrozenEstimator(transformer), classifier)

    def _calibrate(self, part):
        codes = np.searchsorted(self.classes_, part.labels)
        scores = self.predict_proba(part.images)
        self.calibration_scores_ = scores[np.arange(len(codes)), codes]
        self.calibration_labels_ = codes
        self.warnings_ += _never_ruled_out(part.labels, self.coverage)

    def _tested(self, part):
        probability = self.predict_proba(part.images)
        sets = self._sets(probability)
        return quality(probability, sets, part.labels, self.classes_)

    def predict_proba(self, images):
        """Probability of every class: (n, c) float32 array, columns as in `classes_`.

        Parameters
        ----------
        images : (n, h, w, 3) uint8 array
        """
        check_is_fitted(self)
        images = check_images(images, shape=self.image_shape_)
        step = rows_within(4 * images[0].size)
        steps = range(0, len(images), step)
        parts = [self.pipeline_.predict_proba(images[i : i + step]) for i in steps]
        return np.concatenate(parts)

    def predict(self, images):
        """Answer for every image: the verdict and the numbers behind it.

        Parameters
        ----------
        images : (n, h, w, 3) uint8 array, path, or sequence of paths
            Paths of files, or of folders of files.

        Returns
        -------
        DataFrame
            One row per image, see `answers.answer_images` and `answer_files`.
        """
        check_is_fitted(self)
        if isinstance(images, np.ndarray):
            return answer_images(self, images)
        return pd.concat(answer_files(self, images), ignore_index=True)

    def sets(self, images):
        """The classes that cannot be ruled out: (n, c) bool array.

        Parameters
        ----------
        images : (n, h, w, 3) uint8 array
        """
        return self._sets(self.predict_proba(images))

    def p_values(self, probability):
        """Conformal p-values of probabilities (n, c): (n, c) float array."""
        known = self.calibration_scores_, self.calibration_labels_
        return p_values(probability, *known)

    def save(self, folder, *, origin=None):
        """Write the attributor into a folder, see `storage.save_attributor`."""
        from .storage import save_attributor

        save_attributor(self, folder, origin=origin)

    def _sets(self, probability):
        return prediction_sets(self.p_values(probability), coverage=self.coverage)

    def nearest_real(self, images):
        """The nearest real image by the distance between pixels.

        Parameters
        ----------
        images : (n, h, w, 3) uint8 array

        Returns
        -------
        EstimatedProjection
            `index` refers to `real_`; `distance` is the Euclidean distance of pixels in
            0..1.
        """
        if not hasattr(self, "_pixels"):
            self._pixels = DataManifold("rgb", device=self.device).fit(self.real_)
        return self._pixels.project(images)


def _never_ruled_out(labels, coverage):
    """A warning about classes with too few calibration images."""
    needed = least_calibration(coverage)
    counts = zip(*np.unique(labels, return_counts=True), strict=True)
    small = [f"{name} ({n})" for name, n in counts if n < needed]
    if not small:
        return []
    return [
        f"{', '.join(small)}: so few calibration images that the class is in every "
        f"set; a coverage of {coverage:g} needs {needed}, which are a fifth of the "
        "images of the class. Give more images, or ask for a smaller coverage."
    ]


def _within_memory(real, seed):
    """As many real images as can be searched, drawn at random."""
    most = max(1, MEMORY // (4 * real[0].size))
    if len(real) <= most:
        return np.asarray(real)
    return real[np.sort(np.random.default_rng(seed).permutation(len(real))[:most])]


def quality(probability, sets, labels, classes):
    """Compare answers with the true classes.

    Parameters
    ----------
    probability : (n, c) array
    sets : (n, c) bool array
    labels : (n,) array
    classes : (c,) array

    Returns
    -------
    Quality
    """
    codes = np.searchsorted(classes, labels)
    predicted = probability.argmax(axis=1)
    confusion = pd.crosstab(labels, classes[predicted])
    confusion = confusion.reindex(index=classes, columns=classes, fill_value=0)
    return Quality(
        accuracy=_share(predicted == codes),
        chance=1 / len(classes),
        coverage=_share(sets[np.arange(len(codes)), codes]),
        set_size=float(sets.sum(axis=1).mean()),
        unknown=float((~sets.any(axis=1)).mean()),
        confusion=confusion.rename_axis(index="true", columns="predicted"),
    )


def _share(right):
    """The share of images for which this is true, with Wilson's interval."""
    found = binomtest(int(right.sum()), len(right)).proportion_ci(method="wilson")
    return Interval(float(right.mean()), found.low, found.high, len(right), np.nan)
