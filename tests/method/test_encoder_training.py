"""Small encoders: the loss, the crops, the training command, the shipped weights."""

import json

import numpy as np
import pytest
import torch
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors import safe_open
from sklearn.linear_model import RidgeClassifier

from manifpt_utils.images.photograph import PHOTOGRAPHS, load_photograph
from manifpt_utils.method import encoder_training as module
from manifpt_utils.method.command import command
from manifpt_utils.method.encoder_training import (
    ENCODERS,
    SOURCES,
    augment,
    barlow_twins_loss,
    draw_crops,
    load_source,
    n_regions,
    train,
)
from manifpt_utils.method.spaces import make_space

METHODS = ("supervised", "selfsupervised")


def normal(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def called(*arguments):
    return CliRunner().invoke(command, ["encoder", "--method", *arguments])


# Barlow Twins


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 1000), st.integers(3, 20), st.integers(2, 6))
def test_loss_is_the_double_sum_of_its_definition(seed, n, d):
    a, b = normal(n, d, seed=seed), normal(n, d, seed=seed + 1)
    c = np.corrcoef(a.T.numpy(), b.T.numpy())[:d, d:]
    want = sum(
        (1 - c[i, i]) ** 2 if i == j else 0.25 * c[i, j] ** 2
        for i in range(d)
        for j in range(d)
    )
    got = barlow_twins_loss(a, b, weight=0.25)
    assert got.item() == pytest.approx(want, rel=1e-3, abs=1e-4)


def test_loss_ignores_scale_and_shift_and_is_symmetric():
    a, b = normal(50, 4), normal(50, 4, seed=1)
    loss = barlow_twins_loss(a, b).item()
    assert barlow_twins_loss(3 * a - 1, b / 7).item() == pytest.approx(loss, rel=1e-4)
    assert barlow_twins_loss(b, a).item() == pytest.approx(loss, rel=1e-4)


def test_loss_of_independent_views_is_the_number_of_features():
    a, b = normal(20_000, 5), normal(20_000, 5, seed=1)
    assert barlow_twins_loss(a, b).item() == pytest.approx(5, abs=0.2)


def test_copied_and_constant_features_are_punished():
    x = normal(200, 3)
    copied = x[:, :1].repeat(1, 3)
    loss = barlow_twins_loss(copied, copied, weight=0.1)
    assert loss.item() == pytest.approx(0.6, rel=1e-4)
    flat = torch.ones(200, 3, requires_grad=True)
    loss = barlow_twins_loss(flat, flat)
    loss.backward()
    assert loss.item() == pytest.approx(3) and torch.isfinite(flat.grad).all()


def test_descending_the_loss_makes_features_agree_and_differ():
    """Two noisy views of three sources behind a mixing matrix, and a linear network."""
    source, mixing = normal(256, 3), normal(3, 3, seed=1)
    views = [source @ mixing + 0.1 * normal(256, 3, seed=s) for s in (2, 3)]
    weights = torch.eye(3, requires_grad=True)
    optimiser = torch.optim.Adam([weights], lr=0.05)
    losses = []
    for _ in range(60):
        loss = barlow_twins_loss(*(v @ weights for v in views), weight=0.5)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        losses.append(loss.item())
    correlation = np.corrcoef((views[0] @ weights).T.detach())
    assert losses[-1] < 0.2 * losses[0]
    assert np.abs(correlation - np.eye(3)).max() < 0.3


# Crops


def test_no_photograph_of_the_benchmark_is_trained_on():
    ours = {name: np.asarray(load_source(name)) for name in SOURCES}
    assert not {p.source for p in PHOTOGRAPHS.values()} & {
        s.location.replace(":", ".") for s in SOURCES.values()
    }
    for name in PHOTOGRAPHS:
        theirs = load_photograph(name).mean(axis=(0, 1))
        for photo in ours.values():
            assert np.abs(theirs - photo.mean(axis=(0, 1))).max() > 1


