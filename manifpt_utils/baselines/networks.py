"""Networks as fingerprint detectors, with a linear layer over all classes.

Each classifier takes flattened channel-last images, and `transform` gives the input of
its last linear layer.  Without a file of weights all of them are CNNs from scratch.
"""

from functools import partial

import numpy as np
import torch
from torch import nn

from .._support.torchvision import torchvision
from ..method.classifiers import NetworkClassifier, estimator, picture_shape
from ..method.networks import (
    AttributionNetwork,
    Standardise,
    headless_resnet50,
    imagenet_colours,
    small_resnet,
)
from ..method.streams import mean_and_scale
from ..method.training import VALIDATED
from .layers import (
    BlurAndJPEG,
    Crop,
    EqualizedLinear,
    LogSpectrum,
    Mirror,
    cooccurrence_layers,
    equalized_layers,
    inception_v3,
    mirror_outwards,
    power_of_two,
    small_xception,
)


@estimator
class ImageClassifier(NetworkClassifier):
    """What these networks share: Adam on images, and three ways of training.

    Parameters
    ----------
    patience : int, optional
        Constant rate, a tenth of the data held out, and an end after this many epochs
        without progress on it; by default one cycle of the rate.
    cycle : bool
        Without `patience`, whether the rate has a cycle; else it stays as it is.
    image_shape : tuple, optional
        (h, w, 3) of the flattened rows; square when it is not given.
    epochs, min_steps, rate, batch_size, device, progress, seed
        As for `method.classifiers.NetworkClassifier`.
    """

    patience: int | None = None
    cycle: bool = True
    image_shape: tuple | None = None

    _smallest = 8
    _betas = (0.9, 0.999)
    _lowest = 1.0  # rate that ends a waiting schedule, relative to the first

    def _trained(self, x, codes):
        self._set_up(x)
        if self.patience is not None:
            self._check_held_out(np.bincount(codes))
        return super()._trained(x, codes)

    def untrained(self, x, y):
        """The network for rows (n, d) and labels (n,), before its training."""
        self._set_up(x)
        return super().untrained(x, y)

    def _set_up(self, x):
        self.shape_ = picture_shape(
            x.shape[1], self.image_shape, smallest=self._smallest
        )
        self.pretrained_ = getattr(self, "weights", None) is not None

    def _check_held_out(self, counts):
        if counts.min() < 1 / VALIDATED:
            raise ValueError(
                f"class {str(self.classes_[counts.argmin()])!r} has {counts.min()} "
                f"images, and a schedule that waits for progress holds {VALIDATED:.0%} "
                "out; give more images, or set patience to None."
            )

    def _schedule(self):
        return {
            "optimizer": torch.optim.Adam,
            "optimizer__betas": self._betas,
            "cycle_momentum": False,
            "patience": self.patience,
            "cycle": self.cycle,
            "lowest": self._lowest,
        }

    def _at_once(self):
        return self.batch_size


@estimator
class CooccurrenceNetwork(ImageClassifier):
    """Convolutional network on co-occurrence matrices (Nataraj et al. 2019).

    Parameters
    ----------
    width : int
        Channels of the first pair of convolutions; the next have 2 and 4 times as many.
        The paper has 32.
    hidden : int
        Units before the last layer, the features.
    epochs, min_steps, rate, batch_size, device, progress, seed
        As for `method.classifiers.NetworkClassifier`.
    patience, cycle, image_shape
        As for `ImageClassifier`.

    Attributes
    ----------
    pretrained_ : bool
        False.

    Notes
    -----
    arXiv 1903.06836, layers as in the GRIP-UNINA re-implementation: three pairs of
    convolutions (3 x 3, 5 x 5), neither padded nor biased, with a maximum pooling after
    each, and a layer of 256 units.  From 128 levels on, the first has stride 2; below,
    that stride and the last pooling are left out (our choice), as are the ReLU behind
    the 256 units, softmax instead of a sigmoid and one cycle of the rate.  The paper
    trains 50 epochs in batches of 40 (from memory); it names no early end, so that the
    published settings have none.

    Examples
    --------
    >>> x = torch.rand(8, 64 * 64 * 3).numpy()
    >>> head = CooccurrenceNetwork(width=4, epochs=1, min_steps=1)
    >>> head.fit(x, ["dcgan", "glow"] * 4).transform(x).shape
    (8, 256)
    """

    _smallest = 64

    width: int = 8
    hidden: int = 256
    rate: float = 2e-3
    batch_size: int = 40

    def _network(self, x):
        convolutions = cooccurrence_layers(self.width, self.shape_[0] >= 128)
        with torch.no_grad():
            size = convolutions(torch.zeros(1, 3, *self.shape_[:2])).shape[1]
        backbone = convolutions.extend([nn.Linear(size, self.hidden), nn.ReLU()])
        head = nn.Linear(self.hidden, len(self.classes_))
        # One mean and scale for all pixels, so that the picture keeps its contrasts.
        mean, scale = mean_and_scale(x)
        colours = Standardise(mean, scale + 1e-12)
        return AttributionNetwork([colours], backbone, head, self.shape_)


