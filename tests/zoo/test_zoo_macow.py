"""MaCow: what a masked convolution sees, and that the flow inverts."""

import pytest
import torch
from torch import nn

from manifpt_utils.zoo import macow
from manifpt_utils.zoo.registry import MODELS

pytestmark = pytest.mark.filterwarnings("ignore:torch.lu is deprecated")


@pytest.fixture
def masked(request):
    """A masked convolution whose last layer says something."""
    torch.manual_seed(0)
    layer = macow.MaskedConvolution(3, request.param)
    nn.init.ones_(layer.last.parametrizations.weight.original0)
    return layer


def small():
    """A shallow flow whose masked convolutions and couplings say something."""
    torch.manual_seed(0)
    recipe = macow.MaCow(depth=(1, 1, 1))
    for _ in range(2):
        recipe.step(torch.rand(8, 3, 32, 32) * 2 - 1)
    return recipe.generator


@pytest.mark.parametrize("masked", macow.DIRECTIONS, indirect=True)
def test_a_masked_convolution_and_its_rows_are_inverse(masked):
    x = torch.randn(2, 3, 6, 6)
    with torch.no_grad():
        z, down = masked.inverse(x)
        back, up = masked(z)
    torch.testing.assert_close(back, x, atol=1e-4, rtol=0)
    torch.testing.assert_close(up, -down, atol=1e-3, rtol=0)
    assert (z - x).abs().max() > 0.1


@pytest.mark.parametrize("masked", macow.DIRECTIONS, indirect=True)
def test_the_log_determinant_is_that_of_the_jacobian(masked):
    x = torch.randn(1, 3, 4, 4)
    jacobian = torch.autograd.functional.jacobian(lambda x: masked.inverse(x)[0], x)
    expected = jacobian.reshape(48, 48).slogdet().logabsdet
    torch.testing.assert_close(masked.inverse(x)[1][0], expected, atol=1e-3, rtol=0)


@pytest.mark.parametrize(
    ("masked", "seen"),
    [
        ("down", ([5, 6], [2, 3, 4, 5, 6])),
        ("up", ([2, 3], [2, 3, 4, 5, 6])),
        ("right", ([2, 3, 4, 5, 6], [5, 6])),
        ("left", ([2, 3, 4, 5, 6], [2, 3])),
    ],
    indirect=["masked"],
)
def test_a_pixel_changes_itself_and_two_rows_in_the_direction(masked, seen):
    x = torch.randn(1, 3, 9, 9)
    jacobian = torch.autograd.functional.jacobian(lambda x: masked.inverse(x)[0], x)
    changed = (jacobian[0, :, :, :, 0, :, 4, 4] != 0).any(3).any(0)
    rows, columns = seen
    expected = torch.zeros(9, 9, dtype=torch.bool)
    expected[4, 4] = True
    expected[torch.tensor(rows)[:, None], torch.tensor(columns)] = True
    assert torch.equal(changed, expected)


def test_the_flow_inverts():
    flow, x = small(), torch.rand(4, 3, 32, 32) - 0.5
    with torch.no_grad():
        z, down = flow.inverse_and_log_det(x)
        back, up = flow.forward_and_log_det(z)
    assert [part[0].numel() for part in z] == [768, 768, 1536]
    torch.testing.assert_close(back, x, atol=1e-4, rtol=0)
    torch.testing.assert_close(up, -down, atol=0.1, rtol=1e-4)


def test_a_new_masked_convolution_scales_alike_and_shifts_nothing():
    x = torch.randn(2, 4, 8, 8)
    z, _ = macow.MaskedConvolution(4, "left").inverse(x)
    torch.testing.assert_close(z, torch.sigmoid(torch.tensor(2.0)) * x)


def test_each_step_goes_in_all_four_directions_with_weight_norm():
    steps = MODELS["macow"].build().generator.modules()
    steps = [m for m in steps if isinstance(m, macow.Step)]
    assert len(steps) == sum(macow.DEPTH)
    for step in steps:
        masked = [m for m in step.flows if isinstance(m, macow.MaskedConvolution)]
        assert [m.direction for m in masked][::-1] == list(macow.DIRECTIONS)
        layers = [layer for m in masked for layer in (m.first, m.last)]
        assert all(nn.utils.parametrize.is_parametrized(m, "weight") for m in layers)
