"""Slides from a chapter: which of its parts are shown, and how.

A deck is a notebook of Markdown cells that nbconvert's slide exporter writes with
reveal.js.  It holds the question, the guess, the answer with its figure, for each
section the first sentences that the run wrote and one figure, the questions of the
quiz, and the takeaways.  What was left out is in the notes of the speaker.
"""

import re
from html import escape

from nbformat.v4 import new_markdown_cell, new_notebook

from manifpt_utils.notebook.questions import Question

from .outline import ANSWER, TAKEAWAYS, first_sentences, key_idea, quotations
from .quiz_text import choices, right_answer

LINK = re.compile(r"\[((?:[^\[\]]|\[[^\]]*\])*)\]\(([^)\s]+)\)")
ASIDE = re.compile(r"^(\*Before:?\*|\*\*Next:?\*\*).*$", re.MULTILINE)
LONGEST = 330  # characters of text above a figure
UNSHOWN = ("quiz", "exercise", "check yourself", "next", "where to go")


def deck(outlines, *, title=None):
    """The slides of one chapter, or of several as one lesson.

    Parameters
    ----------
    outlines : list of Outline
    title : str, optional
        Of the whole; default: the title of the first chapter.

    Returns
    -------
    NotebookNode
        With a cell for each part of a slide, and `slideshow` metadata.
    """
    cells = [_cell(f"# {title}\n", "slide")] if title else []
    for outline in outlines:
        cells += chapter_slides(outline)
    notebook = new_notebook(cells=cells)
    notebook.metadata["title"] = title or outlines[0].title
    return notebook


def chapter_slides(outline):
    """The cells of one chapter."""
    opening, answer = outline.sections[0], outline.section(ANSWER)
    shown = [s for s in outline.sections[1:] if _is_shown(s)]
    return [
        *_opening(opening),
        *_answer(answer),
        *(cell for section in shown for cell in _section(section)),
        *_questions(outline.questions),
        *_takeaways(outline.section(TAKEAWAYS)),
    ]


def without_links(text):
    """Text in which links to pages that a deck does not have are plain words.

    Examples
    --------
    >>> without_links("see [Traps](09_traps.ipynb) and [this](https://a.org)")
    'see Traps and [this](https://a.org)'
    """
    return LINK.sub(
        lambda m: m[0] if m[2].startswith(("http:", "https:")) else m[1], text
    )


def _cell(source, kind):
    cell = new_markdown_cell(without_links(source))
    cell.metadata["slideshow"] = {"slide_type": kind}
    return cell


def _notes(*texts):
    text = "\n\n".join(t.strip() for t in texts if t.strip())
    return [_cell(text, "notes")] if text else []


def _is_shown(section):
    if section.title in (ANSWER, TAKEAWAYS) or any(
        word in section.title.lower() for word in UNSHOWN
    ):
        return False
    return bool(section.findings or section.figures)


def _opening(section):
    guesses, prose = quotations(section.prose)
    prose = ASIDE.sub("", prose).strip()
    question, _, rest = prose.partition("\n\n")
    question = first_sentences(question, LONGEST)
    cells = [_cell(f"# {section.title}\n\n{question}", "slide"), *_notes(prose, rest)]
    return cells + [_cell(guess, "subslide") for guess in guesses]


def _answer(section):
    guesses, prose = quotations(section.prose)
    text = section.findings[0] if section.findings else prose
    cells = [_cell(guess, "slide") for guess in guesses]
    cells += [_cell(f"## {ANSWER}\n\n{text}", "slide"), *_notes(*section.findings[1:])]
    return cells + [_picture(figure) for figure in section.figures[:1]]


def _section(section):
    guesses, prose = quotations(section.prose)
    said = section.findings[0] if section.findings else prose
    text = first_sentences(said, LONGEST) if said else ""
    picture = section.figures[0] if section.figures else None
    idea = key_idea(prose) if section.findings else ""
    parts = [*guesses, idea, f"{text}\n\n{_html(picture)}"]
    if picture is None and len(idea) + len(text) < 2 * LONGEST:
        parts = [*guesses, f"{idea}\n\n{text}"]
    parts = [part for part in parts if part.strip()]
    cells = [_cell(f"## {section.title}\n\n{part}", "subslide") for part in parts]
    cells[0].metadata["slideshow"]["slide_type"] = "slide"
    return cells + _notes(prose, *section.findings)


def _picture(figure):
    return _cell(_html(figure, kind="large"), "subslide")


def _html(figure, kind="below"):
    """A figure as HTML, nothing where there is none."""
    if figure is None:
        return ""
    image = f'<img src="{figure.address}" alt="{escape(figure.alt)}">'
    caption = without_links(escape(figure.caption, quote=False))
    # Blank lines let Markdown in the caption be read as such.
    caption = f"<figcaption>\n\n{caption}\n\n</figcaption>" if caption else ""
    return f'<figure class="{kind}">{image}{caption}</figure>'


def _questions(questions):
    """A slide each; what is right is in the notes."""
    cells = []
    for number, values in enumerate(questions, start=1):
        question = Question(**values)
        asked = f"{question.ask}\n\n{choices(question)}"
        cells += [_cell(f"### Question {number}\n\n{asked}", "subslide")]
        cells += _notes(right_answer(question))
    if cells:
        cells[0].metadata["slideshow"]["slide_type"] = "slide"
    return cells


def _takeaways(section):
    prose = ASIDE.sub("", section.prose).strip()
    if not prose:
        return []
    cells = [_cell(f"## {TAKEAWAYS}\n\n{prose}", "slide")]
    return cells + [_cell(text, "subslide") for text in section.findings[:1]]
