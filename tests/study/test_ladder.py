"""The study of the ladder: what is trained on what, and what its tables say."""

import numpy as np
import pandas as pd
import pytest
from turns import rotating_seed

from manifpt_utils._support import names
from manifpt_utils.method.denoiser import Denoiser
from manifpt_utils.method.filters import Highpass
from manifpt_utils.method.processes import one_thread
from manifpt_utils.study import ladder as module
from manifpt_utils.study import ladder_tables as tables
from manifpt_utils.study import ladder_training as trainings
from manifpt_utils.study.ladder import LADDER, PHOTOS, USUAL, VARIANTS, Rung
from manifpt_utils.study.settings import OTHER, shared


def test_kinds_are_those_of_the_package_and_treatments_are_known():
    assert {*module.KINDS} < {*names.KINDS}
    assert {*module.TREATED, *module.TREATMENTS} <= {*names.TREATMENTS}


def test_no_training_is_planned_twice():
    planned = module.planned()
    assert len(set(planned)) == len(planned)


def test_what_is_compared_has_the_same_seeds():
    plan = pd.DataFrame(module.planned())
    plan = plan[(plan["classifier"] == USUAL) & (plan["n_train"] > 0)]
    tests = plan.groupby(["photo", "space", "treatment", "n_train"])
    for _, part in tests:
        seeds = part.groupby(["kind", "variant"])["seed"].agg(frozenset)
        assert seeds.nunique() == 1, "a difference of means would be one of splits, too"


def test_trainings_that_share_features_follow_each_other_within_a_part():
    for part in module._parts():
        batches = [LADDER.batch(rung) for rung in module._rungs([*part], PHOTOS)]
        changes = sum(a != b for a, b in zip(batches, batches[1:], strict=False))
        assert changes + 1 == len(set(batches))


def test_a_stranger_never_saw_a_view_of_the_pair():
    for photo, stranger in module.STRANGER.items():
        assert stranger not in (photo, OTHER[photo])


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"photos": ["cofee"]}, "unknown 'cofee'; did you mean 'coffee'"),
        ({"kinds": ["highpas"]}, "unknown 'highpas'; did you mean 'highpass'"),
    ],
)
def test_an_unknown_name_is_refused(options, message):
    with pytest.raises(ValueError, match=message):
        module.planned(**options)


def test_images_that_settle_a_training_are_neither_trained_nor_tested_on():
    labels = np.repeat([*"abc"], shared("coffee").room + module.N_VALIDATED * 4)
    rung = Rung("coffee", "rgb", "raw", USUAL, "Marra18", "none", module.SOME, 2)
    train, test, validated = trainings._rows(rung, labels)
    assert not {*train} & {*validated} and not {*test} & {*validated}
    counts = pd.Series(labels[validated]).value_counts()
    assert (counts == module.N_VALIDATED).all()
    assert len(train) == 3 * module.SOME


@pytest.fixture
def flat_pool():
    """A pool in which brightness tells the classes."""
    rng = np.random.default_rng(0)
    labels = np.repeat([*"ab"], 40)
    grey = np.where(labels == "a", 60, 190)[:, None, None, None]
    x = (grey + rng.integers(-20, 20, (80, 32, 32, 3))).reshape(80, -1) / 255
    return x.astype(np.float32), labels


@pytest.mark.parametrize("name", ["Marra18", "logistic regression"])
def test_every_classifier_is_settled_by_images_of_its_own(flat_pool, name):
    x, labels = flat_pool
    train, validated, test = (slice(i, None, 3) for i in range(3))
    pairs = [(x[rows], labels[rows]) for rows in (train, validated)]
    make = trainings._penalised if name in trainings.PENALTIES else trainings._settled
    fitted = make(name, *pairs, 1)
    assert np.mean(fitted.predict(x[test]) == labels[test]) > 0.9


def test_variants_change_one_parameter_of_their_kind():
    for (kind, _), changed in VARIANTS.items():
        known = {"highpass": Highpass, "denoiser": Denoiser}[kind]().get_params()
        assert {*changed} <= {*known} and len(changed) <= 1
        assert all(known[name] != value for name, value in changed.items())


