"""The zoo: what a step, a resume and a sample do, and how results are stored."""

import copy
import io
import json
import re
import shutil
import subprocess
from dataclasses import replace as changed
from pathlib import Path

import click
import numpy as np
import pytest
import torch
from diffusers.models.downsampling import downsample_2d
from diffusers.models.upsampling import Upsample2D, upsample_2d
from normflows.flows import ActNorm, Squeeze
from PIL import Image
from safetensors.torch import load_file
from torch import nn
from torch.fx.experimental import _config as meta_config

from manifpt_utils._support.paths import DATA
from manifpt_utils.images import gm_photo
from manifpt_utils.images.catalogue import CORE
from manifpt_utils.images.experiments import load_experiments
from manifpt_utils.images.factors import read_factors
from manifpt_utils.images.loading import load
from manifpt_utils.images.manifest import read_manifest, verified
from manifpt_utils.images.photograph import PhotoManifold
from manifpt_utils.images.sheets import cut_sheet
from manifpt_utils.zoo import (
    biggan,
    card,
    flow,
    ncsn,
    packing,
    plan,
    quality,
    records,
    stylegan,
    stylegan3,
    styleswin,
    training,
    vae,
    vae_bm,
    vdvae,
)
from manifpt_utils.zoo.command import command
from manifpt_utils.zoo.fir import FILTER, FIRDownsample, FIRUpsample
from manifpt_utils.zoo.registry import EXPERIMENTS, MODELS, find, steps_of

# The flow library computes its first weights with a function torch is phasing out.
pytestmark = pytest.mark.filterwarnings("ignore:torch.lu is deprecated")

BATCH = {"wgan_gp": 15, "wgan_lp": 15}  # five critic steps share a batch


def state_of(model, folder, *, seed=0):
    row = changed(find(model), batch=BATCH.get(model, 4))
    folder.mkdir(parents=True, exist_ok=True)
    return training.State(row, seed, folder, model)


def loop(state, images, steps, *, every=1):
    training._loop(state, images, steps, every, state.model)


@pytest.fixture(scope="module")
def images():
    views = PhotoManifold("coffee").sample(40, seed=0)
    return torch.from_numpy(views).permute(0, 3, 1, 2).contiguous()


@pytest.fixture(scope="module")
def trained(tmp_path_factory, images):
    """Every model after three uninterrupted steps."""
    folder = tmp_path_factory.mktemp("whole")
    states = {model: state_of(model, folder / model) for model in MODELS}
    for state in states.values():
        loop(state, images, 3)
    return states


# Training


@pytest.mark.parametrize("model", MODELS)
def test_training_moves_every_parameter(model, trained, tmp_path):
    before = dict(state_of(model, tmp_path).recipe.networks.named_parameters())
    after = dict(trained[model].recipe.networks.named_parameters())
    still = [name for name in after if torch.equal(before[name], after[name])]
    # Adding a constant to all scores changes no Wasserstein loss.
    free = ["d.8.bias"] if model.startswith("wgan") else []
    assert [name for name in still if name not in free] == []


@pytest.mark.parametrize("model", MODELS)
def test_an_interrupted_training_ends_where_a_whole_one_does(
    model, trained, images, tmp_path, monkeypatch
):
    def interrupt(losses, step, state):
        if step == 2:
            raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(training, "_check_finite", interrupt)
        with pytest.raises(KeyboardInterrupt):
            loop(state_of(model, tmp_path), images, 3)
    torch.rand(3)  # whatever else happens in between
    resumed = state_of(model, tmp_path)
    resumed.resume()
    assert resumed.step == 2
    loop(resumed, images, 3)
    for a, b in (
        (trained[model].recipe.networks, resumed.recipe.networks),
        (trained[model].average, resumed.average),
    ):
        ours, theirs = a.state_dict(), b.state_dict()
        assert all(torch.equal(ours[name], theirs[name]) for name in ours)


def test_other_seeds_give_other_weights(trained, images, tmp_path):
    other = state_of("dcgan", tmp_path, seed=1)
    loop(other, images, 1)
    weights = [s.recipe.generator[1].weight for s in (other, trained["dcgan"])]
    assert not torch.allclose(*weights)


def test_the_caller_s_random_state_is_left_alone(images, tmp_path):
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    loop(state_of("dcgan", tmp_path), images, 1)
    assert torch.equal(torch.rand(3), expected)


def test_an_annealed_rate_falls_to_zero_in_the_second_half():
    optimiser = torch.optim.Adam([nn.Parameter(torch.ones(1))], 0.1)
    rates = []
    for progress in (0.0, 0.5, 0.75, 1.0):
        training._anneal([optimiser], progress)
        rates.append(optimiser.param_groups[0]["lr"])
    np.testing.assert_allclose(rates, [0.1, 0.1, 0.05, 0.0])


def break_loss(state):
    state.recipe.step = lambda x, progress: {"loss": float("nan")}


def break_weights(state):
    def step(x, progress):
        with torch.no_grad():
            state.recipe.generator[1].weight[0] = torch.nan
        return {"loss": 1.0}

    state.recipe.step = step


