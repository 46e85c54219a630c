"""VQ-GAN of the zoo (Esser, Rombach & Ommer 2021): codes, and a prior over them.

The first stage, `Autoencoding`, is also that of latent diffusion.
"""

import math

import torch
from torch import nn
from torch.nn.functional import cross_entropy, normalize

import manifpt_utils._support.torchvision  # noqa: F401  (diffusers needs it first)

from .recipe import autocast, update
from .vae import frozen_features

FACTOR = 4  # of the resolution, from images to codes
SIDE = 32 // FACTOR
PLACES = SIDE**2
WIDTHS = (24, 48, 64)
COMMITMENT = 0.25


def encoder(channels):
    """Residual blocks with group norm and SiLU, strided convolutions, attention."""
    from diffusers.models.autoencoders.vae import Encoder

    return Encoder(
        3,
        channels,
        down_block_types=("DownEncoderBlock2D",) * len(WIDTHS),
        block_out_channels=WIDTHS,
        layers_per_block=1,
        norm_num_groups=8,
        double_z=False,
    )


def decoder(channels):
    """The mirror image: nearest neighbours and a convolution double the resolution."""
    from diffusers.models.autoencoders.vae import Decoder

    return Decoder(
        channels,
        3,
        up_block_types=("UpDecoderBlock2D",) * len(WIDTHS),
        block_out_channels=WIDTHS,
        layers_per_block=1,
        norm_num_groups=8,
    )


def patch_critic(width=24):
    """One logit for each patch of 16 x 16 pixels, as of pix2pix (Isola et al. 2017)."""
    return nn.Sequential(
        nn.Conv2d(3, width, 4, 2, 1),
        nn.LeakyReLU(0.2),
        nn.Conv2d(width, 2 * width, 4, 1, 1, bias=False),
        nn.BatchNorm2d(2 * width),
        nn.LeakyReLU(0.2),
        nn.Conv2d(2 * width, 1, 4, 1, 1, bias=False),
    )


class Codebook(nn.Module):
    """A table of vectors: from codes (n, h, w) to features (n, channels, h, w)."""

    def __init__(self, size, channels):
        super().__init__()
        self.vectors = nn.Parameter(torch.randn(size, channels))

    def forward(self, codes):
        return self.vectors[codes].permute(0, 3, 1, 2)

    def nearest(self, features):
        """The codes (n, h, w) of the vectors next to the features."""
        flat = features.float().permute(0, 2, 3, 1)
        distance = self.vectors.square().sum(1) - 2 * flat @ self.vectors.T
        return distance.argmin(-1)

    @torch.no_grad()
    def start_from(self, features):
        """Move the vectors to features drawn at random, so that all get used."""
        flat = features.float().permute(0, 2, 3, 1).flatten(0, 2)
        self.vectors.copy_(flat[torch.randint(len(flat), (len(self.vectors),))])

    def quantise(self, features):
        """The nearest vectors, whose gradient is passed on as it is, and the loss."""
        vectors = self(self.nearest(features.detach()))
        loss = (vectors - features.detach()).square().mean()
        loss = loss + COMMITMENT * (vectors.detach() - features).square().mean()
        return features + (vectors - features).detach(), loss


class FeatureDistance:
    """LPIPS (Zhang et al. 2018) without its learnt weights, on `vae.frozen_features`.

    They stand in for those of VGG16, which would need a download.
    """

    def __init__(self):
        self.features = frozen_features()

    def __call__(self, a, b):
        with autocast():
            pairs = list(zip(self.features(a), self.features(b), strict=True))
        return sum(_direction_error(p.float(), q.float()) for p, q in pairs)


def _direction_error(p, q):
    return (normalize(p) - normalize(q)).square().sum(1).mean()


