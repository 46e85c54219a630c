"""Sources of images: every layout and file kind, and what is refused."""

import io
import json
import pickle
import shutil
import sys

import numpy as np
import pandas as pd
import pytest
from pictures import noise, write_folder, write_images
from PIL import Image

from manifpt_utils import evaluate, from_folder, load
from manifpt_utils._support.extras import extra
from manifpt_utils._support.torchvision import torchvision
from manifpt_utils.images import sampling
from manifpt_utils.images.readers import find, torchvision_data, understood
from manifpt_utils.images.readers.source import limited

pytestmark = pytest.mark.filterwarnings("default::UserWarning")


def as_rows(images):
    """Images as a set, whatever their order."""
    return {image.tobytes() for image in images}


def write_sides(root, *, n_train=10, n_test=5, models=("a", "b")):
    """`train/` and `test/`, each with real images and models; all images differ."""
    for seed, name in enumerate(["real", *models]):
        write_images(root / "train" / name, noise(n_train, seed=seed))
        write_images(root / "test" / name, noise(n_test, seed=seed + 50))
    return root


# --- folders ----------------------------------------------------------------------


def test_a_folder_is_read_as_before(tmp_path):
    write_folder(tmp_path, n=10)
    a, b = load(tmp_path), from_folder(tmp_path)
    assert a.layout == b.layout == "real/ and <model>/"
    assert "layout='real/ and <model>/'" in repr(a) and a.tested is None
    assert np.array_equal(a.real, b.real) and np.array_equal(a.real_test, b.real_test)


def test_one_model_against_real_images(tmp_path):
    benchmark = load(write_folder(tmp_path, n=10, models=["only"]))
    _, labels = benchmark.labelled(2, with_real=True)
    assert list(labels) == ["only"] * 2 + ["real"] * 2


def test_a_given_split_is_kept(tmp_path):
    found = load(write_sides(tmp_path))
    assert found.layout.startswith("train/ and test/")
    for seed, name in ((1, "a"), (2, "b")):
        assert as_rows(found.images[name][~found.tested[name]]) == as_rows(
            noise(10, seed=seed)
        )
        assert as_rows(found.images[name][found.tested[name]]) == as_rows(
            noise(5, seed=seed + 50)
        )
    later = found.real_test[found.tested["real"]]
    assert as_rows(later) == as_rows(noise(5, seed=50))
    before = [*found.real, *found.real_test[~found.tested["real"]]]
    assert as_rows(before) == as_rows(noise(10)) and len(found.real) == 8


def test_real_images_to_train_on_are_not_those_of_the_manifold(tmp_path):
    found = load(write_sides(tmp_path))
    assert not as_rows(found.real) & as_rows(found.real_test)


def test_an_evaluation_on_a_given_split_never_trains_on_the_test(tmp_path):
    class Remembering:
        """Names an image only if it saw it."""

        classes_ = np.array(["a", "b"])

        def get_params(self, deep=True):
            return {}

        def set_params(self, **params):
            return self

        def fit(self, x, y):
            self.seen = {i.tobytes(): name for i, name in zip(x, y, strict=True)}
            return self

        def predict(self, x):
            return np.array([self.seen.get(i.tobytes(), "unseen") for i in x])

        def transform(self, x):
            return x.reshape(len(x), -1).astype(float)

        def __sklearn_clone__(self):
            return Remembering()

    found = load(write_sides(tmp_path))
    images, labels, tested = found.given_split(8, 4)
    assert tested.sum() == 8 and len(labels) == 24
    counts = {"n_train": 8, "n_test": 4, "seeds": (0, 1), "n_permutations": None}
    result = evaluate(Remembering(), images, labels, tested=tested, **counts)
    assert set(result.predictions["predicted"]) == {"unseen"}
    assert set(result.predictions["row"]) == set(np.flatnonzero(tested))


def test_draws_of_a_given_split_are_nested_and_say_when_they_fall_short(tmp_path):
    found = load(write_sides(tmp_path))
    images, labels, tested = found.given_split(with_real=True)
    assert list(np.unique(labels)) == ["a", "b", "real"]
    assert tested.sum() == 3 * 5 and (~tested).sum() == 3 * 2
    with pytest.raises(ValueError, match="class 'real' holds 2"):
        found.given_split(3, with_real=True)
    with pytest.raises(ValueError, match="came without its own split"):
        load(write_folder(tmp_path / "plain", n=6)).given_split()
    with pytest.warns(UserWarning, match="both sides of the split.*for_evaluation"):
        found.labelled(3)