@pytest.mark.parametrize("breaking", [break_loss, break_weights])
def test_a_diverged_training_stops_and_keeps_its_last_good_state(
    breaking, images, tmp_path
):
    state = state_of("dcgan", tmp_path)
    loop(state, images, 2)
    breaking(state)
    with pytest.raises(FloatingPointError, match="dcgan, seed 0.*at step 2"):
        loop(state, images, 4)
    again = state_of("dcgan", tmp_path)
    again.resume()
    assert again.step == 2
    assert all(p.isfinite().all() for p in again.recipe.networks.parameters())


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a full device")
def test_a_full_disk_keeps_the_last_complete_state(images, tmp_path):
    state = state_of("dcgan", tmp_path)
    loop(state, images, 1)
    kept = state.path.read_bytes()
    state.path.with_suffix(".part").symlink_to("/dev/full")
    with pytest.raises(OSError, match="free some space.*kept in .*checkpoint.pt"):
        loop(state, images, 2)
    assert state.path.read_bytes() == kept


def test_a_checkpoint_of_another_model_or_architecture_is_refused(trained, tmp_path):
    shutil.copy(trained["dcgan"].path, tmp_path)
    with pytest.raises(ValueError, match="'dcgan'.*'lsgan'.*delete it"):
        state_of("lsgan", tmp_path).resume()
    wide = changed(MODELS["dcgan"], build=MODELS["wgan_gp"].build)
    with pytest.raises(ValueError, match="another architecture of dcgan; delete it"):
        training.State(wide, 0, tmp_path, "dcgan").resume()


def test_unknown_names_are_refused_with_the_nearest(tmp_path, capsys):
    with pytest.raises(ValueError, match="'dcgann'; did you mean 'dcgan'"):
        training.train("dcgann", photo="coffee", root=tmp_path)
    with pytest.raises(ValueError, match="'flowr'; did you mean 'flower'"):
        training.train("dcgan", photo="flowr", root=tmp_path)
    assert not list(tmp_path.iterdir())
    with pytest.raises(click.ClickException, match="unknown model 'glo'.*'glow'"):
        main(["train", "--model", "glo", "--root", str(tmp_path)])


@pytest.fixture
def imaginary(monkeypatch):
    """A device without numbers: work that strays to another device is an error."""
    monkeypatch.setattr(torch.Tensor, "item", lambda x: 1.0)
    monkeypatch.setattr(torch.Tensor, "__bool__", lambda x: True)
    for optimiser in (torch.optim.Adam, torch.optim.Adamax):  # fused ones need numbers
        monkeypatch.setattr(optimiser, "step", lambda self: None)
    assumed = meta_config.patch(meta_nonzero_assume_all_nonzero=True)
    with assumed, torch.device("meta"):
        yield


# The libraries behind these read numbers off the device to index with them.
READING = {"glow", "macow", "residual_flow", "ddpm"}


@pytest.mark.parametrize("model", [m for m in MODELS if m not in READING])
def test_training_and_sampling_stay_on_the_device_they_are_given(model, imaginary):
    recipe = MODELS[model].build()
    losses = recipe.step(torch.rand(BATCH.get(model, 4), 3, 32, 32), 0.5)
    if hasattr(recipe, "sampling_steps"):
        recipe.sampling_steps = 2
    assert losses
    assert recipe.sample(recipe.generator, 4).device.type == "meta"


def test_work_on_two_devices_is_found_out(imaginary):
    with pytest.raises(RuntimeError, match="device"):
        MODELS["dcgan"].build().generator(torch.zeros(4, 64, device="cpu"))


def test_a_device_that_is_not_there_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    for device, words in (("cuda", "no CUDA device; leave"), ("tpu", "got 'tpu'")):
        with pytest.raises(ValueError, match=words):
            training.train("dcgan", photo="coffee", root=tmp_path, device=device)
    assert not list(tmp_path.iterdir())


# Samples


@pytest.mark.parametrize("model", MODELS)
def test_samples_are_8_bit_images_that_repeat_with_the_seed(model, trained):
    recipe, network = trained[model].recipe, trained[model].average.module
    if hasattr(recipe, "sampling_steps"):
        recipe.sampling_steps = 3
    a, b, c = (training.draw(recipe, network, 4, seed=s) for s in (0, 0, 1))
    assert a.shape == (4, 32, 32, 3) and a.dtype == np.uint8
    assert np.array_equal(a, b) and not np.array_equal(a, c)
    assert len(np.unique(a.reshape(4, -1), axis=0)) == 4


def test_the_flow_inverts(trained, images):
    flow = trained["glow"].recipe.generator
    x = images[:8] / 256 - 0.5
    with torch.no_grad():
        z, down = flow.inverse_and_log_det(x)
        back, up = flow.forward_and_log_det(z)
    assert sum(part[0].numel() for part in z) == x[0].numel()
    torch.testing.assert_close(back, x, atol=1e-4, rtol=0)
    torch.testing.assert_close(up, -down, atol=0.1, rtol=1e-4)


