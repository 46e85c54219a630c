"""The learned projection: what it learns, what ships, what is refused."""

import json

import numpy as np
import pytest
import torch
import turns
from click.testing import CliRunner
from safetensors.torch import save_file

from manifpt_utils._support.paths import DATA
from manifpt_utils.images.benchmark import Benchmark
from manifpt_utils.images.photograph import PHOTOGRAPHS, PhotoManifold
from manifpt_utils.method import denoiser as denoisers
from manifpt_utils.method.command import command
from manifpt_utils.method.denoiser import (
    Denoiser,
    Network,
    compare,
    denoising_error,
    shipped,
)
from manifpt_utils.method.remembered import Remembered


@pytest.fixture(scope="module")
def views():
    return PhotoManifold("coffee").sample(300, seed=0)


@pytest.fixture(scope="module")
def trained(views):
    return Denoiser(steps=150, width=16).fit(views)


def test_training_takes_noise_off_images_it_has_not_seen(views, trained):
    held = PhotoManifold("coffee").sample(40, seed=1)
    untrained = Denoiser(steps=1, width=16).fit(views)
    before, after = (
        denoising_error(d, held, levels=[20]) for d in (untrained, trained)
    )
    assert after[20] < 0.9 * before[20]


def test_the_artifact_is_the_noise_that_the_network_predicts(views, trained):
    found = trained.project(views[:3])
    x = torch.from_numpy(views[:3]).permute(0, 3, 1, 2).float() / 255
    with torch.no_grad():
        noise = trained.network_(x).permute(0, 2, 3, 1).reshape(3, -1).numpy()
    np.testing.assert_allclose(found.artifact, noise, atol=1e-6)
    whole = views[:3].reshape(3, -1) / np.float32(255)
    np.testing.assert_allclose(found.x_star, whole - noise, atol=1e-6)


def test_artifacts_that_are_asked_for_again_are_the_same_to_the_last_bit(
    views, trained
):
    images = np.concatenate([views[:7], views[3:5]])  # with two copies
    first = trained._predicted(images)
    np.testing.assert_array_equal(trained._artifacts(images), first)
    np.testing.assert_array_equal(trained._artifacts(images[::-1]), first[::-1])
    other = Denoiser(steps=1, width=4).fit(views)
    assert not np.array_equal(other._artifacts(images), first)


def test_only_new_images_are_computed_and_the_oldest_forgotten():
    asked = []

    def doubled(images):
        asked.append(images.ravel().tolist())
        return 2 * images

    remembered = Remembered(3 * 8)
    for some in ([1, 2], [2, 3], [1, 3], [4], [2, 4], [5, 6, 7, 8], [4]):
        images = np.array(some)[:, None]
        np.testing.assert_array_equal(remembered(doubled, images, key=""), 2 * images)
    assert asked == [[1, 2], [3], [4], [2], [5, 6, 7, 8], [4]]
    np.testing.assert_array_equal(remembered(np.negative, images, key="-"), -images)
    wide = images.reshape(1, 1, 1)
    assert remembered(doubled, wide, key="").shape == wide.shape


def test_what_was_freed_is_computed_anew_and_leaves_room():
    remembered, asked = Remembered(2 * 8), []

    def same(images):
        asked.extend(images.ravel().tolist())
        return images

    images = np.array([[1], [2]])
    remembered(same, images, key="")
    remembered.forget()
    for image in [*images, *images]:
        remembered(same, image[None], key="")
    assert asked == [1, 2, 1, 2]


def test_the_same_seed_gives_the_same_network_and_leaves_random_numbers_alone(views):
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    one, two = (Denoiser(steps=3, width=4).fit(views) for _ in range(2))
    assert torch.equal(torch.rand(3), expected)
    other = Denoiser(steps=3, width=4, seed=1).fit(views)
    a, b, c = (d.transform(views[:2]) for d in (one, two, other))
    np.testing.assert_array_equal(a, b)
    assert (a != c).any()


