"""Where a benchmark lies: closed forms of spacing, ratio and dimension."""

import numpy as np
import pytest

from manifpt_utils.images.benchmark import Benchmark
from manifpt_utils.method import manifold
from manifpt_utils.method.location import across, dimension, locate


def cube(n, d, *, seed=0, among=100):
    """Points of a d-dimensional cube that lies askew among more dimensions."""
    rng = np.random.default_rng(d)
    axes = np.linalg.qr(rng.standard_normal((among, d)))[0]
    return np.random.default_rng(seed).random((n, d)) @ axes.T


@pytest.mark.parametrize("d", [1, 2, 3, 5])
def test_dimension_is_that_of_the_cube(d):
    assert dimension(cube(3000, d)) == pytest.approx(d, rel=0.15)


def test_dimension_knows_no_scale_and_no_copies():
    x = cube(500, 2)
    twice = np.concatenate([x, x])
    assert dimension(1000 * x) == pytest.approx(dimension(x), rel=1e-3)
    assert dimension(twice) == pytest.approx(dimension(x), rel=1e-3)


def test_too_few_different_images_have_no_dimension():
    with pytest.raises(ValueError, match="3 different images are too few"):
        dimension(np.repeat(cube(3, 2), 20, axis=0))


@pytest.fixture(scope="module")
def benchmark():
    """Images on a plane of two dimensions, and off it by known multiples of spacing."""
    rng = np.random.default_rng(0)
    shape = (16, 16, 3)
    axes = np.linalg.qr(rng.standard_normal((768, 3)))[0]

    def images(n, off, seed):
        places = np.random.default_rng(seed).uniform(-700, 700, (n, 2))
        x = places @ axes[:, :2].T + off * axes[:, 2]
        return np.rint(x + 128).astype(np.uint8).reshape(n, *shape)

    real, held_out = images(400, 0, 1), images(800, 0, 2)
    spacing = locate(Benchmark("", real, held_out, {})).spacing * 255
    models = {f"{r:g}": images(400, r * spacing, 3) for r in (0, 1, 3)}
    return Benchmark("plane", real, held_out, models)


def test_ratio_is_the_known_one(benchmark):
    found = locate(benchmark)
    assert found.n_real == 400
    ratio = found.models["ratio"]
    assert ratio["0"] < 0.5
    assert ratio["1"] == pytest.approx(1, rel=0.15)
    assert ratio["3"] == pytest.approx(3, rel=0.1)
    assert found.dimension == pytest.approx(2, abs=0.5)


def test_real_images_are_as_far_as_real_images(benchmark):
    models = {"real": benchmark.real_test}
    found = locate(Benchmark("", benchmark.real, benchmark.real_test, models))
    assert found.models["apparent"]["real"] == 1
    assert found.models["ratio"]["real"] == 0


def test_lengths_are_distances_to_the_nearest_real_image(benchmark):
    found = locate(benchmark)
    a, b = (
        x.reshape(len(x), -1) / 255 for x in (benchmark.images["3"], benchmark.real)
    )
    slow = [np.sqrt(((b - row) ** 2).sum(1)).min() for row in a]
    assert found.models["length"]["3"] == pytest.approx(np.median(slow), rel=1e-4)


def test_features_that_are_not_kept_have_the_same_place(benchmark, monkeypatch):
    whole = locate(benchmark)
    monkeypatch.setattr(manifold, "LARGE", 1000)
    found = locate(benchmark)
    assert found.dimension == pytest.approx(whole.dimension)
    np.testing.assert_allclose(found.models, whole.models, rtol=1e-4)


def test_copies_have_no_spacing(benchmark):
    real = benchmark.real[:50]
    with pytest.raises(ValueError, match="copies of the others"):
        locate(Benchmark("plane", real, real, {}))


def test_what_is_across_grows_with_the_length():
    apparent = np.array([0.5, 1.0, 1.1, 2.0, 10.0])
    found = across(apparent)
    assert (np.diff(found) >= 0).all() and (found <= apparent).all()
    assert found[-1] == pytest.approx(10, rel=0.01)
