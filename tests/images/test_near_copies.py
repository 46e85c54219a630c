"""Near copies: what must be found, what must not, and how it is said."""

import numpy as np
import pandas as pd
import pytest
from pictures import noise, write_folder
from PIL import Image
from sklearn.datasets import load_sample_image

from manifpt_utils.images.audit import audit
from manifpt_utils.images.copies import digests
from manifpt_utils.images.folder import from_folder
from manifpt_utils.images.jpeg import jpeg
from manifpt_utils.images.loading import load
from manifpt_utils.images.near_copies import (
    MOTION,
    THRESHOLD,
    _explained,
    describe_near_copies,
    find_near_copies,
    signatures,
)


def squares(n, *, size=64, seed=0):
    """Cut squares out of a photograph, each at another place."""
    photo, rng = load_sample_image("china.jpg"), np.random.default_rng(seed)
    rows, columns = (rng.integers(0, side - 200, n) for side in photo.shape[:2])
    parts = [
        photo[i : i + 200, j : j + 200] for i, j in zip(rows, columns, strict=True)
    ]
    return np.array([scaled(part, size) for part in parts])


def scaled(image, size):
    image = Image.fromarray(image).resize((size, size), Image.Resampling.LANCZOS)
    return np.asarray(image)


def pairs_of(**classes):
    """Near copies among images by class."""
    keys = [(name, f"{i}.png") for name, x in classes.items() for i in range(len(x))]
    index = pd.MultiIndex.from_tuples(keys, names=["class", "file"])
    images = [image for x in classes.values() for image in x]
    equal = [digests(image[None])[0] for image in images]
    files = pd.DataFrame({"digest": equal}, index)
    return find_near_copies(files, signatures(images))


ALTERED = {
    "JPEG 95": lambda x: jpeg(x[None], quality=95)[0],
    "JPEG 75": lambda x: jpeg(x[None], quality=75)[0],
    "JPEG 50": lambda x: jpeg(x[None], quality=50)[0],
    "half the size": lambda x: scaled(x, 32),
    "three quarters": lambda x: scaled(x, 48),
    "twice the size": lambda x: scaled(x, 128),
    "reduced and back": lambda x: scaled(scaled(x, 48), 64),
    "brighter": lambda x: (x.clip(0, 254) + 1).astype(np.uint8),
    "one pixel": lambda x: np.where(np.arange(64)[:, None, None] == 0, x ^ 1, x),
}


@pytest.mark.parametrize("how", ALTERED)
def test_an_altered_image_is_a_near_copy(how):
    images = squares(30)
    found = pairs_of(a=images, b=[ALTERED[how](images[3])])
    assert found[["class", "file", "other_class"]].values.tolist() == [
        ["a", "3.png", "b"]
    ]
    assert 0 < found["difference"][0] <= THRESHOLD


def test_other_views_of_a_photograph_are_hardly_ever_near_copies():
    # Views overlap, and a few of a thousand nearly coincide.
    real = load("gm-photo/coffee", models=["dcgan"], n_real=1000).real
    found = pairs_of(real=real)
    assert len(set(found["file"]) | set(found["other_file"])) <= 4


def test_equal_images_are_no_near_copies_and_named_once():
    images = squares(4)
    found = pairs_of(a=np.tile(images, (3, 1, 1, 1)), b=[images[0], images[1] ^ 1])
    assert found[["file", "other_file"]].values.tolist() == [["1.png", "1.png"]]


def test_mirrored_and_flat_images():
    images = squares(2)
    assert pairs_of(a=images, b=images[:, :, ::-1]).empty
    grey = [np.full((8, 8, 3), level, np.uint8) for level in (0, 1, 100, 200)]
    assert pairs_of(a=grey)[["file", "other_file"]].values.tolist() == [
        ["0.png", "1.png"]
    ]


def test_the_pairs_are_those_of_a_slow_search():
    # Brightness changes by whole grey levels, which no motion explains.
    base, rng = squares(40, size=16), np.random.default_rng(0)
    shifts = np.array([rng.permutation(8)[:3] for _ in base]).T
    classes = {
        name: (base.clip(0, 240) + shift[:, None, None, None]).astype(np.uint8)
        for name, shift in zip("abc", shifts, strict=True)
    }
    found = pairs_of(**classes)
    ends = found[["class", "file"]], found[["other_class", "other_file"]]
    named = {
        frozenset(map("/".join, x)) for x in zip(*(e.values for e in ends), strict=True)
    }
    apart = np.abs(shifts[:, None] - shifts)
    wanted = {
        frozenset({f"{'abc'[i]}/{k}.png", f"{'abc'[j]}/{k}.png"})
        for i, j, k in zip(*np.nonzero((apart > 0) & (apart < THRESHOLD)), strict=True)
    }
    assert wanted <= named and len(named - wanted) <= 40  # some are just at the edge
    assert len(named) == len(found) and (found["difference"] <= THRESHOLD).all()


@pytest.mark.parametrize("shift", [1, 2, 4])
def test_a_small_motion_of_the_camera_is_told_from_a_compression(shift):
    photo = load_sample_image("china.jpg")
    first, second = (scaled(photo[:400, s : s + 400], 64) for s in (0, shift))
    x = signatures([first, second, jpeg(first[None], quality=50)[0]])
    moved, compressed = _explained(x[[0, 0]], x[[1, 2]])
    assert compressed < MOTION / 2
    assert moved > 0.85 * np.linalg.norm(x[1] - x[0])


def test_images_of_a_part_are_compared_where_there_are_very_many(monkeypatch):
    monkeypatch.setattr("manifpt_utils.images.near_copies.MOST", 10)
    images = squares(10)
    assert 0 < len(pairs_of(a=images, b=images ^ 1)) < 10


def test_no_images_and_one_image():
    assert pairs_of(a=squares(1)).empty and pairs_of(a=squares(0)).empty
    assert describe_near_copies(pairs_of(a=squares(1))) == ""


def test_a_folder_is_warned_of_near_copies_across_and_within(tmp_path):
    root = write_folder(tmp_path / "mine")
    image = Image.fromarray(noise(20, seed=1)[3])
    image.point(lambda v: min(v + 1, 255)).save(root / "b" / "brighter.png")
    image.point(lambda v: max(v - 1, 0)).save(root / "a" / "darker.png")
    message = r"2 pairs of a and b; 1 pair in a \(a/003.png ~ b/brighter.png, 1.0 grey"
    with pytest.warns(UserWarning, match="near copies of another one: " + message):
        loaded = from_folder(root)
    found = audit(root)
    assert found.near_copies.equals(loaded.audit.near_copies)
    assert found.near_copies["class"].tolist()[-1] == "a"
    assert found.warnings == loaded.warnings and len(found.warnings) == 1
