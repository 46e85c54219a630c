"""The denoising diffusion GAN: its forward process, its penalty, its modulation."""

import pytest
import torch
from torch import nn

from manifpt_utils.zoo import ddgan


def times(t, n):
    return torch.full((n,), t)


def test_hardly_anything_of_the_image_is_left_at_the_last_time():
    kept = ddgan.Diffusion().kept.flatten()
    assert kept[0] == 1 and kept[-1] < 1e-4
    assert (kept.diff() < 0).all()


@pytest.mark.parametrize("t", range(1, ddgan.TIMES + 1))
def test_noisy_pairs_have_the_variances_of_the_process(t):
    torch.manual_seed(0)
    process, x = ddgan.Diffusion(), torch.full((40, 3, 32, 32), 0.5)
    before, after = process.pair(x, times(t, 40))
    for noisy, kept in ((before, process.kept[t - 1]), (after, process.kept[t])):
        assert abs(noisy.mean() - 0.5 * kept.sqrt()) < 0.01
        assert abs(noisy.std() - (1 - kept).sqrt()) < 0.01
    shared = ((before - before.mean()) * (after - after.mean())).mean()
    expected = (process.kept[t] / process.kept[t - 1]).sqrt() * before.var()
    assert abs(shared - expected) < 0.01


@pytest.mark.parametrize("t", range(1, ddgan.TIMES + 1))
def test_the_posterior_of_the_true_image_gives_the_pairs_of_the_process(t):
    """Going back from x_t with the true image, x_(t-1) is as before: same moments."""
    torch.manual_seed(0)
    process, x = ddgan.Diffusion(), torch.full((40, 3, 32, 32), 0.5)
    before, after = process.pair(x, times(t, 40))
    back = process.posterior(x, after, times(t, 40))
    torch.testing.assert_close(back.mean(), before.mean(), atol=0.01, rtol=0)
    torch.testing.assert_close(back.std(), before.std(), atol=0.01, rtol=0)
    covariances = [
        ((y - y.mean()) * (after - after.mean())).mean() for y in (back, before)
    ]
    torch.testing.assert_close(*covariances, atol=0.01, rtol=0)


def test_the_first_time_returns_the_guess_itself():
    process, x = ddgan.Diffusion(), torch.rand(4, 3, 8, 8)
    back = process.posterior(x, torch.randn_like(x), times(1, 4))
    torch.testing.assert_close(back, x)


class Oracle(nn.Module):
    """Always guesses the same image."""

    def forward(self, noisy, t, z):
        assert len(noisy) == len(t) == len(z)
        return torch.full_like(noisy, 0.25)


def test_with_a_sure_guess_the_sampler_ends_there():
    torch.manual_seed(0)
    x = ddgan.DenoisingDiffusionGan().sample(Oracle(), 5)
    torch.testing.assert_close(x, torch.full((5, 3, 32, 32), 0.25))


def test_modulated_group_norm_starts_near_group_norm_and_follows_the_latent():
    torch.manual_seed(0)
    norm, x = ddgan.ModulatedNorm(8), torch.randn(3, 8, 6, 6)
    plain = nn.functional.group_norm(x, 2)
    torch.testing.assert_close(norm(x, torch.zeros(3, ddgan.LATENT)), plain)
    w = torch.randn(3, ddgan.LATENT)
    gain, shift = norm.affine(w).chunk(2, dim=1)
    y = norm(x, w)
    torch.testing.assert_close(
        y, gain[..., None, None] * plain + shift[..., None, None]
    )


def test_guesses_stay_within_the_range_of_images_and_depend_on_all_inputs():
    torch.manual_seed(0)
    generator = ddgan.Generator().eval()
    for block in generator.modules():
        if isinstance(block, ddgan.GeneratorBlock):
            nn.init.normal_(block.second.weight, std=0.1)
    noisy, z = 5 * torch.randn(4, 3, 32, 32), torch.randn(4, ddgan.LATENT)
    with torch.no_grad():
        guess = generator(noisy, times(1, 4), z)
        others = (
            generator(-noisy, times(1, 4), z),
            generator(noisy, times(2, 4), z),
            generator(noisy, times(1, 4), -z),
        )
    assert guess.abs().max() <= 1
    assert all((guess - other).abs().max() > 1e-3 for other in others)


def test_the_critic_sees_both_images_and_the_time():
    torch.manual_seed(0)
    critic, a, b = ddgan.Critic(), *torch.randn(2, 4, 3, 32, 32)
    with torch.no_grad():
        scores = critic(a, b, times(1, 4))
        others = critic(a, -b, times(1, 4)), critic(-a, b, times(1, 4))
        others += (critic(a, b, times(3, 4)),)
    assert scores.shape == (4,)
    assert all((scores - other).abs().max() > 1e-4 for other in others)


def test_the_penalty_is_the_squared_slope_at_the_less_noisy_image():
    recipe = ddgan.DenoisingDiffusionGan()
    recipe.critic = lambda before, after, t: (2 * before + 5 * after).flatten(1).sum(1)
    x = torch.randn(4, 3, 32, 32)
    slope = recipe._squared_slope(x, x, times(1, 4))
    torch.testing.assert_close(slope, torch.tensor(4.0 * x[0].numel()))


def test_the_penalty_comes_every_sixteenth_step():
    recipe, x, penalised = ddgan.DenoisingDiffusionGan(), torch.zeros(2, 3, 32, 32), []
    done, slope = recipe.networks.done, recipe._squared_slope
    recipe._squared_slope = lambda *a: penalised.append(done.item()) or slope(*a)
    for step in (0, 1, 15, 16):
        done.fill_(step)
        recipe.step(x)
    assert penalised == [0, 16]
