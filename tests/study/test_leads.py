"""Leads over a rival: their definition, and what the stored grids show."""

import pandas as pd
import pytest

from manifpt_utils.study import leads
from manifpt_utils.study.comparison import COMPARISON
from manifpt_utils.study.estimates import ESTIMATES, N_REAL, is_main

KEYS = {"photo": "coffee", "space": "rgb", "k": 1, "search": "euclidean"}
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
    assert found["significant"] and found["seeds"] == 3
    level = leads.lead(table, rival(0.9, 0.7, 0.5)).reset_index().iloc[0]
    assert level["mean"] == pytest.approx(0) and not level["significant"]


def test_a_lead_over_one_seed_is_not_significant():
    table = pd.DataFrame(rows("nearest", 100, [0.9]))
    assert not leads.lead(table, rival(0.1))["significant"].item()


def test_readers_see_places_and_what_was_searched_in_rgb():
    table = pd.DataFrame(rows("exact", 0, [0.9, 0.9], search="rgb"))
    found = leads.readable(leads.lead(table, rival(0.1, 0.1)).reset_index())
    assert found["kind"].tolist() == [leads.SEARCHED] == ["searched in RGB"]
    assert found["place"].tolist() == ["home"]


def test_the_unit_over_photographs_is_the_photograph():
    cells = [
        ("coffee", "rgb", 0.1),
        ("coffee", "frequency", 0.3),
        ("china", "rgb", 0.4),
    ]
    found = pd.DataFrame(
        [{"photo": p, "space": s, "kind": "hull", "mean": m} for p, s, m in cells]
    )
    (row,) = leads.over_photographs(found, ["kind"]).to_dict("records")
    assert row["kind"] == "hull" and row["lead"].n == 2
    assert row["lead"].mean == pytest.approx(0.3)  # of 0.2 and 0.4
    by_space = leads.over_photographs(found, ["kind", "space"])
    assert [row.n for row in by_space["lead"]] == [2, 1]


def test_regimes_come_home_first_and_repeat_what_needs_no_views():
    cells = [("away", 5, "hull", 100), ("home", 5, "hull", 100), ("home", 100, "x", 0)]
    found = pd.DataFrame(cells, columns=["place", "n_train", "kind", "n_real"])
    table = leads.by_regime(found.assign(photo="coffee", mean=0.1))
    panels = ["home, 5 images per model", "away, 5 images per model"]
    assert table["panel"].tolist()[:2] == panels
    flat = table[table["kind"] == "x"]
    assert flat["n_real"].tolist() == list(N_REAL)


def test_growth_is_from_the_fewest_real_views_to_the_most_on_each_photograph():
    cells = [("coffee", 0, 9.0), ("coffee", 100, 0.1), ("coffee", 1000, 0.3)]
    cells += [("china", 100, 0.5), ("china", 500, 9.0), ("china", 1000, 0.9)]
    found = pd.DataFrame([{"photo": p, "n_real": n, "mean": m} for p, n, m in cells])
    assert leads.growth(found).mean == pytest.approx(0.3)
    assert leads.growth(found).n == 2


def test_the_best_earlier_method_has_the_highest_mean_and_gives_its_own_seeds():
    base = {"photo": "coffee", "models": "shared", "column": "closed", "n_train": 5}
    scores = {("Yu19", "", "earlier"): (0.9, 0.1), ("ours", "rgb", "raw"): (1.0, 1.0)}
    scores["Durall20", "", "earlier"] = (0.6, 0.5)
    compared = pd.DataFrame(
        [
            {**base, "method": m, "space": space, "kind": kind}
            | {"seed": seed, "score": value}
            for (m, space, kind), values in scores.items()
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
            {**KEYS, "kind": "hull", "space": space, "n_real": n, "significant": real}
            for space, n, real in cells
        ]
        + [{**KEYS, "kind": "nearest", "n_real": 100, "significant": False}]
    )
    first = leads.first_leads(found).droplevel([0, 1, 2])
    assert first.loc["hull"].tolist() == [100, "frequency"]
    assert first.loc["nearest"].isna().all()


def test_the_best_space_is_chosen_for_every_number_of_views():
    found = pd.DataFrame(
        [
            {**KEYS, "kind": "hull", "space": space, "n_real": n, "mean": mean}
            for space, n, mean in (
                ("rgb", 100, 0.1),
                ("frequency", 100, 0.2),
                ("rgb", 1000, 0.4),
                ("frequency", 1000, 0.3),
            )
        ]
    )
    assert leads.best_spaces(found)["space"].tolist() == ["frequency", "rgb"]


def test_the_claims_of_the_book_about_coverage_hold_in_the_stored_results():
    """Signs only: how large each effect is, is computed where it is claimed."""
    table, compared = ESTIMATES.results(), COMPARISON.results()
    trained = table[table["n_train"] > 0]
    gain = leads.lead(trained, leads.raw_scores(compared)).reset_index()
    gain = gain[is_main(gain)]
    means = gain.groupby(["space", "n_train", "column", "kind", "n_real"])[
        "mean"
    ].mean()
    away = means.xs("transfer", level="column").groupby(["n_train", "kind"]).mean()
    assert (away > 0).all()
    few = means.loc["rgb", 5, "closed"]
    assert few["nearest", 100] < 0 < few["nearest", 50_000]
    home = means.xs((100, "closed"), level=["n_train", "column"])
    assert (home.groupby("kind").mean() < 0.01).all()
    earlier = leads.best_earlier_scores(compared)["score"]
    ahead = leads.lead(trained, earlier).reset_index()
    first = leads.first_leads(ahead[is_main(ahead)])["n_real"].sort_index()
    assert first.xs("closed", level="column").isna().all()
