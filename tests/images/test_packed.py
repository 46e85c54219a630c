"""Packed images: equal to those of the files, mapped, and never half written."""

import os
import shutil
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from pictures import noise, write_folder, write_images

from manifpt_utils._support.cache import VARIABLE
from manifpt_utils.images import packed as module
from manifpt_utils.images import pruning
from manifpt_utils.images.folder import from_folder
from manifpt_utils.images.image_files import read_images
from manifpt_utils.images.packed import read_packed, take
from manifpt_utils.images.validation import check_images


@pytest.fixture
def cache(tmp_path, monkeypatch):
    folder = tmp_path / "cache"
    monkeypatch.setenv(VARIABLE, str(folder))
    return folder / "packed"


@pytest.fixture
def paths(tmp_path):
    write_images(tmp_path / "real", noise(7))
    return sorted((tmp_path / "real").iterdir())


def visible(folder):
    return {path.name for path in folder.iterdir()}


@pytest.mark.parametrize("size", [None, (4, 6)])
@pytest.mark.parametrize("block", [1, 2**26])
def test_packed_images_are_those_of_the_files(paths, cache, size, block, monkeypatch):
    monkeypatch.setattr(module, "BLOCK", block)
    expected = read_images(paths, size=size)
    for found in (read_packed(paths, size=size), read_packed(paths, size=size)):
        assert isinstance(found.pixels, np.memmap)
        np.testing.assert_array_equal(found.pixels, expected.pixels)
        assert list(map(repr, found.facts)) == list(map(repr, expected.facts))
    assert len(visible(cache)) == 2  # images and facts, nothing half written


def test_files_are_decoded_once(paths, cache, monkeypatch):
    first = read_packed(paths).pixels
    monkeypatch.setattr(module, "read_images", None)
    np.testing.assert_array_equal(read_packed(paths).pixels, first)


@pytest.mark.parametrize("size", [None, (4, 4)])
def test_a_replaced_file_is_read_anew(paths, cache, size):
    read_packed(paths, size=size)
    write_images(paths[0].parent, noise(7, seed=1))
    found = read_packed(paths, size=size).pixels
    np.testing.assert_array_equal(found, read_images(paths, size=size).pixels)


def test_a_treatment_is_part_of_the_name(paths, cache):
    plain = read_packed(paths).pixels
    found = read_packed(paths, treat=lambda x: 255 - x, key="negative").pixels
    np.testing.assert_array_equal(found, 255 - plain)


def test_a_map_cannot_be_written(paths, cache):
    with pytest.raises(ValueError, match="read-only"):
        read_packed(paths).pixels[0] = 0


@pytest.mark.parametrize("change", ["written", "removed"])
def test_a_file_that_changes_while_it_is_read_is_refused(
    paths, cache, change, monkeypatch
):
    def read(part, **options):
        found = read_images(part, **options)
        if len(part) == len(paths):
            paths[3].unlink()
            if change == "written":
                shutil.copy(paths[0], paths[3])
        return found

    monkeypatch.setattr(module, "read_images", read)
    with pytest.raises(ValueError, match=r"003.png changed, appeared or vanished"):
        read_packed(paths)
    assert not visible(cache)


def test_a_file_that_appears_while_a_folder_is_read_is_refused(tmp_path, monkeypatch):
    root = write_folder(tmp_path / "mine", n=6)
    from manifpt_utils.images.readers import source

    def read(*arguments, **options):
        found = read_images(*arguments, **options)
        shutil.copy(root / "a" / "000.png", root / "a" / "999.png")
        return found

    monkeypatch.setattr(source, "read_images", read)
    with pytest.raises(ValueError, match=r"999.png changed, appeared or vanished"):
        from_folder(root)


def test_a_full_disk_is_told_before_anything_is_written(paths, cache, monkeypatch):
    usage = shutil.disk_usage(paths[0])._replace(free=10)
    monkeypatch.setattr(module.shutil, "disk_usage", lambda path: usage)
    with pytest.raises(ValueError, match=r"cannot be packed in .* free space, set MAN"):
        read_packed(paths)
    assert not visible(cache)


def test_a_disk_that_fills_leaves_nothing_behind(paths, cache):
    def fill(images):
        raise OSError(28, "No space left on device")

    with pytest.raises(ValueError, match="cannot be packed in .*No space left on dev"):
        read_packed(paths, treat=fill, key="fill")
    assert not visible(cache)


def test_a_folder_that_cannot_be_written_is_named(paths, tmp_path, monkeypatch):
    (tmp_path / "file").touch()
    with pytest.raises(ValueError, match="cannot be packed in .*file/packed"):
        read_packed(paths, folder=tmp_path / "file" / "packed")
    monkeypatch.setenv(VARIABLE, "off")
    with pytest.raises(ValueError, match="MANIFPT_CACHE is off.*packed=False"):
        read_packed(paths)


def test_two_readers_at_once_leave_one_whole_file(paths, cache):
    """The name of a half-written file is that of its process and thread."""
    with module._array_file(cache.parent.with_name("x.npy"), (1, 2)) as one:
        with module._array_file(cache.parent.with_name("y.npy"), (1, 2)) as other:
            one(np.uint8([[1, 2]]))
            other(np.uint8([[3, 4]]))
    np.testing.assert_array_equal(np.load(cache.parent.with_name("x.npy")), [[1, 2]])


