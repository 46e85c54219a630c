"""The grid of estimates: what it holds, that it is found again, and what it shows."""

import random

import pytest
import torch

from manifpt_utils.method.classifiers import attributor
from manifpt_utils.method.evaluation import with_seed
from manifpt_utils.method.manifold import DataManifold
from manifpt_utils.study import comparison
from manifpt_utils.study import estimation as module
from manifpt_utils.study.estimation import Training


@pytest.fixture
def few_views(monkeypatch):
    """Only as many real views as a test needs, and one thread as in the grid."""
    caches = (module._real, module._manifold, module._features)
    for cache in caches:
        cache.cache_clear()
    monkeypatch.setattr(module, "N_REAL", (100, 1000))
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)
    for cache in caches:
        cache.cache_clear()


def test_no_training_is_planned_twice_and_batches_are_not_torn_apart():
    planned = module.planned()
    assert len(set(planned)) == len(planned)
    batches = [module.batch(training) for training in planned]
    changes = sum(a != b for a, b in zip(batches, batches[1:], strict=False))
    assert changes + 1 == len(set(batches))


def test_every_photograph_and_space_has_exact_nearest_and_affine_artifacts():
    shown = {t[:6] for t in module.planned() if t.kind != "gap"}
    for setting, space in [(s, x) for s in module.OTHER for x in module.SPACES]:
        assert (setting, space, "exact", 0, "euclidean", 0) in shown
        for n in module.N_REAL:
            assert (setting, space, "nearest", 1, "euclidean", n) in shown
            assert (setting, space, "affine", 33, "euclidean", n) in shown
    assert min(module.N_REAL) == 100 and max(module.N_REAL) == 50_000


def test_another_space_finds_neighbours_of_pixels_only():
    searched = {t.space for t in module.planned() if t.search == "supervised"}
    assert searched == {"rgb", "frequency"}


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"settings": ["cofee"]}, "unknown 'cofee'; did you mean 'coffee'"),
        ({"spaces": ["rbg"]}, "unknown 'rbg'; did you mean 'rgb'"),
    ],
)
def test_an_unknown_name_is_refused(options, message):
    with pytest.raises(ValueError, match=message):
        module.planned(**options)


def test_a_training_is_that_of_a_pipeline_on_the_images_of_the_comparison(few_views):
    training = Training("coffee", "supervised", "nearest", 5, "cosine", 100, 100, 2)
    home, away = (comparison.generators(photo) for photo in ("coffee", "flower"))
    shown = [
        DataManifold("supervised", k=5, metric="cosine").fit(data.real[:100])
        for data in (home, away)
    ]
    images, labels = home.labelled(comparison.room("coffee") + comparison.N_TEST)
    train, test = comparison.parts(labels, training)
    x = shown[0].transform(images)
    head = with_seed(attributor(shown[0]), 2).fit(x[train], labels[train])
    others, names = away.labelled(comparison.N_TEST)
    moved = (head.predict(shown[1].transform(others)) == names).mean()
    scores = [row["score"] for row in module.measure(training)]
    assert scores == pytest.approx(
        [(head.predict(x[test]) == labels[test]).mean(), moved]
    )


def test_more_real_views_leave_a_smaller_gap(few_views):
    gaps = [module.gap("coffee", "rgb", n) for n in (100, 1000)]
    assert 0.1 < gaps[1] < gaps[0] / 1.5 < 0.6


def test_a_random_stored_cell_is_found_again(few_views):
    """Up to 3 of 100 images: other processors, other sums."""
    choice = random.SystemRandom().randrange(2**32)
    table = module.results()
    quick = table["space"].isin(["supervised", "selfsupervised"])
    quick &= table["n_real"].isin([100, 1000]) & (table["kind"] != "gap")
    cell = table[quick].sample(1, random_state=choice).iloc[0]
    training = Training(*cell[module.KEYS[:-1]])
    rows = {row["column"]: row["score"] for row in module.measure(training)}
    expected = pytest.approx(cell["score"], abs=0.03)
    assert rows[cell["column"]] == expected, f"choice {choice}: {training}"


# --- what was found ---------------------------------------------------------------


@pytest.fixture(scope="module")
def table():
    return module.results()


def test_the_grid_is_complete_and_of_the_stored_samples(table):
    assert module.GRID.missing(module.planned(), table) == []
    assert len(set(module.GRID.keys_of(table))) == len(table)
    assert table["score"].between(0, 1).all()
    assert module.GRID.sheets().items() <= module.provenance()["sheets"].items()


def test_a_gap_falls_as_the_density_of_three_dimensions_does(table):
    gaps = table[table["kind"] == "gap"].pivot_table(
        index=["space", "setting"], columns="n_real", values="score"
    )
    assert (gaps.diff(axis=1).iloc[:, 1:] < 0).all(axis=None)
    falls = gaps[1000] / gaps[50_000]
    assert (
        falls.drop("frequency").between(50 ** (1 / 3) / 1.5, 50 ** (1 / 3) * 1.5).all()
    )
