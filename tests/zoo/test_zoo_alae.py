"""StyleALAE: styles in and out, and which loss moves what."""

import pytest
import torch
from torch import nn
from torch.nn.functional import conv2d

from manifpt_utils.zoo import alae
from manifpt_utils.zoo.fir import Average, Blur


def test_the_blur_is_the_filter_1_2_1_in_both_directions():
    torch.manual_seed(0)
    x = torch.randn(2, 3, 6, 4)
    taps = torch.tensor([1.0, 2.0, 1.0]) / 4
    kernel = torch.outer(taps, taps).expand(3, 1, 3, 3)
    expected = conv2d(x, kernel, padding=1, groups=3)
    torch.testing.assert_close(Blur()(x), expected)


def test_the_average_is_that_of_four_pixels():
    x = torch.randn(2, 3, 8, 8)
    torch.testing.assert_close(Average()(x), nn.functional.avg_pool2d(x, 2))


def test_a_style_sets_mean_and_deviation_of_each_channel_image_by_image():
    torch.manual_seed(0)
    layer, w = alae.Style(5, 7), torch.randn(4, 7)
    y = layer(3 + 2 * torch.randn(4, 5, 8, 8), w)
    scale, shift = layer.style(w).chunk(2, dim=1)
    torch.testing.assert_close(y.mean((2, 3)), shift)
    torch.testing.assert_close(y.std((2, 3), correction=0), (1 + scale).abs())


def test_noise_is_added_where_its_weight_is_not_zero():
    torch.manual_seed(0)
    layer, w, x = alae.Style(2, 7), torch.randn(1, 7), torch.randn(1, 2, 8, 8)
    assert torch.equal(layer(x, w), layer(x, w))
    with torch.no_grad():
        layer.noise[1] = 1.0
    a, b = layer(x, w), layer(x, w)
    assert torch.equal(a[:, 0], b[:, 0]) and not torch.allclose(a[:, 1], b[:, 1])


def test_the_encoder_reads_a_style_before_it_is_removed():
    """Mean and deviation, times a number, give a latent times the number."""
    torch.manual_seed(0)
    layer, x = alae.ReadStyle(3, 7), torch.randn(4, 3, 8, 8)
    plain, w = layer(x)
    scaled, twice = layer(2 * x)
    torch.testing.assert_close(scaled, plain)
    torch.testing.assert_close(twice, 2 * w)
    assert w.abs().max() > 0.1


def moved(network, before):
    return [
        not torch.equal(a, b) for a, b in zip(network.parameters(), before, strict=True)
    ]


def copies(network):
    return [p.detach().clone() for p in network.parameters()]


def test_the_critic_learns_with_the_encoder_and_not_with_the_generator():
    torch.manual_seed(0)
    recipe = alae.StyleAlae()
    networks = recipe.generator, recipe.encoder, recipe.head
    before = [copies(network) for network in networks]
    recipe._critic_step(torch.rand(4, 3, 32, 32) * 2 - 1)
    generator, encoder, head = map(moved, networks, before)
    assert not any(generator) and any(encoder) and all(head)
    before = [copies(network) for network in networks]
    recipe._generator_step(4)
    generator, encoder, head = map(moved, networks, before)
    assert any(generator) and any(encoder) and not any(head)


def test_the_encoder_does_not_learn_to_fool_its_critic():
    """With a latent error of zero, the generator's step leaves it as it is."""
    torch.manual_seed(0)
    recipe = alae.StyleAlae()
    anchor, start = recipe.encoder.colours.weight.sum(), recipe.generator.constant.sum()
    recipe.generator.encode = lambda z: z * (1 + start - start.detach())
    recipe.generator.decode = lambda w: w
    recipe.encoder.forward = lambda w: w * (1 + anchor - anchor.detach())
    before = copies(recipe.encoder)
    drawn, _, error = copies(recipe.generator), *recipe._generator_step(4)
    assert error == 0 and any(moved(recipe.generator, drawn))
    assert not any(moved(recipe.encoder, before))


def test_the_squared_slope_is_that_of_critic_and_encoder_together():
    recipe, real = alae.StyleAlae(), torch.randn(5, 3, 4, 4)
    recipe.critic[0] = nn.Flatten()
    recipe.critic[1].forward = lambda w: 0.5 * w.sum(1)
    assert recipe._squared_slope(real).item() == pytest.approx(0.25 * 48)


def test_the_slope_penalty_comes_every_eighth_step():
    torch.manual_seed(0)
    recipe, real = alae.StyleAlae(), torch.rand(2, 3, 32, 32) * 2 - 1
    slope, done, penalised = recipe._squared_slope, recipe.networks.done, []
    recipe._squared_slope = lambda x: penalised.append(done.item()) or slope(x)
    for step in (0, 1, 7, 8):
        done.fill_(step)
        recipe.step(real)
    assert penalised == [0, 8]
