"""StyleGAN2 of the zoo (Karras et al. 2020), in plain torch.

Weights have the equalised learning rate of the paper: they start at N(0, 1) and are
scaled when used.
"""

import math

import torch
from torch import nn
from torch.nn.functional import conv2d, leaky_relu, linear, softplus

from .fir import FIRDownsample, FIRUpsample
from .recipe import LATENT, autocast, latents, update

EPSILON = 1e-8


def activate(x):
    """Leaky ReLU that keeps the variance."""
    return leaky_relu(x, 0.2) * math.sqrt(2)


class Linear(nn.Linear):
    """Linear layer with equalised learning rate."""

    def __init__(self, a, b, *, bias=0.0, rate=1.0):
        super().__init__(a, b)
        nn.init.normal_(self.weight, std=1 / rate)
        nn.init.constant_(self.bias, bias / rate)
        self.gain, self.rate = rate / math.sqrt(a), rate

    def forward(self, x):
        return linear(x, self.weight * self.gain, self.bias * self.rate)


class Convolution(nn.Conv2d):
    """Convolution with equalised learning rate."""

    def __init__(self, a, b, size, *, bias=True):
        super().__init__(a, b, size, padding=size // 2, bias=bias)
        nn.init.normal_(self.weight)
        if bias:
            nn.init.zeros_(self.bias)
        self.gain = 1 / math.sqrt(a * size**2)

    def forward(self, x):
        return self._conv_forward(x, self.weight * self.gain, self.bias)


def normalise(z):
    """Latents of unit mean square, the input of the mapping network."""
    return z * (z.square().mean(1, keepdim=True) + EPSILON).rsqrt()


class Mapping(nn.ModuleList):
    """Two dense layers from the latent, at unit mean square, to the style."""

    def __init__(self, latent):
        super().__init__(Linear(latent, latent, rate=0.01) for _ in range(2))

    def forward(self, z):
        w = normalise(z)
        for layer in self:
            w = activate(layer(w))
        return w


class ModulatedConvolution(Convolution):
    """Filters 3x3, scaled by the style and back to unit norm (demodulation).

    Scaling the input by the style and the output by the norm is the same as scaling
    the filters image by image, and faster.
    """

    def __init__(self, a, b, latent):
        super().__init__(a, b, 3, bias=False)
        self.style = Linear(latent, a, bias=1.0)

    def forward(self, x, w):
        style, weight = self.style(w), self.weight * self.gain
        power = style.square() @ weight.square().sum((2, 3)).T  # (n, b)
        x = conv2d(x * style[:, :, None, None], weight, padding=1)
        return x * (power + EPSILON).rsqrt()[:, :, None, None]


class StyledLayer(nn.Module):
    """Modulated convolution, noise, bias, leaky ReLU."""

    def __init__(self, a, b, latent):
        super().__init__()
        self.convolution = ModulatedConvolution(a, b, latent)
        self.noise = nn.Parameter(torch.zeros(()))
        self.bias = nn.Parameter(torch.zeros(b, 1, 1))

    def forward(self, x, w):
        x = self.convolution(x, w)
        noise = self.noise * torch.randn_like(x[:, :1])
        return activate(x + noise + self.bias.to(x.dtype))


class ToRGB(nn.Module):
    """Modulated 1x1 filter to three colours, without demodulation."""

    def __init__(self, a, latent):
        super().__init__()
        self.style = Linear(latent, a, bias=1.0)
        self.convolution = Convolution(a, 3, 1)

    def forward(self, x, w):
        return self.convolution(x * self.style(w)[:, :, None, None])


class Stage(nn.Module):
    """Two styled layers at twice the resolution; the image gains their colours.

    Filtering before the convolution is, but for the border, what the paper does: a
    transposed convolution, then the filter.
    """

    def __init__(self, a, b, latent):
        super().__init__()
        self.up = FIRUpsample()
        self.layers = nn.ModuleList(StyledLayer(c, b, latent) for c in (a, b))
        self.colours = ToRGB(b, latent)

    def forward(self, x, image, w):
        x = self.up(x)
        for layer in self.layers:
            x = layer(x, w)
        return x, self.up(image) + self.colours(x, w)


class Generator(nn.Module):
    """Mapping network, learned 4 x 4 input, styled stages, image skip.

    The sum of the colours of all resolutions is the image; nothing bounds it.
    """

    def __init__(self, widths=(128, 96, 64, 32), latent=LATENT):
        super().__init__()
        self.mapping = Mapping(latent)
        self.constant = nn.Parameter(torch.randn(1, widths[0], 4, 4))
        self.layer = StyledLayer(widths[0], widths[0], latent)
        self.colours = ToRGB(widths[0], latent)
        pairs = zip(widths, widths[1:], strict=False)
        self.stages = nn.ModuleList(Stage(a, b, latent) for a, b in pairs)

    def forward(self, z):
        w = self.mapping(z)
        x = self.layer(self.constant.expand(len(z), -1, -1, -1), w)
        image = self.colours(x, w)
        for stage in self.stages:
            x, image = stage(x, image, w)
        return image


class CriticBlock(nn.Module):
    """Residual block that halves the resolution by the filter on both paths."""

    def __init__(self, a, b):
        super().__init__()
        self.first, self.second = Convolution(a, a, 3), Convolution(a, b, 3)
        self.skip = Convolution(a, b, 1, bias=False)
        self.down = FIRDownsample()

    def forward(self, x):
        y = self.down(activate(self.first(x)))
        skip = self.skip(self.down(x))
        return (activate(self.second(y)) + skip) / math.sqrt(2)


class Critic(nn.Module):
    """Residual blocks, the deviation within the minibatch, two dense layers."""

    def __init__(self, widths=(32, 64, 96, 128)):
        super().__init__()
        last = widths[-1]
        pairs = zip(widths, widths[1:], strict=False)
        self.colours = Convolution(3, widths[0], 1)
        self.blocks = nn.Sequential(*(CriticBlock(a, b) for a, b in pairs))
        self.convolution = Convolution(last + 1, last, 3)
        self.dense = Linear(16 * last, last)
        self.score = Linear(last, 1)

    def forward(self, x):
        x = self.blocks(activate(self.colours(x)))
        x = activate(self.convolution(minibatch_deviation(x)))
        return self.score(activate(self.dense(x.flatten(1)))).flatten()


def minibatch_deviation(x, group=4):
    """Add a channel with the mean standard deviation over groups of images."""
    group = min(group, len(x))
    groups = x.unflatten(0, (group, -1))
    variance = (groups - groups.mean(0)).square().mean(0)
    spread = (variance + EPSILON).sqrt().mean((1, 2, 3)).repeat(group)
    return torch.cat([x, spread[:, None, None, None].expand_as(x[:, :1])], dim=1)


class PenalisedGan:
    """Non-saturating logistic loss, R1 penalty every `every` steps.

    Parameters
    ----------
    generator, critic : nn.Module
        From latents to images, from images to scores.
    rates : pair of float
        Learning rates of generator and critic.
    r1 : float
        Weight of the squared slope of the critic at real images (Mescheder et al.
        2018).
    """

    def __init__(self, generator, critic, *, rates, r1, every=16):
        self.generator, self.critic = generator, critic
        self.networks = nn.ModuleDict({"g": self.generator, "d": self.critic})
        self.networks.register_buffer("done", torch.zeros((), dtype=torch.long))
        self.optimisers = [
            torch.optim.Adam(network.parameters(), rate, betas=(0.0, 0.99))
            for network, rate in zip((generator, critic), rates, strict=True)
        ]
        self.r1, self.every = r1, every

    def step(self, x, progress=1.0):
        """Update the critic, then the generator."""
        d_loss = self._critic_step(x)
        with autocast():
            scores = self.critic(self.generator(latents(len(x))))
        g_loss = softplus(-scores.float()).mean()
        update(self.optimisers[0], g_loss)
        self.networks.done += 1
        return {"critic": d_loss.item(), "generator": g_loss.item()}

    def _critic_step(self, real):
        with torch.no_grad(), autocast():
            fake = self.generator(latents(len(real)))
        with autocast():
            on_real, on_fake = self.critic(real), self.critic(fake)
        loss = softplus(-on_real.float()).mean() + softplus(on_fake.float()).mean()
        penalised = loss
        if self.networks.done % self.every == 0:
            penalised = loss + self.every * self.r1 / 2 * self._squared_slope(real)
        update(self.optimisers[1], penalised)
        return loss

    def _squared_slope(self, real):
        real = real.clone().requires_grad_(True)
        with autocast():
            score = self.critic(real).float().sum()
        (slope,) = torch.autograd.grad(score, real, create_graph=True)
        return slope.square().flatten(1).sum(1).mean()

    def calibrate(self, average, batches):
        """No statistics are kept: nothing to do."""

    def sample(self, average, n):
        """One forward pass."""
        return average(latents(n))


class StyleGan2(PenalisedGan):
    """StyleGAN2, without its path-length penalty."""

    def __init__(self, *, rate=2.5e-3, r1=3.0):
        super().__init__(Generator(), Critic(), rates=(rate, rate), r1=r1)
