"""Benchmarks: the one that ships inside, folders, and what is refused."""

import io
import json
import os
import shutil
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import tifffile
from pictures import noise, write_folder, write_images
from PIL import Image
from PIL.PngImagePlugin import PngInfo
from sklearn.datasets import load_sample_image

from manifpt_utils._support.paths import DATA
from manifpt_utils.images import gm_photo as module
from manifpt_utils.images import image_files
from manifpt_utils.images.benchmark import Benchmark
from manifpt_utils.images.catalogue import (
    CORE,
    DATA_SETS,
    RECORDED,
    listed,
    model_places,
    records,
    trained_sheets,
)
from manifpt_utils.images.factors import FACTORS, read_factors
from manifpt_utils.images.folder import from_folder
from manifpt_utils.images.gm_photo import retrained
from manifpt_utils.images.loading import folder_options, load
from manifpt_utils.images.manifest import read_manifest, verified
from manifpt_utils.images.photograph import PhotoManifold
from manifpt_utils.images.sheets import read_sheet
from manifpt_utils.zoo.packing import encode, replace, write_manifest


def blocks(seed):
    """45 samples of 32 x 32 pixels that compress fast."""
    return noise(45, seed=seed, size=(4, 4)).repeat(8, axis=1).repeat(8, axis=2)


@pytest.fixture
def root(tmp_path):
    """A well-formed folder: 10 real images and two models."""
    root = tmp_path / "mine"
    write_images(root / "real", noise(10))
    write_images(root / "dcgan", noise(4, seed=1))
    write_images(root / "glow", noise(5, seed=2))
    return root


@pytest.fixture
def data(tmp_path, packed, monkeypatch):
    monkeypatch.setattr(module, "N_TEST", 20)
    return Path(shutil.copytree(packed, tmp_path / "data"))


@pytest.fixture(scope="module")
def packed(tmp_path_factory):
    """A small data folder of the shipped form: three trainings of 45 samples."""
    data = tmp_path_factory.mktemp("packed") / "data"
    folder = data / "gm-photo" / "coffee"
    folder.mkdir(parents=True)
    shutil.copy(DATA / "factors.csv", data)
    for seed, name in enumerate(["glow-0", "dcgan-0", "dcgan-1"]):
        replace(folder / f"{name}.webp", encode(blocks(seed)))
        record = {"images": 45, "shape": [32, 32, 3]}
        (folder / f"{name}.json").write_text(json.dumps(record))
    write_manifest(data)
    return data


# GM-Photo


def test_samples_factors_and_manifold_come_together(data):
    found = load("gm-photo/coffee", n_real=5, data_folder=data)
    assert found.models == ["dcgan", "glow"] and found.name == "gm-photo/coffee"
    assert np.array_equal(found.images["glow"], blocks(0))
    assert np.array_equal(found.images["dcgan"], blocks(1))
    assert list(found.factors.index) == found.models
    assert list(found.factors.columns) == FACTORS
    assert found.factors.loc["glow", "up"] == "unsqueeze"
    assert found.manifold.photo == "coffee"


def test_real_views_are_those_of_the_manifold_and_disjoint(data):
    found = load("gm-photo/coffee", n_real=50, data_folder=data)
    manifold = PhotoManifold("coffee")
    assert np.array_equal(found.real, manifold.sample(50, seed=0))
    assert np.array_equal(found.real_test, manifold.sample(20, seed=1))
    both = np.concatenate([found.real, found.real_test]).reshape(70, -1)
    assert len(np.unique(both, axis=0)) == 70


def test_models_and_training_seeds_are_chosen(data):
    other = load("gm-photo/coffee", training_seed=1, n_real=1, data_folder=data)
    assert other.models == ["dcgan"]
    assert np.array_equal(other.images["dcgan"], blocks(2))
    for models in ("glow", ["glow"], ("glow", "glow")):
        one = load("gm-photo/coffee", models=models, n_real=1, data_folder=data)
        assert one.models == ["glow"]


