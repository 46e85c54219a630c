"""Models that an attributor does not know."""

import dataclasses

import numpy as np
import pytest
from patterns import pictures

from manifpt_utils.attribution import left_out
from manifpt_utils.attribution.attributor import Attributor
from manifpt_utils.attribution.left_out import leave_out
from manifpt_utils.attribution.parts import parts_of
from manifpt_utils.metrics.conformal import p_values, prediction_sets

PLAIN = {"space": "rgb", "estimate": "raw", "classifier": "linear"}


@pytest.fixture(scope="module")
def fitted(benchmark):
    return Attributor(**PLAIN).fit(benchmark)


def test_images_of_a_class_like_no_other_are_told_from_those_of_the_rest(
    fitted, benchmark
):
    found = leave_out(fitted, benchmark, ["dots", "stripes"])
    assert list(found) == ["dots", "stripes"]
    assert all(x.auroc > 0.7 for x in found.values())
    assert all(x.unknown > x.known_unknown for x in found.values())


def test_a_model_that_is_the_same_as_another_is_not_told_from_the_rest(benchmark):
    twins = {"dots": pictures("dots", 60, seed=1), "twin": pictures("dots", 60, seed=2)}
    both = dataclasses.replace(benchmark, images=benchmark.images | twins)
    attributor = Attributor(**PLAIN).fit(both)
    found = leave_out(attributor, both, ["twin"])["twin"]
    assert found.auroc < 0.8 and found.unknown < 0.5


def test_it_is_a_fit_of_the_other_classes_on_the_same_parts(fitted, benchmark):
    found = leave_out(fitted, benchmark, ["dots"])["dots"]
    parts = parts_of(benchmark)
    known = {k: (x.images, x.labels, x.labels != "dots") for k, x in parts.items()}
    images, labels, rest = known["learn"]
    fitted = Attributor(**PLAIN)
    fitted.fit(benchmark)
    head = fitted.pipeline_[-1]
    features = fitted.pipeline_[0].transform(images[rest])
    counts = np.unique(labels[rest], return_counts=True)
    rows = [np.flatnonzero(labels[rest] == name) for name in counts[0]]
    rows = np.concatenate([np.resize(x, counts[1].max()) for x in rows])
    head.fit(features[rows], labels[rest][rows])
    shares = {k: fitted.pipeline_.predict_proba(x[0]) for k, x in known.items()}
    names = list(head.classes_)
    codes = [names.index(x) for x in known["calibrate"][1][known["calibrate"][2]]]
    held = shares["calibrate"][known["calibrate"][2]]
    typical = held[np.arange(len(codes)), codes]
    new = np.concatenate([shares[k][~x[2]] for k, x in known.items()])
    empty = ~prediction_sets(p_values(new, typical, codes)).any(axis=1)
    assert found.unknown == empty.mean()
    inside = shares["test"][known["test"][2]].max(axis=1)
    ranks = (inside[:, None] > new.max(axis=1)).mean()
    ranks += (inside[:, None] == new.max(axis=1)).mean() / 2
    assert found.auroc == pytest.approx(ranks)


def test_features_are_computed_once_and_the_attributor_stays_as_it_was(
    fitted, benchmark, monkeypatch
):
    before, calls = fitted.predict_proba(benchmark.images["dots"]), []
    transform = fitted.pipeline_[0].estimator.transform
    monkeypatch.setattr(
        fitted.pipeline_[0].estimator,
        "transform",
        lambda images: calls.append(len(images)) or transform(images),
    )
    monkeypatch.setattr(left_out, "n_processes", lambda n_pixels: 1)
    leave_out(fitted, benchmark, ["dots", "stripes", "columns"])
    assert sum(calls) == sum(len(x.labels) for x in parts_of(benchmark).values())
    monkeypatch.undo()
    after = fitted.predict_proba(benchmark.images["dots"])
    np.testing.assert_array_equal(before, after)


@pytest.mark.parametrize("name", ["dotz", "unknown"])
def test_a_model_that_is_no_class_is_refused(fitted, benchmark, name):
    with pytest.raises(ValueError, match=f"'{name}' cannot be left out of"):
        leave_out(fitted, benchmark, [name])


def test_one_of_two_classes_cannot_be_left_out(fitted, benchmark):
    few = {k: benchmark.images[k] for k in ("dots", "stripes")}
    two = dataclasses.replace(benchmark, images=few)
    attributor = Attributor(**PLAIN, with_real=False).fit(two)
    with pytest.raises(ValueError, match="at least three classes"):
        leave_out(attributor, two, ["dots"])
