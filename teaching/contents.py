"""The pages of the book in their order, from the table of contents."""

from pathlib import Path

import yaml

EXECUTED = "book/executed/"


def pages(root):
    """The names of all pages, without an ending, in the order of the book.

    Parameters
    ----------
    root : path
        Of the project.

    Returns
    -------
    list of str
    """
    toc = yaml.safe_load(Path(root, "_toc.yml").read_text(encoding="utf-8"))
    chapters = [c for part in toc["parts"] for c in part["chapters"]]
    entries = [entry for c in chapters for entry in (c, *c.get("sections", ()))]
    return [toc["root"], *(entry["file"] for entry in entries)]


def chapters(root):
    """The names of the chapters that are notebooks, such as "03_attribution"."""
    return [n.removeprefix(EXECUTED) for n in pages(root) if n.startswith(EXECUTED)]
