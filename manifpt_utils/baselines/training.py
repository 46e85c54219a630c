"""Training of networks on flattened images, shared by all methods that have one."""

import math
from copy import deepcopy

import numpy as np
import torch
from sklearn.utils.validation import check_is_fitted
from skorch import NeuralNetClassifier
from skorch.callbacks import Callback, LRScheduler
from skorch.dataset import ValidSplit
from torch import nn

from .._support.torchvision import torchvision
from ..method.classifiers import NetworkClassifier, square_shape

HELD_OUT = 0.1  # of the training images, where a schedule waits for progress


class ImageNetwork(nn.Module):
    """Preparation, backbone and linear head on flattened channel-last images."""

    def __init__(self, shape, preparation, backbone, head):
        super().__init__()
        self.shape, self.preparation = shape, nn.Sequential(*preparation)
        # Rows are channel-last images: the matching weight layout is the fastest.
        self.backbone = backbone.to(memory_format=torch.channels_last)
        self.head = head

    def features(self, x):
        """Penultimate features: (n, k)."""
        x = x.view(-1, *self.shape).permute(0, 3, 1, 2)
        return self.backbone(self.preparation(x))

    def forward(self, x):
        return self.head(self.features(x))


class _Plateau(Callback):
    """Divide the rate by ten without progress, stop below `lowest`, keep the best."""

    def __init__(self, patience, lowest):
        self.patience, self.lowest = patience, lowest

    def on_train_begin(self, net, **kwargs):
        self.best_, self.waited_, self.state_ = -np.inf, 0, None

    def on_epoch_end(self, net, **kwargs):
        score = net.history[-1, "valid_acc"]
        if score > self.best_ + 1e-3:
            self.best_, self.waited_ = score, 0
            self.state_ = deepcopy(net.module_.state_dict())
            return
        self.waited_ += 1
        if self.waited_ >= self.patience:
            self._reduce(net)

    def _reduce(self, net):
        self.waited_ = 0
        for group in net.optimizer_.param_groups:
            group["lr"] /= 10
        if group["lr"] < self.lowest:
            raise KeyboardInterrupt  # how skorch's own EarlyStopping ends a training

    def on_train_end(self, net, **kwargs):
        if self.state_ is not None:
            net.module_.load_state_dict(self.state_)


class ImageClassifier(NetworkClassifier):
    """What the networks share: the shape of the images, and two ways of training."""

    _smallest = 8
    _betas = (0.9, 0.999)
    _lowest = 1.0  # rate that ends a waiting schedule, relative to the first

    def _net(self, x):
        self._check_images(x)
        network = self._network(x)
        self.pretrained_ = getattr(self, "weights", None) is not None
        return self._trainer(NeuralNetClassifier, network, len(x), nn.CrossEntropyLoss)

    def fit(self, x, y):
        """Train on images and labels.

        Parameters
        ----------
        x : (n, h * w * 3) float array
        y : (n,) array of labels

        Raises
        ------
        ValueError
            If there is only one class, x is not finite or of another shape than
            `image_shape`, or images or classes are too small.
        """
        if getattr(self, "patience", None) is not None:
            _check_held_out(y)
        return super().fit(x, y)

    def _check_images(self, x):
        shape = self.image_shape or square_shape(x.shape[1])
        if x.shape[1] != math.prod(shape):
            raise ValueError(
                f"rows of {x.shape[1]} numbers are no images of {tuple(shape)}; build "
                "the baseline with the image_size of these images."
            )
        if min(shape[:2]) < self._smallest:
            raise ValueError(
                f"images of {shape[0]} x {shape[1]} pixels are too small for this "
                f"network; give at least {self._smallest} x {self._smallest}."
            )
        self.shape_ = tuple(shape)

    def _trainer(self, kind, network, n, criterion):
        """A skorch net: one cycle of the rate, or the rate falls without progress."""
        batch = min(self.batch_size, n)
        per_epoch = math.ceil(n / batch)
        epochs = max(self.epochs, math.ceil(self.min_steps / per_epoch))
        waits = getattr(self, "patience", None) is not None
        steps = epochs * per_epoch + 1
        schedule = self._plateau() if waits else _one_cycle(self.rate, steps)
        return kind(
            network,
            criterion=criterion,
            optimizer=torch.optim.Adam,
            optimizer__betas=self._betas,
            lr=self.rate,
            batch_size=batch,
            max_epochs=epochs,
            iterator_train__shuffle=True,
            train_split=self._held_out() if waits else None,
            callbacks=[("schedule", schedule)],
            device=self.device,
            verbose=0,
        )

    def _plateau(self):
        # A hair below, because the rate is divided in floating point.
        return _Plateau(self.patience, 0.999 * self._lowest * self.rate)

    def _held_out(self):
        return ValidSplit(HELD_OUT, stratified=True, random_state=self.seed)

    def transform(self, x):
        """Input of the last linear layer: (n, k) float32 array."""
        check_is_fitted(self)
        return features_of(self.net_.module_, self._check(x), self.batch_size)

    def _centred(self, x):
        # One mean and scale for all pixels, so that the picture keeps its contrasts.
        mean, scale = float(x.mean()), float(x.std()) + 1e-12
        return torchvision.transforms.Normalize([mean] * 3, [scale] * 3)


def _one_cycle(rate, steps):
    return LRScheduler(
        torch.optim.lr_scheduler.OneCycleLR,
        max_lr=rate,
        total_steps=steps,
        step_every="batch",
        cycle_momentum=False,
    )


def _check_held_out(y):
    names, counts = np.unique(np.asarray(y), return_counts=True)
    if counts.min() < 1 / HELD_OUT:
        raise ValueError(
            f"class {str(names[counts.argmin()])!r} has {counts.min()} images, and "
            f"a schedule that waits for progress holds {HELD_OUT:.0%} out; give "
            "more images, or set patience to None."
        )


@torch.no_grad()
def features_of(network, x, size):
    """Features (n, k) of flattened images (n, d), as arrays, `size` images at once."""
    network.eval()
    device = network.head.weight.device
    parts = torch.from_numpy(x).split(size)
    return torch.cat([network.features(p.to(device)).cpu() for p in parts]).numpy()
