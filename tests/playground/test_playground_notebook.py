"""The notebook of the playground runs without a screen, its widgets made."""

from pathlib import Path

import nbformat
from nbclient import NotebookClient

from manifpt_utils.playground.widgets import NO_KERNEL

NOTEBOOK = Path(__file__).parents[2] / "notebooks/playground/playground.ipynb"
FEWER = {"n_fit: int = 250": "n_fit: int = 40"}


def test_it_runs_and_leaves_a_picture_for_those_without_a_kernel():
    notebook = nbformat.read(NOTEBOOK, 4)
    (parameters,) = (c for c in notebook.cells if c["id"] == "parameters")
    for old, new in FEWER.items():
        assert old in parameters.source
        parameters.source = parameters.source.replace(old, new)
    NotebookClient(notebook, timeout=600, kernel_name="python3").execute()
    outputs = {c["id"]: c.outputs for c in notebook.cells if c.cell_type == "code"}
    (said,) = outputs["quality"]
    assert "of 7 classes" in said.data["text/markdown"]
    _, shown = outputs["play"]
    assert "application/vnd.jupyter.widget-view+json" in shown.data
    assert NO_KERNEL in shown.data["text/html"]
    assert '<img src="data:image/png' in shown.data["text/html"]


def test_without_a_kernel_a_cell_says_so_and_shows_a_picture():
    notebook = nbformat.read(NOTEBOOK, 4)
    (cell,) = (c for c in notebook.cells if c["id"] == "without-kernel")
    assert "need a running kernel" in cell.source
    assert "](playground.webp)" in cell.source
    for picture in NOTEBOOK.parent.glob("*.webp"):
        assert picture.stat().st_size < 200_000
