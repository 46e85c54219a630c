"""The look of all figures, and how a figure becomes an output of a notebook.

A figure is emitted as SVG on a transparent ground: sharp at every size, its text the
page's text.  Several panels are one SVG as well, side by side for a wide screen; the
book takes them apart and lets them stack on a phone (`renderer`).
"""

import base64
import io
import json
import re
from typing import NamedTuple

import matplotlib.pyplot as plt
import plotly.graph_objects as go
import seaborn as sns
from IPython.display import display
from matplotlib.figure import Figure
from PIL import Image
from plotly.utils import PlotlyJSONEncoder

from .findings import MARKDOWN, checked
from .palette import INK, PALETTE, QUIET, RULE

PLOTLY = "application/vnd.plotly.v1+json"
SVG = "image/svg+xml"
PNG = "image/png"
# Inches.  Text of 9 points has 9 pixels or more where a phone, 350 pixels, shows WIDTH.
WIDTH = 4.8
DPI = 192  # of what is not vector: two pixels for one of the page
GAP = 12  # points between panels
HEAVY = 60_000  # bytes of a raster from which on it is stored with loss
STYLE = {
    "text.color": INK,
    "axes.labelcolor": INK,
    "axes.edgecolor": QUIET,
    "xtick.color": QUIET,
    "ytick.color": QUIET,
    "xtick.labelcolor": INK,
    "ytick.labelcolor": INK,
    "grid.color": RULE,
    "grid.linewidth": 0.6,
    "axes.axisbelow": True,
    "axes.linewidth": 0.8,
    "xtick.major.width": 0.8,
    "ytick.major.width": 0.8,
    "xtick.major.size": 3,
    "ytick.major.size": 3,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.titlelocation": "left",
    "axes.titlesize": 9.5,
    "axes.titleweight": "bold",
    "axes.labelsize": 9,
    "xtick.labelsize": 9,
    "ytick.labelsize": 9,
    "font.size": 9,
    "font.sans-serif": ["DejaVu Sans"],  # comes with matplotlib: the same layout always
    "legend.frameon": False,
    "legend.fontsize": 9,
    "lines.linewidth": 1.6,
    "lines.markersize": 5,
    "figure.dpi": 96,
    "figure.constrained_layout.use": True,
    "svg.fonttype": "none",
    "svg.hashsalt": "manifpt",  # the same figure is the same file
}


class Panels(NamedTuple):
    """Figures of one size that belong together: side by side, or below each other."""

    figures: list
    legend: Figure | None = None
    columns: int = 3  # where the screen is wide


def use_style():
    """Set the look of all figures of a notebook."""
    sns.set_theme(style="ticks", palette=list(PALETTE.values()), rc=STYLE)


def show(figure, *, alt, caption, name=None, static=None):
    """Display a figure or a picture with its description, and its caption below.

    Parameters
    ----------
    figure : matplotlib Figure, list of them, Panels, plotly Figure or PIL Image
        The figures of a list are panels of one figure.
    alt : str
        What is to be seen, for readers who cannot see it.
    caption : str
        Stands below the figure; Markdown.
    name : str, optional
        Label for references from the text of the book.
    static : matplotlib Figure or Panels, optional
        What stands in for a plotly figure where nothing draws it.

    Raises
    ------
    ValueError
        If a description or a caption is empty or holds "nan".
    """
    words = {"alt": checked([alt]), "caption": checked([caption])}
    words |= {"name": name} if name else {}
    data, metadata = _bundle(figure, static, words)
    display(data | {"text/plain": alt}, metadata=metadata, raw=True)
    text = f"*Figure.* {caption}"
    # Markdown alone: the book, which drops it, would else show the plain text.
    display({MARKDOWN: text}, metadata={MARKDOWN: {"kind": "caption"}}, raw=True)


def _bundle(figure, static, words):
    """Data and metadata of an output, by their kinds."""
    if isinstance(figure, go.Figure):
        # Plotly's own JSON encoding knows arrays.
        plain = json.dumps(figure.to_plotly_json(), cls=PlotlyJSONEncoder)
        data = {PLOTLY: json.loads(plain)}
        if static is not None:
            data[SVG] = to_svg(static)
        return data, {PLOTLY: words}
    if isinstance(figure, Image.Image):
        return {PNG: _encoded(figure, "PNG", optimize=True)}, {PNG: words}
    # A picture by itself cannot take the colours of the page, hence a light ground.
    return {SVG: to_svg(figure)}, {SVG: words | {"needs_background": "light"}}


def _encoded(image, kind, **options):
    """A picture in base64."""
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return base64.b64encode(buffer.getvalue()).decode()


