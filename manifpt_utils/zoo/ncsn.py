"""Score matching over a continuum of noise levels, with the NCSN++ network."""

from itertools import pairwise

import torch
from diffusers.models.embeddings import get_timestep_embedding
from torch import nn
from tqdm import tqdm

from .fir import FIRDownsample, FIRUpsample
from .recipe import autocast, update
from .score import Centred

SMALLEST, LARGEST = 0.01, 30.0  # standard deviations of the noise
SPREAD = 0.5  # of the images minus their mean colour
EMBEDDING = 64


class ResidualBlock(nn.Module):
    """Norm, SiLU, resampling, convolution; noise level; norm, SiLU, convolution.

    The block of BigGAN as NCSN++ has it: what is added to the skip starts at zero, and
    the sum is divided by the square root of two.
    """

    def __init__(self, before, after, resample=None):
        super().__init__()
        resample = resample or nn.Identity()
        self.first = nn.Sequential(*_norm(before), resample, _conv(before, after))
        self.level = nn.Linear(EMBEDDING, after)
        self.second = nn.Sequential(*_norm(after), _conv(after, after, zero=True))
        self.skip = nn.Sequential(resample)
        if before != after or not isinstance(resample, nn.Identity):
            self.skip.append(nn.Conv2d(before, after, 1))

    def forward(self, x, level):
        h = self.first(x) + self.level(level)[..., None, None]
        return (self.skip(x) + self.second(h)) / 2**0.5


