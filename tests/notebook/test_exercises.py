"""Exercises: each property that fails is named, and nothing is told too early."""

from unittest import mock

import numpy as np
import pytest
from IPython.core.interactiveshell import InteractiveShell

from manifpt_utils.method.manifold import DataManifold
from manifpt_utils.metrics import (
    auroc,
    holm,
    p_values,
    paired_difference,
    precision_recall,
    wasserstein_distance,
)
from manifpt_utils.notebook import quiz as module
from manifpt_utils.notebook.exercises import EXERCISES
from manifpt_utils.notebook.judging import AnswerError
from manifpt_utils.notebook.quiz import check
from manifpt_utils.notebook.trying import tried

each = pytest.mark.parametrize("name", EXERCISES)


def returning(value):
    """A reader's function that returns the same whatever it is given."""
    return lambda *arguments: value


@each
def test_the_right_result_is_right(name):
    expected = EXERCISES[name].expected
    assert tried(EXERCISES[name], returning(expected), name=name).state == "right"
    near = tried(EXERCISES[name], returning(expected.tolist()), name=name)
    assert near.state == "right"


@each
def test_every_known_mistake_is_named(name):
    exercise = EXERCISES[name]
    for mistake, why in exercise.mistakes:
        assert tried(exercise, returning(mistake), name=name) == ("almost", why)


@each
def test_the_other_sign_and_another_shape_are_named(name):
    exercise = EXERCISES[name]
    sign = tried(exercise, returning(-exercise.expected), name=name)
    assert sign.state in ("almost", "on the way")
    shape = tried(exercise, returning(exercise.expected[None]), name=name)
    assert shape.state == "on the way" and str(exercise.expected.shape) in shape.text


@each
def test_other_numbers_are_on_the_way(name):
    exercise = EXERCISES[name]
    for wrong in (exercise.expected + 9, np.full(exercise.expected.shape, np.nan)):
        assert tried(exercise, returning(wrong), name=name).state == "on the way"


def test_the_sign_of_an_artifact_is_named():
    exercise = EXERCISES["1.1"]
    found = tried(exercise, returning(-exercise.expected), name="1.1")
    assert found == ("almost", "The sign is the other way round.")


def fail(*_):
    raise KeyError("no such thing")


def wait(*_):
    raise NotImplementedError


@pytest.mark.parametrize(
    ("function", "state", "words"),
    [
        (None, "nothing yet", "Write the function first."),
        (wait, "nothing yet", "waits for your code"),
        (returning(None), "nothing yet", "returns nothing"),
        (returning("words"), "on the way", "must be numbers"),
        (returning([[1], [2, 3]]), "on the way", "must be numbers"),
        (fail, "on the way", "stops with KeyError: 'no such thing'"),
        (lambda: 0, "on the way", "stops with TypeError"),
    ],
)
def test_what_is_not_finished_is_said_so(function, state, words):
    found = check("1.1", function)
    assert found.state == state and words in found.text


def test_a_function_cannot_change_what_others_are_tried_with():
    def spoil(generated, real):
        generated += 1
        return generated - real[: len(generated)]

    check("1.1", spoil)
    expected = EXERCISES["1.1"].expected
    assert check("1.1", returning(expected)).state == "right"


def test_a_result_in_place_of_the_function_is_refused():
    with pytest.raises(ValueError, match="1.1 takes your function itself, .* a float"):
        check("1.1", 0.5)


def test_without_an_answer_there_is_a_hint_and_then_the_next(monkeypatch):
    monkeypatch.setattr(module, "_HINTED", {})
    hints = EXERCISES["1.1"].hints
    found = [check("1.1") for _ in range(3)]
    assert [verdict.text for verdict in found] == [*hints, hints[-1]]
    assert {verdict.state for verdict in found} == {"hint"}


