"""StyleGAN3 of the zoo (Karras et al. 2021): a generator without aliasing.

Features are samples of band-limited signals over the image, whose side is one; rates
and frequencies are numbers of samples and of periods per side.
"""

import math
from functools import cache
from itertools import pairwise
from typing import NamedTuple

import torch
from scipy.signal import firwin
from torch import nn
from torch.nn.functional import leaky_relu

from .recipe import LATENT, full_precision
from .stylegan import (
    Convolution,
    Critic,
    Linear,
    Mapping,
    ModulatedConvolution,
    PenalisedGan,
    ToRGB,
)

LOBES = 6  # taps of a filter for one sample of the lower rate
GAIN = math.sqrt(2)  # keeps the variance through the leaky ReLU
FOLLOW = 0.01  # share of a new magnitude in the running one


class Grid(NamedTuple):
    """Samples of a signal: how many per side with the margin, their rate, the band."""

    size: int
    rate: int
    cutoff: float
    half_width: float  # of the transition band


def grids(margin=3):
    """The five grids of input and layers; the last two are critically sampled."""
    wide = [Grid(rate + 2 * margin, rate, rate / 4, rate / 4) for rate in (8, 16, 32)]
    sizes = 32 + 2 * margin, 32
    return [*wide, *(Grid(size, 32, 16.0, 16 * (2**0.3 - 1)) for size in sizes)]


@cache
def sinc_filter(fine, grid, factor):
    """Kaiser-windowed sinc between a fine grid and `grid`: (fine, grid.size).

    Both are centred on the image; the fine one has `factor` times the rate.
    """
    taps = firwin(
        LOBES * factor,
        grid.cutoff,
        width=2 * grid.half_width,
        fs=grid.rate * factor,
    )
    here = torch.arange(fine) - (fine - 1) / 2
    there = factor * (torch.arange(grid.size) - (grid.size - 1) / 2)
    place = (here[:, None] - there + (len(taps) - 1) / 2).round().long()
    taps = torch.tensor(taps, dtype=torch.float32)
    inside = (place >= 0) & (place < len(taps))
    return torch.where(inside, taps[place.clamp(0, len(taps) - 1)], 0.0)


class SincUpsample(nn.Module):
    """From a grid to `fine` samples of `factor` times the rate."""

    def __init__(self, grid, fine, factor):
        super().__init__()
        self.arguments, self.factor = (fine, grid, factor), factor

    def forward(self, x):
        matrix = (self.factor * sinc_filter(*self.arguments)).to(x.dtype)
        return matrix @ x @ matrix.T


class SincDownsample(nn.Module):
    """From `fine` samples of `factor` times its rate to a grid."""

    def __init__(self, grid, fine, factor):
        super().__init__()
        self.arguments = fine, grid, factor

    def forward(self, x):
        matrix = sinc_filter(*self.arguments).to(x.dtype)
        return matrix.T @ x @ matrix


class FourierInput(nn.Module):
    """Waves of fixed random frequencies, turned and moved by the style, then mixed."""

    def __init__(self, channels, latent, grid):
        super().__init__()
        angle = 2 * math.pi * torch.rand(channels)
        direction = torch.stack([angle.cos(), angle.sin()], 1)
        radius = grid.cutoff * torch.rand(channels, 1).sqrt()  # uniform on the disc
        self.register_buffer("frequencies", radius * direction)
        self.register_buffer("phases", torch.rand(channels))
        self.motion = Linear(latent, 4)
        nn.init.zeros_(self.motion.weight)
        with torch.no_grad():
            self.motion.bias.copy_(torch.tensor([1.0, 0.0, 0.0, 0.0]))
        self.mix = Convolution(channels, channels, 1, bias=False)
        self.grid = grid

    def forward(self, w):
        with full_precision():
            waves = self._waves(self.motion(w.float()))
        return self.mix(waves)

    def _waves(self, motion):
        """Sines (n, channels, size, size) of cosine, sine and shift (n, 4)."""
        motion = motion / motion[:, :2].norm(dim=1, keepdim=True)
        cosine, sine, right, down = motion.T[..., None, None]
        place = torch.arange(self.grid.size) - (self.grid.size - 1) / 2
        y, x = (place / self.grid.rate)[:, None], (place / self.grid.rate)[None]
        moved = cosine * x - sine * y - right, sine * x + cosine * y - down
        periods = torch.stack(moved, -1) @ self.frequencies.T + self.phases
        return (2 * math.pi * periods).sin().movedim(-1, 1)


class FilteredLayer(nn.Module):
    """Demodulated 3x3 filters; leaky ReLU at a higher rate, between two sinc filters.

    The input is divided by its running root mean square.
    """

    def __init__(self, a, b, latent, before, after):
        super().__init__()
        self.convolution = ModulatedConvolution(a, b, latent)
        self.bias = nn.Parameter(torch.zeros(b, 1, 1))
        self.register_buffer("power", torch.ones(()))
        up, down = 2 * after.rate // before.rate, 2
        # What lies outside the input is zero and need not be computed.
        fine = min(up * before.size, down * (after.size + LOBES - 1))
        self.up = SincUpsample(before, fine, up)
        self.down = SincDownsample(after, fine, down)

    def forward(self, x, w):
        if self.training:
            with torch.no_grad():
                self.power.lerp_(x.float().square().mean(), FOLLOW)
        x = self.convolution(x * self.power.rsqrt().to(x.dtype), w)
        x = self.up(x + self.bias.to(x.dtype))
        return self.down(leaky_relu(x, 0.2)) * GAIN


class Generator(nn.Module):
    """Mapping network, Fourier features, filtered layers, colours at a quarter scale.

    There is no noise and no skip; nothing bounds the colours.
    """

    def __init__(self, widths=(96, 96, 64, 48, 32), latent=LATENT):
        super().__init__()
        places = grids()
        self.mapping = Mapping(latent)
        self.input = FourierInput(widths[0], latent, places[0])
        pairs = zip(pairwise(widths), pairwise(places), strict=True)
        self.layers = nn.ModuleList(
            FilteredLayer(*channels, latent, *sides) for channels, sides in pairs
        )
        self.colours = ToRGB(widths[-1], latent)

    def forward(self, z):
        w = self.mapping(z)
        x = self.input(w)
        for layer in self.layers:
            x = layer(x, w)
        return self.colours(x, w) / 4


class StyleGan3(PenalisedGan):
    """StyleGAN3-T against the critic of StyleGAN2.

    There are four layers in place of fourteen, whose bands double up to that of the
    image, and the margin is three samples in place of ten.
    """

    def __init__(self, *, rate=2.5e-3, r1=3.0):
        super().__init__(Generator(), Critic(), rates=(rate, rate), r1=r1)
