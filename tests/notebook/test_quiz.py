"""A quiz in a notebook: what is shown, and how an answer is judged."""

import json
from pathlib import Path
from types import SimpleNamespace

import pytest
from bs4 import BeautifulSoup
from quizzes import MULTIPLE, NUMBER, ORDER, QUESTIONS, SINGLE, VALUES, asked, write

from manifpt_utils.notebook import quiz as module
from manifpt_utils.notebook.judging import judged
from manifpt_utils.notebook.questions import Question, filled, read_questions
from manifpt_utils.notebook.quiz import check, quiz
from manifpt_utils.notebook.quiz_form import folded_quiz
from manifpt_utils.notebook.renderer import Renderer

FEEDBACK = [o["feedback"] for o in SINGLE["options"]]


@pytest.fixture
def shown(monkeypatch, tmp_path):
    """A quiz in a folder of its own; what it displayed: a list of (text, metadata)."""
    calls = []

    def keep(data, *, metadata, raw):
        assert raw and data["text/markdown"] == data["text/plain"]
        calls.append((data["text/markdown"], metadata["text/markdown"]))

    monkeypatch.setattr(module, "display", keep)
    monkeypatch.setattr(module, "FOLDER", tmp_path)
    monkeypatch.setattr(module, "_ASKED", {})
    write(tmp_path, QUESTIONS)
    return calls


# --- what is shown ----------------------------------------------------------------


def test_the_text_has_every_question_and_folds_hints_and_answers(shown):
    quiz("03_test", **VALUES)
    ((text, _),) = shown
    assert [f"**3.q{i}**" in text for i in range(1, 5)] == [True] * 4
    opened = text.partition("<details>")[0]
    assert "- **b**: behind" in opened and FEEDBACK[1] not in opened
    assert text.count("<details>") == text.count("</details>") == 2 + 4
    assert "40 % (± 2 is near enough)" in text
    places = [text.index(f"1. **{letter}**") for letter in "cba"]  # 0, 0.2, 0.5
    assert places == sorted(places)


def test_the_output_keeps_what_the_book_needs(shown):
    quiz("03_test", **VALUES)
    words = json.loads(json.dumps(shown[0][1], allow_nan=False))
    assert (words["kind"], words["name"]) == ("quiz", "03_test")
    assert words["values"]["gain"]["low"] == 0.012
    kept = [Question(**question) for question in words["questions"]]
    assert kept == list(module._ASKED["3"].questions.values())


def test_a_quiz_without_a_question_is_left_out(shown, monkeypatch):
    said = []
    monkeypatch.setattr(module, "left_out", lambda *words: said.append(words))
    write(module.FOLDER, [SINGLE])
    quiz("03_test", gain=None)
    assert shown == [] and said[0][0] == "The quiz"


def test_a_quiz_without_a_file_is_refused(shown):
    with pytest.raises(ValueError, match="cannot read 04_test.yml: No such file"):
        quiz("04_test")


# --- how an answer is judged ------------------------------------------------------


def test_a_wrong_answer_gets_its_reason_and_the_next_hint(shown):
    quiz("03_test", **VALUES)
    first, second, third = (check("3.q1", "b") for _ in range(3))
    assert first.state == "not yet" and first.text.startswith(FEEDBACK[1])
    assert first.text.endswith("Hint: Look at both ends.")
    assert second.text.endswith("Hint: Is zero inside?")
    assert third.text == FEEDBACK[1]  # there is no third hint
    right = check("3.q1", "a")
    assert right == ("right", FEEDBACK[0])
    assert right._repr_markdown_() == f"**Right.** {FEEDBACK[0]}"


def test_without_an_answer_there_is_a_hint_and_nothing_is_counted(shown, monkeypatch):
    monkeypatch.setattr(module, "_HINTED", {})
    quiz("03_test", **VALUES)
    hints = ["Look at both ends.", "Is zero inside?", "Is zero inside?"]
    assert [check("3.q1").text for _ in hints] == hints
    assert check("3.q1", "b").text.endswith("Hint: Look at both ends.")
    assert check("3.q2") == ("hint", "There is none; read the question once more.")


@pytest.mark.parametrize(
    ("question", "answer", "state", "words"),
    [
        (SINGLE, "a", "right", "above zero"),
        (SINGLE, ["a"], "right", "above zero"),
        (SINGLE, "c", "not yet", "Zero is inside"),
        (MULTIPLE, ["a", "c"], "right", "Two is. Four is."),
        (MULTIPLE, ["c", "a"], "right", "Four is. Two is."),
        (MULTIPLE, ["a"], "almost", "Two is. But 1 more to find."),
        (MULTIPLE, ["a", "b", "c"], "almost", "Three is odd."),
        (MULTIPLE, ["a", "b"], "not yet", "Three is odd."),
        (MULTIPLE, "b", "not yet", "Three is odd."),
        (NUMBER, 40, "right", "So it is."),
        (NUMBER, 41.9, "right", "So it is."),
        (NUMBER, 42.1, "not yet", "Read the table."),
        (NUMBER, 10, "almost", "That is chance."),
        (NUMBER, 0.4, "almost", "It is asked for in percent."),
        (NUMBER, -40, "almost", "The sign is the other way round."),
        (ORDER, ["c", "b", "a"], "right", "Exact errs by nothing."),
        (ORDER, ["b", "c", "a"], "almost", "The hull errs by 0.20."),
        (ORDER, ["a", "b", "c"], "not yet", "Nearest errs by 0.50."),
    ],
)
def test_states_and_reasons(tmp_path, question, answer, state, words):
    (found,) = asked(tmp_path, [question])
    verdict = judged(found, answer, name="3.q1")
    assert verdict.state == state
    assert words in verdict.text


