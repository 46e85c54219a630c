"""The study of estimates: what it holds, that it is found again, and what it shows."""

import numpy as np
import pytest
from turns import rotating_seed

from manifpt_utils.method.classifiers import classifier_for
from manifpt_utils.method.evaluation import with_seed
from manifpt_utils.method.manifold import ESTIMATORS, METRICS, DataManifold
from manifpt_utils.method.processes import one_thread
from manifpt_utils.study import comparison_training as compared
from manifpt_utils.study import estimate_training as trainings
from manifpt_utils.study import estimates as module
from manifpt_utils.study.estimates import ESTIMATES, Training
from manifpt_utils.study.settings import PAPER_SPACES, PHOTOS, shared


@pytest.fixture
def few_views(monkeypatch):
    """Only as many real views as a test needs, and one thread as in the study."""
    caches = (trainings._real, trainings._manifold, trainings._features)
    for cache in caches:
        cache.cache_clear()
    monkeypatch.setattr(trainings, "N_REAL", (100, 1000))
    with one_thread():
        yield
    for cache in caches:
        cache.cache_clear()


def test_names_that_are_listed_without_importing_a_network_are_those_of_the_method():
    assert module.NEIGHBOURS.items() <= ESTIMATORS.items()
    assert set(module.SEARCHES) == {*METRICS, "imagenet"}


def test_no_training_is_planned_twice_and_batches_are_not_torn_apart():
    planned = module.planned()
    assert len(set(planned)) == len(planned)
    batches = [ESTIMATES.batch(training) for training in planned]
    changes = sum(a != b for a, b in zip(batches, batches[1:], strict=False))
    assert changes + 1 == len(set(batches))


def test_every_photograph_and_space_has_exact_nearest_and_hull_artifacts():
    shown = {t[:6] for t in module.planned() if t.n_train}
    for photo, space in [(p, s) for p in PHOTOS for s in PAPER_SPACES]:
        assert (photo, space, "exact", 0, "euclidean", 0) in shown
        searched = (photo, space, "exact_rgb", 0, "rgb", 0) in shown
        assert searched == (space != "rgb"), "in RGB it would be exact"
        for n in module.N_REAL:
            assert (photo, space, "nearest", 1, "euclidean", n) in shown
            assert (photo, space, "hull", 33, "euclidean", n) in shown
    assert min(module.N_REAL) == 100 and max(module.N_REAL) == 50_000


def test_another_space_finds_neighbours_of_pixels_only():
    searched = {t.space for t in module.planned() if t.search == "imagenet"}
    assert searched == {"rgb", "frequency"}


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"photos": ["cofee"]}, "unknown 'cofee'; did you mean 'coffee'"),
        ({"spaces": ["rbg"]}, "unknown 'rbg'; did you mean 'rgb'"),
    ],
)
def test_an_unknown_name_is_refused(options, message):
    with pytest.raises(ValueError, match=message):
        module.planned(**options)


def test_a_training_is_that_of_a_pipeline_on_the_images_of_the_comparison(few_views):
    training = Training("coffee", "supervised", "nearest", 5, "cosine", 100, 100, 2)
    home, away = (compared.generators(shared(p)) for p in ("coffee", "flower"))
    shown = [
        DataManifold("supervised", k=5, metric="cosine").fit(data.real[:100])
        for data in (home, away)
    ]
    room = shared("coffee").room
    images, labels = home.labelled(room + 200)
    train, test = compared.nested_split(labels, room=room, n_train=100, seed=2)
    x = shown[0].transform(images)
    head = with_seed(classifier_for(shown[0]), 2).fit(x[train], labels[train])
    others, names = away.labelled(200)
    moved = (head.predict(shown[1].transform(others)) == names).mean()
    scores = [row["score"] for row in ESTIMATES.measure(training)]
    assert scores == pytest.approx(
        [(head.predict(x[test]) == labels[test]).mean(), moved]
    )


def test_exact_views_are_sought_in_the_space_itself_and_others_among_pixels(
    few_views, monkeypatch
):
    data = compared.generators(shared("coffee"))
    few = data.labelled(1)[0]
    monkeypatch.setattr(trainings, "_pool", lambda photo: (few, None))
    lengths = {}
    for kind, search in module.EXACT.items():
        _, found = trainings._features("coffee", ("supervised", kind, 0, search, 0))
        lengths[kind] = np.linalg.norm(found, axis=1)
    assert (lengths["exact"] <= lengths["exact_rgb"] * (1 + 1e-3)).all()
    assert lengths["exact"].sum() < 0.99 * lengths["exact_rgb"].sum()


def test_more_real_views_leave_a_smaller_gap(few_views):
    gaps = [trainings.gap("coffee", "rgb", n) for n in (100, 1000)]
    assert 0.1 < gaps[1] < gaps[0] / 1.5 < 0.6


def test_a_stored_cell_is_found_again(few_views):
    """Up to 3 of 100 images: other processors, other sums."""
    table = ESTIMATES.results()
    quick = table["space"].isin(["supervised", "selfsupervised"])
    quick &= table["n_real"].isin([100, 1000]) & (table["column"] != "gap")
    cell = table[quick].sample(1, random_state=rotating_seed()).iloc[0]
    training = Training(*cell[list(Training._fields)])
    rows = {row["column"]: row["score"] for row in ESTIMATES.measure(training)}
    expected = pytest.approx(cell["score"], abs=0.03)
    assert rows[cell["column"]] == expected, str(training)


# --- what was found ---------------------------------------------------------------


@pytest.fixture(scope="module")
def table():
    return ESTIMATES.results()


def test_the_study_is_complete_and_of_the_stored_samples(table):
    assert ESTIMATES.missing(module.planned(), table) == []
    assert len(set(ESTIMATES.keys_of(table))) == len(table)
    assert table["score"].between(0, 1).all()
    assert ESTIMATES.sheets().items() <= ESTIMATES.provenance()["sheets"].items()


def test_a_gap_falls_as_the_density_of_three_dimensions_does(table):
    gaps = table[table["column"] == "gap"].pivot_table(
        index=["space", "photo"], columns="n_real", values="score"
    )
    assert (gaps.diff(axis=1).iloc[:, 1:] < 0).all(axis=None)
    falls = gaps[1000] / gaps[50_000] / 50 ** (1 / 3)
    assert falls[["rgb", "selfsupervised"]].between(1 / 1.5, 1.5).all()
    # The features of a deep network change less smoothly with the view.
    assert falls["imagenet"].between(1 / 1.7, 1.5).all()
