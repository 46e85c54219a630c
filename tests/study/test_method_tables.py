"""Tables of the comparison: their definitions, and the claims that rest on them."""

import numpy as np
import pytest

from manifpt_utils.study import tables
from manifpt_utils.study.comparison import COMPARISON
from manifpt_utils.study.settings import METHODS, PLAYS, Method, origin, ours, shared

COFFEE = shared("coffee")


def rows(setting, method, column, scores, *, n_train=100, **other):
    key = dict(zip(COMPARISON.keys, (*setting, *method), strict=False))
    key |= {"column": column, "model": "", "start": 0, "n_train": n_train, **other}
    return [key | {"seed": seed, "score": s} for seed, s in enumerate(scores, start=1)]


def summary_of(*parts):
    found = COMPARISON.merge(COMPARISON.empty(), sum(parts, []))
    return tables.summary(found)


def test_the_summary_of_known_scores():
    yu = Method("Yu19", "", "earlier")
    found = summary_of(
        rows(COFFEE, yu, "closed", (0.4, 0.5, 0.6), n_train=5),
        rows(COFFEE, yu, "closed", (0.9,), n_train=25),
    ).loc[(*COFFEE, *yu, "closed")]
    expected = pytest.approx([0.5, 0.1, 3])
    assert found.loc[5, ["mean", "sd", "seeds"]].tolist() == expected
    # Student's t with two degrees of freedom: 4.303 standard errors.
    assert found.loc[5, "high"] == pytest.approx(0.5 + 4.3027 * 0.1 / 3**0.5, abs=1e-4)
    assert found.loc[25, "mean"] == 0.9 and np.isnan(found.loc[25, "sd"])


def test_further_trainings_are_averaged_seed_by_seed():
    yu = Method("Yu19", "", "earlier")
    found = summary_of(
        rows(COFFEE, yu, "unseen", (0.2, 0.4), model="dcgan", start=1),
        rows(COFFEE, yu, "unseen", (0.6, 0.8), model="glow", start=1),
    )
    (row,) = found.to_dict("records")
    assert row["mean"] == pytest.approx(0.5) and row["seeds"] == 2
    assert row["sd"] == pytest.approx(0.1 * 2**0.5)


def test_gains_and_the_best_of_a_kind():
    found = summary_of(
        rows(COFFEE, ours("rgb", "raw"), "closed", (0.5, 0.5)),
        rows(COFFEE, ours("rgb", "nearest"), "closed", (0.7, 0.8)),
        rows(COFFEE, Method("Yu19", "", "earlier"), "closed", (0.9, 0.9)),
    )
    means = tables.method_table(found, COFFEE, "closed")["mean"]
    assert len(means) == len(METHODS)
    assert tables.gains(means)["rgb"] == pytest.approx(0.25)
    assert tables.best(means, "earlier") == (Method("Yu19", "", "earlier"), 0.9)
    method, value = tables.best(means, "hull")
    assert method is None and np.isnan(value)


def test_counterparts_are_in_the_units_of_the_paper_with_both_estimates_of_ours():
    china = shared("china")
    scores = {Method("Wang20", "", "earlier"): 0.9}
    scores |= {ours("rgb", "nearest"): 0.5, ours("rgb", "hull"): 0.6}
    found = summary_of(
        *(
            rows(china, method, column, (score - 0.02, score + 0.02))
            for method, score in scores.items()
            for column in ("closed", "FDR")
        )
    )
    own = tables.counterparts(found).xs("GM-FFHQ", level="column")
    assert len(own) == 4
    accuracy, ratio = (own.loc[f"attribution_{t}"] for t in ("accuracy", "fdr"))
    assert accuracy.loc["rgb", ["mean", "hull"]].tolist() == pytest.approx([50, 60])
    assert accuracy.loc["Wang20", "mean"] == pytest.approx(90)
    assert accuracy["hull"].isna().tolist() == [True, False]
    assert (accuracy["low"] < accuracy["mean"]).all()
    assert ratio.loc["rgb", ["mean", "hull"]].tolist() == pytest.approx([0.5, 0.6])
    assert not accuracy["reason"].any() and ratio["reason"].eq(tables.NO_RATIO).all()


def test_the_claims_of_the_book_hold_in_the_stored_results():
    """Signs only: how large each effect is, is computed where it is claimed."""
    found = tables.stored()

    def mean_gain(setting, column, *, n_train=100, kind="nearest"):
        part = tables.method_table(found, setting, column, n_train=n_train)
        return tables.gains(part["mean"], kind)

    assert mean_gain(COFFEE, "closed", n_train=5)["rgb"] > 0
    assert mean_gain(COFFEE, "closed").mean() < 0
    assert all(mean_gain(setting, "closed").mean() < 0 for setting in PLAYS.values())
    for photo in ("coffee", "flower", "astronaut", "china"):
        assert mean_gain(shared(photo), "transfer").mean() > 0
    for model in ("stylegan3", "nvae", "ldm"):
        assert mean_gain(origin(model), "closed").mean() < 0
