"""Features in a file give what features in memory give, and take less memory."""

import tracemalloc
from functools import partial

import numpy as np
import pytest
from sklearn.frozen import FrozenEstimator
from sklearn.pipeline import make_pipeline

from manifpt_utils.baselines import baseline
from manifpt_utils.method import streams
from manifpt_utils.method.classifiers import ImageAttributor, VectorAttributor
from manifpt_utils.method.evaluation import evaluate
from manifpt_utils.method.manifold import DataManifold
from manifpt_utils.method.projection import rows_within
from manifpt_utils.method.spaces import RGB


@pytest.fixture
def tiny(monkeypatch, tmp_path):
    """Budgets of a few kilobytes, and files where a test can look for them."""
    monkeypatch.setenv("MANIFPT_CACHE", str(tmp_path))
    monkeypatch.setattr(streams, "LARGE", 50_000)
    monkeypatch.setattr(streams, "BYTES", 2**19)
    monkeypatch.setattr(streams, "rows_within", partial(rows_within, memory=2**19))


def bright_and_dark(n, side=16):
    rng = np.random.default_rng(0)
    x = rng.integers(0, 200, (2 * n, side, side, 3)).astype(np.uint8)
    x[n:] += 20
    return x, np.repeat(["dark", "bright"], n)


def test_features_are_the_same_in_a_file(tiny, tmp_path):
    images = bright_and_dark(100)[0]
    space = RGB().fit(images)
    found = streams.streamed(space.transform, images)
    assert isinstance(found, np.memmap) and not list(tmp_path.iterdir())
    np.testing.assert_array_equal(found, space.transform(images))
    rows = np.random.default_rng(1).permutation(200)[:150]
    some = streams.take_rows(found, rows)
    assert isinstance(some, np.memmap)
    np.testing.assert_array_equal(some, found[rows])


def test_a_few_features_stay_in_memory(tiny):
    images = bright_and_dark(2)[0]
    found = streams.streamed(RGB().fit(images).transform, images)
    assert type(found) is np.ndarray
    assert len(streams.streamed(np.sqrt, np.empty((0, 3)))) == 0


def test_one_image_after_another_goes_through(tiny):
    seen = []

    def spied(x):
        seen.append(len(x))
        return x.sum(axis=(1, 2, 3))

    images = bright_and_dark(200)[0]
    np.testing.assert_array_equal(
        streams.in_parts(spied, images), images.sum(axis=(1, 2, 3))
    )
    assert len(seen) > 2 and sum(seen) == 400


@pytest.mark.parametrize("shape", [(37, 5), (1000, 31), (300, 3072)])
@pytest.mark.parametrize("axis", [None, 0])
def test_moments_are_those_of_numpy_to_the_last_digit(shape, axis, tiny):
    x = np.random.default_rng(0).normal(3, 2, shape).astype(np.float32)
    mean, scale = streams.mean_and_scale(np.tile(x, (3, 1)), axis)
    np.testing.assert_array_equal(mean, np.tile(x, (3, 1)).mean(axis=axis))
    np.testing.assert_array_equal(scale, np.tile(x, (3, 1)).std(axis=axis))


def frozen(head):
    return lambda images: make_pipeline(FrozenEstimator(RGB().fit(images)), head)


HEADS = {
    "network of frozen features": frozen(ImageAttributor(min_steps=5, epochs=1)),
    "perceptron of frozen features": frozen(VectorAttributor(min_steps=5, epochs=1)),
    "network behind a space": lambda images: baseline(
        "Marra18", image_size=16, epochs=1, min_steps=5
    ),
    "artifacts": lambda images: make_pipeline(
        FrozenEstimator(DataManifold("rgb").fit(images[:20])),
        VectorAttributor(min_steps=5, epochs=1),
    ),
}


@pytest.mark.parametrize("name", HEADS)
def test_scores_are_those_of_features_in_memory(name, request):
    images, labels = bright_and_dark(60)
    options = {"n_train": 40, "n_test": 20, "seeds": (0, 1)}
    options["unseen"] = {"again": (images[:40] // 2, labels[:40])}
    estimator = HEADS[name](images)
    in_memory = evaluate(estimator, images, labels, **options)
    request.getfixturevalue("tiny")
    in_file = evaluate(estimator, images, labels, **options)
    np.testing.assert_array_equal(in_file.accuracy, in_memory.accuracy)
    columns = ["set", "row", "true", "predicted"]
    assert in_file.predictions[columns].equals(in_memory.predictions[columns])
    np.testing.assert_allclose(
        in_file.predictions["probability"],
        in_memory.predictions["probability"],
        rtol=1e-4,
    )
    np.testing.assert_allclose(in_file.ratio, in_memory.ratio, rtol=1e-3)


def peak_of(function):
    tracemalloc.start()
    function()
    found = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return found


def test_no_memory_holds_all_images_as_floats(request):
    images, labels = bright_and_dark(400, side=32)
    options = {"n_train": 300, "n_test": 100, "seeds": (0,), "n_permutations": None}
    head = VectorAttributor(min_steps=2, epochs=1, batch_size=64)
    estimator = make_pipeline(FrozenEstimator(RGB().fit(images)), head)

    def run():
        evaluate(estimator, images, labels, **options)

    run()  # pays for what is imported
    all_floats = 4 * images.size
    assert peak_of(run) > all_floats
    request.getfixturevalue("tiny")
    assert peak_of(run) < all_floats / 2
