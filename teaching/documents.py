"""Texts in Markdown as pages that can be read and printed without a network."""

import nbformat
from jinja2 import Environment, FileSystemLoader
from nbconvert.filters.markdown_mistune import IPythonRenderer, MarkdownWithMath

from .assets import TEMPLATES

_PAGES = Environment(loader=FileSystemLoader(TEMPLATES), autoescape=True)


def document_html(title, markdown, *, assets="assets"):
    """A page of a text in Markdown.

    Parameters
    ----------
    title : str
    markdown : str
        Formulas between dollar signs included.
    assets : str
        Address of the folder that `write_assets` wrote, relative to the page.

    Returns
    -------
    str

    Examples
    --------
    >>> "<h1>A plan</h1>" in document_html("A plan", "Ten minutes.")
    True
    """
    renderer = IPythonRenderer(escape=False, exclude_anchor_links=True)
    body = MarkdownWithMath(renderer=renderer).render(markdown)
    page = _PAGES.get_template("document.html.j2")
    return page.render(title=title, body=body, assets=assets)


def exercises_text(paths):
    """Exercise notebooks as one text, their cells of code shown as code.

    Parameters
    ----------
    paths : list of path

    Returns
    -------
    str
    """
    return "\n\n".join(
        _cell_text(cell)
        for path in paths
        for cell in nbformat.read(path, as_version=4).cells
    )


def section(markdown, title):
    """The part of a text below a heading of level two, without the heading.

    Raises
    ------
    ValueError
        If there is no such heading.

    Examples
    --------
    >>> section("## A\\n\\nfirst\\n\\n## B\\n\\nsecond", "A")
    'first'
    """
    mark = f"\n## {title}\n"
    _, found, rest = f"\n{markdown}".partition(mark)
    if not found:
        raise ValueError(f"the text has no section {title!r}.")
    return rest.partition("\n## ")[0].strip()


def _cell_text(cell):
    if cell.cell_type == "code":
        return f"```python\n{cell.source}\n```"
    return cell.source
