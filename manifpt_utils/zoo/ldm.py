"""Latent diffusion (Rombach et al. 2022) on the features of a quantised autoencoder."""

import torch
from torch import nn
from tqdm import tqdm

from .score import Ddpm
from .vqgan import SIDE, Autoencoding, set_rate

CHANNELS = 3
SPREAD = 0.5  # standard deviation of the features as the U-Net sees them


class LatentModel(nn.Module):
    """The parts that draw images: the denoiser of features, the codebook, the decoder.

    The denoiser sees features at deviation `SPREAD` around zero.
    """

    def __init__(self, denoiser, codebook, decoder):
        super().__init__()
        self.denoiser, self.codebook, self.decoder = denoiser, codebook, decoder
        self.register_buffer("centre", torch.zeros(CHANNELS, 1, 1))
        self.register_buffer("deviation", torch.ones(()))  # until measured

    def scaled(self, features):
        """Features as the denoiser sees them; the first batch sets their scale."""
        if self.deviation == 1:
            self.centre.copy_(features.mean((0, 2, 3))[:, None, None])
            self.deviation.copy_((features - self.centre).std())
        return (features - self.centre) * SPREAD / self.deviation

    def forward(self, scaled):
        """Quantise and decode features as the denoiser draws them."""
        features = scaled * self.deviation / SPREAD + self.centre
        return self.decoder(self.codebook(self.codebook.nearest(features)))


class LatentDiffusion:
    """A quantised autoencoder, then diffusion on its features; DDIM sampling.

    The U-Net learns from features before they are quantised; what it draws is quantised
    before it is decoded, as published for the first stage "VQ-f4".  Its loss is that of
    `Ddpm`, for the same reason.

    Parameters
    ----------
    codes : int
        Size of the codebook.
    split : float
        Share of the steps that the first stage gets.
    sampling_steps : int
        Steps of the deterministic sampler (Song, Meng & Ermon 2021).
    """

    def __init__(self, *, codes=256, split=0.35, rates=(1e-3, 1e-3), sampling_steps=50):
        from diffusers import DDIMScheduler

        self.first = Autoencoding(codes=codes, channels=CHANNELS, rate=rates[0])
        self.second = Ddpm(channels=(48, 64, 96))
        self.second.generator.mean.zero_()
        self.generator = LatentModel(
            self.second.generator, self.first.codebook, self.first.decoder
        )
        self.networks = nn.ModuleDict(
            {"g": self.generator, "e": self.first.encoder, "d": self.first.critic}
        )
        self.optimisers = [*self.first.optimisers, *self.second.optimisers]
        self.noise = DDIMScheduler.from_config(
            self.second.noise.config, clip_sample=False
        )
        self.split, self.rate = split, rates[1]
        self.sampling_steps = sampling_steps

    def step(self, x, progress=1.0):
        """One step of the stage that `progress` falls in."""
        if progress < self.split:
            return self.first.step(x, progress / self.split)
        part = (progress - self.split) / (1 - self.split)
        set_rate(self.optimisers[2], self.rate, part)
        return self.second.step(self.generator.scaled(self.first.encode(x)))

    def calibrate(self, average, batches):
        """Copy centre and deviation, which averaging mixed with their first values."""
        average.centre.copy_(self.generator.centre)
        average.deviation.copy_(self.generator.deviation)

    def sample(self, average, n):
        """Denoise features without adding noise, quantise and decode them."""
        self.noise.set_timesteps(self.sampling_steps)
        x = torch.randn(n, CHANNELS, SIDE, SIDE)
        for level in tqdm(self.noise.timesteps, desc="denoise", leave=False):
            x = self.noise.step(average.denoiser(x, level), level, x).prev_sample
        return average(x)
