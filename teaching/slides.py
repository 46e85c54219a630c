"""Decks as HTML, written by nbconvert."""

from nbconvert import SlidesExporter

from .assets import TEMPLATES
from .deck import deck


def slides_html(outlines, *, title=None, assets="assets"):
    """One deck as a page that needs the folder of its scripts beside it.

    Parameters
    ----------
    outlines : list of Outline
    title : str, optional
    assets : str
        Address of the folder that `write_assets` wrote, relative to the page.

    Returns
    -------
    str
    """
    exporter = SlidesExporter(
        template_name="deck",
        extra_template_basedirs=[str(TEMPLATES)],
        reveal_url_prefix=assets,
        mathjax_url=f"{assets}/mathjax.js",
        exclude_anchor_links=True,
        exclude_input_prompt=True,
    )
    html, _ = exporter.from_notebook_node(deck(outlines, title=title))
    return html
