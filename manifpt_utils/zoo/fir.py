"""Doubling and halving the resolution with the filter 1-3-3-1; blur with 1-2-1.

The first is the filter of StyleGAN2 (Karras et al. 2020) and NCSN++ (Song et al. 2021),
the second that of StyleGAN (Karras et al. 2019).  Rows and columns are filtered by one
matrix product each, which on a processor is ten times as fast in bfloat16 as a
convolution with one channel per group.
"""

import torch
from torch import nn
from torch.nn.functional import conv_transpose1d

FILTER = (1.0, 3.0, 3.0, 1.0)


class FIRUpsample(nn.Module):
    """Insert zeros, then filter: (n, c, h, w) to (n, c, 2 h, 2 w), brightness kept."""

    def forward(self, x):
        rows, columns = (_interpolation(side, x) for side in x.shape[-2:])
        return rows @ x @ columns.T


class FIRDownsample(nn.Module):
    """Filter, then drop every other pixel: (n, c, h, w) to (n, c, h / 2, w / 2)."""

    def forward(self, x):
        rows, columns = (_interpolation(side // 2, x) for side in x.shape[-2:])
        return (rows.T / 2) @ x @ (columns / 2)


class Blur(nn.Module):
    """Filter with 1-2-1: (n, c, h, w) to the same shape; zeros beyond the border."""

    def forward(self, x):
        rows, columns = (_smoothing(side, x) for side in x.shape[-2:])
        return rows @ x @ columns


class Average(nn.AvgPool2d):
    """Means of two by two pixels."""

    def __init__(self):
        super().__init__(2)

    def forward(self, x):
        rows, columns = (_averaging(side // 2, x) for side in x.shape[-2:])
        return rows @ x @ columns.T


def _averaging(pairs, like):
    """The matrix (pairs, 2 pairs) that replaces neighbours by their mean."""
    each = torch.eye(pairs, device=like.device, dtype=like.dtype) / 2
    return each.repeat_interleave(2, dim=1)


def _smoothing(side, like):
    """The matrix (side, side) that replaces each value by a mean with the next ones."""
    beside = torch.ones(side - 1, device=like.device, dtype=like.dtype) / 4
    matrix = torch.eye(side, device=like.device, dtype=like.dtype) / 2
    return matrix + beside.diag(1) + beside.diag(-1)


def _interpolation(side, like):
    """The matrix (2 side, side) that doubles the length of a signal."""
    taps = torch.tensor(FILTER, device=like.device) / 4  # exact in 16 bits, too
    pulses = torch.eye(side, device=like.device)[:, None]
    spread = conv_transpose1d(pulses, taps[None, None], stride=2, padding=1)
    return spread[:, 0].T.to(like.dtype)
