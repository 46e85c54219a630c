"""Predictions: what a reader enters is kept, compared, and refused if of no use."""

import json
from types import SimpleNamespace

import numpy as np
import pytest
import yaml
from quizzes import SINGLE

from manifpt_utils.metrics.intervals import Interval
from manifpt_utils.notebook import predictions as module
from manifpt_utils.notebook.prediction_form import found_html, prediction_html
from manifpt_utils.notebook.predictions import compare, expect
from manifpt_utils.notebook.questions import Prediction, read_predictions
from manifpt_utils.notebook.renderer import Renderer

SIDES = {
    "id": "lead",
    "kind": "choice",
    "about": "The paper",
    "ask": "With {n} images, will it be ahead?",
    "looks": "points",
    "options": [
        {"value": "ahead", "text": "ahead of it"},
        {"value": "behind", "text": "behind it"},
        {"value": "undecided", "text": "neither"},
    ],
}
SHARE = {
    **{"id": "share", "kind": "number", "about": "A share"},
    **{"ask": "How many?", "unit": "%"},
}
GAIN = Interval(0.043, 0.012, 0.074, 4, 0.02)


def write(folder, *predictions):
    path = folder / "03_test.yml"
    content = {"questions": [SINGLE], "predictions": list(predictions)}
    path.write_text(yaml.safe_dump(content), encoding="utf-8")
    return path


@pytest.fixture
def chapter(tmp_path, monkeypatch):
    write(tmp_path, SIDES, SHARE)
    monkeypatch.setattr(module, "FOLDER", tmp_path)
    monkeypatch.setattr(module, "_EXPECTED", {})


@pytest.fixture
def shown(monkeypatch):
    """Texts and metadata of what is displayed."""
    found = []

    def keep(data, metadata, raw):
        found.append((data["text/markdown"], metadata["text/markdown"]))

    monkeypatch.setattr(module, "display", keep)
    return found


def test_nothing_entered_shows_the_question_and_then_the_result(chapter, shown):
    expect("03_test", "lead", None, n=20)
    compare("03_test", "lead", GAIN)
    (asked, _), (found, _) = shown
    assert "With 20 images, will it be ahead?" in asked
    assert '- `"behind"`: behind it' in asked and "Nothing is entered yet" in asked
    assert found == (
        "*The paper.* This run found: **ahead of it, +4.3 points (95 % interval +1.2 "
        "to +7.4, n = 4)**."
    )


def test_a_result_that_is_not_of_this_run_is_not_said_to_be(shown, chapter, tmp_path):
    write(tmp_path, SIDES | {"source": "The stored results say"})
    compare("03_test", "lead", GAIN)
    assert shown[0][0].startswith("*The paper.* The stored results say: **ahead")
    (asked,) = read_predictions(tmp_path / "03_test.yml").values()
    html = found_html("03_test", asked, result="ahead", words="ahead of it")
    assert "The stored results say: <strong>ahead" in html and "This run" not in html


@pytest.mark.parametrize(
    ("entry", "words"),
    [
        ("ahead", "You expected: ahead of it. This run found: **ahead of it"),
        ("behind", "You expected: behind it. This run found: **ahead of it"),
    ],
)
def test_what_is_expected_is_taken_up(chapter, shown, entry, words):
    expect("03_test", "lead", entry, n=20)
    compare("03_test", "lead", GAIN)
    assert shown[1][0].startswith(f"*The paper.* {words}")
    assert ("That is what you expected." in shown[1][0]) == (entry == "ahead")


@pytest.mark.parametrize(
    ("entry", "words"),
    [
        (42, "You expected: 42.0 %. This run found: **40.0 %**. You were within"),
        (90.0, "It is less than that."),
        (2, "It is more than that."),
    ],
)
def test_a_number_is_in_its_unit(chapter, shown, entry, words):
    expect("03_test", "share", None)
    expect("03_test", "share", entry)
    compare("03_test", "share", np.float64(0.4))
    assert "write a number, in percent, such as 12.5 in the place" in shown[0][0]
    assert words in shown[2][0]


