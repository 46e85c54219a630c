"""Denoising and score-based models of the zoo."""

import torch
from torch import nn
from torch.nn.functional import mse_loss
from tqdm import tqdm

import manifpt_utils._support.torchvision  # noqa: F401  (diffusers needs it first)

from .recipe import autocast, update


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


class Ddpm:
    """Denoising diffusion (Ho et al. 2020) with the U-Net and scheduler of diffusers.

    The network predicts the velocity (Salimans & Ho 2022): the squared error of the
    noise, weighted by one plus the signal-to-noise ratio.  With the unweighted noise
    loss of the original, a training this short gives sharp images in wrong colours.
    There are 1,000 noise levels; the ancestral sampler uses `sampling_steps` of them.
    """

    def __init__(self, *, channels=(16, 32, 64), rate=6e-4, sampling_steps=50):
        from diffusers import DDPMScheduler

        self.generator = unet(channels)
        self.networks = nn.ModuleDict({"unet": self.generator})
        self.optimisers = [torch.optim.Adam(self.generator.parameters(), rate)]
        self.noise = DDPMScheduler(
            1000,
            prediction_type="v_prediction",
            timestep_spacing="trailing",
            clip_sample_range=1.5,
        )
        self.sampling_steps = sampling_steps

    def step(self, x, progress=1.0):
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
        update(self.optimisers[0], loss)
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
