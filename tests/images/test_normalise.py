"""One way of storage for all images, and what it does not cure."""

import numpy as np
import pytest
from pictures import noise, write_folder, write_images
from PIL import Image
from scipy.fft import dctn
from sklearn.datasets import load_sample_image
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from manifpt_utils import load, normalise
from manifpt_utils._support.names import NORMALISATIONS
from manifpt_utils.images.advice import advice
from manifpt_utils.images.audit import audit
from manifpt_utils.images.file_facts import Facts
from manifpt_utils.images.folder import from_folder
from manifpt_utils.images.image_files import read_image
from manifpt_utils.images.jpeg import jpeg
from manifpt_utils.images.normalised_folder import png_names, write_normalised

BASE = {"suffix": ".jpg", "quality": 95}


@pytest.fixture
def root(tmp_path):
    """Class b is compressed with another quality, and larger."""
    root = write_folder(tmp_path / "mine", size=(16, 24), **BASE)
    images = noise(20, seed=2, size=(20, 24))
    write_images(root / "b", images, **BASE | {"quality": 60})
    return root


def test_png_changes_no_pixel_and_wants_one_size():
    images = noise(3)
    assert np.array_equal(normalise(images, "png"), images)
    with pytest.raises(ValueError, match="differ in size"):
        normalise([*images, noise(1, size=(9, 8))[0]], "png")


def test_size_is_the_smallest_height_and_width():
    wide, tall = noise(1, size=(8, 20))[0], noise(1, size=(12, 10))[0]
    found = normalise([wide, tall], "size")
    assert found.shape == (2, 8, 10, 3)
    assert np.array_equal(found[0], wide[:, 5:15])  # a crop alone
    assert np.array_equal(found[1], tall[2:10])
    assert np.array_equal(normalise(noise(2), "size"), noise(2))


def test_jpeg_comes_after_size_and_is_the_same_for_all():
    images = [noise(1, size=(24, 24))[0], noise(1, size=(16, 16), seed=1)[0]]
    found = normalise(images, "jpeg90")
    assert np.array_equal(found, jpeg(normalise(images, "size"), quality=90))
    alone = normalise(images[:1], "jpeg90", size=16)
    assert np.array_equal(alone[0], found[0])


@pytest.mark.parametrize(
    ("images", "how", "options", "message"),
    [
        (noise(1), "jpeg9", {}, "normalise='jpeg9'; did you mean 'jpeg90'"),
        (noise(1), ["png"], {}, r"unknown normalise=\['png'\]"),
        (noise(1), "size", {"size": 0}, "positive integers, got 0"),
        (noise(1) / 255, "size", {}, "must be uint8"),
        (noise(1)[..., 0], "png", {}, r"\(n, h, w, 3\)"),
        ([], "size", {}, "images"),
        (noise(0), "jpeg90", {}, "0 sample"),
    ],
)
def test_what_cannot_be_normalised_is_refused(images, how, options, message):
    with pytest.raises(ValueError, match=message):
        normalise(images, how, **options)


def test_a_benchmark_keeps_how_it_was_treated(root):
    with pytest.warns(UserWarning) as seen:
        found = load(root, normalise="jpeg90")
    assert "normalise='jpeg90' was applied. Traces" in str(seen[1].message)
    assert found.normalise == found.audit.normalise == "jpeg90"
    assert found.real.shape[1:] == (16, 24, 3)
    # A later file, treated in the same way, gives the image of the benchmark.
    later = read_image(root / "b" / "000.jpg")[0]
    later = normalise([later], found.normalise, size=found.real.shape[1:3])
    assert np.array_equal(later[0], found.images["b"][0])
    # What the files tell is told of the files, not of the treated images.
    assert {"quality", "height"} <= set(found.audit.differences.index)
    assert len(found.warnings) == 2 and "load them with" not in found.warnings[0]


def test_a_size_that_is_given_is_the_size(root):
    with pytest.warns(UserWarning):
        assert load(root, normalise="size", size=12).real.shape[1:] == (12, 12, 3)
    with pytest.raises(ValueError, match="give a size, for instance size=16"):
        load(root, normalise="png")
    with pytest.raises(ValueError, match="normalise='gif'; Known: jpeg90, png, size"):
        load(root, normalise="gif")


def test_files_of_one_way_raise_no_warning_when_they_are_treated(tmp_path):
    root = write_folder(tmp_path / "mine", size=(16, 16), **BASE)
    for how in NORMALISATIONS:
        assert from_folder(root, normalise=how).warnings == []


# Advice


