"""Representations: names, kinds, and what "exact" needs."""

import numpy as np
import pandas as pd
import pytest

from manifpt_utils.images.benchmark import Benchmark
from manifpt_utils.images.photograph import PhotoManifold
from manifpt_utils.method.representations import gain, representations


@pytest.fixture(scope="module")
def benchmark():
    photo = PhotoManifold("coffee")
    real = photo.sample(60, seed=0)
    noisy = np.clip(photo.sample(6, seed=2).astype(int) + 30, 0, 255).astype(np.uint8)
    return Benchmark(
        name="small",
        real=real,
        real_test=photo.sample(10, seed=1),
        images={"a": noisy, "b": noisy[::-1]},
        factors=None,
        manifold=photo,
    )


def test_every_kind_in_every_space_in_order(benchmark):
    shown = representations(benchmark, ["rgb", "frequency"])
    assert list(shown)[:4] == ["rgb raw", "rgb nearest", "rgb affine", "rgb exact"]
    rows = {k: t.transform(benchmark.images["a"]) for k, t in shown.items()}
    assert {r.shape for r in rows.values()} == {(6, 3072)}
    raw, exact = rows["rgb raw"], rows["rgb exact"]
    # The exact artifact of a brightened view is what was added to it.
    assert np.median(exact) == pytest.approx(30 / 255, abs=0.05)
    assert np.linalg.norm(exact) <= np.linalg.norm(rows["rgb nearest"]) + 1e-4
    assert np.linalg.norm(exact) < np.linalg.norm(raw)


def test_an_unknown_manifold_has_no_exact_artifacts(benchmark):
    import dataclasses

    unknown = dataclasses.replace(benchmark, manifold=None)
    assert list(representations(unknown, ["rgb"])) == [
        "rgb raw",
        "rgb nearest",
        "rgb affine",
    ]


def test_an_unknown_kind_is_named(benchmark):
    with pytest.raises(ValueError, match="unknown kinds \\['exakt'\\]; known: raw"):
        representations(benchmark, ["rgb"], kinds=["exakt"])


def test_the_gain_over_raw_is_the_same_for_names_and_for_pairs():
    scores = {("rgb", "raw"): 0.5, ("rgb", "nearest"): 0.7, ("rgb", "hull"): 0.4}
    scores |= {("frequency", "nearest"): 0.6, ("frequency", "raw"): 0.9}
    pairs = pd.Series(scores)
    names = pairs.set_axis([" ".join(pair) for pair in scores])
    expected = {"rgb": 0.2, "frequency": -0.3}
    for given in (pairs, names):
        assert gain(given).to_dict() == pytest.approx(expected)
    assert gain(pairs[:3], "hull").to_dict() == pytest.approx({"rgb": -0.1})


def test_a_gain_without_its_control_is_refused():
    with pytest.raises(ValueError, match="only those of \\['nearest'\\]"):
        gain(pd.Series({"rgb nearest": 0.5}))
