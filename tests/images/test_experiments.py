"""Controlled experiments: the designs, their networks, and how they are loaded."""

from collections import Counter

import pandas as pd
import pytest
import torch
from torch import nn

from manifpt_utils.images import experiments
from manifpt_utils.zoo import factorial
from manifpt_utils.zoo.fir import FIRDownsample, FIRUpsample
from manifpt_utils.zoo.registry import EXPERIMENTS, MODELS, find


def test_every_design_differs_from_the_base_in_one_factor():
    table = factorial.designs()
    base = vars(table.pop("base"))
    changed = {
        name: [f for f in base if base[f] != vars(design)[f]]
        for name, design in table.items()
    }
    assert all(name.startswith(f) for name, [f] in changed.items())
    counts = Counter(f for [f] in changed.values())
    assert set(counts) == set(factorial.LEVELS) == set(base)
    assert min(counts.values()) >= 2


def test_names_of_designs_and_models_do_not_collide():
    assert not set(EXPERIMENTS) & set(MODELS)
    with pytest.raises(ValueError, match="'up_nearst'; did you mean 'up_nearest'"):
        find("up_nearst")


@pytest.mark.parametrize("name", EXPERIMENTS)
def test_a_design_trains_every_parameter_and_draws_images(name):
    row = EXPERIMENTS[name]
    torch.manual_seed(0)
    recipe = row.build()
    before = {k: v.clone() for k, v in recipe.networks.named_parameters()}
    for _ in range(3):
        recipe.step(torch.rand(4 * recipe.critic_steps, 3, 32, 32) * 2 - 1)
    still = [
        k for k, v in recipe.networks.named_parameters() if torch.equal(v, before[k])
    ]
    # Adding a constant to all scores changes no Wasserstein loss, and a shift before
    # a norm has no effect but through rounding.
    assert [k for k in still if not k.endswith("bias")] == []
    recipe.generator.eval()
    drawn = recipe.sample(recipe.generator, 4)
    assert drawn.shape == (4, 3, 32, 32) and drawn.std() > 0
    bounded = factorial.designs()[name].nl_last != "identity"
    assert not bounded or drawn.abs().max() <= 1


UP = {
    nn.ConvTranspose2d: "transposed_conv",
    nn.UpsamplingNearest2d: "nearest",
    nn.PixelShuffle: "pixel_shuffle",
    FIRUpsample: "fir",
}
NORM = {
    nn.BatchNorm2d: "batch",
    nn.InstanceNorm2d: "instance",
    nn.GroupNorm: "group",
}
DOWN = {nn.AvgPool2d: "avg_pool", FIRDownsample: "fir"}


def kinds(network, table):
    return {table[type(m)] for m in network.modules() if type(m) in table}


@pytest.mark.parametrize("name", [n for n in EXPERIMENTS if n != "skip_image_skip"])
def test_the_networks_are_what_the_design_says(name):
    design, recipe = factorial.designs()[name], EXPERIMENTS[name].build()
    assert (kinds(recipe.generator, UP) or {"bilinear"}) == {design.up}
    assert kinds(recipe.generator, NORM) == {design.norm}
    assert (kinds(recipe.critic, DOWN) or {"strided_conv"}) == {design.down}
    assert type(recipe.generator.last) is factorial.LAST[design.nl_last]
    assert recipe.loss == design.loss and bool(recipe.penalty) == (
        design.loss == "wasserstein"
    )


def test_a_residual_connection_adds_no_parameter():
    plain, residual = (
        factorial.Generator(factorial.designs()[n]) for n in ("base", "skip_residual")
    )
    residual.load_state_dict(plain.state_dict())
    z = torch.randn(3, 64)
    assert not torch.allclose(plain(z), residual(z))
    for stage in residual.stages:
        stage.refine.forward = torch.zeros_like
    h = residual.stages[0](residual.stem(z))
    torch.testing.assert_close(h, residual.stages[0].grow(residual.stem(z)))


def test_an_image_skip_sums_colours_of_three_resolutions():
    network = factorial.Generator(factorial.designs()["skip_image_skip"]).eval()
    z, seen = torch.randn(2, 64), []
    network.last.register_forward_hook(lambda m, x, y: seen.append(x[0]))
    network(z)
    h = network.stem(z)
    first = network.stages[0](h)
    second = network.stages[1](first)
    parts = (
        network.image(second),
        *(c(h) for c, h in zip(network.colours, (first, second), strict=True)),
    )
    torch.testing.assert_close(seen[0], sum(parts))


def test_the_hinge_stops_where_scores_are_beyond_the_margin():
    recipe = EXPERIMENTS["loss_hinge"].build()
    beyond, within = torch.tensor([1.5, 2.0]), torch.tensor([0.5, 0.0])
    assert recipe._critic_loss(beyond, -beyond) == 0
    assert recipe._critic_loss(within, -within) == pytest.approx(1.5)
    assert recipe._generator_loss(within) == pytest.approx(-0.25)


@pytest.mark.parametrize("kind", ["strided_conv", "avg_pool", "fir"])
def test_downsampling_halves_and_sees_the_finest_checkerboard(kind):
    torch.manual_seed(0)
    layer = factorial.downsampling(kind, 3, 5)
    x = torch.randn(2, 3, 8, 8)
    board = (-1.0) ** (torch.arange(8)[:, None] + torch.arange(8))
    found = layer(x), layer(x + board)
    assert found[0].shape == (2, 5, 4, 4)
    assert (found[0] - found[1]).abs()[:, :, 1:-1, 1:-1].max() > 0.01


def test_one_factor_takes_the_base_and_that_factor_only():
    designs = pd.DataFrame(
        {"up": list("ttnbtt"), "norm": list("bbbbin")}, index=list("012345")
    )
    assert experiments.one_factor(designs, "up").to_dict() == dict(
        zip("0123", "ttnb", strict=True)
    )
    assert experiments.one_factor(designs, "norm").index.tolist() == list("0145")
    with pytest.raises(ValueError, match="unknown factor 'nrm'; did you mean 'norm'"):
        experiments.one_factor(designs, "nrm")