class Autoencoding:
    """Training of a quantised autoencoder with a perceptual and an adversarial loss.

    The loss is the sum of the absolute error, `perceptual` times the distance of
    features, the two terms of the codebook, and the hinge loss of a critic of patches.
    The weight of the latter makes its gradient at the last layer `adversarial` times
    that of the reconstruction.  The
    critic joins after a quarter of the training; the rate falls to zero in the second
    half.
    """

    def __init__(self, *, codes, channels, rate, perceptual=0.2, adversarial=0.5):
        self.encoder, self.decoder = encoder(channels), decoder(channels)
        self.codebook, self.critic = Codebook(codes, channels), patch_critic()
        self.distance = FeatureDistance()
        self.perceptual, self.adversarial = perceptual, adversarial
        self.rate, trained = rate, (self.encoder, self.codebook, self.decoder)
        self.optimisers = [
            torch.optim.Adam(
                [p for m in part for p in m.parameters()], betas=(0.5, 0.9)
            )
            for part in (trained, (self.critic,))
        ]

    def step(self, x, progress):
        """Update the autoencoder, then the critic."""
        for optimiser in self.optimisers:
            set_rate(optimiser, self.rate, progress)
        decoded, code_loss = self._autoencode(x, starting=progress == 0)
        fit = (decoded - x).abs().mean() + self.perceptual * self.distance(decoded, x)
        loss = fit + code_loss
        if progress >= 0.25:
            with autocast():
                fooling = -self.critic(decoded).float().mean()
            loss = loss + self._balance(fit, fooling) * fooling
        update(self.optimisers[0], loss)
        losses = {"fit": fit.item(), "codebook": code_loss.item()}
        if progress >= 0.25:
            losses["critic"] = self._critic_step(x, decoded.detach()).item()
        return losses

    def _autoencode(self, x, *, starting=False):
        with autocast():
            features = self.encoder(x).float()
        if starting:
            self.codebook.start_from(features)
        vectors, loss = self.codebook.quantise(features)
        with autocast():
            return self.decoder(vectors).float(), loss

    def _balance(self, fit, fooling):
        weight = self.decoder.conv_out.weight
        slopes = [
            torch.autograd.grad(loss, weight, retain_graph=True)[0].norm()
            for loss in (fit, fooling)
        ]
        return self.adversarial * slopes[0] / (slopes[1] + 1e-4)

    def _critic_step(self, real, fake):
        with autocast():
            on_real, on_fake = self.critic(real).float(), self.critic(fake).float()
        loss = ((1 - on_real).relu().mean() + (1 + on_fake).relu().mean()) / 2
        update(self.optimisers[1], loss)
        return loss

    @torch.no_grad()
    def encode(self, x):
        """The features of images before they are quantised: (n, channels, h, w)."""
        with autocast():
            return self.encoder(x).float()


def set_rate(optimiser, rate, progress):
    """The rate, constant for half of a stage and then falling to zero."""
    for group in optimiser.param_groups:
        group["lr"] = rate * min(1.0, 2 * (1 - progress))


class Attention(nn.Module):
    """Each place attends to those before it.

    In generation, places come one by one, and `past` holds the keys and values of all
    before.
    """

    def __init__(self, width, heads):
        super().__init__()
        self.heads = heads
        self.inputs, self.output = nn.Linear(width, 3 * width), nn.Linear(width, width)

    def forward(self, x, past=None):
        parts = self.inputs(x).unflatten(2, (3, self.heads, -1))
        q, k, v = parts.permute(2, 0, 3, 1, 4)
        if past is not None:
            k, v = past.extend(k, v)
        scores = q @ k.transpose(2, 3) / math.sqrt(q.shape[-1])
        if past is None:
            later = torch.ones_like(scores[0, 0], dtype=torch.bool).triu(1)
            scores = scores.masked_fill(later, -math.inf)
        y = scores.softmax(3).to(v.dtype) @ v
        return self.output(y.transpose(1, 2).flatten(2))


class Past:
    """Keys and values of the places seen so far by one attention layer."""

    def __init__(self):
        self.pairs = None

    def extend(self, *new):
        """Append keys and values (n, heads, places, channels); return all."""
        if self.pairs is not None:
            new = [torch.cat(pair, 2) for pair in zip(self.pairs, new, strict=True)]
        self.pairs = new
        return new


