"""Slides say what the chapter says, and no more than fits."""

import re

import nbformat
import pytest
from chapters import chapter, said, write_chapter
from nbformat.v4 import new_markdown_cell, new_notebook

from teaching.deck import deck
from teaching.outline import first_sentences, read_outline
from teaching.slides import slides_html

KEYS = ("title", "answer_text", "answer", "figure", "section")  # cells of a chapter


@pytest.fixture
def outline(tmp_path):
    return read_outline(write_chapter(tmp_path / "01_squares.ipynb"))


def texts(notebook, kind=None):
    return [
        cell.source
        for cell in notebook.cells
        if kind is None or cell.metadata["slideshow"]["slide_type"] == kind
    ]


def test_a_chapter_becomes_its_parts(outline):
    assert [s.title for s in outline.sections] == [
        "Squares",
        "The answer",
        "Corners",
        "Takeaways",
    ]
    assert outline.section("The answer").findings == ["It has 4217 corners."]
    assert outline.section("The answer").figures[0].alt == "A square."
    assert [q["id"] for q in outline.questions] == ["q1", "q2"]


def test_a_heading_inside_a_cell_opens_a_section(tmp_path):
    cell = new_markdown_cell("Text before.\n\n## Sides\n\nText after.")
    path = write_chapter(tmp_path / "a.ipynb", section=cell)
    found = read_outline(path)
    assert found.section("Sides").findings == ["There are 4217 corners. All are right."]
    assert found.section("The answer").prose.strip() == "Text before."


def test_slides_hold_question_guess_answer_figure_finding_and_takeaways(outline):
    shown = "\n".join(texts(deck([outline])))
    for text in (
        "What is a square?",
        "What do you expect?",
        "It has 4217 corners.",
        'alt="A square."',
        "How many?",
        "There are 4217 corners.",
        "Which is right?",
        "- Count.",
    ):
        assert text in shown, text


def test_slides_have_no_code_no_dead_link_and_no_way_on(outline):
    html = slides_html([outline])
    assert "finding(...)" not in html and "show(figure)" not in html
    assert ".ipynb" not in html and "Next:" not in html


def test_answers_to_questions_are_in_the_notes_alone(outline):
    notebook = deck([outline])
    notes = "\n".join(texts(notebook, "notes"))
    shown = "\n".join(t for t in texts(notebook) if t not in texts(notebook, "notes"))
    assert "It is so by definition." in notes
    assert "It is so by definition." not in shown


@pytest.mark.parametrize("place", ["title", "answer_text", "section"])
def test_what_a_chapter_asks_before_a_result_is_a_slide_before_it(tmp_path, place):
    asked = {"ask": "Will it be more?", "options": [{"value": 1, "text": "much more"}]}
    cell = said("> Will it be more?", "prediction", prediction=asked)
    cells = chapter().cells
    cells.insert(list(KEYS).index(place) + 1, cell)
    nbformat.write(new_notebook(cells=cells), tmp_path / "a.ipynb")
    slides = texts(deck([read_outline(tmp_path / "a.ipynb")]))
    (guess,) = [i for i, text in enumerate(slides) if "Will it be more?" in text]
    result = "There are 4217" if place == "section" else "It has 4217"
    assert "- much more" in slides[guess]
    assert guess < min(i for i, text in enumerate(slides) if result in text)


def test_a_slide_defines_before_it_tells_a_number(tmp_path):
    text = "We count.\n\nA **corner** is where two sides meet.\n\nMore of it."
    cell = new_markdown_cell(f"## Corners\n\n{text}")
    path = write_chapter(tmp_path / "a.ipynb", section=cell)
    shown = "\n".join(texts(deck([read_outline(path)])))
    definition = shown.index("A **corner** is where two sides meet.")
    assert definition < shown.index("There are 4217 corners.")


def test_a_long_finding_is_cut_at_the_end_of_a_sentence(tmp_path):
    long = said("First sentence of it. " + "More of it follows here. " * 40, "finding")
    path = write_chapter(tmp_path / "a.ipynb", finding=long)
    notebook = deck([read_outline(path)])
    (slide,) = [t for t in texts(notebook, "subslide") if "First sentence" in t]
    assert len(slide) < 400 and slide.rstrip().endswith("here.")
    assert any(len(note) > 900 for note in texts(notebook, "notes"))


def test_the_first_sentence_is_kept_however_long_it_is():
    assert first_sentences("a " * 50 + "end. Next.", 10) == "a " * 50 + "end."


def test_a_deck_asks_nothing_of_the_network(outline):
    html = slides_html([outline])
    fetched = re.findall(r'(?:src|href)="([^"]*)"', html)
    assert fetched
    assert all(a.startswith(("assets/", "data:", "#")) for a in fetched), fetched


def test_one_lesson_joins_chapters_below_its_own_title(outline):
    notebook = deck([outline, outline], title="A lesson")
    assert notebook.cells[0].source == "# A lesson\n"
    assert "\n".join(texts(notebook)).count("# Squares") == 2
    assert "<title>A lesson</title>" in slides_html([outline], title="A lesson")


@pytest.mark.parametrize(
    ("content", "message"),
    [("no notebook", "as a notebook"), (None, "as a notebook")],
)
def test_what_is_no_notebook_is_named(tmp_path, content, message):
    path = tmp_path / "a.ipynb"
    if content:
        path.write_text(content)
    with pytest.raises(ValueError, match=message):
        read_outline(path)


def test_a_chapter_without_a_title_is_refused(tmp_path):
    path = write_chapter(tmp_path / "a.ipynb", title=new_markdown_cell("No title."))
    with pytest.raises(ValueError, match="does not begin with a title"):
        read_outline(path)
