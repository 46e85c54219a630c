"""Effects in resamples of the runs: their value, their spread, their bounds."""

from importlib import import_module

import numpy as np
import pandas as pd
import pytest

from manifpt_utils.metrics import (
    beyond_chance,
    effect_interval,
    effect_resamples,
    permutation_anova,
)

module = import_module("manifpt_utils.metrics.resampled_effects")
LEVELS = np.repeat(["a", "b", "c", "d"], 3)
RUNS = [f"{level}-{i}" for i, level in enumerate(LEVELS)]
FACTOR = {"level": pd.Series(LEVELS, RUNS)}


def distances_of(x):
    x = np.asarray(x, dtype=float)
    d = np.linalg.norm(x[:, None] - x, axis=2)
    return pd.DataFrame(d, RUNS[: len(x)], RUNS[: len(x)])


def drawn(shift, rng, n_resamples=400):
    """Resamples of runs in three dimensions whose levels lie some way apart."""
    centres = np.repeat(shift * np.eye(4)[:, :3], 3, axis=0)
    x = centres + rng.normal(size=(12, 3))
    return effect_resamples(distances_of(x), FACTOR, n_resamples=n_resamples)["level"]


def test_the_effect_is_what_the_permutation_test_calls_beyond_chance():
    x = np.random.default_rng(0).normal(size=(12, 3)) + (LEVELS == "b")[:, None]
    found = effect_resamples(distances_of(x), FACTOR, n_resamples=1)["level"][0]
    test = permutation_anova(distances_of(x), LEVELS, n_permutations=4000)
    # Levels dealt out at random explain (levels - 1) / (runs - 1).
    assert test.null_share == pytest.approx(3 / 11, abs=0.01)
    assert found == pytest.approx(beyond_chance(test.share, 3 / 11))


def test_intervals_cover_the_true_effect_about_as_often_as_they_say():
    rng, shift = np.random.default_rng(1), 2.0
    # Mean squares of distances: 2 d within a level, two shifts more between levels.
    apart = np.square(shift * (np.eye(4)[:, :3][:, None] - np.eye(4)[:, :3])).sum(-1)
    between = apart[~np.eye(4, dtype=bool)].mean()
    true = 1 - 6 / (6 + between * (12 * 9) / (12 * 11))
    found = [effect_interval(drawn(shift, rng), 12) for _ in range(150)]
    assert np.mean([f.mean for f in found]) == pytest.approx(true, abs=0.04)
    covered = np.mean([f.low <= true <= f.high for f in found])
    assert 0.87 <= covered <= 0.99
    assert all(f.low <= f.mean <= f.high <= 1 for f in found)


def test_the_variance_of_a_count_is_that_of_the_draws():
    for n in (3, 4, 7):
        counts = module._drawn(pd.Series(np.zeros(n)), 20_000, seed=0)[1:]
        expected = module._variance_of_a_count(pd.Series([n]))[0]
        assert counts.var(axis=0).mean() == pytest.approx(expected, rel=0.03)
    few = module._variance_of_a_count(pd.Series([1, 2, 3]))
    np.testing.assert_allclose(few, [0, 0, 0.5], atol=1e-12)


def test_designs_of_two_runs_have_an_effect_without_an_interval():
    rng = np.random.default_rng(5)
    pairs = {"level": FACTOR["level"].groupby(LEVELS).head(2)}
    found = effect_resamples(distances_of(rng.normal(size=(12, 3))), pairs)["level"]
    interval = effect_interval(found, 8)
    assert np.isfinite(interval.mean) and np.isnan([interval.low, interval.high]).all()
    assert interval.sign == 0


def test_no_effect_has_an_interval_around_zero_and_a_clear_one_is_near_one():
    rng = np.random.default_rng(2)
    none, clear = (effect_interval(drawn(shift, rng), 12) for shift in (0, 40))
    assert none.sign == 0 and none.n == 12
    assert clear.sign == 1 and clear.low > 0.98


def test_tables_of_the_same_runs_share_their_resamples():
    x = np.random.default_rng(3).normal(size=(12, 3))
    near, far = (effect_resamples(distances_of(c * x), FACTOR) for c in (1, 5))
    np.testing.assert_allclose(near, far)  # the unit of distance plays no part


def test_a_factor_takes_only_the_runs_that_have_its_levels():
    x = np.random.default_rng(4).normal(size=(12, 3))
    both = FACTOR | {"other": FACTOR["level"][:6]}
    alone = {"other": FACTOR["level"][:6]}
    of_all, of_some = (
        effect_resamples(distances_of(x), factors, n_resamples=1)["other"][0]
        for factors in (both, alone)
    )
    assert of_all == pytest.approx(of_some)


def test_identical_runs_have_no_effect():
    found = effect_resamples(distances_of(np.zeros((12, 2))), FACTOR, n_resamples=5)
    assert not found.to_numpy().any()


@pytest.mark.parametrize(
    ("runs", "message"),
    [(slice(0, 6), "run 'c-6' has a level and no distances"), (slice(None), "one run")],
)
def test_what_cannot_be_resampled_is_refused(runs, message):
    factors = FACTOR if message.startswith("run") else {"run": pd.Series(RUNS, RUNS)}
    distances = distances_of(np.eye(12)).iloc[runs, runs]
    with pytest.raises(ValueError, match=message):
        effect_resamples(distances, factors)
