"""LSGM: the diffusion of latents, mixed prediction, and the flow that samples them."""

import pytest
import torch
from torch import nn

from manifpt_utils.zoo import lsgm


@pytest.fixture(autouse=True)
def seed():
    torch.manual_seed(0)


def images(n=4):
    return torch.rand(n, 3, 32, 32) * 2 - 1


class Gaussian(nn.Module):
    """The exact noise in latents N(mean, spread^2)."""

    def __init__(self, mean, spread):
        super().__init__()
        self.mean, self.spread = mean, spread

    def forward(self, z, time):
        factor, deviation = lsgm.diffusion(time)
        variance = (factor * self.spread) ** 2 + deviation**2
        return deviation * (z - factor * self.mean) / variance


def test_the_diffusion_keeps_the_variance_and_ends_in_noise():
    time = torch.linspace(0, 1, 11)
    factor, deviation = lsgm.diffusion(time)
    torch.testing.assert_close(factor**2 + deviation**2, torch.ones(11))
    assert factor[0] == 1 and factor[-1] < 0.01
    assert (factor.diff() < 0).all()


def test_the_rate_of_the_diffusion_grows_linearly():
    time = torch.linspace(0.1, 0.9, 5, requires_grad=True)
    (slope,) = torch.autograd.grad(lsgm.diffusion(time)[0].log().sum(), time)
    rate = lsgm.SLOWEST + time * (lsgm.FASTEST - lsgm.SLOWEST)
    torch.testing.assert_close(-2 * slope, rate)


def test_without_a_share_of_the_network_latents_are_taken_for_normal():
    prior, normal = lsgm.LatentScore(), Gaussian(0.0, 1.0)
    z, time = torch.randn(5, lsgm.LATENT, 4, 4), torch.rand(5, 1, 1, 1)
    found = []
    with torch.no_grad():
        for share in (-50.0, 0.0, 50.0):
            prior.share.fill_(share)
            found.append(prior(z, time) - normal(z, time))
    torch.testing.assert_close(found[0], torch.zeros_like(z))
    torch.testing.assert_close(2 * found[1], found[2])
    assert found[2].abs().mean() > 0.01


def test_the_error_is_that_of_the_velocity():
    """Of zero latents, it is the mean square of the predicted minus the true one."""
    recipe, z = lsgm.Lsgm(), torch.zeros(400, 2, 4, 4)
    recipe.generator.prior = Gaussian(0.0, 1.0)
    times = torch.linspace(lsgm.EARLIEST, 1, 1000)
    expected = lsgm.diffusion(times)[0].square().mean()  # velocity: factor times noise
    found = recipe._velocity_error(z)
    torch.testing.assert_close(found, expected, rtol=0.1, atol=0)


def test_the_flow_carries_noise_to_the_latents_of_the_score():
    recipe = lsgm.Lsgm(sampling_steps=100)
    z = recipe._flow(Gaussian(0.7, 0.4), torch.randn(500, 2, 4, 4))
    assert z.mean().item() == pytest.approx(0.7, abs=0.02)
    assert z.std().item() == pytest.approx(0.4, abs=0.03)


def test_latents_decode_as_they_are_inferred():
    network = lsgm.ScoreVae().eval()
    with torch.no_grad():
        parameters, kl, z = network(images())
        torch.testing.assert_close(network.decoder.decode([z]), parameters)
    assert z.shape == (4, lsgm.LATENT, 4, 4) and kl.shape == (4,)


def test_the_score_learns_from_latents_and_does_not_move_them():
    recipe = lsgm.Lsgm()
    recipe._velocity_error(torch.randn(4, lsgm.LATENT, 4, 4)).backward()
    touched = {
        name.split(".")[0]
        for name, p in recipe.generator.named_parameters()
        if p.grad is not None
    }
    assert touched == {"prior"}
    first, second = ({id(p) for g in o.param_groups for p in g["params"]}
                     for o in recipe.optimisers)  # fmt: skip
    assert not first & second
    assert len(first | second) == len(list(recipe.generator.parameters()))
