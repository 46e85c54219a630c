"""What files give away without a look at their pixels, and copies among them."""

import numpy as np
import pandas as pd
import pytest
from pictures import noise, write_folder, write_images
from PIL import Image

from manifpt_utils.images.audit import audit, compare
from manifpt_utils.images.copies import digests
from manifpt_utils.images.file_facts import Facts
from manifpt_utils.images.folder import from_folder
from manifpt_utils.images.image_files import read_image

JPEG = {"suffix": ".jpg", "quality": 95, "subsampling": 0}
WEBP = {"suffix": ".webp", "lossless": True}
TIFF = {"suffix": ".tif"}
PNG = {"suffix": ".png"}
OTHER = [
    (JPEG, JPEG | {"quality": 60}, "quality", "60"),
    (JPEG, JPEG | {"subsampling": 2}, "subsampling", "4:2:0"),
    (JPEG, JPEG | {"subsampling": 1}, "subsampling", "4:2:2"),
    (JPEG, JPEG | {"comment": b"made by"}, "metadata", "comment"),
    (WEBP, {"suffix": ".webp", "quality": 90}, "lossless", "False"),
    (TIFF, TIFF | {"compression": "jpeg"}, "compression", "jpeg"),
    (TIFF, TIFF | {"compression": "tiff_lzw"}, "compression", "tiff_lzw"),
    (PNG, {"suffix": ".bmp"}, "format", "BMP"),
]


@pytest.mark.parametrize(("base", "other", "fact", "value"), OTHER)
def test_a_class_that_is_stored_otherwise_is_warned_of(
    tmp_path, base, other, fact, value
):
    root = write_folder(tmp_path / "mine", **base)
    assert from_folder(root).warnings == []
    for path in (root / "a").iterdir():
        path.unlink()
    write_images(root / "a", noise(20, seed=1), **other)
    with pytest.warns(
        UserWarning, match="not stored in one way in all classes"
    ) as seen:
        found = from_folder(root)
    assert found.audit.differences.loc[fact, "a"] == value
    assert found.audit.differences.loc[fact, "b"] != value
    # The altered class is found; the two others can only be guessed.
    accuracies = found.audit.accuracies
    assert 0.5 <= accuracies.loc["all classes", "accuracy"] <= 0.85
    assert accuracies.loc["models alone", "accuracy"] == 1
    assert list(accuracies["chance"]) == [1 / 3, 1 / 2]
    assert (accuracies["null"] < accuracies["accuracy"]).all()
    [message] = found.warnings
    assert str(seen[0].message) == f"{root}: {message}"
    assert "models alone: accuracy 1.00, chance 0.50" in message


def test_grey_classes_are_warned_of_however_they_are_stored(tmp_path):
    root = write_folder(tmp_path)
    grey = np.repeat(noise(20, seed=1)[..., :1], 3, axis=-1)
    write_images(root / "a", grey)
    with pytest.warns(UserWarning, match="grey .False in b, real; True in a"):
        assert list(from_folder(root).audit.differences.index) == ["grey"]
    for path, image in zip(sorted((root / "a").iterdir()), grey, strict=True):
        Image.fromarray(image[..., 0]).save(path)
    assert list(audit(root).differences.index) == ["mode", "grey"]


def test_sizes_before_resizing_are_compared(tmp_path):
    root = write_folder(tmp_path, size=(16, 24))
    assert from_folder(root, size=8).warnings == []
    write_images(root / "a", noise(20, seed=1, size=(12, 20)))
    with pytest.warns(UserWarning, match="width .20 in a; 24 in b, real"):
        found = from_folder(root, size=8)
    assert list(found.audit.differences.index) == ["width", "height"]
    assert audit(root).differences.equals(found.audit.differences)


def table(**classes):
    """Facts of files that differ in quality alone: class -> qualities."""
    base = Facts("JPEG", "jpeg", False, 0, "", "4:2:0", "RGB", 8)
    rows = {
        (name, f"{i}.jpg"): base._replace(quality=float(q))
        for name, qualities in classes.items()
        for i, q in enumerate(qualities)
    }
    index = pd.MultiIndex.from_tuples(rows, names=["class", "file"])
    found = pd.DataFrame(list(rows.values()), index, columns=Facts._fields)
    return found.assign(digest=[str(i) for i in range(len(found))])


def test_files_that_vary_alike_in_all_classes_raise_no_warning():
    wrong = 0
    for seed in range(20):
        rng = np.random.default_rng(seed)
        draws = {name: rng.integers(50, 100, 60) for name in ("real", "a", "b")}
        wrong += bool(compare(table(**draws)).warnings)
    assert wrong <= 2


def test_a_shift_of_what_varies_is_found():
    rng = np.random.default_rng(0)
    low, high = rng.integers(50, 80, 100), rng.integers(70, 100, 100)
    found = compare(table(real=low, a=low, b=high))
    assert list(found.differences.index) == ["quality"]
    assert "quality (50 to 79 in a, real; 70 to 99 in b)" in found.warnings[0]
    # Of the two alike, a half is told apart by guessing; of the shifted, two thirds.
    assert found.accuracies.loc["models alone", "accuracy"] > 0.7


