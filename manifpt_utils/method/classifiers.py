"""From artifacts to their source model: classifiers, and one evaluation for all.

The classifiers are scikit-learn estimators around skorch networks.  Besides `predict`
they offer `transform`, the penultimate features on which separability is measured.
"""

import math

import numpy as np
import torch
from sklearn.base import BaseEstimator, ClassifierMixin, TransformerMixin
from sklearn.frozen import FrozenEstimator
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import LabelEncoder
from sklearn.utils.validation import check_is_fitted, validate_data
from skorch import NeuralNetClassifier
from skorch.callbacks import LRScheduler
from torch import nn

from .._support.random_state import forked_random_state
from .networks import (
    BACKBONES,
    AttributionNetwork,
    ColourAugmentation,
    resnet50,
    small_resnet,
)


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
