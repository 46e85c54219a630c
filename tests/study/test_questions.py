"""Questions to the comparison: units of intervals, and like against like."""

import numpy as np
import pandas as pd
import pytest

from manifpt_utils.metrics import paired_difference
from manifpt_utils.study import questions as q
from manifpt_utils.study import tables
from manifpt_utils.study.comparison import COMPARISON
from manifpt_utils.study.settings import METHODS, Method, ours, shared

COFFEE, FLOWER = (q.Test(shared(photo)) for photo in ("coffee", "flower"))
YU, WANG = (Method(name, "", "earlier") for name in ("Yu19", "Wang20"))
RAW, NEAREST, HULL = (ours("rgb", kind) for kind in ("raw", "nearest", "hull"))


def rows(test, method, scores, **other):
    key = dict(zip(COMPARISON.keys, (*test.setting, *method), strict=False))
    key |= {"column": test.column, "model": "", "start": 0, "n_train": test.n_train}
    found = enumerate(scores, start=1)
    return [key | other | {"seed": seed, "score": s} for seed, s in found]


def results_of(*parts):
    return COMPARISON.merge(COMPARISON.empty(), sum(parts, []))


@pytest.fixture(scope="module")
def stored():
    return COMPARISON.results()


def test_scores_are_by_seed_and_average_the_trainings_of_one_model():
    unseen = q.Test(shared("coffee"), "unseen")
    results = results_of(
        rows(unseen, YU, (0.2, 0.4), model="dcgan", start=1),
        rows(unseen, YU, (0.6, 0.8), model="dcgan", start=2),
        rows(COFFEE, YU, (0.9,)),
    )
    found = q.seed_scores(results, unseen, methods=[YU, WANG])
    assert found.loc[YU].tolist() == pytest.approx([0.4, 0.6])
    assert found.loc[WANG].isna().all()
    with pytest.raises(
        ValueError, match="not test flower 'closed' with 100.*QUESTIONS"
    ):
        q.seed_scores(results, FLOWER)


def test_chance_counts_real_images_where_they_are_a_class():
    few = q.Test(shared("coffee"), "closed", 5)
    assert few.chance == q.Test(shared("coffee"), "transfer").chance == 1 / 6
    assert q.Test(shared("coffee"), "with real").chance == 1 / 7


def test_the_unit_of_an_interval_is_the_seed_and_of_a_mean_the_test():
    results = results_of(
        rows(COFFEE, YU, (0.4, 0.6)),
        rows(FLOWER, YU, (0.7, 0.9)),
        rows(COFFEE, WANG, (0.1, 0.1)),
        rows(FLOWER, WANG, (0.1, 0.1)),
    )
    tests = {"coffee": COFFEE, "flower": FLOWER}
    table, ties = q.score_table(results, tests, methods=[WANG, YU])
    assert list(table.index) == ["Yu19", "Wang20"], "the best in the mean first"
    assert table.loc["Yu19", "coffee"].n == 2
    assert table.loc["Yu19", "mean"].mean == pytest.approx(0.65)
    assert table.loc["Yu19", "mean"].sd == pytest.approx(0.3 / 2**0.5)
    # Two seeds with 4.0 and 5.0 apart do not tell the two methods apart.
    assert ties["coffee"] == ["Yu19", "Wang20"]
    means = q.mean_intervals(results, {"home": tests}, methods=[WANG, YU])
    assert means["test"].tolist() == ["home"] * 2
    assert means["kind"].unique().tolist() == ["earlier"]
    assert means["score"][1] == table.loc["Yu19", "mean"]


def test_one_test_alone_has_no_mean_column():
    table, _ = q.score_table(results_of(rows(COFFEE, YU, (0.5,))), {"coffee": COFFEE})
    assert list(table) == ["coffee"] and len(table) == len(METHODS)