class EchoFlow(nn.Module):
    """A perfect flow: its samples are dequantised real images."""

    def __init__(self, images):
        super().__init__()
        self.images = images

    def set_temperature(self, temperature):
        pass

    def sample(self, n):
        return flow.dequantise(self.images[:n] / 127.5 - 1), None


def test_dequantised_levels_are_undone_without_bias(images):
    """Of five bits, a perfect flow errs by less than a level, zero in the mean."""
    drawn = training.draw(flow.Glow(), EchoFlow(images), 8)
    error = drawn - images[:8].permute(0, 2, 3, 1).numpy().astype(float)
    assert np.abs(error).max() <= 8 and abs(error.mean()) < 0.15


@pytest.mark.parametrize("width", [1.0, 8.0])
def test_dequantisation_noise_is_centred_and_as_wide_as_asked(width):
    torch.manual_seed(0)
    grey = torch.full((1, 3, 64, 64), 124 / 127.5 - 1)  # lowest of levels 124 to 131
    values = (flow.dequantise(grey, width) + 0.5) * 32
    assert abs(values.mean() - 15.5) < 0.02 * width + 0.02
    assert abs((values.max() - values.min()) - width) < 0.01 * width


def critic_of_slope(norm):
    """A linear critic whose gradient has the given norm everywhere."""
    return lambda x: norm / 3072**0.5 * x.flatten(1).sum(1)


@pytest.mark.parametrize("model", ["wgan_gp", "wgan_lp", "dragan_gp", "dragan_lp"])
def test_the_gradient_penalty_spares_slopes_below_one_if_one_sided(model, images):
    recipe, real = MODELS[model].build(), images[:8] / 127.5 - 1
    found = []
    for norm in (0.5, 1.0, 1.5):
        recipe.critic = critic_of_slope(norm)
        found.append(recipe._gradient_penalty(real, -real).item())
    below = 0.0 if model.endswith("lp") else 0.25
    np.testing.assert_allclose(found, [below, 0.0, 0.25], atol=1e-2)


@pytest.mark.parametrize(("model", "near"), [("wgan_gp", False), ("dragan_gp", True)])
def test_dragan_penalises_next_to_real_images_and_wgan_does_not(model, near, images):
    recipe, real = MODELS[model].build(), images[:8] / 127.5 - 1
    seen = []
    recipe.critic = lambda x: seen.append(x.detach()) or x.flatten(1).sum(1)
    recipe._gradient_penalty(real, torch.full_like(real, 9.0))
    step = seen[0] - real
    assert step.abs().max() > 0.1 * real.std()
    assert (step.abs().max() <= 0.5 * real.std()) == near


def test_averaged_spectral_norms_are_one_after_calibration(trained, images):
    recipe = trained["biggan_deep"].recipe
    network = copy.deepcopy(trained["biggan_deep"].average.module)
    recipe.calibrate(network, [images] * 20)
    network.eval()
    weights = [m.weight for m in network.modules() if isinstance(m, nn.Conv2d)]
    norms = [torch.linalg.matrix_norm(w.flatten(1), 2).item() for w in weights]
    assert len(norms) == 13
    np.testing.assert_allclose(norms, 1.0, atol=0.05)


def test_the_skip_of_a_generator_block_repeats_pixels_and_drops_channels():
    block = biggan.GeneratorBlock(8, 4, 5)
    block.convolutions[3].forward = lambda x: torch.zeros(2, 4, 6, 6)
    x = torch.randn(2, 8, 3, 3)
    y = block.eval()(x, torch.randn(2, 5))
    expected = x[:, :4].repeat_interleave(2, 2).repeat_interleave(2, 3)
    torch.testing.assert_close(y, expected)


def test_demodulated_filters_have_unit_norm_image_by_image():
    torch.manual_seed(0)
    layer = stylegan.ModulatedConvolution(5, 7, 6)
    x, w = torch.randn(4, 5, 8, 8), torch.randn(4, 6)
    filters = layer.weight * layer.style(w)[:, None, :, None, None]
    filters = filters / filters.flatten(2).norm(dim=2)[..., None, None, None]
    each = [
        nn.functional.conv2d(a[None], f, padding=1)
        for a, f in zip(x, filters, strict=True)
    ]
    torch.testing.assert_close(layer(x, w), torch.cat(each), atol=1e-4, rtol=1e-4)


def test_the_deviation_within_a_minibatch_is_an_extra_channel():
    x = torch.randn(2, 3, 4, 4).repeat(2, 1, 1, 1)
    x[2:] += 2.0
    found = stylegan.minibatch_deviation(x, group=2)
    assert torch.equal(found[:, :3], x)
    torch.testing.assert_close(found[:, 3], torch.ones(4, 4, 4))
    alike = stylegan.minibatch_deviation(torch.ones(4, 3, 4, 4))
    assert alike[:, 3].abs().max() < 1e-3


def test_the_slope_penalty_comes_every_sixteenth_step(images):
    recipe, real = stylegan.StyleGan2(), images[:4] / 127.5 - 1
    penalised = []
    slope = recipe._squared_slope
    done = recipe.networks.done
    recipe._squared_slope = lambda x: penalised.append(done.item()) or slope(x)
    for step in (0, 1, 15, 16):
        done.fill_(step)
        recipe.step(real)
    assert penalised == [0, 16]


