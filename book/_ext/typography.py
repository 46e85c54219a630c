"""What must not be parted at the end of a line: a number and its percent sign, n = 4.

Notebooks and pages hold plain spaces, which editors show and tests compare.
"""

import re

from docutils import nodes

TOGETHER = re.compile(r"(?<=\d) (?=%)|(?<=\bn) (?== \d)|(?<=\bn =) (?=\d)")
CODE = nodes.FixedTextElement, nodes.literal, nodes.math, nodes.math_block, nodes.raw
# Tables and quizzes are HTML, in which tags, drawings and code stay as they are.
MARKUP = r"<(svg|script|style|code|pre)\b.*?</\1>|<[^>]*>"
IN_HTML = re.compile(f"{MARKUP}|{TOGETHER.pattern}", re.DOTALL)
UNBROKEN = "\u00a0"


def keep_together(app, doctree):
    """Put no-break spaces into the prose of a page, and not into code or formulas."""
    for text in list(doctree.findall(nodes.Text)):
        if TOGETHER.search(text) and not isinstance(text.parent, CODE):
            text.parent.replace(text, nodes.Text(TOGETHER.sub(UNBROKEN, text)))
    for raw in list(doctree.findall(nodes.raw)):
        if "html" in raw["format"].split():
            raw[:] = [nodes.Text(_kept_together(raw.astext()))]


def _kept_together(html):
    return IN_HTML.sub(lambda x: UNBROKEN if x[0] == " " else x[0], html)


def setup(app):
    """Register the hook with Sphinx."""
    app.connect("doctree-read", keep_together)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
