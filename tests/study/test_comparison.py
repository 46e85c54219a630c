"""The comparison: what it holds, that it goes on where it stopped, what it found."""

import numpy as np
import pytest
from sklearn.dummy import DummyClassifier
from turns import rotating_seed

from manifpt_utils.baselines import BASELINES, baseline
from manifpt_utils.images.catalogue import listed
from manifpt_utils.images.loading import load
from manifpt_utils.images.manifest import read_manifest
from manifpt_utils.method.processes import one_thread
from manifpt_utils.study import comparison as module
from manifpt_utils.study import comparison_training as training
from manifpt_utils.study import settings
from manifpt_utils.study.comparison import COMPARISON, Column, Fit
from manifpt_utils.study.estimates import PIXEL_SPACES
from manifpt_utils.study.settings import (
    ABLATIONS,
    EVERY_METHOD,
    METHODS,
    PHOTOS,
    PUBLISHED,
    SEEDS,
    SMALL_NETWORK,
    Method,
    every,
    origin,
    shared,
)

QUICK = ("McCloskey18", "Durall20", "Dzanic20")
COFFEE = shared("coffee")
DZANIC = Method("Dzanic20", "", "earlier")


def test_no_cell_is_trained_twice():
    served = [cell for fit in module.planned() for cell in COMPARISON.cells(fit)]
    assert len(set(served)) == len(served)
    assert 0 not in SEEDS


@pytest.mark.parametrize("task", ["closed", "with real"])
def test_the_main_table_has_every_method_on_every_photograph_with_five_seeds(task):
    fits = {f for f in module.planned() if (f.task, f.n_train) == (task, 100)}
    for photo in PHOTOS:
        part = [(f.method, f.seed) for f in fits if f.setting == shared(photo)]
        others = [method for method in METHODS if method.kind not in settings.FILTERS]
        assert {(m, s) for m in others for s in SEEDS} <= set(part)
    assert len(SEEDS) == 5


def test_filters_have_three_seeds_and_the_tests_of_raw_images():
    """But for the class real among all models of a list, which no table has."""
    fits = [f for f in module.planned() if f.method.space in PIXEL_SPACES]
    fits = [f for f in fits if f.setting.models != "listed" or f.task == "closed"]
    filters = [f for f in fits if f.method.kind in settings.FILTERS]
    assert {f.seed for f in filters} == {*SEEDS[:3]}
    raw = [f for f in fits if f.method.kind == "raw" and f.seed == 1]
    for kind in settings.FILTERS:
        same = [f for f in filters if f.method.kind == kind and f.seed == 1]
        tests = [{f._replace(method=f.method.space) for f in of} for of in (raw, same)]
        assert tests[0] == tests[1]


@pytest.mark.parametrize("photo", ["coffee", "flower", "astronaut"])
def test_every_model_of_a_list_of_the_paper_is_told_apart(photo):
    setting = every(photo)
    names = setting.names
    loaded = load(f"gm-photo/{photo}", models=list(names), n_real=1)
    assert set(names) == set(listed(photo)) == set(loaded.images)
    assert setting.chance == 1 / len(names) < shared(photo).chance
    images, labels = training.generators(setting).labelled(300)
    assert len(images) == 300 * len(names) and set(labels) == set(names)
    fits = module.planned(settings=[setting])
    assert {(f.task, f.n_train) for f in fits} == {("closed", 100), ("with real", 100)}
    assert {f.method for f in fits} == set(METHODS)
    assert [c.name for c in module.columns(fits[0])] == ["closed", "FDR", "FDR PCA"]


def test_the_fourth_list_of_the_paper_is_the_shared_one():
    assert set(shared("china").names) == set(listed("china"))


def test_published_sizes_are_tried_on_one_photograph_as_methods_of_their_own():
    fits = [f for f in module.planned() if f.method in PUBLISHED]
    assert {(f.setting, f.task, f.n_train) for f in fits} == {(COFFEE, "closed", 100)}
    # What starts from ImageNet weights is no published setting without them.
    lacking = {n for n in BASELINES if "backbone" in BASELINES[n].published}
    assert lacking == set(settings.FINE_TUNED)
    left_out = lacking | set(settings.SLOW)
    assert {f.method.name for f in fits} == set(BASELINES) - left_out
    large, small = (Method("Yu19", "", kind) for kind in ("published", "earlier"))
    assert training._earlier(large, (32, 32))[-1].base == 1024
    assert training._earlier(small, (32, 32))[-1].base < 1024


