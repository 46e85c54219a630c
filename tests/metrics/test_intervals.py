"""Intervals of means, paired differences, leaders, and Holm's correction."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import ttest_1samp

from manifpt_utils.metrics.intervals import (
    Interval,
    chosen_elsewhere,
    holm,
    leaders,
    mean_interval,
    paired_difference,
    share_interval,
    t_test,
)

NAN = float("nan")
VALUES = st.lists(st.floats(-100, 100).map(lambda v: round(v, 3)), min_size=2)


@given(VALUES, st.floats(0.5, 0.999))
def test_interval_and_p_value_are_those_of_the_t_test(values, confidence):
    found = mean_interval(values, confidence=confidence)
    assert (found.n, found.confidence) == (len(values), confidence)
    if np.ptp(values) == 0:
        assert found.low == found.mean == found.high
        return
    oracle = ttest_1samp(values, 0)
    low, high = oracle.confidence_interval(confidence)
    assert (found.low, found.high) == pytest.approx((low, high), rel=1e-6, abs=1e-6)
    assert t_test(values) == pytest.approx(oracle.pvalue, rel=1e-6, abs=1e-9)


def test_intervals_of_normal_values_cover_the_mean_as_often_as_they_say():
    rows = np.random.default_rng(0).normal(3, 2, size=(2000, 4))
    found = [mean_interval(row, confidence=0.9) for row in rows]
    share = np.mean([i.low < 3 < i.high for i in found])
    assert share == pytest.approx(0.9, abs=0.02)


def test_missing_values_do_not_count():
    assert mean_interval([1, NAN, 3]) == mean_interval([1, 3])
    assert t_test([1, NAN, 3]) == t_test([1, 3])


@pytest.mark.parametrize(("values", "mean", "n"), [([], NAN, 0), ([2.0], 2, 1)])
def test_too_few_values_have_no_interval_and_take_no_side(values, mean, n):
    found = mean_interval(values)
    assert found[:5] == pytest.approx((mean, NAN, NAN, n, NAN), nan_ok=True)
    assert found.sign == 0
    assert np.isnan(t_test(values))


@pytest.mark.parametrize(
    ("low", "high", "sign"), [(1, 2, 1), (-2, -1, -1), (-1, 1, 0), (0, 1, 0), (0, 0, 0)]
)
def test_sign_says_on_which_side_of_zero_the_interval_lies(low, high, sign):
    assert Interval(0.5, low, high, 3, 1.0).sign == sign


def test_equal_values_are_certain():
    assert mean_interval([0.1] * 7).sign == 1
    assert (t_test([0.1] * 7), t_test([0, 0])) == (0, 1)


@given(VALUES)
def test_a_constant_lead_is_found_whatever_the_repetitions_share(values):
    lead = paired_difference(np.array(values) + 1, values)
    assert lead.mean == pytest.approx(1) and lead.sign == 1
    assert paired_difference(values, np.array(values) + 1).sign == -1


def test_a_pair_that_lacks_one_value_is_left_out():
    found = paired_difference([3, NAN, 5], [1, 1, 2])
    assert (found.mean, found.n) == (2.5, 2)


def test_leaders_are_the_best_and_those_that_repetitions_cannot_tell_from_it():
    rng = np.random.default_rng(1)
    shared = rng.normal(size=30)  # hard and easy repetitions, the same for all
    scores = pd.DataFrame(
        {"behind": shared - 0.5, "equal": shared + rng.normal(0, 0.1, 30)}
        | {"best": shared + 0.01, "never measured": NAN}
    ).T
    assert set(leaders(scores)) == {"best", "equal"}
    assert leaders(scores, highest=False) == ["behind"]
    assert leaders(scores.loc[["never measured"]]) == []


def test_one_repetition_tells_nothing_apart():
    assert leaders(pd.DataFrame({1: [0.1, 0.9]}, ["a", "b"])) == ["b", "a"]


@given(st.lists(st.floats(0, 1), max_size=8))
def test_holm_agrees_with_its_definition(p):
    found = holm(p)
    order = sorted(range(len(p)), key=lambda i: p[i])
    for rank, i in enumerate(order):
        steps = [(len(p) - r) * p[j] for r, j in enumerate(order[: rank + 1])]
        assert found[i] == pytest.approx(min(max(steps), 1))


def test_holm_passes_over_what_was_not_tested():
    np.testing.assert_array_equal(holm([0.02, NAN, 0.01]), [0.02, NAN, 0.02])


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: mean_interval([[1, 2]]), "one-dimensional"),
        (lambda: mean_interval([1, 2], confidence=95), "between 0 and 1, got 95"),
        (lambda: paired_difference([1, 2], [1]), "no pairs"),
        (
            lambda: paired_difference(
                pd.Series([1, 2], [0, 1]), pd.Series([1, 2])[::-1]
            ),
            "different indices",
        ),
        (lambda: holm([0.5, 1.2]), "between 0 and 1"),
    ],
)
def test_impossible_input_is_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_the_interval_of_shares_is_cut_off_where_shares_end():
    shares = [1.0, 1.0, 0.7]
    plain, cut = mean_interval(shares), share_interval(shares)
    assert plain.high > 1 == cut.high and cut[0] == plain[0] and cut.low == plain.low
    low = share_interval([0.0, 0.0, 0.3])
    assert low.low == 0 and low.high == pytest.approx(1 - cut.low)
    assert np.isnan(share_interval([0.5]).low)


def test_a_value_that_is_no_share_is_refused():
    with pytest.raises(ValueError, match="shares lie between 0 and 1, got 0.5 to 54"):
        share_interval([0.5, 54])


def test_a_choice_is_made_on_other_tests_and_among_complete_rows():
    scores = pd.DataFrame(
        {"x": [0.9, 0.5, 0.1], "y": [0.1, 0.5, 0.6], "z": [0.2, 0.3, NAN]},
        list("abc"),
    )
    # Without x the second row leads; with x the first one does; the third has a gap.
    assert chosen_elsewhere(scores).to_dict() == {"x": 0.5, "y": 0.1, "z": 0.2}
    assert chosen_elsewhere(scores[["x"]]).isna().all()
    assert chosen_elsewhere(scores.loc[["c"]]).isna().all()
