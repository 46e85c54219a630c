"""Controlled experiments: one base network, one design factor changed at a time.

The base is the pair of networks of the DCGAN suite, with one more convolution in each
stage of the generator, so that a residual connection can span it without new
parameters. The critic always has one-group norm, which a gradient penalty allows, so
that designs with different losses differ in nothing but the loss.
"""

from dataclasses import dataclass, replace

from torch import nn

from . import gan
from .fir import FIRDownsample, FIRUpsample
from .recipe import LATENT

CRITIC_STEPS = 2  # critic steps per generator step, with the Wasserstein loss
STEPS = {
    "non_saturating": 1400,
    "least_squares": 1400,
    "hinge": 1400,
    "wasserstein": 900,
}
BATCHES = {loss: 32 for loss in STEPS} | {"wasserstein": 32 * CRITIC_STEPS}


@dataclass(frozen=True)
class Design:
    """One level of each factor; the defaults are the base.

    Parameters
    ----------
    up : {"transposed_conv", "nearest", "bilinear", "pixel_shuffle", "fir"}
        How the generator doubles the resolution.
    nl_last : {"tanh", "sigmoid", "identity"}
        What follows its last convolution; a sigmoid is stretched to [-1, 1].
    norm : {"batch", "instance", "group"}
        Norm of the generator.  Without one, this training collapses.
    down : {"strided_conv", "avg_pool", "fir"}
        How the critic halves the resolution.
    skip : {"none", "residual", "image_skip"}
        The kind of skip connection: "residual" leads around the second convolution of a
        stage, "image_skip" sums images of growing size.
    loss : {"non_saturating", "least_squares", "hinge", "wasserstein"}
    """

    up: str = "transposed_conv"
    nl_last: str = "tanh"
    norm: str = "batch"
    down: str = "strided_conv"
    skip: str = "none"
    loss: str = "non_saturating"


LEVELS = {
    "up": ("nearest", "bilinear", "pixel_shuffle", "fir"),
    "nl_last": ("sigmoid", "identity"),
    "norm": ("instance", "group"),
    "down": ("avg_pool", "fir"),
    "skip": ("residual", "image_skip"),
    "loss": ("least_squares", "hinge", "wasserstein"),
}

LAST = {"tanh": nn.Tanh, "sigmoid": nn.Sigmoid, "identity": nn.Identity}


def designs():
    """The base, and every design that differs from it in one factor.

    Returns
    -------
    dict of str to Design
        By name: "base", "up_nearest", ..., "loss_wasserstein".
    """
    changed = {
        f"{factor}_{level}": replace(Design(), **{factor: level})
        for factor, levels in LEVELS.items()
        for level in levels
    }
    return {"base": Design(), **changed}


def upsampling(kind, before, after):
    """Double the resolution and go from `before` to `after` channels."""
    convolution = nn.Conv2d(before, after, 3, padding=1)
    if kind == "transposed_conv":
        return nn.ConvTranspose2d(before, after, 4, 2, 1)
    if kind == "pixel_shuffle":
        return nn.Sequential(
            nn.Conv2d(before, 4 * after, 3, padding=1), nn.PixelShuffle(2)
        )
    first = {
        "nearest": nn.UpsamplingNearest2d(scale_factor=2),
        "bilinear": nn.Upsample(scale_factor=2, mode="bilinear"),
        "fir": FIRUpsample(),
    }[kind]
    return nn.Sequential(first, convolution)


def downsampling(kind, before, after, norm=None):
    """Halve the resolution and go from `before` to `after` channels, with leaky ReLU.

    The ReLU comes before a filter: a critic that averages first is blind to the finest
    detail, and the generator fills it with a checkerboard.
    """
    rest = [norm or nn.Identity(), nn.LeakyReLU(0.2)]
    if kind == "strided_conv":
        return nn.Sequential(nn.Conv2d(before, after, 4, 2, 1), *rest)
    last = {"avg_pool": nn.AvgPool2d(2), "fir": FIRDownsample()}[kind]
    return nn.Sequential(nn.Conv2d(before, after, 3, padding=1), *rest, last)


def normalisation(kind, channels):
    """Norm of the generator, with learned scale and shift."""
    if kind == "instance":
        return nn.InstanceNorm2d(channels, affine=True)
    return nn.BatchNorm2d(channels) if kind == "batch" else nn.GroupNorm(4, channels)


class Stage(nn.Module):
    """Upsampling and a second convolution, each with norm and ReLU."""

    def __init__(self, design, before, after):
        super().__init__()
        self.grow = nn.Sequential(
            upsampling(design.up, before, after),
            normalisation(design.norm, after),
            nn.ReLU(),
        )
        self.refine = nn.Sequential(
            nn.Conv2d(after, after, 3, padding=1),
            normalisation(design.norm, after),
            nn.ReLU(),
        )
        self.residual = design.skip == "residual"

    def forward(self, x):
        x = self.grow(x)
        return x + self.refine(x) if self.residual else self.refine(x)


class Generator(nn.Module):
    """From 4 x 4 over two stages to 16 x 16; one more upsampling makes the image."""

    def __init__(self, design, width=24, latent=LATENT):
        super().__init__()
        self.stem = nn.Sequential(
            nn.Linear(latent, 16 * 4 * width),
            nn.Unflatten(1, (4 * width, 4, 4)),
            normalisation(design.norm, 4 * width),
            nn.ReLU(),
        )
        self.stages = nn.Sequential(
            Stage(design, 4 * width, 2 * width), Stage(design, 2 * width, width)
        )
        self.image = upsampling(design.up, width, 3)
        skips = design.skip == "image_skip"
        self.colours = _colours(2 * width, width) if skips else None
        self.last = LAST[design.nl_last]()

    def forward(self, z):
        h = self.stages[0](self.stem(z))
        first, h = h, self.stages[1](h)
        x = self.image(h)
        if self.colours is not None:
            x = x + self.colours[0](first) + self.colours[1](h)
        x = self.last(x)
        return 2 * x - 1 if isinstance(self.last, nn.Sigmoid) else x


def _colours(*channels):
    """Small images, enlarged as in the colour path of StyleGAN2."""
    first, second = (nn.Conv2d(c, 3, 1) for c in channels)
    return nn.ModuleList(
        [
            nn.Sequential(first, FIRUpsample(), FIRUpsample()),
            nn.Sequential(second, FIRUpsample()),
        ]
    )


def critic(design, width=24):
    """Three halvings with one-group norm and leaky ReLU; one logit per image."""
    layers = [downsampling(design.down, 3, width)]
    for before, after in ((width, 2 * width), (2 * width, 4 * width)):
        norm = nn.GroupNorm(1, after)
        layers += [downsampling(design.down, before, after, norm)]
    return nn.Sequential(*layers, nn.Conv2d(4 * width, 1, 4), nn.Flatten(0))


def recipe(design):
    """The adversarial training of one design.

    Parameters
    ----------
    design : Design

    Returns
    -------
    gan.Gan
    """
    networks = Generator(design), critic(design)
    options = {"loss": design.loss, "networks": networks, "rate": 1e-3}
    if design.loss == "wasserstein":
        options |= {"critic_steps": CRITIC_STEPS, "penalty": 10.0}
    return gan.Gan(**options)
