"""NVAE: cells, latents relative to their prior, and the terms of its loss."""

import copy

import pytest
import torch
from torch import nn
from torch.distributions import Normal, kl_divergence

from manifpt_utils.zoo import nvae


@pytest.fixture(autouse=True)
def seed():
    torch.manual_seed(0)


def moved(network):
    """A network in evaluation whose norms and biases are not those of the start."""
    with torch.no_grad():
        for tensor in [*network.parameters(), *network.buffers()]:
            if tensor.is_floating_point() and tensor.dim() == 1:
                tensor.copy_(0.5 + torch.rand_like(tensor))
    return network.eval()


def images(n=4):
    return torch.rand(n, 3, 32, 32) * 2 - 1


def test_enlarging_after_the_expansion_is_the_same_as_before_it():
    cell = moved(nvae.decoder_cell(6, 4))
    norm, expand, norm_2, swish, enlarge, *others = cell.body
    x = torch.randn(2, 6, 5, 5)
    slow = nn.Sequential(enlarge, norm, expand, norm_2, swish, *others)
    torch.testing.assert_close(cell.body(x), slow(x), atol=1e-5, rtol=1e-5)


def test_the_skip_of_an_enlarging_cell_interpolates_between_corners():
    cell = nvae.decoder_cell(2, 1)
    nn.init.ones_(cell.skip.weight)
    nn.init.zeros_(cell.skip.bias)
    ramp = torch.linspace(0, 1, 4).expand(1, 2, 4, 4)
    expected = 2 * torch.linspace(0, 1, 8).expand(1, 1, 8, 8)
    torch.testing.assert_close(cell.skip(ramp), expected)


def test_the_depthwise_filter_keeps_channels_apart_and_single_precision():
    layer = nvae.Depthwise(3)
    x = torch.zeros(1, 3, 9, 9)
    x[0, 1, 4, 4] = 1
    with torch.no_grad(), nvae.autocast():
        y = layer(x) - layer(torch.zeros_like(x))
    assert y.dtype == torch.float32
    assert y[0, [0, 2]].abs().max() == 0
    torch.testing.assert_close(y[0, 1, 2:7, 2:7], layer.weight[1, 0].flip(0, 1))
    assert y[0, 1].count_nonzero() == 25


def test_the_gate_scales_whole_channels_by_less_than_one():
    x = torch.rand(2, 5, 4, 4) + 1
    ratio = nvae.SqueezeExcite(5)(x) / x
    assert ratio.flatten(2).std(2).max() < 1e-6
    assert 0 < ratio.min() and ratio.max() < 1


def test_the_kl_of_a_residual_posterior_is_that_between_the_normals():
    mean, log_deviation, offset, log_factor = torch.randn(4, 3, 2, 4, 4)
    prior = Normal(mean, log_deviation.exp())
    posterior = Normal(mean + offset, (log_deviation + log_factor).exp())
    expected = kl_divergence(posterior, prior).flatten(1).sum(1)
    found = nvae.residual_kl(offset, log_factor, log_deviation)
    torch.testing.assert_close(found, expected)


def test_a_posterior_without_offset_is_the_prior():
    group, y = moved(nvae.Group(6, 2)), torch.randn(3, 6, 4, 4)
    for parameter in group.posterior.parameters():
        nn.init.zeros_(parameter)
    torch.manual_seed(1)
    seen, kl = group.infer(y, torch.randn_like(y))
    torch.manual_seed(1)
    torch.randn_like(y)
    drawn = group.generate(y, torch.randn_like(seen))
    assert kl.abs().max() == 0
    torch.testing.assert_close(seen, drawn)


def test_the_first_prior_is_standard_and_those_below_see_what_is_above():
    y = torch.randn(3, 6, 4, 4)
    mean, log_deviation = nvae.Group(6, 2, first=True)._prior(y)
    assert mean.abs().max() == log_deviation.abs().max() == 0
    group = nvae.Group(6, 2)
    assert not torch.equal(group._prior(y)[0], group._prior(2 * y)[0])


def test_groups_join_from_the_coarsest_and_disturb_nothing_at_first():
    network = moved(nvae.Nvae().generator)
    x, counts = images(), []
    for active in (1, 2, 3):
        with torch.no_grad():
            parameters, kls = network(x, active=active)
        counts.append(len(kls))
        assert all(kl.shape == (4,) for kl in kls)
    assert counts == [3, 5, 6]
    for module in network.modules():
        if isinstance(module, nvae.Group):
            nn.init.zeros_(module.join.weight)
            nn.init.zeros_(module.join.bias)
    with torch.no_grad():
        found = [network(x, active=active)[0] for active in (1, 3)]
    torch.testing.assert_close(*found)


def test_at_temperature_zero_every_draw_is_the_same():
    decoder = moved(nvae.Nvae(temperature=0.0).generator.decoder)
    nn.init.normal_(decoder.groups[0][0].join.weight)
    with torch.no_grad():
        a, b = decoder(2)
        torch.testing.assert_close(a, b)
        decoder.temperature = 1.0
        a, b = decoder(2)
    assert not torch.allclose(a, b)


def test_balancing_weighs_groups_by_their_kl_over_their_places():
    kls = [torch.full((5,), k, requires_grad=True) for k in (16.0, 64.0, 32.0)]
    found = nvae.balanced(kls, [4, 8, 4])
    # KL over places is 1, 1, 2, that is 3/4, 3/4, 3/2 of its mean.
    torch.testing.assert_close(found.item(), 12.0 + 48.0 + 48.0, rtol=1e-5, atol=0)
    found.backward()
    weights = [kl.grad.sum().item() for kl in kls]
    assert weights == pytest.approx([0.75, 0.75, 1.5], rel=1e-5)


def test_the_kl_is_warmed_up_and_then_counts_in_full():
    recipe = nvae.Nvae()
    kls = [torch.rand(4) + 1 for _ in range(6)]
    total = sum(kls).mean()
    early, late = (recipe._warmed(kls, p) for p in (0.0, 0.3))
    assert early < 0.3 * total
    torch.testing.assert_close(late, total)


def test_the_spectrum_finds_the_largest_singular_values():
    network = nn.Sequential(
        nn.Conv2d(3, 5, 3), nn.Conv2d(5, 5, 3), nn.Conv2d(5, 5, 3), nvae.Depthwise(5)
    )
    spectrum = nvae.Spectrum(network)
    with torch.no_grad():
        for _ in range(200):
            found = spectrum()
    weights = [layer.weight.flatten(1) for layer in network[:3]]
    expected = sum(torch.linalg.matrix_norm(w, 2) for w in weights)
    torch.testing.assert_close(found, expected, rtol=1e-3, atol=0)
    spectrum().backward()
    assert all(layer.weight.grad.abs().max() > 0 for layer in network[:3])
    assert network[3].weight.grad is None


def test_calibration_meets_the_decoder_as_it_samples():
    recipe = nvae.Nvae()
    network, batches = recipe.generator, [images(8), images(8)]
    first = next(m for m in network.decoder.modules() if isinstance(m, nn.BatchNorm2d))
    before = copy.deepcopy(network.encoder.state_dict())
    seen = []
    first.register_forward_hook(lambda module, inputs, _: seen.append(inputs[0]))
    recipe.calibrate(network, batches)
    after = network.encoder.state_dict()
    assert all(torch.equal(before[name], after[name]) for name in before)
    means = [y.mean((0, 2, 3)) for y in seen]
    assert len(means) == 2
    torch.testing.assert_close(first.running_mean, sum(means) / 2)
