"""An attributor: from images of known models to answers about new ones."""

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
from ..images.validation import check_images
from ..method.manifold import DataManifold
from ..method.networks import torch_device
from ..method.projection import rows_within
from ..metrics.conformal import (
    check_coverage,
    least_calibration,
    p_values,
    prediction_sets,
)
from ..metrics.intervals import Interval
from .answers import answer_files, answer_images
from .parts import balanced, classes_of, divide, names_of, table_of, was_resized
from .selection import STEPS, Candidate, candidates, fitted, make_classifier, select

MEMORY = 500_000_000  # bytes of real images as numbers, at most


class Quality(NamedTuple):
    """How an attributor did on images that it neither learned nor was calibrated on.

    Attributes
    ----------
    accuracy : Interval
        Share of images whose most probable class is the true one, with Wilson's 95 %
        interval over the images.
    chance : float
        One over the number of classes.
    coverage : Interval
        Share of images whose set holds the true class.
    set_size : float
        Mean number of classes in a set.
    unknown : float
        Share of images with an empty set.
    confusion : DataFrame
        Rows true, columns predicted, in images.
    """

    accuracy: Interval
    chance: float
    coverage: Interval
    set_size: float
    unknown: float
    confusion: pd.DataFrame


class Attributor(BaseEstimator):
    """Tells which model made an image, how sure that is, and when it is none of them.

    The images of every class are divided.  From three fifths it learns: there,
    cross-validation chooses among spaces, estimates and classifiers what was left
    open.  A fifth calibrates the p-values, and a fifth tests the whole.

    Parameters
    ----------
    space : str, optional
        "rgb", "frequency", or another of `SPACES`.  Chosen from the first two if it is
        not given.
    estimate : str, optional
        What the classifier is shown: "raw", "nearest", "highpass" or "denoiser", one of
        which is chosen if it is not given, or "hull", "tangent", "median", "pca",
        "mean".
    classifier : {None, "linear", "network"}
        Logistic regression, or a small residual network.
    coverage : float
        How often a set is to hold the true class.
    with_real : bool
        Whether "real" is one of the classes.
    denoiser_steps : int
        Of the training of a denoiser, where none is shipped for the benchmark.
    effort : float
        Factor on the training steps of networks.
    quick : bool
        One round of cross-validation with few images.
    seed : int
    device : str
        "cpu" or "cuda", where networks are trained and used.
    progress : bool
        Show bars for what takes more than five seconds.

    Attributes
    ----------
    classes_ : (c,) str array
    choice_ : Candidate
        `space`, `estimate` and `classifier`.
    candidates_ : DataFrame
        What cross-validation found for each candidate, see `select`.
    quality_ : Quality
        On the test images.
    image_shape_ : tuple
        (h, w, 3).
    resizes_ : bool
        Whether the images were brought to this size, as later ones will be.
    normalise_ : str or None
        How the images of the fit were treated, as later ones will be.
    images_ : DataFrame
        All images with their `class`, `part` and `digest`, and their `file` where the
        benchmark is a folder.
    warnings_ : list of str
        What the audit says of the images.

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
        device="cpu",
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
        self.progress = progress

    def fit(self, benchmark, y=None):
        """Choose, learn, calibrate and test on the images of a benchmark.

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
        torch_device(self.device)
        if not isinstance(benchmark, Benchmark):
            raise ValueError(
                f"fit takes a Benchmark, got {type(benchmark).__name__}; read a folder "
                "by load first."
            )
        benchmark = replace(benchmark, real=_within_memory(benchmark.real, self.seed))
        open_names = self.space, self.estimate, self.classifier
        choices = candidates(benchmark, *open_names)
        parts = divide(classes_of(benchmark, with_real=self.with_real), seed=self.seed)
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
        """What later images are compared with, and brought to."""
        self.real_ = benchmark.real
        self.real_names_ = names_of(self.real_, "real", benchmark)
        self.image_shape_ = benchmark.real.shape[1:]
        self.resizes_ = was_resized(benchmark)
        self.normalise_ = benchmark.normalise
        self.warnings_ = list(benchmark.warnings)

    def _compared(self, choices, transformers, part):
        names = "quick", "effort", "seed", "device"
        options = {name: getattr(self, name) for name in names}
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
            device=self.device,
            progress=self.progress,
        )
        features = transformer.transform(part.images)
        rows = balanced(part.labels)
        classifier.fit(features[rows], part.labels[rows])
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
        """Answer for every image: its verdict and all that is behind it.

        Parameters
        ----------
        images : (n, h, w, 3) uint8 array, path, or sequence of paths
            Paths are of files, or of folders of files.

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
        """The nearest real image, between pixels.

        Parameters
        ----------
        images : (n, h, w, 3) uint8 array

        Returns
        -------
        EstimatedProjection
            `index` counts `real_`; `distance` is the root of the summed squares of
            differences in 0..1.
        """
        if not hasattr(self, "_pixels"):
            self._pixels = DataManifold("rgb").fit(self.real_)
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
        f"set; {needed} are needed at a coverage of {coverage:g}, a fifth of those of "
        "the class. Give more images, or ask for a smaller coverage."
    ]


def _within_memory(real, seed):
    """As many real images as can be searched, drawn at random."""
    most = max(1, MEMORY // (4 * real[0].size))
    if len(real) <= most:
        return np.asarray(real)
    return real[np.sort(np.random.default_rng(seed).permutation(len(real))[:most])]


def quality(probability, sets, labels, classes):
    """Measure answers against the truth.

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
    """The share of images with Wilson's interval."""
    found = binomtest(int(right.sum()), len(right)).proportion_ci(method="wilson")
    return Interval(float(right.mean()), found.low, found.high, len(right), np.nan)