@estimator
class RobustResNet(ImageClassifier):
    """Residual network trained on blurred and compressed images (Wang et al. 2020).

    Parameters
    ----------
    backbone : {"small", "resnet50"}
        A residual network that keeps small images as they are, or the paper's ResNet50
        on crops of 224 pixels from 256.
    weights : path, optional
        Local state dict to start the backbone from, for "resnet50" that of torchvision.
        Without it, this baseline is a CNN from scratch.
    width : int
        Channels of the small network's first layer; it ends with 8 times as many.
    blur_jpeg : float
        Probability of a blur, and of a JPEG compression after it, for each image.
    spectrum : bool
        Show the network log magnitude spectra instead (Zhang et al. 2019).
    epochs, min_steps, rate, batch_size, device, progress, seed
        As for `method.classifiers.NetworkClassifier`.
    patience, cycle, image_shape
        As for `ImageClassifier`; without progress for `patience` epochs the rate is
        first divided by ten, twice.

    Attributes
    ----------
    pretrained_ : bool
        Whether weights were given.

    Notes
    -----
    arXiv 1912.11035, PeterWang512/CNNDetection: ImageNet weights, random crop and
    mirror, blur with a deviation in 0..3 pixels, JPEG quality in 30..100, probability
    0.5 or 0.1, Adam at 1e-4 in batches of 64.  Its last layer starts from N(0, 0.02).
    Softmax over models, the small network and its schedule are our choice; small images
    are not cropped.  Blur and compression remove what a fingerprint is made of, so that
    attribution may gain from `blur_jpeg=0`.  That the average spectra of the paper feed
    a classifier, as some tables say, is not so in its code, hence the option.

    Examples
    --------
    >>> x = torch.rand(8, 8 * 8 * 3).numpy()
    >>> head = RobustResNet(width=4, epochs=1, min_steps=1)
    >>> head.fit(x, ["dcgan", "glow"] * 4).transform(x).shape
    (8, 32)
    """

    _lowest = 1e-2

    backbone: str = "small"
    weights: str | None = None
    width: int = 16
    blur_jpeg: float = 0.1
    spectrum: bool = False

    def _network(self, x):
        if not 0 <= self.blur_jpeg <= 1:
            raise ValueError(
                f"blur_jpeg must be a probability in 0..1, got {self.blur_jpeg!r}."
            )
        small = partial(small_resnet, self.width)
        backbone = self._backbone(small=small, resnet50=headless_resnet50)
        is_small = self.backbone == "small"
        preparation = [] if is_small else [_square(256), Crop(224)]
        preparation += [Mirror(), BlurAndJPEG(self.blur_jpeg)]
        preparation += [LogSpectrum()] if self.spectrum else [imagenet_colours()]
        head = nn.Linear(8 * self.width if is_small else 2048, len(self.classes_))
        nn.init.normal_(head.weight, std=0.02)
        return AttributionNetwork(preparation, backbone, head, self.shape_)


