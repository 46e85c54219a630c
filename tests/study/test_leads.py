"""Leads over a rival: their definition, and what the stored grids show."""

import pandas as pd
import pytest

from manifpt_utils.study import comparison, estimation, leads

KEYS = {"setting": "coffee", "space": "rgb", "k": 1, "search": "euclidean"}
KEYS |= {"n_train": 5, "column": "closed"}


def rows(kind, n_real, scores, **other):
    common = {**KEYS, "kind": kind, "n_real": n_real, **other}
    return [{**common, "seed": s, "score": v} for s, v in enumerate(scores, start=1)]


def rival(*scores, names=leads.RIVAL):
    keys = [("coffee", "closed", 5, seed) for seed in range(1, len(scores) + 1)]
    return pd.Series(scores, pd.MultiIndex.from_tuples(keys, names=names))


def test_a_lead_is_taken_seed_by_seed():
    table = pd.DataFrame(rows("nearest", 100, [0.5, 0.7, 0.9]))
    found = leads.lead(table, rival(0.4, 0.6, 0.8)).reset_index().iloc[0]
    # The seeds differ by far more than the lead, which is the same in each.
    assert found["mean"] == pytest.approx(0.1) and found["sem"] < 1e-9
    assert found["real"] and found["seeds"] == 3
    level = leads.lead(table, rival(0.9, 0.7, 0.5)).reset_index().iloc[0]
    assert level["mean"] == pytest.approx(0) and not level["real"]


def test_a_lead_over_one_seed_is_not_real():
    table = pd.DataFrame(rows("nearest", 100, [0.9]))
    assert not leads.lead(table, rival(0.1))["real"].item()


def test_the_best_earlier_method_has_the_highest_mean_and_gives_its_own_seeds():
    base = {"setting": "coffee", "column": "closed", "n_train": 5}
    scores = {"Yu19": (0.9, 0.1), "Durall20": (0.6, 0.5), "rgb raw": (1.0, 1.0)}
    compared = pd.DataFrame(
        [
            {**base, "method": method, "seed": seed, "score": value}
            for method, values in scores.items()
            for seed, value in enumerate(values, start=1)
        ]
    )
    best = leads.best_earlier_scores(compared)
    assert best["method"].tolist() == ["Durall20"] * 2
    assert best["score"].tolist() == [0.6, 0.5]
    raw = leads.raw_scores(compared)
    assert raw.loc["rgb", "coffee", "closed", 5, 1] == 1


@pytest.mark.parametrize(
    ("real", "expected"),
    [
        ({100: False, 1000: False}, None),
        ({100: True, 1000: True}, 100),
        ({1000: True, 100: False}, 1000),
        ({100: True, 1000: False}, None),
    ],
)
def test_a_threshold_holds_for_every_larger_number(real, expected):
    assert leads.threshold(pd.Series(real)) == expected


def test_the_first_lead_is_that_of_the_space_that_needs_the_fewest_views():
    cells = [("rgb", 100, False), ("rgb", 1000, True), ("frequency", 100, True)]
    cells += [("frequency", 1000, True)]
    found = pd.DataFrame(
        [
            {**KEYS, "kind": "affine", "space": space, "n_real": n, "real": real}
            for space, n, real in cells
        ]
        + [{**KEYS, "kind": "nearest", "n_real": 100, "real": False}]
    )
    first = leads.first_leads(found).droplevel([0, 1, 2])
    assert first.loc["affine"].tolist() == [100, "frequency"]
    assert first.loc["nearest"].isna().all()


def test_the_best_space_is_chosen_for_every_number_of_views():
    found = pd.DataFrame(
        [
            {**KEYS, "kind": "affine", "space": space, "n_real": n, "mean": mean}
            for space, n, mean in (
                ("rgb", 100, 0.1),
                ("frequency", 100, 0.2),
                ("rgb", 1000, 0.4),
                ("frequency", 1000, 0.3),
            )
        ]
    )
    assert leads.best_spaces(found)["space"].tolist() == ["frequency", "rgb"]


# --- what was found ---------------------------------------------------------------


@pytest.fixture(scope="module")
def table():
    return estimation.results()


@pytest.fixture(scope="module")
def compared():
    return comparison.results()


@pytest.fixture(scope="module")
def gain(table, compared):
    """Mean gain over raw images, by space, training images, test, kind and views."""
    trained = table[table["kind"] != "gap"]
    found = leads.lead(trained, leads.raw_scores(compared)).reset_index()
    found = found[estimation.is_main(found)]
    keys = ["space", "n_train", "column", "kind", "n_real"]
    return found.groupby(keys)["mean"].mean()


# Each tolerance is about half of what was measured.


def test_away_from_home_every_kind_of_artifact_gains(gain):
    away = gain.xs("transfer", level="column").groupby(["n_train", "kind"]).mean()
    assert (away > 0.03).all()


def test_with_few_images_coverage_lifts_pixel_artifacts_above_raw_images(gain):
    rgb = gain.loc["rgb", 5, "closed"]
    assert rgb["nearest", 100] < -0.06 and rgb["nearest", 50_000] > 0.05
    assert rgb["affine", 100] < 0.03 and rgb["affine", 1000] > 0.08


def test_with_many_images_at_home_no_kind_gains(gain):
    home = gain.xs((100, "closed"), level=["n_train", "column"])
    assert (home.groupby("kind").mean() < 0.01).all()


def test_at_home_artifacts_never_beat_every_earlier_method_at_any_coverage(
    table, compared
):
    trained = table[table["kind"] != "gap"]
    best = leads.best_earlier_scores(compared)["score"]
    found = leads.lead(trained, best).reset_index()
    first = leads.first_leads(found[estimation.is_main(found)])["n_real"].sort_index()
    assert first.xs("closed", level="column").isna().all()
    assert first.loc["astronaut", 100, "transfer"].notna().all()
    assert first.xs("transfer", level="column").notna().sum() < 8  # of 24