def test_an_entry_that_is_taken_back_is_forgotten(chapter, shown):
    expect("03_test", "lead", "ahead", n=20)
    expect("03_test", "lead", None, n=20)
    compare("03_test", "lead", GAIN)
    assert "You expected" not in shown[2][0]


@pytest.mark.parametrize("missing", [None, float("nan")])
def test_a_run_without_the_result_says_so(chapter, monkeypatch, missing):
    told = []
    monkeypatch.setattr(module, "left_out", lambda *words: told.append(words))
    compare("03_test", "lead", missing)
    assert told == [("What you expected", "this run has no result to compare it with")]


@pytest.mark.parametrize(
    ("id_", "entry", "message"),
    [
        ("lead", "aheda", 'lead takes "ahead", "behind" or "undecided"; got "aheda"'),
        ("lead", 5, 'lead takes "ahead", .*; got 5'),
        ("share", "many", 'share takes a number, in percent, such as 12.5; got "many"'),
        ("share", True, "share takes a number, .*; got True"),
        ("led", None, "03_test.yml has no prediction 'led', but lead and share"),
    ],
)
def test_an_entry_of_another_kind_is_refused(chapter, id_, entry, message):
    with pytest.raises(ValueError, match=message):
        expect("03_test", id_, entry, n=20)


def test_a_value_that_is_not_given_is_named(chapter):
    with pytest.raises(
        ValueError, match=r"lead: the run gives no n; give it to expect"
    ):
        expect("03_test", "lead", None)


def test_a_result_that_no_option_has_is_refused(chapter):
    with pytest.raises(ValueError, match='lead has options for .*"sideways"'):
        compare("03_test", "lead", "sideways")


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        (SIDES | {"options": []}, "lead: .* needs two options or more"),
        (SIDES | {"unit": "%"}, "lead: unit is for a prediction of kind number"),
        (SHARE | {"options": SIDES["options"]}, "share: .* has no options"),
        (SIDES | {"loks": "points"}, "lead: unknown key 'loks'; did you mean 'looks'"),
        (SIDES | {"looks": "big"}, "lead: looks = 'big' must be number, percent"),
        (SIDES | {"ask": "a {"}, "lead: .*write a brace twice"),
        (
            SIDES | {"options": [{"value": 1.5, "text": "x"}] * 2},
            "lead, option a: value = 1.5 must be what the run may find",
        ),
    ],
)
def test_an_error_in_a_file_names_the_prediction(tmp_path, asked, message):
    path = write(tmp_path, asked)
    with pytest.raises(ValueError, match=rf"(?s)^03_test.yml:.*{message}"):
        read_predictions(path)


def test_an_id_is_used_once(tmp_path):
    with pytest.raises(ValueError, match="give each prediction an id of its own"):
        read_predictions(write(tmp_path, SHARE, SHARE))


def test_a_form_has_a_control_for_every_option_and_no_markup_of_a_value():
    asked = Prediction(**SIDES | {"ask": "<b>x</b>"})
    html = prediction_html("03_test", asked)
    assert html.count('type="radio"') == 3 and html.count("<label") == 3
    assert "<fieldset>" in html and "&lt;b&gt;x" in html


def test_a_result_stands_beside_the_form_of_the_same_name():
    asked = Prediction(**SHARE)
    found = found_html("03_test", asked, result=40.0, words="40.0 %")
    name = 'data-prediction="03_test share"'
    assert name in found and name in prediction_html("03_test", asked)
    assert 'data-result="40.0"' in found and 'aria-live="polite"' in found


def test_the_book_makes_a_form_and_a_result_of_the_outputs(chapter, shown):
    expect("03_test", "lead", None, n=20)
    compare("03_test", "lead", GAIN)
    asked, found = (rendered(*output) for output in shown)
    assert "With 20 images, will it be ahead?" in asked and "<form" in asked
    assert 'data-result="ahead"' in found and "+4.3 points" in found


def rendered(text, words):
    data = SimpleNamespace(
        mime_type="text/markdown",
        output_metadata={"text/markdown": json.loads(json.dumps(words))},
        string=text,
    )
    (node,) = Renderer.handle_mime(None, data, inline=False)
    return node.astext()