def test_every_source_states_a_licence_and_is_colour():
    for name, source in SOURCES.items():
        photo = load_source(name)
        assert source.licence and photo.mode == "RGB"
        assert min(photo.size) == module.SHORT_SIDE


def test_crops_depend_on_the_seed_alone():
    one, again, other = (draw_crops(30, views=2, seed=s) for s in (4, 4, 5))
    np.testing.assert_array_equal(one.images, again.images)
    np.testing.assert_array_equal(one.labels, again.labels)
    assert (one.images != other.images).any(axis=(1, 2, 3, 4)).all()


def test_labels_cover_all_regions_evenly():
    labels = draw_crops(6000, seed=0).labels
    counts = np.bincount(labels, minlength=n_regions())
    cells = np.concatenate([[s.cells**2] * s.cells**2 for s in SOURCES.values()])
    expected = 6000 / len(SOURCES) / cells
    assert len(counts) == n_regions()
    assert np.abs(counts - expected).max() < 5 * np.sqrt(expected.max())


def test_regions_are_where_the_label_says(monkeypatch):
    """On a photograph whose colour is its position, colour and label must agree."""
    ramp = np.zeros((128, 128, 3), np.uint8)
    ramp[..., 0] = np.linspace(0, 255, 128)[None]  # left to right
    ramp[..., 1] = np.linspace(0, 255, 128)[:, None]  # top to bottom
    source = module.Source("", "", 3)
    monkeypatch.setattr(module, "SOURCES", {"ramp": source})
    monkeypatch.setattr(
        module, "load_source", lambda name: module.Image.fromarray(ramp)
    )
    crops = draw_crops(400, seed=0)
    colour = crops.images[:, 0].mean(axis=(1, 2))
    row, column = np.divmod(crops.labels, 3)
    assert n_regions() == 9
    for channel, cell in ((0, column), (1, row)):
        low, middle, high = (colour[cell == i, channel].mean() for i in range(3))
        assert low + 30 < middle < high - 30


def test_two_views_of_a_crop_are_closer_than_two_crops():
    images = draw_crops(200, views=2, seed=1).images.astype(float)
    one, two = images[:, 0], images[:, 1]
    same = np.abs(one - two).mean()
    other = np.abs(one - np.roll(two, 1, axis=0)).mean()
    assert 1 < same < 0.6 * other


def test_augmentation_keeps_range_and_shape_and_mirrors_half():
    x = torch.rand(400, 3, 4, 4) * 0.2 + 0.4
    x[..., 0] += 0.2  # the left edge is brightest
    with torch.random.fork_rng():
        torch.manual_seed(0)
        y = augment(x)
    assert y.shape == x.shape and 0 <= y.min() and y.max() <= 1
    mirrored = (y[..., 3].mean((1, 2)) > y[..., 0].mean((1, 2))).float().mean()
    assert 0.4 < mirrored < 0.6
    assert (y.mean((1, 2, 3)) - x.mean((1, 2, 3))).abs().max() > 0.1
    ratio = (y[:, 0] / y[:, 1]).flatten(1)  # constant where only the tint is left
    assert 0.02 < (ratio.std(1) < 1e-3).float().mean() < 0.2


# Network and training


@pytest.fixture
def quick(monkeypatch):
    """Few crops in the measurements after training."""
    monkeypatch.setattr(module.measure, "__kwdefaults__", {"n_train": 60, "n_test": 30})


@pytest.mark.parametrize("method", METHODS)
def test_training_writes_weights_and_record(method, quick, tmp_path):
    state = torch.get_rng_state()
    folder = str(tmp_path / "new")
    done = called(method, "--epochs", "2", "--crops", "70", "--folder", folder)
    record = json.loads((tmp_path / "new" / f"{method}.json").read_text())
    assert record["crops"] == 70 and len(record["losses"]) == 2
    assert record["held_out"].items() >= json.loads(done.stdout).items()
    assert list(record["sources"]) == list(SOURCES)
    weights = tmp_path / "new" / f"{method}.safetensors"
    features = make_space(method, weights=weights).fit_transform(
        draw_crops(3).images[:, 0]
    )
    assert features.shape == (3, 128) and np.isfinite(features).all()
    assert not list(tmp_path.rglob(".*"))
    assert torch.equal(torch.get_rng_state(), state)


