"""Efficient-VDVAE in miniature: a hierarchy of latents, and no norm layer."""

from itertools import pairwise

import torch
from torch import nn
from torch.distributions import Normal, kl_divergence
from torch.nn.functional import logsigmoid, softplus

from .recipe import autocast, update

SIDES = (1, 4, 8, 16, 32)
WIDTHS = (96, 72, 48, 40, 24)
LATENTS = ((16, 16), (8, 8), (4, 4), (2,), ())  # channels of the groups at each side
COMPONENTS, RESOLUTIONS = 3, len(SIDES)
LEVEL = 1 / 127.5  # one of 256 grey levels, for images in [-1, 1]


def bottleneck(before, after, side, *, zero=False):
    """SiLU and convolution, three times: narrow, 3 x 3, and wide again."""
    kernel, inner = 3 if side > 1 else 1, before // 2
    layers = [nn.SiLU(), nn.Conv2d(before, inner, 1)]
    layers += [nn.SiLU(), nn.Conv2d(inner, inner, kernel, padding=kernel // 2)]
    layers += [nn.SiLU(), nn.Conv2d(inner, after, 1)]
    if zero:
        nn.init.zeros_(layers[-1].weight)
    return nn.Sequential(*layers)


class Residual(nn.Module):
    """A bottleneck beside a skip."""

    def __init__(self, width, side):
        super().__init__()
        self.body = bottleneck(width, width, side, zero=True)

    def forward(self, x):
        return x + self.body(x)


class Pool(nn.Sequential):
    """A convolution whose kernel is its stride, and leaky ReLU."""

    def __init__(self, before, after, factor):
        super().__init__(nn.Conv2d(before, after, factor, factor), nn.LeakyReLU(0.1))


class Unpool(nn.Module):
    """1 x 1 convolution, leaky ReLU, nearest neighbours, a bias for each position."""

    def __init__(self, before, after, factor, side):
        super().__init__()
        self.mix = nn.Sequential(nn.Conv2d(before, after, 1), nn.LeakyReLU(0.1))
        self.enlarge = nn.UpsamplingNearest2d(scale_factor=factor)
        self.bias = nn.Parameter(torch.zeros(after, side, side))

    def forward(self, x):
        return self.enlarge(self.mix(x)) + self.bias


class Group(nn.Module):
    """One group of latents: prior from above, posterior also from the image."""

    def __init__(self, width, latent, side):
        super().__init__()
        self.prior = bottleneck(width, width + 2 * latent, side, zero=True)
        self.posterior = bottleneck(2 * width, 2 * latent, side)
        self.project = nn.Conv2d(latent, width, 1)
        nn.init.zeros_(self.project.weight)  # a group that joins disturbs nothing
        self.after = Residual(width, side)
        self.sizes = width, 2 * latent

    def forward(self, y, features=None, temperature=1.0):
        """Return the new features, and the KL of each image in nats.

        Without features of an image, latents are drawn from the prior; its deviation is
        multiplied by the temperature.
        """
        residual, moments = self.prior(y).split(self.sizes, dim=1)
        z, kl = self._latents(_normal(moments), y, features, temperature)
        return self.after(y + residual + self.project(z)), kl

    def _latents(self, prior, y, features, temperature):
        if features is None:
            return prior.mean + temperature * prior.stddev * _noise_like(prior), 0.0
        posterior = _normal(self.posterior(torch.cat([y, features], 1)))
        kl = kl_divergence(posterior, prior).flatten(1).sum(1)
        return posterior.rsample(), kl

    def rest(self, y):
        """The features without any latent."""
        residual, _ = self.prior(y).split(self.sizes, dim=1)
        return self.after(y + residual)


def _noise_like(normal):
    return torch.randn_like(normal.mean)


def _normal(moments):
    mean, raw = moments.float().chunk(2, dim=1)
    return Normal(mean, softplus(raw + 0.54), validate_args=False)  # deviation 1 at 0


class BottomUp(nn.Module):
    """Features of an image at all resolutions, from the finest to the coarsest."""

    def __init__(self):
        super().__init__()
        sizes = list(zip(SIDES, WIDTHS, strict=True))[::-1]
        self.stem = nn.Conv2d(3, WIDTHS[-1], 3, padding=1)
        self.blocks = nn.ModuleList(Residual(width, side) for side, width in sizes)
        self.pools = nn.ModuleList(
            Pool(a, b, high // low) for (high, a), (low, b) in pairwise(sizes)
        )

    def forward(self, x):
        features = [self.blocks[0](self.stem(x))]
        for pool, block in zip(self.pools, self.blocks[1:], strict=True):
            features.append(block(pool(features[-1])))
        return features


class TopDown(nn.Module):
    """From nothing, or from the features of images, to a mixture for each pixel."""

    def __init__(self):
        super().__init__()
        sizes = list(zip(SIDES, WIDTHS, strict=True))
        self.start = nn.Parameter(torch.zeros(WIDTHS[0], 1, 1))
        self.unpools = nn.ModuleList(
            Unpool(a, b, high // low, high) for (low, a), (high, b) in pairwise(sizes)
        )
        self.groups = nn.ModuleList(
            nn.ModuleList(Group(width, latent, side) for latent in latents)
            for (side, width), latents in zip(sizes, LATENTS, strict=True)
        )
        output = nn.Conv2d(WIDTHS[-1], 10 * COMPONENTS, 1)
        self.last = nn.Sequential(Residual(WIDTHS[-1], SIDES[-1]), nn.SiLU(), output)
        self.mixture = LogisticMixture()

    def forward(self, n, features=None, *, temperature=1.0, active=RESOLUTIONS):
        """Parameters of n mixtures, and the sum of the KL terms if there are images.

        Only the groups of the coarsest `active` resolutions take part.
        """
        y, total = self.start.expand(n, -1, -1, -1), 0.0
        for level, groups in enumerate(self.groups):
            y = self.unpools[level - 1](y) if level else y
            seen = None if features is None else features[-1 - level]
            for group in groups:
                if level >= active:
                    y = group.rest(y)
                    continue
                y, kl = group(y, seen, temperature)
                total = total + kl
        return self.last(y).float(), total


class LogisticMixture(nn.Module):
    """Discretised logistics, mixed at each pixel (Salimans et al. 2017).

    The mean of a colour also depends on the colours before it.  The parameters are
    `COMPONENTS` logits, then as many means, scales and dependencies of three colours.
    """

    def log_likelihood(self, parameters, x, *, smallest=LEVEL):
        """Log likelihood in nats of images in [-1, 1]; scales stay above `smallest`."""
        logits, means, scales, slopes = _split(parameters, smallest)
        x = x[:, None]
        off = x - means - _dependence(slopes, x)
        above, below = (off + LEVEL / 2) / scales, (off - LEVEL / 2) / scales
        inside = (-torch.expm1(-LEVEL / scales)).log()
        inside = inside + logsigmoid(above) + logsigmoid(-below)
        each = inside.where(x > -0.999, logsigmoid(above))
        each = each.where(x < 0.999, logsigmoid(-below))
        mixed = torch.logsumexp(each.sum(2) + logits.log_softmax(1), 1)
        return mixed.flatten(1).sum(1)

    def forward(self, parameters, *, temperature=0.0):
        """Choose a component, then the three colours one after the other.

        At temperature 1 this is a draw from the mixtures.  Lower ones multiply the
        noise of both choices.  At 0 each pixel has the centre of its most probable
        component, so that what marks the image is the network and not the draw.
        """
        logits, *others = _split(parameters, LEVEL)
        noise = -torch.empty_like(logits).exponential_().log()
        chosen = (logits + temperature * noise).argmax(1)
        index = chosen[:, None, None].expand(-1, 1, 3, -1, -1)
        means, scales, slopes = (part.gather(1, index) for part in others)
        noise = torch.rand_like(means).clamp(1e-5, 1 - 1e-5).logit()
        draws, x = means + temperature * scales * noise, torch.zeros_like(means)
        for colour in range(3):
            value = draws + _dependence(slopes, x)
            x[:, :, colour] = value[:, :, colour].clamp(-1, 1)
        return x[:, 0]


def _split(parameters, smallest):
    """Logits (n, k, h, w); means, scales and dependencies (n, k, 3, h, w)."""
    logits, rest = parameters.split((COMPONENTS, 9 * COMPONENTS), dim=1)
    means, scales, slopes = rest.unflatten(1, (3, COMPONENTS, 3)).unbind(1)
    return logits, means, smallest + (scales - 2).exp(), slopes.tanh()


def _dependence(slopes, x):
    """What red adds to the mean of green, and red and green to that of blue."""
    red, green, _ = x.unbind(2)
    first, second, third = slopes.unbind(2)
    nothing = torch.zeros_like(first)
    return torch.stack([nothing, first * red, second * red + third * green], 2)


class HierarchicalVae(nn.Module):
    """Encoder and decoder that meet at every group of latents."""

    def __init__(self):
        super().__init__()
        self.encoder, self.decoder = BottomUp(), TopDown()

    def forward(self, x, *, active=RESOLUTIONS):
        """Parameters of the mixtures, and the KL of each image in nats."""
        return self.decoder(len(x), self.encoder(x), active=active)


class EfficientVdvae:
    """Efficient-VDVAE (Hazami et al. 2022): seven groups of latents, four resolutions.

    The groups join from the top down, one resolution at each fifth of the training, and
    the scales of the logistics are at first kept above `widest` grey levels, a bound
    that falls to one level over three fifths.  Otherwise the finer groups, which learn
    faster, encode each place by itself, and samples have no picture.  On one
    photograph, the groups at 1 and 4 pixels then hold nearly all that is known of an
    image: the KL of those at 8 and 16 pixels is close to zero, and what they could add
    is left to the noise of the mixture.

    Parameters
    ----------
    temperature : float
        Factor of the deviations of the priors in sampling.
    widest : float
    """

    def __init__(self, *, rate=2e-3, temperature=0.85, widest=16.0):
        self.generator = HierarchicalVae()
        self.networks = nn.ModuleDict({"vae": self.generator})
        self.optimisers = [torch.optim.Adam(self.generator.parameters(), rate)]
        self.temperature, self.widest = temperature, widest

    def step(self, x, progress=1.0):
        """One step on the evidence lower bound, reported in bits per dimension."""
        with autocast():
            parameters, kl = self.generator(x, active=1 + int(5 * progress))
        smallest = LEVEL * self.widest ** max(0.0, 1 - progress / 0.6)
        fit = self.generator.decoder.mixture.log_likelihood(
            parameters, x, smallest=smallest
        )
        error, kl = -fit.mean() / x[0].numel(), kl.mean() / x[0].numel()
        update(self.optimisers[0], error + kl, clip=1.0)
        return {"bits": (error + kl).item() / 0.6931, "kl_bits": kl.item() / 0.6931}

    def calibrate(self, average, batches):
        """There is no norm layer: nothing to do."""

    def sample(self, average, n):
        """One pass from the top, and the most probable components of the mixtures."""
        parameters, _ = average.decoder(n, temperature=self.temperature)
        return average.decoder.mixture(parameters)