def test_what_is_drawn_for_an_evaluation_keeps_to_a_given_split(tmp_path):
    found = load(write_sides(tmp_path / "sides", n_train=20, n_test=15))
    images, labels, tested = found.for_evaluation(5, 4, seed=1)
    same = found.given_split(5, 4, seed=1)
    assert np.array_equal(images, same[0]) and np.array_equal(tested, same[2])
    assert tested.sum() == 8 and found.has_real(4, 15) and not found.has_real(5, 5)
    plain = load(write_folder(tmp_path / "plain", n=20))
    images, labels, tested = plain.for_evaluation(5, 4, seed=1)
    assert tested is None and plain.has_real(2, 2) and not plain.has_real(2, 3)
    assert np.array_equal(images, plain.labelled(9, seed=1)[0])


def test_a_part_of_the_images_keeps_its_sides(tmp_path):
    found = load(write_sides(tmp_path, n_train=20, n_test=15))
    part = found.at_most(12, seed=3)
    assert {len(x) for x in part.images.values()} == {12}
    for name, x in (*part.images.items(), ("real", part.real_test)):
        whole = found.real_test if name == "real" else found.images[name]
        later = as_rows(whole[found.tested[name]])
        assert [i.tobytes() in later for i in x] == part.tested[name].tolist()
    assert load(write_folder(tmp_path / "plain", n=6)).at_most(2).tested is None


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"tested": [True, False]}, "True or False for each of the 4 images"),
        ({"tested": [1, 0, 1, 0]}, "True or False .* got int64"),
        (
            {"tested": [True, True, True, False]},
            "'a' has 0 images for training in the given split, fewer than 1",
        ),
        (
            {"tested": [True, False] * 2, "groups": [0, 0, 1, 2]},
            "given split has 1 images, or groups .* both sides",
        ),
    ],
)
def test_a_given_split_that_cannot_be_kept_is_refused(options, message):
    features, labels = np.arange(8.0).reshape(4, 2), ["a", "a", "b", "b"]
    with pytest.raises(ValueError, match=message):
        evaluate(None, features, labels, n_train=1, n_test=1, **options)


def test_copies_of_training_images_leave_the_test(tmp_path):
    write_sides(tmp_path)
    copied = noise(2, seed=1)  # of train/a
    write_images(tmp_path / "test" / "b", copied)  # replaces two of five
    with pytest.warns(UserWarning, match="copies of training images .*: 2 of b"):
        found = load(tmp_path)
    assert found.tested["b"].sum() == 3
    assert not as_rows(copied) & as_rows(found.images["b"])
    assert any("2 of b" in message for message in found.warnings)
    write_images(tmp_path / "test" / "b", noise(5, seed=1))
    with pytest.raises(ValueError, match="all test images of 'b' .* are copies"):
        load(tmp_path)


# --- limits -----------------------------------------------------------------------


def test_limits_draw_nested_images_of_every_class_and_side(tmp_path):
    source = find(write_sides(tmp_path))
    few, more = (limited(source, dict.fromkeys(source.items, n), 0) for n in (2, 4))
    assert all(len(few.items[name]) == 4 for name in few.items)
    assert all(few.tested[name].sum() == 2 for name in few.items)
    assert all(set(few.items[name]) < set(more.items[name]) for name in few.items)
    other = limited(source, {"a": 2}, 1)
    assert set(other.items["a"]) != set(few.items["a"])
    assert other.items["b"] == source.items["b"]


def test_only_what_is_drawn_is_decoded(tmp_path):
    write_folder(tmp_path, n=12)
    kept = {path.name for path in find(tmp_path).items["a"][0].place.parent.iterdir()}
    drawn = limited(find(tmp_path), {"real": 5, "a": 3, "b": 3}, 0).items["a"]
    for name in kept - {item.name for item in drawn}:
        (tmp_path / "a" / name).write_bytes(b"no image")
    found = load(tmp_path, per_class=3, n_real=4)
    assert len(found.images["a"]) == 3 and len(found.real) == 4
    with pytest.raises(ValueError, match="no image|cannot be read|damaged"):
        load(tmp_path)
    with pytest.raises(ValueError, match="per_class must be a whole number"):
        load(tmp_path, per_class=0)


