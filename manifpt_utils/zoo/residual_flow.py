"""Residual flow in miniature: contractions, log determinants by a random series."""

import torch
from torch import nn
from torch.nn.functional import conv2d, conv_transpose2d, linear

from .flow import Likelihood

DEPTH = (2, 3, 2)  # blocks at 16 x 16, 8 x 8 and 4 x 4 pixels
HIDDEN = (32, 64, 64)  # channels inside their networks
DENSE = (4, 48)  # fully connected blocks at the end, and values inside them
BOUND = 0.98  # of the norm of a convolution; a block has three
EXACT = 2  # terms of the series that are always there
STOP = 0.3  # probability to stop after each further term; 0.5 gives heavy tails
SHRINK = 0.7  # leaves room, before the logit, for the widest dequantisation noise


class Lipschitz:
    """What a convolution and a dense layer of norm at most `BOUND` share.

    The norm is found by power iteration with the map and its transpose.  The weights
    start at the bound: the larger they are, the more slowly they turn.
    """

    def start(self, *shape):
        """Find the direction, a tensor (1, *shape), and move the weights to it."""
        self.register_buffer("direction", torch.randn(1, *shape))
        self.settle(50)
        with torch.no_grad():
            self.weight.mul_(BOUND / self.norm())

    @torch.no_grad()
    def settle(self, iterations=1):
        """Turn the direction towards the one that the map stretches most."""
        v = self.direction
        for _ in range(iterations):
            v = self.adjoint(self.linear(v, self.weight))
            v = v / torch.linalg.vector_norm(v).clamp(min=1e-12)
        self.direction.copy_(v)

    def norm(self):
        """How much the direction is stretched, as a differentiable function."""
        stretched = self.linear(self.direction, self.weight)
        return torch.linalg.vector_norm(stretched) / self.direction.norm()

    def forward(self, x):
        weight = self.weight * (BOUND / self.norm()).clamp(max=1.0)
        return self.linear(x, weight, self.bias)


