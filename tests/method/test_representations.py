"""Representations: names, kinds, and what "exact" needs."""

import dataclasses

import numpy as np
import pytest

from manifpt_utils._support.names import CONTROLS, ESTIMATES, TOGETHER
from manifpt_utils.images.benchmark import Benchmark
from manifpt_utils.images.photograph import PhotoManifold
from manifpt_utils.method.representations import (
    KINDS,
    Representation,
    representations,
)


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


def test_every_kind_in_order(benchmark):
    shown = representations(benchmark, ["rgb"], KINDS)
    assert [name.kind for name in shown] == [k for k in KINDS if k != "exact_rgb"]
    assert {name.space for name in shown} == {"rgb"}
    rows = {n.kind: t.transform(benchmark.images["a"]) for n, t in shown.items()}
    assert all(rows[k].shape == (6, 3072 * (1 + (k in TOGETHER))) for k in rows)
    # The exact artifact of a brightened view is what was added to it.
    assert np.median(rows["exact"]) == pytest.approx(30 / 255, abs=0.05)
    length = {kind: np.linalg.norm(r) for kind, r in rows.items()}
    assert length["exact"] <= length["nearest"] + 1e-4 < length["raw"]
    assert length["hull"] <= length["tangent"] < length["mean"] < length["random"]


def test_what_there_cannot_be_is_left_out(benchmark):
    unknown = dataclasses.replace(benchmark, manifold=None)
    kinds = ("raw", "nearest", "exact", "exact_rgb")
    names = list(representations(unknown, ["rgb"], kinds))
    assert names == [Representation("rgb", "raw"), Representation("rgb", "nearest")]
    kinds = ("highpass", "median", "denoiser", "raw+highpass", "mean", "exact_rgb")
    names = representations(benchmark, ["supervised"], kinds)
    assert [name.kind for name in names] == ["mean", "exact_rgb"]


def test_a_name_is_a_space_and_a_kind():
    name = Representation("rgb", "nearest")
    assert str(name) == "rgb nearest"
    assert (name.space, name.kind) == name == ("rgb", "nearest")
    assert {*CONTROLS} & {*ESTIMATES} == set()


def test_two_kinds_side_by_side_are_those_of_their_name(benchmark):
    shown = representations(benchmark, ["rgb"], ["raw", "highpass", "raw+highpass"])
    images = benchmark.images["a"]
    raw, filtered, both = (t.transform(images) for t in shown.values())
    both = both.reshape(-1, 6)
    for part, alone in ((both[:, :3], raw), (both[:, 3:], filtered)):
        assert np.corrcoef(part.ravel(), alone.ravel())[0, 1] == pytest.approx(1)


def test_an_unknown_or_renamed_kind_is_named(benchmark):
    with pytest.raises(ValueError, match="unknown kind 'exakt'; known: raw"):
        representations(benchmark, ["rgb"], kinds=["exakt"])
    with pytest.raises(ValueError, match="'affine', which was renamed 'hull'"):
        representations(benchmark, ["rgb"], kinds=["affine"])
