"""Notebook outputs as accessible parts of the book: a plugin of MyST-NB.

`notebook.figures.show` stores a description (`alt`), a caption and an optional label
(`name`) in the metadata of a figure's output.  This plugin turns them into numbered
HTML figures.  Drawings become part of the page, with its fonts and its light or dark
colours, and their panels stack on a narrow screen.  Interactive Plotly figures keep
their JSON in the page and are drawn by the one copy of Plotly that the book ships.
Findings are rendered as MyST, tables scroll inside their own box, and a quiz becomes a
form, as does what a chapter asks before a result.  The entry point is
``myst_nb.mime_renderers: manifpt``.
"""

import json
import re
from html import escape
from itertools import count

from docutils import nodes

from .palette import VARIABLES
from .prediction_form import found_html, prediction_html
from .questions import Prediction, Question
from .quiz_form import folded_quiz

MARKDOWN = "text/markdown"
SVG = "image/svg+xml"
PLOTLY = "application/vnd.plotly.v1+json"
CONTROLS = "application/vnd.jupyter.widget-view+json"
DEFAULT_HEIGHT = 450  # pixels, Plotly's own default

_INTERACTIVE = """\
<div class="plotly-figure">
<p class="visually-hidden" id="{key}-description">{alt}</p>
<div class="plotly-canvas" style="min-height: {height}px" tabindex="0" role="group"
 aria-label="Interactive figure" aria-describedby="{key}-description"></div>
<p class="plotly-keys">Arrow keys move through the figure.</p>
<p class="visually-hidden" aria-live="polite"></p>
<script type="application/json">{figure}</script>
<noscript>{still}<p>This figure is drawn by JavaScript. What it shows: {alt}</p>
</noscript>
</div>
"""
_STILL = '<img class="plotly-still" src="{source}" alt="{alt}">'


class Renderer:
    """MyST-NB plugin for findings, figures with a description, and tables."""

    # Controls are dead without a kernel; what stands in for them is shown.
    mime_priority_overrides = [("html", PLOTLY, 5), ("html", CONTROLS, None)]

    @staticmethod
    def handle_mime(renderer, data, inline):
        """Render one output, or decline it.

        Parameters
        ----------
        renderer : myst_nb.core.render.NbElementRenderer
        data : myst_nb.core.render.MimeData
        inline : bool
            Whether the output is pasted into a line of text; such outputs are declined.

        Returns
        -------
        list of docutils nodes, or None if MyST-NB is to render it
        """
        handlers = {
            MARKDOWN: _markdown,
            PLOTLY: _plotly,
            SVG: _svg,
            "image/png": _image,
            "text/html": _table,
        }
        if inline or data.mime_type not in handlers:
            return None
        return handlers[data.mime_type](renderer, data)


def plotly_html(figure, *, alt, key, still=None):
    """HTML of an interactive figure, drawn by the book's `interactive.js`.

    Parameters
    ----------
    figure : dict
        Plotly's JSON: `data`, `layout` and, if any, `frames`.
    alt : str
        What the figure shows, for those who cannot see it.
    key : str
        Identifier, unique on the page.
    still : str, optional
        Address of a picture that stands in where there is no JavaScript.

    Returns
    -------
    str

    Examples
    --------
    >>> html = plotly_html({"data": []}, alt="A curve that falls.", key="f1")
    >>> 'aria-describedby="f1-description"' in html
    True
    """
    layout = dict(figure.get("layout", {}), autosize=True)
    layout.pop("width", None)  # the page decides the width
    content = {
        "data": figure.get("data", []),
        "layout": layout,
        "frames": figure.get("frames", []),
    }
    picture = _STILL.format(source=escape(still), alt=escape(alt)) if still else ""
    # A string such as "</script>" would end the element.
    return _INTERACTIVE.format(
        still=picture,
        key=escape(key),
        alt=escape(alt),
        height=layout.get("height") or DEFAULT_HEIGHT,
        figure=json.dumps(content, separators=(",", ":")).replace("<", "\\u003c"),
    )


def svg_html(svg, *, alt, key):
    """HTML of a drawing that takes the fonts and the colours of the page.

    Parameters
    ----------
    svg : str
        As `notebook.drawing.drawn` writes it.
    alt : str
        What the drawing shows, for those who cannot see it.
    key : str
        Identifier, unique on the page.

    Returns
    -------
    str

    Examples
    --------
    >>> svg_html('<svg viewBox="0 0 9 9"></svg>', alt="Nothing.", key="f1")[:42]
    '<div class="drawing" role="img" aria-label'
    """
    svg = _adopted(svg, key)
    panels, legend = (
        "".join(
            map(_fluid, re.findall(f'<svg [^>]*class="{kind}".*?</svg>', svg, re.S))
        )
        for kind in ("panel", "legend")
    )
    if not panels:
        content = _fluid(svg)
    else:
        width = f"--narrowest: {_narrowest(svg):.0f}px"
        content = f'<div class="panels" style="{width}">{panels}</div>'
        content = f'<div class="legend">{legend}</div>{content}'
    name = f'role="img" aria-label="{escape(alt)}"'
    return f'<div class="drawing" {name}>{content}</div>'


