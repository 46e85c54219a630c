"""StyleALAE in miniature: an autoencoder of latents on StyleGAN (Karras et al. 2019).

All weights have the equalised learning rate of `stylegan`.
"""

import torch
from torch import nn
from torch.nn.functional import mse_loss, softplus

from .fir import Average, Blur
from .recipe import LATENT, autocast, latents
from .stylegan import EPSILON, Convolution, Linear, PenalisedGan, activate, normalise

WIDTHS = (96, 64, 48, 24)  # channels at 4 x 4, 8 x 8, 16 x 16 and 32 x 32 pixels


class Style(nn.Module):
    """Noise, leaky ReLU, instance norm, then the scale and shift of the style."""

    def __init__(self, width, latent):
        super().__init__()
        self.noise = nn.Parameter(torch.zeros(width, 1, 1))
        self.norm = nn.InstanceNorm2d(width, eps=EPSILON)
        self.style = Linear(latent, 2 * width)

    def forward(self, x, w):
        x = self.norm(activate(x + self.noise * torch.randn_like(x[:, :1])))
        scale, shift = self.style(w)[:, :, None, None].chunk(2, dim=1)
        return x * (1 + scale) + shift


class Stage(nn.Module):
    """Nearest neighbours, convolution, blur 1-2-1, style; convolution, style."""

    def __init__(self, a, b, latent):
        super().__init__()
        self.up = nn.Sequential(
            nn.UpsamplingNearest2d(scale_factor=2), Convolution(a, b, 3), Blur()
        )
        self.convolution = Convolution(b, b, 3)
        self.styles = nn.ModuleList(Style(b, latent) for _ in range(2))

    def forward(self, x, w):
        x = self.styles[0](self.up(x), w)
        return self.styles[1](self.convolution(x), w)


class Generator(nn.Module):
    """Mapping from z to w, learned 4 x 4 input, styled stages, colours.

    Nothing bounds the colours.
    """

    def __init__(self, widths=WIDTHS, latent=LATENT):
        super().__init__()
        self.mapping = nn.ModuleList(
            Linear(latent, latent, rate=0.01) for _ in range(2)
        )
        self.constant = nn.Parameter(torch.ones(1, widths[0], 4, 4))
        self.style = Style(widths[0], latent)
        self.stages = nn.ModuleList(
            Stage(a, b, latent) for a, b in zip(widths, widths[1:], strict=False)
        )
        self.colours = Convolution(widths[-1], 3, 1)
        self.colours.gain *= 0.2  # about the contrast of photographs from the start

    def forward(self, z):
        return self.decode(self.encode(z))

    def encode(self, z):
        """The latents w that z is mapped to."""
        w = normalise(z)
        for layer in self.mapping:
            w = activate(layer(w))
        return w

    def decode(self, w):
        """The images that latents w decode to."""
        x = self.style(self.constant.expand(len(w), -1, -1, -1), w)
        for stage in self.stages:
            x = stage(x, w)
        return self.colours(x)


class ReadStyle(nn.Module):
    """Move mean and deviation of each channel from the features into a latent."""

    def __init__(self, width, latent):
        super().__init__()
        self.norm = nn.InstanceNorm2d(width, eps=EPSILON)
        self.read = Linear(2 * width, latent)

    def forward(self, x):
        variance, mean = torch.var_mean(x.float(), (2, 3), correction=0)
        style = torch.cat([mean, (variance + EPSILON).sqrt()], 1)
        return self.norm(x), self.read(style).float()


class EncoderBlock(nn.Module):
    """Convolution, style; blur 1-2-1, convolution, average of four pixels, style."""

    def __init__(self, a, b, latent):
        super().__init__()
        self.first = Convolution(a, a, 3)
        self.down = nn.Sequential(Blur(), Convolution(a, b, 3), Average())
        self.styles = nn.ModuleList(ReadStyle(c, latent) for c in (a, b))

    def forward(self, x):
        x, first = self.styles[0](activate(self.first(x)))
        x, second = self.styles[1](activate(self.down(x)))
        return x, first + second


class Encoder(nn.Module):
    """From images to latents w, the sum of what all layers read off the features."""

    def __init__(self, widths=WIDTHS[::-1], latent=LATENT):
        super().__init__()
        pairs, last = zip(widths, widths[1:], strict=False), widths[-1]
        self.colours = Convolution(3, widths[0], 1)
        self.blocks = nn.ModuleList(EncoderBlock(a, b, latent) for a, b in pairs)
        self.convolution = Convolution(last, last, 3)
        self.style = ReadStyle(last, latent)
        self.dense = nn.Sequential(nn.Flatten(), Linear(16 * last, last))
        self.rest = Linear(last, latent)

    def forward(self, x):
        x, w = activate(self.colours(x)), 0.0
        for block in self.blocks:
            x, style = block(x)
            w = w + style
        x, style = self.style(activate(self.convolution(x)))
        return w + style + self.rest(activate(self.dense(x)))


class Critic(nn.Module):
    """Three dense layers from a latent w to one score."""

    def __init__(self, latent=LATENT):
        super().__init__()
        self.layers = nn.ModuleList(Linear(latent, latent, rate=0.1) for _ in range(2))
        self.score = Linear(latent, 1, rate=0.1)

    def forward(self, w):
        for layer in self.layers:
            w = activate(layer(w))
        return self.score(w).flatten()


class StyleAlae(PenalisedGan):
    """StyleALAE (Pidhorskyi et al. 2020): the critic judges encoded images.

    The generator is that of StyleGAN, trained at full resolution from the start: there
    is no progressive growing.  The encoder is trained with the critic and, so that it
    inverts the generator, on the squared error of the latents.  The R1 penalty comes
    every `every` steps, with a weight that makes up for it.

    Parameters
    ----------
    r1 : float
        Weight of the squared slope of critic and encoder at real images.
    """

    def __init__(self, *, rate=2e-3, r1=3.0, every=8):
        generator = Generator()
        self.encoder, self.head = Encoder(), Critic()
        judge = nn.Sequential(self.encoder, self.head)
        super().__init__(generator, judge, rates=(rate, rate), r1=r1, every=every)

    def step(self, x, progress=1.0):
        """Update encoder and critic, then the generator with the encoder."""
        d_loss = self._critic_step(x)
        g_loss, error = self._generator_step(len(x))
        self.networks.done += 1
        return {
            "critic": d_loss.item(),
            "generator": g_loss.item(),
            "latent_error": error.item(),
        }

    def _generator_step(self, n):
        """Fool the critic; bring encoded images back to the latents they came from.

        The encoder learns from the second loss only, the critic from neither.
        """
        with autocast():
            w = self.generator.encode(latents(n))
            found = self.encoder(self.generator.decode(w))
            score = self.head(found).float()
        g_loss, error = softplus(-score).mean(), mse_loss(found, w.detach().float())
        for optimiser in self.optimisers:
            optimiser.zero_grad(set_to_none=True)
        ours, theirs = [*self.generator.parameters()], [*self.encoder.parameters()]
        g_loss.backward(inputs=ours, retain_graph=True)
        error.backward(inputs=[*ours, *theirs])
        for optimiser in self.optimisers:
            optimiser.step()
        return g_loss, error