def test_advice_is_the_mildest_that_reaches_what_differs():
    assert advice(["grey"]) is None and advice([]) is None
    assert advice(["grey", "metadata", "mode"]).how == "png"
    assert advice(["format", "height"]).how == "size"
    for fact in ("quality", "tables", "subsampling", "lossless"):
        assert advice([fact, "width"]).how == "jpeg90"


def test_a_warning_names_the_normalisation_that_helps(root):
    assert "load them with normalise='jpeg90'" in audit(root).warnings[0]


# A folder that was written anew


@pytest.mark.parametrize("how", ["size", "jpeg90"])
def test_a_copy_holds_what_the_benchmark_would(root, tmp_path, how):
    write_normalised(root, tmp_path / "new", how, audit(root))
    with pytest.warns(UserWarning, match=f"written with normalise='{how}' from others"):
        copy = from_folder(tmp_path / "new")
    with pytest.warns(UserWarning):
        treated = from_folder(root, normalise=how)
    assert np.array_equal(copy.images["b"], treated.images["b"])
    assert np.array_equal(copy.real, treated.real)
    # Its files tell nothing, and what they were made from is not forgotten.
    found = copy.audit
    assert not found.telling and found.differences.empty
    assert "quality (60 in b; 95 in a, real)" in found.warnings[0]
    assert "Traces of the earlier storage" in found.warnings[0]
    assert audit(tmp_path / "new").warnings == found.warnings
    # A copy of a copy knows both.
    write_normalised(tmp_path / "new", tmp_path / "newer", "png", found)
    [message] = audit(tmp_path / "newer").warnings
    assert "normalise='png'" in message and f"normalise='{how}'" in message
    assert "60 in b" in message


def test_a_copy_has_the_size_that_is_asked_for(root, tmp_path):
    write_normalised(root, tmp_path / "new", "jpeg90", audit(root), size=8)
    files = audit(tmp_path / "new").files
    assert set(files["width"]) == set(files["height"]) == {8}


def test_a_size_of_half_and_one_compression_hide_most_of_an_earlier_one():
    # What the page about own images says of it, on fewer images.
    rng = np.random.default_rng(0)
    photo = Image.fromarray(load_sample_image("china.jpg"))
    corners = rng.integers(0, 300, (240, 2))
    views = [photo.crop((x, y, x + 120, y + 120)).resize((64, 64)) for x, y in corners]
    images, labels = np.array(views), np.arange(240) % 2
    stored = np.where(
        labels[:, None, None, None],
        jpeg(images, quality=60),
        jpeg(images, quality=95),
    )

    def told_apart(shown):
        model = make_pipeline(StandardScaler(), LogisticRegression(C=0.01))
        return cross_val_score(model, block_shares(shown), labels, cv=4).mean()

    assert told_apart(images) < 0.65
    assert told_apart(stored) > 0.95
    assert told_apart(normalise(stored, "jpeg90")) > 0.9
    assert told_apart(normalise(stored, "jpeg90", size=32)) < 0.8


def block_shares(images):
    """Shares of small amplitudes of every frequency in blocks of 8 x 8 pixels."""
    shown = np.array([Image.fromarray(x).convert("YCbCr") for x in images], float)
    n, height, width = shown.shape[:3]
    blocks = shown.reshape(n, height // 8, 8, width // 8, 8, 3)
    found = np.abs(dctn(blocks, axes=(2, 4), norm="ortho"))
    shares = [(found < level).mean(axis=(1, 3)) for level in (0.5, 1.5, 3, 6, 12)]
    return np.stack(shares, axis=1).reshape(n, -1)


def test_factors_go_with_a_copy_and_the_source_stays(root, tmp_path):
    (root / "factors.csv").write_text("x")
    before = {p: p.read_bytes() for p in root.rglob("*.*")}
    write_normalised(root, tmp_path / "new", "size", audit(root))
    assert (tmp_path / "new" / "factors.csv").read_text() == "x"
    assert {p: p.read_bytes() for p in root.rglob("*.*")} == before
    facts = audit(tmp_path / "new").files[list(Facts._fields)]
    assert (facts["format"] == "PNG").all() and (facts["mode"] == "RGB").all()


def test_nothing_is_left_of_a_copy_that_fails(root, tmp_path, monkeypatch):
    found = audit(root)
    (root / "b" / "019.jpg").unlink()
    with pytest.raises(ValueError, match="b/019.jpg vanished while it was read; wait"):
        write_normalised(root, tmp_path / "new", "size", found)
    assert [p.name for p in tmp_path.iterdir()] == ["mine"]


def test_names_of_one_stem_do_not_meet():
    found = png_names(["x.jpg", "x.png", "X.webp", "x.jpg.png", "y.tif"])
    assert found["x.png"] == "x.png" and found["y.tif"] == "y.png"
    assert len({name.casefold() for name in found.values()}) == 5