def test_the_space_of_a_small_network_is_tried_at_home_only():
    fits = [f for f in module.planned() if f.method in SMALL_NETWORK]
    assert {f.setting for f in fits} == set(map(shared, PHOTOS))
    assert {(f.task, f.n_train) for f in fits} == {("closed", 5), ("closed", 100)}
    served = {column.name for f in fits for column in module.columns(f)}
    assert served == {"closed"}


def test_wang_is_taken_apart_one_thing_at_a_time():
    fits = [f for f in module.planned() if f.method in ABLATIONS]
    tried = {n: {f.setting for f in fits if f.n_train == n} for n in (5, 100)}
    assert tried[100] == set(map(shared, PHOTOS)) and 2 < len(tried[5]) <= 4
    assert {f.task for f in fits} == {"closed"} and len({f.seed for f in fits}) == 2
    heads = [training._earlier(method, (8, 8))[-1] for method in ABLATIONS]
    usual = baseline("Wang20")[-1]
    shown = [(head.blur_jpeg == 0, head.spectrum) for head in heads]
    assert shown == [(True, False), (False, True), (True, True)]
    assert heads[1].blur_jpeg == usual.blur_jpeg > 0 and not usual.spectrum


def test_the_main_table_comes_first_with_some_seeds_of_all_networks():
    fits = module.planned(methods=METHODS)
    pairs = list(map(shared, PHOTOS))
    main = [f.setting in pairs and (f[2], f[3]) == ("closed", 100) for f in fits]
    last = max(np.flatnonzero(main))
    assert {f.task for f in fits[:last]} == {"closed"}
    assert {f.setting.question for f in fits[:last]} == {"model"}
    seeds = [f.seed for f in fits[:last] if f.method.has_network]
    n = len(settings.NETWORKS)
    assert seeds[: 2 * n] == [1] * n + [2] * n


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"settings": ["cofee"]}, "unknown 'cofee'; did you mean 'coffee'"),
        ({"methods": ["Durall"]}, "unknown 'Durall'; did you mean 'Durall20'"),
        ({"seeds": [0]}, "unknown 0"),
    ],
)
def test_an_unknown_name_is_refused(options, message):
    with pytest.raises(ValueError, match=message):
        module.planned(**options)


def small_material(n=700, *, head=None, seed=0):
    """Two classes, and real images, that two features out of four tell apart."""
    rng = np.random.default_rng(seed)
    labels = np.repeat(["dcgan", "glow", "real"], n)
    x = rng.normal(size=(3 * n, 4))
    x[:, :2] += np.repeat([0, 20, 40], n)[:, None]
    tests = {Column("transfer"): (x[:n], labels[:n])}
    tests |= {c: (x[:n], labels[n : 2 * n]) for c in module.unseen("coffee")}
    return training.Material(head or baseline("Dzanic20")[-1], (x, labels), tests)


@pytest.fixture
def material(monkeypatch):
    """Replace the images of every training."""

    def use(found):
        monkeypatch.setattr(training, "_material", lambda *_: found)

    return use


def measured(fit):
    """Rows by the name of their column; those of unseen trainings are a list."""
    rows = {}
    for row in COMPARISON.measure(fit):
        rows.setdefault(row["column"], []).append(row)
    return rows


def test_one_training_serves_all_columns(material):
    material(small_material())
    fit = Fit(COFFEE, DZANIC, "closed", 100, 1)
    rows = measured(fit)
    assert sum(map(len, rows.values())) == len(module.columns(fit))
    assert rows["closed"][0]["score"] == rows["transfer"][0]["score"] == 1
    assert all(row["score"] == 0 for row in rows["unseen"])
    assert {row["model"] for row in rows["unseen"]} <= set(COFFEE.names)
    (ratio,), (short,) = rows["FDR"], rows["FDR PCA"]
    assert ratio["d"] == 4 and short["d"] == training.N_COMPONENTS
    assert ratio["score"] > 5 > 1 > ratio["null"]
    assert rows["closed"][0]["n_test"] == ratio["n_test"] == settings.N_TEST


def test_real_images_are_a_class_of_their_own_column_only(material):
    seen = []

    class Head(DummyClassifier):
        def fit(self, x, y):
            seen.append((sorted(set(y)), len(y)))
            return super().fit(x, y)

    material(small_material(head=Head()))
    COMPARISON.measure(Fit(COFFEE, DZANIC, "closed", 5, 1))
    (row,) = COMPARISON.measure(Fit(COFFEE, DZANIC, "with real", 100, 1))
    assert seen == [(["dcgan", "glow"], 10), (["dcgan", "glow", "real"], 300)]
    assert row["score"] == pytest.approx(1 / 3)