@estimator
class FineTunedNetwork(ImageClassifier):
    """Deep network of separable or factorised convolutions (Marra et al. 2018).

    Parameters
    ----------
    backbone : {"small", "inception_v3"}
        A small network of Xception's separable blocks, at the size of the images, or
        Inception-v3 on images resized to 299 pixels.
    weights : path, optional
        Local state dict to start the backbone from, for "inception_v3" that of
        torchvision.  Without it, this baseline is a CNN from scratch.
    width : int
        Channels of the small network's first layer; it ends with 8 times as many.
    epochs, min_steps, rate, batch_size, device, progress, seed
        As for `method.classifiers.NetworkClassifier`.
    patience, cycle, image_shape
        As for `ImageClassifier`.

    Attributes
    ----------
    pretrained_ : bool
        Whether weights were given.

    Notes
    -----
    "Detection of GAN-generated fake images over social networks", MIPR 2018; there is
    no official code.  The paper fine-tunes ImageNet networks, the best of them
    XceptionNet, which torchvision does not have.  All layers are trained, without
    auxiliary loss, on colours in -1..1 (from memory).  Softmax, Adam at 1e-4, at most
    30 epochs, their early end and the small network are our choice.

    Examples
    --------
    >>> x = torch.rand(8, 8 * 8 * 3).numpy()
    >>> head = FineTunedNetwork(width=4, epochs=1, min_steps=1)
    >>> head.fit(x, ["dcgan", "glow"] * 4).transform(x).shape
    (8, 32)
    """

    backbone: str = "small"
    weights: str | None = None
    width: int = 8
    min_steps: int = 200

    def _network(self, x):
        small = partial(small_xception, self.width)
        backbone = self._backbone(small=small, inception_v3=inception_v3)
        is_small = self.backbone == "small"
        preparation = [] if is_small else [_square(299)]
        preparation += [Standardise(0.5, 0.5)]
        head = nn.Linear(8 * self.width if is_small else 2048, len(self.classes_))
        return AttributionNetwork(preparation, backbone, head, self.shape_)


@estimator
class EqualizedNetwork(ImageClassifier):
    """Attribution network with equalised learning rates (Yu et al. 2019).

    Parameters
    ----------
    base : int
        Channels of the network at scale s are min(base / 2^s, 512); the paper has 1024.
    side : int, optional
        Resize to this side first (the paper: 128); by default images are mirrored
        outwards to the next power of two.
    mirror : bool
        Show half of the training images mirrored.
    epochs, min_steps, rate, batch_size, device, progress, seed
        As for `method.classifiers.NetworkClassifier`.
    patience, cycle, image_shape
        As for `ImageClassifier`.

    Attributes
    ----------
    pretrained_ : bool
        False.

    Notes
    -----
    arXiv 1811.08180, ningyu1991/GANFingerprints, the network that pools last: two
    convolutions and an average pooling at each scale down to 4 x 4, one more there, and
    a layer of min(base, 512) units, the features.  Weights N(0, 1) are multiplied by
    sqrt(2 / inputs), the last ones by sqrt(1 / inputs); there is no normalisation.
    Colours in -1..1, mirrored half the time, Adam at 1e-3 with betas 0 and 0.99 in
    batches of 32.  A smaller base, batches of 16 with a tenfold rate, the end of the
    training, which the code does not have, and bilinear resizing for Lanczos are our
    choice.

    Examples
    --------
    >>> x = torch.rand(8, 8 * 8 * 3).numpy()
    >>> head = EqualizedNetwork(base=16, epochs=1, min_steps=1)
    >>> head.fit(x, ["dcgan", "glow"] * 4).transform(x).shape
    (8, 16)
    """

    _betas = (0.0, 0.99)

    base: int = 96
    side: int | None = None
    mirror: bool = True
    min_steps: int = 1000
    rate: float = 1e-2
    batch_size: int = 16

    def _network(self, x):
        height, width = (self.side,) * 2 if self.side else self.shape_[:2]
        side = power_of_two(height, width)
        resize = [_square(self.side)] if self.side else []
        colours = Standardise(0.5, 0.5)
        mirrors = [Mirror()] if self.mirror else []
        outwards = mirror_outwards(height, width, side)
        preparation = [*resize, *mirrors, colours, outwards]
        backbone, n_features = equalized_layers(side, self.base)
        head = EqualizedLinear(n_features, len(self.classes_), gain=1.0)
        return AttributionNetwork(preparation, backbone, head, self.shape_)


def _square(side):
    return torchvision.transforms.Resize((side, side), antialias=True)
