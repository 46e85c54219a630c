"""Networks as fingerprint detectors, with a linear layer over all classes.

Each classifier takes flattened channel-last images, and `transform` gives the input of
its last linear layer.  Without a file of weights all of them are CNNs from scratch.
"""

import torch
from torch import nn

from .._support.suggestion import suggestion
from .._support.torchvision import torchvision
from ..method.networks import headless_resnet50, small_resnet
from .layers import (
    BlurAndJPEG,
    Crop,
    EqualizedLinear,
    LogSpectrum,
    Mirror,
    Resize,
    cooccurrence_layers,
    equalized_layers,
    imagenet_colours,
    inception_v3,
    load_weights,
    mirror_outwards,
    power_of_two,
    small_xception,
)
from .training import ImageClassifier, ImageNetwork


class CooccurrenceNetwork(ImageClassifier):
    """Convolutional network on co-occurrence matrices (Nataraj et al. 2019).

    Parameters
    ----------
    width : int
        Channels of the first pair of convolutions; the next have 2 and 4 times as many.
        The paper has 32.
    hidden : int
        Units before the last layer, the features.
    epochs, min_steps : int
        Passes over the data, and the least number of steps, for few images.
    rate, batch_size : float, int
        Of Adam.
    patience : int, optional
        Constant rate, a tenth of the data held out, and an end after this many epochs
        without progress on it; by default one cycle of the rate.
    image_shape : tuple, optional
        (L, L, 3) of the flattened rows; square when it is not given.
    device : str
        Where the network is trained and used, of torch: "cpu" or "cuda".
    seed : int

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
    trains 50 epochs in batches of 40 (from memory).

    Examples
    --------
    >>> x = torch.rand(8, 64 * 64 * 3).numpy()
    >>> head = CooccurrenceNetwork(width=4, epochs=1, min_steps=1)
    >>> head.fit(x, ["dcgan", "glow"] * 4).transform(x).shape
    (8, 256)
    """

    _smallest = 64

    def __init__(
        self,
        *,
        width=8,
        hidden=256,
        epochs=10,
        min_steps=150,
        rate=2e-3,
        batch_size=40,
        patience=None,
        image_shape=None,
        device="cpu",
        seed=0,
    ):
        self.width = width
        self.hidden = hidden
        self.epochs = epochs
        self.min_steps = min_steps
        self.rate = rate
        self.batch_size = batch_size
        self.patience = patience
        self.image_shape = image_shape
        self.device = device
        self.seed = seed

    def _network(self, x):
        convolutions = cooccurrence_layers(self.width, self.shape_[0] >= 128)
        with torch.no_grad():
            size = convolutions(torch.zeros(1, 3, *self.shape_[:2])).shape[1]
        backbone = convolutions.extend([nn.Linear(size, self.hidden), nn.ReLU()])
        head = nn.Linear(self.hidden, len(self.classes_))
        return ImageNetwork(self.shape_, [self._centred(x)], backbone, head)


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
    epochs, min_steps, rate, batch_size, patience, image_shape, device, seed
        As for `CooccurrenceNetwork`; without progress for `patience` epochs the rate is
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

    def __init__(
        self,
        *,
        backbone="small",
        weights=None,
        width=16,
        blur_jpeg=0.1,
        spectrum=False,
        epochs=10,
        min_steps=150,
        rate=5e-3,
        batch_size=64,
        patience=None,
        image_shape=None,
        device="cpu",
        seed=0,
    ):
        self.backbone = backbone
        self.weights = weights
        self.width = width
        self.blur_jpeg = blur_jpeg
        self.spectrum = spectrum
        self.epochs = epochs
        self.min_steps = min_steps
        self.rate = rate
        self.batch_size = batch_size
        self.patience = patience
        self.image_shape = image_shape
        self.device = device
        self.seed = seed

    def _network(self, x):
        _check_backbone(self.backbone, ("small", "resnet50"))
        if not 0 <= self.blur_jpeg <= 1:
            raise ValueError(
                f"blur_jpeg must be a probability in 0..1, got {self.blur_jpeg!r}."
            )
        is_small = self.backbone == "small"
        backbone = small_resnet(self.width) if is_small else headless_resnet50()
        if self.weights is not None:
            load_weights(backbone, self.weights)
        preparation = [] if is_small else [Resize(256), Crop(224)]
        preparation += [Mirror(), BlurAndJPEG(self.blur_jpeg)]
        preparation += [LogSpectrum()] if self.spectrum else [imagenet_colours()]
        head = nn.Linear(8 * self.width if is_small else 2048, len(self.classes_))
        nn.init.normal_(head.weight, std=0.02)
        return ImageNetwork(self.shape_, preparation, backbone, head)


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
    epochs, min_steps, rate, batch_size, patience, image_shape, device, seed
        As for `CooccurrenceNetwork`.

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
    30 epochs and the small network are our choice.

    Examples
    --------
    >>> x = torch.rand(8, 8 * 8 * 3).numpy()
    >>> head = FineTunedNetwork(width=4, epochs=1, min_steps=1)
    >>> head.fit(x, ["dcgan", "glow"] * 4).transform(x).shape
    (8, 32)
    """

    def __init__(
        self,
        *,
        backbone="small",
        weights=None,
        width=8,
        epochs=10,
        min_steps=200,
        rate=5e-3,
        batch_size=64,
        patience=None,
        image_shape=None,
        device="cpu",
        seed=0,
    ):
        self.backbone = backbone
        self.weights = weights
        self.width = width
        self.epochs = epochs
        self.min_steps = min_steps
        self.rate = rate
        self.batch_size = batch_size
        self.patience = patience
        self.image_shape = image_shape
        self.device = device
        self.seed = seed

    def _network(self, x):
        _check_backbone(self.backbone, ("small", "inception_v3"))
        is_small = self.backbone == "small"
        backbone = small_xception(self.width) if is_small else inception_v3()
        if self.weights is not None:
            load_weights(backbone, self.weights)
        preparation = [] if is_small else [Resize(299)]
        preparation += [torchvision.transforms.Normalize([0.5] * 3, [0.5] * 3)]
        head = nn.Linear(8 * self.width if is_small else 2048, len(self.classes_))
        return ImageNetwork(self.shape_, preparation, backbone, head)


class EqualizedNetwork(ImageClassifier):
    """Attribution network with equalised learning rates (Yu et al. 2019).

    Parameters
    ----------
    base : int
        Channels of the network at scale s are min(base / 2^s, 512); the paper has 1024.
    side : int, optional
        Resize to this side first (the paper: 128); by default images are mirrored
        outwards to the next power of two.
    epochs, min_steps, rate, batch_size, patience, image_shape, device, seed
        As for `CooccurrenceNetwork`.

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

    def __init__(
        self,
        *,
        base=96,
        side=None,
        epochs=10,
        min_steps=1000,
        rate=1e-2,
        batch_size=16,
        patience=None,
        image_shape=None,
        device="cpu",
        seed=0,
    ):
        self.base = base
        self.side = side
        self.epochs = epochs
        self.min_steps = min_steps
        self.rate = rate
        self.batch_size = batch_size
        self.patience = patience
        self.image_shape = image_shape
        self.device = device
        self.seed = seed

    def _network(self, x):
        height, width = (self.side,) * 2 if self.side else self.shape_[:2]
        side = power_of_two(height, width)
        resize = [Resize(self.side)] if self.side else []
        colours = torchvision.transforms.Normalize([0.5] * 3, [0.5] * 3)
        preparation = [*resize, Mirror(), colours, mirror_outwards(height, width, side)]
        backbone, n_features = equalized_layers(side, self.base)
        head = EqualizedLinear(n_features, len(self.classes_), gain=1.0)
        return ImageNetwork(self.shape_, preparation, backbone, head)


def _check_backbone(name, known):
    if name not in known:
        raise ValueError(f"unknown backbone {name!r};{suggestion(name, known)}")