def test_core_and_all_are_groups_of_models(data, root):
    for models in ("all", ["core"], ["core", "glow"]):
        found = load("gm-photo/coffee", models=models, n_real=1, data_folder=data)
        assert found.models == ["dcgan", "glow"]
    (root / "glow").rename(root / "own_model")
    assert from_folder(root, models="core").models == ["dcgan", "own_model"]


@pytest.mark.parametrize("photo", DATA_SETS)
def test_core_is_the_six_models_where_all_are_there_and_else_every_model(photo):
    def chosen(models):
        return set(load(f"gm-photo/{photo}", models=models, n_real=1).models)

    there = chosen("all")
    assert chosen("core") == (set(CORE) if set(CORE) <= there else there)
    assert len(chosen("core")) > 1, "one class cannot be told apart from others"


def test_records_tell_what_is_known_of_every_training():
    table = records("coffee")
    listed = {
        (model, seed)
        for model, files in trained_sheets(read_manifest(), "coffee").items()
        for seed in files
    }
    assert set(table.index) == listed
    assert set(RECORDED) <= set(table) and not table.isna().any(axis=None)
    families = load("gm-photo/coffee", n_real=1).factors["family"]
    names = table.index.get_level_values("model")
    assert list(table["family"]) == list(families.loc[names])
    assert table["precision"].between(0, 1).all() and (table["mean_distance"] > 0).all()


def test_further_trainings_come_with_the_names_of_their_models(data, root):
    found = load("gm-photo/coffee", n_real=1, data_folder=data)
    images, labels = retrained(found, 5, data_folder=data)
    assert list(labels) == ["dcgan"] * 5
    assert np.array_equal(images, blocks(2)[:5])
    for nothing in (
        retrained(found, 5, models=["glow"], data_folder=data),
        retrained(from_folder(root), 5, data_folder=data),
    ):
        assert [len(part) for part in nothing] == [0, 0]


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        ("gm-photo/cofee", {}, "did you mean 'gm-photo/coffee'"),
        ("gm_photo/flower", {}, "did you mean 'gm-photo/flower'"),
        ("/no/such/folder", {}, "no folder '/no/such/folder'"),
        ("gm-photo/china", {}, "no samples of gm-photo/china"),
        ("gm-photo/coffee", {"models": ["dcgann"]}, "'dcgann'.*mean 'dcgan'"),
        ("gm-photo/coffee", {"models": []}, "models= is empty"),
        ("gm-photo/coffee", {"models": 3}, "unknown model '3'"),
        ("gm-photo/coffee", {"models": [["glow"]]}, "unknown model .*'glow'"),
        ("gm-photo/coffee", {"size": 64}, "size=64 is for folders .* 32 x 32"),
        (5, {}, "name must be that of a benchmark or a folder, got 5"),
        (None, {}, "got None; for instance 'gm-photo/coffee'"),
        ("gm-photo/coffee", {"training_seed": 7}, r"seed=7; there are \[0, 1\]"),
        (
            "gm-photo/coffee",
            {"training_seed": 1, "models": ["glow"]},
            "'glow' with training_seed=1",
        ),
        ("gm-photo/coffee", {"n_real": 0}, "at least 1, got 0"),
        ("gm-photo/coffee", {"n_real": "9"}, "a whole number .* got '9'"),
    ],
)
def test_unknown_names_are_refused_with_the_nearest(data, name, options, message):
    with pytest.raises(ValueError, match=message):
        load(name, data_folder=data, **options)


