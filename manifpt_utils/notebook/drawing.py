"""The look of all figures, and how figures of matplotlib become drawings.

A drawing is an SVG on a transparent ground: it is sharp at every size, and its text is
text of the page.  Panels are one SVG as well, side by side for a wide screen; the book
separates them, so that they stack on a phone (`renderer`).
"""

import base64
import io
import re
from typing import NamedTuple

import matplotlib.pyplot as plt
import seaborn as sns
from matplotlib.figure import Figure
from PIL import Image

from .palette import INK, PALETTE, QUIET, RULE

# Inches.  On a phone of 350 pixels that shows WIDTH, text of 9 points has 10 pixels.
WIDTH = 4.3
DPI = 192  # of raster parts: two pixels for each pixel of the page
GAP = 12  # points between panels
HEAVY = 30_000  # bytes from which on a raster is stored with loss
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
    "font.sans-serif": ["DejaVu Sans"],  # comes with matplotlib, for an equal layout
    "legend.frameon": False,
    "legend.fontsize": 9,
    "lines.linewidth": 1.6,
    "lines.markersize": 5,
    "figure.dpi": 96,
    "figure.constrained_layout.use": True,
    "svg.fonttype": "none",
    "svg.hashsalt": "manifpt",  # equal figures give equal files
}


class Panels(NamedTuple):
    """Figures of one size that belong together, side by side or below each other."""

    figures: list
    legend: Figure | None = None
    columns: int = 3  # on a wide screen


def use_style():
    """Set the look of all figures of a notebook."""
    sns.set_theme(style="ticks", palette=list(PALETTE.values()), rc=STYLE)


class Drawing(NamedTuple):
    """A figure, or panels of them, as a notebook stores it; sizes in points."""

    width: float
    height: float
    body: str  # inner part of the SVG
    pixels: Image.Image  # for hosts that show no SVG
    kind: str = "figure"

    def svg(self, place=""):
        """The SVG element; `place` positions it among panels."""
        box = f'viewBox="0 0 {self.width:g} {self.height:g}"'
        size = f'width="{self.width:g}pt" height="{self.height:g}pt" {_NAMESPACES}'
        name = f'class="{self.kind}"'
        return f"<svg {box} {name} {place or size} {_INHERITED}>{self.body}</svg>"


def drawn(figure):
    """One drawing of a figure or of panels.

    Its SVG has no style sheet and no unused identifier, because a page may hold many
    drawings.

    Parameters
    ----------
    figure : matplotlib Figure, list of them, or Panels

    Returns
    -------
    Drawing

    Examples
    --------
    >>> drawn(Figure((1, 2))).svg()[:48]
    '<svg viewBox="0 0 72 144" class="figure" width="'
    """
    if isinstance(figure, Figure):
        return _single(figure, "figure")
    panels = figure if isinstance(figure, Panels) else Panels(list(figure))
    legend = [] if panels.legend is None else [_single(panels.legend, "legend", "l-")]
    parts = [_single(f, "panel", f"p{i}-") for i, f in enumerate(panels.figures)]
    return _arranged(legend, parts, panels.columns)


def encoded(image, kind, **options):
    """A picture as base64 text."""
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return base64.b64encode(buffer.getvalue()).decode()


_NAMESPACES = (
    'xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink"'
)
# Attributes that matplotlib puts into a style sheet, and the fonts of pages.  DejaVu is
# wider than these, so every text has enough room.
_INHERITED = (
    'stroke-linejoin="round" stroke-linecap="butt" font-family="system-ui, '
    "-apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', Arial, sans-serif\""
)
_LEFT_OUT = (
    r"<metadata>.*?</metadata>|<!--.*?-->|<defs>\s*<style.*?</style>\s*</defs>"
    r"|font-family: '[^;\"]*; "
)


def _single(figure, kind, prefix=""):
    """One figure; its identifiers begin with the prefix."""
    buffer = io.StringIO()
    with plt.rc_context({k: v for k, v in STYLE.items() if k.startswith("svg.")}):
        options = {"format": "svg", "dpi": DPI, "metadata": {"Date": None}}
        figure.savefig(buffer, transparent=True, **options)
    figure.set_layout_engine("none")  # the layout is done, for both formats
    text = buffer.getvalue()
    head = re.search(r'<svg [^>]*viewBox="0 0 ([\d.]+) ([\d.]+)"[^>]*>', text)
    body = text[head.end() : text.rindex("</svg>")]
    body = re.sub(_LEFT_OUT, "", body, flags=re.DOTALL)
    size = map(float, head.groups())
    pixels = io.BytesIO()
    plain = {"compress_level": 0}  # the pixels are read again at once
    figure.savefig(pixels, format="png", dpi=DPI, pil_kwargs=plain)
    plt.close(figure)
    return Drawing(
        *size, _lighter(_renamed(body, prefix)), Image.open(pixels).convert("RGB"), kind
    )


def _renamed(body, prefix):
    """Keep the identifiers that something refers to, and number them."""
    used = dict.fromkeys(re.findall(r'(?:url\(#|href="#)([^)"]+)', body))
    new = {old: f"{prefix}{number}" for number, old in enumerate(used)}
    body = re.sub(
        r' id="([^"]*)"', lambda m: f' id="{new[m[1]]}"' if m[1] in new else "", body
    )
    return re.sub(r'(url\(#|href="#)([^)"]+)', lambda m: f"{m[1]}{new[m[2]]}", body)


def _lighter(body):
    """Store large rasters, such as photographs, with an invisible loss."""

    def replace(match):
        data = re.sub(r"\s", "", match[1])
        if len(data) < HEAVY:
            return match[0]
        picture = Image.open(io.BytesIO(base64.b64decode(data)))
        return f"data:image/webp;base64,{encoded(picture, 'WEBP', quality=85)}"

    return re.sub(r'data:image/png;base64,([^"]+)', replace, body)


def _arranged(legend, parts, most_columns):
    """Panels in one drawing: the legend on top, then rows of equal length."""
    n_rows = -(-len(parts) // most_columns)
    columns = -(-len(parts) // max(n_rows, 1))
    rows = [parts[i : i + columns] for i in range(0, len(parts), columns)]
    placed, top = [], 0
    for row in [legend, *rows] if legend else rows:
        left = 0
        for part in row:
            placed.append((part, left, top))
            left += part.width + GAP
        top += max(part.height for part in row) + GAP
    width = max(left + part.width for part, left, _ in placed)
    height = max(top + part.height for part, _, top in placed)
    body = "".join(part.svg(_place(part, left, top)) for part, left, top in placed)
    return Drawing(width, height, body, _pasted(placed, width, height), "panels")


def _place(part, left, top):
    return f'x="{left:g}" y="{top:g}" width="{part.width:g}" height="{part.height:g}"'


def _pasted(placed, width, height):
    """The pixels of panels in one picture."""
    scale = DPI / 72
    size = round(width * scale), round(height * scale)
    picture = Image.new("RGB", size, "white")
    for part, left, top in placed:
        picture.paste(part.pixels, (round(left * scale), round(top * scale)))
    return picture
