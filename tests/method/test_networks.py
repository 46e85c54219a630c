"""Shared networks: their shapes, what they keep of an image, and how it gets there."""

import numpy as np
import pytest
import torch

from manifpt_utils._support.torchvision import torchvision
from manifpt_utils.method.networks import (
    ColourAugmentation,
    EveryOtherPixel,
    SmallEncoder,
    Standardise,
    as_input,
    encode,
    headless_resnet50,
    resnet50,
    small_resnet,
)


def test_colour_augmentation_only_while_training():
    layer, x = ColourAugmentation(), torch.randn(4, 3, 5, 5)
    assert torch.equal(layer.eval()(x), x)
    changed = layer.train()(x)
    assert changed.shape == x.shape and not torch.allclose(changed, x)
    # Shapes survive: every channel is an affine function of some channel before.
    before = x[0].flatten(1) - x[0].flatten(1).mean(1, keepdim=True)
    after = changed[0].flatten(1) - changed[0].flatten(1).mean(1, keepdim=True)
    cosine = (
        torch.nn.functional.normalize(before) @ torch.nn.functional.normalize(after).T
    )
    assert torch.allclose(cosine.abs().max(0).values, torch.ones(3), atol=1e-4)


def test_resnet50_backbone_keeps_the_resolution_of_small_images():
    network = resnet50().eval()
    with torch.no_grad():
        assert network(torch.zeros(1, 3, 32, 32)).shape == (1, 2048)


def test_every_other_pixel_is_a_strided_convolution():
    torch.manual_seed(0)
    x = torch.randn(3, 4, 7, 8)
    halve = EveryOtherPixel(4, 6)
    expected = torch.nn.functional.conv2d(x, halve.weight, stride=2)
    torch.testing.assert_close(halve(x), expected)


def test_the_gradient_of_every_other_pixel_keeps_its_layout():
    """One that does not makes a training a sixth longer."""
    layout = torch.channels_last
    x = torch.rand(2, 4, 6, 6).to(memory_format=layout).requires_grad_()
    halve = EveryOtherPixel(4, 6).to(memory_format=layout)
    (gradient,) = torch.autograd.grad(halve(x).square().sum(), x)
    assert gradient.is_contiguous(memory_format=layout)


def test_network_shape_and_size():
    network = SmallEncoder().eval()
    x = as_input(torch.zeros(2, 32, 32, 3, dtype=torch.uint8))
    assert network(x).shape == (2, 128)
    assert sum(p.numel() for p in network.parameters()) * 2 < 3e6  # bytes on disk


def test_encode_leaves_random_state_and_input_alone():
    network, before = SmallEncoder(), torch.get_rng_state()
    images = np.random.default_rng(0).integers(0, 256, (5, 32, 32, 3), np.uint8)
    images.flags.writeable = False
    features = encode(network, images, batch_size=2)
    assert not network.training and features.dtype == np.float32
    np.testing.assert_array_equal(encode(network, images), features)
    assert torch.equal(torch.get_rng_state(), before)


def test_both_headless_resnet50_uses_are_one_network_of_torchvision():
    """Every other pixel in place of a stride changes rounding and nothing else."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        plain = torchvision.models.resnet50(weights=None).eval()
    ours = headless_resnet50().eval()
    state = {k: v for k, v in plain.state_dict().items() if not k.startswith("fc.")}
    ours.load_state_dict(state)
    plain.fc = torch.nn.Identity()
    x = torch.rand(1, 3, 64, 64)
    with torch.no_grad():
        torch.testing.assert_close(ours(x), plain(x), rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("width", [4, 8])
def test_the_small_resnet_pools_eight_times_its_width(width):
    with torch.no_grad():
        for side in (1, 8, 33):
            assert (
                small_resnet(width)(torch.rand(2, 3, side, side)).shape[1] == 8 * width
            )


def test_standardised_numbers_and_columns():
    x = torch.rand(5, 3)
    assert torch.equal(Standardise(0.5, 0.5)(x), (x - 0.5) / 0.5)
    mean, scale = x.mean(0), x.std(0)
    assert torch.equal(Standardise(mean.numpy(), scale.numpy())(x), (x - mean) / scale)
