"""Every question has an answer, and the students' sheet does not hold it."""

from pathlib import Path

import pytest
from chapters import write_chapter

from teaching.contents import chapters
from teaching.exam import exam_documents, read_exam
from teaching.outline import read_outline

ROOT = Path(__file__).parents[2]
NAMES = chapters(ROOT)


@pytest.fixture(scope="module")
def bank():
    return read_exam(chapters=NAMES)


def file_with(tmp_path, text):
    path = tmp_path / "exam.yml"
    path.write_text(text)
    return path


def test_every_chapter_has_an_open_question(bank):
    assert {question.chapter for question in bank} == set(NAMES)


def test_no_question_is_asked_twice(bank):
    assert len({question.ask for question in bank}) == len(bank)


def test_no_answer_stands_in_a_question(bank):
    asked = "\n".join(question.ask for question in bank)
    assert not [line for question in bank for line in question.answer if line in asked]


def test_questions_and_answers_are_numbered_alike(bank, tmp_path):
    outline = read_outline(write_chapter(tmp_path / "03_attribution.ipynb"))
    asked, answered = exam_documents(bank, [outline])
    own = [question for question in bank if question.chapter == outline.name]
    for number, question in enumerate(own, start=1):
        assert f"**{number}.** {question.ask.strip()}" in asked
        assert f"**{number}.** \n\n- {question.answer[0]}" in answered
    for number in range(1, len(own) + 3):
        assert f"**{number}.**" in asked and f"**{number}.**" in answered


def test_the_questions_hold_no_answer_and_the_answers_the_numbers_of_the_run(
    bank, tmp_path
):
    outline = read_outline(write_chapter(tmp_path / "03_attribution.ipynb"))
    asked, answered = exam_documents(bank, [outline])
    for question in bank:
        assert not any(line in asked for line in question.answer)
    assert "It is so by definition." not in asked and "4,217" not in asked
    assert "**a.** It is so by definition." in answered
    assert "4,217.00, or within 1.00 of it" in answered


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("questions: 3", "must hold one key"),
        ("others: []", "must hold one key"),
        ("questions: [{chapter: a, minutes: 3, ask: b, answer: []}]", "answer"),
        ("questions: [{chapter: a, minutes: 0, ask: b, answer: [c]}]", "minutes"),
        (
            "questions: [{chapter: x, minutes: 3, ask: b, answer: [c]}]",
            "no chapter 'x'",
        ),
    ],
)
def test_a_file_with_an_error_is_named_with_it(tmp_path, text, message):
    with pytest.raises(ValueError, match=rf"(?s)exam\.yml.*{message}"):
        read_exam(file_with(tmp_path, text), chapters=["a"])