def test_the_second_wrong_function_gets_a_hint_and_the_third_the_next(monkeypatch):
    monkeypatch.setattr(module, "_MISSED", {})
    exercise = EXERCISES["1.1"]
    hints = ["", *(f"\n\nHint: {hint}" for hint in exercise.hints), ""]
    reason = "The sign is the other way round."
    found = [check("1.1", returning(-exercise.expected)).text for _ in range(4)]
    assert found == [reason + hint for hint in hints]
    assert "Hint" not in check("1.1", returning(exercise.expected)).text


def test_what_is_not_written_yet_needs_no_hint(monkeypatch):
    monkeypatch.setattr(module, "_MISSED", {})
    assert not any("Hint" in check("1.1", wait).text for _ in range(3))


def test_numbers_that_are_right_among_wrong_ones_are_counted():
    exercise = EXERCISES["1.1"]
    half = exercise.expected.copy()
    half[2:] += 1
    assert tried(exercise, returning(half), name="1.1").text.endswith(": 6 of 15 are.")


def test_an_exercise_that_is_not_there_is_refused_with_those_that_are():
    with pytest.raises(ValueError, match=r"no exercise '1.9', but 1.1 and 1.2\."):
        check("1.9", returning(0))
    with pytest.raises(ValueError, match="no exercise '99.1', but 0.1, .* and 17.2"):
        check("99.1", returning(0))


def test_a_name_may_be_written_as_a_number():
    assert check(1.1, returning(EXERCISES["1.1"].expected)).state == "right"


def test_a_notebook_shows_what_cannot_be_judged_in_one_sentence():
    shell = InteractiveShell.instance()
    with pytest.raises(AnswerError) as caught:
        check("1.1", 0.5)
    said = []
    with mock.patch.object(shell, "_showtraceback", lambda *found: said.extend(found)):
        shell.showtraceback((caught.type, caught.value, caught.tb))
    assert said[2] == [f"AnswerError: {caught.value}"]


def by_manifold(name, **options):
    """Artifacts of the package for the arrays of an exercise."""
    generated, real = EXERCISES[name].arguments[:2]
    manifold = DataManifold(None, **options).fit(real.astype(np.float32))
    return manifold.transform(generated.astype(np.float32))


def balls(name):
    """Precision, recall and coverage of the package, given the same points."""
    generated, real, k = EXERCISES[name].arguments
    return precision_recall(real, generated, k=k)


def p_values_of_one_class():
    calibration, new = EXERCISES["17.1"].arguments
    return p_values(new[:, None], calibration, np.zeros(len(calibration), int))[:, 0]


@pytest.mark.parametrize(
    ("name", "of_package"),
    [
        ("0.2", lambda: by_manifold("0.2", estimator="tangent", k=2, m=1)),
        ("0.3", lambda: 1 - balls("0.3").precision),
        ("1.1", lambda: by_manifold("1.1", estimator="nearest")),
        ("3.2", lambda: paired_difference(*EXERCISES["3.2"].arguments)[:3]),
        ("5.2", lambda: holm(EXERCISES["5.2"].arguments[0])),
        ("9.1", lambda: auroc(*EXERCISES["9.1"].arguments[::-1])),
        ("12.1", lambda: balls("12.1").coverage),
        ("17.1", p_values_of_one_class),
    ],
)
def test_the_package_gives_the_same_result(name, of_package):
    found, expected = np.asarray(of_package()), EXERCISES[name].expected
    assert found == pytest.approx(expected, abs=1e-5)


def test_the_mean_artifact_and_w1_are_those_of_the_package():
    generated, real = EXERCISES["0.4"].arguments
    mean = np.linalg.norm(generated - nearest_of(generated, real), axis=1).mean()
    expected = [mean, wasserstein_distance(generated, real)]
    assert EXERCISES["0.4"].expected == pytest.approx(expected)


def nearest_of(x, real):
    manifold = DataManifold(None).fit(real.astype(np.float32))
    return x - manifold.transform(x.astype(np.float32))
