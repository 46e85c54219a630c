"""Results on disk: found again, never wrong, never in the way."""

import os
import subprocess
import sys
import warnings

import numpy as np
import pytest
import torch

from manifpt_utils._support import cache as feature_cache
from manifpt_utils._support.cache import cached, digest
from manifpt_utils.images import photograph as photos
from manifpt_utils.images.photograph import PhotoManifold
from manifpt_utils.method import manifold, spaces
from manifpt_utils.method.exact import ExactManifold
from manifpt_utils.method.manifold import DataManifold
from manifpt_utils.method.spaces import make_space


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """An empty cache."""
    monkeypatch.setenv(feature_cache.VARIABLE, str(tmp_path / "cache"))
    return tmp_path / "cache"


class Computation:
    """An array, and how often it was asked for."""

    def __init__(self, value=None):
        self.value = np.arange(6.0).reshape(2, 3) if value is None else value
        self.calls = 0

    def __call__(self):
        self.calls += 1
        return self.value.copy()


def files(folder):
    return sorted(folder.rglob("output.pkl"))


def bytes_of(folder):
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def use(path, seconds):
    os.utime(path, (seconds, seconds))


@pytest.mark.parametrize(
    "value", [np.arange(6, dtype=np.uint8), np.zeros((0, 3)), np.float32([[np.nan]])]
)
def test_what_was_computed_once_is_read(folder, value):
    computation = Computation(value)
    first, second = (cached(computation, "x", 1, code="a") for _ in range(2))
    assert computation.calls == 1
    assert second.dtype == value.dtype and second.shape == value.shape
    assert first.tobytes() == second.tobytes() == value.tobytes()
    second += 1  # it belongs to the caller


IMAGES = np.zeros((2, 4, 4, 3), np.uint8)


@pytest.mark.parametrize(
    "inputs",
    [
        ("y", IMAGES, 3),
        ("x", IMAGES + np.eye(4, dtype=np.uint8)[..., None], 3),
        ("x", IMAGES.reshape(4, 2, 4, 3), 3),
        ("x", IMAGES.astype(np.int8), 3),
        ("x", torch.from_numpy(IMAGES)[:1], 3),
        ("x", IMAGES, 4),
        ("x", IMAGES, 3.0),
    ],
)
def test_other_inputs_are_computed(folder, inputs):
    computation = Computation()
    cached(computation, "x", IMAGES, 3, code="a")
    cached(computation, *inputs, code="a")
    assert computation.calls == 2


def test_other_code_is_computed(folder):
    computation = Computation()
    for code in ("a", "b", "a"):
        cached(computation, "x", code=code)
    assert computation.calls == 2


def test_other_libraries_and_processors_are_computed(folder, monkeypatch):
    computation = Computation()
    for version in ("1", "2", "1"):
        monkeypatch.setattr(feature_cache, "_surroundings", lambda v=version: [v])
        cached(computation, "x", code="a")
    assert computation.calls == 2


def test_texts_do_not_run_into_each_other():
    assert digest("a", "b") != digest("ab") != digest("a b")


def test_an_array_is_its_content_however_it_lies_in_memory():
    x = np.arange(12).reshape(3, 4)
    assert digest(x) == digest(np.asfortranarray(x)) == digest(torch.from_numpy(x))
    assert digest(x) != digest(x.T)


def test_other_weights_are_computed(folder):
    space = make_space("supervised").fit(np.zeros((4, 32, 32, 3), np.uint8))
    images = np.random.default_rng(0).integers(256, size=(4, 32, 32, 3), dtype="u1")
    before = space.transform(images)
    with torch.no_grad():
        weights = next(w for w in space.network_.parameters() if w.ndim == 4)
        weights *= 2
    assert not np.array_equal(space.transform(images), before)
    assert len(files(folder)) == 2


