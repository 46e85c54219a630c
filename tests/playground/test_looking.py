"""What the playground computes: the right differences, sets, words and refusals."""

import io

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from manifpt_utils.playground import looking
from manifpt_utils.playground.looking import (
    MOST_BYTES,
    Change,
    Found,
    changed,
    comparison_words,
    divided,
    look,
    prepared,
    uploaded,
    verdict_words,
)
from manifpt_utils.playground.pictures import description, picture


def encoded(image, kind="PNG"):
    file = io.BytesIO()
    Image.fromarray(image).save(file, kind)
    return file.getvalue()


@pytest.fixture
def image(shown):
    return shown["ddpm"][0]


@pytest.mark.parametrize(("p", "kept"), [(0.1, False), (0.1000001, True)])
def test_the_set_of_the_picture_is_that_of_the_verdict(p, kept):
    # 1 - 0.9 is a little less than 0.1 in floating point.
    assert looking.in_the_set(pd.Series({"a": 0.5, "b": p}), 0.9).tolist() == [1, kept]


# --- changes ----------------------------------------------------------------------


def test_no_change_leaves_the_image_as_it_is(image):
    np.testing.assert_array_equal(changed(image, Change()), image)


@pytest.mark.parametrize(
    "change", [Change(factor=0.5), Change(blur=1), Change(noise=9), Change(quality=20)]
)
def test_every_control_changes_the_image_and_keeps_its_form(image, change):
    found = changed(image, change)
    assert found.shape == image.shape and found.dtype == np.uint8
    assert not np.array_equal(found, image)


def test_blur_takes_detail_away_and_noise_brings_some(image):
    def detail(x):
        return np.abs(np.diff(x.astype(int), axis=1)).mean()

    assert detail(changed(image, Change(blur=1))) < detail(image)
    assert detail(changed(image, Change(noise=20))) > detail(image)


# --- what is found ----------------------------------------------------------------


def test_the_artifact_is_the_image_less_its_closest_point(attributor, image):
    found = look(attributor, image)
    np.testing.assert_array_equal(found.artifact, image.astype(int) - found.star)
    distances = ((attributor.real_.astype(int) - image) ** 2).sum(axis=(1, 2, 3))
    np.testing.assert_array_equal(found.star, attributor.real_[distances.argmin()])
    assert found.length == pytest.approx(np.sqrt(distances.min() / image.size))


def test_a_real_image_of_the_manifold_has_no_artifact_and_no_spectrum(attributor):
    found = look(attributor, attributor.real_[3])
    assert found.length == 0 and np.abs(found.spectrum).max() == 0


def test_the_exact_closest_view_is_closer(attributor, image, known):
    exact = look(attributor, image, manifold=known.manifold)
    assert exact.length <= look(attributor, image).length


def test_the_set_is_that_of_the_attributor(attributor, shown):
    for image in shown["dcgan"][:5]:
        (kept,) = attributor.sets(image[None])
        assert look(attributor, image).kept == attributor.classes_[kept].tolist()


# --- words ------------------------------------------------------------------------


def found(verdict, kept, length=1.0, value=0):
    image = np.full((4, 4, 3), value, np.uint8)
    p = pd.Series({name: 0.5 if name in kept else 0.01 for name in ("a", "b", "c")})
    return Found(
        image, image, image.astype(int), length, image[..., 0], p, verdict, kept
    )


@pytest.mark.parametrize(
    ("verdict", "kept", "words"),
    [
        ("a", ["a"], "Made by a: the only class that cannot be ruled out at 90 %."),
        ("several", ["a", "b"], "Made by a or b: these cannot be ruled out at 90 %."),
        ("unknown", [], "Unknown: all 3 classes are ruled out at 90 %."),
    ],
)
def test_a_verdict_is_a_sentence(verdict, kept, words):
    assert verdict_words(found(verdict, kept), 0.9) == words


def test_an_unsure_verdict_says_why():
    words = verdict_words(found("unsure", ["a"]), 0.9)
    assert (
        words.startswith("Unsure: a cannot be ruled out") and "slight change" in words
    )