def test_any_size_is_trained_on_and_projected():
    rng = np.random.default_rng(0)
    large = rng.integers(0, 256, (6, 80, 100, 3), np.uint8)
    found = Denoiser("frequency", steps=2, width=4).fit(large)
    assert found.transform(large[:2]).shape == (2, 24_000)
    small = rng.integers(0, 256, (6, 7, 5, 3), np.uint8)
    assert Denoiser(steps=2, width=4).fit(small).transform(small).shape == (6, 105)


def test_candidates_are_compared_on_images_that_none_has_seen(views, monkeypatch):
    seen = []
    fit = Denoiser.fit

    def remember(self, real, y=None):
        seen.append(real)
        return fit(self, real)

    monkeypatch.setattr(Denoiser, "fit", remember)
    candidates = {w: Denoiser(steps=2, width=w) for w in (4, 8)}
    table = compare(candidates, views, levels=(5, 20), held_out=0.2)
    assert list(table.index) == [4, 8] and list(table) == [5, 20, "mean"]
    assert [len(x) for x in seen] == [240, 240]
    np.testing.assert_array_equal(table["mean"], table[[5, 20]].mean(axis=1))


def test_an_interrupted_training_leaves_nothing(views, monkeypatch):
    def interrupt(self, images):
        raise KeyboardInterrupt

    monkeypatch.setattr(denoisers._Trainee, "forward", interrupt)
    with pytest.raises(KeyboardInterrupt):
        Denoiser(steps=3, width=4).fit(views)


SHIPPED = sorted(PHOTOGRAPHS)
TURN = turns.rotating_seed() % len(SHIPPED)


@pytest.mark.parametrize("photo", SHIPPED if turns.ALL else SHIPPED[TURN : TURN + 1])
def test_the_shipped_denoisers_are_as_good_as_their_records_say(photo):
    path = DATA / "denoisers" / f"{photo}.json"
    record = json.loads(path.read_text(encoding="utf-8"))
    manifold = PhotoManifold(photo)
    fitted = Denoiser(weights=photo).fit(manifold.sample(10, seed=0))
    levels = [float(level) for level in record["share_left"]]
    held = manifold.sample(denoisers.N_HELD_OUT, seed=denoisers.TEST_SEED)
    found = denoising_error(fitted, held, levels=levels)
    np.testing.assert_allclose(found, list(record["share_left"].values()), rtol=0.02)


def test_weights_are_found_by_the_photograph_of_the_benchmark(views):
    def benchmark(manifold):
        return Benchmark("x", views[:2], views[:2], {}, manifold=manifold)

    assert shipped(benchmark(PhotoManifold("china"))) == "china"
    assert shipped(benchmark(None)) is None


def test_the_command_writes_weights_that_are_read_again(tmp_path, views, monkeypatch):
    monkeypatch.setattr(denoisers, "N_REAL", 50)
    monkeypatch.setattr(denoisers, "N_HELD_OUT", 10)
    arguments = ["denoiser", "--photo", "coffee", "--steps", "2", "--width", "4"]
    arguments += ["--folder", str(tmp_path)]
    done = CliRunner().invoke(command, arguments, catch_exceptions=False)
    assert done.exit_code == 0
    record = json.loads((tmp_path / "coffee.json").read_text(encoding="utf-8"))
    assert (record["photo"], record["steps"], record["width"]) == ("coffee", 2, 4)
    fitted = Denoiser(weights=tmp_path / "coffee.safetensors").fit(views)
    assert fitted.network_.width == 4


def test_wrong_weights_and_parameters_are_named(tmp_path, views):
    path = tmp_path / "other.safetensors"
    save_file({"layers.0.bias": torch.zeros(3)}, path)
    for weights, message in (
        ("cofee", "unknown weights 'cofee'.*did you mean 'coffee'"),
        (path, "does not hold a denoiser of this package"),
        (tmp_path / "none.safetensors", "does not exist"),
    ):
        with pytest.raises(ValueError, match=message):
            Denoiser(weights=weights).fit(views)
    for options in ({"steps": 0}, {"noise": -1}, {"width": 0}):
        with pytest.raises(ValueError, match="must be positive, got"):
            Denoiser(**options).fit(views)
    with pytest.raises(ValueError, match="no features in 'supervised'"):
        Denoiser("supervised").fit(views)


def test_the_network_is_small():
    assert sum(p.numel() for p in Network().parameters()) < 40_000
