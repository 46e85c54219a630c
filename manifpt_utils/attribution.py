"""From artifacts to their source model: classifiers, and one evaluation for all.

The classifiers are scikit-learn estimators around skorch networks.  Besides `predict`
they offer `transform`, the penultimate features on which separability is measured.
"""

import math
from typing import NamedTuple

import numpy as np
import pandas as pd
import torch
from sklearn.base import BaseEstimator, ClassifierMixin, TransformerMixin, clone
from sklearn.frozen import FrozenEstimator
from sklearn.metrics import confusion_matrix
from sklearn.model_selection import StratifiedShuffleSplit
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import LabelEncoder
from sklearn.utils.validation import check_is_fitted, validate_data
from skorch import NeuralNetClassifier
from skorch.callbacks import LRScheduler
from torch import nn

from .metrics import FrechetRatio, frechet_distance_ratio
from .random_state import forked_random_state


class EveryOtherPixel(nn.Conv2d):
    """1 x 1 convolution with stride 2, computed with stride 1 on every other pixel.

    With the stride, the backward pass of torch 2.13 on a CPU writes out of bounds where
    two threads share a small batch in the channels-last layout.
    """

    def __init__(self, before, after):
        super().__init__(before, after, 1, bias=False)

    def forward(self, x):
        return super().forward(x[..., ::2, ::2])


class _Block(nn.Module):
    """Residual block that halves the resolution."""

    def __init__(self, before, after):
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(before, after, 3, 2, 1, bias=False),
            nn.BatchNorm2d(after),
            nn.ReLU(),
            nn.Conv2d(after, after, 3, 1, 1, bias=False),
            nn.BatchNorm2d(after),
        )
        self.skip = EveryOtherPixel(before, after)

    def forward(self, x):
        return torch.relu(self.body(x) + self.skip(x))


class ColourAugmentation(nn.Module):
    """Random channel order, gain and offset for each image, while training only."""

    def forward(self, x):
        """Change the colours of a batch (n, 3, h, w) and leave its shapes alone."""
        if not self.training:
            return x
        n = len(x)
        order = torch.rand(n, 3, device=x.device).argsort(1)[:, :, None, None]
        x = x.gather(1, order.expand_as(x))
        gain = 1 + 0.3 * torch.randn(n, 3, 1, 1, device=x.device)
        return x * gain + 0.3 * torch.randn(n, 3, 1, 1, device=x.device)


def small_resnet(width=8):
    """Stem at full resolution, three residual blocks, global average: 8 x width."""
    return nn.Sequential(
        nn.Conv2d(3, width, 3, 1, 1, bias=False),
        nn.BatchNorm2d(width),
        nn.ReLU(),
        *(_Block(width * 2**i, width * 2 ** (i + 1)) for i in range(3)),
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
    )


def headless_resnet50():
    """The ResNet50 of torchvision without its last layer, from scratch."""
    from ._torchvision import torchvision

    network = torchvision.models.resnet50(weights=None)
    for layer in (network.layer2, network.layer3, network.layer4):
        skip = layer[0].downsample
        skip[0] = EveryOtherPixel(skip[0].in_channels, skip[0].out_channels)
    network.fc = nn.Identity()
    return network


def resnet50(weights=None):
    """The ResNet50 of torchvision without its last layer; `weights` is a local file.

    Below 64 pixels the first stride and the pooling would leave nothing to see, so the
    stem keeps the resolution.
    """
    network = headless_resnet50()
    if weights:
        network.load_state_dict(torch.load(weights, weights_only=True), strict=False)
    network.conv1.stride, network.maxpool = (1, 1), nn.Identity()
    return network


BACKBONES = {"small": small_resnet, "resnet50": resnet50}


