"""Layers of the networks: those that prepare images, and those that give features."""

import math

import numpy as np
import torch
from scipy.ndimage import gaussian_filter
from torch import nn
from torch.nn import functional

from .._support.torchvision import torchvision
from ..images.postprocessing import jpeg
from ..method.networks import EveryOtherPixel, pyramid


class BlurAndJPEG(nn.Module):
    """Blur and then compress images, each with a probability; only in training."""

    def __init__(self, probability):
        super().__init__()
        self.probability = probability

    def forward(self, x):
        """Change some images of a batch (n, 3, h, w) in 0..1."""
        if not self.training or self.probability == 0:
            return x
        chance = torch.rand(len(x), 4).numpy()
        changed = np.flatnonzero((chance[:, :2] < self.probability).any(axis=1))
        x = x.clone(memory_format=torch.contiguous_format)
        for i in changed:
            image = self._degrade(x[i].cpu().numpy(), *chance[i])
            x[i] = torch.from_numpy(image).to(x.device)
        return x

    def _degrade(self, image, blurs, compresses, strength, quality):
        if blurs < self.probability:
            image = gaussian_filter(image, (0, 3 * strength, 3 * strength))
        if compresses < self.probability:
            image = compress(image, 30 + int(71 * quality))
        return image


def compress(image, quality):
    """Save an image (3, h, w) in 0..1 as JPEG and read it again.

    >>> compress(np.ones((3, 8, 8), np.float32), 90).min()
    np.float32(1.0)
    """
    levels = np.rint(255 * image.transpose(1, 2, 0)).clip(0, 255).astype(np.uint8)
    pixels = jpeg(levels[None], quality=quality)[0]
    return pixels.transpose(2, 0, 1) / np.float32(255)


class Mirror(nn.Module):
    """Mirror images with probability one half, only in training."""

    def forward(self, x):
        if not self.training:
            return x
        return torch.where(
            torch.rand(len(x), 1, 1, 1, device=x.device) < 0.5, x.flip(-1), x
        )


class Crop(nn.Module):
    """A square at a random place in training, else the central square."""

    def __init__(self, side):
        super().__init__()
        self.side = side

    def forward(self, x):
        free = x.shape[-1] - self.side
        y, x0 = np.full((2, len(x)), free // 2)
        if self.training:
            y, x0 = torch.randint(free + 1, (2, len(x))).numpy()
        parts = [
            image[:, i : i + self.side, j : j + self.side]
            for image, i, j in zip(x, y, x0, strict=True)
        ]
        return torch.stack(parts)


class LogSpectrum(nn.Module):
    """Log magnitudes of every channel, stretched to -1..1, zero frequency centred."""

    def forward(self, x):
        magnitude = torch.fft.fftshift(torch.fft.fft2(x), dim=(-2, -1)).abs()
        x = torch.log(magnitude + 1e-3)
        low, high = x.amin((-2, -1), keepdim=True), x.amax((-2, -1), keepdim=True)
        return 2 * (x - low) / (high - low).clamp(min=1e-6) - 1


def power_of_two(height, width):
    """The least power of two that holds an image, if mirroring can fill the rest."""
    side = 2 ** math.ceil(math.log2(max(height, width)))
    if (side - min(height, width) + 1) // 2 >= min(height, width):
        raise ValueError(
            f"images of {height} x {width} pixels are too narrow to be mirrored to "
            f"{side} x {side}; crop them to squares, or set `side` to resize them."
        )
    return side


def mirror_outwards(height, width, side):
    """Fill a square around an image with its mirror image."""
    y, x = side - height, side - width
    return nn.ReflectionPad2d((x // 2, x - x // 2, y // 2, y - y // 2))


def cooccurrence_layers(width=32, is_large=True):
    """The convolutions of Nataraj et al.; stride and third pooling only if large.

    >>> cooccurrence_layers()(torch.zeros(1, 3, 256, 256)).shape
    torch.Size([1, 12800])
    """
    layers, before = [], 3
    for i, after in enumerate((width, 2 * width, 4 * width)):
        stride = 2 if is_large and i == 0 else 1
        layers += [nn.Conv2d(before, after, 3, stride, bias=False), nn.ReLU()]
        layers += [nn.Conv2d(after, after, 5, bias=False)]
        layers += [nn.MaxPool2d(3, 2)] if is_large or i < 2 else []
        before = after
    return nn.Sequential(*layers, nn.Flatten())


class _SeparableBlock(nn.Module):
    """Two separable convolutions beside a skip connection; halves the resolution."""

    def __init__(self, before, after):
        super().__init__()
        self.body = nn.Sequential(
            *_separable(before, after), nn.ReLU(), *_separable(after, after)
        )
        self.skip = EveryOtherPixel(before, after)

    def forward(self, x):
        body = functional.max_pool2d(self.body(x), 3, 2, 1)
        return torch.relu(body + self.skip(x))


def _separable(before, after):
    depthwise = nn.Conv2d(before, before, 3, 1, 1, groups=before, bias=False)
    return depthwise, nn.Conv2d(before, after, 1, bias=False), nn.BatchNorm2d(after)


def small_xception(width=16):
    """A network of separable blocks, as in Xception: 8 x width features.

    >>> small_xception(4)(torch.zeros(2, 3, 32, 32)).shape
    torch.Size([2, 32])
    """
    return pyramid(width, _SeparableBlock)


def equalized_layers(side, base=1024):
    """Layers of Yu et al. before the last one, and how many features they give.

    >>> layers, n_features = equalized_layers(32)
    >>> sum(p.numel() for p in layers.parameters()), n_features
    (8843264, 512)
    """

    def width(scale):
        return max(1, min(base // 2**scale, 512))

    layers, before = [], 3
    for scale in range(int(math.log2(side)), 2, -1):
        for after in (width(scale - 1), width(scale - 2)):
            layers += [_EqualizedConvolution(before, after), nn.LeakyReLU(0.2)]
            before = after
        layers += [nn.AvgPool2d(2)]
    layers += [_EqualizedConvolution(before, width(1)), nn.LeakyReLU(0.2)]
    layers += [nn.Flatten(), EqualizedLinear(16 * width(1), width(0))]
    return nn.Sequential(*layers, nn.LeakyReLU(0.2)), width(0)


class _EqualizedConvolution(nn.Module):
    """3 x 3 convolution, mirrored at the border; weights are scaled when used."""

    def __init__(self, before, after):
        super().__init__()
        self.weight = nn.Parameter(torch.randn(after, before, 3, 3))
        self.bias = nn.Parameter(torch.zeros(after))
        self.scale = math.sqrt(2 / (9 * before))

    def forward(self, x):
        x = functional.pad(x, (1, 1, 1, 1), mode="reflect")
        return functional.conv2d(x, self.weight * self.scale, self.bias)


class EqualizedLinear(nn.Module):
    """Linear layer whose weights are scaled when they are used, not when drawn."""

    def __init__(self, before, after, gain=2**0.5):
        super().__init__()
        self.weight = nn.Parameter(torch.randn(after, before))
        self.bias = nn.Parameter(torch.zeros(after))
        self.scale = gain / math.sqrt(before)

    def forward(self, x):
        return functional.linear(x, self.weight * self.scale, self.bias)


def inception_v3():
    """The Inception-v3 of torchvision without its last layer, from scratch."""
    network = torchvision.models.inception_v3(
        weights=None, aux_logits=False, init_weights=False
    )
    network.fc = nn.Identity()
    return network
