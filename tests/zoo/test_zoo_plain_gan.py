"""The fully connected GAN of 2014."""

import torch
from torch import nn

from manifpt_utils.zoo import gan


def test_no_layer_knows_where_a_pixel_is():
    for network in (gan.perceptron_generator(), gan.perceptron_critic()):
        kinds = {type(m) for m in network} - {nn.Flatten, nn.Unflatten}
        assert kinds <= {nn.Linear, nn.LeakyReLU, nn.Dropout, nn.Tanh}


def test_the_critic_drops_a_fifth_of_the_pixels_and_half_of_the_hidden_units():
    torch.manual_seed(0)
    x, found = torch.ones(200, 3, 32, 32), []
    for layer in gan.perceptron_critic():
        x = layer(x)
        if isinstance(layer, nn.Dropout):
            found.append((x == 0).float().mean().item())
    torch.testing.assert_close(found, [0.2, 0.5, 0.5], atol=0.01, rtol=0)
