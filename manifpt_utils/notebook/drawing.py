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
DPI = 144  # of what is not vector: two pixels for one of the page
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
    below = {MARKDOWN: text, "text/plain": text}
    display(below, metadata={MARKDOWN: {"kind": "caption"}}, raw=True)


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
        return f"<svg {box} {attributes} {_LINES}>{self.body}</svg>"


_NAMESPACES = (
    'xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink"'
)
_LINES = 'stroke-linejoin="round" stroke-linecap="butt"'  # what matplotlib means
_LEFT_OUT = r"<metadata>.*?</metadata>|<!--.*?-->|<defs>\s*<style.*?</style>\s*</defs>"


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
    """Panels in one drawing: the legend on top, then rows of as many as fit."""
    parts = [_drawn(figure, f"p{i}-") for i, figure in enumerate(panels.figures)]
    columns = max(min(panels.columns, len(parts)), 1)
    rows = [parts[i : i + columns] for i in range(0, len(parts), columns)]
    if panels.legend is not None:
        rows.insert(0, [_drawn(panels.legend, "legend-")])
    top, width, body = 0, 0, []
    for row in rows:
        left = 0
        for part in row:
            kind = "legend" if len(body) == 0 and panels.legend is not None else "panel"
            place = f'x="{left:g}" y="{top:g}"'
            size = f'width="{part.width:g}" height="{part.height:g}"'
            body.append(part.svg(f'class="{kind}" {place} {size}'))
            left += part.width + GAP
        top += max(part.height for part in row) + GAP
        width = max(width, left - GAP)
    return _Drawing(width, max(top - GAP, 1), "".join(body))
