"""Tables of scores: gains over the raw image, with intervals over the repetitions."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from manifpt_utils.method.evaluation import HELD_OUT
from manifpt_utils.method.representations import Representation
from manifpt_utils.method.scores import (
    accuracies,
    best,
    gain,
    gain_table,
    mean_gain,
    panels,
    space_table,
)

ROWS = {("rgb", "raw"): [0.5, 0.6, 0.7], ("rgb", "nearest"): [0.6, 0.7, 0.8]}
ROWS |= {("frequency", "raw"): [0.9, 0.8, 0.7], ("frequency", "nearest"): [0.6] * 3}


def evaluation(shares, name=HELD_OUT):
    """Ten images per seed, the last of another class, of which a share is right."""
    parts = []
    for seed, share in enumerate(shares):
        n = round(10 * share)
        part = {"set": name, "seed": seed, "true": ["a"] * 9 + ["b"]}
        part["predicted"] = ["a"] * n + ["c"] * (10 - n)
        parts.append(pd.DataFrame(part))
    return SimpleNamespace(predictions=pd.concat(parts))


@pytest.fixture
def scores():
    rows = {Representation(*key): evaluation(row) for key, row in ROWS.items()}
    return accuracies(rows)


def test_scores_are_the_accuracies_of_the_asked_test(scores):
    assert list(scores.index) == list(ROWS)
    np.testing.assert_allclose(scores, list(ROWS.values()))
    elsewhere = {Representation("rgb", "raw"): evaluation([0.3], "new")}
    assert accuracies(elsewhere, unseen="new").to_numpy() == pytest.approx(0.3)


def test_scores_of_one_class_are_its_recall():
    found = {Representation("rgb", "raw"): evaluation([0.3, 0.6])}
    assert accuracies(found, classes=["b"]).to_numpy().tolist() == [[0, 0]]
    recall = accuracies(found, classes=["a"]).to_numpy()
    np.testing.assert_allclose(recall, [[3 / 9, 6 / 9]])


def test_spaces_and_kinds_keep_their_order(scores):
    table = space_table(scores)
    assert list(table.index) == ["rgb", "frequency"]
    assert list(table) == ["raw", "nearest"]
    assert list(gain_table(scores)) == ["nearest − raw"]


def test_a_gain_is_taken_within_each_repetition(scores):
    assert gain(scores).loc["rgb"].tolist() == pytest.approx([0.1] * 3)
    # The spread that both share is no spread of their difference.
    assert gain_table(scores).loc["rgb", "nearest − raw"].sd == pytest.approx(0)
    assert space_table(scores).loc["rgb", "raw"].sd == pytest.approx(0.1)


def test_a_gain_over_another_control_is_taken_where_both_are(scores):
    filtered = scores.loc[[("rgb", "nearest")]] - 0.02
    filtered.index = filtered.index.set_levels(["highpass"], level="kind")
    both = pd.concat([scores, filtered])
    table = gain_table(both)
    assert table.loc["rgb", "nearest − highpass"].mean == pytest.approx(0.02)
    assert np.isnan(table.loc["frequency", "nearest − highpass"].mean)
    assert mean_gain(both, over="highpass").mean == pytest.approx(0.02)


def test_a_constant_added_to_all_scores_leaves_every_gain_alone(scores):
    before, after = mean_gain(scores), mean_gain(scores + 0.05)
    assert after == pytest.approx(before)
    assert before.mean == pytest.approx((0.1 - 0.2) / 2)
    assert before.n == 3


def test_a_gain_without_its_control_is_refused(scores):
    with pytest.raises(ValueError, match="only those of \\['nearest'\\]"):
        gain(scores.xs("nearest", level="kind", drop_level=False))


def test_kinds_without_scores_are_no_columns(scores):
    raw = scores.xs("raw", level="kind", drop_level=False)
    assert list(space_table(raw)) == ["raw"]


def test_a_space_may_lack_a_kind(scores):
    table = gain_table(scores.drop(("frequency", "nearest")))
    assert table.loc["rgb", "nearest − raw"].mean == pytest.approx(0.1)
    assert np.isnan(table.loc["frequency", "nearest − raw"].mean)


def test_one_repetition_has_a_mean_and_no_interval(scores):
    table = space_table(scores.iloc[:, :1])
    assert table.loc["rgb", "raw"].mean == 0.5
    assert np.isnan(table.loc["rgb", "raw"].low)


def test_panels_hold_every_score_once(scores):
    long = panels({"home": scores, "away": scores / 2})
    assert list(long["test"].unique()) == ["home", "away"]
    assert len(long) == 2 * len(scores)
    row = long[(long["test"] == "away") & (long["representation"] == "rgb nearest")]
    assert row["score"].iloc[0].mean == pytest.approx(0.35)
    assert (row["space"] + row["kind"]).tolist() == ["rgbnearest"]


def test_the_rows_of_a_space_stand_together_in_every_panel(scores):
    late = scores.iloc[:1].rename(index={scores.index[0][1]: "exact"})
    spaces = panels({"home": pd.concat([scores, late])})["space"]
    assert (spaces != spaces.shift()).sum() == spaces.nunique()


def test_the_best_comes_first_and_only_its_equals_follow(scores):
    found = best(scores.iloc[:2])
    assert str(found[0]) == "rgb nearest" and len(found) == 1
