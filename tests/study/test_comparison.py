"""The grid: what it holds, that it goes on where it stopped, and what it shows."""

import random
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
import torch
from sklearn.dummy import DummyClassifier

from manifpt_utils.baselines import BASELINES
from manifpt_utils.images.gm_photo import CORE, listed
from manifpt_utils.images.loading import load
from manifpt_utils.images.manifest import read_manifest
from manifpt_utils.method.representations import gain
from manifpt_utils.study import comparison as module
from manifpt_utils.study.comparison import Fit

QUICK = ("McCloskey18", "Durall20", "Dzanic20")


@pytest.fixture
def one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def test_no_cell_of_the_grid_is_trained_twice():
    fits = module.planned()
    served = [cell for fit in fits for cell in module.cells(fit)]
    assert len(set(served)) == len(served)
    assert 0 not in module.SEEDS


@pytest.mark.parametrize("task", ["closed", "with real"])
def test_the_main_table_has_every_method_on_every_photograph_with_five_seeds(task):
    fits = {f for f in module.planned() if (f.task, f.n_train) == (task, 100)}
    for photo in module.OTHER:
        part = [(f.method, f.seed) for f in fits if f.setting == photo]
        whole = {(m, s) for m in module.METHODS for s in module.SEEDS}
        assert whole <= set(part) and len(module.SEEDS) == 5


@pytest.mark.parametrize("photo", ["coffee", "flower", "astronaut"])
def test_every_model_of_a_list_of_the_paper_is_told_apart(photo):
    setting = module.WHOLE + photo
    names = module.models(setting)
    assert set(names) == set(listed(photo)) == set(loaded(photo, names).images)
    assert module.chance(setting) == 1 / len(names) < module.chance(photo)
    images, labels = module.generators(setting).labelled(300)
    assert len(images) == 300 * len(names) and set(labels) == set(names)
    fits = module.planned(settings=[setting])
    assert {(f.task, f.n_train) for f in fits} == {("closed", 100), ("with real", 100)}
    assert {f.method for f in fits} == set(module.METHODS)
    assert module.columns(fits[0]) == ["closed", "FDR", "FDR PCA"]


def loaded(photo, names):
    return load(f"gm-photo/{photo}", models=list(names), n_real=1)


def test_the_fourth_list_of_the_paper_is_the_shared_one():
    assert set(module.SHARED) == set(listed("china"))


def test_published_settings_are_tried_on_one_photograph_as_methods_of_their_own():
    fits = [f for f in module.planned() if f.method in module.PUBLISHED]
    assert {(f.setting, f.task, f.n_train) for f in fits} == {("coffee", "closed", 100)}
    assert {f.method.split()[0] for f in fits} == set(BASELINES)
    published = module._earlier("Wang20 published", (32, 32), "cuda")[-1]
    assert published.backbone == "resnet50" and published.device == "cuda"
    assert module._earlier("Wang20", (32, 32), "cpu")[-1].backbone == "small"


def test_the_main_table_comes_first_with_some_seeds_of_all_networks():
    fits = module.planned(methods=module.METHODS)
    main = [f.setting in module.OTHER and (f[2], f[3]) == ("closed", 100) for f in fits]
    last = max(np.flatnonzero(main))
    assert {f.task for f in fits[:last]} == {"closed"}
    assert not any(f.setting.startswith(module.ORIGIN) for f in fits[:last])
    seeds = [f.seed for f in fits[:last] if f.method in module.NETWORKS]
    n = len(module.NETWORKS)
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
    tests = {c: (x[:n], labels[:n]) for c in ["transfer"]}
    tests |= {f"unseen {m}-{s}": (x[:n], labels[n : 2 * n]) for m, s in further()}
    head = head or module.baseline("Dzanic20")[-1]
    return module.Material(head, (x, labels), tests)


def further():
    return module._further("coffee")


def test_one_training_serves_all_columns(monkeypatch):
    monkeypatch.setattr(module, "_material", lambda *_: small_material())
    fit = Fit("coffee", "Dzanic20", "closed", 100, 1)
    rows = {row["column"]: row for row in module.measure(fit)}
    assert list(rows) == module.columns(fit)
    assert rows["closed"]["score"] == rows["transfer"]["score"] == 1
    assert all(rows[c]["score"] == 0 for c in rows if c.startswith("unseen"))
    assert rows["FDR"]["d"] == 4 and rows["FDR PCA"]["d"] == module.N_COMPONENTS
    assert rows["FDR"]["score"] > 5 > 1 > rows["FDR"]["null"]
    assert rows["closed"]["n_test"] == rows["FDR"]["n_test"] == module.N_TEST