def test_a_packed_folder_is_the_same_benchmark(tmp_path, cache):
    root = write_folder(tmp_path / "mine", n=12)
    kept, mapped = from_folder(root), from_folder(root, packed=True)
    for name in ("real", "real_test"):
        found = getattr(mapped, name)
        assert isinstance(found, np.memmap)
        np.testing.assert_array_equal(found, getattr(kept, name))
    for name, images in mapped.images.items():
        assert isinstance(images, np.memmap)
        np.testing.assert_array_equal(images, kept.images[name])
    for one, other in zip(kept.labelled(5), mapped.labelled(5), strict=True):
        np.testing.assert_array_equal(one, other)
    assert kept.audit.files.equals(mapped.audit.files)


def test_large_folders_are_packed_by_themselves(tmp_path, cache, monkeypatch):
    root = write_folder(tmp_path / "mine", n=12)
    assert not isinstance(from_folder(root).real, np.memmap)
    monkeypatch.setattr(module, "LARGE", 100)
    assert isinstance(from_folder(root).real, np.memmap)
    monkeypatch.setenv(VARIABLE, "off")
    assert not isinstance(from_folder(root).real, np.memmap)


def test_checks_and_choices_do_not_copy_a_map(paths, cache):
    pixels = read_packed(paths).pixels
    assert np.shares_memory(check_images(pixels), pixels)
    chosen = take(pixels, np.array([4, 0, 4]))
    np.testing.assert_array_equal(chosen, pixels[[4, 0, 4]])
    assert isinstance(chosen, np.memmap)
    assert Path(chosen.filename).parent == Path(pixels.filename).parent
    assert os.path.getsize(chosen.filename) < os.path.getsize(pixels.filename)


# --- what goes --------------------------------------------------------------------


def other_folder(tmp_path, n=7, seed=9):
    write_images(tmp_path / "other", noise(n, seed=seed))
    return sorted((tmp_path / "other").iterdir())


def test_a_folder_that_changed_leaves_nothing_of_before(paths, cache, tmp_path):
    kept = read_packed(other_folder(tmp_path)).pixels.filename
    before = read_packed(paths).pixels
    part = take(before, np.array([2, 0]))
    some = read_packed(paths[4:]).pixels  # of files that will not change
    same = read_packed(paths, size=(4, 4)).pixels
    write_images(paths[0].parent, noise(3, seed=1))
    now = read_packed(paths).pixels
    for gone in (before, part, same):
        assert not Path(gone.filename).exists()
        assert not Path(gone.filename).with_suffix(".json").exists()
    assert all(Path(x).exists() for x in (kept, some.filename, now.filename))
    # What a program has mapped stays readable until it lets go.
    np.testing.assert_array_equal(part, before[[2, 0]])


def test_unchanged_files_keep_all_that_was_made_of_them(paths, cache):
    first, few = read_packed(paths).pixels, read_packed(paths[:3]).pixels
    read_packed(paths, treat=lambda x: 255 - x, key="negative")
    assert Path(first.filename).exists() and Path(few.filename).exists()


def aged(path, days):
    path = Path(path)
    then = path.stat().st_mtime - days * 24 * 3600
    os.utime(path, (then, then))
    return path


def test_above_the_limit_the_longest_unused_goes(paths, cache, tmp_path, monkeypatch):
    size = read_packed(paths).pixels.nbytes
    old = aged(read_packed(paths).pixels.filename, 3)
    older = aged(read_packed(paths[:6]).pixels.filename, 5)
    fresh = Path(read_packed(paths[:5]).pixels.filename)
    monkeypatch.setattr(
        module, "drop_oldest", partial(pruning.drop_oldest, limit=3.2 * size)
    )
    new = Path(read_packed(other_folder(tmp_path)).pixels.filename)
    assert not older.exists() and not older.with_suffix(".json").exists()
    assert old.exists() and fresh.exists() and new.exists()
    pruning.drop_oldest(cache, new.stem, limit=0)
    assert not old.exists() and fresh.exists() and new.exists()  # used within a day


def test_reading_is_a_use(paths, cache):
    path = aged(read_packed(paths).pixels.filename, 5)
    read_packed(paths)
    pruning.drop_oldest(cache, "none", limit=0)
    assert path.exists()


def test_files_of_a_folder_that_is_not_there_now_are_no_matter_of_another(
    paths, cache, tmp_path
):
    others = other_folder(tmp_path)
    kept = Path(read_packed(others).pixels.filename)
    shutil.rmtree(others[0].parent)  # a disk that is not connected
    write_images(paths[0].parent, noise(7, seed=1))
    read_packed(paths)
    assert kept.exists()


def test_a_record_of_another_form_is_left_alone(paths, cache):
    facts = Path(read_packed(paths).pixels.filename).with_suffix(".json")
    facts.write_text("[]")
    write_images(paths[0].parent, noise(7, seed=1))
    read_packed(paths)
    assert facts.exists()
