"""Denoising diffusion GAN (Xiao, Kreis & Vahdat 2022): four large denoising steps.

The forward process is that of diffusion models, divided into so few steps that the
reverse steps are far from Gaussian; a conditional GAN learns them.  The U-Net is NCSN++
without its output pyramid and, here, without attention; the critic is that of
StyleGAN2, which is also given the time.
"""

import math
from itertools import pairwise

import torch
from diffusers.models.embeddings import get_timestep_embedding
from torch import nn
from torch.nn.functional import silu, softplus

import manifpt_utils._support.torchvision  # noqa: F401  (diffusers needs it first)

from .fir import FIRDownsample, FIRUpsample
from .recipe import LATENT, autocast, latents, update
from .stylegan import Convolution, Linear, activate, minibatch_deviation, normalise

TIMES = 4
SLOWEST, FASTEST = 0.1, 20.0  # rates of the forward process at its two ends
EMBEDDING = 64


class Diffusion:
    """The forward process at times 0, ..., TIMES, and its posterior.

    `kept[t]` is the share of the variance of x_t that comes from the image.
    """

    def __init__(self):
        time = torch.arange(TIMES + 1) / TIMES
        exponent = SLOWEST * time + (FASTEST - SLOWEST) / 2 * time**2
        self.kept = (-exponent).exp()[:, None, None, None]

    def pair(self, x, t):
        """Draw x_(t-1) and x_t for images x and times t in 1, ..., TIMES."""
        kept, ratio = self.kept[t - 1], self.kept[t] / self.kept[t - 1]
        before = kept.sqrt() * x + (1 - kept).sqrt() * torch.randn_like(x)
        after = ratio.sqrt() * before + (1 - ratio).sqrt() * torch.randn_like(x)
        return before, after

    def posterior(self, x, noisy, t):
        """Draw x_(t-1) given the image x and x_t (Ho et al. 2020, equation 7)."""
        kept, ratio = self.kept[t - 1], self.kept[t] / self.kept[t - 1]
        lost = 1 - self.kept[t]
        mean = kept.sqrt() * (1 - ratio) * x + ratio.sqrt() * (1 - kept) * noisy
        deviation = ((1 - ratio) * (1 - kept) / lost).sqrt()
        return mean / lost + deviation * torch.randn_like(noisy)


class TimeEmbedding(nn.Module):
    """Sinusoids of the time (n,) and two dense layers: (n, EMBEDDING)."""

    def __init__(self):
        super().__init__()
        self.dense = nn.Sequential(
            nn.Linear(EMBEDDING, EMBEDDING), nn.SiLU(), nn.Linear(EMBEDDING, EMBEDDING)
        )

    def forward(self, t):
        return silu(self.dense(get_timestep_embedding(t, EMBEDDING)))