# --- other people's layouts -------------------------------------------------------


def write_genimage(root, inner=""):
    for g, generator in enumerate(["BigGAN", "ADM"]):
        for s, (side, n) in enumerate({"train": 8, "val": 4}.items()):
            folder = root / generator / (inner and f"{inner}_{generator}") / side
            write_images(folder / "ai", noise(n, seed=10 * g + s))
            write_images(folder / "nature", noise(n, seed=10 * g + s + 100))
    return root


@pytest.mark.parametrize("inner", ["", "imagenet_ai"])
def test_genimage_is_recognised_with_its_split(tmp_path, inner):
    found = load(write_genimage(tmp_path, inner))
    assert found.layout.startswith("GenImage") and found.models == ["ADM", "BigGAN"]
    adm, tested = found.images["ADM"], found.tested["ADM"]
    assert as_rows(adm[~tested]) == as_rows(noise(8, seed=10))
    assert as_rows(adm[tested]) == as_rows(noise(4, seed=11))
    assert found.tested["real"].sum() == 8  # nature of both generators
    assert load(tmp_path, models="ADM").tested["real"].sum() == 4


def test_one_generator_of_genimage_alone(tmp_path):
    home = write_genimage(tmp_path) / "ADM"
    assert load(home).models == ["ADM"]


def test_genimage_without_training_images_has_no_split(tmp_path):
    for generator in ("x", "y"):
        folder = tmp_path / generator / "val"
        write_images(folder / "ai", noise(6, seed=ord(generator)))
        write_images(folder / "nature", noise(6, seed=ord(generator) + 9))
    assert load(tmp_path).tested is None


def test_forensynths_is_recognised_with_categories(tmp_path):
    for i, place in enumerate(["biggan", "progan/cat", "progan/dog"]):
        write_images(tmp_path / place / "0_real", noise(6, seed=i))
        write_images(tmp_path / place / "1_fake", noise(5, seed=i + 10))
    found = load(tmp_path)
    assert found.layout.startswith("ForenSynths") and found.tested is None
    assert {name: len(x) for name, x in found.images.items()} == {
        "biggan": 5,
        "progan": 10,
    }
    assert len(found.real) + len(found.real_test) == 18
    assert as_rows(found.images["progan"]) == as_rows(
        [*noise(5, seed=11), *noise(5, seed=12)]
    )


def test_dgm_eval_is_recognised_with_numbered_categories(tmp_path):
    for i in range(2):
        write_images(tmp_path / "train" / str(i), noise(6, seed=i))
        write_images(tmp_path / "test" / str(i), noise(3, seed=i + 10))
    write_images(tmp_path / "StyleGAN2-ada", noise(5, seed=20))
    write_images(tmp_path / "RESFLOW" / "0", noise(5, seed=21))
    found = load(tmp_path)
    assert found.layout.startswith("dgm-eval") and found.tested is None
    assert found.models == ["RESFLOW", "StyleGAN2-ada"]
    assert as_rows(found.real) == as_rows([*noise(6, seed=0), *noise(6, seed=1)])
    assert as_rows(found.real_test) == as_rows([*noise(3, seed=10), *noise(3, seed=11)])
    assert len(load(tmp_path, n_real=5).real) == 5
    with pytest.raises(ValueError, match="holds 12 images that are not for the test"):
        load(tmp_path, n_real=13)


def test_dgm_eval_with_one_set_of_real_images_is_divided_by_chance(tmp_path):
    write_images(tmp_path / "train", noise(10))
    write_images(tmp_path / "DDPM", noise(5, seed=1))
    found = load(tmp_path)
    assert (len(found.real), len(found.real_test)) == (8, 2)


# --- a table ----------------------------------------------------------------------


def write_table(root, rows, *, heading="file,label", text=None, name="list.csv"):
    path = root / name
    content = text or "\n".join([heading, *rows])
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


@pytest.fixture
def listed(tmp_path):
    """Images of two models and real ones in folders of other names, and their rows."""
    write_images(tmp_path / "photos", noise(8))
    write_images(tmp_path / "Bilder", noise(4, seed=1))
    write_images(tmp_path / "c", noise(4, seed=2))
    labels = {"photos": "real", "Bilder": "a", "c": "b"}
    rows = [
        f"{folder}/{path.name},{label}"
        for folder, label in labels.items()
        for path in sorted((tmp_path / folder).iterdir())
    ]
    return tmp_path, rows