def test_a_gain_and_a_lead_of_what_is_chosen_on_other_tests():
    means = pd.DataFrame(
        {"a": [0.5, 0.6, 0.9, 0.7, 0.8], "b": [0.5, 0.4, 0.3, 0.9, 0.2]},
        pd.MultiIndex.from_tuples([RAW, NEAREST, HULL, YU, WANG], names=tables.METHOD),
    )
    assert q.mean_gain(means).mean == pytest.approx(0)
    assert q.mean_gain(means, "hull", space="rgb").mean == pytest.approx(0.1)
    # On each of two tests what is best on the other one: Yu19 on a, Wang20 on b.
    four = q.leads_of_chosen(means, ["nearest"], ["earlier"])
    eight = q.leads_of_chosen(means, ["nearest", "hull"], ["earlier"])
    assert four.tolist() == pytest.approx([0.6 - 0.7, 0.4 - 0.2])
    assert eight.tolist() == pytest.approx([0.6 - 0.7, 0.3 - 0.2])
    found = q.lead_of_chosen(means, ["nearest"], ["earlier"])
    assert found == paired_difference([0.6, 0.4], [0.7, 0.2])
    alone = q.lead_of_chosen(means[["a"]], ["nearest"], ["earlier"])
    assert alone.n == 0, "nothing to choose on"


def test_published_sizes_are_compared_on_the_seeds_of_both():
    small = Method("Durall20", "", "earlier")
    published = small._replace(kind="published")
    results = results_of(
        rows(COFFEE, small, (0.4, 0.6, 0.8)), rows(COFFEE, published, (0.5,))
    )
    table, changes = q.published_sizes(results, {"home": COFFEE})
    assert table.loc["Durall20", "home"].n == 3
    assert table.loc["Durall20", "home, published"].mean == 0.5
    assert changes.loc["Durall20", "home"] == pytest.approx(0.1)
    assert changes["home"].isna().sum() == len(q.PUBLISHED) - 1


def test_curves_have_the_best_earlier_method_of_each_number():
    few = q.Test(shared("coffee"), n_train=5)
    results = results_of(
        rows(few, YU, (0.4,)),
        rows(few, WANG, (0.3,)),
        rows(few, RAW, (0.2,)),
        rows(COFFEE, YU, (0.6,)),
        rows(COFFEE, WANG, (0.7,)),
        rows(COFFEE, RAW, (0.5,)),
    )
    found = q.learning_curves(results, counts=(5, 100))
    rgb = found[found["space"] == "rgb"].set_index(["kind", "images"])["score"]
    means = rgb.map(lambda score: score.mean)
    assert means["earlier"].tolist() == [0.4, 0.7] and means["raw"].tolist() == [
        0.2,
        0.5,
    ]


def test_every_question_is_in_the_stored_results(stored):
    for tests in q.QUESTIONS.values():
        means = q.mean_scores(stored, tests)
        assert len(means) == len(METHODS) and means.notna().any(axis=1).sum() >= 15
    assert [len(tests) for tests in q.QUESTIONS.values()] == [4] * 6 + [1, 3]


def test_filters_are_compared_on_the_seeds_of_both(stored):
    name, tests = "away", q.QUESTIONS["away"]
    found = q.contrasts(stored, [name]).set_index("contrast")["difference"]
    leads = []
    for test in tests.values():
        by_seed = q.seed_scores(stored, test).loc["ours"]
        spaces = by_seed.xs("highpass", level="kind").index
        lead = by_seed.xs("nearest", level="kind") - by_seed.xs(
            "highpass", level="kind"
        )
        assert len(spaces) == 2 and lead.loc[spaces].notna().sum(axis=1).eq(3).all()
        leads.append(lead.loc[spaces].mean(axis=1).mean())
    assert found["nearest − highpass"].mean == pytest.approx(np.mean(leads))


def test_contrasts_are_those_of_their_question(stored):
    found = q.contrasts(stored, ["away"]).set_index("contrast")["difference"]
    means = q.mean_scores(stored, q.QUESTIONS["away"])
    assert found["nearest − raw"] == q.mean_gain(means)
    lead = q.lead_of_chosen(means, ["nearest", "hull"], ["earlier"])
    assert found["both − earlier"] == lead


def test_new_trainings_and_separability_have_all_methods(stored):
    shares = q.new_trainings(stored)
    assert shares.shape == (len(METHODS), 6) and not shares.isna().any(axis=None)
    unseen = q.mean_scores(stored, q.QUESTIONS["new training"])["coffee"]
    np.testing.assert_allclose(shares.mean(axis=1), unseen)
    ratios = q.separability(tables.stored())
    assert len(ratios) == 4 * len(METHODS) and (ratios["null"] < 1).all()
