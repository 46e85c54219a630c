"""A benchmark projected shard by shard: one answer, however the work is shared."""

import json
import os
import pickle
import shutil
import signal
from dataclasses import replace
from pathlib import Path

import faiss
import numpy as np
import pandas as pd
import pytest
import torch
from click.testing import CliRunner
from PIL import Image

from manifpt_utils.cli import main
from manifpt_utils.images.benchmark import Benchmark
from manifpt_utils.images.folder import from_folder
from manifpt_utils.method import shards as module
from manifpt_utils.method.manifold import DataManifold
from manifpt_utils.method.shards import project_benchmark, read_shards

# Dask leaves sockets and event loops to the collector when processes are killed.
pytestmark = pytest.mark.filterwarnings("ignore::ResourceWarning")


def noise(n, seed):
    return np.random.default_rng(seed).integers(0, 256, (n, 8, 8, 3), np.uint8)


@pytest.fixture
def benchmark():
    images = {"a": noise(25, 1), "b": noise(12, 2)}
    return Benchmark("noise", noise(60, 0), noise(5, 3), images)


def contents(output):
    return {
        p.relative_to(output): p.read_bytes() for p in output.rglob("*.safetensors")
    }


def test_shards_are_the_projection_in_parts(benchmark, tmp_path):
    found = project_benchmark(benchmark, tmp_path / "out", shard=10)
    manifold = DataManifold("rgb", search="certified").fit(benchmark.real)
    for model, images in benchmark.images.items():
        expected = manifold.project(images)
        parts = list(read_shards(tmp_path / "out", model))
        assert len(parts) == -(-len(images) // 10)
        for name in ("index", "distance", "artifact"):
            whole = np.concatenate([part[name] for part in parts])
            np.testing.assert_array_equal(whole, getattr(expected, name))
        assert found.loc[model, "mean distance"] == pytest.approx(
            expected.distance.mean()
        )
    assert found["images"].tolist() == [25, 12]
    assert found["certified"].between(0, 1).all()
    files = pd.read_csv(tmp_path / "out" / "files.csv")
    assert files["class"].value_counts().to_dict() == {"real": 60, "a": 25, "b": 12}


def test_one_and_two_workers_give_the_same_digits(benchmark, tmp_path):
    options = {"shard": 8, "estimator": "hull"}
    here, one, two = (tmp_path / name for name in ("here", "one", "two"))
    project_benchmark(benchmark, here, **options)
    project_benchmark(benchmark, one, **options, workers=1)
    project_benchmark(benchmark, two, **options, workers=2)
    assert contents(here) == contents(one) == contents(two)


def test_a_task_is_small_whatever_the_images_are(benchmark, tmp_path, monkeypatch):
    calls = []
    monkeypatch.setattr(
        module,
        "results_of",
        lambda function, given, **options: (
            calls.extend(given)
            or iter(map(function.__call__, *zip(*given, strict=True)))
        ),
    )
    project_benchmark(benchmark, tmp_path, shard=5, workers=2)
    assert len(calls) == 5 + 3
    assert max(len(pickle.dumps(call)) for call in calls) < 1000
    assert benchmark.images["a"].nbytes > 4000


def _dying(estimate, shard):
    """Kills the process of the second shard, once."""
    fatal = Path(shard.target).parents[1] / "died"
    if shard.start and not fatal.exists():
        fatal.touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return module._project(estimate, shard)


def test_a_killed_worker_loses_nothing(benchmark, tmp_path, monkeypatch):
    project_benchmark(benchmark, tmp_path / "here", shard=8)
    monkeypatch.setattr(module, "_work", _by(_dying))
    project_benchmark(benchmark, tmp_path / "out", shard=8, workers=1)
    assert (tmp_path / "out" / "died").exists()
    assert contents(tmp_path / "out") == contents(tmp_path / "here")


def _by(function):
    def work(calls, workers, scheduler):
        return module.results_of(function, calls, workers=workers, scheduler=scheduler)

    return work


def test_an_interrupted_call_goes_on_with_what_is_missing(
    benchmark, tmp_path, monkeypatch
):
    done, whole = [], module._project

    def interrupted(estimate, shard):
        if len(done) == 2:
            raise KeyboardInterrupt
        done.append(shard.target)
        return whole(estimate, shard)

    monkeypatch.setattr(module, "_project", interrupted)
    with pytest.raises(KeyboardInterrupt):
        project_benchmark(benchmark, tmp_path / "out", shard=8)
    before = {p: p.stat().st_mtime_ns for p in map(Path, done)}
    assert all(p.is_file() for p in before)
    monkeypatch.setattr(module, "_project", whole)
    project_benchmark(benchmark, tmp_path / "out", shard=8)
    assert {p: p.stat().st_mtime_ns for p in before} == before
    project_benchmark(benchmark, tmp_path / "here", shard=8)
    assert contents(tmp_path / "out") == contents(tmp_path / "here")


def test_a_folder_of_something_else_is_refused(benchmark, tmp_path):
    project_benchmark(benchmark, tmp_path / "out", shard=8)
    with pytest.raises(ValueError, match="another projection: estimator differ"):
        project_benchmark(benchmark, tmp_path / "out", shard=8, estimator="hull")
    other = Benchmark("noise", noise(60, 9), noise(5, 3), benchmark.images)
    with pytest.raises(ValueError, match="another projection: images differ"):
        project_benchmark(other, tmp_path / "out", shard=8)
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").touch()
    with pytest.raises(ValueError, match="exists and holds no projection"):
        project_benchmark(benchmark, tmp_path / "mine")
    with pytest.raises(ValueError, match="shard.*0"):
        project_benchmark(benchmark, tmp_path / "new", shard=0)
    with pytest.raises(ValueError, match="no projection of 'c'"):
        next(read_shards(tmp_path / "out", "c"))


def test_other_real_images_in_the_same_place_are_not_taken_for_the_first(
    benchmark, tmp_path
):
    other = replace(benchmark, real=noise(60, 9))
    for given in (benchmark, other):
        shutil.rmtree(tmp_path / "out", ignore_errors=True)
        project_benchmark(given, tmp_path / "out")
        (part,) = read_shards(tmp_path / "out", "a")
        expected = DataManifold("rgb").fit(given.real).project(given.images["a"])
        np.testing.assert_allclose(part["distance"], expected.distance, rtol=1e-6)


def test_the_threads_of_the_caller_are_given_back(benchmark, tmp_path):
    before = torch.get_num_threads(), faiss.omp_get_max_threads()
    torch.set_num_threads(2)
    faiss.omp_set_num_threads(2)
    try:
        project_benchmark(benchmark, tmp_path / "out")
        assert (torch.get_num_threads(), faiss.omp_get_max_threads()) == (2, 2)
    finally:
        torch.set_num_threads(before[0])
        faiss.omp_set_num_threads(before[1])


def test_artifacts_may_be_left_out(benchmark, tmp_path):
    project_benchmark(benchmark, tmp_path, with_artifacts=False)
    assert next(read_shards(tmp_path, "a")).keys() == {"distance", "index"}


def test_packed_images_are_named_and_not_written_again(tmp_path, monkeypatch):
    monkeypatch.setenv("MANIFPT_CACHE", str(tmp_path / "cache"))
    for seed, name in enumerate(("real", "a")):
        (tmp_path / "mine" / name).mkdir(parents=True)
        for i, image in enumerate(noise(20, seed)):
            Image.fromarray(image).save(tmp_path / "mine" / name / f"{i:02}.png")
    packed = from_folder(tmp_path / "mine", packed=True)
    project_benchmark(packed, tmp_path / "out")
    assert not (tmp_path / "out" / "images").exists()
    done = CliRunner().invoke(
        main, ["project", str(tmp_path / "mine"), "-o", str(tmp_path / "out")]
    )
    assert done.exit_code == 0, done.output
    assert "Written to" in done.output
    files = pd.read_csv(tmp_path / "out" / "files.csv")
    assert files["file"][files["class"] == "a"].tolist() == [
        f"{i:02}.png" for i in range(20)
    ]
    record = json.loads((tmp_path / "out" / "projection.json").read_text())
    assert record["settings"]["space"] == "rgb"
