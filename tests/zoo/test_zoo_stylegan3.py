"""StyleGAN3: filters, Fourier features and what they are for."""

import math

import pytest
import torch
from torch.nn.functional import interpolate, leaky_relu

from manifpt_utils.zoo import stylegan3
from manifpt_utils.zoo.recipe import latents

GRIDS = stylegan3.grids()
WIDE = GRIDS[1]  # 16 samples a side, cut off at 4 periods


def wave(frequency, size, rate, *, shift=0.0):
    """A cosine along the columns of a grid that is centred on the image."""
    place = (torch.arange(size) - (size - 1) / 2) / rate
    line = (2 * math.pi * frequency * (place - shift)).cos()
    return line.expand(1, 1, size, size)


class PassThrough(torch.nn.Module):
    """In place of the filters."""

    def forward(self, x, w):
        return x


def inner(x, border):
    return x[..., border:-border, border:-border]


@pytest.mark.parametrize("factor", [2, 4])
@pytest.mark.parametrize(("frequency", "gain"), [(0, 1.0), (1, 1.0), (4, 0.5)])
def test_low_waves_are_kept_and_those_at_the_cutoff_halved(factor, frequency, gain):
    fine = factor * WIDE.size
    coarse = wave(frequency, WIDE.size, WIDE.rate)
    dense = wave(frequency, fine, factor * WIDE.rate)
    up = stylegan3.SincUpsample(WIDE, fine, factor)(coarse)
    down = stylegan3.SincDownsample(WIDE, fine, factor)(dense)
    pairs = (up, dense, 3 * factor), (down, coarse, 3)
    for found, expected, border in pairs:
        error = inner(found - gain * expected, border)
        assert error.abs().max() < 0.04


@pytest.mark.parametrize("frequency", [9.0, 12.0, 15.0])
def test_a_wave_above_the_band_is_removed(frequency):
    dense = wave(frequency, 2 * WIDE.size, 2 * WIDE.rate)
    left = stylegan3.SincDownsample(WIDE, 2 * WIDE.size, 2)(dense)
    assert inner(left, 3).abs().max() < 0.02


def test_only_the_last_two_grids_leave_no_room_between_band_and_rate():
    stops = [2 * (grid.cutoff + grid.half_width) <= grid.rate for grid in GRIDS]
    assert stops == [True, True, True, False, False]
    assert [grid.size - grid.rate for grid in GRIDS] == [6, 6, 6, 6, 0]


def test_the_nonlinearity_moves_with_its_input_by_a_fraction_of_a_sample():
    """Half a sample at rate 8 is one at rate 16; a pointwise ReLU does not follow."""
    before, after = GRIDS[:2]
    layer = stylegan3.FilteredLayer(1, 1, 4, before, after).eval()
    layer.convolution = PassThrough()
    still, moved = (
        wave(1.7, before.size, before.rate, shift=s) for s in (0.0, 0.5 / before.rate)
    )

    def naive(x):
        return interpolate(leaky_relu(x, 0.2), scale_factor=2)

    def error(f):
        a, b = f(still)[..., 4:-5], f(moved)[..., 5:-4]
        return ((a - b)[..., 5:-5, :].std() / a.std()).item()

    with torch.no_grad():
        assert error(lambda x: layer(x, None)) < 0.05 < 0.2 < error(naive)


def test_fourier_features_turn_and_move_with_the_style():
    torch.manual_seed(0)
    grid = GRIDS[0]
    features = stylegan3.FourierInput(8, 4, grid)
    a = 1 / grid.rate
    motions = [[1.0, 0, 0, 0], [1.0, 0, a, 0], [1.0, 0, 0, a], [0.0, 1, 0, 0]]
    still, right, down, turned = features._waves(torch.tensor(motions)).unbind()
    close = {"atol": 1e-4, "rtol": 0}
    torch.testing.assert_close(right[:, :, 1:], still[:, :, :-1], **close)
    torch.testing.assert_close(down[:, 1:], still[:, :-1], **close)
    torch.testing.assert_close(turned, still.rot90(1, (1, 2)), **close)
    assert features.frequencies.norm(dim=1).max() <= grid.cutoff


def test_inputs_are_divided_by_a_running_magnitude_that_sampling_leaves_alone():
    torch.manual_seed(0)
    layer = stylegan3.FilteredLayer(4, 4, 4, *GRIDS[:2])
    x, w = torch.randn(2, 4, 14, 14), torch.randn(2, 4)
    with torch.no_grad():
        for _ in range(1000):
            layer(5 * x, w)
        power = layer.power.item()
        first = layer.eval()(5 * x, w)
    assert abs(power / (25 * x.square().mean()) - 1) < 0.01
    assert layer.power.item() == power
    layer.power.fill_(power / 25)
    torch.testing.assert_close(layer(x, w), first, atol=1e-4, rtol=1e-4)


def test_there_is_no_noise():
    torch.manual_seed(0)
    generator, z = stylegan3.Generator().eval(), latents(2)
    with torch.no_grad():
        assert torch.equal(generator(z), generator(z))
