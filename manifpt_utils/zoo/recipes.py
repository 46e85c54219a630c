"""Recipes: what a generator optimises and how it samples, apart from the training loop.

A recipe owns its networks and optimisers and offers

* `generator` : the network whose averaged weights are shipped,
* `step(x)` : one optimisation step on a batch, returns the losses by name,
* `calibrate(average, batches)` : recompute batch-norm statistics of averaged weights,
* `sample(average, n)` : images in [-1, 1] from the averaged weights.

Images are (n, 3, 32, 32) float tensors in [-1, 1].
"""

import warnings

import torch
from torch import nn
from torch.nn.functional import mse_loss, softplus
from torch.optim.swa_utils import update_bn
from tqdm import tqdm

from . import networks


def autocast():
    """Bfloat16 where the processor or GPU has it: twice as fast, same float range."""
    return torch.autocast("cpu", dtype=torch.bfloat16)


class Gan:
    """Adversarial training of the shared DCGAN pair with a chosen loss.

    Parameters
    ----------
    loss : {"non_saturating", "least_squares", "wasserstein"}
        Goodfellow et al. 2014, Mao et al. 2017, Gulrajani et al. 2017.
    critic_steps : int
        Critic updates for one generator update.
    penalty : float
        Weight of the gradient penalty on the line between real and generated.
    """

    def __init__(self, *, loss, critic_steps=1, penalty=0.0, rate=2e-4):
        self.loss, self.critic_steps, self.penalty = loss, critic_steps, penalty
        self.generator = networks.dcgan_generator()
        norm = "group" if penalty else "batch"
        self.critic = networks.dcgan_critic(normalisation=norm)
        self.networks = nn.ModuleDict({"g": self.generator, "d": self.critic})
        self.optimisers = [
            torch.optim.Adam(network.parameters(), rate, betas=(0.5, 0.999))
            for network in (self.generator, self.critic)
        ]

    def step(self, x):
        """Update the critic `critic_steps` times on parts of x, then the generator."""
        for real in x.chunk(self.critic_steps):
            d_loss = self._critic_step(real)
        with autocast():
            scores = self.critic(self.generator(_latents(len(real))))
        g_loss = self._generator_loss(scores.float())
        _update(self.optimisers[0], g_loss)
        return {"critic": d_loss.item(), "generator": g_loss.item()}

    def _critic_step(self, real):
        with torch.no_grad(), autocast():
            fake = self.generator(_latents(len(real)))
        fake = fake.float()
        with autocast():
            on_real, on_fake = self.critic(real), self.critic(fake)
        loss = self._critic_loss(on_real.float(), on_fake.float())
        if self.penalty:
            loss = loss + self.penalty * self._gradient_penalty(real, fake)
        _update(self.optimisers[1], loss)
        return loss

    def _critic_loss(self, on_real, on_fake):
        if self.loss == "non_saturating":
            return softplus(-on_real).mean() + softplus(on_fake).mean()
        if self.loss == "least_squares":
            return (on_real - 1).square().mean() + on_fake.square().mean()
        return on_fake.mean() - on_real.mean()

    def _generator_loss(self, scores):
        if self.loss == "non_saturating":
            return softplus(-scores).mean()
        if self.loss == "least_squares":
            return (scores - 1).square().mean()
        return -scores.mean()

    def _gradient_penalty(self, real, fake):
        """(|gradient| - 1)^2 at random points between real and generated images."""
        mix = torch.rand(len(real), 1, 1, 1)
        x = (mix * real + (1 - mix) * fake).requires_grad_(True)
        with autocast():
            score = self.critic(x).float().sum()
        (slope,) = torch.autograd.grad(score, x, create_graph=True)
        return (slope.flatten(1).norm(dim=1) - 1).square().mean()

    def calibrate(self, average, batches):
        """Batch-norm statistics of the averaged generator, from fresh latents."""
        update_bn([_latents(len(x)) for x in batches], average)

    def sample(self, average, n):
        """One forward pass."""
        return average(_latents(n))