def test_a_table_names_files_and_labels(listed):
    root, rows = listed
    found = load(write_table(root, rows))
    assert found.name == "list" and found.layout.startswith("a CSV file")
    assert found.models == ["a", "b"] and found.tested is None
    assert as_rows(found.images["a"]) == as_rows(noise(4, seed=1))
    assert load(root / "list.csv", models=["b"]).models == ["b"]


def test_a_table_is_read_as_spreadsheets_write_it(listed):
    root, rows = listed
    (root / "Bilder").rename(root / "Größe")
    text = "\n".join(["Path;Label;note", *(f"{x.replace(',', ';')};" for x in rows)])
    text = text.replace("Bilder/", "Größe\\")
    found = load(write_table(root, [], text=text.encode("latin-1")))
    assert as_rows(found.images["a"]) == as_rows(noise(4, seed=1))


def test_a_table_may_divide(listed):
    root, rows = listed
    sides = [f"{x},{'Test' if i % 2 else 'train'}" for i, x in enumerate(rows)]
    found = load(write_table(root, sides, heading="file,label,split"))
    assert found.tested["a"].sum() == 2 and found.tested["real"].sum() == 4
    assert as_rows(found.images["a"][found.tested["a"]]) == as_rows(
        noise(4, seed=1)[1::2]
    )


def test_a_file_on_both_sides_is_refused(listed):
    root, rows = listed
    rows = [f"{row},{('train', 'test')[i % 2]}" for i, row in enumerate(rows)]
    with pytest.raises(ValueError, match="'c/000.png' for both train and test"):
        load(write_table(root, [*rows, "c/000.png,b,test"], heading="file,label,split"))


def test_labels_without_real_ones_or_models_are_refused(listed):
    root, rows = listed
    other = [row.replace(",real", ",Real") for row in rows]
    with pytest.raises(ValueError, match="no row with the label 'real'. Rename 'Real'"):
        load(write_table(root, other))
    binary = [f"{row.split(',')[0]},{int(i > 7)}" for i, row in enumerate(rows)]
    with pytest.raises(ValueError, match=r"label 'real'. It has \['0', '1'\]"):
        load(write_table(root, binary))
    with pytest.raises(ValueError, match="real images only"):
        load(write_table(root, rows[:8]))
    with pytest.raises(ValueError, match="has a heading and no rows"):
        load(write_table(root, []))
    with pytest.raises(ValueError, match="unknown model 'bb'.* did you mean 'b'"):
        load(write_table(root, rows), models=["bb"])


def test_links_out_of_the_folder_of_a_table_are_refused(listed, tmp_path_factory):
    root, rows = listed
    away = tmp_path_factory.mktemp("away") / "x.png"
    Image.fromarray(noise(1)[0]).save(away)
    (root / "c" / "link.png").symlink_to(away)
    with pytest.raises(ValueError, match="link.png', a symbolic link out of its"):
        load(write_table(root, [*rows, "c/link.png,b"]))
    (root / "c" / "again.png").symlink_to(root / "c" / "000.png")
    with pytest.raises(ValueError, match="'c/000.png' twice"):
        load(write_table(root, [*rows, "c/again.png,b"]))


# --- torchvision ------------------------------------------------------------------


def write_cifar(root, *, binary=True, n=8):
    """CIFAR-10 with few images: both forms hold the channels one after the other."""
    folder = root / f"cifar-10-batches-{'bin' if binary else 'py'}"
    folder.mkdir(parents=True)
    for i in range(6):
        images = noise(n, seed=i, size=(32, 32))
        flat = images.transpose(0, 3, 1, 2).reshape(n, -1)
        name = f"data_batch_{i}" if i else "test_batch"
        if binary:
            labels = np.zeros((n, 1), np.uint8)
            content = np.hstack([labels, flat]).tobytes()
        else:
            content = pickle.dumps({"data": flat, "labels": [0] * n}, protocol=2)
        (folder / (name + ".bin" * binary)).write_bytes(content)
    if not binary:
        names = pickle.dumps({"label_names": ["x"] * 10}, protocol=2)
        (folder / "batches.meta").write_bytes(names)
    write_images(root / "generated" / "gan", noise(4, seed=9, size=(32, 32)))
    return root


