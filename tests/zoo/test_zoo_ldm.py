"""Latent diffusion: the scale of features, the sampler, the two stages."""

import pytest
import torch
from torch import nn

from manifpt_utils.zoo import ldm


@pytest.fixture(scope="module")
def recipe():
    torch.manual_seed(0)
    return ldm.LatentDiffusion(codes=32)


class GaussianDenoiser(nn.Module):
    """The velocity of Gaussian features, each of one mean and deviation."""

    mean = 0.0

    def __init__(self, recipe, centre, deviation):
        super().__init__()
        self.kept = recipe.noise.alphas_cumprod
        self.centre, self.variance = centre, deviation**2

    def forward(self, x, level):
        kept = self.kept[level]
        alpha, sigma = kept.sqrt(), (1 - kept).sqrt()
        gain = alpha * self.variance / (kept * self.variance + 1 - kept)
        features = self.centre + gain * (x - alpha * self.centre)
        noise = (x - alpha * features) / sigma
        return alpha * noise - sigma * features


class Echo:
    """Returns features as images."""

    def __init__(self, denoiser):
        self.denoiser = denoiser

    def __call__(self, scaled):
        return scaled


def test_with_the_true_velocity_the_sampler_draws_the_true_features(recipe):
    """A first-order sampler draws too narrowly, the less the more steps it takes."""
    average, spreads = Echo(GaussianDenoiser(recipe, 0.3, ldm.SPREAD)), []
    for recipe.sampling_steps in (200, 50):
        torch.manual_seed(0)
        x = recipe.sample(average, 200)
        assert x.shape == (200, 3, 8, 8) and abs(x.mean() - 0.3) < 0.01
        spreads.append((x.std() / ldm.SPREAD).item())
    assert 1.01 > spreads[0] > 0.97 > spreads[1] > 0.92


def test_the_sampler_adds_no_noise_of_its_own(recipe):
    average, drawn = Echo(GaussianDenoiser(recipe, 0.0, 0.5)), []
    for rest in (1, 2):
        torch.manual_seed(0)
        start = torch.get_rng_state()
        x = recipe.sample(average, 2)
        torch.set_rng_state(start)
        torch.randn(2, 3, 8, 8)
        drawn.append((x, torch.rand(rest)))
    torch.manual_seed(0)
    recipe.sample(average, 2)
    assert torch.equal(drawn[0][0], drawn[1][0])
    assert torch.equal(torch.rand(1), drawn[0][1])


def test_features_are_centred_and_scaled_as_the_first_batch_says():
    torch.manual_seed(0)
    model = ldm.LatentModel(None, None, None)
    features = 7 * torch.randn(50, 3, 8, 8) + torch.tensor([1.0, 2, 3])[:, None, None]
    scaled = model.scaled(features)
    torch.testing.assert_close(scaled.std(), torch.tensor(ldm.SPREAD))
    assert scaled.mean((0, 2, 3)).abs().max() < 1e-5
    again = model.scaled(features + model.deviation)
    torch.testing.assert_close(again, scaled + ldm.SPREAD)


def test_drawn_features_are_scaled_back_and_quantised_before_they_are_decoded(recipe):
    torch.manual_seed(0)
    book = recipe.first.codebook
    model = ldm.LatentModel(None, book, nn.Identity())
    codes = torch.randint(32, (2, 8, 8))
    found = model(model.scaled(book(codes) + 1e-3))
    torch.testing.assert_close(found, book(codes))


def test_averaging_with_unmeasured_features_is_undone(recipe):
    average = ldm.LatentModel(None, None, None)
    recipe.generator.scaled(torch.randn(4, 3, 8, 8))
    recipe.calibrate(average, [])
    assert average.deviation == recipe.generator.deviation != 1
    assert torch.equal(average.centre, recipe.generator.centre)


def test_each_stage_trains_its_own_networks():
    torch.manual_seed(0)
    recipe, x = ldm.LatentDiffusion(codes=32), torch.rand(4, 3, 32, 32) - 0.5
    stages = {
        "first": list(recipe.optimisers[0].param_groups[0]["params"]),
        "second": list(recipe.generator.denoiser.parameters()),
    }
    for progress, moving, still in ((0.1, "first", "second"), (0.9, "second", "first")):
        before = {name: [p.clone() for p in stages[name]] for name in stages}
        recipe.step(x, progress)
        assert all(map(torch.equal, before[still], stages[still]))
        assert not any(map(torch.equal, before[moving], stages[moving]))