def _norm(channels):
    return nn.GroupNorm(channels // 4, channels), nn.SiLU()


def _conv(before, after, *, zero=False):
    convolution = nn.Conv2d(before, after, 3, padding=1)
    if zero:
        nn.init.zeros_(convolution.weight)
    return convolution


class Descent(nn.Module):
    """Two blocks, the second halving the resolution; then the input joins again."""

    def __init__(self, before, after):
        super().__init__()
        self.block = ResidualBlock(before, before)
        self.shrink = ResidualBlock(before, after, FIRDownsample())
        self.filter, self.join = FIRDownsample(), nn.Conv2d(3, after, 1)

    def forward(self, h, image, level):
        """Return what the ascent will need, the features, and the smaller image."""
        kept, image = self.block(h, level), self.filter(image)
        h = (self.shrink(kept, level) + self.join(image)) / 2**0.5
        return kept, h, image


class Ascent(nn.Module):
    """Double the resolution, join what the descent kept, add to the output."""

    def __init__(self, before, after):
        super().__init__()
        self.grow = ResidualBlock(before, after, FIRUpsample())
        self.block = ResidualBlock(2 * after, after)
        self.filter, self.output = FIRUpsample(), _output(after)

    def forward(self, h, kept, image, level):
        """Return the features and the image that is summed over the resolutions."""
        h = self.block(torch.cat([self.grow(h, level), kept], 1), level)
        return h, self.filter(image) + self.output(h)


def _output(channels):
    return nn.Sequential(*_norm(channels), _conv(channels, 3, zero=True))


class NcsnPlusPlus(nn.Module):
    """The U-Net of Song et al. (2021): FIR resampling, input and output pyramids.

    From (n, 3, 32, 32) images and the (n,) logarithms of their noise levels to images.
    """

    def __init__(self, channels=(16, 32, 64, 64)):
        super().__init__()
        self.embed = nn.Sequential(
            nn.Linear(EMBEDDING, EMBEDDING), nn.SiLU(), nn.Linear(EMBEDDING, EMBEDDING)
        )
        self.stem = _conv(3, channels[0])
        pairs = list(pairwise(channels))
        self.descents = nn.ModuleList(Descent(a, b) for a, b in pairs)
        self.middle = nn.ModuleList(
            ResidualBlock(channels[-1], channels[-1]) for _ in range(2)
        )
        self.output = _output(channels[-1])
        self.ascents = nn.ModuleList(Ascent(b, a) for a, b in reversed(pairs))

    def forward(self, x, log_sigma):
        waves = get_timestep_embedding(10 * log_sigma, EMBEDDING, max_period=100)
        level = nn.functional.silu(self.embed(waves))
        h, kept = self.stem(x), []
        for descent in self.descents:
            keep, h, x = descent(h, x, level)
            kept.append(keep)
        for block in self.middle:
            h = block(h, level)
        image = self.output(h)
        for ascent in self.ascents:
            h, image = ascent(h, kept.pop(), image, level)
        return image


class Score(Centred):
    """The gradient of the log density of noisy images minus their mean colour.

    The network sees its input at unit scale, and its output, divided by sigma as in
    NCSN++, corrects the score of Gaussian images (Karras et al. 2022).
    """

    def forward(self, noisy, sigma):
        """Score of (n, 3, h, w) images with noise (n, 1, 1, 1)."""
        scale = (sigma**2 + SPREAD**2).sqrt()
        output = self.network(noisy / scale, sigma.flatten().log())
        return SPREAD / scale * output / sigma - noisy / scale**2


class ScoreMatching:
    """Variance-exploding score matching, predictor and corrector (Song et al. 2021).

    The squared error of the noise has the likelihood-free weight times one plus the
    squared noise-to-signal ratio, as in `Ddpm`, for the same reason: without it,
    colours are wrong after a training this short.  The sampler takes one Langevin step
    and one ancestral step at each of `sampling_steps` levels; the last step only
    denoises.

    Parameters
    ----------
    soft_truncation : bool
        Draw the smallest noise level anew for each step, and levels above it uniformly
        in 1/t of the reciprocal SDE (Kim et al. 2022), which is uniform in log sigma.
    snr : float
        Signal-to-noise ratio of the Langevin steps.
    """

    def __init__(
        self, *, soft_truncation=False, rate=1e-3, sampling_steps=25, snr=0.16
    ):
        self.generator = Score(NcsnPlusPlus())
        self.networks = nn.ModuleDict({"score": self.generator})
        self.optimisers = [torch.optim.Adam(self.generator.parameters(), rate)]
        self.soft_truncation, self.snr = soft_truncation, snr
        self.sampling_steps = sampling_steps

    def step(self, x, progress=1.0):
        """Match the score of x with random amounts of noise."""
        self.generator.set_mean(x)
        sigma, noise = self._levels(len(x)), torch.randn_like(x)
        noisy = x - self.generator.mean + sigma * noise
        with autocast():
            score = self.generator(noisy, sigma)
        error = (sigma * score.float() + noise).square()
        loss = (error * (1 + (sigma / SPREAD) ** 2)).mean()
        update(self.optimisers[0], loss, clip=1.0)
        return {"score_error": loss.item()}

    def _levels(self, n):
        lowest = torch.rand(1) if self.soft_truncation else 0.0
        position = lowest + (1 - lowest) * torch.rand(n, 1, 1, 1)
        return SMALLEST * (LARGEST / SMALLEST) ** position

    def calibrate(self, average, batches):
        """Group norm keeps no statistics: nothing to do."""

    def sample(self, average, n):
        """Alternate Langevin and ancestral steps from pure noise down."""
        levels = torch.logspace(1, 0, self.sampling_steps, LARGEST / SMALLEST)
        levels = [*(SMALLEST * levels)[:, None, None, None, None], torch.zeros(1)]
        x = LARGEST * torch.randn(n, 3, 32, 32)
        steps = list(pairwise(levels))
        for sigma, following in tqdm(steps, desc="denoise", leave=False):
            x = self._correct(average, x, sigma)
            x = _predict(average, x, sigma, following)
        return x + average.mean

    def _correct(self, score, x, sigma):
        """One Langevin step, of a size set by the ratio of noise to score."""
        direction, noise = score(x, sigma), torch.randn_like(x)
        ratio = _mean_norm(noise) / _mean_norm(direction)
        step = 2 * (self.snr * ratio) ** 2
        return x + step * direction + (2 * step).sqrt() * noise


def _mean_norm(x):
    return x.flatten(1).norm(dim=1).mean()


def _predict(score, x, sigma, following):
    """Ancestral step from one noise level to the following."""
    removed = sigma**2 - following**2
    spread = following * removed.sqrt() / sigma
    return x + removed * score(x, sigma) + spread * torch.randn_like(x)