@pytest.mark.parametrize("name", ["gm-photo/coffee/glow-0.webp", "factors.csv"])
def test_a_changed_file_is_refused_by_name(data, name):
    content = bytearray((data / name).read_bytes())
    content[len(content) // 2] ^= 1
    (data / name).write_bytes(content)
    with pytest.raises(ValueError, match=f"{name} is not the file.*restore it"):
        load("gm-photo/coffee", n_real=1, data_folder=data)


def test_missing_files_are_named(data):
    (data / "gm-photo/coffee/dcgan-0.webp").unlink()
    with pytest.raises(ValueError, match="dcgan-0.webp is missing"):
        load("gm-photo/coffee", n_real=1, data_folder=data)
    assert load("gm-photo/coffee", models=["glow"], n_real=1, data_folder=data)
    (data / "manifest.json").write_text("{")
    with pytest.raises(ValueError, match="manifest.json is damaged"):
        load("gm-photo/coffee", data_folder=data)
    (data / "manifest.json").unlink()
    with pytest.raises(ValueError, match="manifest.json is missing"):
        load("gm-photo/coffee", data_folder=data)


# What ships


def test_every_shipped_file_is_the_one_the_manifest_lists():
    manifest = read_manifest()
    for name, entry in manifest.items():
        assert len(verified(DATA, name, manifest)) == entry["bytes"]
    unlisted = [
        path
        for path in DATA.glob("*/**/*")
        if path.is_file() and path.relative_to(DATA).as_posix() not in manifest
    ]
    assert not unlisted


def test_every_shipped_sheet_opens_and_is_small():
    manifest = read_manifest()
    sheets = [name for name in manifest if name.endswith(".webp")]
    assert sheets
    for name in sheets:
        samples = read_sheet(DATA, name, manifest)
        entry = manifest[name]
        assert samples.shape == (entry["images"], *entry["shape"])
        assert entry["bytes"] < samples.nbytes
        assert len(np.unique(samples.reshape(len(samples), -1), axis=0)) > 1
    assert sum(entry["bytes"] for entry in manifest.values()) < 80e6


def test_the_table_of_factors_is_complete():
    table = read_factors((DATA / "factors.csv").read_bytes())
    assert table.shape == (27, len(FACTORS)) and table.index.is_unique
    assert not table.isna().any().any() and (table != "").all().all()
    assert set(table["family"]) == {"GAN", "VAE", "Flow", "Score"}


# Drawing


@pytest.fixture
def small():
    images = {"a": noise(6, seed=1), "b": noise(9, seed=2)}
    return Benchmark("small", noise(5), noise(7, seed=3), images)


def contains(images, one):
    return any(np.array_equal(one, image) for image in images)


def test_labels_name_the_class_of_each_image(small):
    images, labels = small.labelled(4, with_real=True)
    assert list(labels) == ["a"] * 4 + ["b"] * 4 + ["real"] * 4
    pools = {**small.images, "real": small.real_test}
    assert all(contains(pools[k], x) for k, x in zip(labels, images, strict=True))
    assert len(np.unique(images.reshape(12, -1), axis=0)) == 12
    assert "real" not in small.labelled(4)[1]


def test_draws_repeat_differ_by_seed_and_are_nested(small):
    large, same = small.labelled(6)[0], small.labelled(6)[0]
    assert np.array_equal(large, same)
    assert not np.array_equal(large, small.labelled(6, seed=1)[0])
    assert np.array_equal(small.labelled(2)[0][:2], large[:2])
    only_b = Benchmark("b", small.real, small.real_test, {"b": small.images["b"]})
    assert np.array_equal(only_b.generated(6), large[6:])
    assert np.array_equal(small.generated(6), large)
    assert np.array_equal(only_b.labelled(6, with_real=True)[0][:6], large[6:])
    with pytest.raises(ValueError, match=r"one model, \['b'\].*with_real=True"):
        only_b.labelled(6)


def test_fewer_images_of_a_training_than_asked_are_said(data):
    found = load("gm-photo/coffee", n_real=1, data_folder=data)
    with pytest.warns(UserWarning, match=r"n=50 samples .*fewer.*\{'dcgan-1': 45\}"):
        assert len(retrained(found, 50, data_folder=data)[0]) == 45
    with pytest.raises(ValueError, match="n must be a whole number .* got -1"):
        retrained(found, -1, data_folder=data)
    with pytest.raises(ValueError, match="'glwo'; did you mean 'glow'"):
        retrained(found, 5, models=["glwo"], data_folder=data)


def test_every_place_of_the_papers_list_is_there_once():
    table = pd.read_csv(DATA / "factors.csv", index_col="model")
    expected = {
        (m, p) for p, c in DATA_SETS.items() for m in table.index[table[c] == 1]
    }
    places = model_places()
    found = list(zip(places["model"], places["photograph"], strict=True))
    assert set(found) == expected and len(found) == len(expected)
    assert (places["family"] == table.loc[places["model"], "family"].to_numpy()).all()


@pytest.mark.parametrize("question", [listed, records])
def test_photographs_are_known_by_name(question):
    with pytest.raises(ValueError, match="photograph 'toffee'; did you mean 'coffee'"):
        question("toffee")


def test_a_benchmark_may_be_named_by_a_path(data):
    path = Path("gm-photo") / "coffee"
    found = load(path, n_real=1, size=32, data_folder=data)
    assert found.name == "gm-photo/coffee" and found.warnings == []


def test_too_many_or_no_images_are_refused(small):
    with pytest.raises(ValueError, match="n=7 .* class 'a' holds 6"):
        small.labelled(7)
    for n in (0, 2.5):
        with pytest.raises(ValueError, match=f"n must be a whole number .* got {n}"):
            small.labelled(n)


def test_arrays_of_another_type_or_size_are_refused(small):
    with pytest.raises(ValueError, match="a must be uint8 .* got float64"):
        Benchmark("x", small.real, small.real_test, {"a": np.zeros((2, 8, 8, 3))})
    with pytest.raises(ValueError, match=r"a holds images of shape \(4, 4, 3\)"):
        Benchmark("x", small.real, small.real_test, {"a": noise(2, size=(4, 4))})
    assert "models=['a', 'b']" in repr(small)


# Folders


def test_a_folder_gives_its_pixels_back(root):
    found = from_folder(root)
    assert found.name == "mine" and found.models == ["dcgan", "glow"]
    assert np.array_equal(found.images["glow"], noise(5, seed=2))
    assert found.manifold is None
    assert (len(found.real), len(found.real_test)) == (8, 2)
    both = np.concatenate([found.real, found.real_test])
    assert all(contains(both, image) for image in noise(10))


def test_load_takes_a_folder(root):
    a, b = load(root, models=["glow"], n_real=3), load(str(root), n_real=3)
    assert a.models == ["glow"] and np.array_equal(a.real, b.real)
    with pytest.raises(ValueError, match="training_seed=1 is for gm-photo only"):
        load(root, training_seed=1)


def test_the_split_depends_on_the_seed_alone(root):
    a, b, c = from_folder(root), from_folder(root), from_folder(root, seed=1)
    assert np.array_equal(a.real, b.real)
    assert not np.array_equal(np.sort(a.real_test, 0), np.sort(c.real_test, 0))
    half = from_folder(root, test_fraction=0.5)
    assert (len(half.real), len(half.real_test)) == (5, 5)


def test_copies_of_one_real_image_stay_on_one_side(root):
    write_images(root / "real", np.tile(noise(5), (4, 1, 1, 1)))
    for seed in range(5):
        with pytest.warns(UserWarning, match="copies of another one: 15 of the 20"):
            found = from_folder(root, seed=seed)
        assert not any(contains(found.real_test, x) for x in found.real)


def test_other_files_and_hidden_ones_are_left_alone(root):
    (root / "README.txt").write_text("mine")
    (root / ".cache").mkdir()
    (root / "real" / ".DS_Store").write_text("x")
    (root / "real" / "Thumbs.db").write_text("x")
    assert len(from_folder(root).real) == 8


@pytest.mark.parametrize("suffix", [".bmp", ".tif", ".webp"])
def test_lossless_formats_are_read_exactly(root, suffix):
    for name, n, seed in (("real", 10, 0), ("dcgan", 4, 1), ("glow", 5, 2)):
        shutil.rmtree(root / name)
        (root / name).mkdir()
        for i, image in enumerate(noise(n, seed=seed)):
            options = {"lossless": True} if suffix == ".webp" else {}
            Image.fromarray(image).save(root / name / f"{i}{suffix}", **options)
    assert np.array_equal(from_folder(root).images["dcgan"], noise(4, seed=1))


def test_grey_and_opaque_images_become_rgb_without_loss(root):
    image = noise(1, seed=3)[0]
    solid = np.dstack([image, np.full((8, 8), 255, np.uint8)])
    Image.fromarray(image[..., 0]).save(root / "glow" / "000.png")
    Image.fromarray(solid).save(root / "glow" / "001.png")
    found = from_folder(root).images["glow"]
    assert np.array_equal(found[0], np.repeat(image[..., :1], 3, axis=2))
    assert np.array_equal(found[1], image)


def test_images_are_turned_upright(root):
    image, exif = noise(1, seed=3)[0], Image.Exif()
    exif[0x0112] = 6  # held a quarter turn to the left
    Image.fromarray(image).save(root / "glow" / "000.png", exif=exif)
    found = from_folder(root).images["glow"][0]
    assert np.array_equal(found, np.rot90(image, -1))


def encoded(image, kind, **options):
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def test_a_bad_file_among_the_real_ones_is_named_as_well(root):
    (root / "real" / "000.png").write_bytes(b"no image")
    with pytest.raises(ValueError, match="real/000.png is empty, damaged, or of"):
        from_folder(root)


@pytest.mark.parametrize("options", [{}, {"progressive": True}])
def test_half_of_a_real_photograph_is_refused(root, options):
    photograph = Image.fromarray(np.array(load_sample_image("china.jpg")))
    content = encoded(photograph, "JPEG", **options)
    assert image_files._has_end(io.BytesIO(content))
    for share in (0.1, 0.5, 0.99):
        (root / "glow" / "half.jpg").write_bytes(content[: int(share * len(content))])
        with pytest.raises(ValueError, match="half.jpg is only part of an image"):
            from_folder(root)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF", "BMP"])
def test_a_file_cut_anywhere_is_refused_or_read_in_full(tmp_path, kind):
    path = tmp_path / "cut"
    content = encoded(Image.fromarray(noise(1, size=(16, 16))[0]), kind)
    path.write_bytes(content)
    whole = image_files.read_image(path)[0]
    refused = 0
    for length in range(0, len(content), 7):
        path.write_bytes(content[:length])
        try:
            assert np.array_equal(image_files.read_image(path)[0], whole)
        except ValueError as error:
            refused += 1
            assert str(path) in str(error)
    assert refused > len(content) // 14


@pytest.mark.parametrize("options", [{}, {"rowsperstrip": 3, "compression": "deflate"}])
def test_separate_colour_planes_and_much_text_are_read_exactly(root, options):
    image = noise(1, seed=3)[0]
    planes = {"photometric": "rgb", "planarconfig": "separate", **options}
    tifffile.imwrite(root / "glow" / "x.tif", image.transpose(2, 0, 1), **planes)
    assert np.array_equal(image_files.read_image(root / "glow" / "x.tif")[0], image)
    text = PngInfo()
    for i in range(10_000):
        text.add_text(f"key {i}", "value")
    Image.fromarray(image).save(root / "glow" / "x.png", pnginfo=text)
    pixels, facts = image_files.read_image(root / "glow" / "x.png")
    assert np.array_equal(pixels, image) and facts.metadata == "text"


def test_links_out_of_a_folder_are_refused_and_linked_folders_read(root, tmp_path):
    before = from_folder(root).images["glow"]
    (root / "glow").rename(tmp_path / "elsewhere")
    (root / "glow").symlink_to(tmp_path / "elsewhere")
    assert np.array_equal(from_folder(root).images["glow"], before)
    link = root / "dcgan" / "link.png"
    link.symlink_to(tmp_path / "elsewhere" / "000.png")
    with pytest.raises(ValueError, match="link.png is a symbolic link out of .*cp -rL"):
        from_folder(root)
    (tmp_path / "elsewhere" / "000.png").unlink()
    with pytest.raises(ValueError, match="link.png is a symbolic link to nothing"):
        from_folder(root)
    link.unlink()
    link.symlink_to(link)
    with pytest.raises(ValueError, match="link.png is a symbolic link to nothing"):
        from_folder(root)
    link.unlink()
    os.mkfifo(link)
    with pytest.raises(ValueError, match="link.png is not a file; remove it"):
        from_folder(root)


# One model, many models, images that are not square


def test_one_model_is_told_from_real_images_and_from_nothing_else(root):
    shutil.rmtree(root / "glow")
    found = from_folder(root)
    assert found.models == ["dcgan"]
    images, labels = found.labelled(2, with_real=True)
    assert list(labels) == ["dcgan"] * 2 + ["real"] * 2 and len(images) == 4
    with pytest.raises(
        ValueError, match="mine has one model.*two or more. Add a model"
    ):
        found.labelled(2)


def test_sixteen_models_of_wide_images(tmp_path):
    models = [f"{i}" for i in range(16)]
    found = from_folder(write_folder(tmp_path, n=6, models=models, size=(8, 12)))
    images, labels = found.labelled(1, with_real=True)
    assert images.shape == (17, 8, 12, 3) and len(set(labels)) == 17
    assert from_folder(tmp_path, models=7).models == ["7"]


def test_too_few_real_images_are_explained(root):
    message = (
        r"n=4 images per class .* class 'real' holds 2: of the 10 real images of mine "
        r"a share of test_fraction=0.2 .* at most 2, or give about 20 real images"
    )
    with pytest.raises(ValueError, match=message):
        from_folder(root).labelled(4, with_real=True)
    with pytest.raises(ValueError, match="class 'dcgan' holds 4; ask for at most that"):
        from_folder(root).labelled(5)


def test_size_brings_all_classes_to_one_size(root):
    for seed, (name, n) in enumerate({"real": 10, "dcgan": 4, "glow": 5}.items()):
        write_images(root / name, noise(n, seed=seed, size=(12, 20)))
    found = load(root, size=4)
    assert {x.shape[1:] for x in found.images.values()} == {(4, 4, 3)}
    wide = Image.fromarray(noise(5, seed=2, size=(12, 20))[0])
    middle = 4, 0, 16, 12
    peer = np.asarray(wide.resize((4, 4), Image.Resampling.LANCZOS, box=middle))
    assert np.array_equal(found.images["glow"][0], peer)
    assert load(root, size=(4, 6)).real.shape[1:] == (4, 6, 3)


def test_a_size_is_for_the_folders_among_benchmarks():
    shipped, others = "gm-photo/coffee", ["gm-photo/flower", "gm-photo/china"]
    options = {"size": (4, 6), "normalise": "png"}
    found = folder_options(["a", shipped, "b"], **options)
    assert found == {"a": options, shipped: {}, "b": options}
    options = folder_options([shipped, *others], size=64)[shipped]
    with pytest.raises(ValueError, match="size=64 is for folders"):
        load(shipped, **options)
    with pytest.raises(ValueError, match="normalise='png' is for folders .* leave"):
        load(shipped, normalise="png")


def test_images_of_the_asked_size_are_not_resampled(root):
    assert np.array_equal(from_folder(root, size=8).images["dcgan"], noise(4, seed=1))


def test_no_warning_filter_of_the_caller_is_changed(root):
    with warnings.catch_warnings():
        before = list(warnings.filters)
        image_files.read_image(root / "real" / "000.png")
        assert warnings.filters == before
