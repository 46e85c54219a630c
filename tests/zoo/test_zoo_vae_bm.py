"""VAE-BM: the Gaussian decoder, the energy, and what Langevin steps do with it."""

import pytest
import torch
from torch import nn
from torch.distributions import Normal

from manifpt_utils.zoo import vae_bm


@pytest.fixture(autouse=True)
def seed():
    torch.manual_seed(0)


def images(n=4):
    return torch.rand(n, 3, 32, 32) * 2 - 1


class Blank(nn.Module):
    """A decoder of uniform grey: pixels are nothing but their noise."""

    def decode(self, latents):
        return 0 * latents[0][:, :3]


class Toy(nn.Module):
    """An energy with a known density: half the squared distance of pixels from one."""

    def __init__(self):
        super().__init__()
        self.decoder = Blank()

    def energy(self, x):
        return 0.5 * (x - 1).square().flatten(1).sum(1)


def test_the_decoder_s_likelihood_is_normal_and_its_image_the_mean():
    mean, x = images(), images()
    output = vae_bm.GaussianMean(0.3)
    expected = Normal(mean, 0.3).log_prob(x).flatten(1).sum(1)
    torch.testing.assert_close(output.log_likelihood(mean, x), expected)
    assert torch.equal(output(mean), mean)


def test_the_energy_is_one_number_an_image_without_norm_or_constant():
    energy, x = vae_bm.Energy(), images()
    with torch.no_grad():
        together, alone = energy(x), energy(x[:1])
    assert together.shape == (4,)
    torch.testing.assert_close(together[:1], alone)
    norms = nn.modules.batchnorm._BatchNorm | nn.GroupNorm | nn.LayerNorm
    assert not any(isinstance(m, norms) for m in energy.modules())
    assert energy[-2].bias is None


def test_langevin_steps_reach_the_product_of_energy_and_normal_density():
    """With that energy and unit deviation, noise is N(1/2, 1/2) in the end."""
    recipe = vae_bm.VaeBm(deviation=1.0, langevin_steps=60, stride=0.1)
    start = [torch.randn(100, 3, 4, 4), torch.randn(100, 8, 4, 4)]
    pixels, latents = recipe._langevin(Toy(), [z.clone() for z in start])
    assert pixels.mean().item() == pytest.approx(0.5, abs=0.03)
    assert pixels.var().item() == pytest.approx(0.5, abs=0.05)
    assert latents.mean().item() == pytest.approx(0.0, abs=0.03)
    assert latents.var().item() == pytest.approx(1.0, abs=0.06)


def test_the_autoencoder_rests_while_the_energy_learns():
    recipe, x = vae_bm.VaeBm(langevin_steps=1), images()
    before = {k: p.clone() for k, p in recipe.generator.named_parameters()}

    def moved():
        now = recipe.generator.named_parameters()
        return {k.split(".")[0] for k, p in now if not torch.equal(p, before[k])}

    recipe.step(x, 0.9)
    assert moved() == {"energy"}
    recipe.step(x, 0.1)
    assert moved() == {"encoder", "decoder", "energy"}


def test_the_contrast_lowers_the_energy_of_real_images():
    recipe, x = vae_bm.VaeBm(langevin_steps=1, rate=8e-3), images(8)
    first = recipe.step(x, 0.9)["contrast"]
    for _ in range(3):
        last = recipe.step(x, 0.9)["contrast"]
    assert last < first - 0.05


def test_samples_come_in_chunks_and_all_of_them():
    recipe = vae_bm.VaeBm(langevin_steps=1)
    with pytest.MonkeyPatch.context() as patch, torch.no_grad():
        patch.setattr(vae_bm, "CHUNK", 2)
        assert recipe.sample(recipe.generator.eval(), 3).shape == (3, 3, 32, 32)