def _adopted(svg, key):
    """The SVG with identifiers that are unique on the page, and the page's colours."""
    svg = svg.replace(' id="', f' id="{key}-')
    svg = re.sub(r'(url\(#|href="#)', rf"\g<1>{key}-", svg)
    for colour, name in VARIABLES.items():
        svg = svg.replace(f": {colour}", f": var(--figure-{name}, {colour})")
    return svg.replace(": #000000", ": currentColor")


def _narrowest(svg):
    """Width in pixels below which panels stack."""
    panels = re.findall('<svg [^>]*class="panel"', svg)
    return 0.9 * min(map(_pixels, panels))


def _pixels(svg):
    """Natural width: the box is in points, three of which are four pixels."""
    return float(re.search(r'viewBox="\S+ \S+ (\S+) ', svg)[1]) * 4 / 3


def _fluid(svg):
    """The SVG at the page's width, with text of 9 points never below 9.6 pixels."""
    head, body = svg.split(">", 1)
    head = re.sub(r' (x|y|width|height|class|xmlns\S*)="[^"]*"', "", head)
    least, most = (share * _pixels(svg) for share in (0.8, 1.15))
    return f'{head} style="min-width: {least:.0f}px; max-width: {most:.0f}px">{body}'


def _svg(renderer, data):
    if PLOTLY in data.output_metadata:  # a substitute that the book does not need
        return []
    html = svg_html(data.string, alt=_alt(renderer, data), key=_key(data))
    return [_figure(renderer, data, nodes.raw("", html, format="html"))]


def _markdown(renderer, data):
    words = _metadata(data)
    kind = words.get("kind")
    if kind == "caption":  # the figure has this caption, with a number
        return []
    if kind == "quiz":
        questions = [Question(**question) for question in words["questions"]]
        html = folded_quiz(words["name"], questions)
        return [nodes.raw("", html, format="html")]
    if kind in ("prediction", "prediction-found"):
        return [nodes.raw("", _prediction(words), format="html")]
    content = renderer.render_markdown(data)
    return [nodes.container("", *content, classes=[kind])] if kind else content


def _prediction(words):
    asked = Prediction(**words["prediction"])
    if words["kind"] == "prediction":
        return prediction_html(words["name"], asked)
    result = words["values"]["result"]
    return found_html(words["name"], asked, result=result, words=words["words"])


def _plotly(renderer, data):
    words = {"alt": _alt(renderer, data), "still": _metadata(data).get("still")}
    html = plotly_html(data.content, **words, key=_key(data))
    return [_figure(renderer, data, nodes.raw("", html, format="html"))]


def _image(renderer, data):
    if SVG in data.output_metadata:  # for hosts that show no SVG
        return []
    (image,) = renderer.render_image(data)
    image["alt"] = _alt(renderer, data)
    if data.cell_metadata.get("mystnb", {}).get("figure"):  # MyST-NB adds the caption
        return [image]
    picture = nodes.container("", image, classes=["pixels"])
    return [_figure(renderer, data, picture)]


def _table(renderer, data):
    if "<table" not in data.string:
        return None
    html = table_html(data.string, key=_key(data))
    return [nodes.raw("", html, format="html", classes=["output", "text_html"])]


def table_html(html, *, key):
    """Tables of an output in boxes that scroll, with their captions above the boxes.

    Parameters
    ----------
    html : str
    key : str
        Identifier, unique on the page.

    Returns
    -------
    str

    Examples
    --------
    >>> table_html("<table><caption>A.</caption></table>", key="t")[:44]
    '<div class="table-caption" id="t-0">A.</div>'
    """
    numbers = count()

    def box(match):
        name, above, table = 'aria-label="Table"', "", match[0]
        if caption := re.search("<caption>(.*?)</caption>", table, re.DOTALL):
            identifier = f"{key}-{next(numbers)}"
            name = f'aria-labelledby="{identifier}"'
            above = f'<div class="table-caption" id="{identifier}">{caption[1]}</div>'
            table = table.replace(caption[0], "")
        return (
            f'{above}<div class="table-scroll" role="group" {name} tabindex="0">'
            f"{table}</div>"
        )

    return re.sub("<table.*?</table>", box, html, flags=re.DOTALL)


def _metadata(data):
    return data.output_metadata.get(data.mime_type, {})


def _key(data):
    return f"figure-{data.cell_index}-{data.output_index}"


def _alt(renderer, data):
    alt = str(_metadata(data).get("alt", "")).strip()
    if not alt:
        renderer.logger.warning(
            f"the figure of cell {data.cell_index} has no description: show it with "
            "manifpt_utils.notebook.figures.show(figure, alt=..., caption=...)",
            subtype="alt_text",
            line=data.line,
        )
    return alt


def _figure(renderer, data, content):
    """Wrap the content in a figure, numbered if it has a caption."""
    figure = nodes.figure("", content, classes=["manifpt-figure"])
    caption, label = (_metadata(data).get(key) for key in ("caption", "name"))
    if caption:
        figure += _caption(renderer, str(caption), data.line)
    if label:
        figure["names"].append(nodes.fully_normalize_name(str(label)))
        renderer.renderer.document.note_explicit_target(figure, figure)
    elif caption:  # Sphinx numbers figures with an identifier
        figure["ids"].append(_key(data))
    return figure


def _caption(renderer, text, line):
    """Parse the caption, so that formulas and citations work in it."""
    parsed = nodes.Element()
    with renderer.renderer.current_node_context(parsed):
        renderer.renderer.nested_render_text(text, line or 0, inline=True)
    return nodes.caption(text, "", *parsed.children)