def publish(monkeypatch, root):
    """Make the check sums of small files those that torchvision expects."""
    import hashlib

    def with_sum(name):
        content = (root / "cifar-10-batches-py" / name).read_bytes()
        return [name, hashlib.md5(content).hexdigest()]

    cifar = torchvision.datasets.CIFAR10
    names = [f"data_batch_{i}" for i in range(1, 6)]
    monkeypatch.setattr(cifar, "train_list", list(map(with_sum, names)))
    monkeypatch.setattr(cifar, "test_list", [with_sum("test_batch")])
    meta = cifar.meta | {"md5": with_sum("batches.meta")[1]}
    monkeypatch.setattr(cifar, "meta", meta)


@pytest.mark.parametrize("binary", [True, False])
def test_cifar_is_read_from_either_form(tmp_path, monkeypatch, binary):
    write_cifar(tmp_path, binary=binary)
    if not binary:
        publish(monkeypatch, tmp_path)
    found = load(f"torchvision:CIFAR10:{tmp_path}")
    assert found.name == "CIFAR10" and found.models == ["gan"]
    assert found.layout.startswith("CIFAR10 of torchvision")
    train = [image for i in range(1, 6) for image in noise(8, seed=i, size=(32, 32))]
    assert as_rows(found.real) == as_rows(train)
    assert as_rows(found.real_test) == as_rows(noise(8, size=(32, 32)))
    assert found.audit is None and "not image files" in found.warnings[0]
    small = load(f"torchvision:CIFAR10:{tmp_path}", size=8, per_class=3, n_real=9)
    assert small.real.shape == (9, 8, 8, 3) and len(small.real_test) == 8
    assert len(small.images["gan"]) == 3


def test_a_pickle_with_another_check_sum_is_not_opened(tmp_path):
    class Harmful:
        def __reduce__(self):
            return (open, (str(tmp_path / "proof"), "w"))

    write_cifar(tmp_path, binary=False)
    content = pickle.dumps(Harmful(), protocol=2)
    (tmp_path / "cifar-10-batches-py" / "data_batch_1").write_bytes(content)
    with pytest.raises(ValueError, match="not with the published check sums"):
        load(f"torchvision:CIFAR10:{tmp_path}")
    assert not (tmp_path / "proof").exists()


def test_fashion_mnist_is_read_as_rgb(tmp_path):
    raw = tmp_path / "FashionMNIST" / "raw"
    raw.mkdir(parents=True)
    for seed, (side, n) in enumerate({"train": 10, "t10k": 4}.items()):
        grey = noise(n, seed=seed, size=(28, 28))[..., 0]
        header = np.array([0x803, n, 28, 28], ">i4").tobytes()
        (raw / f"{side}-images-idx3-ubyte").write_bytes(header + grey.tobytes())
        labels = np.array([0x801, n], ">i4").tobytes() + bytes(n)
        (raw / f"{side}-labels-idx1-ubyte").write_bytes(labels)
    write_images(tmp_path / "mine" / "vae", noise(4, seed=5, size=(28, 28)))
    name = f"torchvision:FashionMNIST:{tmp_path}"
    found = load(name, generated=tmp_path / "mine")
    assert found.real.shape == (10, 28, 28, 3) and found.real_test.shape[0] == 4
    assert (found.real == found.real[..., :1]).all()
    first = noise(4, seed=1, size=(28, 28))[..., :1].repeat(3, axis=-1)
    assert as_rows(found.real_test) == as_rows(first)
    write_images(tmp_path / "mine" / "vae", noise(4, seed=5, size=(32, 32)))
    with pytest.raises(ValueError, match="'vae' are 32 x 32 pixels, real ones are 28"):
        load(name, generated=tmp_path / "mine")


def write_celeba(root):
    write_images(root / "celeba" / "img_align_celeba", noise(12), suffix=".jpg")
    parts = [0] * 6 + [1] * 2 + [2] * 4
    lines = [f"{i:03}.jpg {part}" for i, part in enumerate(parts)]
    (root / "celeba" / "list_eval_partition.txt").write_text("\n".join(lines) + "\n")
    write_images(root / "generated" / "gan", noise(5, seed=3))
    return root


