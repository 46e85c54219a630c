"""Figures that compute: a directive that writes them, and their script where needed.

```{touch} circle
```
"""

import circle_figure
import photo_figure
from docutils import nodes
from docutils.parsers.rst import directives
from sphinx.util.docutils import SphinxDirective

FIGURES = {"circle": circle_figure, "photograph": photo_figure}
CLASS = 'class="touch '  # of all of them
SCRIPT = "touch.js"


def known(name):
    """The name of a figure, or an error that lists them."""
    return directives.choice(name, tuple(FIGURES))


class Touch(SphinxDirective):
    """One of the figures, as HTML."""

    required_arguments = 1

    def run(self):
        """The figure, which other formats leave out."""
        writer = FIGURES[known(self.arguments[0])]
        self.env.note_dependency(writer.__file__)  # for builds of what has changed
        return [nodes.raw("", writer.figure(), format="html")]


def add_script(app, pagename, templatename, context, doctree):
    """Load the script only on pages that hold such a figure."""
    if CLASS in context.get("body", ""):
        app.add_js_file(SCRIPT, loading_method="defer", priority=902)


def setup(app):
    """Register the directive and the hook with Sphinx."""
    app.add_directive("touch", Touch)
    app.connect("html-page-context", add_script)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