def test_few_training_images_are_tested_on_the_same_images():
    labels = np.repeat(["a", "b"], 600)
    parts = {
        n: training.nested_split(labels, room=400, n_train=n, seed=3)
        for n in (5, 100, 400)
    }
    assert all((parts[n][1] == parts[400][1]).all() for n in parts)
    assert set(parts[5][0]) < set(parts[100][0]) < set(parts[400][0])
    assert np.bincount(parts[5][0] // 600).tolist() == [5, 5]
    assert not set(parts[400][0]) & set(parts[400][1])


def test_a_method_that_cannot_work_leaves_its_reason_in_every_cell(material):
    material(small_material(head=baseline("Yu19", image_size=4)[-1]))
    fit = Fit(COFFEE, Method("Yu19", "", "earlier"), "closed", 100, 1)
    rows = COMPARISON.measure(fit)
    assert len(rows) == len(module.columns(fit))
    assert all("build the baseline with the image_size" in r["reason"] for r in rows)
    assert not any("score" in row for row in rows)


def test_a_ratio_that_cannot_be_computed_costs_no_other_column(material):
    whole = small_material()
    x, labels = whole.pool
    tests = {name: (a[:, :2], b) for name, (a, b) in whole.tests.items()}
    material(whole._replace(pool=(x[:, :2], labels), tests=tests))
    rows = measured(Fit(COFFEE, DZANIC, "closed", 100, 1))
    assert rows["closed"][0]["score"] == 1
    assert "n_components must be in 1..2" in rows["FDR PCA"][0]["reason"]


def test_the_artifacts_of_an_origin_come_from_all_its_photographs_together():
    data = training._origins(origin("ldm"))
    assert data.models == ["astronaut", "china"]
    assert len(data.real) == 8000 and data.manifold is None
    means = [part.mean(axis=(0, 1, 2)) for part in np.split(data.real, 2)]
    assert np.abs(means[0] - means[1]).max() > 20


def test_a_stored_cell_is_found_again():
    """Up to 24 of 1,200 images, and 5 % of a ratio: other processors, other sums."""
    table = COMPARISON.results()
    quick = table[table["method"].isin(QUICK) & (table["n_train"] <= 100)]
    quick = quick[quick["kind"] == "earlier"]
    cell = quick.sample(1, random_state=rotating_seed()).iloc[0]
    task = "with real" if cell["column"] == "with real" else "closed"
    setting = settings.Setting(*cell[list(settings.Setting._fields)])
    method = Method(cell["method"], cell["space"], cell["kind"])
    fit = Fit(setting, method, task, cell["n_train"], cell["seed"])
    with one_thread():
        rows = COMPARISON.measure(fit)
    same = ["column", "model", "start"]
    (row,) = (r for r in rows if all(r[key] == cell[key] for key in same))
    tolerance = {"rel": 0.05} if cell["column"].startswith("FDR") else {"abs": 0.02}
    assert row["score"] == pytest.approx(cell["score"], **tolerance), str(fit)


@pytest.fixture(scope="module")
def table():
    return COMPARISON.results()


def test_the_stored_cells_are_those_of_the_study_and_none_is_there_twice(table):
    there = COMPARISON.keys_of(table)
    assert len(set(there)) == len(there)
    assert set(there) == set().union(*map(COMPARISON.cells, module.planned()))


def test_every_stored_cell_has_a_score_or_a_reason(table):
    has_score = table["score"].notna()
    assert (has_score != (table["reason"] != "")).all()
    is_ratio = table["column"].isin(["FDR", "FDR PCA"])
    assert table.loc[has_score & ~is_ratio, "score"].between(0, 1).all()
    ratios = table[is_ratio & has_score]
    assert ratios[["null", "d", "n_test"]].notna().all(axis=None)
    assert (ratios.loc[ratios["column"] == "FDR PCA", "d"] == 3).all()


def test_a_training_reads_the_samples_on_which_it_is_tested():
    names = {fit: COMPARISON.samples(fit) for fit in module.planned(seeds=[1])}
    for fit, read in names.items():
        photos = {name.split("/")[1] for name in read}
        is_moved = any(column.name == "transfer" for column in module.columns(fit))
        home = {photo for photo, _ in fit.setting.trained}
        assert photos > home if is_moved else photos == home, str(fit)
        assert {f"gm-photo/{p}/{m}-0.webp" for p, m in fit.setting.trained} <= read


def test_the_results_are_of_the_samples_that_are_stored():
    made = COMPARISON.provenance()
    manifest = read_manifest()
    changed = {n for n, h in made["sheets"].items() if manifest[n]["sha256"] != h}
    assert changed == set(), "compute these results again"
    assert set(made["cpu_seconds"]) <= {str(m) for m in EVERY_METHOD}
    assert all({"command", "git", "versions"} <= set(run) for run in made["runs"])