class AttributionNetwork(nn.Module):
    """Backbone and linear head on flattened input, standardised with fixed numbers."""

    def __init__(self, backbone, n_features, n_classes, mean, scale, shape=None):
        super().__init__()
        self.backbone, self.shape = backbone, shape
        self.head = nn.Linear(n_features, n_classes)
        self.register_buffer("mean", torch.as_tensor(mean, dtype=torch.float32))
        self.register_buffer("scale", torch.as_tensor(scale, dtype=torch.float32))

    def features(self, x):
        """Penultimate features: (n, n_features)."""
        x = (x - self.mean) / self.scale
        if self.shape:
            x = x.view(-1, *self.shape).permute(0, 3, 1, 2)
        return self.backbone(x)

    def forward(self, x):
        return self.head(self.features(x))


class NetworkClassifier(ClassifierMixin, TransformerMixin, BaseEstimator):
    """What the two attribution classifiers share: training by skorch."""

    def fit(self, x, y):
        """Train on features and labels.

        Parameters
        ----------
        x : (n, d) float array
        y : (n,) array of labels

        Raises
        ------
        ValueError
            If there is only one class, or x is not finite.
        """
        x, y = validate_data(self, x, y, dtype=np.float32)
        self.encoder_ = LabelEncoder().fit(y)
        self.classes_ = self.encoder_.classes_
        if len(self.classes_) < 2:
            raise ValueError(
                f"attribution needs at least two classes, got one class: "
                f"{str(self.classes_[0])!r}."
            )
        with forked_random_state(self.seed):
            self.net_ = self._net(x).fit(x, self.encoder_.transform(y).astype(np.int64))
        return self

    def _net(self, x):
        batch = min(self.batch_size, len(x))
        # skorch drops nothing, so an epoch has ceil(n / batch) steps.
        per_epoch = math.ceil(len(x) / batch)
        epochs = max(self.epochs, math.ceil(self.min_steps / per_epoch))
        schedule = LRScheduler(
            torch.optim.lr_scheduler.OneCycleLR,
            max_lr=self.rate,
            total_steps=epochs * per_epoch + 1,
            step_every="batch",
        )
        return NeuralNetClassifier(
            self._network(x),
            criterion=nn.CrossEntropyLoss,
            optimizer=torch.optim.AdamW,
            optimizer__weight_decay=self.weight_decay,
            lr=self.rate,
            batch_size=batch,
            max_epochs=epochs,
            iterator_train__shuffle=True,
            iterator_valid__batch_size=512,
            train_split=None,
            callbacks=[("schedule", schedule)],
            verbose=0,
        )

    def predict_proba(self, x):
        """Class probabilities: (n, c) float32 array, columns as in `classes_`."""
        check_is_fitted(self)
        return self.net_.predict_proba(self._check(x))

    def predict(self, x):
        """The most probable label of each row."""
        return self.classes_[self.predict_proba(x).argmax(axis=1)]

    def transform(self, x):
        """Penultimate features: (n, k) float32 array."""
        check_is_fitted(self)
        network = self.net_.module_.eval()
        with torch.no_grad():
            parts = torch.from_numpy(self._check(x)).split(512)
            return torch.cat([network.features(p) for p in parts]).numpy()

    def _check(self, x):
        return validate_data(self, x, reset=False, dtype=np.float32)


