"""Networks that several methods share."""

import torch
from torch import nn


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
    from .._support.torchvision import torchvision

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