class Layer(nn.Module):
    """Attention and a perceptron, each after a layer norm and beside a skip."""

    def __init__(self, width, heads):
        super().__init__()
        self.norms = nn.ModuleList(nn.LayerNorm(width) for _ in range(2))
        self.attention = Attention(width, heads)
        self.perceptron = nn.Sequential(
            nn.Linear(width, 4 * width), nn.GELU(), nn.Linear(4 * width, width)
        )

    def forward(self, x, past=None):
        x = x + self.attention(self.norms[0](x), past)
        return x + self.perceptron(self.norms[1](x))


class Transformer(nn.Module):
    """A small GPT over the codes of an image, row by row (Radford et al. 2019)."""

    def __init__(self, codes, *, width=96, heads=4, depth=3):
        super().__init__()
        self.start = codes  # what comes before the first code
        self.tokens = nn.Embedding(codes + 1, width)
        self.places = nn.Parameter(torch.zeros(PLACES, width))
        self.layers = nn.ModuleList(Layer(width, heads) for _ in range(depth))
        self.last = nn.Sequential(nn.LayerNorm(width), nn.Linear(width, codes))
        nn.init.normal_(self.tokens.weight, std=1 / math.sqrt(width))

    def forward(self, before, *, first=0, pasts=None):
        """Logits (n, k, codes) of what follows k codes (n, k), from a place on."""
        x = self.tokens(before) + self.places[first : first + before.shape[1]]
        for layer, past in zip(
            self.layers, pasts or [None] * len(self.layers), strict=True
        ):
            x = layer(x, past)
        return self.last(x)

    def loss(self, codes):
        """Cross entropy of codes (n, PLACES), in nats per code."""
        logits = self(nn.functional.pad(codes[:, :-1], (1, 0), value=self.start))
        return cross_entropy(logits.float().flatten(0, 1), codes.flatten())

    def draw(self, n):
        """Codes (n, PLACES), one place after the other."""
        pasts, code = [Past() for _ in self.layers], torch.full((n, 1), self.start)
        codes = []
        for place in range(PLACES):
            logits = self(code, first=place, pasts=pasts)[:, -1]
            code = torch.multinomial(logits.softmax(1), 1)
            codes.append(code)
        return torch.cat(codes, 1)


class CodeModel(nn.Module):
    """The parts that draw images: the prior, the codebook, the decoder."""

    def __init__(self, codebook, decoder, prior):
        super().__init__()
        self.prior, self.codebook, self.decoder = prior, codebook, decoder

    def forward(self, codes):
        """Decode codes (n, PLACES)."""
        return self.decoder(self.codebook(codes.unflatten(1, (SIDE, SIDE))))


class VqGan:
    """A quantised autoencoder, then a transformer over its codes.

    In the second stage, the first one is not trained, so that the average of its
    weights, which decodes, catches up with the weights whose codes the transformer
    learns. Codes are drawn from the full distribution of the transformer, at
    temperature one.

    Parameters
    ----------
    codes : int
        Size of the codebook.
    channels : int
        Size of its vectors.
    split : float
        Share of the steps that the first stage gets.
    """

    def __init__(self, *, codes=128, channels=16, split=0.35, rates=(1e-3, 1e-3)):
        self.first = Autoencoding(codes=codes, channels=channels, rate=rates[0])
        prior = Transformer(codes)
        self.generator = CodeModel(self.first.codebook, self.first.decoder, prior)
        self.networks = nn.ModuleDict(
            {"g": self.generator, "e": self.first.encoder, "d": self.first.critic}
        )
        second = torch.optim.Adam(prior.parameters(), betas=(0.9, 0.95))
        self.optimisers = [*self.first.optimisers, second]
        self.split, self.rate = split, rates[1]

    def step(self, x, progress=1.0):
        """One step of the stage that `progress` falls in."""
        if progress < self.split:
            return self.first.step(x, progress / self.split)
        set_rate(
            self.optimisers[2], self.rate, (progress - self.split) / (1 - self.split)
        )
        codes = self.first.codebook.nearest(self.first.encode(x)).flatten(1)
        with autocast():
            loss = self.generator.prior.loss(codes)
        update(self.optimisers[2], loss, clip=1.0)
        return {"cross_entropy": loss.item()}

    def calibrate(self, average, batches):
        """What draws images has no batch norm: nothing to do."""

    def sample(self, average, n):
        """Draw codes from the prior and decode them."""
        return average(average.prior.draw(n))