class ModulatedNorm(nn.Module):
    """Group norm whose gain and shift are affine functions of the latent."""

    def __init__(self, channels):
        super().__init__()
        self.norm = nn.GroupNorm(channels // 4, channels, affine=False)
        self.affine = nn.Linear(LATENT, 2 * channels)
        with torch.no_grad():
            self.affine.bias.copy_(
                torch.cat([torch.ones(channels), torch.zeros(channels)])
            )

    def forward(self, x, w):
        gain, shift = self.affine(w)[:, :, None, None].chunk(2, dim=1)
        return gain * self.norm(x) + shift


class GeneratorBlock(nn.Module):
    """The residual block of NCSN++, with both norms modulated by the latent."""

    def __init__(self, before, after, resample=None):
        super().__init__()
        resample = resample or nn.Identity()
        self.norms = nn.ModuleList((ModulatedNorm(before), ModulatedNorm(after)))
        self.first = nn.Sequential(resample, nn.Conv2d(before, after, 3, padding=1))
        self.time = nn.Linear(EMBEDDING, after)
        self.second = nn.Conv2d(after, after, 3, padding=1)
        nn.init.zeros_(self.second.weight)
        self.skip = nn.Sequential(resample)
        if before != after:
            self.skip.append(nn.Conv2d(before, after, 1))

    def forward(self, x, t, w):
        h = self.first(silu(self.norms[0](x, w))) + self.time(t)[..., None, None]
        h = self.second(silu(self.norms[1](h, w)))
        return (self.skip(x) + h) / math.sqrt(2)


class Descent(nn.Module):
    """Two blocks, the second halving the resolution; then the input joins again."""

    def __init__(self, before, after):
        super().__init__()
        self.block = GeneratorBlock(before, before)
        self.shrink = GeneratorBlock(before, after, FIRDownsample())
        self.filter, self.join = FIRDownsample(), nn.Conv2d(3, after, 1)

    def forward(self, h, image, t, w):
        """Return what the ascent will need, the features, and the smaller image."""
        kept, image = self.block(h, t, w), self.filter(image)
        h = (self.shrink(kept, t, w) + self.join(image)) / math.sqrt(2)
        return kept, h, image


class Ascent(nn.Module):
    """Double the resolution and join what the descent kept."""

    def __init__(self, before, after):
        super().__init__()
        self.grow = GeneratorBlock(before, after, FIRUpsample())
        self.block = GeneratorBlock(2 * after, after)

    def forward(self, h, kept, t, w):
        return self.block(torch.cat([self.grow(h, t, w), kept], 1), t, w)


class Generator(nn.Module):
    """From x_t, the time and a latent to a guess of the image, within (-1, 1)."""

    def __init__(self, widths=(16, 32, 48, 64)):
        super().__init__()
        self.mapping = nn.ModuleList(nn.Linear(LATENT, LATENT) for _ in range(3))
        self.time = TimeEmbedding()
        self.stem = nn.Conv2d(3, widths[0], 3, padding=1)
        pairs, last = list(pairwise(widths)), widths[-1]
        self.descents = nn.ModuleList(Descent(a, b) for a, b in pairs)
        self.middle = nn.ModuleList(GeneratorBlock(last, last) for _ in range(2))
        self.ascents = nn.ModuleList(Ascent(b, a) for a, b in reversed(pairs))
        self.last = nn.Sequential(
            nn.GroupNorm(widths[0] // 4, widths[0]),
            nn.SiLU(),
            nn.Conv2d(widths[0], 3, 3, padding=1),
            nn.Tanh(),
        )

    def forward(self, noisy, t, z):
        w, time = normalise(z), self.time(t)
        for layer in self.mapping:
            w = silu(layer(w))
        h, kept, image = self.stem(noisy), [], noisy
        for descent in self.descents:
            keep, h, image = descent(h, image, time, w)
            kept.append(keep)
        for block in self.middle:
            h = block(h, time, w)
        for ascent in self.ascents:
            h = ascent(h, kept.pop(), time, w)
        return self.last(h)


class CriticBlock(nn.Module):
    """Residual block that halves the resolution by the filter and adds the time."""

    def __init__(self, a, b):
        super().__init__()
        self.first, self.second = Convolution(a, a, 3), Convolution(a, b, 3)
        self.time, self.skip = Linear(EMBEDDING, a), Convolution(a, b, 1, bias=False)
        self.down = FIRDownsample()

    def forward(self, x, t):
        y = activate(self.first(x) + self.time(t)[..., None, None])
        y = activate(self.second(self.down(y)))
        return (y + self.skip(self.down(x))) / math.sqrt(2)


class Critic(nn.Module):
    """One logit per pair: is x_(t-1) a real ancestor of x_t?"""

    def __init__(self, widths=(24, 48, 72, 96)):
        super().__init__()
        last = widths[-1]
        self.time = TimeEmbedding()
        self.stem = Convolution(6, widths[0], 1)
        self.blocks = nn.ModuleList(CriticBlock(a, b) for a, b in pairwise(widths))
        self.convolution = Convolution(last + 1, last, 3)
        self.score = Linear(last, 1)

    def forward(self, before, after, t):
        time, x = self.time(t), self.stem(torch.cat([before, after], 1))
        for block in self.blocks:
            x = block(x, time)
        x = activate(self.convolution(minibatch_deviation(x)))
        return self.score(x.mean((2, 3))).flatten()


class DenoisingDiffusionGan:
    """Non-saturating logistic loss on pairs of noisy images, at all times at once.

    The generator guesses the image; x_(t-1) is then drawn from the posterior of the
    forward process, so that the critic never sees the guess itself.

    Parameters
    ----------
    r1 : float
        Weight of the squared slope of the critic at real x_(t-1), taken every `every`
        steps.
    """

    def __init__(self, *, rates=(5e-4, 2e-3), r1=0.05, every=16):
        self.generator, self.critic = Generator(), Critic()
        self.networks = nn.ModuleDict({"g": self.generator, "d": self.critic})
        self.networks.register_buffer("done", torch.zeros((), dtype=torch.long))
        self.optimisers = [
            torch.optim.Adam(network.parameters(), rate, betas=(0.5, 0.99))
            for network, rate in zip(self.networks.values(), rates, strict=True)
        ]
        self.diffusion, self.r1, self.every = Diffusion(), r1, every

    def step(self, x, progress=1.0):
        """Update the critic, then the generator on the same guesses."""
        t = torch.randint(1, TIMES + 1, (len(x),))
        real, noisy = self.diffusion.pair(x, t)
        with autocast():
            guess = self.generator(noisy, t, latents(len(x)))
        fake = self.diffusion.posterior(guess.float(), noisy, t)
        d_loss = self._critic_step(real, fake.detach(), noisy, t)
        with autocast():
            scores = self.critic(fake, noisy, t)
        g_loss = softplus(-scores.float()).mean()
        update(self.optimisers[0], g_loss)
        self.networks.done += 1
        return {"critic": d_loss.item(), "generator": g_loss.item()}

    def _critic_step(self, real, fake, noisy, t):
        with autocast():
            on_real = self.critic(real, noisy, t).float()
            on_fake = self.critic(fake, noisy, t).float()
        loss = softplus(-on_real).mean() + softplus(on_fake).mean()
        penalised = loss
        if self.networks.done % self.every == 0:
            slope = self._squared_slope(real, noisy, t)
            penalised = loss + self.every * self.r1 / 2 * slope
        update(self.optimisers[1], penalised)
        return loss

    def _squared_slope(self, real, noisy, t):
        real = real.clone().requires_grad_(True)
        with autocast():
            score = self.critic(real, noisy, t).float().sum()
        (slope,) = torch.autograd.grad(score, real, create_graph=True)
        return slope.square().flatten(1).sum(1).mean()

    def calibrate(self, average, batches):
        """Group norm keeps no statistics: nothing to do."""

    def sample(self, average, n):
        """Guess the image and take one step back, from pure noise to the image."""
        x = torch.randn(n, 3, 32, 32)
        for time in range(TIMES, 0, -1):
            t = torch.full((n,), time)
            x = self.diffusion.posterior(average(x, t, latents(n)), x, t)
        return x
