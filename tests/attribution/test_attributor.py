"""What an attributor learns, and what its answers promise."""

import dataclasses
import os

import numpy as np
import pandas as pd
import pytest
from patterns import pictures, write
from PIL import Image

from manifpt_utils.attribution import selection
from manifpt_utils.attribution.answers import CHANGES, answer_images
from manifpt_utils.attribution.attributor import Attributor
from manifpt_utils.attribution.parts import parts_of
from manifpt_utils.images.loading import load
from manifpt_utils.method.processes import one_thread

PLAIN = {"space": "rgb", "estimate": "raw", "classifier": "linear"}


@pytest.fixture(scope="module")
def fitted(benchmark):
    return Attributor(**PLAIN).fit(benchmark)


def test_plain_differences_are_learned(fitted):
    assert fitted.quality_.accuracy.low > 0.8
    assert fitted.quality_.chance == 0.25
    assert fitted.quality_.confusion.to_numpy().sum() == fitted.quality_.accuracy.n
    answers = fitted.predict(pictures("dots", 20, seed=5))
    assert (answers["prediction"] == "dots").mean() > 0.9


def test_shuffled_labels_are_at_chance_and_sets_still_cover():
    rng = np.random.default_rng(0)
    data = load("gm-photo/coffee", models=["dcgan", "ddpm"], n_real=100)
    pool = rng.permutation(np.concatenate(list(data.images.values())))
    half = len(pool) // 2
    mixed = {"dcgan": pool[:half], "ddpm": pool[half:]}
    data = dataclasses.replace(data, images=mixed)
    found = Attributor(**PLAIN, with_real=False).fit(data).quality_
    assert found.accuracy.low < 0.5 < found.accuracy.high
    assert found.coverage.high > 0.9
    assert found.set_size > 1.5


def test_sets_cover_as_promised_over_splits():
    """90 +- 2 %, in the mean over divisions of the images of GM-Photo."""
    models = ["dcgan", "ddpm", "glow", "beta_vae"]
    data = load("gm-photo/coffee", models=models, n_real=200)
    runs = [
        Attributor(**PLAIN | {"space": "frequency"}, with_real=False, seed=s).fit(data)
        for s in range(8)
    ]
    coverage = np.mean([run.quality_.coverage.mean for run in runs])
    assert 0.88 < coverage < 0.93  # 1 / (n + 1) of slack above, by the small classes
    assert np.mean([run.quality_.accuracy.mean for run in runs]) > 0.5


def test_what_is_left_open_is_chosen_by_cross_validation(benchmark, monkeypatch):
    monkeypatch.setattr(selection, "ESTIMATES", ("raw", "mean"))
    found = Attributor(space="rgb", classifier="linear").fit(benchmark)
    assert found.candidates_["accuracy"].is_monotonic_decreasing
    assert set(found.candidates_["estimate"]) == {"raw", "mean"}
    assert found.choice_.estimate == found.candidates_.loc[0, "estimate"]


def test_the_first_round_leaves_three(benchmark, monkeypatch):
    monkeypatch.setattr(selection, "ESTIMATES", ("raw", "mean", "pca", "highpass"))
    table = Attributor(space="rgb", classifier="linear").fit(benchmark).candidates_
    assert table["splits"].tolist() == [3, 3, 3, 1]


def test_two_processes_choose_as_one_does(benchmark, monkeypatch):
    monkeypatch.setattr(selection, "ESTIMATES", ("raw", "highpass"))
    choices = selection.candidates(benchmark, space="rgb")
    transformers = selection.fitted(benchmark, choices)
    known = choices, transformers, parts_of(benchmark)["learn"]
    with one_thread():
        alone = selection.select(*known, quick=True, effort=0.2)
    monkeypatch.setattr(selection, "n_processes", lambda n_pixels: 2)
    shared = selection.select(*known, quick=True, effort=0.2)
    assert len(alone) == 4
    pd.testing.assert_frame_equal(alone, shared, check_exact=True)


def test_nothing_like_the_classes_is_unknown(fitted):
    """Between all classes, no probability is as high as those of known images."""
    between = np.mean([pictures(x, 1, seed=4)[0] for x in fitted.classes_], axis=0)
    answers = fitted.predict(np.rint(between)[None].astype(np.uint8))
    assert answers.loc[0, "verdict"] == "unknown" and answers.loc[0, "set"] == ""
    assert answers.filter(like="p-value").to_numpy().max() <= 0.1


def test_a_class_that_can_never_be_ruled_out_is_told(root):
    data = load(root, n_real=100)
    small = dataclasses.replace(data, real_test=data.real_test[:30])
    found = Attributor(**PLAIN).fit(small)
    assert "real (6)" in found.warnings_[-1] and "needs 9" in found.warnings_[-1]
    assert found.sets(small.images["dots"])[:, 2].all()
    assert Attributor(**PLAIN).fit(data).warnings_ == []