def test_half_precision_weights_are_read_back(trained, tmp_path):
    network = trained["beta_vae"].average.module
    path = tmp_path / "weights.safetensors"
    training.save_weights(network, path)
    other = MODELS["beta_vae"].build().generator
    training.load_weights(other, path)
    for name, value in network.state_dict().items():
        torch.testing.assert_close(
            other.state_dict()[name], value, rtol=1e-3, atol=1e-6
        )
    stored = {v.dtype for v in load_file(path).values() if v.is_floating_point()}
    assert stored == {torch.float16}


# Parts


@pytest.mark.parametrize(
    "ours, theirs, sides",
    [
        (FIRUpsample(), upsample_2d, (16, 12)),
        (FIRDownsample(), downsample_2d, (8, 6)),
    ],
)
def test_resampling_filters_agree_with_diffusers(ours, theirs, sides):
    x = torch.randn(2, 3, *sides)
    torch.testing.assert_close(ours(x), theirs(x, FILTER))


def test_probabilities_of_all_levels_sum_to_one():
    torch.manual_seed(0)
    parameters = torch.randn(1, 30, 1, 1)
    means = parameters[:, 3:].unflatten(1, (3, 3, 3))[:, 0]
    means[:, :, 1], means[:, :, 2] = 99.0, -99.0  # green is surely 255, blue 0
    red = torch.arange(256) / 127.5 - 1
    colours = torch.stack([red, torch.ones(256), -torch.ones(256)], 1)[..., None, None]
    p = (
        vdvae.LogisticMixture()
        .log_likelihood(parameters.expand(256, -1, -1, -1), colours)
        .exp()
    )
    assert abs(p.sum() - 1) < 1e-5 and (p > 0).all()


def test_colours_are_drawn_as_likely_as_the_mixture_says():
    torch.manual_seed(0)
    mixture, parameters = vdvae.LogisticMixture(), torch.randn(1, 30, 1, 1)
    parameters = parameters.expand(200_000, -1, -1, -1)
    drawn = mixture(parameters, temperature=1.0)
    levels = (drawn * 127.5 + 127.5).round().double()
    box = levels[((levels - levels.mean(0).round()).abs() <= 30).flatten(1).all(1)]
    images = (box / 127.5 - 1).float()
    p = mixture.log_likelihood(parameters[: len(box)], images).double().exp()
    # The mean of 1 / p over all draws in a box is the number of colours there.
    assert abs((1 / p).sum() / len(drawn) / 61**3 - 1) < 0.1


def test_without_temperature_a_pixel_is_the_centre_of_its_likeliest_component():
    torch.manual_seed(0)
    mixture, parameters = vdvae.LogisticMixture(), 0.2 * torch.randn(50, 30, 1, 1)
    parameters[:, 1] = parameters[:, :3].amax(1) + 0.1  # the second of three
    means, _, slopes = parameters[:, 3:].unflatten(1, (3, 3, 3))[:, :, 1].unbind(1)
    red, green, blue = means.unbind(1)
    first, second, third = slopes.tanh().unbind(1)
    green = green + first * red
    expected = torch.stack([red, green, blue + second * red + third * green], 1)
    torch.testing.assert_close(mixture(parameters), expected)
    warm = mixture(parameters, temperature=1e-4)
    torch.testing.assert_close(warm, expected, rtol=0, atol=1e-3)
    assert (mixture(parameters, temperature=1.0) - expected).abs().mean() > 0.1


class GaussianScore:
    """The score of Gaussian images, of one deviation in every pixel."""

    mean = 0.25

    def __call__(self, x, sigma):
        return -x / (sigma**2 + ncsn.SPREAD**2)


def test_with_the_true_score_the_sampler_draws_the_true_images():
    torch.manual_seed(0)
    x = ncsn.ScoreMatching().sample(GaussianScore(), 8)
    assert abs(x.mean() - 0.25) < 0.02 and abs(x.std() / ncsn.SPREAD - 1) < 0.05


def test_soft_truncation_moves_the_smallest_noise_level():
    torch.manual_seed(0)
    lowest = {}
    for soft in (False, True):
        recipe = ncsn.ScoreMatching(soft_truncation=soft)
        levels = torch.stack([recipe._levels(500).flatten() for _ in range(50)])
        assert levels.min() >= ncsn.SMALLEST and levels.max() <= ncsn.LARGEST
        lowest[soft] = levels.min(1).values.log()
    assert lowest[False].std() < 0.05 < 1 < lowest[True].std()


def test_features_are_frozen_and_pass_a_gradient_to_the_image(images):
    x = (images[:2] / 127.5 - 1).requires_grad_(True)
    layers = vae.frozen_features()(x)
    assert [layer.shape[1:] for layer in layers] == [
        (32, 16, 16), (32, 16, 16), (64, 8, 8), (128, 4, 4)
    ]  # fmt: skip
    sum(layer.sum() for layer in layers).backward()
    assert x.grad.abs().max() > 0
    names = dict(vae.DfcVae().networks.named_parameters())
    assert names.keys() == dict(vae.BetaVae().networks.named_parameters()).keys()


