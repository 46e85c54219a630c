"""StyleSwin of the zoo (Zhang et al. 2022): attention in windows, no convolution.

Features are tokens in the layout (n, height, width, channels).
"""

from functools import cache

import torch
from torch import nn

from .fir import FIRUpsample
from .recipe import LATENT
from .stylegan import Critic, Linear, Mapping, PenalisedGan

HEADS = 2
WINDOW = 4  # tokens per side
SEPARATED = -100.0  # added to the logits of tokens that may not see each other
blurred_doubling = FIRUpsample()


class AdaptiveInstanceNorm(nn.Module):
    """Instance norm over the tokens of an image; the style gives gain and shift."""

    def __init__(self, channels, latent):
        super().__init__()
        self.norm = nn.InstanceNorm1d(channels)
        self.gain = Linear(latent, channels, bias=1.0)
        self.shift = Linear(latent, channels)

    def forward(self, x, w):
        tokens = x.flatten(1, 2).transpose(1, 2)
        x = self.norm(tokens).transpose(1, 2).view_as(x)
        return x * self.gain(w)[:, None, None] + self.shift(w)[:, None, None]


def cut(x, size):
    """Cut tokens (..., height, width, channels): (..., k, size^2, channels)."""
    x = x.unflatten(-2, (-1, size)).unflatten(-4, (-1, size))
    return x.transpose(-4, -3).flatten(-3, -2).flatten(-4, -3)


def paste(x, side):
    """Put the windows of `cut` together again: (..., side, side, channels)."""
    size = int(x.shape[-2] ** 0.5)
    x = x.unflatten(-3, (side // size, side // size)).unflatten(-2, (size, size))
    return x.transpose(-4, -3).flatten(-3, -2).flatten(-4, -3)


@cache
def separation(side, size, shift, device):
    """A mask (k, t, t) between tokens that only a cyclic shift made neighbours."""
    wrapped = torch.arange(side, device=device) >= side - shift
    region = 2 * wrapped[:, None] + 1 * wrapped
    region = cut(region[..., None], size)
    return SEPARATED * (region != region.transpose(1, 2)).float()


class WindowAttention(nn.Module):
    """Attention within windows, with a learned bias for every relative place."""

    def __init__(self, heads, size, shift):
        super().__init__()
        self.size, self.shift = size, shift
        self.bias = nn.Parameter(0.02 * torch.randn(heads, 2 * size - 1, 2 * size - 1))

    def forward(self, qkv):
        """Attend: queries, keys and values (3, n, side, side, c) to (n, side, ...)."""
        side, shift = qkv.shape[2], self.shift
        windows = cut(qkv.roll((-shift, -shift), (2, 3)), self.size)
        q, k, v = windows.unflatten(-1, (len(self.bias), -1)).transpose(-3, -2)
        logits = q @ k.transpose(-1, -2) / q.shape[-1] ** 0.5 + self._places()
        if shift:
            logits = logits + separation(side, self.size, shift, qkv.device)[:, None]
        seen = (logits.softmax(-1) @ v).transpose(-3, -2).flatten(-2)
        return paste(seen, side).roll((shift, shift), (1, 2))

    def _places(self):
        """The bias of each pair of tokens: (heads, t, t)."""
        place = torch.arange(self.size)
        apart = place[:, None] - place + self.size - 1
        pairs = self.bias[:, apart[:, None, :, None], apart[:, None, :]]
        return pairs.flatten(3, 4).flatten(1, 2)


class Block(nn.Module):
    """Attention, half of the heads in shifted windows, then a perceptron; two skips."""

    def __init__(self, channels, latent, side):
        super().__init__()
        shift = WINDOW // 2 if side > WINDOW else 0
        self.norms = nn.ModuleList(
            AdaptiveInstanceNorm(channels, latent) for _ in range(2)
        )
        self.qkv = nn.Linear(channels, 3 * channels)
        self.halves = nn.ModuleList(
            WindowAttention(HEADS // 2, WINDOW, s) for s in (0, shift)
        )
        self.join = nn.Linear(channels, channels)
        self.perceptron = nn.Sequential(
            nn.Linear(channels, 2 * channels),
            nn.GELU(),
            nn.Linear(2 * channels, channels),
        )

    def forward(self, x, w):
        qkv = self.qkv(self.norms[0](x, w)).unflatten(-1, (3, -1)).movedim(-2, 0)
        pairs = zip(self.halves, qkv.chunk(2, -1), strict=True)
        x = x + self.join(torch.cat([attend(half) for attend, half in pairs], -1))
        return x + self.perceptron(self.norms[1](x, w))


class BilinearUpsample(nn.Upsample):
    """Twice as many tokens per side; away from the border, this is the blur 1-3-3-1."""

    def __init__(self):
        super().__init__(scale_factor=2, mode="bilinear")

    def forward(self, x):
        return super().forward(x.movedim(-1, 1)).movedim(1, -1)


@cache
def positions(side, channels, device):
    """Sines and cosines of column and row: (side, side, channels)."""
    rates = torch.logspace(0, -4, channels // 4, device=device)
    waves = torch.arange(1, side + 1, device=device)[:, None] * rates
    waves = torch.cat([waves.sin(), waves.cos()], 1)
    columns, rows = waves.expand(side, -1, -1), waves[:, None].expand(-1, side, -1)
    return torch.cat([columns, rows], 2)


class Growth(nn.Module):
    """Double the resolution, change the number of channels, add the positions."""

    def __init__(self, a, b):
        super().__init__()
        self.change = nn.Sequential(
            BilinearUpsample(), nn.LayerNorm(a), nn.Linear(a, b, bias=False)
        )
        self.weight = nn.Parameter(torch.zeros(()))

    def forward(self, x):
        x = self.change(x)
        return x + self.weight * positions(*x.shape[2:], x.device)


class Generator(nn.Module):
    """Mapping network, learned 4 x 4 tokens, two blocks per resolution, image skip.

    As published, colours are read off after each doubling and after the last blocks;
    nothing bounds their sum.
    """

    def __init__(self, widths=(128, 96, 48, 24), latent=LATENT):
        super().__init__()
        self.mapping = Mapping(latent)
        self.constant = nn.Parameter(torch.randn(1, 4, 4, widths[0]))
        self.stages = nn.ModuleList(
            nn.ModuleList(Block(width, latent, 4 * 2**i) for _ in range(2))
            for i, width in enumerate(widths)
        )
        pairs = zip(widths, widths[1:], strict=False)
        self.growths = nn.ModuleList(Growth(a, b) for a, b in pairs)
        seen = (*widths[1:], widths[-1])
        self.colours = nn.ModuleList(nn.Linear(width, 3) for width in seen)

    def forward(self, z):
        w = self.mapping(z)
        x, image = (
            self.constant.expand(len(z), -1, -1, -1),
            z.new_zeros(len(z), 3, 4, 4),
        )
        for i, stage in enumerate(self.stages):
            for block in stage:
                x = block(x, w)
            if i < len(self.growths):
                x, image = self.growths[i](x), blurred_doubling(image)
            image = image + self.colours[i](x).movedim(-1, 1)
        return image


class StyleSwin(PenalisedGan):
    """StyleSwin against the residual critic of StyleGAN2.

    That critic takes the place of the wavelet critic; the consistency term that the
    paper adds on faces is left out.
    """

    def __init__(self, *, rates=(1e-3, 2.5e-3), r1=3.0):
        super().__init__(Generator(), Critic(), rates=rates, r1=r1)
