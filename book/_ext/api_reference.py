"""Leave out of the reference what nobody wrote: generated members without content."""


def skip_generated(app, what, name, obj, skip, options):
    """Skip scikit-learn's metadata methods and the aliases of named tuples.

    The first cite scikit-learn's own manual, which is not at hand offline; the second
    only repeat a field's number.
    """
    if name.startswith("set_") and name.endswith("_request"):
        return True
    if (getattr(obj, "__doc__", None) or "").startswith("Alias for field number"):
        return True
    return None  # leave the decision to others


def setup(app):
    """Register the hook with Sphinx."""
    app.connect("autodoc-skip-member", skip_generated)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