def test_a_verdict_that_flips_is_unsure(fitted, monkeypatch):
    def to_dots(images):
        return pictures("dots", len(images), seed=3)

    stripes = pictures("stripes", 20, seed=3)
    calm = answer_images(fitted, stripes)
    monkeypatch.setitem(CHANGES, "after JPEG 90", to_dots)
    found = answer_images(fitted, stripes)
    assert "stripes" in calm["verdict"].to_numpy()
    assert not (found["verdict"] == "stripes").any()
    certain = calm["verdict"] == "stripes"
    assert (found.loc[certain, "verdict"] == "unsure").all()


def test_a_larger_coverage_rules_out_less(fitted, benchmark):
    images = benchmark.images["dots"][:20]
    some = fitted.sets(images)
    more = fitted.set_params(coverage=0.97).sets(images)
    fitted.set_params(coverage=0.9)
    assert (more | ~some).all()


def test_answers_do_not_depend_on_the_company(fitted, benchmark):
    images = benchmark.images["dots"][:6]
    alone = np.concatenate([fitted.predict_proba(x[None]) for x in images])
    np.testing.assert_allclose(alone, fitted.predict_proba(images), atol=1e-6)


def test_an_image_of_the_manifold_is_its_own_nearest(fitted, benchmark, root):
    row = fitted.predict(benchmark.real[:1]).iloc[0]
    assert row["distance"] == 0
    with Image.open(root / "real" / row["nearest real"]) as image:
        assert (np.asarray(image) == benchmark.real[0]).all()


def test_files_and_folders_are_answered_in_their_order(fitted, tmp_path):
    folder = write(tmp_path / "more", pictures("dots", 3, seed=9))
    single = write(tmp_path / "single", pictures("stripes", 1, seed=9)) / "000.png"
    answers = fitted.predict([single, folder])
    assert answers["file"].str[-11:].tolist()[0].endswith("000.png")
    assert answers["prediction"].tolist() == ["stripes", "dots", "dots", "dots"]
    assert (answers["format"] == "PNG").all() and (answers["width"] == 12).all()
    assert answers["sha256"].nunique() == 4


def test_a_file_that_cannot_be_read_does_not_cost_the_others(fitted, tmp_path):
    folder = write(tmp_path / "more", pictures("dots", 3, seed=9))
    (folder / "001.png").write_bytes(b"<svg/>")
    Image.new("RGB", (40, 30)).save(folder / "wide.png")
    answers = fitted.predict([folder])
    assert answers["verdict"].notna().tolist() == [True, False, True, False]
    assert "damaged, or of a format" in answers["error"][1]
    assert (
        "is 40 x 30 pixels, but all images of the fit were 12 x 12"
        in (answers["error"][3])
    )


def test_a_name_that_is_no_text_does_not_cost_the_others(fitted, tmp_path):
    folder = write(tmp_path / "more", pictures("dots", 2, seed=9))
    odd = folder / os.fsdecode(b"\xff.png")
    (folder / "000.png").rename(odd)
    lines = folder / "two\nlines.png"
    (folder / "001.png").rename(lines)
    answers = fitted.predict([odd, lines])
    assert "is not text in UTF-8; rename it" in answers["error"][0]
    assert answers["file"][0].endswith("\\udcff.png")
    # Any other name stays the path, by which the file can be found again.
    assert answers["error"][1] == "" and answers["file"][1] == str(lines)


def test_images_are_resized_where_those_of_the_fit_were(root, tmp_path):
    found = Attributor(**PLAIN).fit(load(root, size=8))
    folder = write(tmp_path / "more", pictures("dots", 3, seed=9))
    answers = found.predict([folder])
    assert (answers["error"] == "").all() and answers["verdict"].notna().all()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"estimate": "exact"}, "unknown estimate 'exact'"),
        ({"estimate": "nearst"}, "did you mean 'nearest'"),
        ({"classifier": "svm"}, "unknown classifier 'svm'"),
        ({"space": "rbg"}, "did you mean 'rgb'"),
        ({"space": "supervised", "estimate": "highpass"}, "filters pixels"),
        ({"coverage": 90}, "between 0 and 1, got 90"),
        ({"device": "gpu"}, "gpu"),
    ],
)
def test_what_does_not_exist_is_named(benchmark, options, message):
    with pytest.raises(ValueError, match=message):
        Attributor(**PLAIN | options).fit(benchmark)


@pytest.mark.parametrize(
    ("paths", "message"),
    [
        ([], "no image was named"),
        (["nowhere.png"], "nowhere.png does not exist"),
    ],
)
def test_missing_files_are_named(fitted, paths, message):
    with pytest.raises(ValueError, match=message):
        fitted.predict(paths)


def test_an_array_of_another_size_is_refused(fitted):
    with pytest.raises(ValueError, match="the space was fitted on"):
        fitted.predict(np.zeros((1, 8, 8, 3), np.uint8))
