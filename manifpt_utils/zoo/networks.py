"""Networks of the miniature zoo, shared so that two rows differ only where they should.

All images are (n, 3, 32, 32) tensors in [-1, 1].  `width` is the number of channels
next to the image and doubles at each halving of the resolution.
"""

import torch
from torch import nn

from .. import _torchvision  # noqa: F401  (must come before diffusers, which needs it)

LATENT = 64


def _normalisation(kind, channels):
    """Batch norm for the original critics, one-group norm under a gradient penalty."""
    if kind == "batch":
        return nn.BatchNorm2d(channels)
    return nn.GroupNorm(1, channels)


def dcgan_generator(width=32, latent=LATENT):
    """Transposed convolutions 4x4, batch norm, ReLU, tanh (Radford et al. 2016).

    The generator that DCGAN, LSGAN and WGAN-gp share; only their losses differ.
    """
    sizes = [latent, 4 * width, 2 * width, width]
    layers = [nn.Unflatten(1, (latent, 1, 1))]
    for i, (a, b) in enumerate(zip(sizes, sizes[1:], strict=False)):
        stride, padding = (1, 0) if i == 0 else (2, 1)
        layers += [nn.ConvTranspose2d(a, b, 4, stride, padding, bias=False)]
        layers += [nn.BatchNorm2d(b), nn.ReLU()]
    layers += [nn.ConvTranspose2d(width, 3, 4, 2, 1), nn.Tanh()]
    return _initialise(nn.Sequential(*layers))


def dcgan_critic(width=32, normalisation="batch"):
    """Strided 4x4 convolutions with leaky ReLU; one logit an image."""
    layers = [nn.Conv2d(3, width, 4, 2, 1), nn.LeakyReLU(0.2)]
    for a, b in ((width, 2 * width), (2 * width, 4 * width)):
        layers += [nn.Conv2d(a, b, 4, 2, 1, bias=False)]
        layers += [_normalisation(normalisation, b), nn.LeakyReLU(0.2)]
    layers += [nn.Conv2d(4 * width, 1, 4), nn.Flatten(0)]
    return _initialise(nn.Sequential(*layers))


def _initialise(network):
    """N(0, 0.02) weights, as DCGAN prescribes; norms start at N(1, 0.02)."""
    for layer in network:
        if isinstance(layer, nn.Conv2d | nn.ConvTranspose2d):
            nn.init.normal_(layer.weight, 0.0, 0.02)
        elif isinstance(layer, nn.BatchNorm2d):
            nn.init.normal_(layer.weight, 1.0, 0.02)
    return network


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


class Centred(nn.Module):
    """A noise predictor that works on images minus their mean colour.

    Colour is decided where noise hides everything else; from a short training the
    sampler drifts off it unless the mean is taken out first.
    """

    def __init__(self, network):
        super().__init__()
        self.network = network
        self.register_buffer("mean", torch.full((3, 1, 1), torch.nan))

    def set_mean(self, x):
        """Take the mean colour of a first batch, once."""
        if torch.isnan(self.mean).any():
            self.mean.copy_(x.mean((0, 2, 3))[:, None, None])

    def forward(self, noisy, level):
        return self.network(noisy, level).sample


def unet(channels=(16, 32, 64)):
    """The DDPM U-Net of diffusers: group norm, nearest + conv up, strided conv down."""
    from diffusers import UNet2DModel

    plain_down, plain_up = "DownBlock2D", "UpBlock2D"
    network = UNet2DModel(
        sample_size=32,
        in_channels=3,
        out_channels=3,
        layers_per_block=1,
        block_out_channels=channels,
        down_block_types=(plain_down, plain_down, plain_down),
        up_block_types=(plain_up, plain_up, plain_up),
        norm_num_groups=8,
        attention_head_dim=16,
    )
    return Centred(network)


def glow(coarse=4, middle=6, fine=2):
    """Multi-scale Glow of normflows: actnorm, 1x1 convolution, coupling, split.

    A few blocks at 16 x 16 and 8 x 8, most at 4 x 4, where a 3 x 3 filter sees nearly
    the whole image and costs little; half of the channels are split off there.
    """
    import normflows as nf

    def blocks(n, channels, hidden):
        return [
            nf.flows.GlowBlock(channels, hidden, split_mode="channel", scale=True)
            for _ in range(n)
        ]

    squeeze = nf.flows.Squeeze
    bases = [nf.distributions.DiagGaussian((96, 4, 4)) for _ in range(2)]
    upper = [*blocks(middle, 192, 96), squeeze(), *blocks(fine, 48, 64), squeeze()]
    upper += [*blocks(fine, 12, 32), squeeze()]
    flows = [blocks(coarse, 96, 96), upper]
    return nf.MultiscaleFlow(bases, flows, [nf.flows.Merge()], class_cond=False)
