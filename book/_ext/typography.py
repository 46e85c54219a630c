"""What must not be parted at the end of a line: a number and its percent sign, n = 4.

Notebooks and pages hold plain spaces, which editors show and tests compare.
"""

import re

from docutils import nodes

TOGETHER = re.compile(r"(?<=\d) (?=%)|(?<=\bn) (?== \d)|(?<=\bn =) (?=\d)")
CODE = nodes.FixedTextElement, nodes.literal, nodes.math, nodes.math_block, nodes.raw
UNBROKEN = "\u00a0"


def keep_together(app, doctree):
    """Put no-break spaces into the prose of a page, and not into code or formulas."""
    for text in list(doctree.findall(nodes.Text)):
        if TOGETHER.search(text) and not isinstance(text.parent, CODE):
            text.parent.replace(text, nodes.Text(TOGETHER.sub(UNBROKEN, text)))


def setup(app):
    """Register the hook with Sphinx."""
    app.connect("doctree-read", keep_together)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
