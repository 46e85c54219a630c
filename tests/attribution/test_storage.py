"""An attributor that was saved and read again is the same, or is refused."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from patterns import pictures
from safetensors.numpy import load_file, save_file
from sklearn.base import clone

from manifpt_utils.attribution import storage
from manifpt_utils.attribution.attributor import Attributor
from manifpt_utils.attribution.storage import load_attributor

PLAIN = {"space": "rgb", "estimate": "raw", "classifier": "linear"}


@pytest.fixture(scope="module")
def fitted(benchmark):
    return Attributor(**PLAIN).fit(benchmark)


@pytest.fixture
def saved(fitted, tmp_path):
    fitted.save(tmp_path / "attributor", origin="patterns")
    return tmp_path / "attributor"


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"estimate": "nearest", "classifier": "network"},
        {"estimate": "highpass", "space": "frequency"},
        {"estimate": "denoiser"},
        {"estimate": "hull", "space": "selfsupervised", "classifier": "network"},
        {"estimate": "pca"},
        {"classifier": "network", "precision": "bfloat16"},
    ],
)
def test_rows_are_identical_after_loading(benchmark, tmp_path, options):
    found = Attributor(**PLAIN | options, denoiser_steps=5).fit(benchmark)
    found.save(tmp_path / "a")
    images = np.concatenate([pictures(x, 4, seed=7) for x in ("dots", "real")])
    again = load_attributor(tmp_path / "a")
    pd.testing.assert_frame_equal(
        found.predict(images), again.predict(images), check_exact=True
    )
    assert repr(again) == repr(found)


def test_the_record_says_what_was_done(saved, fitted):
    record = json.loads((saved / "attributor.json").read_text())
    assert record["origin"] == "patterns"
    assert record["choice"] == PLAIN
    assert record["n_images"]["dots"] == {"calibrate": 12, "learn": 36, "test": 12}
    assert record["quality"]["accuracy"]["mean"] == fitted.quality_.accuracy.mean
    images = pd.read_csv(saved / "images.csv")
    assert len(images) == 240 and (images["digest"].str.len() == 64).all()
    confusion = pd.read_csv(saved / "confusion.csv", index_col=0)
    assert confusion.to_numpy().sum() == record["quality"]["accuracy"]["n"]


def test_nothing_in_the_folder_is_a_program(saved):
    kinds = {path.suffix for path in saved.iterdir()}
    assert kinds == {".json", ".csv", ".png", ".safetensors"}


def change_record(folder, **entries):
    path = folder / "attributor.json"
    record = json.loads(path.read_text()) | entries
    path.write_text(json.dumps(record | {"sha256": storage._sum_of(record)}))


def test_weights_of_another_network_are_refused(saved):
    path = saved / "classifier.safetensors"
    save_file({"head.bias": load_file(path)["head.bias"]}, path)
    record = json.loads((saved / "attributor.json").read_text())
    sums = record["files"] | {path.name: storage.sha256_of(path)}
    change_record(saved, files=sums)
    with pytest.raises(ValueError, match="head.weight"):
        load_attributor(saved)


def test_saving_again_replaces_the_attributor(fitted, saved):
    before = (saved / "attributor.json").stat().st_ino
    fitted.save(saved)
    assert (saved / "attributor.json").stat().st_ino != before
    assert load_attributor(saved).classes_.tolist() == fitted.classes_.tolist()


@pytest.mark.parametrize("name", ["answers.csv", "images/a.png"])
def test_what_lies_beside_an_attributor_is_not_lost(fitted, saved, name):
    (saved / name).parent.mkdir(exist_ok=True)
    (saved / name).write_text("mine")
    with pytest.raises(ValueError, match=f"holds '{name.partition('/')[0]}' beside"):
        fitted.save(saved)
    assert (saved / name).read_text() == "mine"


def test_the_current_folder_is_refused_before_a_fit(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ValueError, match="is the current folder"):
        storage.check_free(Path("."))


def test_a_second_fit_looks_for_the_nearest_of_its_own_real_images(fitted, benchmark):
    again = clone(fitted)
    again.fit(benchmark)
    again.nearest_real(benchmark.real[:2])
    again._keep(replace(benchmark, real=benchmark.real[100:110]))
    found = again.nearest_real(benchmark.real[100:110])
    assert found.index[:, 0].tolist() == [*range(10)] and not found.distance.any()


def test_a_save_that_fails_leaves_the_old_one(fitted, saved, monkeypatch):
    def fail(*_):
        raise OSError("no space left")

    monkeypatch.setattr(storage, "_record", fail)
    with pytest.raises(OSError, match="no space left"):
        fitted.save(saved)
    assert load_attributor(saved).classes_.tolist() == fitted.classes_.tolist()
    assert [x.name for x in saved.parent.iterdir()] == ["attributor"]
