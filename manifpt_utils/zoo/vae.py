"""Variational autoencoders of the zoo."""

import numpy as np
import torch
from torch import nn
from torch.optim.swa_utils import update_bn

from ..method.spaces import make_space
from .recipe import LATENT, autocast, latents, update


class VariationalAutoencoder(nn.Module):
    """Strided encoder and ConvTranspose(3, 2, 1, 1) decoder with tanh.

    Layers as in the AntixK implementation of the beta-VAE, at a third of its width.
    """

    def __init__(self, width=32, latent=LATENT):
        super().__init__()
        sizes = [width, 2 * width, 4 * width]
        encoder, before = [], 3
        for size in sizes:
            encoder += [nn.Conv2d(before, size, 3, 2, 1), nn.BatchNorm2d(size)]
            encoder += [nn.LeakyReLU()]
            before = size
        self.encoder = nn.Sequential(*encoder, nn.Flatten())
        self.moments = nn.Linear(16 * before, 2 * latent)
        self.decoder = nn.Sequential(
            nn.Linear(latent, 16 * before),
            nn.Unflatten(1, (before, 4, 4)),
            *_upscaling(2 * sizes[1], sizes[1]),
            *_upscaling(sizes[1], sizes[0]),
            *_upscaling(sizes[0], sizes[0]),
            nn.Conv2d(sizes[0], 3, 3, padding=1),
            nn.Tanh(),
        )
        self.latent = latent

    def forward(self, x):
        """Return the reconstruction, the posterior mean and its log variance."""
        mean, log_variance = self.moments(self.encoder(x)).chunk(2, dim=1)
        z = mean + torch.randn_like(mean) * (0.5 * log_variance).exp()
        return self.decoder(z), mean, log_variance


def _upscaling(a, b):
    return nn.ConvTranspose2d(a, b, 3, 2, 1, 1), nn.BatchNorm2d(b), nn.LeakyReLU()


class BetaVae:
    """Beta-VAE (Higgins et al. 2017): squared error plus beta times the KL term.

    Sampling decodes z ~ N(0, I), as published; `beta` weighs the KL against the
    squared error summed over the image.
    """

    def __init__(self, *, beta=8.0, rate=1e-3):
        self.beta = beta
        self.generator = VariationalAutoencoder()
        self.networks = nn.ModuleDict({"vae": self.generator})
        self.optimisers = [torch.optim.Adam(self.generator.parameters(), rate)]

    def step(self, x, progress=1.0):
        """One step on the evidence lower bound."""
        with autocast():
            decoded, mean, log_variance = self.generator(x)
        mean, log_variance = mean.float(), log_variance.float()
        errors = self._errors(decoded.float(), x)
        kl = mean.square() + log_variance.exp() - 1 - log_variance
        kl = 0.5 * kl.sum(1).mean()
        loss = sum(errors.values()) + self.beta * kl
        update(self.optimisers[0], loss / x[0].numel())
        return {k: v.item() for k, v in errors.items()} | {"kl": kl.item()}

    def _errors(self, decoded, x):
        error = (decoded - x).square().flatten(1).sum(1).mean()
        return {"squared_error": error}

    def calibrate(self, average, batches):
        """Batch-norm statistics of the averaged network, from real images."""
        update_bn(batches, average)

    def sample(self, average, n):
        """Decode latents drawn from the prior."""
        return average.decoder(latents(n))


class DfcVae(BetaVae):
    """Deep feature consistent VAE (Hou et al. 2017): the beta-VAE, plus feature errors.

    The features are those after the stem and the three blocks of the small network
    behind the embedding space "supervised", frozen.  They stand in for four layers of
    VGG19, whose weights would need a download; their network has learnt from other
    photographs than those of the benchmark.

    Parameters
    ----------
    beta : float
        Weight of the KL term.
    weight : float
        Weight of the feature errors.  Each is relative to the mean square of its layer,
        and counts as if it were one for every pixel and colour.
    """

    def __init__(self, *, beta=12.0, weight=0.03, rate=1e-3):
        super().__init__(beta=beta, rate=rate)
        self.weight = weight
        self.features = frozen_features()

    def _errors(self, decoded, x):
        with autocast():
            pairs = zip(self.features(decoded), self.features(x), strict=True)
        relative = [_relative_error(a.float(), b.float()) for a, b in pairs]
        error = self.weight * sum(relative) * x[0].numel()
        return super()._errors(decoded, x) | {"feature_error": error}


def _relative_error(a, b):
    return (a - b).square().mean() / b.square().mean()


def frozen_features():
    """Return a function from images in [-1, 1] to four layers of a frozen network.

    It is that of the space "supervised"; its layers have 32, 32, 64 and 128 channels at
    16, 16, 8 and 4 pixels per side.
    """
    device = torch.get_default_device()
    with torch.device("cpu"):  # where embedding spaces compute
        space = make_space("supervised").fit(np.zeros((1, 32, 32, 3), np.uint8))
    *before, a, b, c, _pool, _flatten = space.network_[-1].to(device)
    stages = nn.Sequential(*before), a, b, c

    def features(x):
        x, layers = (x + 1) / 2, []
        for stage in stages:
            x = stage(x)
            layers.append(x)
        return layers

    return features