def test_the_same_seed_gives_the_same_weights(quick, tmp_path):
    for name in ("a", "b"):
        train("supervised", crops=64, epochs=1, folder=tmp_path / name, seed=3)
    one, two = (tmp_path / n / "supervised.safetensors" for n in ("a", "b"))
    assert one.read_bytes() == two.read_bytes()


def test_a_training_that_fails_leaves_the_old_file(quick, tmp_path, monkeypatch):
    old = tmp_path / "supervised.safetensors"
    old.write_bytes(b"old")
    hopeless = module.RECIPES["supervised"]._replace(rate=1e30)
    monkeypatch.setitem(module.RECIPES, "supervised", hopeless)
    with pytest.raises(FloatingPointError, match="loss of supervised is not finite"):
        train("supervised", crops=300, epochs=1, folder=tmp_path)
    assert old.read_bytes() == b"old" and len(list(tmp_path.iterdir())) == 1


@pytest.mark.parametrize("calls", [1, 4])
def test_ctrl_c_leaves_nothing(calls, tmp_path, monkeypatch):
    """In the first epoch or a later one; skorch alone would return the half-trained."""
    left = iter(range(calls))

    def interrupted(x):
        if next(left, None) is None:
            raise KeyboardInterrupt
        return x

    monkeypatch.setattr(module, "augment", interrupted)
    sizes = ["--crops", "256", "--epochs", "3"]
    done = called("supervised", *sizes, "--folder", str(tmp_path))
    assert done.exit_code == 130
    assert "stopped; nothing was written" in done.output
    assert not list(tmp_path.iterdir())


def test_bad_arguments():
    with pytest.raises(ValueError, match="unknown method 'supervized'; did you mean"):
        train("supervized")
    with pytest.raises(ValueError, match="crops must be at least 2, got 1"):
        train("supervised", crops=1)
    with pytest.raises(ValueError, match="epochs must be at least 1, got 0"):
        train("supervised", epochs=0)


def test_command_line_errors_end_without_traceback():
    done = called("supervised", "--epochs", "0")
    assert done.exit_code == 1
    assert "Error: epochs must be at least 1" in done.output


# What ships


@pytest.mark.parametrize("method", METHODS)
def test_shipped_weights_are_small_half_precision_and_recorded(method):
    path = ENCODERS / f"{method}.safetensors"
    assert path.stat().st_size < 3e6
    with safe_open(path, "np") as file:
        types = {file.get_tensor(name).dtype.name for name in file.keys()}
    assert types == {"float16", "int64"}
    record = json.loads(path.with_suffix(".json").read_text())
    assert record["method"] == method
    assert list(record["sources"]) == list(SOURCES)
    assert record["losses"][-1] < record["losses"][0]


@pytest.mark.parametrize("method", METHODS)
def test_shipped_features_know_regions_better_than_pixels_do(method):
    crops = draw_crops(900, seed=7)
    images, labels = crops.images[:, 0], crops.labels
    features = make_space(method).fit_transform(images)

    def accuracy(x, y):
        probe = RidgeClassifier(alpha=len(x) / 100).fit(x[:600], y[:600])
        return probe.score(x[600:], labels[600:])

    pixels = images.reshape(len(images), -1) / 255
    shuffled = np.random.default_rng(0).permutation(labels)
    found = accuracy(features, labels)
    assert found > accuracy(pixels, labels) + 0.1
    assert accuracy(features, shuffled) < 0.2 < found


@pytest.mark.parametrize("method", METHODS)
def test_shipped_features_have_not_collapsed(method):
    features = make_space(method).fit_transform(draw_crops(500, seed=8).images[:, 0])
    correlation = np.corrcoef(features.T)[~np.eye(128, dtype=bool)]
    assert features.std(axis=0).min() > 0.05 * features.std(axis=0).mean()
    assert np.abs(correlation).mean() < 0.5