# Design factors

UP = {
    nn.ConvTranspose2d: "transposed_conv",
    Upsample2D: "nearest",
    Squeeze: "unsqueeze",
    FIRUpsample: "fir",
    nn.UpsamplingNearest2d: "nearest",
    styleswin.BilinearUpsample: "bilinear",
    stylegan3.SincUpsample: "sinc_filter",
}
DOWN = {FIRDownsample: "fir", nn.AvgPool2d: "avg_pool", Squeeze: "squeeze"}
LAST = {
    nn.Tanh: "tanh",
    nn.Sigmoid: "sigmoid",
    vdvae.LogisticMixture: "logistic_mix",
    vae_bm.GaussianMean: "gaussian_mean",
}
NORM = {
    nn.BatchNorm2d: "batch",
    nn.GroupNorm: "group",
    nn.InstanceNorm2d: "instance",
    nn.InstanceNorm1d: "instance",
    ActNorm: "actnorm",
    stylegan.ModulatedConvolution: "demodulation",
}


def kinds(network, table):
    return {
        value
        for module in network.modules()
        for kind, value in table.items()
        if isinstance(module, kind)
    }


def image_former(recipe):
    return getattr(recipe.generator, "decoder", recipe.generator)


def shrinking(networks):
    strided = any(
        type(m) is nn.Conv2d and m.stride == (2, 2) for m in networks.modules()
    )
    return kinds(networks, DOWN) or {"strided_conv" if strided else "none"}


@pytest.mark.parametrize("model", MODELS)
def test_the_table_of_factors_says_what_the_code_does(model, trained):
    table = read_factors((DATA / "factors.csv").read_bytes())
    row, recipe = table.loc[model], trained[model].recipe
    former = image_former(recipe)
    assert row["family"] == MODELS[model].family
    assert (kinds(former, UP) or {"none"}) == {row["up"]}
    assert (kinds(former, NORM) or {"none"}) == {row["norm"]}
    assert LAST.get(type(list(former.modules())[-1]), "identity") == row["nl_last"]
    assert shrinking(recipe.networks) == {row["down"]}


def test_models_of_one_architecture_differ_in_the_loss_only():
    table = read_factors((DATA / "factors.csv").read_bytes())
    suite = ["dcgan", "lsgan", "wgan_gp", "wgan_lp", "dragan_gp", "dragan_lp"]
    rows = table.loc[suite].drop(columns=["loss", "loss_fine"])
    assert len(rows.drop_duplicates()) == 1
    weights = [MODELS[m].build().generator.state_dict() for m in rows.index]
    shapes = [{k: v.shape for k, v in w.items()} for w in weights]
    assert all(shape == shapes[0] for shape in shapes)


# Storing


@pytest.fixture(scope="module")
def samples():
    """45 views, four of them made extreme: lossless means these, too."""
    views = PhotoManifold("coffee").sample(45, seed=3)
    views[0], views[1] = 0, 255
    views[2] = np.random.default_rng(0).integers(0, 256, views[2].shape)
    views[3, ::2] = 255
    return views


def write_run(root, name, samples, *, photo="coffee"):
    """A finished training, as `train` leaves it, without the training."""
    folder = root / photo / name
    folder.mkdir(parents=True)
    model, seed = name.split("-")
    record = {"model": model, "seed": int(seed), "photo": photo, "batch": 64}
    record |= {"parameters": 1234, "steps": 300, "training_cpu_seconds": 12.6}
    record["losses"] = [{"step": i, "loss": 1 / (1 + i)} for i in range(300)]
    (folder / "record.json").write_text(json.dumps(record))
    (folder / "weights.safetensors").write_bytes(name.encode())
    np.save(folder / "samples.npy", samples)
    return folder


@pytest.fixture(autouse=True, scope="module")
def few_views():
    """Measure and load less than for the real data."""
    with pytest.MonkeyPatch.context() as patch:
        for module in (packing, quality):
            patch.setattr(module, "PROJECTED", 4)
        for module in (packing, quality, card):
            patch.setattr(module, "COMPARED", 12)
        patch.setattr(gm_photo, "N_TEST", 3)
        yield


@pytest.fixture(scope="module")
def packed(tmp_path_factory, samples):
    """Two finished trainings and one that is not, and the data folder made of them."""
    folder = tmp_path_factory.mktemp("packed")
    root, data = folder / "runs", folder / "data"
    write_run(root, "dcgan-0", samples)
    write_run(root, "beta_vae-1", samples[::-1])
    (root / "coffee" / "glow-0").mkdir()
    (root / "coffee" / "glow-0" / "checkpoint.pt").write_bytes(b"x")
    data.mkdir()
    for name in ("README.md", "factors.csv"):
        shutil.copy(DATA / name, data)
    sheets = packing.pack(root, data=data)
    assert [p.name for p in sheets] == ["beta_vae-1.webp", "dcgan-0.webp"]
    return folder


