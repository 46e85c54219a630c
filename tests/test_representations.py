"""Representations: names, kinds, and what "exact" needs."""

import numpy as np
import pytest

from manifpt_utils.benchmark import Benchmark
from manifpt_utils.photos import PhotoManifold
from manifpt_utils.representations import representations


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