def test_real_images_are_a_class_of_their_own_column_only(monkeypatch):
    seen = []

    class Head(DummyClassifier):
        def fit(self, x, y):
            seen.append((sorted(set(y)), len(y)))
            return super().fit(x, y)

    monkeypatch.setattr(module, "_material", lambda *_: small_material(head=Head()))
    module.measure(Fit("coffee", "Dzanic20", "closed", 5, 1))
    (row,) = module.measure(Fit("coffee", "Dzanic20", "with real", 100, 1))
    assert seen == [(["dcgan", "glow"], 10), (["dcgan", "glow", "real"], 300)]
    assert row["score"] == pytest.approx(1 / 3)


def test_few_training_images_are_tested_on_the_same_images():
    labels = np.repeat(["a", "b"], 600)
    fits = {n: Fit("coffee", "", "", n, 3) for n in (5, 100, 400)}
    parts = {n: module.parts(labels, fit) for n, fit in fits.items()}
    assert all((parts[n][1] == parts[400][1]).all() for n in parts)
    assert set(parts[5][0]) < set(parts[100][0]) < set(parts[400][0])
    assert np.bincount(parts[5][0] // 600).tolist() == [5, 5]
    assert not set(parts[400][0]) & set(parts[400][1])


def test_a_method_that_cannot_work_leaves_its_reason_in_every_cell(monkeypatch):
    head = module.baseline("Yu19", image_size=4)[-1]
    monkeypatch.setattr(module, "_material", lambda *_: small_material(head=head))
    fit = Fit("coffee", "Yu19", "closed", 100, 1)
    rows = module.measure(fit)
    assert [row["column"] for row in rows] == module.columns(fit)
    assert all("build the baseline with the image_size" in r["reason"] for r in rows)
    assert not any("score" in row for row in rows)


def test_a_ratio_that_cannot_be_computed_costs_no_other_column(monkeypatch):
    material = small_material()
    x, labels = material.pool
    tests = {name: (a[:, :2], b) for name, (a, b) in material.tests.items()}
    narrow = material._replace(pool=(x[:, :2], labels), tests=tests)
    monkeypatch.setattr(module, "_material", lambda *_: narrow)
    rows = module.measure(Fit("coffee", "Dzanic20", "closed", 100, 1))
    by_column = {row["column"]: row for row in rows}
    assert by_column["closed"]["score"] == 1
    assert "n_components must lie in 1..2" in by_column["FDR PCA"]["reason"]


def test_the_artifacts_of_an_origin_come_from_all_its_photographs_together():
    data = module._origins("ldm")
    assert data.models == ["astronaut", "china"]
    assert len(data.real) == 8000 and data.manifold is None
    means = [part.mean(axis=(0, 1, 2)) for part in np.split(data.real, 2)]
    assert np.abs(means[0] - means[1]).max() > 20


def test_the_summary_of_known_scores():
    row = {"setting": "coffee", "method": "Yu19", "column": "closed", "n_train": 5}
    rows = [row | {"seed": s, "score": v} for s, v in ((1, 0.4), (2, 0.5), (3, 0.6))]
    rows += [row | {"n_train": 25, "seed": 1, "score": 0.9}]
    table = module.GRID.merge(module.GRID.empty(), rows)
    found = module.summary(table).loc["coffee", "Yu19", "closed"]
    assert found.loc[5, ["mean", "sd", "seeds"]].tolist() == pytest.approx(
        [0.5, 0.1, 3]
    )
    # Student's t with two degrees of freedom: 4.303 standard errors.
    assert found.loc[5, "high"] == pytest.approx(0.5 + 4.3027 * 0.1 / 3**0.5, abs=1e-4)
    assert found.loc[25, "mean"] == 0.9 and np.isnan(found.loc[25, "sd"])


def test_counterparts_are_in_the_units_of_the_paper_with_both_estimates_of_ours():
    key = {"setting": "china", "n_train": 100}
    scores = {"Wang20": 0.9, "rgb nearest": 0.5, "rgb affine": 0.6}
    rows = [
        key | {"method": method, "column": column, "seed": seed, "score": score + drift}
        for method, score in scores.items()
        for column in ("closed", "FDR")
        for seed, drift in ((1, -0.02), (2, 0.02))
    ]
    table = module.GRID.merge(module.GRID.empty(), rows)
    ours = module.counterparts(module.summary(table)).xs("GM-FFHQ", level="column")
    assert len(ours) == 4
    accuracy, ratio = (ours.loc[f"attribution_{t}"] for t in ("accuracy", "fdr"))
    assert accuracy.loc["rgb", ["mean", "affine"]].tolist() == pytest.approx([50, 60])
    assert accuracy.loc["Wang20", "mean"] == pytest.approx(90)
    assert accuracy["affine"].isna().tolist() == [True, False]
    assert (accuracy["low"] < accuracy["mean"]).all()
    assert ratio.loc["rgb", ["mean", "affine"]].tolist() == pytest.approx([0.5, 0.6])
    assert not accuracy["reason"].any() and ratio["reason"].eq(module.NO_RATIO).all()


def test_the_command_line_shares_the_work_among_processes(tmp_path):
    command = [sys.executable, "-m", module.__name__, "--settings", "origin of ldm"]
    command += ["--methods", "Durall20", "Dzanic20", "--seeds", "1", "--jobs", "2"]
    command += ["--output", str(tmp_path)]
    subprocess.run(command, check=True, stdout=subprocess.PIPE)
    table = pd.read_csv(tmp_path / "comparison.csv")
    assert set(table["method"]) == {"Durall20", "Dzanic20"}
    assert table["score"].between(0, 1).all()


def test_the_command_line_lists_and_refuses(capsys, tmp_path):
    options = ["--methods", "Dzanic20", "--settings", "coffee", "--seeds", "1"]
    module.main([*options, "--list", "--output", str(tmp_path)])
    lines = capsys.readouterr().out.splitlines()
    assert "coffee, Dzanic20, closed, 100, 1" in lines and len(lines) == 5
    with pytest.raises(SystemExit, match="error: unknown 'Dzanik20'; did you mean"):
        module.main(["--methods", "Dzanik20"])
    with pytest.raises(SystemExit, match="2"):
        module.main(["--jobs", "0"])


def test_a_random_stored_cell_is_found_again(one_thread):
    """Up to 24 of 1,200 images, and 5 % of a ratio: other processors, other sums."""
    choice = random.SystemRandom().randrange(2**32)
    table = module.results()
    quick = table[table["method"].isin(QUICK) & (table["n_train"] <= module.N_TRAIN)]
    cell = quick.sample(1, random_state=choice).iloc[0]
    task = "with real" if cell["column"] == "with real" else "closed"
    fit = Fit(cell["setting"], cell["method"], task, cell["n_train"], cell["seed"])
    rows = {row["column"]: row for row in module.measure(fit)}
    tolerance = {"rel": 0.05} if cell["column"].startswith("FDR") else {"abs": 0.02}
    expected = pytest.approx(cell["score"], **tolerance)
    assert rows[cell["column"]]["score"] == expected, f"choice {choice}: {fit}"


@pytest.fixture(scope="module")
def table():
    return module.results()


def test_the_stored_cells_belong_to_the_grid_and_none_is_there_twice(table):
    there = module.GRID.keys_of(table)
    assert len(set(there)) == len(there)
    assert set(there) <= set().union(*map(module.cells, module.planned()))


def test_every_stored_cell_has_a_score_or_a_reason(table):
    has_score = table["score"].notna()
    assert (has_score != (table["reason"] != "")).all()
    shares = table.loc[has_score & ~table["column"].str.startswith("FDR"), "score"]
    assert shares.between(0, 1).all()
    ratios = table[table["column"].str.startswith("FDR") & has_score]
    assert ratios[["null", "d", "n_test"]].notna().all(axis=None)
    assert (ratios.loc[ratios["column"] == "FDR PCA", "d"] == 3).all()


def test_the_results_are_of_the_samples_that_are_stored():
    made = module.provenance()
    manifest = read_manifest()
    changed = {n for n, h in made["sheets"].items() if manifest[n]["sha256"] != h}
    assert changed == set(), "compute these results anew"
    assert set(made["cpu_seconds"]) <= {*module.METHODS, *module.PUBLISHED}
    assert all({"command", "git", "versions"} <= set(run) for run in made["runs"])


@pytest.fixture(scope="module")
def coffee(table):
    known = table[table["method"].isin(module.METHODS)]
    return module.summary(module.pooled(known)).xs("coffee")["mean"]


def column(coffee, name, n_train=100):
    return coffee.xs((name, n_train), level=["column", "n_train"])


def ours(scores):
    return scores[[method in module.OURS for method in scores.index]]


# Each tolerance is about half of what was measured, and more than two standard errors.


def test_with_few_images_artifacts_help_in_rgb_and_on_average(coffee):
    few = ours(column(coffee, "closed", 5))
    assert gain(few)["rgb"] > 0.08
    assert gain(few, "affine")["rgb"] > 0.13
    assert gain(few).mean() > 0.02


def test_with_a_hundred_images_the_raw_image_is_at_least_as_good(coffee):
    closed = gain(ours(column(coffee, "closed")))
    assert (closed < 0.01).all() and closed.mean() < -0.015


@pytest.fixture(scope="module")
def lists(table):
    """Mean accuracies on every model of a list of the paper, one column a list."""
    found = module.summary(table)["mean"].xs(("closed", 100), level=[2, 3])
    scores = {s: found.xs(s).reindex(module.METHODS) for s in module.PLAYS.values()}
    return pd.DataFrame(scores)


def test_on_the_lists_of_the_paper_the_raw_image_is_ahead_of_its_artifacts(lists):
    gains = pd.DataFrame({name: gain(ours(lists[name])) for name in lists})
    assert lists.notna().all(axis=None) and (gains < 0.01).all(axis=None)
    assert gains.mean(axis=None) < -0.02


def test_on_the_lists_of_the_paper_artifacts_lead_once_if_raw_images_do_not_count(
    lists,
):
    own = ours(lists).filter(regex="nearest|affine", axis=0).max()
    ahead = own - lists.loc[list(BASELINES)].max()
    assert ahead["all of coffee"] > 0.01
    assert (ahead.drop("all of coffee") < 0.005).all()
    assert lists["all of coffee"].idxmax() == "rgb raw"


def test_more_models_leave_the_order_of_the_methods(lists, table):
    found = module.summary(table)["mean"].xs(("closed", 100), level=[2, 3])
    more = lists.drop(columns="china").rename(columns=lambda name: name.split()[-1])
    fewer = pd.DataFrame({p: found.xs(p).reindex(module.METHODS) for p in more})
    assert more.corrwith(fewer, method="spearman").min() > 0.75
    assert 0.03 < (fewer - more).mean(axis=None) < 0.12


def test_artifacts_transfer_better_than_raw_images_and_nothing_transfers_well(coffee):
    away = column(coffee, "transfer")
    assert gain(ours(away)).mean() > 0.045
    assert away.max() < 0.7
    assert (away < column(coffee, "closed")).all()


@pytest.mark.parametrize(
    ("source", "least_gain", "lead"), [("astronaut", 0.065, 0.18), ("china", 0.03, 0)]
)
def test_on_the_second_pair_artifacts_transfer_better_and_lead_in_one_direction(
    table, source, least_gain, lead
):
    found = module.summary(table).xs(source)["mean"]
    away, home = column(found, "transfer"), column(found, "closed")
    assert gain(ours(away)).mean() > least_gain
    assert gain(ours(away))["rgb"] > 0.07
    ahead = ours(away).max() - away[list(BASELINES)].max()
    assert ahead == pytest.approx(lead, abs=0.06)
    assert away.max() < home.max() - 0.12


def test_another_training_is_recognised_for_most_recipes_with_or_without_artifacts(
    coffee,
):
    found = {
        recipe: np.mean([column(coffee, f"unseen {recipe}-{i}").mean() for i in (1, 2)])
        for recipe in CORE
    }
    chance = module.chance("coffee")
    assert min(found["glow"], found["beta_vae"], found["wgan_gp"]) > 4 * chance
    assert 2 * chance < found["dcgan"] < found["lsgan"] < found["wgan_gp"]
    assert found["ddpm"] < 4 * chance
    assert abs(gain(ours(column(coffee, "unseen"))).mean()) < 0.03


def test_the_ratio_does_not_order_methods_as_accuracy_does(coffee):
    """Three numbers an image: a ratio thirty times that of 128, and fewer hits."""
    accuracy, ratio = column(coffee, "closed"), column(coffee, "FDR")
    assert ratio["Dzanic20"] > 10 * ratio["supervised raw"]
    assert accuracy["Dzanic20"] < accuracy["supervised raw"] - 0.07


def test_the_null_of_the_ratio_is_near_a_half_for_more_images_than_dimensions(table):
    ratios = table.loc[table["column"] == "FDR"]
    enough = ratios.loc[ratios["d"] < ratios["n_test"]]
    null = enough.groupby("method")["null"].mean()
    assert len(null) > 15 and null.between(0.4, 0.7).all()


def test_a_few_counts_need_the_fewest_images(coffee):
    few, many = column(coffee, "closed", 5), column(coffee, "closed")
    assert few["McCloskey18"] > few["rgb raw"] + 0.12
    assert many["McCloskey18"] < many["rgb raw"] - 0.1


def test_counts_of_saturated_pixels_tell_the_photographs_apart(table):
    found = module.summary(table)["mean"].xs("McCloskey18", level="method")
    origins = found[found.index.get_level_values("setting").str.startswith("origin")]
    assert len(origins) == 3 and (origins > 0.97).all()


def test_artifacts_hide_a_part_of_the_training_data_and_not_most_of_it(table):
    found = module.summary(table)["mean"].xs("closed", level="column")
    for model in module.ORIGINS:
        scores = ours(found.xs((module.ORIGIN + model, 100), level=[0, "n_train"]))
        assert -0.25 < gain(scores).mean() < -0.02
        assert gain(scores, "affine").mean() < gain(scores).mean() + 0.02
        assert scores.min() > module.chance(module.ORIGIN + model) + 0.12