@pytest.mark.parametrize("size", [0, 10, 200, -1])
def test_a_truncated_file_is_computed_and_replaced(folder, size):
    computation = Computation()
    cached(computation, "x", code="a")
    (path,) = files(folder)
    whole = path.read_bytes()
    path.write_bytes(whole[:size])
    again = cached(computation, "x", code="a")
    assert computation.calls == 2 and np.array_equal(again, computation.value)
    cached(computation, "x", code="a")
    assert computation.calls == 2


def test_a_flipped_bit_anywhere_never_gives_another_result(folder):
    computation = Computation()
    cached(computation, "x", code="a")
    (path,) = files(folder)
    whole = path.read_bytes()
    for place in range(0, len(whole), 2):
        damaged = bytearray(whole)
        damaged[place] ^= 16
        path.write_bytes(damaged)
        assert np.array_equal(cached(computation, "x", code="a"), computation.value)


def test_a_pickle_is_not_loaded(folder):
    computation = Computation()
    cached(computation, "x", code="a")
    (path,) = files(folder)
    with open(path, "wb") as file:
        np.savez(file, value=np.array([{"a": 1}], dtype=object))
    assert np.array_equal(cached(computation, "x", code="a"), computation.value)


def test_a_folder_that_cannot_be_made_only_costs_time(folder):
    folder.write_text("a file is in the way")
    computation = Computation()
    for _ in range(2):
        assert np.array_equal(cached(computation, code="a"), computation.value)
    assert computation.calls == 2


def full(*_arguments, **_options):
    raise OSError(28, "No space left on device")


def test_a_full_disk_only_costs_time(folder, monkeypatch):
    cached(Computation(), "x", code="a")
    monkeypatch.setattr(feature_cache, "write_whole", full)
    computation = Computation()
    for _ in range(2):
        value = cached(computation, "y", code="a")
        assert np.array_equal(value, computation.value)
    assert computation.calls == 2 and len(files(folder)) == 1


def test_a_disk_that_is_full_at_once_only_costs_time(folder, monkeypatch):
    monkeypatch.setattr("joblib._store_backends.concurrency_safe_write", full)
    monkeypatch.setattr(feature_cache, "write_whole", full)
    assert np.array_equal(cached(Computation(), code="a"), Computation().value)
    assert files(folder) == []


def test_what_warns_while_it_computes_is_heard(folder):
    with pytest.warns(UserWarning, match="few images"):
        cached(lambda: warnings.warn("few images", stacklevel=1) or IMAGES, code="a")


def test_off_writes_nothing(folder, monkeypatch):
    monkeypatch.setenv(feature_cache.VARIABLE, "off")
    computation = Computation()
    for _ in range(2):
        cached(computation, code="a")
    assert computation.calls == 2 and not folder.exists()


def test_the_folder_is_beside_the_package_in_a_checkout_only(monkeypatch, tmp_path):
    monkeypatch.delenv(feature_cache.VARIABLE)
    place = feature_cache.cache_folder()
    assert place.parts[-2:] == (".cache", "features")
    assert (place.parents[1] / "pyproject.toml").is_file()
    monkeypatch.setattr(feature_cache, "ROOT", tmp_path / "site-packages")
    assert feature_cache.cache_folder() is None


def test_what_was_not_read_for_longest_is_removed(folder, monkeypatch):
    computation = Computation()
    for number in range(3):
        cached(computation, number, code="a")
        (new,) = (path for path in files(folder) if path.stat().st_atime > 1000)
        os.utime(new, (number, number))
    (folder / "notes.txt").write_text("not ours")
    size = bytes_of(new.parent)
    monkeypatch.setattr(feature_cache, "LIMIT", 2.5 * size)
    cached(computation, 3, code="a")  # removes the first to make room
    for number in (1, 2, 3):
        cached(computation, number, code="a")
    assert computation.calls == 4 and len(files(folder)) == 3
    assert (folder / "notes.txt").exists()


def test_what_a_killed_process_left_goes_with_its_result(folder, monkeypatch):
    cached(Computation(), 0, code="a")
    (path,) = files(folder)
    left = path.rename(path.with_name(".output.pkl.1.1"))
    monkeypatch.setattr(feature_cache, "LIMIT", 0)
    cached(Computation(), 1, code="a")
    assert not left.exists() and len(files(folder)) == 1


