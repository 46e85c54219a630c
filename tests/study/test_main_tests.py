"""The main tests on groups of models: which models those are, what is compared."""

import pandas as pd
import pytest
from turns import rotating_seed

from manifpt_utils.images.catalogue import records
from manifpt_utils.images.loading import load
from manifpt_utils.metrics import mean_interval
from manifpt_utils.study import main_tests as module
from manifpt_utils.study.comparison import COMPARISON, columns, planned
from manifpt_utils.study.ladder_tables import PANELS
from manifpt_utils.study.main_tests import GOOD, SHARED
from manifpt_utils.study.settings import (
    BETWEEN_PIXELS,
    GOOD_MODELS,
    OTHER,
    PHOTOS,
    PRECISE,
    SATURATION,
    good,
    good_on_both,
)
from manifpt_utils.zoo.quality import COMPARED, quality

KINDS = ("nearest", "raw")


@pytest.mark.parametrize("photo", PHOTOS)
def test_good_models_are_those_of_the_stored_precision(photo):
    precision = records(photo).xs(0, level="seed")["precision"].astype(float)
    assert set(GOOD_MODELS[photo]) == set(precision.index[precision >= PRECISE])
    assert len(set(GOOD_MODELS[photo])) == len(GOOD_MODELS[photo])


def test_the_precision_of_a_stored_model_is_measured_again():
    """Another one with every commit; up to 2 of 200 samples on other processors."""
    known = pd.concat({p: records(p).xs(0, level="seed") for p in PHOTOS})
    (photo, model), row = next(known.sample(1, random_state=rotating_seed()).iterrows())
    images = load(f"gm-photo/{photo}", models=[model], n_real=1).images[model]
    found = quality(photo, images[:COMPARED])
    assert found["precision"] == pytest.approx(row["precision"], abs=0.01), model


@pytest.mark.parametrize("photo", PHOTOS)
def test_models_that_move_are_good_on_both_sides(photo):
    here, there = good_on_both(photo), good_on_both(OTHER[photo])
    assert set(here.names) == set(there.names) <= set(good(photo).names)
    assert len(here.names) > 1
    (fit,) = planned([here], BETWEEN_PIXELS[:1], [1])[:1]
    assert [column.name for column in columns(fit)] == ["closed", "transfer"]
    (fit,) = planned([good(photo)], BETWEEN_PIXELS[:1], [1])[:1]
    moves = [column.name for column in columns(fit)][1:]
    assert moves == ([] if good(photo) != here else ["transfer"])
    assert (good(photo) == here) == (set(GOOD_MODELS[photo]) == set(here.names))


def test_every_kind_has_all_seeds_with_few_and_with_many_images():
    fits = [fit for fit in planned() if fit.setting == good("coffee")]
    assert {fit.method for fit in fits} == {*BETWEEN_PIXELS, SATURATION}
    assert {(fit.task, fit.n_train) for fit in fits} == {("closed", 5), ("closed", 100)}
    assert {fit.seed for fit in fits} == set(module.ON_GOOD)
    assert len(fits) == (len(BETWEEN_PIXELS) + 1) * 2 * len(module.ON_GOOD)


def test_a_changed_sign_is_named_with_both_signs():
    ahead, level = mean_interval([0.1, 0.11, 0.09]), mean_interval([0.1, -0.1, 0.0])
    rows = {("nearest − raw", SHARED): [ahead] * 4}
    rows[("nearest − raw", GOOD)] = [ahead, level, ahead, ahead]
    table = pd.DataFrame.from_dict(rows, orient="index", columns=PANELS)
    table.index = pd.MultiIndex.from_tuples(table.index, names=["contrast", "models"])
    assert module.changed(table).to_dict() == {("nearest − raw", PANELS[1]): (1, 0)}


def test_both_groups_fill_the_table_of_the_stored_results():
    table = module.contrasts(COMPARISON.results())
    assert len(table) == len(module.CONTRASTS) * 2 and list(table) == PANELS
    assert all(lead.n == len(PHOTOS) for lead in table.to_numpy().ravel())
    assert len(module.changed(table)) < table.size // 2


def test_the_two_networks_are_compared_on_the_same_tests():
    table = module.networks_compared(COMPARISON.results())
    assert len(table) == 7 and list(table) == module.AT_HOME
    for space in ("supervised", "imagenet"):
        near, raw = (table.loc[f"{space} {kind}", PANELS[0]] for kind in KINDS)
        gain = table.loc[f"{space}: nearest − raw", PANELS[0]]
        assert gain.mean == pytest.approx(near.mean - raw.mean)


def test_a_few_numbers_are_tried_on_both_groups():
    table = module.by_saturation(COMPARISON.results())
    assert list(table.index) == [SHARED, GOOD] and list(table) == PANELS
    assert all(share.n == len(PHOTOS) for share in table.to_numpy().ravel())
    leads = module.over_saturation(COMPARISON.results())
    raw = module.scores_of(COMPARISON.results(), GOOD).loc["rgb raw", PANELS[0]].mean()
    gap = raw - table.loc[GOOD, PANELS[0]].mean
    assert leads.loc["rgb raw", PANELS[0]].mean == pytest.approx(gap)


def test_contrasts_on_good_models_are_corrected_for_all_of_them():
    results = COMPARISON.results()
    p_values = module.corrected_on_good(results)
    assert len(p_values) == len(module.CONTRASTS) * len(PANELS)
    leads = module.contrasts(results).xs(GOOD, level="models")
    # What is sure after the correction has an interval on one side of zero.
    for kind, rival, panel in p_values.index[p_values < 0.05]:
        row = f"{kind.removeprefix('rgb ')} − {rival.removeprefix('rgb ')}"
        assert leads.loc[row, panel].sign


def test_versions_of_wang_differ_in_one_thing_per_pair():
    accuracies, differences, p_values = module.parts_of_wang(COMPARISON.results())
    assert len(accuracies) == 4 and list(accuracies) == list(differences) == PANELS
    for (kind, rival), (_, row) in zip(
        module.WANG_PAIRS, differences.iterrows(), strict=True
    ):
        for panel in PANELS:
            gap = accuracies.loc[kind, panel].mean - accuracies.loc[rival, panel].mean
            assert row[panel].mean == pytest.approx(gap)
            assert 1 < row[panel].n == accuracies.loc[kind, panel].n <= len(PHOTOS)
    assert len(p_values) == differences.size
