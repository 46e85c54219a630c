"""The main findings: their unit, and that they follow from the stored results."""

import numpy as np
import pandas as pd
import pytest

from manifpt_utils.study import tables
from manifpt_utils.study.main_findings import main_findings
from manifpt_utils.study.settings import PHOTOS, PLAYS, shared


@pytest.fixture(scope="module")
def found():
    return main_findings()


def test_every_finding_is_a_difference_of_shares_with_an_interval(found):
    assert len(found) == 11
    for name, finding in found.items():
        low, mean, high = (finding.difference[i] for i in (1, 0, 2))
        assert name == finding.name and -1 < low < mean < high < 1


def test_the_unit_is_the_photograph_the_repetition_or_the_model(found):
    units = {name: (f.difference.n, f.unit) for name, f in found.items()}
    assert units.pop("origin") == (3, "model")
    assert {units.pop(name) for name in ("fine", "coarse")} == {(6, "repetition")}
    assert set(units.values()) == {(4, "photograph")}


def test_a_gain_is_the_mean_over_spaces_of_artifact_minus_raw(found):
    summary = tables.stored()
    by_hand = []
    for photo in PHOTOS:
        part = summary.xs((*shared(photo), "transfer", 100), level=[0, 1, 2, 6, 7])
        own = part.xs("ours", level="method")["mean"]
        nearest, raw = (own.xs(kind, level="kind") for kind in ("nearest", "raw"))
        by_hand.append((nearest - raw).mean())
    assert found["away"].difference.mean == pytest.approx(np.mean(by_hand))


def test_the_sides_are_chosen_on_other_photographs_with_the_papers_own_estimator(found):
    summary = tables.stored()
    scores = {
        setting: summary.xs((*setting, "closed", 100), level=[0, 1, 2, 6, 7])["mean"]
        for setting in PLAYS.values()
    }
    by_hand = []
    for setting, here in scores.items():
        others = pd.DataFrame({s: x for s, x in scores.items() if s != setting})
        means = others.mean(axis=1, skipna=False).dropna()
        best = {kind: part.idxmax() for kind, part in means.groupby("kind")}
        by_hand.append(here[best["nearest"]] - here[best["earlier"]])
    assert found["best earlier"].difference.mean == pytest.approx(np.mean(by_hand))