class BetaVae:
    """Beta-VAE (Higgins et al. 2017): squared error plus beta times the KL term.

    Sampling decodes z ~ N(0, I), as published; `beta` weighs the KL against the
    squared error summed over the image.
    """

    def __init__(self, *, beta=8.0, rate=1e-3):
        self.beta = beta
        self.generator = networks.VariationalAutoencoder()
        self.networks = nn.ModuleDict({"vae": self.generator})
        self.optimisers = [torch.optim.Adam(self.generator.parameters(), rate)]

    def step(self, x):
        """One step on the evidence lower bound."""
        with autocast():
            decoded, mean, log_variance = self.generator(x)
        mean, log_variance = mean.float(), log_variance.float()
        error = (decoded.float() - x).square().flatten(1).sum(1).mean()
        kl = mean.square() + log_variance.exp() - 1 - log_variance
        kl = 0.5 * kl.sum(1).mean()
        _update(self.optimisers[0], (error + self.beta * kl) / x[0].numel())
        return {"squared_error": error.item(), "kl": kl.item()}

    def calibrate(self, average, batches):
        """Batch-norm statistics of the averaged network, from real images."""
        update_bn(batches, average)

    def sample(self, average, n):
        """Decode latents drawn from the prior."""
        return average.decoder(_latents(n))


class Ddpm:
    """Denoising diffusion (Ho et al. 2020) with the U-Net and scheduler of diffusers.

    The network predicts the velocity (Salimans & Ho 2022): the squared error of the
    noise, weighted by one plus the signal-to-noise ratio.  With the unweighted noise
    loss of the original, a training this short gives sharp images in wrong colours.
    1,000 noise levels; the ancestral sampler uses `sampling_steps` of them.
    """

    def __init__(self, *, channels=(16, 32, 64), rate=6e-4, sampling_steps=50):
        from diffusers import DDPMScheduler

        self.generator = networks.unet(channels)
        self.networks = nn.ModuleDict({"unet": self.generator})
        self.optimisers = [torch.optim.Adam(self.generator.parameters(), rate)]
        self.noise = DDPMScheduler(
            1000,
            prediction_type="v_prediction",
            timestep_spacing="trailing",
            clip_sample_range=1.5,
        )
        self.sampling_steps = sampling_steps

    def step(self, x):
        """Predict the velocity at random levels."""
        self.generator.set_mean(x)
        x = x - self.generator.mean
        level = torch.randint(0, len(self.noise.betas), (len(x),))
        noise = torch.randn_like(x)
        noisy = self.noise.add_noise(x, noise, level)
        with autocast():
            predicted = self.generator(noisy, level)
        velocity = self.noise.get_velocity(x, noise, level)
        loss = mse_loss(predicted.float(), velocity)
        _update(self.optimisers[0], loss)
        return {"velocity_error": loss.item()}

    def calibrate(self, average, batches):
        """Group norm keeps no statistics: nothing to do."""

    def sample(self, average, n):
        """Ancestral sampling from pure noise."""
        self.noise.set_timesteps(self.sampling_steps)
        x = torch.randn(n, 3, 32, 32)
        for level in tqdm(self.noise.timesteps, desc="denoise", leave=False):
            x = self.noise.step(average(x, level), level, x).prev_sample
        return x + average.mean


class Glow:
    """Glow (Kingma & Dhariwal 2018) with the multi-scale flow of normflows.

    Exact likelihood of uniformly dequantised 8-bit images; sampled at `temperature`.
    """

    def __init__(self, *, rate=1e-3, temperature=0.6):
        self.generator = networks.glow()
        self.networks = nn.ModuleDict({"flow": self.generator})
        self.optimisers = [torch.optim.Adam(self.generator.parameters(), rate)]
        self.temperature = temperature

    def step(self, x):
        """One step on the negative log likelihood, reported in bits a dimension."""
        dequantised = (x * 127.5 + 127.5 + torch.rand_like(x)) / 256 - 0.5
        loss = self.generator.forward_kld(dequantised) / x[0].numel()
        _update(self.optimisers[0], loss, clip=1.0)
        return {"bits": loss.item() / 0.6931 + 8}

    def calibrate(self, average, batches):
        """Actnorm is set once, on the first batch: nothing to do."""

    def sample(self, average, n):
        """Invert the flow on latents drawn at the temperature."""
        average.set_temperature(self.temperature)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)
            images, _ = average.sample(n)
        average.set_temperature(None)
        # Level v was spread over v to v + 1; its middle is what rounding must meet.
        return ((images + 0.5) * 256 - 0.5) / 127.5 - 1


def _latents(n):
    return torch.randn(n, networks.LATENT)


def _update(optimiser, loss, *, clip=None):
    optimiser.zero_grad(set_to_none=True)
    loss.backward()
    if clip:
        parameters = [p for group in optimiser.param_groups for p in group["params"]]
        nn.utils.clip_grad_norm_(parameters, clip)
    optimiser.step()
