"""Leads over a rival: their definition, and what the stored grids show."""

import numpy as np
import pandas as pd
import pytest
from scipy.stats import ttest_1samp

from manifpt_utils.metrics import mean_interval
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
    assert found["mean"] == pytest.approx(0.1) and found["high"] - found["low"] < 1e-9
    assert found["p"] < 1e-9 and found["seeds"] == 3
    level = leads.lead(table, rival(0.9, 0.7, 0.5)).reset_index().iloc[0]
    assert level["mean"] == pytest.approx(0) and level["low"] < 0 < level["high"]
    assert level["p"] == pytest.approx(1)


def test_the_p_value_of_a_lead_is_that_of_the_t_test():
    table = pd.DataFrame(rows("nearest", 100, [0.5, 0.7, 0.6]))
    found = leads.lead(table, rival(0.5, 0.5, 0.5)).iloc[0]
    assert found["p"] == pytest.approx(ttest_1samp([0, 0.2, 0.1], 0).pvalue)


def test_a_lead_over_one_seed_has_no_p_value():
    table = pd.DataFrame(rows("nearest", 100, [0.9]))
    found = leads.lead(table, rival(0.1)).iloc[0]
    assert found["mean"] == pytest.approx(0.8) and np.isnan(found["p"])


def test_readers_see_places_and_what_was_searched_in_rgb():
    exact = rows("exact", 0, [0.9, 0.9])
    other = {"space": "frequency", "search": "rgb"}
    exact += rows("exact", 0, [0.7, 0.7], **other | {"search": "euclidean"})
    exact += rows("exact_rgb", 0, [0.5, 0.5], **other)
    table = pd.DataFrame(exact)
    found = leads.readable(leads.lead(table, rival(0.1, 0.1)).reset_index())
    means = found.set_index(["space", "kind"])["mean"]
    assert leads.SEARCHED == "searched in RGB"
    assert means["frequency"].round(6).to_dict() == {"exact": 0.6, leads.SEARCHED: 0.4}
    # In RGB the two are one.
    assert means["rgb"].round(6).to_dict() == {"exact": 0.8, leads.SEARCHED: 0.8}
    assert set(found["place"]) == {"home"}


def test_two_kinds_are_compared_on_each_photograph_in_the_spaces_of_both():
    cells = [("coffee", "rgb", 0.1), ("china", "rgb", 0.5), ("coffee", "frequency", 1)]
    first = pd.DataFrame(cells, columns=["photo", "space", "mean"])
    second = pd.concat([first, first]).assign(mean=[0, 0.2, 9, 0.2, 0.4, 9])
    found = leads.apart(first, second[second["space"] == "rgb"])
    assert list(found.index) == ["rgb"] and found["rgb"].n == 2
    assert found["rgb"].mean == pytest.approx((0.0 + 0.2) / 2)


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


def test_the_earlier_method_is_the_best_on_other_photographs_and_gives_its_own_seeds():
    base = {"models": "shared", "column": "closed", "n_train": 5}
    scores = {
        ("coffee", "Yu19"): (0.9, 0.1),
        ("coffee", "Durall20"): (0.4, 0.5),
        ("flower", "Yu19"): (0.2, 0.3),
        ("flower", "Durall20"): (0.6, 0.6),
    }
    lines = [
        base
        | {"photo": p, "method": m, "space": "", "kind": "earlier", "score": value}
        | {"seed": seed}
        for (p, m), values in scores.items()
        for seed, value in enumerate(values, start=1)
    ]
    raw = base | {"method": "ours", "space": "rgb", "kind": "raw", "score": 1.0}
    lines.append(raw | {"photo": "coffee", "seed": 1})
    chosen = leads.chosen_earlier_scores(pd.DataFrame(lines))
    # Each photograph has the one that leads on the other, though it is worse here.
    assert chosen.loc["coffee"]["method"].tolist() == ["Durall20"] * 2
    assert chosen.loc["coffee"]["score"].tolist() == [0.4, 0.5]
    assert chosen.loc["flower"]["score"].tolist() == [0.2, 0.3]
    assert leads.raw_scores(pd.DataFrame(lines)).loc["rgb", "coffee", "closed", 5, 1]


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


def test_the_first_lead_is_the_one_after_which_all_are_sure_and_above_zero():
    cells = [("hull", 100, 0.01, 0.1), ("hull", 1000, 0.01, 0.1)]
    cells += [("nearest", 100, 0.01, 0.1), ("nearest", 1000, 0.2, 0.1)]
    cells += [("x", 100, 0.01, -0.1), ("x", 1000, 0.01, -0.1)]
    found = pd.DataFrame(cells, columns=["kind", "n_real", "p_holm", "lead"])
    found["lead"] = [mean_interval([mean] * 2) for mean in found["lead"]]
    first = leads.first_leads(found.assign(place="home", n_train=5))["home", 5]
    assert first["hull"] == 100
    assert first[["nearest", "x"]].isna().all()


def test_the_space_is_chosen_on_the_other_photographs():
    cells = [
        ("coffee", "rgb", 0.9),
        ("coffee", "frequency", 0.1),
        ("flower", "rgb", 0.2),
        ("flower", "frequency", 0.4),
        ("china", "rgb", 0.2),
        ("china", "frequency", 0.3),
    ]
    found = pd.DataFrame(cells, columns=["photo", "space", "mean"])
    found = found.assign(n_train=5, place="home", kind="hull", n_real=100)
    chosen = leads.in_chosen_spaces(found).set_index("photo")["space"]
    assert chosen.to_dict() == {
        "coffee": "frequency",
        "flower": "rgb",
        "china": "rgb",
    }
    # A space that one photograph lacks is never chosen.
    less = found[(found["photo"] != "china") | (found["space"] != "rgb")]
    assert set(leads.in_chosen_spaces(less)["space"]) == {"frequency"}


def test_leads_over_photographs_are_corrected_for_all_of_them():
    values = {100: (0.1, 0.11, 0.09), 1000: (0.1, -0.1, 0.0)}
    found = pd.DataFrame(
        [
            {"photo": photo, "mean": mean, "n_real": n_real}
            for n_real, means in values.items()
            for photo, mean in zip(("coffee", "flower", "china"), means, strict=True)
        ]
    ).assign(n_train=5, place="home", kind="hull")
    tested = leads.over_all(found).set_index("n_real")
    expected = [ttest_1samp(means, 0).pvalue for means in values.values()]
    assert tested["p"].tolist() == pytest.approx(expected)
    assert tested["p_holm"].tolist() == pytest.approx([2 * expected[0], expected[1]])
    assert tested["lead"].map(lambda lead: lead.n).tolist() == [3, 3]


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
    earlier = leads.chosen_earlier_scores(compared)["score"]
    ahead = leads.lead(trained, earlier).reset_index()
    chosen = leads.in_chosen_spaces(leads.readable(ahead[is_main(ahead)]))
    tested = leads.over_all(chosen)
    assert len(chosen) == 4 * len(tested) and leads.first_leads(tested).isna().all()