def test_small_and_single_classes():
    found = compare(table(real=[90, 90], a=[60, 60]))
    assert list(found.differences.index) == ["quality"]
    assert list(found.accuracies.index) == ["all classes"]
    assert compare(table(real=[90, 90], a=[60])).differences.empty
    alike = compare(table(real=[90] * 3, a=[90] * 3, b=[90] * 3))
    assert alike.warnings == [] and (alike.accuracies["accuracy"] < 0.51).all()


def test_seventeen_classes_are_named_briefly():
    classes = {f"m{i}": [80] * 5 for i in range(16)}
    [message] = compare(table(real=[80] * 5, **classes | {"m3": [70] * 5})).warnings
    assert "quality (70 in m3; 80 in 16 classes)" in message


@pytest.mark.parametrize("quality", [1, 30, 75, 95, 100])
def test_the_quality_of_jpeg_is_read_from_its_tables(tmp_path, quality):
    write_images(tmp_path, noise(1), suffix=".jpg", quality=quality)
    facts = read_image(tmp_path / "000.jpg")[1]
    assert facts.quality == quality and facts.subsampling == "4:2:0"


def test_facts_of_single_files(tmp_path):
    image = Image.fromarray(noise(1, size=(8, 12))[0])
    exif = Image.Exif()
    exif[0x0112] = 6  # held a quarter turn to the left
    image.save(tmp_path / "x.jpg", exif=exif, dpi=(72, 72))
    facts = read_image(tmp_path / "x.jpg")[1]
    assert (facts.width, facts.height) == (8, 12)
    assert facts.metadata == "dpi, exif" and not facts.grey
    image.save(tmp_path / "x.webp", icc_profile=b"x" * 101)  # an odd chunk to skip
    facts = read_image(tmp_path / "x.webp")[1]
    assert (facts.compression, facts.metadata) == ("VP8", "icc_profile")
    image.convert("L").point(lambda v: v // 16).save(tmp_path / "x.png", bits=4)
    facts = read_image(tmp_path / "x.png")[1]
    assert (facts.bits, facts.mode, facts.grey) == (4, "L", True)
    assert np.isnan(facts.quality) and facts.tables == facts.metadata == ""


# Copies


def test_digests_tell_images_by_their_content():
    images = noise(6)
    images[4], images[5] = images[1], images[1]
    found = digests(images)
    assert found[4] == found[5] == found[1] and len(set(found)) == 4
    assert list(digests(images[::-1].copy())) == list(found[::-1])
    assert digests(images[:0]).shape == (0,)


def test_copies_within_a_class_are_named(tmp_path):
    root = write_folder(tmp_path)
    write_images(root / "a", np.tile(noise(10, seed=1), (2, 1, 1, 1)))
    message = "copies of another one: 10 of the 20 in a .a/000.png = a/010.png"
    with pytest.warns(UserWarning, match=message):
        found = from_folder(root)
    assert len(found.audit.copies) == 20 and len(found.warnings) == 1


def test_images_in_several_classes_are_named(tmp_path):
    root = write_folder(tmp_path)
    Image.fromarray(noise(20, seed=1)[3]).save(root / "b" / "new.bmp")
    Image.fromarray(noise(20)[0]).save(root / "a" / "new.png")
    with pytest.warns(UserWarning) as seen:
        from_folder(root)
    message = str(seen[0].message)
    assert "2 in more than one class" in message
    assert "real/000.png = a/new.png" in message and "a/003.png = b/new.bmp" in message


@pytest.mark.parametrize(("copy", "original"), [("a", "real"), ("a", "b")])
@pytest.mark.parametrize("n", [20, 5])
def test_a_class_that_is_a_copy_of_another_is_refused(tmp_path, copy, original, n):
    root = write_folder(tmp_path)
    for path in (root / copy).iterdir():
        path.unlink()
    seed = ["real", "a", "b"].index(original)
    write_images(root / copy, noise(20, seed=seed)[:n])
    message = f"all images of '{copy}' are in '{original}' as well .*000.png = "
    with pytest.raises(ValueError, match=message):
        from_folder(root)


# Classes of one file, and of none that differ


@pytest.fixture
def root(tmp_path):
    return write_folder(tmp_path / "mine", n=5)


def test_a_class_of_one_file_has_no_part_in_the_accuracy(root):
    for i in range(1, 5):
        (root / "a" / f"00{i}.png").unlink()
    Image.fromarray(noise(1)[0]).save(root / "a" / "000.png", "JPEG")
    found = audit(root)
    assert found.differences.empty and found.warnings == []
    assert list(found.accuracies.index) == ["all classes"]
    assert len(found.files) == 11


def test_classes_of_one_file_each_have_no_accuracy(tmp_path):
    found = audit(write_folder(tmp_path, n=1))
    assert found.accuracies.empty and not found.telling and found.warnings == []


def test_images_of_one_pixel(tmp_path):
    root = write_folder(tmp_path, size=(1, 1))
    assert set(audit(root).files["width"]) == {1}


def test_hostile_names_are_no_commands_in_warnings(root):
    name = "x\x1b[2J\n.png"
    (root / "a" / name).write_bytes((root / "b" / "000.png").read_bytes())
    [message] = audit(root).warnings
    assert "a/x\\x1b[2J\\n.png = b/000.png" in message


def test_the_order_of_facts_does_not_come_from_the_order_of_files(root):
    first = audit(root).accuracies
    for path in (root / "a").iterdir():
        path.rename(path.with_name(f"z{path.name}"))
    assert audit(root).accuracies.equals(first)
    assert np.isfinite(first.to_numpy()).all()
