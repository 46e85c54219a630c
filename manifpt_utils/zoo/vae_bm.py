"""VAE-BM in miniature: an energy reweights the images of a variational autoencoder."""

import math
from itertools import pairwise

import torch
from torch import nn

from .nvae import HierarchicalVae, Nvae, TopDown
from .recipe import autocast, update

WIDTHS = (16, 32, 64, 64)  # channels of the energy at 32, 16, 8 and 4 pixels per side
CHUNK = 50  # images that Langevin steps keep in memory at once


class GaussianMean(nn.Module):
    """Normal pixels of one deviation, whose mean is the image."""

    def __init__(self, deviation):
        super().__init__()
        self.deviation = deviation

    def log_likelihood(self, mean, x):
        """Log likelihood of images (n, 3, h, w), in nats per image."""
        scaled = ((x - mean) / self.deviation).square()
        each = scaled + math.log(2 * math.pi * self.deviation**2)
        return -0.5 * each.flatten(1).sum(1)

    def forward(self, mean):
        return mean


class EnergyBlock(nn.Module):
    """Twice swish and a 3 x 3 convolution, beside a skip; there is no norm."""

    def __init__(self, width):
        super().__init__()
        self.body = nn.Sequential(
            nn.SiLU(),
            nn.Conv2d(width, width, 3, padding=1),
            nn.SiLU(),
            nn.Conv2d(width, width, 3, padding=1),
        )

    def forward(self, x):
        return x + self.body(x)


class Energy(nn.Sequential):
    """One number for each image: residual blocks, halved by strided convolutions."""

    def __init__(self):
        layers = [nn.Conv2d(3, WIDTHS[0], 3, padding=1)]
        for before, after in pairwise(WIDTHS):
            layers += [EnergyBlock(before), nn.Conv2d(before, after, 4, 2, 1)]
        layers += [EnergyBlock(WIDTHS[-1]), nn.SiLU(), nn.Flatten()]
        # A constant would cancel in the contrast.
        layers += [nn.Linear(16 * WIDTHS[-1], 1, bias=False), nn.Flatten(0)]
        super().__init__(*layers)


class EnergyVae(HierarchicalVae):
    """A variational autoencoder and an energy of its images."""

    def __init__(self, decoder):
        super().__init__(decoder)
        self.energy = Energy()


class VaeBm(Nvae):
    """VAE-BM (Xiao et al. 2021): NVAE with a Gaussian decoder, then an energy.

    The autoencoder is trained first, for the share `first` of the steps.  The energy E
    then makes the density proportional to exp(-E(x)) p(x, z).  Its gradient is the
    contrast of E between real images, a quarter of a batch, and as many samples, which
    Langevin steps draw in the noise behind latents and pixels; under the autoencoder
    both are N(0, I).  Real images get the noise that the pixels have, so that the
    energy has to look at the picture; energies are kept near zero by their square.
    What is shown is the decoder's mean.

    Parameters
    ----------
    deviation : float
        Deviation of the Gaussian decoder, for images in [-1, 1].
    langevin_steps : int
    stride : float
        Langevin time of a step.
    square : float
        Weight of the squared energies.
    """

    def __init__(
        self,
        *,
        rate=2e-3,
        temperature=0.8,
        deviation=0.15,
        first=0.65,
        langevin_steps=10,
        stride=0.03,
        square=0.05,
    ):
        self.deviation, self.first = deviation, first
        self.langevin_steps, self.stride = langevin_steps, stride
        self.square = square
        super().__init__(rate=rate, temperature=temperature)

    def _build(self, rate):
        output = GaussianMean(self.deviation)
        decoder = TopDown(3, output, temperature=self.temperature)
        self.generator = EnergyVae(decoder)
        parts = self.generator.encoder, self.generator.decoder
        weights = [p for part in parts for p in part.parameters()]
        self.optimisers = [
            torch.optim.Adam(weights, rate, fused=True),
            torch.optim.Adam(self.generator.energy.parameters(), rate / 4, fused=True),
        ]
        self.rate = rate

    def step(self, x, progress=1.0):
        """One step on the evidence lower bound, or on the contrast of energies."""
        if progress < self.first:
            share = progress / self.first
            self.optimisers[0].param_groups[0]["lr"] = self.rate * min(1, 2 - 2 * share)
            return super().step(x, share)
        return self._contrast(x[: -(-len(x) // 4)])

    def _fit(self, parameters, x, progress):
        return self.generator.decoder.output.log_likelihood(parameters, x)

    def _contrast(self, x):
        decoder, energy = self.generator.decoder, self.generator.energy
        start = self._noise(decoder, len(x))
        with torch.no_grad(), autocast():
            decoder.train().decode(start[1:])  # statistics of samples, not of images
        decoder.eval()
        with autocast():
            drawn = self._image(decoder, self._langevin(self.generator, start)).detach()
            blurred = x + self.deviation * torch.randn_like(x)
            real, fake = energy(torch.cat([blurred, drawn])).float().chunk(2)
        contrast = real.mean() - fake.mean()
        square = (real.square() + fake.square()).mean()
        update(self.optimisers[1], contrast + self.square * square, clip=1.0)
        return {"contrast": contrast.item(), "square": square.item()}

    def _noise(self, decoder, n):
        """Noise behind the pixels, then behind every group of latents."""
        return [torch.randn(n, 3, 32, 32), *decoder.noise(n)]

    def _image(self, decoder, noise):
        pixels, *latents = noise
        return decoder.decode(latents) + self.deviation * pixels

    def _langevin(self, network, noise):
        """Steps towards exp(-energy) times the normal density of the noise."""
        for _ in range(self.langevin_steps):
            noise = [z.detach().requires_grad_(True) for z in noise]
            with torch.enable_grad():
                image = self._image(network.decoder, noise)
                slopes = torch.autograd.grad(network.energy(image).sum(), noise)
            noise = [self._moved(*pair) for pair in zip(noise, slopes, strict=True)]
        return noise

    def _moved(self, z, slope):
        shaken = z.detach() + self.stride**0.5 * torch.randn_like(z)
        return shaken - self.stride / 2 * (z.detach() + slope)

    def sample(self, average, n):
        """Draw noise, let it follow the energy, and decode without that of pixels."""
        parts = []
        for size in [CHUNK] * (n // CHUNK) + [n % CHUNK] * (n % CHUNK > 0):
            noise = self._langevin(average, self._noise(average.decoder, size))
            parts.append(average.decoder.output(average.decoder.decode(noise[1:])))
        return torch.cat(parts)
