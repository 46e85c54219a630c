"""All forms of figures.  They return a figure or panels, which `show` displays.

::

    from manifpt_utils.notebook import figures

    figures.use_style()
    figures.show(
        figures.dots(table, value="accuracy", groups=kinds, chance=0.1),
        alt="Accuracy of every method, with intervals.",
        caption="Attribution of ten models.",
    )
"""

from .charts import dot_panels, dots, heatmap, lines
from .drawing import Panels, show, use_style
from .maps import scatter_panels, scatter_with_images
from .pictures import (
    boxes_on_photograph,
    contact_sheet,
    coverage_maps,
    image_rows,
    picture,
    sheets,
    signed,
    spectra,
    symmetric_limit,
)

__all__ = [
    "Panels",
    "boxes_on_photograph",
    "contact_sheet",
    "coverage_maps",
    "dot_panels",
    "dots",
    "heatmap",
    "image_rows",
    "lines",
    "picture",
    "scatter_panels",
    "scatter_with_images",
    "sheets",
    "show",
    "signed",
    "spectra",
    "symmetric_limit",
    "use_style",
]
