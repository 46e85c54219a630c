"""Conformal p-values: what they promise, and a slow oracle."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from manifpt_utils.metrics.conformal import (
    coverage_range,
    least_calibration,
    p_values,
    prediction_sets,
)

grades = st.integers(0, 4)  # few values, so that scores are often equal


@given(
    st.lists(st.tuples(grades, grades), min_size=1, max_size=6),
    st.lists(grades, min_size=1, max_size=6),
    st.lists(grades, min_size=1, max_size=6),
)
def test_equal_to_counting(scores, first, second):
    known, labels = first + second, [0] * len(first) + [1] * len(second)
    found = p_values(scores, known, labels)
    for row, values in zip(found, scores, strict=True):
        for k, (score, own) in enumerate(zip(values, (first, second), strict=True)):
            counted = sum(other <= score for other in own)
            assert row[k] == (1 + counted) / (1 + len(own))


def test_a_rising_map_of_the_scores_changes_nothing():
    rng = np.random.default_rng(0)
    scores, known = rng.normal(size=(20, 3)), rng.normal(size=30)
    labels = np.arange(30) % 3
    one = p_values(scores, known, labels)
    assert (one == p_values(np.exp(scores), np.exp(known), labels)).all()


def test_the_true_class_is_ruled_out_no_more_often_than_promised():
    """Over many draws of both, because one calibration set may be lucky."""
    rng = np.random.default_rng(0)
    covered = []
    for _ in range(400):
        scores, known = rng.normal(size=(50, 1)), rng.normal(size=19)
        p = p_values(scores, known, np.zeros(19, int))
        covered.append(prediction_sets(p, coverage=0.9).mean())
    assert 0.89 < np.mean(covered) < 0.91


def test_strange_images_belong_to_no_class():
    p = p_values([[-9.0, -9.0]], np.arange(20.0), np.arange(20) % 2)
    assert not prediction_sets(p, coverage=0.9).any()


@pytest.mark.parametrize("coverage", [0.5, 0.8, 0.9, 0.95, 0.99])
def test_one_image_fewer_rules_nothing_out(coverage):
    n = least_calibration(coverage)
    for count, ruled_out in ((n, True), (n - 1, False)):
        p = p_values([[-1.0]], np.zeros(count), np.zeros(count, int)) if count else 1
        assert (not np.any(prediction_sets(p, coverage=coverage))) == ruled_out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (([[1.0, 2.0]], [1.0], [0]), r"classes \[1\] have no calibration image"),
        (([1.0], [1.0], [0]), r"scores must be \(n, c\)"),
        (([[1.0]], [1.0, 2.0], [0]), r"got \(1, 1\), \(2,\) and \(1,\)"),
        (([[np.nan]], [1.0], [0]), "NaN or infinity"),
    ],
)
def test_what_does_not_fit_is_named(arguments, message):
    with pytest.raises(ValueError, match=message):
        p_values(*arguments)


@pytest.mark.parametrize("coverage", [0, 1, 90, -0.1])
def test_a_coverage_is_a_share(coverage):
    with pytest.raises(ValueError, match=f"between 0 and 1, got {coverage}"):
        prediction_sets([[0.5]], coverage=coverage)


@pytest.mark.parametrize(("n", "classes"), [(20, 1), (20, 3), (99, 2)])
def test_the_range_of_coverage_is_that_of_many_draws(n, classes):
    rng = np.random.default_rng(0)
    shares = []
    for _ in range(2000):
        known, new = rng.random((classes, n)), rng.random((classes, 30))
        pairs = zip(known, new, strict=True)
        p = [p_values(y[:, None], x, np.zeros(n, int)) for x, y in pairs]
        shares.append(prediction_sets(np.concatenate(p), coverage=0.8).mean())
    found = coverage_range(n, 30, classes=classes, coverage=0.8, confidence=0.9)
    assert np.mean(shares) == pytest.approx(found.mean, abs=0.01)
    inside = np.mean([found.low <= share <= found.high for share in shares])
    assert 0.88 < inside < 0.97
    ends = np.quantile(shares, [0.05, 0.95])
    assert (found.low, found.high) == pytest.approx(tuple(ends), abs=0.04)


def test_the_range_of_coverage_narrows_to_the_promise():
    wide, narrow = coverage_range(20, 50), coverage_range(9999, 50_000)
    assert wide.low < narrow.low < 0.9 < narrow.high < wide.high
    assert narrow.high - narrow.low < 0.02
    assert coverage_range(8, 50) == (1, 1, 1)  # too few to rule anything out
    assert coverage_range(9, 50).mean == pytest.approx(0.9)


@pytest.mark.parametrize(
    ("numbers", "options"), [((0, 9), {}), ((9, 0), {}), ((9, 9), {"classes": 0})]
)
def test_a_range_needs_images_and_classes(numbers, options):
    with pytest.raises(ValueError, match="there must be images and classes.* got"):
        coverage_range(*numbers, **options)