def test_celeba_keeps_its_partition_and_its_audit(tmp_path):
    write_celeba(tmp_path)
    with pytest.warns(UserWarning, match="not stored in one way"):
        found = load(f"torchvision:CelebA:{tmp_path}")
    assert (len(found.real), len(found.real_test)) == (6, 4)
    assert set(found.audit.differences.loc["format"]) == {"JPEG", "PNG"}


@pytest.mark.parametrize(
    ("change", "name", "message"),
    [
        (None, "torchvision:CIFAR-10:{0}", "unknown data set 'CIFAR-10'.*'CIFAR10'"),
        (None, "torchvision:Fashion:{0}", "did you mean 'FashionMNIST'"),
        (None, "torchvision:CIFAR10", "names no folder; write torchvision:CIFAR10:<"),
        (None, "torchvision:CIFAR10:{0}/no", "names no folder"),
        (None, "torchvision:CelebA:{0}", "img_align_celeba is missing"),
        (None, "torchvision:MNIST:{0}", "torchvision finds no MNIST"),
        ("cifar-10-batches-bin/test_batch.bin", "torchvision:CIFAR10:{0}", "missing"),
    ],
)
def test_a_data_set_that_is_not_there_is_refused(tmp_path, change, name, message):
    write_cifar(tmp_path)
    if change:
        (tmp_path / change).unlink()
    with pytest.raises(ValueError, match=message):
        load(name.format(tmp_path))


def test_damaged_or_missing_parts_of_data_sets_are_named(tmp_path):
    root = write_cifar(tmp_path)
    batch = root / "cifar-10-batches-bin" / "data_batch_3.bin"
    batch.write_bytes(batch.read_bytes()[:-1])
    with pytest.raises(ValueError, match="data_batch_3.bin holds 24,583 bytes"):
        load(f"torchvision:CIFAR10:{root}")
    write_celeba(root)
    with pytest.raises(ValueError, match="no holds no images of models"):
        load(f"torchvision:CelebA:{root}", generated=root / "no")
    table = root / "celeba" / "list_eval_partition.txt"
    table.write_text("../../x.jpg 0\n")
    with pytest.raises(ValueError, match="'../../x.jpg', which img_align_celeba lacks"):
        load(f"torchvision:CelebA:{root}")
    table.write_text("000.jpg 1\n")
    with pytest.raises(ValueError, match="names no images for either side"):
        load(f"torchvision:CelebA:{root}")
    with pytest.raises(ValueError, match="generated='x' is not for a source that"):
        load(write_folder(root / "plain"), generated="x")


def test_every_data_set_is_one_of_torchvision():
    assert all(hasattr(torchvision.datasets, x) for x in torchvision_data.DATA_SETS)


# --- parquet ----------------------------------------------------------------------


def encoded(image, kind="PNG"):
    file = io.BytesIO()
    Image.fromarray(image).save(file, kind)
    return file.getvalue()


def rows_of(n, label, model, seed, kind="PNG"):
    """Rows as Community Forensics has them."""
    return [
        {
            "image_name": f"{i:08}.png",
            "format": kind,
            "resolution": [8, 8],
            "mode": "RGB",
            "image_data": encoded(image, kind),
            "model_name": model,
            "nsfw_flag": False,
            "prompt": "a cup",
            "real_source": "LAION",
            "subset": "Systematic",
            "split": "train",
            "label": label,
        }
        for i, image in enumerate(noise(n, seed=seed))
    ]


@pytest.fixture
def forensics(tmp_path):
    """Two parquet files of mixed rows in small row groups."""
    pytest.importorskip("pyarrow")
    rows = [
        *rows_of(12, 0, "LAION", 0),
        *rows_of(6, 1, "org/one", 1),
        *rows_of(5, 1, "org/two", 2),
    ]
    order = np.random.default_rng(0).permutation(len(rows))
    rows = [rows[i] for i in order]
    for i, part in enumerate((rows[:10], rows[10:])):
        pd.DataFrame(part).to_parquet(tmp_path / f"{i}.parquet", row_group_size=3)
    return tmp_path


def test_parquet_gives_its_pixels_back(forensics):
    found = load(forensics)
    assert found.models == ["org/one", "org/two"] and found.tested is None
    assert as_rows(found.images["org/one"]) == as_rows(noise(6, seed=1))
    assert as_rows([*found.real, *found.real_test]) == as_rows(noise(12))
    assert set(found.audit.files["format"]) == {"PNG"}
    assert load(forensics, models=["org/two"]).models == ["org/two"]


