"""Unknown sources: who is left out, and what conformal sets promise and keep."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from sklearn.decomposition import PCA
from sklearn.linear_model import LogisticRegression
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import LinearSVC

from manifpt_utils.images.loading import load
from manifpt_utils.method.evaluation import HELD_OUT, fit_and_test, split
from manifpt_utils.method.open_set import (
    LEFT_OUT,
    OTHER_DATA,
    REAL,
    RETRAINED,
    by_unit,
    collect,
    divide,
    leave_each_out,
    open_set_scores,
    predict_open,
    set_rows,
)
from manifpt_utils.metrics.conformal import coverage_range
from manifpt_utils.metrics.detection import auroc, oscr, tpr_at_fpr

COUNTS = {"n_train": 20, "n_calibration": 30, "n_test": 40}


def blobs(n, *, apart=4.0, seed=0):
    """Rows of four models, and their names."""
    rng = np.random.default_rng(seed)
    rows = np.repeat(apart * np.eye(4), n, axis=0) + rng.normal(size=(4 * n, 4))
    return rows, np.repeat(list("abcd"), n)


def pool(*, again=0, apart=4.0, n=90):
    """Known models, and some that were trained again, alike or less far apart."""
    x, sources = blobs(n)
    more, names = blobs(again, apart=apart, seed=1)
    kinds = np.repeat([HELD_OUT, RETRAINED], [len(x), len(more)])
    table = pd.DataFrame({"set": kinds, "source": np.r_[sources, names]})
    return np.r_[x, more], table


# One training


@pytest.fixture(scope="module")
def photo():
    """Features of images of GM-Photo, and a quick classifier of them."""
    data = load("gm-photo/coffee", models="core", n_real=1)
    images, labels = data.labelled(600)
    x = images.reshape(len(images), -1) / 255
    head = LogisticRegression(max_iter=300)
    return make_pipeline(PCA(20, random_state=0), StandardScaler(), head), x, labels


def parts(photo, seed, n_calibration=100, n_test=400):
    """Images to train and calibrate on, and to test."""
    _, x, labels = photo
    train, rest = split(labels, n_train=100, n_test=n_calibration + n_test, seed=seed)
    sizes = {"n_train": n_calibration, "n_test": n_test}
    calibration, test = (rest[rows] for rows in split(labels[rest], **sizes, seed=seed))
    return [(x[rows], labels[rows]) for rows in (train, calibration, test)]


def test_sets_cover_what_they_promise_on_images_of_gm_photo(photo):
    """Over splits, for one of them may be lucky."""
    found = []
    for seed in range(6):
        train, calibration, test = parts(photo, seed)
        options = {"seed": seed, "coverage": 0.9}
        table = predict_open(photo[0], train, calibration, {HELD_OUT: test}, **options)
        found.append(table["covered"].groupby(table["source"]).mean())
    assert np.mean(found) == pytest.approx(0.9, abs=0.02)
    assert pd.DataFrame(found).mean().to_numpy() == pytest.approx(0.9, abs=0.03)
    # One class of one split stays where chance alone leaves it.
    bounds = coverage_range(100, 400, confidence=0.999)
    assert np.min(found) >= bounds.low and np.max(found) <= bounds.high


def test_p_values_and_sets_are_those_of_crepes(photo):
    crepes = pytest.importorskip("crepes")
    train, calibration, (x, sources) = parts(photo, 0, n_calibration=50, n_test=60)
    found = predict_open(photo[0], train, calibration, {"new": (x, sources)}, seed=0)
    peer = crepes.WrapClassifier(photo[0].fit(*train))
    peer.calibrate(*calibration, class_cond=True, nc=left_to_others)
    p = peer.predict_p(x, smoothing=False)
    np.testing.assert_allclose(found["p_value"], p.max(axis=1), rtol=1e-12)
    options = {"confidence": 0.9, "smoothing": False, "labels": False}
    sets = np.asarray(peer.predict_set(x, **options))
    np.testing.assert_array_equal(found["set_size"], sets.sum(axis=1))
    columns = pd.Index(peer.learner.classes_).get_indexer(sources)
    holds = sets[np.arange(len(x)), columns].astype(bool)
    np.testing.assert_array_equal(found["covered"], holds)
    assert 0 < found["covered"].mean() < 1 and found["p_value"].nunique() > 10


def left_to_others(probability, classes=None, y=None):
    """The probability of all other classes, in the form that crepes asks for."""
    doubt = np.stack(
        [np.delete(probability, k, axis=1).sum(axis=1) for k in range(6)], axis=1
    )
    if y is None:
        return doubt
    return doubt[np.arange(len(y)), pd.Index(classes).get_indexer(y)]


def test_predictions_are_those_of_the_one_evaluation(photo):
    train, calibration, test = parts(photo, 3, n_calibration=20, n_test=30)
    found = predict_open(photo[0], train, calibration, {HELD_OUT: test}, seed=3)
    _, other = fit_and_test(photo[0], train, {HELD_OUT: test}, seed=3)
    for mine, theirs in (("predicted", "predicted"), ("source", "true")):
        np.testing.assert_array_equal(found[mine], other[theirs])
    np.testing.assert_allclose(found["probability"], other["probability"])
    np.testing.assert_array_equal(found["row"], other["row"])


class Certain(GaussianNB):
    """Gives probabilities that a float32 rounds to 1, as trained networks do."""

    def predict_proba(self, x):
        return super().predict_proba(x).astype(np.float32)


def test_doubt_tells_images_apart_whose_probability_is_rounded_to_one():
    train, calibration, test = (blobs(50, apart=6, seed=seed) for seed in range(3))
    found = predict_open(Certain(), train, calibration, {"test": test}, seed=0)
    rounded = Certain().fit(*train).predict_proba(test[0]).max(axis=1)
    assert (rounded == 1).mean() > 0.5
    assert (found["doubt"] > 0).all() and found["doubt"].nunique() > 190


def test_a_new_image_of_a_known_source_is_as_typical_as_any_other():
    """The p-value of "known" is uniform, and is no larger than 5 % in 5 % of cases."""
    shares = []
    for seed in range(40):
        train, calibration, test = (blobs(40, seed=3 * seed + i) for i in range(3))
        found = predict_open(GaussianNB(), train, calibration, {"x": test}, seed=0)
        shares.append((found["typical"] <= 0.05).mean())
    assert np.mean(shares) == pytest.approx(0.05, abs=0.015)


def test_classifiers_without_probabilities_are_refused():
    x = blobs(10)
    with pytest.raises(ValueError, match="LinearSVC.* gives no probabilities; take"):
        predict_open(LinearSVC(), x, x, {"x": x}, seed=0)


# Every model left out


def test_every_model_is_unknown_once_and_known_otherwise():
    x, table = pool(again=10)
    found = leave_each_out(GaussianNB(), x, table, **COUNTS)
    assert sorted(found["left_out"].unique()) == list("abcd")
    assert found["split"].unique().tolist() == [1, 2, 3, 4]
    out = found["set"] == LEFT_OUT
    assert (found.loc[out, "source"] == found.loc[out, "left_out"]).all()
    assert (found.loc[~out, "source"] != found.loc[~out, "left_out"]).all()
    assert (found["predicted"] != found["left_out"]).all()
    assert not found.loc[out, "covered"].any()
    sizes = found.groupby(["left_out", "set"]).size().unstack()
    assert sizes[HELD_OUT].eq(120).all() and sizes[LEFT_OUT].eq(40).all()
    assert sizes[RETRAINED].eq(30).all()
    np.testing.assert_array_equal(found["source"], table["source"][found["row"]])


def test_no_copy_is_on_two_sides():
    """Rows of one group are all in the training, in the calibration, or in the test."""
    x, table = pool(again=20, n=200)
    groups = np.arange(len(x))
    known = np.flatnonzero(table["set"] == HELD_OUT)
    groups[known] = known // 2  # pairs of copies
    copied = np.flatnonzero(table["set"] == RETRAINED)[:5]
    groups[copied] = groups[0]  # of an image of model a
    seen = {}

    class Spy(GaussianNB):
        def fit(self, rows, labels):
            seen["train"] = rows
            return super().fit(rows, labels)

        def predict_proba(self, rows):
            seen.setdefault("calibration", rows)
            return super().predict_proba(rows)

    found = leave_each_out(Spy(), x, table, groups=groups, **COUNTS)
    first = found[(found["split"] == 1) & (found["set"] == HELD_OUT)]
    test = set(groups[first["row"]])
    assert not set(copied) & set(found.loc[found["left_out"] != "a", "row"])
    calibration = {tuple(row) for row in seen["calibration"]}
    places = [i for i in known if tuple(x[i]) in calibration]
    assert len(places) == 90 and not set(groups[places]) & test


def test_far_sources_are_told_from_known_ones_and_equal_ones_are_not():
    options = COUNTS | {"seeds": (0, 1)}
    x, table = pool(again=200)
    same = leave_each_out(GaussianNB(), x, table, **options)
    scores = by_unit(open_set_scores(same), ["AUROC", "TPR"]).groupby("set").mean()
    assert scores.loc[RETRAINED, "AUROC"] == pytest.approx(0.5, abs=0.06)
    assert scores.loc[LEFT_OUT, "AUROC"] > 0.7
    rates = by_unit(set_rows(same), ["covered", "empty"]).groupby("set").mean()
    assert rates.loc[[HELD_OUT, RETRAINED], "covered"].tolist() == pytest.approx(
        [0.9, 0.9], abs=0.05
    )
    assert np.isnan(rates.loc[LEFT_OUT, "covered"])
    moved = leave_each_out(GaussianNB(), *pool(again=200, apart=1), **options)
    moved = by_unit(set_rows(moved), ["covered"]).groupby("set").mean()["covered"]
    assert moved[RETRAINED] < 0.6 < moved[HELD_OUT]


def test_scores_are_those_of_each_round():
    x, table = pool(again=15)
    found = leave_each_out(GaussianNB(), x, table, **COUNTS)
    found["distance"] = np.abs(x).sum(axis=1)[found["row"]]
    rows = open_set_scores(found, fpr=0.2).set_index(["split", "set", "source"])
    part = found[found["left_out"] == "b"]
    b = part["split"].iloc[0]
    known = part[part["set"] == HELD_OUT]
    unknown = part[(part["set"] == RETRAINED) & (part["source"] == "c")]
    right = (known["predicted"] == known["source"]).to_numpy()
    row = rows.loc[(b, RETRAINED, "c")]
    assert row["AUROC"] == auroc(-known["doubt"], -unknown["doubt"])
    assert row["TPR"] == tpr_at_fpr(-known["doubt"], -unknown["doubt"], fpr=0.2)
    assert row["OSCR"] == oscr(-known["doubt"].to_numpy(), right, -unknown["doubt"])
    far = open_set_scores(found, score="distance").set_index(rows.index.names)
    expected = auroc(-known["distance"], -unknown["distance"])
    assert far.loc[(b, RETRAINED, "c"), "AUROC"] == expected
    p = open_set_scores(found, score="p_value").set_index(rows.index.names)
    expected = auroc(known["p_value"], unknown["p_value"])
    assert p.loc[(b, RETRAINED, "c"), "AUROC"] == expected
    with pytest.raises(ValueError, match="there is no score 'entropy'; known: set,"):
        open_set_scores(found, score="entropy")


def test_a_unit_is_the_unknown_model_or_the_split():
    x, table = pool(again=12)
    table.loc[table.index[-6:], ["set", "source"]] = [REAL, "real"]
    found = leave_each_out(GaussianNB(), x, table, **COUNTS | {"seeds": (0, 1)})
    scores = open_set_scores(found)
    rows = by_unit(scores, ["AUROC"])
    assert sorted(rows.loc[LEFT_OUT].index) == list("abcd")
    assert sorted(rows.loc[RETRAINED].index) == list("abcd")
    assert sorted(rows.loc[REAL].index) == [f"split {i}" for i in range(1, 9)]
    mine = scores[(scores["set"] == RETRAINED) & (scores["source"] == "a")]
    without = found.groupby("split")["left_out"].first()[mine["split"]]
    assert sorted(without) == sorted("bcdbcd")
    assert rows.loc[(RETRAINED, "a"), "AUROC"] == pytest.approx(mine["AUROC"].mean())


def test_several_models_are_left_out_at_once_and_each_of_them_once():
    x, names = blobs(90)
    x, names = np.r_[x, x + 1], np.r_[names, [name.upper() for name in names]]
    table = pd.DataFrame({"set": HELD_OUT, "source": names})
    options = COUNTS | {"n_left_out": 2, "seeds": (0, 5)}
    found = leave_each_out(GaussianNB(), x, table, **options)
    parts = found.groupby("split")["left_out"].first().str.split(", ")
    assert parts.map(len).tolist() == [2] * 8
    for half in (parts[:4], parts[4:]):
        assert sorted(half.sum()) == sorted("abcdABCD")
    assert parts[:4].tolist() != parts[4:].tolist()
    out = found[found["set"] == LEFT_OUT]
    assert out.groupby(["split", "source"]).size().eq(40).all()
    assert found[found["set"] == HELD_OUT].groupby("split").size().eq(240).all()


def test_of_two_models_none_is_left_out():
    x, table = pool(again=10)
    kept = table["source"].isin(["a", "b"]).to_numpy()
    two = table[kept].reset_index(drop=True)
    found = leave_each_out(GaussianNB(), x[kept], two, **COUNTS)
    assert found["set"].unique().tolist() == [HELD_OUT, RETRAINED]
    assert set(found["left_out"]) == {""}
    assert len(by_unit(open_set_scores(found), ["AUROC"])) == 2


def test_too_few_models_or_images_are_refused():
    x, table = pool()
    alone = table["source"] == "a"
    with pytest.raises(
        ValueError, match=r"two known ones to be told from, got \['a'\]"
    ):
        leave_each_out(GaussianNB(), x[alone], table[alone], **COUNTS)
    with pytest.raises(ValueError, match="n_left_out must be at least 1, got 0"):
        leave_each_out(GaussianNB(), x, table, n_left_out=0, **COUNTS)
    counts = COUNTS | {"n_test": 41}
    with pytest.raises(ValueError, match="model 'a' has 90 images, fewer than 20 for"):
        leave_each_out(GaussianNB(), x, table, **counts)


# Images


@pytest.fixture(scope="module")
def coffee():
    return load("gm-photo/coffee", models=["dcgan", "glow"], n_real=1)


def test_a_pool_has_every_kind_of_unknown_source(coffee):
    other = load("gm-photo/flower", n_real=1)
    images, table = collect(coffee, 4, n_unknown=3, other=other)
    sizes = table.groupby(["set", "source"]).size()
    assert len(images) == len(table) == sizes.sum()
    assert sizes[HELD_OUT].to_dict() == {"dcgan": 4, "glow": 4}
    assert sizes[RETRAINED].to_dict() == {"dcgan": 6, "glow": 6}  # two trainings each
    assert sizes[OTHER_DATA].to_dict() == {"dcgan": 3, "glow": 3}
    assert sizes[REAL].to_dict() == {"real": 3}
    elsewhere = images[(table["source"] == "glow") & (table["set"] == OTHER_DATA)]
    assert all((other.images["glow"] == x).all(axis=(1, 2, 3)).any() for x in elsewhere)


def test_a_pool_takes_what_there_is(coffee):
    few = replace(coffee, real_test=coffee.real_test[:2], manifold=None)
    found = collect(few, 4, n_unknown=9).table.groupby("set", sort=False).size()
    assert found.to_dict() == {HELD_OUT: 8, REAL: 2}
    stranger = replace(coffee, images={"other": coffee.images["glow"]})
    assert OTHER_DATA not in set(
        collect(few, 4, n_unknown=9, other=stranger).table["set"]
    )


def test_images_of_another_size_are_refused(coffee):
    halved = {m: x[:, ::2, ::2] for m, x in coffee.images.items()}
    real = coffee.real[:, ::2, ::2]
    small = replace(coffee, images=halved, real=real, real_test=real)
    with pytest.raises(
        ValueError, match=r"has images of \(16, 16\) pixels, .* \(32, 3"
    ):
        collect(coffee, 4, n_unknown=3, other=small)


def test_a_given_split_is_kept_among_known_models():
    data = load("gm-photo/coffee", models=["dcgan", "glow", "ddpm"], n_real=1)
    classes = {**data.images, "real": data.real_test}
    tested = {name: np.arange(len(x)) % 3 == 0 for name, x in classes.items()}
    data = replace(data, tested=tested)
    pool = collect(data, 12, n_test=4, n_unknown=2)
    assert pool.table["tested"].sum() == 3 * 4
    x = pool.images.reshape(len(pool.images), -1)
    counts = {"n_train": 5, "n_calibration": 3, "n_test": 4}
    found = leave_each_out(GaussianNB(), x, pool.table, **counts)
    known = found[found["set"].isin([HELD_OUT, "model left out"])]
    assert set(known["row"]) == set(np.flatnonzero(pool.table["tested"]))
    sources = pool.table["source"][:36]
    parts = divide(sources, (5, 3, 4), seed=0, tested=pool.table["tested"][:36])
    assert [len(part) for part in parts] == [15, 9, 12]
    assert not pool.table["tested"][np.concatenate(parts[:2])].any()
    sides = {"groups": np.arange(36) % 30, "tested": pool.table["tested"][:36]}
    with pytest.raises(ValueError, match="groups of images, on both sides"):
        divide(sources, (5, 3, 4), seed=0, **sides)
