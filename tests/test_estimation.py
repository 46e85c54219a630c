"""The grid of estimates: what it holds, that it is found again, and what it shows."""

import random

import pandas as pd
import pytest
import torch

from manifpt_utils import comparison
from manifpt_utils import estimation as module
from manifpt_utils.attribution import attributor, with_seed
from manifpt_utils.estimation import Training
from manifpt_utils.manifold import DataManifold


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


# --- reading ----------------------------------------------------------------------

KEYS = {"setting": "coffee", "space": "rgb", "k": 1, "search": "euclidean"}
KEYS |= {"n_train": 5, "column": "closed"}


def rows(kind, n_real, scores, **other):
    common = {**KEYS, "kind": kind, "n_real": n_real, **other}
    return [{**common, "seed": s, "score": v} for s, v in enumerate(scores, start=1)]


def rival(*scores, names=module.RIVAL):
    keys = [("coffee", "closed", 5, seed) for seed in range(1, len(scores) + 1)]
    return pd.Series(scores, pd.MultiIndex.from_tuples(keys, names=names))


def test_a_lead_is_taken_seed_by_seed():
    table = pd.DataFrame(rows("nearest", 100, [0.5, 0.7, 0.9]))
    found = module.lead(table, rival(0.4, 0.6, 0.8)).reset_index().iloc[0]
    # The seeds differ by far more than the lead, which is the same in each.
    assert found["mean"] == pytest.approx(0.1) and found["sem"] < 1e-9
    assert found["real"] and found["seeds"] == 3
    level = module.lead(table, rival(0.9, 0.7, 0.5)).reset_index().iloc[0]
    assert level["mean"] == pytest.approx(0) and not level["real"]


def test_a_lead_over_one_seed_is_not_real():
    table = pd.DataFrame(rows("nearest", 100, [0.9]))
    assert not module.lead(table, rival(0.1))["real"].item()


def test_the_best_earlier_method_has_the_highest_mean_and_gives_its_own_seeds():
    base = {"setting": "coffee", "column": "closed", "n_train": 5}
    scores = {"Yu19": (0.9, 0.1), "Durall20": (0.6, 0.5), "rgb raw": (1.0, 1.0)}
    compared = pd.DataFrame(
        [
            {**base, "method": method, "seed": seed, "score": value}
            for method, values in scores.items()
            for seed, value in enumerate(values, start=1)
        ]
    )
    best = module.best_earlier_scores(compared)
    assert best["method"].tolist() == ["Durall20"] * 2
    assert best["score"].tolist() == [0.6, 0.5]
    raw = module.raw_scores(compared)
    assert raw.loc["rgb", "coffee", "closed", 5, 1] == 1


@pytest.mark.parametrize(
    ("real", "expected"),
    [
        ({100: False, 1000: False}, None),
        ({100: True, 1000: True}, 100),
        ({1000: True, 100: False}, 1000),
        ({100: True, 1000: False}, None),
    ],
)
def test_a_threshold_holds_for_every_larger_number(real, expected):
    assert module.threshold(pd.Series(real)) == expected


def test_the_first_lead_is_that_of_the_space_that_needs_the_fewest_views():
    cells = [("rgb", 100, False), ("rgb", 1000, True), ("frequency", 100, True)]
    cells += [("frequency", 1000, True)]
    found = pd.DataFrame(
        [
            {**KEYS, "kind": "affine", "space": space, "n_real": n, "real": real}
            for space, n, real in cells
        ]
        + [{**KEYS, "kind": "nearest", "n_real": 100, "real": False}]
    )
    first = module.first_leads(found).droplevel([0, 1, 2])
    assert first.loc["affine"].tolist() == [100, "frequency"]
    assert first.loc["nearest"].isna().all()


def test_the_best_space_is_chosen_for_every_number_of_views():
    found = pd.DataFrame(
        [
            {**KEYS, "kind": "affine", "space": space, "n_real": n, "mean": mean}
            for space, n, mean in (
                ("rgb", 100, 0.1),
                ("frequency", 100, 0.2),
                ("rgb", 1000, 0.4),
                ("frequency", 1000, 0.3),
            )
        ]
    )
    assert module.best_spaces(found)["space"].tolist() == ["frequency", "rgb"]


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


@pytest.fixture(scope="module")
def compared():
    return comparison.results()


@pytest.fixture(scope="module")
def gain(table, compared):
    """Mean gain over raw images, by space, training images, test, kind and views."""
    trained = table[table["kind"] != "gap"]
    found = module.lead(trained, module.raw_scores(compared)).reset_index()
    found = found[module.is_main(found)]
    keys = ["space", "n_train", "column", "kind", "n_real"]
    return found.groupby(keys)["mean"].mean()


# Each tolerance is about half of what was measured.


def test_away_from_home_every_kind_of_artifact_gains(gain):
    away = gain.xs("transfer", level="column").groupby(["n_train", "kind"]).mean()
    assert (away > 0.03).all()


def test_with_few_images_coverage_lifts_pixel_artifacts_above_raw_images(gain):
    rgb = gain.loc["rgb", 5, "closed"]
    assert rgb["nearest", 100] < -0.06 and rgb["nearest", 50_000] > 0.05
    assert rgb["affine", 100] < 0.03 and rgb["affine", 1000] > 0.08


def test_with_many_images_at_home_no_kind_gains(gain):
    home = gain.xs((100, "closed"), level=["n_train", "column"])
    assert (home.groupby("kind").mean() < 0.01).all()


def test_at_home_artifacts_never_beat_every_earlier_method_at_any_coverage(
    table, compared
):
    trained = table[table["kind"] != "gap"]
    best = module.best_earlier_scores(compared)["score"]
    found = module.lead(trained, best).reset_index()
    first = module.first_leads(found[module.is_main(found)])["n_real"].sort_index()
    assert first.xs("closed", level="column").isna().all()
    assert first.loc["astronaut", 100, "transfer"].notna().all()
    assert first.xs("transfer", level="column").notna().sum() < 8  # of 24