def test_a_generated_class_named_real_is_refused(tmp_path):
    pytest.importorskip("pyarrow")
    rows = [*rows_of(4, 0, "LAION", 0), *rows_of(4, 1, "real", 1)]
    pd.DataFrame(rows).to_parquet(tmp_path / "0.parquet")
    with pytest.raises(ValueError, match="'real' for a generated image in row 4"):
        load(tmp_path)


def test_parquet_draws_rows_before_it_decodes(forensics):
    few = load(forensics, per_class=3, n_real=6, size=4)
    assert {len(x) for x in few.images.values()} == {3} and few.real.shape[1] == 4
    assert as_rows(load(forensics, per_class=3).images["org/one"]) <= as_rows(
        noise(6, seed=1)
    )


def test_a_difference_in_encoding_is_found_inside_parquet(tmp_path):
    pytest.importorskip("pyarrow")
    rows = rows_of(10, 0, "LAION", 0, "JPEG") + rows_of(10, 1, "m", 1, "WEBP")
    pd.DataFrame(rows).to_parquet(tmp_path / "x.parquet")
    with pytest.warns(UserWarning, match="JPEG in real; WEBP in m"):
        found = load(tmp_path / "x.parquet")
    assert set(found.audit.files.loc["m", "compression"]) == {"VP8"}


def test_parquet_with_both_splits_is_divided(tmp_path):
    pytest.importorskip("pyarrow")
    rows = rows_of(10, 0, "LAION", 0) + rows_of(6, 1, "m", 1)
    for row in rows[::2]:
        row["split"] = "test"
    pd.DataFrame(rows).to_parquet(tmp_path / "x.parquet")
    assert load(tmp_path / "x.parquet").tested["m"].sum() == 3


def test_damaged_parquet_and_a_missing_package_are_said(tmp_path, monkeypatch):
    pytest.importorskip("pyarrow")
    (tmp_path / "x.parquet").write_bytes(b"PAR1 and no more")
    with pytest.raises(ValueError, match="x.parquet cannot be read as parquet"):
        load(tmp_path / "x.parquet")
    monkeypatch.setitem(sys.modules, "pyarrow.parquet", None)
    message = r'pyarrow.parquet, which .*run pip install "manifpt-utils\[parquet\]"'
    with pytest.raises(ValueError, match=message):
        load(tmp_path / "x.parquet")
    assert extra("json", "parquet") is json


# --- what fits several layouts or none --------------------------------------------


def test_what_is_not_understood_gets_the_list_of_what_is(tmp_path):
    write_images(tmp_path / "reals", noise(3))
    with pytest.raises(ValueError, match="no sub-folder real/") as error:
        load(tmp_path)
    assert "Rename 'reals'?" in str(error.value)
    assert all(tree in str(error.value) for tree in understood())
    strange = tmp_path / "x.zip"
    strange.write_bytes(b"PK")
    with pytest.raises(ValueError, match="x.zip is neither a folder nor a file that"):
        load(strange)
    with pytest.raises(ValueError, match="no folder '/no/such.csv'"):
        load("/no/such.csv")


@pytest.mark.parametrize(
    ("more", "message"),
    [
        (["train/real", "test/real"], "real/ and <model>/; or train/ and test/"),
        (["m/0_real", "m/1_fake"], "real/ and <model>/; or ForenSynths"),
        (["m/val/ai", "m/val/nature"], "real/ and <model>/; or GenImage"),
    ],
)
def test_folders_of_two_layouts_are_refused(tmp_path, more, message):
    write_folder(tmp_path, n=4)
    for place in more:
        write_images(tmp_path / place, noise(4, seed=9))
    with pytest.raises(ValueError, match=f"more than one layout: {message}"):
        load(tmp_path)


def test_bad_sides_of_a_folder_are_refused(tmp_path):
    write_sides(tmp_path)
    write_images(tmp_path / "test" / "late", noise(4, seed=30))
    with pytest.raises(ValueError, match="'late' for one side only and none for train"):
        load(tmp_path)
    assert load(tmp_path, models=["a"]).models == ["a"]
    (tmp_path / "val").mkdir()
    with pytest.raises(ValueError, match="the folder val/ beside train/ and test/"):
        load(tmp_path)
    (tmp_path / "val").rmdir()
    (tmp_path / "train" / "late").mkdir()
    with pytest.raises(ValueError, match="late holds no images"):
        load(tmp_path)
    with pytest.raises(ValueError, match="did you mean 'late'"):
        load(tmp_path, models=["lat"])