# --- tables -----------------------------------------------------------------------


def toy(scores, **more):
    """Rows of results: scores by kind and photograph, the same in all panels."""
    rows = [
        {"kind": kind, "photo": photo, "n_train": n, "column": column, "score": score}
        for kind, by_photo in scores.items()
        for photo, score in zip(PHOTOS, by_photo, strict=True)
        for n in (module.FEW, module.MANY)
        for column in module.COLUMNS
    ]
    usual = {"space": "rgb", "variant": USUAL, "classifier": USUAL, "seed": 1}
    return pd.DataFrame(rows).assign(**usual | {"treatment": "none"} | more)


def test_a_lead_is_taken_photograph_by_photograph():
    scores = tables.photo_scores(
        toy({"raw": [0.2, 0.4, 0.6, 0.8], "nearest": [0.3, 0.5, 0.7, 0.9]})
    )
    lead = tables.leads_over(scores, "raw").loc["nearest", tables.PANELS[0]]
    assert lead.mean == pytest.approx(0.1) and lead.sd == pytest.approx(0)
    assert lead.n == 4 and lead.sign == 1


def test_what_is_told_from_chance_alone_does_not_survive_the_correction():
    rng = np.random.default_rng(3)
    kinds = {f"kind {i}": rng.normal(0.5, 0.1, 4) for i in range(12)}
    scores = tables.photo_scores(toy({"raw": rng.normal(0.5, 0.1, 4)} | kinds))
    p_values = tables.corrected(scores, [(kind, "raw") for kind in kinds])
    assert len(p_values) == 12 * 4 and (p_values > 0.05).all()


def test_the_tuned_blur_is_never_chosen_on_its_own_photograph():
    columns = pd.MultiIndex.from_product([["home"], PHOTOS])
    best_here_only = pd.DataFrame(np.eye(4), [*"abcd"], columns)
    assert tables.tuned(best_here_only).sum() == 0


def test_shares_of_variance_add_up_and_follow_what_matters():
    by_row = pd.DataFrame(np.outer([0.1, 0.5, 0.9], np.ones(4)))
    by_column, both = by_row.T, pd.DataFrame(np.outer([1, -1], [1, -1]))
    assert tables.eta_squared(by_row)["representation"] == pytest.approx(1)
    assert tables.eta_squared(by_column)["classifier"] == pytest.approx(1)
    assert tables.eta_squared(both)["both together"] == pytest.approx(1)


# --- what is stored ---------------------------------------------------------------


@pytest.fixture(scope="module")
def table():
    return LADDER.results()


def test_the_study_is_complete_and_of_the_stored_samples(table):
    assert LADDER.missing(module.planned(), table) == []
    assert len(set(LADDER.keys_of(table))) == len(table)
    assert LADDER.sheets().items() <= LADDER.provenance()["sheets"].items()


def test_the_exact_artifact_is_like_itself_and_leaves_no_real_image(table):
    exact = tables.measured(table).loc[("exact", USUAL)]
    assert exact["cosine"].mean == pytest.approx(1, abs=1e-3)
    assert exact["length"].mean == pytest.approx(1, abs=1e-3)
    assert exact["real"].mean < 0.05


def test_a_stored_cell_is_found_again(table):
    """Up to 3 of 100 images: other processors, other sums."""
    quick = table["kind"].isin(["raw", "highpass", "mean"]) & (table["n_train"] == 5)
    quick &= (table["classifier"] == USUAL) & (table["treatment"] == "none")
    cell = table[quick].sample(1, random_state=rotating_seed()).iloc[0]
    rung = Rung(*cell[list(Rung._fields)])
    with one_thread():
        rows = {row["column"]: row["score"] for row in LADDER.measure(rung)}
    expected = pytest.approx(cell["score"], abs=0.03)
    assert rows[cell["column"]] == expected, str(rung)
