"""Generative adversarial networks of the zoo.

`width` is the number of channels next to the image; it doubles at each halving of the
resolution.
"""

import torch
from torch import nn
from torch.nn.functional import softplus
from torch.optim.swa_utils import update_bn

from .recipe import LATENT, autocast, latents, update


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
    """Strided 4x4 convolutions with leaky ReLU; one logit per image."""
    layers = [nn.Conv2d(3, width, 4, 2, 1), nn.LeakyReLU(0.2)]
    for a, b in ((width, 2 * width), (2 * width, 4 * width)):
        layers += [nn.Conv2d(a, b, 4, 2, 1, bias=False)]
        layers += [_normalisation(normalisation, b), nn.LeakyReLU(0.2)]
    layers += [nn.Conv2d(4 * width, 1, 4), nn.Flatten(0)]
    return _initialise(nn.Sequential(*layers))


def perceptron_generator(widths=(256, 256), latent=LATENT):
    """Fully connected layers with leaky ReLU, tanh (Goodfellow et al. 2014)."""
    layers = _dense(latent, *widths)
    layers += [nn.Linear(widths[-1], 3 * 32 * 32), nn.Unflatten(1, (3, 32, 32))]
    return nn.Sequential(*layers, nn.Tanh())


def perceptron_critic(widths=(256, 256)):
    """Fully connected layers with dropout, as in Goodfellow et al. (2014); one logit.

    A fifth of the pixels and half of the hidden units are dropped.  Without dropout the
    critic wins and every latent gives the same image.
    """
    layers = [nn.Flatten(), nn.Dropout(0.2)]
    layers += _dense(3 * 32 * 32, *widths, dropout=0.5)
    return nn.Sequential(*layers, nn.Linear(widths[-1], 1), nn.Flatten(0))


def _dense(*widths, dropout=0.0):
    layers = []
    for a, b in zip(widths, widths[1:], strict=False):
        layers += [nn.Linear(a, b), nn.LeakyReLU(0.2)]
        layers += [nn.Dropout(dropout)] if dropout else []
    return layers


def _normalisation(kind, channels):
    """Batch norm for the original critics, one-group norm under a gradient penalty."""
    if kind == "batch":
        return nn.BatchNorm2d(channels)
    return nn.GroupNorm(1, channels)


def _initialise(network):
    """N(0, 0.02) weights, as DCGAN prescribes; norms start at N(1, 0.02)."""
    for layer in network:
        if isinstance(layer, nn.Conv2d | nn.ConvTranspose2d):
            nn.init.normal_(layer.weight, 0.0, 0.02)
        elif isinstance(layer, nn.BatchNorm2d):
            nn.init.normal_(layer.weight, 1.0, 0.02)
    return network


class Gan:
    """Adversarial training of one pair of networks with a chosen loss and penalty.

    WGAN-gp penalises the critic's slope between real and generated images, DRAGAN
    (Kodali et al. 2017) next to real ones.  The Lipschitz penalty (Petzka et al. 2018)
    spares slopes below one.

    Parameters
    ----------
    loss : {"non_saturating", "least_squares", "hinge", "wasserstein"}
        Goodfellow et al. 2014, Mao et al. 2017, Lim & Ye 2017, Gulrajani et al. 2017.
    critic_steps : int
        Critic updates for one generator update.
    penalty : float
        Weight of the gradient penalty.
    around_real : bool
        Penalise next to real images instead of between real and generated ones.
    one_sided : bool
        Penalise only slopes above one.
    dense : bool
        Perceptrons instead of the shared DCGAN pair.
    networks : (generator, critic), optional
        A pair to train in place of these.
    """

    def __init__(
        self,
        *,
        loss,
        critic_steps=1,
        penalty=0.0,
        around_real=False,
        one_sided=False,
        dense=False,
        networks=None,
        rate=2e-4,
    ):
        self.loss, self.critic_steps, self.penalty = loss, critic_steps, penalty
        self.around_real, self.one_sided = around_real, one_sided
        self.generator, self.critic = networks or _pair(dense, penalty)
        self.networks = nn.ModuleDict({"g": self.generator, "d": self.critic})
        self.optimisers = [
            torch.optim.Adam(network.parameters(), rate, betas=(0.5, 0.999))
            for network in (self.generator, self.critic)
        ]

    def step(self, x, progress=1.0):
        """Update the critic `critic_steps` times on parts of x, then the generator."""
        for real in x.chunk(self.critic_steps):
            d_loss = self._critic_step(real)
        with autocast():
            scores = self.critic(self.generator(latents(len(real))))
        g_loss = self._generator_loss(scores.float())
        update(self.optimisers[0], g_loss)
        return {"critic": d_loss.item(), "generator": g_loss.item()}

    def _critic_step(self, real):
        with torch.no_grad(), autocast():
            fake = self.generator(latents(len(real)))
        fake = fake.float()
        with autocast():
            on_real, on_fake = self.critic(real), self.critic(fake)
        loss = self._critic_loss(on_real.float(), on_fake.float())
        if self.penalty:
            loss = loss + self.penalty * self._gradient_penalty(real, fake)
        update(self.optimisers[1], loss)
        return loss

    def _critic_loss(self, on_real, on_fake):
        if self.loss == "non_saturating":
            return softplus(-on_real).mean() + softplus(on_fake).mean()
        if self.loss == "least_squares":
            return (on_real - 1).square().mean() + on_fake.square().mean()
        if self.loss == "hinge":
            return (1 - on_real).relu().mean() + (1 + on_fake).relu().mean()
        return on_fake.mean() - on_real.mean()

    def _generator_loss(self, scores):
        if self.loss == "non_saturating":
            return softplus(-scores).mean()
        if self.loss == "least_squares":
            return (scores - 1).square().mean()
        return -scores.mean()

    def _gradient_penalty(self, real, fake):
        """(|gradient| - 1)^2 at random points between real and other images."""
        other = _perturbed(real) if self.around_real else fake
        mix = torch.rand(len(real), 1, 1, 1)
        x = (mix * real + (1 - mix) * other).requires_grad_(True)
        with autocast():
            score = self.critic(x).float().sum()
        (slope,) = torch.autograd.grad(score, x, create_graph=True)
        excess = slope.flatten(1).norm(dim=1) - 1
        return (excess.relu() if self.one_sided else excess).square().mean()

    def calibrate(self, average, batches):
        """Batch-norm statistics of the averaged generator, from fresh latents."""
        update_bn([latents(len(x)) for x in batches], average)

    def sample(self, average, n):
        """One forward pass."""
        return average(latents(n))


def _pair(dense, penalty):
    """The perceptrons, or the pair of the suite; a penalty forbids batch norm."""
    if dense:
        return perceptron_generator(), perceptron_critic()
    norm = "group" if penalty else "batch"
    return dcgan_generator(), dcgan_critic(normalisation=norm)


def _perturbed(real):
    """Real images plus noise from zero to half a standard deviation (DRAGAN)."""
    return real + 0.5 * real.std() * torch.rand_like(real)
