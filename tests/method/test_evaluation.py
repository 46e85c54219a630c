"""The one evaluation: splits without copies, predictions image by image, intervals."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.dummy import DummyClassifier
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import LinearSVC

from manifpt_utils.baselines import BASELINES, baseline
from manifpt_utils.method.classifiers import (
    ImageAttributor,
    VectorAttributor,
    attribution_pipeline,
)
from manifpt_utils.method.evaluation import (
    HELD_OUT,
    accuracy,
    copies,
    evaluate,
    fit_and_test,
    penultimate,
    split,
    with_effort,
    with_precision,
)
from manifpt_utils.method.manifold import DataManifold
from manifpt_utils.method.spaces import RGB

NEAREST = make_pipeline(RGB(), KNeighborsClassifier(1))


@pytest.mark.parametrize("head", [ImageAttributor(min_steps=20), VectorAttributor()])
def test_shuffled_labels_stay_at_chance(head, easy_rows):
    x, y = easy_rows(40)
    shuffled = np.random.default_rng(0).permutation(y)
    result = evaluate(head, x, shuffled, n_train=25, n_test=15)
    assert result.accuracy.mean() < 1 / 3 + 0.15


def test_evaluation_of_a_pipeline_from_images_on(easy_images):
    """A frozen manifold and a scikit-learn head, with an unseen set."""
    x, y = easy_images(40)
    real = easy_images(40, seed=9)[0][:40]
    pipeline = attribution_pipeline(DataManifold("rgb").fit(real), min_steps=40)
    unseen = {"other": easy_images(10, seed=3)}
    result = evaluate(
        pipeline, x, y, n_train=20, n_test=15, seeds=(0, 1), unseen=unseen
    )
    assert result.accuracy.shape == result.unseen["other"].shape == (2,)
    assert result.accuracy.mean() > 0.6
    np.testing.assert_allclose(result.confusion.sum(axis=1), 1)
    assert result.row()["n train"] == 20 and result.d == 64


def test_the_frechet_ratio_is_left_out_on_request(easy_rows):
    x, y = easy_rows(12)
    head = LogisticRegression(max_iter=200)
    counts = {"n_train": 6, "n_test": 6, "seeds": (0,)}
    without = evaluate(head, x, y, n_permutations=None, **counts)
    asked = evaluate(head, x, y, **counts)
    assert np.isnan(without.ratio).all() and np.isfinite(asked.ratio).all()
    np.testing.assert_array_equal(without.accuracy, asked.accuracy)
    assert without.d == asked.d == x.shape[1]


def test_a_method_that_learns_features_is_fitted_on_each_split(easy_rows):
    x, y = easy_rows(30)
    pipeline = make_pipeline(StandardScaler(), LogisticRegression(max_iter=200))
    result = evaluate(pipeline, x, y, n_train=15, n_test=15)
    assert result.accuracy.mean() > 0.9
    assert result.row()["sd"] == pytest.approx(result.accuracy.std(ddof=1))


def test_effort_scales_every_network_inside_and_nothing_else():
    head = ImageAttributor(epochs=8, min_steps=100, seed=3)
    pipeline = with_effort(make_pipeline(StandardScaler(), head), 0.25)
    found = pipeline[-1].get_params()
    assert (found["epochs"], found["min_steps"], found["seed"]) == (2, 25, 3)
    assert with_effort(VectorAttributor(epochs=2), 1e-9).epochs == 1
    plain = LogisticRegression().get_params()
    assert with_effort(LogisticRegression(), 0.5).get_params() == plain
    for bad in (0, -1, np.nan, np.inf):
        with pytest.raises(ValueError, match=r"effort must be a positive number, got"):
            with_effort(head, bad)


def test_precision_reaches_every_network_of_the_earlier_methods_and_nothing_else():
    for name in BASELINES:
        plain = baseline(name).get_params()
        changed = with_precision(baseline(name), "bfloat16").get_params()
        differing = {k for k in plain if repr(plain[k]) != repr(changed[k])}
        own = {"classifier__precision"} if BASELINES[name].has_network else set()
        assert {x for x in differing if x not in ("steps", "classifier")} == own
    assert with_precision(ImageAttributor(), "bfloat16").precision == "bfloat16"


def test_splits_are_balanced_disjoint_and_repeatable():
    labels = np.repeat(["a", "b", "c"], [30, 50, 40])
    train, test = split(labels, n_train=12, n_test=8, seed=4)
    assert not set(train) & set(test)
    assert set(np.unique(labels[train], return_counts=True)[1]) == {12}
    assert set(np.unique(labels[test], return_counts=True)[1]) == {8}
    np.testing.assert_array_equal(train, split(labels, n_train=12, n_test=8, seed=4)[0])


# Estimators


class Counted(RGB):
    """Counts how often images are transformed."""

    calls = 0

    def transform(self, images):
        type(self).calls += 1
        return super().transform(images)


def test_frozen_steps_are_computed_once_and_all_others_for_every_split(easy_images):
    x, y = easy_images(12)
    head = KNeighborsClassifier(1)
    options = {"n_train": 6, "n_test": 6, "seeds": range(4), "n_permutations": None}
    frozen = make_pipeline(FrozenEstimator(Counted().fit(x)), StandardScaler(), head)
    Counted.calls = 0
    once = evaluate(frozen, x, y, unseen={"more": easy_images(3, seed=5)}, **options)
    assert Counted.calls == 2
    fitted = evaluate(make_pipeline(Counted(), StandardScaler(), head), x, y, **options)
    assert Counted.calls > 2 + 4
    np.testing.assert_array_equal(once.accuracy, fitted.accuracy)


def test_a_classifier_alone_and_as_the_only_step_are_the_same(easy_rows):
    x, y = easy_rows(12)
    options = {"n_train": 6, "n_test": 6, "seeds": (0, 1)}
    alone = evaluate(LinearSVC(), x, y, **options)
    step = evaluate(make_pipeline(LinearSVC()), x, y, **options)
    np.testing.assert_array_equal(alone.accuracy, step.accuracy)
    np.testing.assert_array_equal(alone.ratio, step.ratio)


def test_separability_is_that_of_what_the_classifier_is_given(easy_images):
    x, y = easy_images(8)
    fitted = make_pipeline(RGB(), StandardScaler(), LogisticRegression()).fit(x, y)
    features = penultimate(fitted, x)
    np.testing.assert_allclose(features.std(axis=0), 1, rtol=1e-4)
    assert penultimate(fitted[-1], features) is features
    result = evaluate(fitted, x, y, n_train=4, n_test=4, seeds=(0,))
    assert result.d == x[0].size and np.isfinite(result.ratio).all()


# Predictions


def test_predictions_image_by_image_add_up_to_the_scores(easy_images):
    x, y = easy_images(14)
    unseen = {"more": easy_images(5, seed=3), "other": easy_images(2, seed=4)}
    pipeline = make_pipeline(RGB(), LogisticRegression(max_iter=50))
    options = {"n_train": 6, "n_test": 8, "n_permutations": None}
    result = evaluate(pipeline, x, y, seeds=(3, 9), unseen=unseen, **options)
    table = result.predictions
    assert list(table) == ["seed", "set", "row", "true", "predicted", "probability"]
    assert table.groupby(["seed", "set"]).size().tolist() == [24, 15, 6] * 2
    scores = accuracy(table)
    np.testing.assert_array_equal(scores.loc[HELD_OUT], result.accuracy)
    np.testing.assert_array_equal(scores.loc["other"], result.unseen["other"])
    for seed in (3, 9):
        train, test = split(y, n_train=6, n_test=8, seed=seed)
        fitted = pipeline.fit(x[train], y[train])
        part = table[(table["seed"] == seed) & (table["set"] == HELD_OUT)]
        np.testing.assert_array_equal(part["row"], test)
        np.testing.assert_array_equal(part["true"], y[test])
        np.testing.assert_array_equal(part["predicted"], fitted.predict(x[test]))
        best = fitted.predict_proba(x[test]).max(axis=1)
        np.testing.assert_allclose(part["probability"], best, rtol=1e-5)


def test_confusion_is_the_share_of_each_pair_over_all_seeds(easy_rows):
    x, y = easy_rows(20)
    y = np.where(y == "glow", np.resize(["glow", "dcgan"], len(y)), y)
    options = {"n_train": 5, "n_test": 5, "n_permutations": None}
    result = evaluate(KNeighborsClassifier(1), x, y, **options)
    found = result.confusion
    assert list(found) == list(found.index) == ["dcgan", "ddpm", "glow"]
    np.testing.assert_allclose(found.sum(axis=1), 1)
    assert np.mean(np.diag(found)) == pytest.approx(result.accuracy.mean())
    assert found.loc["ddpm", "ddpm"] == 1 and found.loc["glow", "dcgan"] > 0


def test_classes_that_are_never_predicted_stay_in_the_confusion(easy_rows):
    x, y = easy_rows(6)
    head = DummyClassifier(strategy="constant", constant="ddpm")
    result = evaluate(head, x, y, n_train=3, n_test=3, n_permutations=None)
    assert result.confusion["ddpm"].tolist() == [1, 1, 1]
    assert result.confusion.to_numpy().sum() == 3


def test_a_classifier_without_probabilities_has_none(easy_rows):
    x, y = easy_rows(6)
    tests = {"a": (x[:4], y[:4])}
    _, found = fit_and_test(LinearSVC(), (x, y), tests, seed=0)
    assert found["probability"].isna().all()
    head = LogisticRegression()
    _, quick = fit_and_test(head, (x, y), tests, seed=0, with_probability=False)
    assert quick["probability"].isna().all() and not hasattr(head, "classes_")


# Splits


def test_splits_without_copies_are_those_that_stored_results_rest_on():
    labels = np.repeat(["a", "b", "c"], [6, 5, 7])
    for groups in (None, np.arange(18)):
        train, test = split(labels, n_train=2, n_test=1, seed=4, groups=groups)
        assert train.tolist() == [9, 13, 15, 2, 8, 5] and test.tolist() == [12, 4, 6]


@settings(max_examples=100, deadline=None)
@given(
    st.integers(0, 2**32 - 1),
    st.integers(1, 4),
    st.integers(1, 5),
    st.integers(1, 5),
    st.booleans(),
)
def test_no_group_is_on_both_sides(seed, size, n_train, n_test, shared):
    """Groups of any size below five, within a class or across classes."""
    rng = np.random.default_rng(seed)
    labels = np.repeat(["a", "b", "c"], 30)
    groups = np.arange(90) // size
    groups = rng.permutation(groups) if shared else groups
    train, test = split(labels, n_train=n_train, n_test=n_test, seed=0, groups=groups)
    assert not set(groups[train]) & set(groups[test])
    for rows, n in ((train, n_train), (test, n_test)):
        assert len(set(rows)) == len(rows)
        assert np.unique(labels[rows], return_counts=True)[1].tolist() == [n] * 3
    again = split(labels, n_train=n_train, n_test=n_test, seed=0, groups=groups)
    np.testing.assert_array_equal(train, again[0])


def test_groups_that_just_fit_are_divided():
    labels, groups = np.repeat(["a", "b"], 60), np.arange(120) // 6
    train, test = split(labels, n_train=30, n_test=30, seed=1, groups=groups)
    assert sorted([*train, *test]) == list(range(120))


def test_groups_may_have_names_and_be_a_list():
    labels, numbers = np.repeat(["a", "b"], 12), np.arange(24) // 2
    names = [f"{number:02}" for number in numbers]
    counts = {"n_train": 4, "n_test": 4, "seed": 3}
    one, other = (split(labels, **counts, groups=g) for g in (numbers, names))
    np.testing.assert_array_equal(one, other)


def test_groups_that_cannot_be_divided_are_refused():
    labels, groups = np.repeat(["a", "b"], 12), np.repeat([0, 1, 2], [12, 6, 6])
    message = r"cannot be kept apart.*Different ones per class: {'a': 1, 'b': 2}"
    with pytest.raises(ValueError, match=message):
        split(labels, n_train=3, n_test=3, seed=0, groups=groups)


# Copies


def noise(n, seed):
    return np.random.default_rng(seed).integers(0, 256, (n, 6, 6, 3), np.uint8)


def test_equal_images_have_one_number():
    x = noise(4, 0)[[0, 1, 0, 2, 1, 3]]
    assert copies(x).tolist() == [0, 1, 0, 2, 1, 3]
    assert copies(x.swapaxes(1, 2)).tolist() == [0, 1, 0, 2, 1, 3]
    ends_with_zeros = np.array([[[1]], [[256]], [[0]]], np.uint16)
    assert copies(ends_with_zeros).tolist() == [0, 1, 2]


def test_copies_of_images_give_nothing_away():
    """Six copies of each image, and nothing to learn: the honest score is one half."""
    x, y = noise(20, 0).repeat(6, axis=0), np.repeat(["alpha", "beta"], 60)
    options = {"n_train": 30, "n_test": 30, "n_permutations": None}
    known = evaluate(NEAREST, x, y, seeds=range(8), **options)
    assert known.accuracy.mean() == pytest.approx(0.5, abs=0.15)
    head, rows = KNeighborsClassifier(1), x.reshape(len(x), -1)
    features = evaluate(head, rows, y, groups=copies(x), seeds=range(8), **options)
    np.testing.assert_array_equal(features.accuracy, known.accuracy)
    # Of features, nobody knows whether equal rows are copies; hence the option.
    assert evaluate(head, rows, y, **options).accuracy.min() > 0.8


def test_images_of_several_classes_are_reported_with_names():
    x = noise(20, 0)
    x[15:18] = x[:3]
    y = np.repeat(["alpha", "real"], 10)
    with pytest.warns(UserWarning, match="3 images are equal in .* alpha, real;"):
        evaluate(NEAREST, x, y, n_train=3, n_test=3, n_permutations=None)


def test_copies_in_an_unseen_set_are_left_out_and_rows_keep_their_numbers():
    x, y = noise(20, 0), np.repeat(["a", "b"], 10)
    unseen = np.concatenate([x[2:4], noise(3, 1)])[[2, 0, 3, 1, 4]]
    sets = {"later": (unseen, np.array(["a", "b", "a", "b", "a"]))}
    options = {"n_train": 5, "n_test": 5, "seeds": (0,), "n_permutations": None}
    with pytest.warns(UserWarning, match="2 of 5 images of 'later' are copies"):
        result = evaluate(NEAREST, x, y, unseen=sets, **options)
    part = result.predictions[result.predictions["set"] == "later"]
    assert part["row"].tolist() == [0, 2, 4] and set(part["true"]) == {"a"}
    sets = {"later": (x[:2], y[:2])}
    with pytest.raises(ValueError, match="all images of 'later' are copies"):
        evaluate(NEAREST, x, y, unseen=sets, **options)


def test_copies_stay_together_in_whatever_groups_are_given():
    """Images 0 and 1 are equal, 1 and 2 of a group: all three are on one side."""
    x, y = noise(24, 0), np.repeat(["a", "b"], 12)
    x[1] = x[0]
    groups = np.arange(24)
    groups[2] = groups[1]
    options = {"n_train": 5, "n_test": 7, "n_permutations": None}
    result = evaluate(NEAREST, x, y, seeds=range(30), groups=groups, **options)
    tested = result.predictions.groupby("seed")["row"].agg(set)
    together = [len({0, 1, 2} & rows) for rows in tested]
    assert set(together) == {0, 3}


# Refusals


class _Untrained(VectorAttributor):
    def fit(self, *_):
        raise AssertionError("a training began before the input was checked")


def test_wrong_input_is_named(easy_rows):
    x, y = easy_rows(5)
    head = VectorAttributor()
    counts = {"n_train": 2, "n_test": 2}
    with pytest.raises(ValueError, match="n_test=3 images .* leave the FDR out by"):
        evaluate(_Untrained(), x, y, n_train=2, n_test=3)
    with pytest.raises(ValueError, match="at least two classes"):
        evaluate(head, x[:5], y[:5], **counts)
    with pytest.raises(ValueError, match="'dcgan' has 5 images, fewer than 9"):
        evaluate(head, x, y, n_train=9, n_test=2)
    with pytest.raises(ValueError, match="15 images, but 14 labels"):
        evaluate(head, x, y[:-1], **counts)
    with pytest.raises(ValueError, match="seeds is empty"):
        evaluate(head, x, y, seeds=(), **counts)
    with pytest.raises(ValueError, match="cannot be named 'held out'; rename it"):
        evaluate(head, x, y, unseen={"held out": (x, y)}, **counts)
    with pytest.raises(ValueError, match="15 images, but 3 groups"):
        evaluate(head, x, y, groups=[1, 2, 3], **counts)
