"""From artifacts to their source model: classifiers.

They are scikit-learn estimators around a network.  Besides `predict` they offer
`transform`, the penultimate features on which separability is measured.
"""

import math
from dataclasses import dataclass
from functools import partial

import numpy as np
import torch
from sklearn.base import BaseEstimator, ClassifierMixin, TransformerMixin
from sklearn.frozen import FrozenEstimator
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import LabelEncoder
from sklearn.utils.validation import check_is_fitted, validate_data
from torch import nn

from .._support.random_state import forked_random_state
from .._support.suggestion import check_options, suggestion
from .device import torch_device, torch_precision
from .networks import (
    AttributionNetwork,
    ColourAugmentation,
    Standardise,
    features_of,
    resnet50,
    small_resnet,
)
from .streams import mean_and_scale
from .training import Rounds, settling, trainer
from .weights import load_weights, read_weights

AT_ONCE = 512 * 32 * 32 * 3  # numbers that pass through a network in one batch
LEAST_SCALE = 0.05  # of a feature, as a share of the median of all

# scikit-learn reads the parameters of an estimator from the signature of `__init__`.
estimator = dataclass(kw_only=True, eq=False, repr=False)


@estimator
class NetworkClassifier(ClassifierMixin, TransformerMixin, BaseEstimator):
    """What all classifiers with a network share.

    Parameters
    ----------
    epochs, min_steps : int
        Passes over the data, and the least number of training steps, which counts where
        there are few images.
    rate, batch_size : float, int
    device : str, optional
        Device of torch, where the network is trained and used, by default that of
        `use_device`.
    precision : {"float32", "bfloat16", "auto"}
        In which all layers but the last compute, see `device.torch_precision`; the
        weights are float32.
    progress : bool
        Show a bar for a training of more than five seconds.
    seed : int
    """

    epochs: int = 10
    min_steps: int = 150
    rate: float = 5e-3
    batch_size: int = 64
    device: str | None = None
    precision: str = "float32"
    progress: bool = False
    seed: int = 0

    def fit(self, x, y):
        """Train on features and labels; an interrupted training leaves nothing behind.

        Parameters
        ----------
        x : (n, d) float array
        y : (n,) array of labels

        Raises
        ------
        ValueError
            If there is only one class, x is not finite, or a parameter does not fit.
        """
        vars(self).pop("net_", None)
        torch_device(self.device)
        x, y = validate_data(self, x, y, dtype=np.float32)
        encoder = LabelEncoder().fit(y)
        self.classes_ = encoder.classes_
        if len(self.classes_) < 2:
            raise ValueError(
                f"attribution needs at least two classes, got one class: "
                f"{str(self.classes_[0])!r}."
            )
        with forked_random_state(self.seed):
            self.net_ = self._trained(x, encoder.transform(y).astype(np.int64))
        return self

    def fit_until_settled(self, x, y, validation, *, patience=3, max_steps=300):
        """Train until accuracy on validation images rises no more; one rule for all.

        Every 20 steps of 64 rows, the accuracy on the validation images is measured.
        After `patience` such rounds without progress the learning rate falls to a
        tenth, and after as many more the training ends; the weights of the best round
        are kept. The optimiser is AdamW for every network, and the network's own
        schedule is not used.

        Parameters
        ----------
        x, y : (n, d) float array, (n,) array of labels
        validation : (x, y)
            Images that are neither trained nor tested on, of the same classes.
        patience : int
            Number of rounds without progress.
        max_steps : int

        Returns
        -------
        self
        """
        network = self.untrained(x, y)
        rounds = Rounds(patience, max_steps, validation=self._coded(*validation))
        with forked_random_state(self.seed):
            net = settling(network, rounds, rate=self.rate, device=self._device())
            self.net_ = net.fit(*rounds.repeated(*self._coded(x, y)))
        return self

    def untrained(self, x, y):
        """The network for rows (n, d) and labels (n,), before its training."""
        x = validate_data(self, x, dtype=np.float32)
        self.classes_ = np.unique(y)
        with forked_random_state(self.seed):
            return self._built(x)

    def weights_of(self):
        """Weights of the fitted network: a dict of str to tensor."""
        check_is_fitted(self)
        return self.net_.module_.state_dict()

    def restore(self, state, classes, n_features):
        """Take over the weights of a classifier of the same parameters.

        Parameters
        ----------
        state : dict of str to tensor
            From `weights_of`.
        classes : (c,) array
            The labels it was fitted on, sorted.
        n_features : int

        Returns
        -------
        self

        Raises
        ------
        ValueError
            If a weight is missing, left over or of another shape.
        """
        self.classes_, self.n_features_in_ = np.asarray(classes), n_features
        with forked_random_state(self.seed):
            network = self._built(np.zeros((2, n_features), np.float32))
            load_weights(network, state, "the file", wanted=type(self).__name__)
            # The layout of the training: another one would change the last bits.
            network.backbone.to(memory_format=torch.channels_last)
            self.net_ = self._trainer(network, 2).initialize()
        return self

    def _coded(self, x, y):
        """Rows and the numbers of their classes, as torch takes them."""
        return np.float32(x), np.searchsorted(self.classes_, y).astype(np.int64)

    def __sklearn_is_fitted__(self):
        return hasattr(self, "net_")

    def _trained(self, x, codes):
        """The fitted net on rows (n, d) and their classes (n,), counted from 0."""
        return self._trainer(self._built(x), len(x)).fit(x, codes)

    def _built(self, x):
        """The network for rows (n, d), which computes in the precision asked for."""
        network = self._network(x)
        network.dtype = torch_precision(self.precision)
        return network

    def _trainer(self, network, n, criterion=nn.CrossEntropyLoss):
        names = "epochs", "min_steps", "rate", "batch_size", "progress", "seed"
        options = {name: getattr(self, name) for name in names}
        options["device"] = self._device()
        return trainer(network, n, criterion, **options, **self._schedule())

    def _device(self):
        return str(torch_device(self.device))

    def _backbone(self, **known):
        """The backbone that the parameter names, built with `weights`."""
        name = self.backbone
        if name not in known:
            raise ValueError(f"unknown backbone {name!r};{suggestion(name, known)}")
        network = known[name]()
        if self.weights is not None:
            load_weights(network, read_weights(self.weights), self.weights)
        return network

    def predict_proba(self, x):
        """Class probabilities: (n, c) float32 array, columns as in `classes_`."""
        check_is_fitted(self)
        return self.net_.predict_proba(self._check(x))

    def predict(self, x):
        """The most probable label of each row."""
        return self.classes_[self.predict_proba(x).argmax(axis=1)]

    def transform(self, x):
        """Penultimate features, the input of the last layer: (n, k) float32 array."""
        check_is_fitted(self)
        return features_of(self.net_.module_, self._check(x), self._at_once())

    def _check(self, x):
        return validate_data(self, x, reset=False, dtype=np.float32)