def test_a_change_of_the_verdict_is_told():
    before, after = found("a", ["a"]), found("unknown", [], length=2.0, value=9)
    assert comparison_words(before, before).endswith("the image is as it came.")
    told = comparison_words(before, after)
    assert "2.0 grey levels long, before the change 1.0" in told
    assert told.endswith("the verdict was: a.")
    same = comparison_words(before, after._replace(verdict="a", kept=["a"]))
    assert same.endswith("the verdict stays as it was.")
    assert comparison_words(after, before).endswith("was: unknown (no class).")


def test_the_picture_is_one_and_is_described(attributor, image):
    before = look(attributor, image)
    after = look(attributor, changed(image, Change(quality=30)))
    drawn = Image.open(io.BytesIO(picture(before, after, attributor.coverage)))
    assert drawn.format == "PNG" and drawn.width > 800
    words = description(before, after)
    assert after.p.idxmax() in words and f"{after.length:.1f} grey levels" in words


# --- files of the reader's own ----------------------------------------------------


def test_an_image_of_another_size_is_brought_to_the_size_of_the_others():
    image = np.full((50, 90, 3), 77, np.uint8)
    assert uploaded("mine.png", encoded(image), (32, 32)).shape == (32, 32, 3)
    same = np.random.default_rng(0).integers(0, 256, (32, 32, 3), np.uint8)
    np.testing.assert_array_equal(uploaded("a.png", encoded(same), (32, 32)), same)


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        (
            "notes.png",
            b"not an image",
            r"^notes\.png is empty, damaged, or of",
        ),
        (
            "large.png",
            bytes(MOST_BYTES + 1),
            r"^large\.png has 5\.0 million bytes",
        ),
        ("../../etc/x\x1b.png", b"", r"^x\\x1b\.png is empty"),
        ("C:\\private\\x.png", b"", r"^x\.png is empty"),
        ("a" * 300 + ".png", b"", r"^a{60} is empty"),
    ],
)
def test_what_is_no_image_gets_one_sentence(name, content, words):
    with pytest.raises(ValueError, match=words):
        uploaded(name, content, (32, 32))


def test_a_file_is_read_from_memory_alone(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    uploaded("mine.png", encoded(np.zeros((8, 8, 3), np.uint8)), (8, 8))
    assert list(tmp_path.iterdir()) == []


# --- an attributor that is kept ---------------------------------------------------


def test_what_is_shown_was_not_learned_from(known):
    part, shown = divided(known, 60)
    assert all(len(x) == 60 for x in part.images.values())
    learned = {x.tobytes() for x in part.images["ddpm"]}
    assert not learned & {x.tobytes() for x in shown["ddpm"]}
    assert set(shown) == {"dcgan", "ddpm", "real"}


def test_a_kept_attributor_is_read_and_a_damaged_one_is_fitted_again(
    known, tmp_path, monkeypatch, image
):
    part, _ = divided(known, 40)
    first = prepared(part, folder=tmp_path)
    (place,) = tmp_path.iterdir()
    with monkeypatch.context() as patch:
        patch.setattr(looking, "Attributor", None)  # which fits nothing
        patch.setattr(looking, "_place", lambda *_: place)
        again = prepared(part, folder=tmp_path)
    for one, other in zip(look(first, image).p, look(again, image).p, strict=True):
        assert one == other
    (place / "attributor.json").write_text("{")
    assert prepared(part, folder=tmp_path).classes_.tolist() == [
        "dcgan",
        "ddpm",
        "real",
    ]


def test_a_place_that_is_damaged_or_full_only_costs_another_fit(
    known, tmp_path, monkeypatch
):
    part, _ = divided(known, 40)
    place = looking._place(part, tmp_path)
    (place / "rest").mkdir(parents=True)
    prepared(part, folder=tmp_path)
    assert not (place / "rest").exists() and (place / "attributor.json").is_file()

    def full(*_, **__):
        raise OSError("no space left")

    monkeypatch.setattr(looking.Attributor, "save", full)
    assert prepared(part, folder=tmp_path / "other").classes_.size > 1
