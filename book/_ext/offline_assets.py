"""Make the book self-contained: MathJax and Plotly come from installed wheels.

Nothing is loaded from a content delivery network, so the book reads the same on a
train, behind a firewall and in ten years.  The files are copied at build time into
a temporary folder, never into the repository.
"""

import shutil
import tempfile
from importlib.metadata import distribution
from pathlib import Path

from sphinx.errors import ExtensionError

FIGURE_CLASS = "plotly-figure"  # written by manifpt_utils.notebook.renderer
# The whole MathJax wheel is 24 MB.  The page needs the first two entries, and loads
# one file of the last when a formula uses a rare macro such as \boldsymbol.
MATHJAX_PARTS = (
    "tex-mml-chtml.js",
    "output/chtml/fonts/woff-v2",
    "input/tex/extensions",
)


def packaged(wheel, path):
    """Return the file or folder `path` of an installed distribution."""
    found = Path(distribution(wheel).locate_file(path))
    if not found.exists():
        raise ExtensionError(
            f"{path} is missing from the installed {wheel}: reinstall the pinned "
            "version (pip install -c constraints.txt -e '.[book]')"
        )
    return found


def copy(source, target):
    """Copy one file or a whole folder, creating the parents of `target`."""
    target.parent.mkdir(parents=True, exist_ok=True)
    if source.is_dir():
        shutil.copytree(source, target)
    else:
        shutil.copyfile(source, target)


def collect_assets(folder):
    """Put MathJax and Plotly below `folder`/vendor."""
    vendor = Path(folder, "vendor")
    mathjax = packaged(
        "sphinx-mathjax-offline", "sphinx-mathjax-offline/static/mathjax"
    )
    for part in MATHJAX_PARTS:
        copy(mathjax / part, vendor / "mathjax" / part)
    plotly = packaged("plotly", "plotly/package_data/plotly.min.js")
    copy(plotly, vendor / "plotly.min.js")


def add_static_folder(app):
    """Offer the collected files to the HTML writer as part of _static."""
    if app.builder.format != "html":
        return
    folder = tempfile.mkdtemp(prefix="book-assets-")
    collect_assets(folder)
    app.config.html_static_path.append(folder)
    app.connect("build-finished", lambda *_: shutil.rmtree(folder, ignore_errors=True))


def add_plotly(app, pagename, templatename, context, doctree):
    """Load Plotly (5 MB) only on pages that hold an interactive figure."""
    if FIGURE_CLASS in context.get("body", ""):
        app.add_js_file("vendor/plotly.min.js", loading_method="defer", priority=900)
        app.add_js_file("interactive.js", loading_method="defer", priority=901)


def drop_thebe(app, pagename, templatename, context, doctree):
    """Remove Thebe, which jupyter-book always adds and which needs the network."""
    context["script_files"] = [
        script
        for script in context.get("script_files", [])
        if "thebe" not in f"{script} {getattr(script, 'attributes', '')}".lower()
    ]
    context["css_files"] = [
        sheet for sheet in context.get("css_files", []) if "thebe" not in str(sheet)
    ]


def setup(app):
    """Register the hooks with Sphinx."""
    app.connect("builder-inited", add_static_folder)
    app.connect("html-page-context", add_plotly)
    app.connect("html-page-context", drop_thebe, priority=999)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