@pytest.fixture
def root(tmp_path, packed):
    return Path(shutil.copytree(packed / "runs", tmp_path / "runs"))


@pytest.fixture
def data(tmp_path, packed):
    return Path(shutil.copytree(packed / "data", tmp_path / "data"))


@pytest.mark.parametrize("n", [1, 40, 45])
def test_a_sheet_gives_every_bit_back(samples, n):
    content = packing.encode(samples[:n])
    with Image.open(io.BytesIO(content)) as image:
        assert image.format == "WEBP" and image.size == (40 * 32, -(-n // 40) * 32)
        sheet = np.array(image)
    assert np.array_equal(cut_sheet(sheet, n, (32, 32, 3)), samples[:n])


def test_an_encoder_that_loses_bits_is_found_out(samples, monkeypatch):
    save = Image.Image.save

    def lossy(image, file, kind, **options):
        save(image, file, kind, quality=80)

    monkeypatch.setattr(Image.Image, "save", lossy)
    with pytest.raises(ValueError, match="changed pixels"):
        packing.encode(samples)


def test_packed_trainings_are_loaded_as_they_were(data, samples):
    found = load("gm-photo/coffee", n_real=1, data_folder=data)
    assert found.models == ["dcgan"]
    assert np.array_equal(found.images["dcgan"], samples)
    assert not list(data.rglob("*.part"))


def test_the_manifest_lists_every_file_with_its_hash(data):
    manifest = read_manifest(data)
    listed = {data / name for name in manifest}
    present = {p for p in data.rglob("*") if p.is_file()}
    assert present - listed == {data / "README.md", data / "manifest.json"}
    for name, entry in manifest.items():
        assert len(verified(data, name, manifest)) == entry["bytes"]
    assert manifest["gm-photo/coffee/dcgan-0.webp"]["images"] == 45


def test_records_keep_a_thin_line_of_losses_and_what_was_measured(data):
    text = (data / "gm-photo" / "coffee" / "dcgan-0.json").read_text()
    record = json.loads(text)
    steps = [entry["step"] for entry in record["losses"]]
    assert len(steps) == 50 and steps[0] == 0 and steps[-1] == 299
    assert steps == sorted(set(steps))
    found = record["quality"]
    assert found["projected"] == 4 and found["mean_distance"] > 1000
    assert found["compared"] == 12 and 0 <= found["recall"] <= 1
    assert packing.thin([1, 2, 3]) == [1, 2, 3]


def test_packing_again_changes_nothing_but_what_changed(root, data, samples):
    before = {p: p.read_bytes() for p in data.rglob("*") if p.is_file()}
    packing.pack(root, data=data)
    assert before == {p: p.read_bytes() for p in data.rglob("*") if p.is_file()}
    for kept in (samples[5:], samples[5:15]):  # the second is a part of the first
        np.save(root / "coffee" / "dcgan-0" / "samples.npy", kept)
        packing.pack(root, data=data)
        found = load("gm-photo/coffee", n_real=1, data_folder=data)
        assert np.array_equal(found.images["dcgan"], kept)
    with Image.open(data / "gm-photo" / "coffee" / "dcgan-0.webp") as sheet:
        assert sheet.height == 32


def test_the_table_of_the_data_card_comes_from_the_records(data):
    ours = (DATA / "README.md").read_text(encoding="utf-8")
    theirs = (data / "README.md").read_text(encoding="utf-8")
    for mark, side in ((card.BEGIN, 0), (card.END, 1)):
        assert ours.split(mark)[side] == theirs.split(mark)[side]
    table = theirs.split(card.BEGIN)[1].split(card.END)[0]
    rows = [line for line in table.splitlines() if re.match(r"\| [a-z*]", line)]
    names = [row.removeprefix("| ").split(" | ")[0] for row in rows]
    asked = ["dcgan", "beta_vae", "*real views*", "dcgan, 0", "beta_vae, 1"]
    assert names == asked
    assert max(row.count("|") for row in table.splitlines()) <= 9  # eight columns
    assert "*coffee*" in table and "| 1,234 | 300 | 64 | 13 | 45 |" in rows[0]
    assert "2 sheets hold 90 samples" in table


def test_the_card_counts_the_starts_that_collapsed():
    records = [{"model": "up_pixel_shuffle"}] * 3
    assert "2 of 5 starts of *up_pixel_shuffle*" in card._of_collapsed(records)
    stored = (DATA / "README.md").read_text(encoding="utf-8")
    assert "13 of 15 starts of *down_fir*" in stored


def test_the_table_tells_processor_from_gpu(root, data):
    folder = root / "coffee" / "dcgan-0"
    record = json.loads((folder / "record.json").read_text())
    (folder / "record.json").write_text(json.dumps(record | {"device": "cuda"}))
    packing.pack(root, data=data)
    table = (data / "README.md").read_text(encoding="utf-8")
    assert "| dcgan | 0 | 1,234 | 300 | 64 | 13 (GPU) | 45 |" in table
    assert "| beta_vae | 1 | 1,234 | 300 | 64 | 13 | 45 |" in table


def test_only_what_lacks_a_quality_is_measured(data):
    assert packing.measure(data) == []
    path = data / "gm-photo" / "coffee" / "dcgan-0.json"
    record = json.loads(path.read_text())
    found = record.pop("quality")
    path.write_text(json.dumps(record))
    assert packing.measure(data) == [path]
    assert json.loads(path.read_text())["quality"] == found


def test_the_core_keeps_most_samples():
    trainings = [
        plan.Training("dcgan", "flower", 0),
        plan.Training("ddpm", "astronaut", 0),
        plan.Training("dcgan", "coffee", 1),
        plan.Training("base", "coffee", 0),
    ]
    assert [*map(packing.stored_samples, trainings)] == [1000, 300, 200, 150]


def test_experiments_are_stored_apart_and_loaded_by_run(root, data, samples):
    for i, name in enumerate(("base-0", "up_fir-0", "up_fir-1")):
        write_run(root, name, samples[i:])
    packing.pack(root, data=data)
    found = load_experiments("coffee", n=3, data_folder=data)
    assert list(found.designs.index) == ["base-0", "up_fir-0", "up_fir-1"]
    assert found.designs["up"].tolist() == ["transposed_conv", "fir", "fir"]
    assert np.array_equal(found.images[found.runs == "up_fir-1"], samples[2:5])
    assert load("gm-photo/coffee", n_real=1, data_folder=data).models == ["dcgan"]
    assert "| up_fir | 2 | 13 |" in (data / "README.md").read_text(encoding="utf-8")
    with pytest.raises(ValueError, match="n=44 .*'up_fir-1' holds 43"):
        load_experiments("coffee", n=44, data_folder=data)
    with pytest.raises(ValueError, match="no controlled experiments on 'cofee'; did"):
        load_experiments("cofee", data_folder=data)


def test_quality_of_real_views_is_rounding_and_of_noise_is_not():
    manifold = PhotoManifold("coffee")
    on_manifold = quality._on_the_manifold
    views = on_manifold("coffee", manifold.sample(12, seed=4))
    noise = np.random.default_rng(0).integers(0, 256, (12, 32, 32, 3), dtype=np.uint8)
    assert 10 < views["mean_distance"] < 20  # sqrt(3072 / 12) = 16
    assert on_manifold("coffee", noise[:2])["mean_distance"] > 3000
    one_place = on_manifold("coffee", manifold.sample(1).repeat(12, axis=0))
    assert one_place["covered"] == round(1 / 64, 3) < views["covered"] <= 12 / 64
    real, bad = (
        quality.quality("coffee", x) for x in (manifold.sample(12, seed=4), noise)
    )
    assert real["frechet_distance"] < bad["frechet_distance"]
    assert real["precision"] > bad["precision"] == bad["coverage"] == 0


def test_what_cannot_be_packed_is_refused(root, data, tmp_path):
    with pytest.raises(ValueError, match="no finished training; run"):
        packing.pack(tmp_path / "nothing", data=data)
    np.save(root / "coffee" / "dcgan-0" / "samples.npy", np.zeros((3, 32, 32, 3)))
    with pytest.raises(ValueError, match=r"samples.npy must be uint8.*train again"):
        packing.pack(root, data=data)
    (data / "README.md").write_text("no table here")
    shutil.rmtree(root / "coffee" / "dcgan-0")
    with pytest.raises(ValueError, match="README.md must hold"):
        packing.pack(root, data=data)


def test_a_collapsed_generator_is_not_stored(root, data, samples, monkeypatch):
    for module in (packing, quality):
        monkeypatch.setattr(module, "PROJECTED", 6)
    write_run(root, "lsgan-0", samples[5:6].repeat(9, axis=0))
    with pytest.warns(UserWarning, match=r"lsgan-0 is not stored: .* in 2% .*another"):
        sheets = packing.pack(root, data=data)
    assert [p.name for p in sheets] == ["beta_vae-1.webp", "dcgan-0.webp"]
    assert not list(data.rglob("lsgan*"))


def test_a_few_samples_are_not_held_to_cells_they_cannot_reach():
    assert not quality.is_collapsed({"covered": 2 / 64, "projected": 2})
    assert quality.is_collapsed({"covered": 12 / 64, "projected": 150})
    assert not quality.is_collapsed({"covered": 13 / 64, "projected": 150})


def test_a_sheet_is_never_half_written(root, data, monkeypatch):
    before = (data / "gm-photo" / "coffee" / "dcgan-0.webp").read_bytes()
    np.save(root / "coffee" / "dcgan-0" / "samples.npy", np.zeros((3, 32, 32, 3), "u1"))

    def interrupt(source, target):
        raise KeyboardInterrupt

    monkeypatch.setattr(records.os, "replace", interrupt)
    with pytest.raises(KeyboardInterrupt):
        packing.pack(root, data=data)
    assert (data / "gm-photo" / "coffee" / "dcgan-0.webp").read_bytes() == before


# Command line


def main(arguments):
    """`manifpt zoo` without the end of the process."""
    command.main(arguments, standalone_mode=False)


def test_the_command_line_packs_and_relists(root, data, capsys):
    shutil.rmtree(data / "gm-photo")
    main(["pack", "--root", str(root), "--data", str(data)])
    assert "dcgan-0.webp" in capsys.readouterr().out
    with (data / "factors.csv").open("a") as file:
        file.write("own_model" + ",x" * 16 + "\n")
    with pytest.raises(ValueError, match="--only-manifest"):
        load("gm-photo/coffee", n_real=1, data_folder=data)
    main(["pack", "--only-manifest", "--data", str(data)])
    assert load("gm-photo/coffee", n_real=1, data_folder=data).models


def test_the_command_line_trains_resumes_and_shows(tmp_path, capsys, monkeypatch):
    views = PhotoManifold("coffee").sample(64, seed=0).transpose(0, 3, 1, 2)
    many = torch.from_numpy(views).repeat(100, 1, 1, 1)
    monkeypatch.setattr(training, "training_images", lambda photo: many)
    finish, calibrate = training._finish, vae.BetaVae.calibrate
    monkeypatch.setattr(training, "_finish", lambda *a: finish(*a, n=64))
    monkeypatch.setattr(
        vae.BetaVae, "calibrate", lambda *a: calibrate(*a[:2], a[2][:2])
    )
    root = ["--root", str(tmp_path)]
    main(["train", "--model", "beta_vae", "--steps", "1", *root])
    folder = tmp_path / "coffee" / "beta_vae-0"
    record = json.loads((folder / "record.json").read_text())
    assert record["steps"] == 1 and record["losses"][0]["step"] == 0
    assert record["device"] == "cpu"
    assert np.load(folder / "samples.npy").shape == (64, 32, 32, 3)
    main(["status", *root])
    assert "coffee/beta_vae-0: stored" in capsys.readouterr().out
    main(["sheet", "--model", "beta_vae", "--out", str(tmp_path / "s.png"), *root])
    with Image.open(tmp_path / "s.png") as image:
        assert image.size == (1024, 1024)
    with pytest.raises(click.ClickException, match="glow-0"):
        main(["sheet", "--model", "glow", *root])


# The plan


def test_the_plan_trains_each_once_and_what_the_table_lists(data):
    found = plan.planned(data)
    assert len(set(found)) == len(found)
    assert {t.model for t in found} <= {*MODELS, *EXPERIMENTS}
    assert plan.Training("up_fir", "coffee", 2) in found
    assert {(t.model, t.seed) for t in found if t.photo == "coffee"} >= {
        (model, seed) for model in CORE for seed in (0, 1, 2)
    }
    assert plan.Training("plain_gan", "coffee", 0) in found
    assert plan.Training("plain_gan", "flower", 0) not in found


def test_the_state_of_a_training_is_told(root, data, tmp_path):
    def told(model, seed):
        training = plan.Training(model, "coffee", seed)
        return plan.state(training, root=tmp_path / "runs", data=data)

    assert told("dcgan", 0) == "stored"
    write_run(root, "lsgan-0", np.zeros((1, 32, 32, 3), "u1"))
    assert told("lsgan", 0) == "trained"
    assert told("lsgan", 1) == "not begun"
    checkpoint = root / "coffee" / "dcgan-2" / "checkpoint.pt"
    checkpoint.parent.mkdir()
    torch.save({"step": 1000, "seconds": 50.0}, checkpoint)
    assert told("dcgan", 2) == "step 1000 of 5000, about 200 CPU seconds left"


def test_the_queue_runs_every_training_and_names_what_failed(tmp_path, monkeypatch):
    commands = []

    def run(command, *, stdout, env, **options):
        commands.append(command)
        assert env["OMP_NUM_THREADS"] == "1"
        stdout.write(b"out of disk")
        return subprocess.CompletedProcess(command, returncode="lsgan" in command)

    monkeypatch.setattr(plan.subprocess, "run", run)
    wanted = [plan.Training(m, "coffee", 0) for m in ("dcgan", "lsgan", "glow")]
    assert plan.train_all(wanted, root=tmp_path, jobs=2) == [wanted[1]]
    assert sorted(c[c.index("--model") + 1] for c in commands) == sorted(
        t.model for t in wanted
    )
    assert (tmp_path / "coffee" / "lsgan-0.log").read_bytes() == b"out of disk"


# What is stored


@pytest.fixture(scope="module")
def stored():
    paths = [p for pattern in records.RECORDS.values() for p in DATA.glob(pattern)]
    return [records.read_record(path) for path in paths]


def test_every_recipe_is_stored_at_least_once(stored):
    assert {record["model"] for record in stored} == {*MODELS, *EXPERIMENTS}
    missing = {t for t in plan.planned() if not plan.stored(t)}
    # Of 15 starts of this design two did not collapse.
    assert missing == {plan.Training("down_fir", "coffee", 15)}


def test_every_stored_training_took_the_steps_of_the_plan(stored):
    for record in stored:
        assert record["steps"] == steps_of(record["model"], record["photo"])


def test_no_stored_training_has_collapsed(stored):
    assert not any(quality.is_collapsed(record["quality"]) for record in stored)
    assert all(record["images"] >= 150 for record in stored)