class LipschitzConvolution(Lipschitz, nn.Conv2d):
    """Convolution whose operator norm on images of one side is at most `BOUND`.

    That is not the norm of the matrix of filters, which may be smaller (Behrmann et al.
    2019).
    """

    def __init__(self, before, after, size, side):
        super().__init__(before, after, size, padding=size // 2)
        self.start(before, side, side)

    def linear(self, x, weight, bias=None):
        """The convolution, with the bias if it is given."""
        return conv2d(x, weight, bias, padding=self.padding)

    def adjoint(self, x):
        """The transpose of the convolution without its bias."""
        return conv_transpose2d(x, self.weight, padding=self.padding)


class LipschitzDense(Lipschitz, nn.Linear):
    """Dense layer of norm at most `BOUND`.

    Not a convolution of one pixel: with that, the backward pass of torch 2.13 on a CPU
    with two threads corrupts memory.
    """

    def __init__(self, before, after):
        super().__init__(before, after)
        self.start(before)

    def linear(self, x, weight, bias=None):
        """The product with the weights, and the bias if it is given."""
        return linear(x, weight, bias)

    def adjoint(self, x):
        """The product with the transposed weights."""
        return x @ self.weight


def contraction(channels, width, side):
    """Convolutions 3 x 3, 1 x 1 and 3 x 3; LipSwish between them."""
    size = min(3, side)
    return _contraction(
        LipschitzConvolution(channels, width, size, side),
        LipschitzConvolution(width, width, 1, side),
        LipschitzConvolution(width, channels, size, side),
    )


def dense_contraction(channels, width, side):
    """The same with dense layers, for a map of channels and a few pixels."""
    values = channels * side**2
    return nn.Sequential(
        nn.Flatten(),
        _contraction(
            LipschitzDense(values, width),
            LipschitzDense(width, width),
            LipschitzDense(width, values),
        ),
        nn.Unflatten(1, (channels, side, side)),
    )


def _contraction(first, second, third):
    """LipSwish between three layers.

    The slope of LipSwish is one half at zero; the first biases move the input to where
    it is about one.
    """
    from normflows.nets.lipschitz import Swish

    for layer in (first, second):
        nn.init.constant_(layer.bias, 1.5)
    return nn.Sequential(first, Swish(), second, Swish(), third)


class ResidualBlock(nn.Module):
    """The map x + g(x) with a contraction g; it is inverted by fixed-point iteration.

    Parameters
    ----------
    g : module
        Its Lipschitz constant must be below one.
    tolerance : float
        The iteration ends when no value moves farther than this.
    """

    def __init__(self, g, *, tolerance=1e-5, iterations=500):
        super().__init__()
        self.g, self.tolerance, self.iterations = g, tolerance, iterations

    def inverse(self, x):
        """Latents of x, and an unbiased estimate of each log determinant."""
        with torch.enable_grad():
            x = x.float()
            x = x if x.requires_grad else x.detach().requires_grad_()
            g = self.g(x).float()
        return x + g, estimate_log_determinant(g, x)

    def forward(self, z):
        """The x whose latents are z, and an estimate of each log determinant."""
        x = z
        for _ in range(self.iterations):
            before, x = x, z - self.g(x)
            if (x - before).abs().max() < self.tolerance:
                break
        return x, -self.inverse(x)[1]


def estimate_log_determinant(g, x):
    r"""Log determinant of I + J for each image; J is the Jacobian of g in x.

    .. math:: \log\det(I + J) = \sum_{k \ge 1} \frac{(-1)^{k+1}}{k} \mathrm{tr} J^k

    The number of terms is drawn, and each term divided by the probability that it is
    reached, which leaves the mean as it is; traces are :math:`v^T J^k v` with normal v
    (Chen et al. 2019).  The gradient has a series of its own,
    :math:`v^T \sum_k (-J)^k \, \partial J \, v`, of which only the last product is
    differentiated.
    """
    v = torch.randn_like(x)
    power, series, value = v, v, 0.0
    for k, weight in enumerate(roulette(), start=1):
        (power,) = torch.autograd.grad(g, x, power, retain_graph=True)
        value = value - (-1) ** k * weight / k * (power * v).flatten(1).sum(1)
        series = series + (-1) ** k * weight * power
    if not torch.is_grad_enabled():
        return value
    (product,) = torch.autograd.grad(g, x, series, create_graph=True)
    slope = (product * v).flatten(1).sum(1)
    return value + slope - slope.detach()


def roulette():
    """Weights of the terms that are computed: one over the chance to get so far."""
    further = int(torch.empty(()).geometric_(STOP))
    return [1.0] * EXACT + [(1 - STOP) ** -i for i in range(further)]


class Logit(nn.Module):
    """Latents fill the whole line, images (-0.5, 0.5) and a little beyond."""

    def __init__(self):
        super().__init__()
        self.sigmoid = nn.Sigmoid()

    def inverse(self, x):
        """Latents of x, and the log determinant of each."""
        y = 0.5 + SHRINK * x
        slope = SHRINK / (y * (1 - y))
        return y.logit(), slope.log().sum((1, 2, 3))

    def forward(self, z):
        """The x whose latents are z, and the log determinant of each."""
        y = self.sigmoid(z)
        slope = y * (1 - y) / SHRINK
        return (y - 0.5) / SHRINK, slope.log().sum((1, 2, 3))


def residual_flow(depth=DEPTH, hidden=HIDDEN, dense=DENSE):
    """Logit, then, at each of three sides: squeeze, and blocks between actnorms."""
    import normflows as nf

    flows = []
    for i, (n, width) in enumerate(zip(depth, hidden, strict=True)):
        channels, side = 12 * 4**i, 16 // 2**i
        flows += [nf.flows.Squeeze(), nf.flows.ActNorm((channels, 1, 1))]
        for _ in range(n):
            flows.append(ResidualBlock(contraction(channels, width, side)))
            flows.append(nf.flows.ActNorm((channels, 1, 1)))
    blocks, width = dense
    for _ in range(blocks):
        flows.append(ResidualBlock(dense_contraction(channels, width, side)))
        flows.append(nf.flows.ActNorm((channels, side, side)))
    base = nf.distributions.DiagGaussian((channels, side, side))
    return nf.MultiscaleFlow([base], [flows[::-1]], [], Logit(), class_cond=False)


class ResidualFlow(Likelihood):
    """Residual flow (Chen et al. 2019): every step is the identity plus a contraction.

    As in the configuration of the paper for faces, images have 5 bits and are squeezed
    first, nothing is split off between the resolutions, the prior is one normal
    distribution, and the last blocks are fully connected.
    """

    def __init__(self, *, depth=DEPTH, dense=DENSE, rate=3e-3, **options):
        super().__init__(residual_flow(depth, dense=dense), rate=rate, **options)

    def step(self, x, progress=1.0):
        """One step on the likelihood, then one power iteration of every norm."""
        losses = super().step(x, progress)
        settle(self.generator)
        return losses

    def calibrate(self, average, batches):
        """Find the norms of the averaged weights."""
        settle(average, 50)


def settle(network, iterations=1):
    """Iterate the directions of all layers of a residual flow."""
    for module in network.modules():
        if isinstance(module, Lipschitz):
            module.settle(iterations)
