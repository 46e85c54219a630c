"""Reads and writes the pages of the book on all cores, which jupyter-book does not."""

from joblib import cpu_count

# They do not say whether this is safe.  It is: the first transforms one page at a time,
# the second numbers sections when all pages have been read.
SAFE = ("sphinx_jupyterbook_latex", "sphinx_multitoc_numbering")


def declare(app, config):
    """Without this, Sphinx warns of these extensions and reads on one core."""
    for name in SAFE:
        app.extensions[name].parallel_read_safe = True


def setup(app):
    """Register the hook with Sphinx, after jupyter-book has added its extensions."""
    app.parallel = cpu_count()
    app.connect("config-inited", declare, priority=999)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
