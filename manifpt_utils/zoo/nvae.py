"""NVAE in miniature: residual cells with batch norm, latents from coarse to fine."""

from itertools import pairwise

import torch
from torch import nn
from torch.nn.functional import interpolate, normalize
from torch.optim.swa_utils import update_bn

from .recipe import autocast, full_precision, update
from .vdvae import COMPONENTS, LEVEL, LogisticMixture

SIDES = (4, 8, 16, 32)
WIDTHS = (64, 48, 32, 16)
EXPANSION = 2
LATENTS = ((8, 8, 8), (4, 4), (2,), ())  # channels of the groups at each side
RESOLUTIONS = len(SIDES)


class Depthwise(nn.Conv2d):
    """5 x 5, one filter per channel, in single precision, here twice as fast."""

    def __init__(self, channels):
        super().__init__(channels, channels, 5, padding=2, groups=channels)

    def forward(self, x):
        with full_precision():
            x = x.float().contiguous(memory_format=torch.channels_last)
            return super().forward(x)


class SqueezeExcite(nn.Module):
    """Scale each channel by a gate that depends on the means of all channels."""

    def __init__(self, channels):
        super().__init__()
        inner = max(4, channels // 16)
        self.gate = nn.Sequential(
            nn.Linear(channels, inner),
            nn.ReLU(),
            nn.Linear(inner, channels),
            nn.Sigmoid(),
        )
        # Behind a norm the means are near zero: a negative bias is a dead unit.
        nn.init.ones_(self.gate[0].bias)

    def forward(self, x):
        return x * self.gate(x.mean((2, 3)))[..., None, None]


class Cell(nn.Module):
    """Layers beside a skip."""

    def __init__(self, skip, *layers):
        super().__init__()
        self.skip, self.body = skip, nn.Sequential(*layers)

    def forward(self, x):
        return self.skip(x) + self.body(x)


class BilinearSkip(nn.Conv2d):
    """1 x 1 convolution, then twice the side by bilinear interpolation."""

    def __init__(self, before, after):
        super().__init__(before, after, 1)

    def forward(self, x):
        x = super().forward(x)
        return interpolate(x, scale_factor=2, mode="bilinear", align_corners=True)


def encoder_cell(before, after):
    """Norm, swish, 3 x 3, twice, then the gate; halves the side where widths differ."""
    strided = before != after
    return Cell(
        nn.Conv2d(before, after, 2, 2) if strided else nn.Identity(),
        *_norm_swish(before),
        nn.Conv2d(before, after, 3, 2 if strided else 1, 1, bias=False),
        *_norm_swish(after),
        nn.Conv2d(after, after, 3, 1, 1),
        SqueezeExcite(after),
    )


def decoder_cell(before, after):
    """Expand, depthwise 5 x 5, contract, gate; doubles the side where widths differ.

    The nearest neighbours come after the expansion, its norm and swish, not before it:
    the values are the same, for a quarter of the arithmetic.
    """
    enlarging, inner = before != after, EXPANSION * after
    return Cell(
        BilinearSkip(before, after) if enlarging else nn.Identity(),
        nn.BatchNorm2d(before),
        nn.Conv2d(before, inner, 1, bias=False),
        *_norm_swish(inner),
        nn.UpsamplingNearest2d(scale_factor=2) if enlarging else nn.Identity(),
        Depthwise(inner),
        *_norm_swish(inner),
        nn.Conv2d(inner, after, 1, bias=False),
        nn.BatchNorm2d(after),
        SqueezeExcite(after),
    )


def _norm_swish(channels):
    return nn.BatchNorm2d(channels), nn.SiLU()


class Moments(nn.Sequential):
    """Mean and log deviation from features, each softly bounded by 5."""

    def __init__(self, width, latent, kernel):
        convolution = nn.Conv2d(width, 2 * latent, kernel, padding=kernel // 2)
        super().__init__(nn.ELU(), convolution)

    def forward(self, features):
        return (5 * (super().forward(features).float() / 5).tanh()).chunk(2, dim=1)


class Group(nn.Module):
    """One group of latents, and the cell behind it.

    The posterior is relative to the prior: its mean is that of the prior plus an
    offset, its deviation that of the prior times a factor.  The prior of the first
    group is N(0, I), that of the others depends on the groups before.
    """

    def __init__(self, width, latent, *, first=False):
        super().__init__()
        self.prior = None if first else Moments(width, latent, 1)
        self.posterior = Moments(width, latent, 3)
        self.see, self.join = nn.Conv2d(width, width, 1), nn.Conv2d(latent, width, 1)
        nn.init.zeros_(self.join.weight)  # a group that begins late disturbs nothing
        self.cell = decoder_cell(width, width)
        self.latent = latent

    def infer(self, y, features):
        """Latents drawn from the posterior, and the KL of each image in nats."""
        mean, log_deviation = self._prior(y)
        offset, log_factor = self.posterior(features + self.see(y))
        deviation = (log_deviation + log_factor).exp()
        z = mean + offset + deviation * torch.randn_like(mean)
        return z, residual_kl(offset, log_factor, log_deviation)

    def generate(self, y, noise):
        """Latents of the prior, from noise of its shape."""
        mean, log_deviation = self._prior(y)
        return mean + noise * log_deviation.exp()

    def _prior(self, y):
        if self.prior:
            return self.prior(y)
        return y.new_zeros(2, len(y), self.latent, *y.shape[2:]).float().unbind()

    def forward(self, y, z):
        """The features after latents z; without latents (None), those of the cell."""
        return self.cell(y if z is None else y + self.join(z))


def residual_kl(offset, log_factor, log_deviation):
    """KL of N(m + offset, (s factor)^2) from N(m, s^2), in nats per image.

    Half the sum of offset^2 / s^2 + factor^2 - 1 - log factor^2 (Vahdat & Kautz 2020,
    equation 2).
    """
    shift = offset.square() * (-2 * log_deviation).exp()
    kl = shift + (2 * log_factor).exp() - 1 - 2 * log_factor
    return 0.5 * kl.flatten(1).sum(1)


class BottomUp(nn.Module):
    """Features of an image at all resolutions, from the finest to the coarsest."""

    def __init__(self):
        super().__init__()
        widths = WIDTHS[::-1]
        self.stem = nn.Conv2d(3, widths[0], 3, padding=1)
        self.downs = nn.ModuleList(encoder_cell(a, b) for a, b in pairwise(widths))
        self.cells = nn.ModuleList(encoder_cell(w, w) for w in widths[1:])

    def forward(self, x):
        features = [self.stem(x)]
        for down, cell in zip(self.downs, self.cells, strict=True):
            features.append(cell(down(features[-1])))
        return features


class TopDown(nn.Module):
    """From latents, or from the features of images, to the parameters of the pixels.

    Parameters
    ----------
    channels : int
        Parameters of a pixel.
    output : Module
        Turns them into images; not applied here.
    latents : tuple of tuples of int
        Channels of the groups at each side.
    temperature : float
        Factor of the deviations of the priors in sampling.
    """

    def __init__(self, channels, output, *, latents=LATENTS, temperature=1.0):
        super().__init__()
        self.start = nn.Parameter(torch.randn(WIDTHS[0], SIDES[0], SIDES[0]))
        self.ups = nn.ModuleList(decoder_cell(a, b) for a, b in pairwise(WIDTHS))
        self.groups = nn.ModuleList(
            nn.ModuleList(
                Group(width, n, first=width == WIDTHS[0] and i == 0)
                for i, n in enumerate(numbers)
            )
            for width, numbers in zip(WIDTHS, latents, strict=True)
        )
        convolution = nn.Conv2d(WIDTHS[-1], channels, 3, padding=1)
        self.last = nn.Sequential(nn.ELU(), convolution)
        self.temperature, self.output = temperature, output

    def forward(self, n):
        """Parameters of the pixels of n images drawn from the priors."""
        return self.decode(self.noise(n))

    def noise(self, n):
        """Standard normal noise for every group of n images."""
        return [
            torch.randn(n, group.latent, side, side)
            for side, groups in zip(SIDES, self.groups, strict=True)
            for group in groups
        ]

    def decode(self, noise):
        """Parameters of the pixels, from noise that the temperature scales."""
        remaining = iter([self.temperature * z for z in noise])
        return self._descend(
            len(noise[0]), lambda level, group, y: group.generate(y, next(remaining))
        )

    def infer(self, features, *, active=RESOLUTIONS):
        """Parameters of the pixels, and the KL of every group for each image.

        Only the groups of the coarsest `active` resolutions take part.
        """
        kls = []

        def latents(level, group, y):
            if level >= active:
                return None
            z, kl = group.infer(y, features[-1 - level])
            kls.append(kl)
            return z

        return self._descend(len(features[0]), latents), kls

    def _descend(self, n, latents):
        y = self.start.expand(n, -1, -1, -1)
        for level, groups in enumerate(self.groups):
            y = self.ups[level - 1](y) if level else y
            for group in groups:
                y = group(y, latents(level, group, y))
        return self.last(y).float()


class HierarchicalVae(nn.Module):
    """Encoder and decoder that meet at every group of latents."""

    def __init__(self, decoder):
        super().__init__()
        self.encoder, self.decoder = BottomUp(), decoder
        self.to(memory_format=torch.channels_last)  # a quarter faster

    def forward(self, x, *, active=RESOLUTIONS):
        """Parameters of the pixels, and the KL of every group for each image."""
        x = x.contiguous(memory_format=torch.channels_last)
        return self.decoder.infer(self.encoder(x), active=active)


def balanced(kls, sides):
    """Weighted sum of the KL terms, for groups that share the work (NVAE, appendix A).

    The weights are proportional to the mean KL over the number of places, and one in
    the mean; no gradient passes through them.
    """
    kls = torch.stack([kl.mean() for kl in kls])
    weights = kls.detach().abs() / torch.tensor(sides).square() + 1e-6
    return (weights / weights.mean() * kls).sum()


class Spectrum(nn.Module):
    """Sum of the largest singular values of a network's convolutions.

    One power iteration at each call; weights of one shape are treated together.
    """

    def __init__(self, network):
        super().__init__()
        by_shape = {}
        for layer in network.modules():
            if isinstance(layer, nn.Conv2d) and layer.groups == 1:
                by_shape.setdefault(layer.weight.shape, []).append(layer.weight)
        self.weights = list(by_shape.values())
        for i, weights in enumerate(self.weights):
            start = torch.randn(len(weights), len(weights[0]), 1)
            self.register_buffer(f"left{i}", normalize(start, dim=1))

    def forward(self):
        return sum(self._largest(i).sum() for i in range(len(self.weights)))

    def _largest(self, i):
        matrices = torch.stack([w.flatten(1) for w in self.weights[i]])
        left = self.get_buffer(f"left{i}")
        with torch.no_grad():
            right = normalize(matrices.mT @ left, dim=1)
            left.copy_(normalize(matrices @ right, dim=1))
        return left.mT.clone() @ matrices @ right


class Nvae:
    """NVAE (Vahdat & Kautz 2020): six groups of latents, three resolutions.

    The evidence lower bound, with the KL warmed up and balanced between groups over the
    first three tenths, plus the regularised spectrum.  As in `EfficientVdvae`, for the
    same reason, groups join from the top down and the scales of the logistics are
    bounded from below at first.  The original has 5 bits and ten logistics per pixel
    for faces; here there are 8 bits and three.

    Parameters
    ----------
    temperature : float
        Factor of the deviations of the priors in sampling; batch-norm statistics are
        recomputed for it.
    widest : float
        First lower bound of the scales in grey levels.
    spectral : float
        Weight of a singular value, in nats per image.
    """

    def __init__(self, *, rate=2e-3, temperature=0.8, widest=16.0, spectral=0.1):
        self.temperature, self.widest, self.spectral = temperature, widest, spectral
        self._build(rate)
        autoencoder = [self.generator.encoder, self.generator.decoder]
        self.spectrum = Spectrum(nn.ModuleList(autoencoder))
        self.networks = nn.ModuleDict(
            {"vae": self.generator, "spectrum": self.spectrum}
        )

    def _build(self, rate):
        channels, output = 10 * COMPONENTS, LogisticMixture()
        decoder = TopDown(channels, output, temperature=self.temperature)
        self.generator = HierarchicalVae(decoder)
        weights = self.generator.parameters()
        self.optimisers = [torch.optim.Adam(weights, rate, fused=True)]

    def step(self, x, progress=1.0):
        """One step on the evidence lower bound, reported in bits per dimension."""
        with autocast():
            parameters, kls = self.generator(x, active=1 + int(5 * progress))
        loss, losses = self._bound(parameters, kls, x, progress)
        update(self.optimisers[0], loss, clip=1.0)
        return losses

    def _bound(self, parameters, kls, x, progress):
        error, kl = -self._fit(parameters, x, progress).mean(), sum(kls).mean()
        loss = error + self._warmed(kls, progress) + self.spectral * self.spectrum()
        bit = 0.6931 * x[0].numel()
        losses = {"bits": (error + kl).item() / bit, "kl_bits": kl.item() / bit}
        return loss / x[0].numel(), losses

    def _fit(self, parameters, x, progress):
        smallest = LEVEL * self.widest ** max(0.0, 1 - progress / 0.6)
        mixture = self.generator.decoder.output
        return mixture.log_likelihood(parameters, x, smallest=smallest)

    def _warmed(self, kls, progress):
        if progress >= 0.3:
            return sum(kls).mean()
        sides = [s for s, n in zip(SIDES, LATENTS, strict=True) for _ in n]
        return (0.1 + 3 * progress) * balanced(kls, sides[: len(kls)])

    def calibrate(self, average, batches):
        """Batch-norm statistics of the decoder at the temperature of sampling."""
        update_bn([len(x) for x in batches[:30]], average.decoder)

    def sample(self, average, n):
        """One pass from the top, and the most probable components of the mixtures."""
        return average.decoder.output(average.decoder(n))