def to_svg(figure):
    """One SVG of a figure or of panels; the figures are closed.

    It has no style sheet and no identifier that nothing refers to, because a page may
    hold many of them.

    Parameters
    ----------
    figure : matplotlib Figure, list of them, or Panels

    Returns
    -------
    str

    Examples
    --------
    >>> to_svg(plt.figure(figsize=(1, 1)))[:46]
    '<svg viewBox="0 0 72 72" width="72pt" height="'
    """
    if isinstance(figure, Figure):
        drawing = _drawn(figure)
        return drawing.svg(f"{_points(drawing)} {_NAMESPACES}")
    panels = figure if isinstance(figure, Panels) else Panels(list(figure))
    drawing = _arranged(panels)
    return drawing.svg(f'class="panels" {_points(drawing)} {_NAMESPACES}')


class _Drawing(NamedTuple):
    width: float  # points
    height: float
    body: str

    def svg(self, attributes):
        """The element, its box first."""
        box = f'viewBox="0 0 {self.width:g} {self.height:g}"'
        return f"<svg {box} {attributes} {_INHERITED}>{self.body}</svg>"


_NAMESPACES = (
    'xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink"'
)
# What matplotlib says in a style sheet, and the fonts of pages: DejaVu is wider, so
# every text has the room it needs.
_INHERITED = (
    'stroke-linejoin="round" stroke-linecap="butt" font-family="system-ui, '
    "-apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', Arial, sans-serif\""
)
_LEFT_OUT = (
    r"<metadata>.*?</metadata>|<!--.*?-->|<defs>\s*<style.*?</style>\s*</defs>"
    r"|font-family: '[^;\"]*; "
)


def _points(drawing):
    return f'width="{drawing.width:g}pt" height="{drawing.height:g}pt"'


def _drawn(figure, prefix=""):
    """One figure; identifiers begin with the prefix."""
    buffer = io.StringIO()
    with plt.rc_context({k: v for k, v in STYLE.items() if k.startswith("svg.")}):
        figure.savefig(
            buffer, format="svg", dpi=DPI, transparent=True, metadata={"Date": None}
        )
    plt.close(figure)
    text = buffer.getvalue()
    head = re.search(r'<svg [^>]*viewBox="0 0 ([\d.]+) ([\d.]+)"[^>]*>', text)
    body = text[head.end() : text.rindex("</svg>")]
    body = re.sub(_LEFT_OUT, "", body, flags=re.DOTALL)
    return _Drawing(*map(float, head.groups()), _lighter(_renamed(body, prefix)))


def _renamed(body, prefix):
    """Keep the identifiers that something refers to, and number them."""
    used = dict.fromkeys(re.findall(r'(?:url\(#|href="#)([^)"]+)', body))
    new = {old: f"{prefix}{number}" for number, old in enumerate(used)}
    body = re.sub(
        r' id="([^"]*)"', lambda m: f' id="{new[m[1]]}"' if m[1] in new else "", body
    )
    return re.sub(r'(url\(#|href="#)([^)"]+)', lambda m: f"{m[1]}{new[m[2]]}", body)


def _lighter(body):
    """Store heavy rasters, such as photographs, with a loss that nobody sees."""

    def replace(match):
        data = re.sub(r"\s", "", match[1])
        if len(data) < HEAVY:
            return match[0]
        picture = Image.open(io.BytesIO(base64.b64decode(data)))
        return f"data:image/webp;base64,{_encoded(picture, 'WEBP', quality=85)}"

    return re.sub(r'data:image/png;base64,([^"]+)', replace, body)


def _arranged(panels):
    """Panels in one drawing: the legend on top, then rows of equal length."""
    drawn = [_drawn(figure, f"p{i}-") for i, figure in enumerate(panels.figures)]
    n_rows = max(-(-len(drawn) // panels.columns), 1)
    columns = -(-len(drawn) // n_rows)
    rows = [[]] if panels.legend is None else [[_drawn(panels.legend, "legend-")]]
    rows += [drawn[i : i + columns] for i in range(0, len(drawn), columns)]
    top, placed = 0, []
    for number, row in enumerate(filter(None, rows)):
        is_legend = number == 0 and panels.legend is not None
        placed += _row(row, top, "legend" if is_legend else "panel")
        top += max(drawing.height for drawing in row) + GAP
    width = max(sum(d.width + GAP for d in row) for row in rows)
    return _Drawing(width - GAP, top - GAP, "".join(placed))


def _row(drawings, top, kind):
    """Drawings side by side, below what takes the height above."""
    left, placed = 0, []
    for drawing in drawings:
        place = f'x="{left:g}" y="{top:g}"'
        size = f'width="{drawing.width:g}" height="{drawing.height:g}"'
        placed.append(drawing.svg(f'class="{kind}" {place} {size}'))
        left += drawing.width + GAP
    return placed