WRITER = """
import numpy as np
from manifpt_utils._support import cache as feature_cache
feature_cache.LIMIT = 100_000
for turn in range(300):
    number = turn % 30
    x = feature_cache.cached(lambda: np.full(999, number), number, code="a")
    assert x.shape == (999,) and (x == number).all()
"""


def test_two_processes_write_and_remove_at_once(folder):
    run = [sys.executable, "-c", WRITER]
    processes = [subprocess.Popen(run) for _ in range(2)]
    assert [process.wait(timeout=120) for process in processes] == [0, 0]
    assert bytes_of(folder) <= 120_000  # what is made at the end comes on top


# --- what is kept -----------------------------------------------------------------


@pytest.fixture
def images():
    """Views with noise, away from the manifold."""
    views = PhotoManifold("coffee").sample(30, seed=3)
    noise = np.random.default_rng(0).integers(-20, 21, views.shape)
    return np.clip(views + noise, 0, 255).astype(np.uint8)


def forbidden(*_args, **_options):
    raise AssertionError("it was computed again")


@pytest.fixture
def counted(monkeypatch):
    """Forbid every computation whose result is kept."""

    def forbid():
        monkeypatch.setattr(spaces, "encode", forbidden)
        monkeypatch.setattr(manifold.faiss, "knn", forbidden)
        monkeypatch.setattr(PhotoManifold, "_project_batch", forbidden)
        monkeypatch.setattr(PhotoManifold, "render", forbidden)

    return forbid


@pytest.mark.parametrize("kind", ["nearest", "hull", "exact"])
def test_artifacts_are_the_same_without_a_cache_and_computed_once(
    folder, monkeypatch, counted, images, kind
):
    monkeypatch.setattr(manifold, "LONG", 0)
    images = images[:6]

    def artifacts():
        photo = PhotoManifold("coffee")
        real = photo.sample(60, seed=0)
        if kind == "exact":
            exact = ExactManifold(photo, "supervised", grid=(9, 9, 5))
            return exact.fit(real).project(images)
        return DataManifold("supervised", estimator=kind).fit(real).project(images)

    monkeypatch.setenv(feature_cache.VARIABLE, "off")
    without = artifacts()
    monkeypatch.setenv(feature_cache.VARIABLE, str(folder))
    first = artifacts()
    if kind == "exact":  # its closest views are rendered from their coordinates
        monkeypatch.setattr(PhotoManifold, "_project_batch", forbidden)
    else:
        counted()
    second = artifacts()
    for a, b, c in zip(without, first, second, strict=True):
        assert a.dtype == b.dtype == c.dtype
        assert np.array_equal(a, b) and np.array_equal(a, c)


def test_shared_images_are_projected_once_in_other_company(folder, monkeypatch, images):
    seen = []
    project = PhotoManifold._project_batch

    def watched(self, x, *options):
        seen.append(len(x))
        return project(self, x, *options)

    monkeypatch.setattr(PhotoManifold, "_project_batch", watched)
    monkeypatch.setattr(photos, "SHORTEST", 2)
    PhotoManifold("coffee").project(images)
    assert sum(seen) == len(images)
    seen.clear()
    other = PhotoManifold("coffee").sample(3, seed=9)
    PhotoManifold("coffee").project(np.concatenate([other, images[:24], other]))
    assert sum(seen) < 24


def test_batches_are_neither_short_nor_long():
    rng = np.random.default_rng(0)
    names = [digest(number) for number in rng.integers(2**40, size=2000)]
    lengths = photos._batch_lengths(names)
    assert sum(lengths) == 2000
    assert min(lengths[:-1]) >= photos.SHORTEST and max(lengths) <= photos.LONGEST
    assert photos._batch_lengths(["f"] * 300) == [128, 128, 44]
    assert photos._batch_lengths([]) == []
