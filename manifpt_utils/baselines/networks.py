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
        With it, the learning rate is constant, a tenth of the data is held out, and the
        training ends after this many epochs without progress on that tenth.  By
        default, the learning rate follows one cycle.
    cycle : bool
        Without `patience`: whether the learning rate follows a cycle, or is constant.
    image_shape : tuple, optional
        (h, w, 3) of the flattened rows; without it, images are taken to be square.
    epochs, min_steps, rate, batch_size, device, precision, progress, seed
        As for `method.classifiers.NetworkClassifier`.
    """

    patience: int | None = None
    cycle: bool = True
    image_shape: tuple | None = None

    _smallest = 8
    _betas = (0.9, 0.999)
    _lowest = 1.0  # relative to the first, the rate that ends a schedule with patience

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
        Units before the last layer, which are the features.
    epochs, min_steps, rate, batch_size, device, precision, progress, seed
        As for `method.classifiers.NetworkClassifier`.
    patience, cycle, image_shape
        As for `ImageClassifier`.

    Attributes
    ----------
    pretrained_ : bool
        False.

    Notes
    -----
    arXiv 1903.06836.  The layers are those of the GRIP-UNINA re-implementation: three
    pairs of convolutions (3 x 3, 5 x 5) without padding and bias, with a maximum
    pooling after each pair, and a layer of 256 units.  From 128 levels on, the first
    convolution has stride 2; below 128, this stride and the last pooling are left out,
    which is our choice.  Also our choice are the ReLU after the 256 units, softmax
    instead of a sigmoid, and one cycle of the learning rate.  The paper trains 50
    epochs in batches of 40 (from memory); it names no early end, so that the
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
        # One mean and one scale for all pixels, so that the picture keeps its
        # contrasts.
        mean, scale = mean_and_scale(x)
        colours = Standardise(mean, scale + 1e-12)
        return AttributionNetwork([colours], backbone, head, self.shape_)


@estimator
class RobustResNet(ImageClassifier):
    """Residual network trained on blurred and compressed images (Wang et al. 2020).

    Parameters
    ----------
    backbone : {"small", "resnet50"}
        "small" is a residual network for small images at their own size, "resnet50" the
        paper's network on crops of 224 pixels from 256.
    weights : path, optional
        File with a state dict from which the backbone starts; for "resnet50" it is the
        one of torchvision.  Without it, the network is trained from scratch.
    width : int
        Channels of the small network's first layer; it ends with 8 times as many.
    blur_jpeg : float
        Probability, for each image, of a blur, and of a JPEG compression after it.
    spectrum : bool
        Whether the network sees log magnitude spectra instead of images (Zhang et al.
        2019).
    epochs, min_steps, rate, batch_size, device, precision, progress, seed
        As for `method.classifiers.NetworkClassifier`.
    patience, cycle, image_shape
        As for `ImageClassifier`, but the first two times that `patience` epochs pass
        without progress, the learning rate is divided by ten.

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
    are not cropped.  Blur and compression remove the traces that make a fingerprint, so
    attribution may be better with `blur_jpeg=0`.  Some tables say that the average
    spectra of the paper feed a classifier.  In its code they do not; `spectrum` is
    there to try it.

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
        "small" is a network of Xception's separable blocks, at the size of the images;
        "inception_v3" sees images resized to 299 pixels.
    weights : path, optional
        File with a state dict from which the backbone starts; for "inception_v3" it is
        the one of torchvision.  Without it, the network is trained from scratch.
    width : int
        Channels of the small network's first layer; it ends with 8 times as many.
    epochs, min_steps, rate, batch_size, device, precision, progress, seed
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
    no official code.  The paper fine-tunes ImageNet networks, of which XceptionNet is
    the best; torchvision does not have it.  All layers are trained, without an
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
        Images are first resized to this side (128 in the paper).  By default they are
        extended to the next power of two by their mirror image.
    mirror : bool
        Whether training images are mirrored half the time.
    epochs, min_steps, rate, batch_size, device, precision, progress, seed
        As for `method.classifiers.NetworkClassifier`.
    patience, cycle, image_shape
        As for `ImageClassifier`.

    Attributes
    ----------
    pretrained_ : bool
        False.

    Notes
    -----
    arXiv 1811.08180, ningyu1991/GANFingerprints, the network that pools last.  It has
    two convolutions and an average pooling at each scale down to 4 x 4, one more
    convolution there, and a layer of min(base, 512) units, the features.  Weights from
    N(0, 1) are multiplied by sqrt(2 / inputs), those of the last layer by sqrt(1 /
    inputs); there is no normalisation.  Colours are in -1..1, images are mirrored half
    the time, and Adam runs at 1e-3 with betas 0 and 0.99 in batches of 32.  Our choice
    are a smaller base, batches of 16 with a tenfold learning rate, the rule by which
    training ends (the code has none), and bilinear instead of Lanczos resizing.

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
