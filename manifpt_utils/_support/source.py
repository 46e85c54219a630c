"""The code of this package as text: what of it decides a result."""

import ast


def syntax(path):
    """What Python reads in a source file: neither its comments nor its layout: a text.

    Parameters
    ----------
    path : Path
    """
    return ast.dump(ast.parse(path.read_text(encoding="utf-8")))
