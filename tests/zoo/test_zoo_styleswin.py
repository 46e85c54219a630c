"""StyleSwin: windows, styles and the two ways of doubling."""

import pytest
import torch

from manifpt_utils.zoo import styleswin
from manifpt_utils.zoo.fir import FIRUpsample
from manifpt_utils.zoo.recipe import latents


@pytest.fixture(scope="module")
def generator():
    torch.manual_seed(0)
    return styleswin.Generator(widths=(16, 16, 16, 16)).eval()


def test_windows_are_cut_and_pasted_back():
    rows, columns = torch.arange(8)[:, None], torch.arange(8)
    x = torch.stack(torch.broadcast_tensors(rows, columns), -1)
    windows = styleswin.cut(x, 4)
    assert windows.shape == (4, 16, 2)
    assert torch.equal((windows // 4).unique(dim=1)[:, 0], torch.tensor(
        [[0, 0], [0, 1], [1, 0], [1, 1]]
    ))  # fmt: skip
    assert torch.equal(styleswin.paste(windows, 8), x)


def seen_from(attention, y, x, *, side=8):
    """Which tokens the output at a place depends on."""
    qkv = torch.randn(3, 1, side, side, 4, requires_grad=True)
    attention(qkv)[0, y, x].sum().backward()
    return qkv.grad[2, 0].abs().sum(-1) > 1e-6


@pytest.mark.parametrize(
    ("shift", "place", "rows", "columns"),
    [
        (0, (1, 6), (0, 4), (4, 8)),
        (2, (3, 4), (2, 6), (2, 6)),
        (2, (0, 3), (0, 2), (2, 6)),  # the window at the border is cut, not wrapped
        (2, (7, 7), (6, 8), (6, 8)),
    ],
)
def test_attention_sees_its_window_and_no_wrapping_around(shift, place, rows, columns):
    torch.manual_seed(0)
    found = seen_from(styleswin.WindowAttention(2, 4, shift), *place)
    expected = torch.zeros(8, 8, dtype=bool)
    expected[slice(*rows), slice(*columns)] = True
    assert torch.equal(found, expected)


def test_the_bias_depends_on_the_relative_place_alone():
    places = styleswin.WindowAttention(2, 4, 0)._places().unflatten(2, (4, 4))
    places = places.unflatten(1, (4, 4))  # head, row and column of both tokens
    assert torch.equal(places[:, 0, 1, 1, 3], places[:, 2, 0, 3, 2])
    assert not torch.equal(places[:, 0, 1, 1, 3], places[:, 1, 3, 0, 1])


def test_the_style_sets_mean_and_deviation_of_each_channel():
    torch.manual_seed(0)
    norm, w = styleswin.AdaptiveInstanceNorm(6, 5), torch.randn(3, 5)
    y = norm(3 * torch.randn(3, 8, 8, 6) + 7, w).flatten(1, 2)
    torch.testing.assert_close(y.mean(1), norm.shift(w), atol=1e-4, rtol=1e-4)
    spread = y.std(1, correction=0)
    torch.testing.assert_close(spread, norm.gain(w).abs(), atol=1e-4, rtol=1e-4)


def test_the_two_doublings_differ_at_the_border_only():
    x = torch.randn(2, 6, 6, 3)
    bilinear = styleswin.BilinearUpsample()(x).movedim(-1, 1)
    blurred = FIRUpsample()(x.movedim(-1, 1))
    inside = (..., slice(1, -1), slice(1, -1))
    torch.testing.assert_close(bilinear[inside], blurred[inside])
    assert (bilinear - blurred).abs().max() > 0.1


def test_positions_tell_all_tokens_apart():
    waves = styleswin.positions(32, 24, "cpu").flatten(0, 1)
    distances = torch.cdist(waves, waves) + 9 * torch.eye(32**2)
    assert waves.shape == (1024, 24) and distances.min() > 0.1


def test_colours_of_all_resolutions_are_summed(generator):
    seen = []
    hooks = [
        layer.register_forward_hook(lambda layer, x, y: seen.append(y.movedim(-1, 1)))
        for layer in generator.colours
    ]
    with torch.no_grad():
        image = generator(latents(2))
    for hook in hooks:
        hook.remove()
    assert [y.shape[-1] for y in seen] == [8, 16, 32, 32]
    double = FIRUpsample()
    expected = double(double(seen[0]) + seen[1]) + seen[2] + seen[3]
    torch.testing.assert_close(image, expected)
