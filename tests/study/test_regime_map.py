"""The map: closed forms of who leads where."""

import numpy as np
import pandas as pd
import pytest

from manifpt_utils.study import regime_map as maps
from manifpt_utils.study.regime import DIMENSIONS, KINDS, RATIOS

CELL = {"task": "fine", "n_train": 5, "column": "home", "m": 3, "ratio": 0.3}


def table(**means):
    """Rows of one cell, in which kinds differ by the same in every repetition."""
    means = dict.fromkeys(KINDS, 0.2) | means
    wobble = {("coffee", 1): 0.01, ("coffee", 2): 0.0, ("flower", 1): 0.02}
    rows = [
        CELL
        | {"kind": kind, "photo": photo, "seed": seed, "score": mean + share * mean}
        for kind, mean in means.items()
        for (photo, seed), share in wobble.items()
    ]
    return pd.DataFrame(rows).assign(classifier="linear")


@pytest.mark.parametrize(
    ("means", "verdict"),
    [
        ({"hull": 0.6, "exact": 0.9}, maps.CLOSEST),
        ({"nearest": 0.6, "exact": 0.3}, maps.CLOSEST),
        ({"exact": 0.9}, maps.ORACLE),
        ({"exact": 0.9, "raw": 0.95, "hull": 0.6}, maps.NOTHING),
        ({"denoiser": 0.9}, maps.NOTHING),
        ({}, maps.NOTHING),
    ],
)
def test_a_cell_says_who_leads(means, verdict):
    found = maps.verdicts(table(**means))
    assert found["verdict"].tolist() == [verdict]


def test_the_rival_is_the_better_one_of_image_and_high_pass():
    found = maps.leads(table(raw=0.4, highpass=0.5, hull=0.7), ["hull"])
    assert found["rival"].item() == "highpass"
    assert found["lead"].item().mean == pytest.approx(0.2 * 1.01)


def test_the_mean_lead_takes_the_better_rival_of_each_cell_and_all_cells_alike():
    here = table(raw=0.4, highpass=0.5, nearest=0.7)
    there = table(raw=0.6, highpass=0.1, nearest=0.2).assign(ratio=1.0)
    found = maps.mean_lead(pd.concat([here, there]), "nearest")
    assert found.mean == pytest.approx((0.2 - 0.4) / 2 * 1.01) and found.n == 3


def test_with_equal_rivals_and_kinds_nothing_is_gained():
    assert maps.mean_lead(table(), "hull").mean == pytest.approx(0, abs=1e-12)


def test_intervals_of_several_kinds_are_wider_than_that_of_one():
    rows = table(hull=0.7)
    one = maps.leads(rows, ["hull"])["lead"].item()
    several = maps.leads(rows, maps.ESTIMATES).set_index("kind")["lead"]["hull"]
    assert several.mean == one.mean and several.low < one.low


def test_the_best_kind_of_a_cell_is_kept():
    found = maps.best(maps.leads(table(hull=0.7, tangent=0.8), maps.ESTIMATES))
    assert found["kind"].tolist() == ["tangent"]


def test_a_map_shows_what_is_decided_and_nothing_else():
    shown = maps.decided(maps.verdicts(table(hull=0.7)))
    assert shown.loc["m = 3", "0.3"] == pytest.approx(0.5 * 1.01)
    noisy = table(hull=0.7)
    rows = noisy["kind"] == "hull"
    noisy.loc[rows, "score"] = [0.9, 0.1, 0.3]
    assert np.isnan(maps.decided(maps.verdicts(noisy)).loc["m = 3", "0.3"])


@pytest.mark.parametrize("m", DIMENSIONS)
@pytest.mark.parametrize("ratio", RATIOS)
def test_a_cell_of_the_map_lies_in_itself(m, ratio):
    assert maps.nearest_cell(ratio, m) == (m, ratio)


def test_what_lies_outside_is_put_at_the_border():
    assert maps.nearest_cell(100, 1000) == (max(DIMENSIONS), max(RATIOS))
    assert maps.nearest_cell(0.0, 0.5) == (min(DIMENSIONS), min(RATIOS))


def test_accuracies_are_means_over_photographs_and_seeds():
    found = maps.accuracies(table(hull=0.6)).set_index("kind")["accuracy"]
    assert found["hull"].mean == pytest.approx(0.6 * 1.01) and found["hull"].n == 3


@pytest.mark.parametrize(
    ("means", "word"),
    [({"hull": 0.7}, "hull"), ({"exact": 0.7}, maps.ORACLE), ({}, maps.NOTHING)],
)
def test_a_map_in_words_names_the_best_estimate(means, word):
    shown = maps.in_words(maps.verdicts(table(**means)))
    assert shown.loc["m = 3", "0.3"] == word


def test_tallies_count_both_sides():
    found = maps.leads(table(hull=0.7, nearest=0.1), ["hull", "nearest", "tangent"])
    sides = maps.tallies(found)["fine, home"]
    assert sides.to_dict() == {"hull": "1 / 0", "nearest": "0 / 1", "tangent": "0 / 0"}


def test_both_classifiers_are_shown_with_what_both_were_given():
    rows = table(hull=0.7)
    few = rows[rows["kind"].isin(["raw", "hull"])].assign(classifier="network")
    found = maps.two_classifiers(pd.concat([rows, few]), (3, 0.3), n_train=5)
    assert found.groupby("classifier")["kind"].agg(set).to_dict() == dict.fromkeys(
        ("linear", "network"), {"raw", "hull"}
    )
