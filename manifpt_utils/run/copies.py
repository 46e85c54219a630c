"""What is kept of an executed notebook: what a reader needs.

Executed copies lie in `book/executed`, their sources in `notebooks`.
"""

import copy
import re

import nbformat

UP = "\x1b[A"  # moves the cursor to the line above
LOWER = re.compile(rf"(\n|\A)[^\n]*?{re.escape(UP)}")
WIDGET = "application/vnd.jupyter.widget-view+json"
FOLDED = {"hide-cell", "hide-input"}  # tags of cells whose code the book folds


def as_kept(notebook):
    """The copy of an executed notebook that the book keeps.

    Times, absolute paths and progress bars are removed, because they differ between two
    equal runs.  Links are rewritten for the folder of the copy.  Code that the book
    folds is folded in JupyterLab and in editors, too.

    Parameters
    ----------
    notebook : NotebookNode

    Returns
    -------
    NotebookNode
    """
    kept = copy.deepcopy(notebook)
    for holder in (kept, *kept.cells):
        for name in ("papermill", "execution", "widgets"):
            holder.metadata.pop(name, None)
    for cell in kept.cells:
        if cell.cell_type == "markdown":
            cell.source = with_links_of_copy(cell.source)
        elif cell.cell_type == "code":
            cell.outputs = [_with_links(o) for o in without_bars(cell.outputs)]
            if FOLDED & set(tags(cell)):
                cell.metadata["jupyter"] = {"source_hidden": True}
    return kept


def with_links_of_copy(text):
    """Markdown of a notebook, with the links to other pages that its copy needs.

    >>> with_links_of_copy("[The method](../book/method.md), [3](03_attribution.ipynb)")
    '[The method](../method.md), [3](03_attribution.ipynb)'
    >>> with_links_of_copy("[to do](../exercises/03_attribution.ipynb)")
    '[to do](../../exercises/03_attribution.ipynb)'
    """
    text = text.replace("](../book/", "](../")
    return text.replace("](../exercises/", "](../../exercises/")


def _with_links(output):
    data = output.get("data", {})
    if "text/markdown" in data:
        data["text/markdown"] = with_links_of_copy(data["text/markdown"])
    return output


def without_bars(outputs):
    """Outputs of a cell with at most one line for each progress bar.

    A widget is left out, because it shows nothing without its kernel.  Of a line that
    was drawn again and again, the last state is kept, as a terminal would show it.

    Parameters
    ----------
    outputs : list of NotebookNode

    Returns
    -------
    list of NotebookNode
    """
    kept = []
    for output in outputs:
        if WIDGET in output.get("data", {}):
            continue
        if kept and _is_continued(kept[-1], output):
            kept[-1].text += output.text
        else:
            kept.append(copy.deepcopy(output))
    for stream in filter(_is_stream, kept):
        stream.text = as_on_terminal(stream.text)
    return [o for o in kept if not _is_stream(o) or o.text.strip()]


def _is_stream(output):
    return output.output_type == "stream"


def _is_continued(before, output):
    return _is_stream(before) and _is_stream(output) and before.name == output.name


def as_on_terminal(text):
    """Printed text without the parts that were drawn over later.

    These are the text before a carriage return, and the line that an inner progress bar
    drew below the outer one, before the cursor went up again.

    >>> as_on_terminal("begin\\n\\r 0%|    |\\r99%|### |\\r        \\rend\\n")
    'begin\\nend\\n'
    """
    text = text.replace("\r\n", "\n")
    while UP in text:  # each turn removes the lowest lines
        text = LOWER.sub("", text)
    lines = text.split("\n")
    return "\n".join(line.rpartition("\r")[2] for line in lines)


def with_new_prose(source, executed):
    """The notebook `source` with the outputs of its executed copy.

    Both have the same code; papermill's injected cell stays after the parameters.
    """
    ran = [cell for cell in executed.cells if cell.cell_type == "code"]
    injected = [cell for cell in ran if "injected-parameters" in tags(cell)]
    own = iter([cell for cell in ran if "injected-parameters" not in tags(cell)])
    cells = []
    for cell in source.cells:
        if cell.cell_type == "code":
            done = next(own)
            cell.outputs, cell.execution_count = done.outputs, done.execution_count
        cells += [cell, *(injected if "parameters" in tags(cell) else [])]
    return nbformat.from_dict({**executed, "cells": cells})


def tags(cell):
    """The tags of a cell."""
    return cell.metadata.get("tags", [])
