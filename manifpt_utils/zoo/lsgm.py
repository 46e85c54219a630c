"""Score-based generative model in the latent space of a variational autoencoder."""

from itertools import pairwise

import torch
from diffusers.models.embeddings import get_timestep_embedding
from torch import nn
from torch.optim.swa_utils import update_bn
from tqdm import tqdm

from .ncsn import EMBEDDING, ResidualBlock
from .nvae import HierarchicalVae, Nvae, TopDown
from .recipe import autocast, update
from .vdvae import COMPONENTS, LogisticMixture

LATENT = 16  # channels of the one group, at 4 x 4
SLOWEST, FASTEST = 0.1, 20.0  # rates of the diffusion at times 0 and 1
EARLIEST = 1e-3


def diffusion(time):
    """Factor of the latents and deviation of the noise at times between 0 and 1.

    The variance-preserving SDE of Song et al. (2021), whose rate grows linearly.
    """
    log_factor = -0.25 * time**2 * (FASTEST - SLOWEST) - 0.5 * time * SLOWEST
    return log_factor.exp(), (-torch.expm1(2 * log_factor)).sqrt()


class LatentScore(nn.Module):
    """Noise in latents (n, c, 4, 4) at times (n, 1, 1, 1), by mixed prediction.

    The noise of N(0, I) latents, deviation times latents, is mixed with a network's,
    in a proportion that every channel learns (Vahdat et al. 2021, equation 9).  The
    network predicts the velocity v (Salimans & Ho 2022), so that its own noise is
    deviation times latents plus factor times v.
    """

    def __init__(self, latent=LATENT, width=64, depth=4):
        super().__init__()
        self.embed = nn.Sequential(nn.Linear(EMBEDDING, EMBEDDING), nn.SiLU())
        self.first = nn.Conv2d(latent, width, 3, padding=1)
        self.blocks = nn.ModuleList(ResidualBlock(width, width) for _ in range(depth))
        norm = nn.GroupNorm(width // 4, width)
        last = nn.Conv2d(width, latent, 3, padding=1)
        self.last = nn.Sequential(norm, nn.SiLU(), last)
        self.share = nn.Parameter(torch.zeros(latent, 1, 1))

    def forward(self, z, time):
        waves = get_timestep_embedding(1000 * time.flatten(), EMBEDDING)
        level, h = self.embed(waves), self.first(z)
        for block in self.blocks:
            h = block(h, level)
        velocity = self.share.sigmoid() * self.last(h).float()
        factor, deviation = diffusion(time)
        return deviation * z + factor * velocity


class ScoreVae(HierarchicalVae):
    """A variational autoencoder with one group of latents, and their score."""

    def __init__(self):
        channels, output = 10 * COMPONENTS, LogisticMixture()
        super().__init__(TopDown(channels, output, latents=((LATENT,), (), (), ())))
        self.prior = LatentScore()

    def forward(self, x):
        """Parameters of the pixels, the KL from N(0, I), and the latents."""
        x = x.contiguous(memory_format=torch.channels_last)
        start = self.decoder.start.expand(len(x), -1, -1, -1)
        z, kl = self.decoder.groups[0][0].infer(start, self.encoder(x)[-1])
        return self.decoder.decode([z]), kl, z


class Lsgm(Nvae):
    """LSGM (Vahdat et al. 2021): the cells of NVAE, a score as the prior of latents.

    The two stages of the original run side by side: the autoencoder learns with the
    prior N(0, I), and the score learns the latents that it finds, by the squared error
    of the velocity, uniformly in time.  With the squared error of the noise, the errors
    of a short training add up along the flow to latents that are twice too wide.  There
    is no third stage, in which both would be trained on one bound.  The U-Net of the
    prior has become residual blocks at 4 x 4.

    Parameters
    ----------
    sampling_steps : int
        Steps of the probability-flow equation, from noise to latents; the decoder
        makes images of these.
    repeats : int
        Times at which the score meets a latent in one step.
    """

    def __init__(self, *, rate=2e-3, sampling_steps=50, repeats=4):
        super().__init__(rate=rate)
        self.sampling_steps, self.repeats = sampling_steps, repeats

    def _build(self, rate):
        self.generator = ScoreVae()
        parts = self.generator.encoder, self.generator.decoder
        weights = [p for part in parts for p in part.parameters()]
        prior = self.generator.prior.parameters()
        self.optimisers = [
            torch.optim.Adam(weights, rate, fused=True),
            torch.optim.Adam(prior, rate / 2, fused=True),
        ]

    def step(self, x, progress=1.0):
        """One step on the evidence lower bound, one on the score of its latents."""
        with autocast():
            parameters, kl, z = self.generator(x)
        loss, losses = self._bound(parameters, [kl], x, progress)
        update(self.optimisers[0], loss, clip=1.0)
        error = self._velocity_error(z.detach().repeat(self.repeats, 1, 1, 1))
        update(self.optimisers[1], error, clip=1.0)
        return losses | {"velocity_error": error.item()}

    def _velocity_error(self, z):
        time = EARLIEST + (1 - EARLIEST) * torch.rand(len(z), 1, 1, 1)
        factor, deviation = diffusion(time)
        noise = torch.randn_like(z)
        with autocast():
            found = self.generator.prior(factor * z + deviation * noise, time)
        return ((found - noise) / factor).square().mean()

    def calibrate(self, average, batches):
        """Batch-norm statistics of the averaged network, from real images."""
        update_bn(batches[:30], average)

    def sample(self, average, n):
        """Follow the flow from noise to latents, and decode these as NVAE does."""
        (z,) = average.decoder.noise(n)
        z = self._flow(average.prior, z)
        return average.decoder.output(average.decoder.decode([z]))

    def _flow(self, prior, z):
        """Deterministic steps along the probability flow (Song et al. 2021)."""
        times = torch.linspace(1, 0, self.sampling_steps + 1)[:, None, None, None, None]
        steps = list(pairwise(times))
        for time, following in tqdm(steps, desc="denoise", leave=False):
            noise = prior(z, time.expand(len(z), 1, 1, 1))
            factor, deviation = diffusion(time)
            clean = (z - deviation * noise) / factor
            factor, deviation = diffusion(following)
            z = factor * clean + deviation * noise
        return z
