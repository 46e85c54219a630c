"""A small executed chapter, such as `manifpt run` leaves it."""

import nbformat
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

SVG = (
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 9 9"><rect width="9"/></svg>'
)
QUESTION = {
    "id": "q1",
    "kind": "single",
    "ask": "Which is right?",
    "options": [
        {"text": "This one.", "right": True, "feedback": "It is so by definition."},
        {"text": "That one.", "right": False, "feedback": "It is not."},
    ],
}
NUMBER = {
    "id": "q2",
    "kind": "number",
    "ask": "How many are they?",
    "answer": 4217.0,
    "tolerance": 1.0,
    "if_right": "All were counted.",
    "if_wrong": "Count again.",
}


def said(text, kind, **words):
    """A cell that displayed Markdown."""
    output = new_output(
        "display_data",
        data={"text/markdown": text},
        metadata={"text/markdown": {"kind": kind, **words}},
    )
    return new_code_cell("finding(...)", outputs=[output])


def drawn(alt="A square.", caption="A *small* square."):
    """A cell that displayed a figure."""
    metadata = {"image/svg+xml": {"alt": alt, "caption": caption}}
    data = {"image/svg+xml": SVG, "text/plain": "figure"}
    return new_code_cell(
        "show(figure)", outputs=[new_output("display_data", data, metadata=metadata)]
    )


def chapter(**changes):
    """The cells of a chapter, each of which a keyword may replace."""
    opening = (
        "# Squares\n\n**Question.** What is a square? See [Circles](00_circle.ipynb).\n"
        "\n*Before:* [Circles](00_circle.ipynb). *Time to read:* 5 minutes.\n\n"
        "> **What do you expect?**\n> More than $x_G$?"
    )
    cells = {
        "title": new_markdown_cell(opening),
        "answer_text": new_markdown_cell("## The answer"),
        "answer": said("> It has 4217 corners.", "answer"),
        "figure": drawn(),
        "section": new_markdown_cell("## Corners\n\nWe count.\n\n> How many?"),
        "finding": said("There are 4217 corners. All are right.", "finding"),
        "takeaways": new_markdown_cell("## Takeaways\n\n- Count."),
        "quiz": said("...", "quiz", questions=[QUESTION, NUMBER]),
        "next": new_markdown_cell("**Next:** [Circles](00_circle.ipynb)."),
    }
    return new_notebook(cells=list((cells | changes).values()))


def write_chapter(path, **changes):
    """A chapter as a file."""
    nbformat.write(chapter(**changes), path)
    return path
