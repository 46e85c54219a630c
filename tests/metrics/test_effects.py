"""The effect of a design choice: energy distances and permutation tests."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import energy_distance, f_oneway

from manifpt_utils.metrics import (
    beyond_chance,
    energy_distances,
    factor_effects,
    permutation_anova,
    smallest_p_value,
)


def slow_square(a, b):
    """Energy distance squared, loop by loop, over distinct images."""

    def mean(x, y, same):
        found = [
            np.linalg.norm(p - q)
            for i, p in enumerate(x)
            for j, q in enumerate(y)
            if not (same and i == j)
        ]
        return np.mean(found)

    return 2 * mean(a, b, False) - mean(a, a, True) - mean(b, b, True)


@given(st.integers(0, 999), st.integers(2, 5), st.integers(1, 4))
@settings(max_examples=25, deadline=None)
def test_energy_distances_agree_with_the_definition(seed, n, d):
    rng = np.random.default_rng(seed)
    groups = np.repeat(["a", "b", "c"], n)
    x = rng.normal(size=(3 * n, d)) + 2.0 * (groups == "c")[:, None]
    found = energy_distances(x, groups)
    for a, b in (("a", "b"), ("a", "c"), ("b", "c")):
        expected = max(slow_square(x[groups == a], x[groups == b]), 0) ** 0.5
        assert found.loc[a, b] == pytest.approx(expected, abs=1e-6)
    assert np.array_equal(found, found.T) and not np.diag(found).any()


def test_energy_distance_of_many_numbers_is_that_of_scipy():
    rng = np.random.default_rng(0)
    a, b = rng.normal(size=800), rng.normal(1.0, size=800)
    x, groups = np.r_[a, b][:, None], np.repeat(["a", "b"], 800)
    found = energy_distances(x, groups).loc["a", "b"]
    assert found == pytest.approx(energy_distance(a, b), abs=0.01)


@given(st.integers(0, 999), st.floats(-50, 50), st.floats(0.1, 10))
@settings(max_examples=20, deadline=None)
def test_energy_distances_ignore_shifts_and_follow_the_root_of_the_scale(seed, t, c):
    x = np.random.default_rng(seed).normal(size=(12, 3))
    groups = np.repeat(["a", "b"], 6)
    x[6:] += 1.0
    plain, moved = energy_distances(x, groups), energy_distances(c * x + t, groups)
    np.testing.assert_allclose(moved, c**0.5 * plain, rtol=1e-6, atol=1e-6)


def test_the_statistic_of_numbers_is_that_of_the_analysis_of_variance():
    rng = np.random.default_rng(1)
    groups = np.repeat(["a", "b", "c"], [3, 4, 5])
    x = rng.normal(size=12) + (groups == "b")
    found = permutation_anova(np.abs(x[:, None] - x), groups, n_permutations=9)
    expected = f_oneway(*(x[groups == g] for g in "abc")).statistic
    assert found.statistic == pytest.approx(expected, rel=1e-9)


def test_p_values_without_an_effect_are_uniform():
    groups = np.repeat([0, 1, 2], 3)
    rng = np.random.default_rng(2)
    points = [rng.normal(size=(9, 4)) for _ in range(200)]
    p = [
        permutation_anova(
            np.linalg.norm(x[:, None] - x, axis=2), groups, n_permutations=99
        ).p_value
        for x in points
    ]
    assert 0.4 < np.mean(p) < 0.6
    assert 0.01 < np.mean(np.array(p) <= 0.1) < 0.2


def test_groups_far_apart_have_the_smallest_p_value_there_is():
    groups = np.repeat([0, 1, 2], 3)
    x = 10.0 * groups + np.random.default_rng(3).normal(size=9)
    found = permutation_anova(np.abs(x[:, None] - x), groups, n_permutations=5000)
    assert smallest_p_value([3, 3, 3]) == pytest.approx(1 / 280)
    assert found.p_value == pytest.approx(1 / 280, abs=0.003)
    assert found.share > 0.95 and found.null_share == pytest.approx(2 / 8, abs=0.02)


@pytest.mark.parametrize("seed", range(8))
def test_few_permutations_give_no_p_value_that_all_of_them_could_not(seed):
    groups = np.repeat([0, 1], 2)
    x = 10.0 * groups + np.arange(4)
    found = permutation_anova(
        np.abs(x[:, None] - x), groups, n_permutations=30, seed=seed
    )
    assert found.p_value >= smallest_p_value([2, 2]) == pytest.approx(1 / 3)


def test_identical_objects_have_no_effect():
    found = permutation_anova(np.zeros((4, 4)), list("aabb"), n_permutations=9)
    assert found.share == 0 and found.p_value == 1


def runs_of(shift, seed=0):
    """Two levels of three runs each; runs differ by chance, levels by a shift."""
    rng = np.random.default_rng(seed)
    names = np.array([f"r{i}" for i in range(6)])
    centres = rng.normal(size=(6, 5))
    centres[3:] += shift
    x = np.repeat(centres, 20, axis=0) + 0.5 * rng.normal(size=(120, 5))
    levels = pd.Series(["low"] * 3 + ["high"] * 3, index=names)
    return x, np.repeat(names, 20), levels


def test_an_effect_of_a_level_is_found_and_that_of_a_start_is_not():
    none, large = (factor_effects(*runs_of(s), n_permutations=500) for s in (0, 8))
    assert 0.5 < none["ratio"] < 1.6 and none["p_value"] > 0.15
    assert large["ratio"] > 1.5
    assert large["p_value"] == pytest.approx(large["smallest_p"], abs=0.04)
    assert large["n_runs"] == 6 and large["n_levels"] == 2


@pytest.mark.parametrize("n_levels", [2, 3, 6])
def test_beyond_chance_is_zero_without_an_effect_however_many_levels(n_levels):
    rng = np.random.default_rng(n_levels)
    levels = np.arange(12) % n_levels
    found = []
    for seed in range(60):
        x = rng.normal(size=(12, 4))
        d = np.sqrt(((x[:, None] - x) ** 2).sum(axis=2))
        effect = permutation_anova(d, levels, n_permutations=100, seed=seed)
        found.append(beyond_chance(effect.share, effect.null_share))
    assert abs(np.mean(found)) < 3 * np.std(found) / 60**0.5


def test_beyond_chance_is_one_at_full_agreement_and_zero_where_there_is_no_room():
    assert beyond_chance([1, 1, 0.2], [0, 0.9, 0.2]).tolist() == [1, 1, 0]
    assert beyond_chance(1, 1) == 0 and np.isscalar(beyond_chance(0.5, 0.25))


def test_runs_without_a_level_take_no_part():
    x, runs, levels = runs_of(8)
    more = np.r_[x, x[:20] + 99], np.r_[runs, np.repeat("other", 20)]
    pd.testing.assert_series_equal(
        factor_effects(x, runs, levels), factor_effects(*more, levels)
    )


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: energy_distances(np.ones((3, 2)), list("aab")), "'b' has one row"),
        (lambda: energy_distances(np.ones((3, 2)), list("aa")), r"groups must be \(3,"),
        (lambda: energy_distances([[np.nan], [1]], list("aa")), "NaN or infinity"),
        (lambda: permutation_anova(np.ones((3, 3)), list("aab")), "zero diagonal"),
        (lambda: permutation_anova(np.zeros((2, 2)), list("aa")), "two groups"),
        (lambda: permutation_anova(np.zeros((2, 2)), list("ab")), "two groups"),
        (lambda: permutation_anova(np.zeros((2, 2)), "a"), "one per object"),
    ],
)
def test_what_cannot_be_compared_is_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()
