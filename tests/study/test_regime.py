"""The study of the regime: what it holds, that it is found again, and its map."""

import numpy as np
import pytest
from turns import rotating_seed

from manifpt_utils.images.traces import COARSE, FINE
from manifpt_utils.method import representations
from manifpt_utils.method.processes import one_thread
from manifpt_utils.study import regime as module
from manifpt_utils.study import regime_map as maps
from manifpt_utils.study import regime_training as trainings
from manifpt_utils.study.regime import FACTS, REGIME, Training


def test_kinds_are_those_of_representations():
    assert set(module.KINDS) <= set(representations.KINDS)
    assert {*maps.RIVALS, *maps.ESTIMATES} < set(module.KINDS)


def test_no_training_is_planned_twice_and_batches_are_not_torn_apart():
    planned = module.planned()
    assert len(set(planned)) == len(planned)
    batches = [REGIME.batch(training) for training in planned]
    changes = sum(a != b for a, b in zip(batches, batches[1:], strict=False))
    assert changes + 1 == len(set(batches))


def test_every_cell_of_the_map_has_every_kind_in_both_tasks():
    shown = {t[1:7] for t in module.planned() if t.classifier == "linear"}
    for m in module.DIMENSIONS:
        for ratio in module.RATIOS:
            for task in module.TASKS:
                for kind in module.KINDS:
                    assert (m, ratio, task, kind, "linear") in {s[:5] for s in shown}


@pytest.mark.parametrize("options", [{"dimensions": [4]}, {"ratios": [0.2]}])
def test_an_unknown_cell_is_refused(options):
    with pytest.raises(ValueError, match="unknown"):
        module.planned(**options)


@pytest.fixture
def few_images(monkeypatch):
    """A cell with few images per class, computed as the study does."""
    for name, value in {"N_TEST": 4, "N_REAL": 60, "N_HELD_OUT": 40}.items():
        monkeypatch.setattr(trainings, name, value)
    monkeypatch.setattr(trainings, "N_TRAIN", (2, 4))
    caches = [
        value for value in vars(trainings).values() if hasattr(value, "cache_clear")
    ]
    for cache in caches:
        cache.cache_clear()
    with one_thread():
        yield
    for cache in caches:
        cache.cache_clear()


def test_classes_are_equally_large_share_no_view_and_are_as_far_as_asked(few_images):
    found = trainings._images("coffee", 2, 1.0, "coarse")
    names, counts = np.unique(found.labels, return_counts=True)
    assert set(names) == set(COARSE) and set(counts) == {8}
    x_star = found.x.reshape(len(found.x), -1) / 255 - found.artifact
    apart = np.linalg.norm(x_star[:, None] - x_star[None], axis=2)
    assert (apart[found.labels[:, None] != found.labels[None]] > 0.1).all()
    measured = trainings._facts("coffee", 2, 1.0, "coarse")
    assert measured["length"] == pytest.approx(1, abs=0.25)
    assert set(measured) == set(FACTS)


def test_few_training_images_are_the_first_of_many_and_no_test_image():
    labels = np.repeat([*"ba"], 150)
    few, test = trainings._split(labels, 5, 1)
    many, same = trainings._split(labels, 100, 1)
    assert set(few) < set(many) and np.array_equal(test, same)
    assert not set(many) & set(test)
    assert np.array_equal(np.unique(labels[test], return_counts=True)[1], [50, 50])


def test_exact_artifacts_tell_coarse_traces_apart_and_a_high_pass_cannot(few_images):
    scores = {
        kind: trainings.scores(
            Training("coffee", 2, 1.0, "coarse", kind, "linear", 4, 1)
        )["home"]
        for kind in ("exact", "highpass")
    }
    assert scores["exact"] > 0.9 > 0.7 > scores["highpass"]


def test_traces_of_both_tasks_are_all_there_are():
    assert set(trainings.TRACES) == set(module.TASKS)
    assert not set(FINE) & set(COARSE)


def test_a_stored_cell_is_found_again():
    """Up to 3 of 100 images: other processors, other sums."""
    table = REGIME.results()
    quick = table["kind"].isin(["raw", "highpass", "pca", "nearest", "exact"])
    quick &= table["m"].isin([2, 3]) & (table["classifier"] == "linear")
    quick &= table["task"] == "coarse"
    cell = table[quick].sample(1, random_state=rotating_seed()).iloc[0]
    training = Training(*cell[list(Training._fields)])
    with one_thread():
        rows = {row["column"]: row["score"] for row in REGIME.measure(training)}
    expected = pytest.approx(cell["score"], abs=0.03)
    assert rows[cell["column"]] == expected, str(training)


# --- what was found ---------------------------------------------------------------


@pytest.fixture(scope="module")
def table():
    return REGIME.results()


def test_the_study_is_complete(table):
    assert REGIME.missing(module.planned(), table) == []
    assert len(set(REGIME.keys_of(table))) == len(table)
    assert table.loc[table["n_train"] > 0, "score"].between(0, 1).all()


def test_traces_are_as_long_as_asked_unless_black_and_white_stop_them(table):
    found = maps.facts(table).reset_index()
    short = found["ratio"] <= 0.3
    share = found["length"] / found["ratio"]
    assert share[short].between(0.9, 1.1).all()
    assert share.between(0.4, 1.1).all()


def test_the_nearest_view_is_never_closer_than_the_exact_one(table):
    found = maps.facts(table)
    assert (found["apparent"] >= found["length"]).all()


def test_the_estimated_dimension_grows_with_the_number_of_parameters(table):
    found = maps.facts(table)["dimension"].groupby(["photo", "m"]).first().unstack()
    assert (found.diff(axis=1).iloc[:, 1:] > 0).all(axis=None)
    assert (found[2] - 2).abs().max() < 0.3


def test_no_high_pass_sees_short_coarse_errors_and_the_exact_artifact_does(table):
    rows = maps.trained(table)
    rows = rows[(rows["task"] == "coarse") & (rows["ratio"] == 0.1)]
    means = rows.groupby("kind")["score"].mean()
    assert means["exact"] > 0.95 > 0.35 > means["highpass"]
