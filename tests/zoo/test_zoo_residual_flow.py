"""The residual flow: contractions, unbiased log determinants, the fixed point."""

from itertools import pairwise

import numpy as np
import pytest
import torch
from torch import nn

from manifpt_utils.zoo import residual_flow
from manifpt_utils.zoo.residual_flow import BOUND, LipschitzConvolution, LipschitzDense

pytestmark = pytest.mark.filterwarnings("ignore:torch.lu is deprecated")


def strong(side=4):
    """A contraction of positive weights, too large, so that their norms are bounded."""
    torch.manual_seed(0)
    g = residual_flow.contraction(2, 6, side)
    for layer in g[::2]:
        nn.init.uniform_(layer.weight)
        layer.settle(50)
    return g


def matrix(linear, x):
    """The Jacobian in x of a map that keeps the number of values."""
    jacobian = torch.autograd.functional.jacobian(linear, x)
    return jacobian.reshape(-1, x.numel())


@pytest.mark.parametrize(
    "build",
    [
        lambda: LipschitzConvolution(2, 3, 1, 5),
        lambda: LipschitzConvolution(2, 3, 3, 5),
        lambda: LipschitzDense(50, 30),
    ],
)
def test_the_norm_of_a_layer_is_that_of_its_matrix(build):
    torch.manual_seed(0)
    layer = build()
    layer.settle(200)
    x = torch.randn_like(layer.direction)
    plain = matrix(lambda x: layer.linear(x, layer.weight), x)
    exact = torch.linalg.matrix_norm(plain, 2)
    torch.testing.assert_close(layer.norm(), exact, rtol=1e-3, atol=0)
    nn.init.constant_(layer.weight, 1.0)
    layer.settle(200)
    bounded = torch.linalg.matrix_norm(matrix(layer, x), 2).item()
    assert bounded == pytest.approx(BOUND, rel=1e-3)


def test_small_weights_are_left_as_they_are():
    layer = LipschitzConvolution(2, 2, 3, 5)
    nn.init.constant_(layer.weight, 1e-3)
    layer.settle(50)
    x = torch.randn(1, 2, 5, 5)
    torch.testing.assert_close(layer(x), nn.Conv2d.forward(layer, x))


def test_points_come_closer_to_one_another():
    g, x = strong(), 3 * torch.randn(300, 2, 4, 4).abs()
    y = x + 0.1 * torch.rand(300, 1, 1, 1)
    with torch.no_grad():
        ratio = (g(x) - g(y)).flatten(1).norm(dim=1) / (x - y).flatten(1).norm(dim=1)
    assert 0.4 < ratio.max() < BOUND**3


def test_the_random_series_has_the_right_mean_and_slope():
    """Against the determinant itself, averaged over 400 draws of 50 probes each."""
    g = strong(side=3)
    with torch.no_grad():
        g[-1].weight.mul_(0.7 / g[-1].norm())
    block, x = residual_flow.ResidualBlock(g), torch.randn(1, 2, 3, 3)
    exact = torch.eye(18) + matrix_with_graph(g, x)
    exact = exact.slogdet().logabsdet
    wanted = torch.autograd.grad(exact, g[0].weight)[0]
    values, slopes = [], []
    for _ in range(400):
        value = block.inverse(x.repeat(50, 1, 1, 1))[1].mean()
        slopes.append(torch.autograd.grad(value, g[0].weight)[0])
        values.append(value.item())
    error = np.std(values) / 400**0.5
    assert abs(np.mean(values) - exact.item()) < 4 * error < 0.1 * abs(exact.item())
    slope = torch.stack(slopes).mean(0)
    assert (slope - wanted).norm() < 0.1 * wanted.norm()


def matrix_with_graph(g, x):
    jacobian = torch.autograd.functional.jacobian(g, x, create_graph=True)
    return jacobian.reshape(x.numel(), x.numel())


def test_the_terms_of_the_series_are_weighted_by_the_inverse_of_their_chance():
    torch.manual_seed(0)
    drawn = [residual_flow.roulette() for _ in range(4000)]
    width = max(len(weights) for weights in drawn)
    padded = np.array([weights + [0.0] * (width - len(weights)) for weights in drawn])
    np.testing.assert_allclose(padded[:, :6].mean(0), 1.0, atol=0.2)
    assert len({len(weights) for weights in drawn}) > 5


def test_the_flow_inverts():
    torch.manual_seed(0)
    recipe = residual_flow.ResidualFlow(depth=(1, 1, 1), dense=(1, 8))
    for _ in range(2):
        recipe.step(torch.rand(4, 3, 32, 32) * 2 - 1)
    recipe.calibrate(recipe.generator, [])
    x = torch.rand(4, 3, 32, 32) - 0.5
    with torch.no_grad():
        z, _ = recipe.generator.inverse_and_log_det(x)
        back, _ = recipe.generator.forward_and_log_det(z)
    assert (z[0].shape, z[0].requires_grad) == ((4, 192, 4, 4), False)
    torch.testing.assert_close(back, x, atol=1e-4, rtol=0)


def test_the_logit_holds_the_widest_noise_and_its_slope_is_exact():
    logit = residual_flow.Logit()
    x = torch.linspace(-0.61, 0.61, 9, dtype=torch.double).reshape(9, 1, 1, 1)
    z, down = logit.inverse(x)
    back, up = logit(z)
    torch.testing.assert_close(back, x)
    torch.testing.assert_close(up, -down)
    h = 1e-6
    slopes = (logit.inverse(x + h)[0] - logit.inverse(x - h)[0]).flatten() / (2 * h)
    torch.testing.assert_close(slopes.log(), down, atol=1e-6, rtol=0)


def test_each_step_brings_the_norms_up_to_date():
    torch.manual_seed(0)
    recipe = residual_flow.ResidualFlow(depth=(1, 0, 0), dense=(0, 1))
    layers = [
        m for m in recipe.generator.modules() if isinstance(m, LipschitzConvolution)
    ]
    for layer in layers:
        nn.init.normal_(layer.weight)
    norms = []
    for _ in range(4):
        norms.append(min(layer.norm().item() for layer in layers))
        residual_flow.settle(recipe.generator)
    assert len(layers) == 3 and all(a < b * 1.0001 for a, b in pairwise(norms))
    assert norms[-1] > 1.05 * norms[0]