@estimator
class _Attributor(NetworkClassifier):
    """Our own classifiers: AdamW with a one-cycle schedule."""

    weight_decay: float = 1e-2

    def _schedule(self):
        return {
            "optimizer": torch.optim.AdamW,
            "optimizer__weight_decay": self.weight_decay,
            "iterator_valid__batch_size": self._at_once(),
        }

    def _at_once(self):
        return max(2, min(512, AT_ONCE // self.n_features_in_))


@estimator
class ImageAttributor(_Attributor):
    """Attribution of image-shaped features with a residual network.

    Parameters
    ----------
    backbone : {"small", "resnet50"}
        Trained from scratch, unless `weights` are given.  The paper fine-tunes an
        ImageNet ResNet50 (Sec. 2.3); its released code trains a CIFAR ResNet from
        scratch.
    weights : path, optional
        File with a state dict from which the backbone starts; for "resnet50" it is the
        one of torchvision.
    augment : {None, "colour"}
        Random channel order, gain and offset while training.
    image_shape : tuple, optional
        (h, w, 3) of the flattened rows; without it, images are taken to be square. The
        small backbone takes other numbers of channels, too, but not to be augmented.
    epochs, min_steps, rate, batch_size, device, precision, progress, seed
        As for `NetworkClassifier`.
    weight_decay : float
        Weight decay of AdamW, whose learning rate follows one cycle.
    """

    backbone: str = "small"
    weights: str | None = None
    augment: str | None = None
    image_shape: tuple | None = None
    epochs: int = 8
    min_steps: int = 100

    def _network(self, x):
        shape = picture_shape(x.shape[1], self.image_shape)
        if self.augment not in (None, "colour"):
            raise ValueError(f"augment must be None or 'colour', got {self.augment!r}.")
        if shape[2] != 3 and (self.augment or self.backbone != "small"):
            raise ValueError(
                f"augment='colour' and a large backbone need 3 channels, got {shape[2]}"
                "; use backbone='small' with augment=None."
            )
        small = partial(small_resnet, channels=shape[2])
        backbone = self._backbone(small=small, resnet50=resnet50)
        # One mean and scale for all pixels, so that the picture keeps its contrasts.
        mean, scale = mean_and_scale(x)
        preparation = [Standardise(mean, scale + 1e-12)]
        preparation += [ColourAugmentation()] if self.augment else []
        head = nn.Linear(64 if self.backbone == "small" else 2048, len(self.classes_))
        return AttributionNetwork(preparation, backbone, head, shape)


def picture_shape(n_features, shape=None, *, smallest=1):
    """Height, width and channels of flattened RGB images, square without a `shape`.

    >>> picture_shape(48), picture_shape(48, (2, 8, 3))
    ((4, 4, 3), (2, 8, 3))
    """
    side = math.isqrt(n_features // 3)
    found = (side, side, 3) if shape is None else tuple(shape)
    if math.prod(found) != n_features:
        kind = "square RGB images" if shape is None else f"images of {found}"
        raise ValueError(
            f"rows of {n_features} numbers are not {kind}; give image_shape, build the "
            "baseline with the image_size of these images, or use VectorAttributor."
        )
    if min(found[:2]) < smallest:
        raise ValueError(
            f"images of {found[0]} x {found[1]} pixels are too small for this network; "
            f"give at least {smallest} x {smallest}."
        )
    return found


@estimator
class VectorAttributor(_Attributor):
    """Attribution of feature vectors with a perceptron, or a linear head.

    Features are divided by their standard deviations in training, but by the median one
    where theirs is less than a twentieth of it.

    Parameters
    ----------
    hidden : int
        Units of the one hidden layer; 0 for a linear head.
    epochs, min_steps, rate, weight_decay, batch_size, device, precision, progress, seed
        As for `ImageAttributor`.
    """

    hidden: int = 128
    epochs: int = 15
    min_steps: int = 200
    rate: float = 3e-3

    def _network(self, x):
        d = x.shape[1]
        mean, scale = mean_and_scale(x, axis=0)
        backbone, size = nn.Identity(), d
        if self.hidden:
            size = self.hidden
            backbone = nn.Sequential(
                nn.Linear(d, size), nn.BatchNorm1d(size), nn.ReLU(), nn.Dropout(0.2)
            )
        head = nn.Linear(size, len(self.classes_))
        return AttributionNetwork([Standardise(mean, _usual(scale))], backbone, head)


def _usual(scale):
    """Scales (d,) with the median in the place of those far below it.

    Divided by its own scale, a feature that is nearly constant on the training images
    would outweigh all others on the first image where it is not, by thousands; of the
    features of the network of ImageNet, 3 to 30 % are like that.
    """
    median = np.median(scale)
    scale = np.where(scale < LEAST_SCALE * median, median, scale)
    return np.where(scale > 0, scale, 1)


def classifier_for(space, **options):
    """The default classifier of a fitted space or manifold: residual net or perceptron.

    Parameters
    ----------
    space : fitted transformer with `image_shape_`
    **options
        Options of `ImageAttributor` or `VectorAttributor`, such as `device="cuda"`.
        Vectors have no colours, so `augment` has no effect on them.

    Raises
    ------
    ValueError
        If an option is unknown; the nearest known one is suggested.
    """
    shape = getattr(space, "image_shape_", None)
    if shape is None:
        options.pop("augment", None)
        kind = VectorAttributor
    else:
        options.setdefault("image_shape", tuple(shape))
        kind = ImageAttributor
    check_options(options, kind().get_params())
    return kind(**options)


def attribution_pipeline(transformer, **options):
    """A pipeline from images to labels, in which the fitted transformer is frozen.

    Parameters
    ----------
    transformer : fitted DataManifold or space
    **options
        Options of the classifier, see `classifier_for`.

    Returns
    -------
    sklearn.pipeline.Pipeline
    """
    return make_pipeline(
        FrozenEstimator(transformer), classifier_for(transformer, **options)
    )