class ImageAttributor(NetworkClassifier):
    """Attribution of image-shaped features with a residual network.

    Parameters
    ----------
    backbone : {"small", "resnet50"}
        Trained from scratch; the paper fine-tunes an ImageNet ResNet50 (Sec. 2.3), its
        released code trains a CIFAR ResNet from scratch.
    weights : path, optional
        Local state dict to start a "resnet50" from.
    augment : {None, "colour"}
        Random channel order, gain and offset while training.
    epochs, min_steps : int
        Passes over the data, and the least number of steps, for few images.
    rate, weight_decay, batch_size : float, float, int
        AdamW with a one-cycle schedule.
    image_shape : tuple, optional
        (h, w, 3) of the flattened rows; square when it is not given.
    seed : int
    """

    def __init__(
        self,
        *,
        backbone="small",
        weights=None,
        augment=None,
        epochs=8,
        min_steps=100,
        rate=5e-3,
        weight_decay=1e-2,
        batch_size=64,
        image_shape=None,
        seed=0,
    ):
        self.backbone = backbone
        self.weights = weights
        self.augment = augment
        self.epochs = epochs
        self.min_steps = min_steps
        self.rate = rate
        self.weight_decay = weight_decay
        self.batch_size = batch_size
        self.image_shape = image_shape
        self.seed = seed

    def _network(self, x):
        shape = self.image_shape or square_shape(x.shape[1])
        if self.backbone not in BACKBONES:
            known = ", ".join(BACKBONES)
            raise ValueError(f"unknown backbone {self.backbone!r}; known: {known}.")
        if self.augment not in (None, "colour"):
            raise ValueError(f"augment must be None or 'colour', got {self.augment!r}.")
        is_small = self.backbone == "small"
        backbone = small_resnet() if is_small else resnet50(self.weights)
        if self.augment:
            backbone = nn.Sequential(ColourAugmentation(), backbone)
        # One mean and scale for all pixels, so that the picture keeps its contrasts.
        mean, scale = x.mean(), x.std() + 1e-12
        return AttributionNetwork(
            # Rows are channel-last images: the matching weight layout saves a third.
            backbone.to(memory_format=torch.channels_last),
            64 if is_small else 2048,
            len(self.classes_),
            mean,
            scale,
            shape,
        )


def square_shape(n_features):
    """Height, width and channels of flattened square RGB images."""
    side = math.isqrt(n_features // 3)
    if 3 * side * side != n_features:
        raise ValueError(
            f"rows of {n_features} numbers are no square RGB image; give image_shape, "
            "or use VectorAttributor."
        )
    return side, side, 3


class VectorAttributor(NetworkClassifier):
    """Attribution of feature vectors with a perceptron, or a linear head.

    Parameters
    ----------
    hidden : int
        Units of the one hidden layer; 0 for a linear head.
    epochs, min_steps, rate, weight_decay, batch_size, seed
        As for `ImageAttributor`.
    """

    def __init__(
        self,
        *,
        hidden=128,
        epochs=15,
        min_steps=200,
        rate=3e-3,
        weight_decay=1e-2,
        batch_size=64,
        seed=0,
    ):
        self.hidden = hidden
        self.epochs = epochs
        self.min_steps = min_steps
        self.rate = rate
        self.weight_decay = weight_decay
        self.batch_size = batch_size
        self.seed = seed

    def _network(self, x):
        d = x.shape[1]
        mean, scale = x.mean(axis=0), x.std(axis=0)
        scale = np.where(scale > 0, scale, 1)
        backbone, size = nn.Identity(), d
        if self.hidden:
            size = self.hidden
            backbone = nn.Sequential(
                nn.Linear(d, size), nn.BatchNorm1d(size), nn.ReLU(), nn.Dropout(0.2)
            )
        return AttributionNetwork(backbone, size, len(self.classes_), mean, scale)


def attributor(space, **options):
    """The default classifier of a fitted space or manifold: residual net or perceptron.

    Parameters
    ----------
    space : fitted transformer with `image_shape_`
    **options
        Passed on to `ImageAttributor` or `VectorAttributor`.
    """
    shape = getattr(space, "image_shape_", None)
    if shape is None:
        options.pop("augment", None)
        return VectorAttributor(**options)
    return ImageAttributor(image_shape=tuple(shape), **options)


def attribution_pipeline(transformer, **options):
    """Images to features to classifier, with the fitted transformer frozen.

    Parameters
    ----------
    transformer : fitted DataManifold or space
    **options
        Of the classifier.

    Returns
    -------
    sklearn.pipeline.Pipeline
    """
    return make_pipeline(
        FrozenEstimator(transformer), attributor(transformer, **options)
    )


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
