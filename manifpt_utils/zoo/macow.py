"""MaCow in miniature: flows whose scale and shift come from masked convolutions."""

import torch
from torch import nn
from torch.nn.functional import elu, pad
from torch.nn.utils.parametrizations import weight_norm

from .flow import Likelihood, glow_step, multiscale

DEPTH = (4, 2, 1)  # steps at 4 x 4, 8 x 8 and 16 x 16 pixels
DIRECTIONS = ("down", "up", "right", "left")
ROWS, COLUMNS = 2, 5  # of a filter; each row sees this many rows before it


class MaskedConvolution(nn.Module):
    """Scale and shift each row by functions of the two rows before it.

    .. math:: z_i = s(x_{i-1}, x_{i-2}) x_i + m(x_{i-1}, x_{i-2})

    In the direction "down", rows come before the rows below them; in the direction
    "right", columns take the place of rows.  `inverse`, from images to latents, is one
    pass over the whole image; `forward` goes row by row.
    """

    def __init__(self, channels, direction):
        super().__init__()
        self.direction = direction
        hidden = (4 if channels < 32 else 2) * channels
        self.first = weight_norm(nn.Conv2d(channels, hidden, (ROWS, COLUMNS)))
        self.last = weight_norm(nn.Conv2d(hidden, 2 * channels, 1))
        nn.init.zeros_(self.last.parametrizations.weight.original0)  # its norm
        nn.init.zeros_(self.last.bias)

    def inverse(self, x):
        """Latents of x, and the log determinant of each."""
        x = _turn(x, self.direction)
        scale, shift = self._moments(pad(x[:, :, :-1], (0, 0, ROWS, 0)))
        return _back(x * scale + shift, self.direction), scale.log().sum((1, 2, 3))

    def forward(self, z):
        """The x whose latents are z, and the log determinant of each."""
        z = _turn(z, self.direction)
        rows = [torch.zeros_like(z[:, :, :1])] * ROWS
        log_determinant = 0.0
        for row in z.split(1, dim=2):
            scale, shift = self._moments(torch.cat(rows[-ROWS:], 2))
            rows.append((row - shift) / scale)
            log_determinant = log_determinant - scale.log().sum((1, 2, 3))
        return _back(torch.cat(rows[ROWS:], 2), self.direction), log_determinant

    def _moments(self, before):
        sides = COLUMNS // 2
        hidden = elu(self.first(pad(before, (sides, sides))))
        raw, shift = self.last(hidden).float().chunk(2, dim=1)
        return torch.sigmoid(raw + 2), shift


def _turn(x, direction):
    """Make a direction "down"."""
    if direction in ("right", "left"):
        x = x.mT
    return x.flip(2) if direction in ("up", "left") else x


def _back(x, direction):
    """Undo `_turn`."""
    if direction in ("up", "left"):
        x = x.flip(2)
    return x.mT if direction in ("right", "left") else x


class Step(nn.Module):
    """From images to latents: actnorm, masked convolutions, then a step of Glow."""

    def __init__(self, channels, width):
        import normflows as nf

        super().__init__()
        masked = [MaskedConvolution(channels, way) for way in reversed(DIRECTIONS)]
        actnorm = nf.flows.ActNorm((channels, 1, 1))
        self.flows = nn.ModuleList([glow_step(channels, width), *masked, actnorm])

    def inverse(self, x):
        return _chain(x, [flow.inverse for flow in reversed(self.flows)])

    def forward(self, z):
        return _chain(z, self.flows)


def _chain(x, maps):
    total = x.new_zeros(len(x), dtype=torch.float32)
    for each in maps:
        x, log_determinant = each(x)
        total = total + log_determinant
    return x, total


class MaCow(Likelihood):
    """MaCow (Ma et al. 2019): masked convolutions in four directions, weight norm.

    As in the code of the paper, the last part of a step is a step of Glow, and images
    of faces have 5 bits.  Half of the channels is split off at once, where the paper
    splits off a quarter twice; there are three levels, and no blocks before the first
    squeeze.
    """

    def __init__(self, *, depth=DEPTH, **options):
        super().__init__(multiscale(Step, depth), **options)