def test_sides_with_real_images_alone_are_refused(tmp_path):
    write_sides(tmp_path, models=())
    with pytest.raises(ValueError, match="real images only; add train/<model>/"):
        load(tmp_path)


# --- samples of a pipeline --------------------------------------------------------


@pytest.fixture(scope="module")
def pipeline(tmp_path_factory):
    """A diffusion pipeline of a few weights, saved as diffusers does."""
    diffusers = pytest.importorskip("diffusers")
    network = diffusers.UNet2DModel(
        sample_size=8,
        block_out_channels=(4, 4),
        down_block_types=("DownBlock2D", "DownBlock2D"),
        up_block_types=("UpBlock2D", "UpBlock2D"),
        layers_per_block=1,
        norm_num_groups=2,
        attention_head_dim=2,
    )
    path = tmp_path_factory.mktemp("pipelines") / "ddpm"
    scheduler = diffusers.DDPMScheduler(num_train_timesteps=4)
    diffusers.DDPMPipeline(network, scheduler).save_pretrained(path)
    return path


def pictures(folder):
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


def test_samples_are_drawn_once_and_continued(pipeline, tmp_path):
    options = {"steps": 2, "batch_size": 2, "seed": 5}
    folder = sampling.sample(pipeline, tmp_path, "ddpm", n=3, **options)
    first = pictures(folder)
    assert list(first) == ["000000.png", "000001.png", "000002.png"]
    assert len(set(first.values())) == 3
    (folder / "000001.png").unlink()
    again = pictures(sampling.sample(pipeline, tmp_path, "ddpm", n=4, **options))
    assert first.items() <= again.items() and len(again) == 4
    record = json.loads((tmp_path / "ddpm.json").read_text())
    assert record["seed"] == 5 and record["pipeline"] == "DDPMPipeline"
    write_images(tmp_path / "real", noise(6))
    assert load(tmp_path).models == ["ddpm"]


def test_samples_of_other_settings_are_not_mixed(pipeline, tmp_path):
    sampling.sample(pipeline, tmp_path, "ddpm", n=1, steps=2)
    with pytest.raises(ValueError, match="record of images with another seed"):
        sampling.sample(pipeline, tmp_path, "ddpm", n=2, steps=2, seed=1)
    other = shutil.copytree(pipeline, tmp_path / "other")
    settings = other / "scheduler" / "scheduler_config.json"
    text = settings.read_text()
    assert '"linear"' in text
    settings.write_text(text.replace('"linear"', '"squaredcos_cap_v2"'))
    with pytest.raises(ValueError, match="record of images with another settings"):
        sampling.sample(other, tmp_path, "ddpm", n=2, steps=2)
    (tmp_path / "ddpm.json").unlink()
    with pytest.raises(ValueError, match="holds images without a record"):
        sampling.sample(pipeline, tmp_path, "ddpm", n=2, steps=2)


@pytest.mark.parametrize("name", ["real", "../x", "a/b", "", ".hidden"])
def test_a_name_that_is_no_folder_is_refused(pipeline, tmp_path, name):
    with pytest.raises(ValueError, match="cannot be the name of a model's folder"):
        sampling.sample(pipeline, tmp_path, name, n=1)


def test_code_pickles_and_names_of_the_hub_are_refused(tmp_path):
    home = tmp_path / "pipeline"
    with pytest.raises(ValueError, match="holds no model_index.json.*downloaded"):
        sampling.sample("google/ddpm-cifar10-32", tmp_path, "ddpm", n=1)
    home.mkdir()
    (home / "model_index.json").write_text('{"_class_name": "DDPMPipeline"}')
    (home / "diffusion_pytorch_model.bin").write_bytes(b"pickle")
    with pytest.raises(ValueError, match="holds no weights as safetensors"):
        sampling.sample(home, tmp_path, "ddpm", n=1)
    (home / "pipeline.py").write_text("raise SystemExit")
    with pytest.raises(ValueError, match="pipeline.py is code, which is not run"):
        sampling.sample(home, tmp_path, "ddpm", n=1)