def test_equal_places_may_be_given_in_either_order(tmp_path):
    (found,) = asked(tmp_path, [ORDER], hull=VALUES["near"])
    for answer in (["c", "a", "b"], ["c", "b", "a"]):
        assert judged(found, answer, name="3.q4").state == "right"


def test_the_largest_may_be_asked_for_first(tmp_path):
    (found,) = asked(tmp_path, [ORDER | {"first": "largest"}])
    assert judged(found, ["a", "b", "c"], name="3.q4").state == "right"


@pytest.mark.parametrize(
    ("question", "answer", "message"),
    [
        (SINGLE, 2, 'takes one letter from a to c, such as "a"; got 2'),
        (SINGLE, "d", "takes one letter from a to c"),
        (SINGLE, ["a", "b"], "takes one letter from a to c"),
        (MULTIPLE, [], "takes a list of different letters from a to d"),
        (MULTIPLE, ["a", "a"], "takes a list of different letters"),
        (MULTIPLE, None, "takes a list of different letters"),
        (NUMBER, "40", "takes a number, such as 0.5; got '40'"),
        (NUMBER, True, "takes a number"),
        (ORDER, ["a", "b"], "takes a list of all letters from a to c, the smallest"),
        (ORDER, 3, "takes a list of all letters"),
    ],
)
def test_an_answer_of_another_kind_is_refused(tmp_path, question, answer, message):
    (found,) = asked(tmp_path, [question])
    with pytest.raises(ValueError, match=f"^3.q9 {message}"):
        judged(found, answer, name="3.q9")


def test_a_question_that_was_not_asked_is_refused(shown):
    with pytest.raises(ValueError, match="'3.q1' has not been asked; run the cell"):
        check("3.q1", "a")
    quiz("03_test", **VALUES)
    with pytest.raises(ValueError, match="no question '3.q9' .* but 3.q1, 3.q2, 3.q3"):
        check("3.q9", "a")
    with pytest.raises(ValueError, match="'q1' has not been asked"):
        check("q1", "a")


def test_a_verdict_never_tells_the_solution(shown):
    quiz("03_test", **VALUES)
    wrong = {"3.q1": "b", "3.q2": ["b"], "3.q3": 7, "3.q4": ["a", "b", "c"]}
    said = {name: check(name, answer).text for name, answer in wrong.items()}
    assert FEEDBACK[0] not in said["3.q1"]
    assert "Two is" not in said["3.q2"] and "Four" not in said["3.q2"]
    assert "40" not in said["3.q3"]
    assert "Exact" not in said["3.q4"]


# --- the form of the book ---------------------------------------------------------


def form(folder, questions=QUESTIONS, **values):
    html = folded_quiz("03_test", asked(folder, questions, **values))
    return BeautifulSoup(html, "lxml")


def test_every_control_has_a_label_and_every_question_a_legend(tmp_path):
    page = form(tmp_path)
    controls = page.select("input, select")
    assert len(controls) == 3 + 4 + 1 + 3
    assert all(
        control.find_parent("label").get_text(strip=True) for control in controls
    )
    legends = [legend.get_text() for legend in page.select("form > fieldset > legend")]
    assert [legend[:2] for legend in legends] == ["1.", "2.", "3.", "4."]
    assert len(page.select("form > [aria-live=polite]")) == 4


def test_without_a_script_everything_can_be_read_and_nothing_is_dead(tmp_path):
    page = form(tmp_path)
    assert all(button.has_attr("hidden") for button in page.select("button"))
    for summary in page.select("details > summary"):
        assert summary.get_text() in (
            "Hint",
            "Another hint",
            "Answer",
            "Test yourself: 4 questions on this page",
        )
    answers = [answer.get_text() for answer in page.select(".quiz-answer")]
    assert all(feedback in answers[0] for feedback in FEEDBACK)
    assert "So it is." in answers[2]


def test_hints_are_inside_each_other(tmp_path):
    page = form(tmp_path)
    inner = page.select_one(".quiz-hint .quiz-hint")
    assert inner.get_text() == "Another hintIs zero inside?"


def test_text_becomes_neither_markup_nor_script(tmp_path):
    wild = "<script>throw 1</script> & *this* [x](javascript:y) {bad}"
    question = MULTIPLE | {"ask": wild}
    page = form(tmp_path, [question], bad='"><img src=x onerror=y>')
    legend = page.select_one("legend")
    assert not page.select("script, img, a")
    assert [tag.name for tag in legend.find_all(True)] == ["em", "small"]
    assert "<script>throw 1</script> &" in legend.get_text()


def test_another_run_has_another_version_of_its_questions_alone(tmp_path):
    def versions(**values):
        return [f["data-version"] for f in form(tmp_path, **values).select("form")]

    before, after = versions(), versions(share=0.3)
    assert [a == b for a, b in zip(before, after, strict=True)] == [
        True,
        True,
        False,
        True,
    ]


def test_the_book_makes_a_form_of_the_output(shown):
    quiz("03_test", **VALUES)
    text, words = shown[0]
    data = SimpleNamespace(
        mime_type="text/markdown",
        output_metadata={"text/markdown": json.loads(json.dumps(words))},
        string=text,
    )
    (node,) = Renderer.handle_mime(None, data, inline=False)
    questions = list(module._ASKED["3"].questions.values())
    assert node.astext() == folded_quiz("03_test", questions)


@pytest.mark.parametrize(
    "path",
    sorted((Path(__file__).parents[2] / "book" / "quizzes").glob("*.yml")),
    ids=lambda path: path.stem,
)
def test_quizzes_of_prose_pages_need_no_run(path):
    questions = filled(read_questions(path), {}, source=path.name)
    assert 4 <= len(questions) <= 6
