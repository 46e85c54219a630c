"""BigGAN-deep of the zoo (Brock, Donahue & Simonyan 2019), without classes."""

import torch
from torch import nn
from torch.nn.utils.parametrizations import spectral_norm
from torch.optim.swa_utils import update_bn

from .recipe import LATENT, autocast, latents, update

RATIO = 4  # channels of a block over those inside its bottleneck


def _convolution(a, b, size):
    return spectral_norm(nn.Conv2d(a, b, size, padding=size // 2))


def channels_last(x):
    """The memory layout in which this network runs twice as fast."""
    return x.contiguous(memory_format=torch.channels_last)


class ConditionalNorm(nn.Module):
    """Batch norm whose gain and shift are linear functions of the latent."""

    def __init__(self, channels, latent):
        super().__init__()
        self.norm = nn.BatchNorm2d(channels, affine=False)
        self.affine = spectral_norm(nn.Linear(latent, 2 * channels, bias=False))

    def forward(self, x, z):
        gain, shift = self.affine(z)[:, :, None, None].chunk(2, dim=1)
        return self.norm(x) * (1 + gain) + shift


class GeneratorBlock(nn.Module):
    """Bottleneck of convolutions 1-3-3-1; the skip drops its surplus channels.

    The resolution doubles after the first convolution, by repeating pixels.
    """

    def __init__(self, a, b, latent):
        super().__init__()
        inside = a // RATIO
        sizes = ((a, inside, 1), (inside, inside, 3), (inside, inside, 3))
        sizes += ((inside, b, 1),)
        self.norms = nn.ModuleList(ConditionalNorm(s[0], latent) for s in sizes)
        self.convolutions = nn.ModuleList(_convolution(*s) for s in sizes)
        self.up = nn.UpsamplingNearest2d(scale_factor=2)
        self.kept = b

    def forward(self, x, z):
        skip = self.up(x[:, : self.kept])
        steps = zip(self.norms, self.convolutions, strict=True)
        for i, (norm, convolution) in enumerate(steps):
            x = norm(x, z).relu()
            x = convolution(self.up(x) if i == 1 else x)
        return x + skip


class Generator(nn.Module):
    """Dense layer to 4 x 4, one block per doubling, batch norm, tanh.

    Every block sees the whole latent, as in BigGAN-deep; BigGAN splits it.
    """

    def __init__(self, widths=(192, 128, 96, 48), latent=LATENT):
        super().__init__()
        self.first = spectral_norm(nn.Linear(latent, 16 * widths[0]))
        pairs = zip(widths, widths[1:], strict=False)
        self.blocks = nn.ModuleList(GeneratorBlock(a, b, latent) for a, b in pairs)
        self.last = nn.Sequential(
            nn.BatchNorm2d(widths[-1]),
            nn.ReLU(),
            _convolution(widths[-1], 3, 3),
            nn.Tanh(),
        )

    def forward(self, z):
        x = channels_last(self.first(z).unflatten(1, (-1, 4, 4)))
        for block in self.blocks:
            x = block(x, z)
        return self.last(x)


class CriticBlock(nn.Module):
    """Bottleneck that halves the resolution; a 1x1 filter adds channels to the skip."""

    def __init__(self, a, b):
        super().__init__()
        inside = b // RATIO
        self.bottleneck = nn.Sequential(
            nn.ReLU(),
            _convolution(a, inside, 1),
            nn.ReLU(),
            _convolution(inside, inside, 3),
            nn.ReLU(),
            _convolution(inside, inside, 3),
            nn.ReLU(),
            nn.AvgPool2d(2),
            _convolution(inside, b, 1),
        )
        self.pool = nn.AvgPool2d(2)
        self.added = _convolution(a, b - a, 1)

    def forward(self, x):
        skip = self.pool(x)
        skip = torch.cat([skip, self.added(skip)], dim=1)
        return self.bottleneck(x) + skip


class Critic(nn.Module):
    """Three halvings, features summed over the pixels, one score per image."""

    def __init__(self, widths=(32, 64, 128, 192)):
        super().__init__()
        pairs = zip(widths, widths[1:], strict=False)
        self.features = nn.Sequential(
            _convolution(3, widths[0], 3), *(CriticBlock(a, b) for a, b in pairs)
        )
        self.last = spectral_norm(nn.Linear(widths[-1], 1))

    def forward(self, x):
        features = self.features(channels_last(x))
        return self.last(features.relu().sum((2, 3))).flatten()


def orthogonal(network):
    """Orthogonal weights, as the paper starts from."""
    for layer in network.modules():
        if isinstance(layer, nn.Conv2d | nn.Linear):
            nn.init.orthogonal_(layer.parametrizations.weight.original)
    return network


class BigGan:
    """BigGAN-deep with the hinge loss and full-range latents (no truncation).

    Parameters
    ----------
    rates : pair of float
        Learning rates of generator and critic.
    """

    def __init__(self, *, rates=(4e-4, 4e-4)):
        self.generator = orthogonal(Generator())
        self.critic = orthogonal(Critic())
        self.networks = nn.ModuleDict({"g": self.generator, "d": self.critic})
        self.networks.to(memory_format=torch.channels_last)
        self.optimisers = [
            torch.optim.Adam(network.parameters(), rate, betas=(0.0, 0.99))
            for network, rate in zip(self.networks.values(), rates, strict=True)
        ]

    def step(self, x, progress=1.0):
        """Update the critic, then the generator."""
        d_loss = self._critic_step(x)
        with autocast():
            scores = self.critic(self.generator(latents(len(x))))
        g_loss = -scores.float().mean()
        update(self.optimisers[0], g_loss)
        return {"critic": d_loss.item(), "generator": g_loss.item()}

    def _critic_step(self, real):
        with torch.no_grad(), autocast():
            fake = self.generator(latents(len(real)))
        with autocast():
            on_real, on_fake = self.critic(torch.cat([real, fake.float()])).chunk(2)
        loss = (1 - on_real.float()).relu().mean() + (1 + on_fake.float()).relu().mean()
        update(self.optimisers[1], loss)
        return loss

    def calibrate(self, average, batches):
        """Batch-norm statistics and spectral norms of the averaged generator."""
        update_bn([latents(len(x)) for x in batches], average)

    def sample(self, average, n):
        """One forward pass."""
        return average(latents(n))
