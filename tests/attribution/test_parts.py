"""The division into images to learn from, to calibrate and to test on."""

import dataclasses

import numpy as np
import pytest

from manifpt_utils.attribution.parts import balanced, few, parts_of, was_resized
from manifpt_utils.images.copies import digests
from manifpt_utils.images.file_names import names_of


def changed(benchmark, **images):
    return dataclasses.replace(benchmark, images={**benchmark.images, **images})


def test_parts_are_disjoint_and_of_every_class(benchmark):
    parts = parts_of(benchmark)
    contents = [set(digests(x.images)) for x in parts.values()]
    assert sum(map(len, contents)) == len(set.union(*contents))
    assert sum(len(x.labels) for x in parts.values()) == 4 * 60
    for part in parts.values():
        assert set(part.labels) == {"real", *benchmark.models}


def test_shares_of_every_class(benchmark):
    parts = parts_of(benchmark, with_real=False)
    counts = {name: (x.labels == "dots").sum() for name, x in parts.items()}
    assert counts == {"learn": 36, "calibrate": 12, "test": 12}


def given(benchmark, n_tested):
    """The benchmark with a split: the last images of every class are the test."""
    classes = {**benchmark.images, "real": benchmark.real_test}
    tested = {k: np.arange(len(x)) >= len(x) - n_tested for k, x in classes.items()}
    return dataclasses.replace(benchmark, tested=tested)


def test_a_split_that_is_given_is_kept(benchmark):
    parts = parts_of(given(benchmark, 10))
    counts = {name: (x.labels == "dots").sum() for name, x in parts.items()}
    assert counts == {"learn": 38, "calibrate": 12, "test": 10}
    held = {
        x for name in benchmark.images for x in digests(benchmark.images[name][-10:])
    }
    held |= set(digests(benchmark.real_test[-10:]))
    assert set(digests(parts["test"].images)) == held
    with pytest.raises(ValueError, match="has 5 images .* to learn and calibrate on"):
        parts_of(given(benchmark, 55))
    with pytest.raises(ValueError, match="1 images of its own to test on in the given"):
        parts_of(given(benchmark, 1))


def test_another_seed_divides_otherwise(benchmark):
    one, same, other = (parts_of(benchmark, seed=s)["test"].images for s in (0, 0, 1))
    assert (one == same).all() and (one != other).any()


def test_copies_count_once_and_shared_images_not_at_all(benchmark):
    dots, stripes = benchmark.images["dots"], benchmark.images["stripes"]
    twice = np.concatenate([dots, dots, stripes[:5]])
    parts = parts_of(changed(benchmark, dots=twice)).values()
    labels = np.concatenate([part.labels for part in parts])
    assert (labels == "dots").sum() == 60
    assert (labels == "stripes").sum() == 55
    contents = [x for part in parts for x in digests(part.images)]
    assert len(set(contents)) == len(contents)


def test_too_few_images_are_named(benchmark):
    few_dots = changed(benchmark, dots=benchmark.images["dots"][:9])
    with pytest.raises(ValueError, match="'dots' has 9 images of its own among 9"):
        parts_of(few_dots)


def test_too_few_real_images_are_explained(benchmark):
    few_real = dataclasses.replace(benchmark, real_test=benchmark.real_test[:4])
    with pytest.raises(ValueError, match="a fifth of the real images"):
        parts_of(few_real)


def test_one_model_alone_needs_real_images(benchmark):
    alone = dataclasses.replace(benchmark, images={"dots": benchmark.images["dots"]})
    assert set(parts_of(alone)["test"].labels) == {"real", "dots"}
    with pytest.raises(ValueError, match=r"has one class, \['dots'\]"):
        parts_of(alone, with_real=False)


def test_balanced_repeats_the_smaller_class():
    labels = np.array(["a"] * 7 + ["b"] * 3)
    assert np.unique(labels[balanced(labels)], return_counts=True)[1].tolist() == [7, 7]


def test_few_are_drawn_from_the_whole_class(benchmark):
    part = parts_of(benchmark)["learn"]
    small = few(part, 5)
    assert np.unique(small.labels, return_counts=True)[1].tolist() == [5] * 4
    rows = {d: i for i, d in enumerate(digests(part.images))}
    found = np.array([rows[d] for d in digests(small.images)])
    assert (np.diff(found[small.labels == "dots"]) < 0).any()  # not the first ones


def test_real_images_have_the_names_of_their_files(benchmark, root):
    names = names_of(benchmark.real, "real", benchmark)
    assert sorted(set(names)) == sorted(names)
    assert all((root / "real" / name).is_file() for name in names)


def test_images_that_are_no_files_were_resized_if_that_was_asked_for(benchmark):
    assert not was_resized(benchmark)
    assert not was_resized(dataclasses.replace(benchmark, audit=None))
    assert was_resized(dataclasses.replace(benchmark, audit=None, resized=True))


def test_images_without_files_are_counted(benchmark):
    plain = dataclasses.replace(benchmark, audit=None)
    assert names_of(plain.real[:2], "real", plain) == ["real 0", "real 1"]
