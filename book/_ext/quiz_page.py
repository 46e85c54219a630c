"""Quizzes in the book: a directive for prose pages, and the scripts on their pages.

    ```{quiz} method
    ```

asks the questions of `book/quizzes/method.yml`.  Such a page has no run, so that its
questions name no value.  Those of a chapter come from its last code cell
(`manifpt_utils.notebook.quiz`).
"""

from pathlib import Path

from docutils import nodes
from sphinx.util.docutils import SphinxDirective

from manifpt_utils.notebook.questions import filled, read_questions
from manifpt_utils.notebook.quiz_form import folded_quiz

FOLDER = "book/quizzes"
SCRIPTS = {"quiz": "quiz.js", "prediction": "prediction.js"}  # by class of a section
KEPT = "kept.js"  # comes before each of them


class Quiz(SphinxDirective):
    """Insert the questions of a file, or an error that names what is wrong in it."""

    required_arguments = 1

    def run(self):
        """Read the file and make a form of it."""
        (name,) = self.arguments
        path = Path(self.env.srcdir, FOLDER, f"{name}.yml")
        self.env.note_dependency(str(path))
        try:
            questions = filled(read_questions(path), {}, source=path.name)
        except ValueError as error:
            raise self.error(str(error)) from None
        return [nodes.raw("", folded_quiz(name, questions), format="html")]


def add_scripts(app, pagename, templatename, context, doctree):
    """Load each script only on pages that ask something."""
    body = context.get("body", "")
    asked = [x for kind, x in SCRIPTS.items() if f'<section class="{kind}"' in body]
    for place, script in enumerate([KEPT, *asked] if asked else []):
        app.add_js_file(script, loading_method="defer", priority=902 + place)


def setup(app):
    """Register the directive and the hook with Sphinx."""
    app.add_directive("quiz", Quiz)
    app.connect("html-page-context", add_scripts)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
