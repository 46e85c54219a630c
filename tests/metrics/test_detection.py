"""Scores that tell known from unknown: closed forms, ties, and slow oracles."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import auc

from manifpt_utils.metrics.detection import auroc, open_set_curve, oscr, tpr_at_fpr

grades = st.integers(0, 4)  # few values, so that scores are often equal
SCORES = st.lists(grades, min_size=1, max_size=8)
JUDGED = st.lists(st.tuples(grades, st.booleans()), min_size=1, max_size=8)


def win(a, b):
    """1 where a is ahead of b, and half of it where they are equal."""
    return (a > b) + (a == b) / 2


def thresholds(*scores):
    """Every score that can part these, and one above all of them."""
    return sorted({score for part in scores for score in part} | {np.inf})


@given(SCORES, SCORES)
def test_area_is_the_share_of_pairs_in_the_right_order(known, unknown):
    pairs = [win(a, b) for a in known for b in unknown]
    assert auroc(known, unknown) == pytest.approx(np.mean(pairs))


@given(JUDGED, SCORES)
def test_oscr_counts_pairs_of_which_the_known_one_is_named_rightly(judged, unknown):
    known, right = map(np.array, zip(*judged, strict=True))
    pairs = [r * win(a, b) for a, r in judged for b in unknown]
    assert oscr(known, right, unknown) == pytest.approx(np.mean(pairs))


@given(JUDGED, SCORES)
def test_every_point_of_the_curve_is_what_its_threshold_does(judged, unknown):
    known, right = map(np.array, zip(*judged, strict=True))
    curve = open_set_curve(known, right, unknown)
    for threshold, false_positive, correct in zip(*curve, strict=True):
        accepted = [other >= threshold for other in unknown]
        named = [r and score >= threshold for score, r in judged]
        assert false_positive == pytest.approx(np.mean(accepted))
        assert correct == pytest.approx(np.mean(named))
    assert curve.correct[0] == curve.false_positive[0] == 0
    assert curve.false_positive[-1] == 1
    assert curve.correct[-1] == pytest.approx(right.mean())


@given(SCORES, SCORES, st.floats(0, 1))
def test_share_at_a_limit_is_the_best_of_all_thresholds(known, unknown, limit):
    found = [
        np.mean(np.array(known) >= threshold)
        for threshold in thresholds(known, unknown)
        if np.mean(np.array(unknown) >= threshold) <= limit
    ]
    assert tpr_at_fpr(known, unknown, fpr=limit) == pytest.approx(max(found))


@given(JUDGED, SCORES)
def test_a_rising_map_of_the_scores_changes_nothing(judged, unknown):
    known, right = map(np.array, zip(*judged, strict=True))
    unknown = np.array(unknown)
    for rising in (np.exp, lambda x: 3 * x - 7):
        a, b = rising(known), rising(unknown)
        assert auroc(a, b) == auroc(known, unknown)
        assert tpr_at_fpr(a, b, fpr=0.3) == tpr_at_fpr(known, unknown, fpr=0.3)
        assert oscr(a, right, b) == oscr(known, right, unknown)


@given(SCORES, SCORES)
def test_the_other_order_has_the_rest_of_the_area(known, unknown):
    assert auroc(known, unknown) == pytest.approx(1 - auroc(unknown, known))


def test_sets_that_a_threshold_parts():
    known, unknown = [3, 4, 5], [0, 1, 2]
    assert auroc(known, unknown) == tpr_at_fpr(known, unknown, fpr=0) == 1
    assert auroc(unknown, known) == tpr_at_fpr(unknown, known) == 0
    assert oscr(known, [True, False, True], unknown) == pytest.approx(2 / 3)


def test_scores_that_know_nothing_are_at_chance():
    rng = np.random.default_rng(0)
    known, unknown = rng.normal(size=(2, 40_000))
    right = rng.random(40_000) < 0.7
    assert auroc(known, unknown) == pytest.approx(0.5, abs=0.01)
    assert tpr_at_fpr(known, unknown) == pytest.approx(0.05, abs=0.01)
    assert oscr(known, right, unknown) == pytest.approx(0.35, abs=0.01)


def test_closed_form_of_two_triangles():
    """Of densities 2s and 2(1 - s), acceptance rates are 1 - t^2 and (1 - t)^2."""
    quantiles = (np.arange(20_000) + 0.5) / 20_000
    known, unknown = np.sqrt(quantiles), 1 - np.sqrt(1 - quantiles)
    assert auroc(known, unknown) == pytest.approx(5 / 6, abs=1e-3)
    t = 1 - np.sqrt(0.05)
    assert tpr_at_fpr(known, unknown) == pytest.approx(1 - t**2, abs=1e-3)


def test_equal_scores_are_accepted_together():
    assert auroc([1, 1], [1, 1, 1]) == 0.5
    assert tpr_at_fpr([1, 1], [1, 1, 1]) == 0
    assert tpr_at_fpr([1, 1], [1, 1, 1], fpr=1) == 1
    assert oscr([1, 1], [True, False], [1, 1, 1]) == 0.25


def test_one_unknown_image_in_twenty_may_pass_at_five_percent():
    unknown = np.r_[np.zeros(19), 2.0]
    assert tpr_at_fpr([1, 3], unknown) == 1
    assert tpr_at_fpr([1, 3], unknown, fpr=0.049) == 0.5


def test_where_all_is_right_the_two_areas_are_one():
    rng = np.random.default_rng(1)
    known, unknown = rng.integers(0, 9, (2, 50))
    found = oscr(known, np.ones(50, bool), unknown)
    assert found == pytest.approx(auroc(known, unknown))
    curve = open_set_curve(known, np.ones(50, bool), unknown)
    assert auc(curve.false_positive, curve.correct) == pytest.approx(found)


def test_where_nothing_is_right_the_area_is_zero():
    curve = open_set_curve([1, 2], [False, False], [0])
    assert (curve.correct == 0).all() and curve.false_positive[-1] == 1
    assert oscr([1, 2], [False, False], [0]) == 0


@pytest.mark.parametrize("measure", [auroc, tpr_at_fpr])
@pytest.mark.parametrize(
    ("known", "unknown", "error"),
    [
        ([], [1], r"the known scores must be \(n,\) with at least one image"),
        ([1], [], r"the unknown scores must be \(n,\) with at least one image"),
        ([[1, 2]], [1], r"the known scores must be \(n,\).* got \(1, 2\)"),
        ([1], [np.nan, 1], "1 of the unknown scores are NaN or infinite"),
    ],
)
def test_scores_that_are_none_are_refused(measure, known, unknown, error):
    with pytest.raises(ValueError, match=error):
        measure(known, unknown)


def test_other_bad_input_is_named():
    with pytest.raises(ValueError, match="fpr must be a share from 0 to 1, got 5"):
        tpr_at_fpr([1], [0], fpr=5)
    with pytest.raises(ValueError, match=r"each of \(2,\) scores, got bool \(1,\)"):
        oscr([1, 2], [True], [0])
    with pytest.raises(ValueError, match=r"True or False for each.* got int64"):
        oscr([1, 2], [0, 1], [0])
    with pytest.raises(ValueError, match="unknown scores must be"):
        oscr([1, 2], [False, False], [])
