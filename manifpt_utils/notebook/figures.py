"""All kinds of figures.  Each function returns a figure or panels for `show`.

::

    from manifpt_utils.notebook import figures

    figures.use_style()
    figures.show(
        figures.dots(table, value="accuracy", groups=kinds, chance=0.1),
        alt="Accuracy of every method, with intervals.",
        caption="Attribution of ten models.",
    )
"""

import base64
import io
import json

import plotly.graph_objects as go
from IPython.display import display
from PIL import Image
from plotly.utils import PlotlyJSONEncoder

from .charts import dot_panels, dots, heatmap, lines
from .drawing import Panels, drawn, encoded, use_style
from .findings import MARKDOWN, checked
from .maps import scatter_panels, scatter_with_images
from .pictures import (
    boxes_on_photograph,
    contact_sheet,
    coverage_maps,
    image_rows,
    sheets,
    signed,
    spectra,
    symmetric_limit,
)
from .plane import plane_panels
from .steps import confusion_steps, nearest_steps, projection_steps

__all__ = [
    "Panels",
    "boxes_on_photograph",
    "confusion_steps",
    "contact_sheet",
    "coverage_maps",
    "dot_panels",
    "dots",
    "heatmap",
    "image_rows",
    "lines",
    "nearest_steps",
    "plane_panels",
    "projection_steps",
    "scatter_panels",
    "scatter_with_images",
    "sheets",
    "show",
    "signed",
    "spectra",
    "symmetric_limit",
    "use_style",
]

PLOTLY = "application/vnd.plotly.v1+json"
SVG = "image/svg+xml"
PNG = "image/png"


def show(figure, *, alt, caption, name=None, static=None):
    """Display a figure or a picture, with a description and a caption below.

    Parameters
    ----------
    figure : matplotlib Figure, list of them, Panels, plotly Figure or PIL Image
        Figures in a list become panels of one figure.
    alt : str
        What the figure shows, for readers who cannot see it.
    caption : str
        Text below the figure; Markdown.
    name : str, optional
        Label for references from the text of the book.
    static : matplotlib Figure or Panels, optional
        Takes the place of a plotly figure where nothing draws it.

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
    # Markdown alone, because otherwise the book would show the plain text instead.
    display({MARKDOWN: text}, metadata={MARKDOWN: {"kind": "caption"}}, raw=True)


def _bundle(figure, static, words):
    """Data and metadata of an output, by MIME type."""
    if isinstance(figure, go.Figure):
        # Plotly's own JSON encoding knows arrays.
        plain = json.dumps(figure.to_plotly_json(), cls=PlotlyJSONEncoder)
        data, metadata = ({}, {}) if static is None else _vector(static, {})
        words = words | ({} if static is None else {"still": _still(data[PNG])})
        return data | {PLOTLY: json.loads(plain)}, metadata | {PLOTLY: words}
    if isinstance(figure, Image.Image):
        return {PNG: encoded(figure, "PNG", optimize=True)}, {PNG: words}
    return _vector(figure, words)


def _still(picture):
    """A picture of its own for pages without JavaScript, which know one output only."""
    image = Image.open(io.BytesIO(base64.b64decode(picture))).convert("RGB")
    return "data:image/webp;base64," + encoded(image, "WEBP", quality=60)


def _vector(figure, words):
    """SVG, and pixels for JupyterLab, which does not trust a stored SVG."""
    drawing = drawn(figure)
    picture = drawing.pixels.quantize(256)
    data = {SVG: drawing.svg(), PNG: encoded(picture, "PNG", optimize=True)}
    size = {"width": round(drawing.width * 4 / 3)}  # pixels of a doubled size
    # An SVG file cannot take the colours of the page, so it has a light ground.
    return data, {SVG: words | {"needs_background": "light"}, PNG: size}
