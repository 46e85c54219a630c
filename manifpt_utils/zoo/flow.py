"""Normalising flows of the zoo, from the parts of normflows (Stimper et al. 2023)."""

import warnings

import torch
from torch import nn

from .._support.random_state import forked_random_state
from .recipe import autocast, update

DEPTH = (8, 4, 2)  # blocks at 4 x 4, 8 x 8 and 16 x 16 pixels
HIDDEN = (144, 96, 64)  # channels inside their coupling networks
BITS = 5


def multiscale(block, depth=DEPTH, hidden=HIDDEN):
    """Three levels of blocks; between them, half of the channels is split off.

    Most blocks work at 4 x 4, where a 3 x 3 filter sees nearly the whole image.  What
    is split off has a prior that depends on the half that is kept, as in the code of
    the Glow and MaCow papers; it is one more coupling, next to the split.

    Parameters
    ----------
    block : callable
        Builds one block from its channels and the channels inside its networks.
    depth, hidden : sequences of int
        Blocks, and channels inside their networks, from 4 x 4 pixels up.
    """
    import normflows as nf

    levels, bases = [], []
    for i, (n, width) in enumerate(zip(depth, hidden, strict=True)):
        channels = 48 // 2**i
        prior = [_conditional_prior(channels, width)] if i else []
        blocks = [block(channels, width) for _ in range(n)]
        levels.append([*prior, *blocks, nf.flows.Squeeze()])
        side = 4 * 2**i
        kept = channels // 2 if i else channels
        bases.append(nf.distributions.DiagGaussian((kept, side, side)))
    merges = [nf.flows.Merge() for _ in levels[1:]]
    return nf.MultiscaleFlow(bases, levels, merges, class_cond=False)


def glow_step(channels, width):
    """Actnorm, 1x1 convolution, affine coupling."""
    import normflows as nf

    return nf.flows.GlowBlock(channels, width, split_mode="channel", scale_map="exp")


def _conditional_prior(channels, width):
    import normflows as nf

    half = channels // 2
    moments = nf.nets.ConvNet2d(
        (half, width, width, channels), (3, 1, 3), init_zeros=True
    )
    return nf.flows.AffineCouplingBlock(moments, scale_map="exp", split_mode="channel")


class Likelihood:
    """Exact likelihood of uniformly dequantised images.

    Images have 5 bits per channel, as the papers use for faces, and are sampled at
    `temperature`.  The dequantisation noise starts `widest` times as wide as a level
    and narrows to one level over the first 60 % of the training: wide noise hides
    everything but the coarse picture, which is thereby learned first.  With narrow
    noise from the start, the same number of steps gives texture without a picture.
    """

    def __init__(self, network, *, rate=3e-3, temperature=0.7, widest=8.0):
        self.generator = network
        self.networks = nn.ModuleDict({"flow": self.generator})
        self.optimisers = [
            torch.optim.Adam(self.generator.parameters(), rate, betas=(0.9, 0.99))
        ]
        self.temperature, self.widest = temperature, widest
        self.initialised = False

    def step(self, x, progress=1.0):
        """One step on the negative log likelihood, in bits per dimension."""
        x = dequantise(x, self.widest ** max(0.0, 1 - progress / 0.6))
        self._initialise(x)
        with autocast():
            loss = self.generator.forward_kld(x) / x[0].numel()
        update(self.optimisers[0], loss, clip=1.0)
        return {"bits": loss.item() / 0.6931 + BITS}

    def _initialise(self, x):
        """Give actnorm its first batch in full precision, because it keeps the type.

        A resumed training does this again, which must not use any random numbers.
        """
        if not self.initialised:
            with torch.no_grad(), forked_random_state():
                self.generator.forward_kld(x)
        self.initialised = True

    def calibrate(self, average, batches):
        """Actnorm is set once, on the first batch: nothing to do."""

    def sample(self, average, n):
        """Invert the flow on latents drawn at the temperature."""
        average.set_temperature(self.temperature)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)
            images, _ = average.sample(n)
        average.set_temperature(None)
        return ((images + 0.5) * 256 - 0.5) / 127.5 - 1


class Glow(Likelihood):
    """Glow (Kingma & Dhariwal 2018): actnorm, 1x1 convolution, coupling, split."""

    def __init__(self, **options):
        super().__init__(multiscale(glow_step), **options)


def dequantise(x, width=1.0):
    """Reduce images in [-1, 1] to `BITS` bits, add uniform noise `width` levels wide.

    The result lies in [-0.5, 0.5] for a width of 1; wider noise is centred alike.
    """
    levels = 2**BITS
    quantised = ((x * 127.5 + 127.5) * levels / 256 + 1e-4).floor()
    noise = (torch.rand_like(x) - 0.5) * width + 0.5
    return (quantised + noise) / levels - 0.5
