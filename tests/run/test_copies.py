"""What is kept of an executed notebook."""

import io
import re

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output
from tqdm import tqdm

from manifpt_utils.run.copies import WIDGET, as_kept, as_on_terminal, without_bars


def stream(text, name="stderr"):
    return new_output("stream", name=name, text=text)


def shown(data):
    return new_output("display_data", data=data)


def texts(outputs):
    return [o.text if o.output_type == "stream" else o.data for o in outputs]


def test_a_bar_that_was_drawn_step_by_step_is_one_line():
    steps = [
        stream(f"\rfeatures: {i:3}%|##  | {i}/100 [00:01<00:01]") for i in range(9)
    ]
    (kept,) = texts(without_bars([*steps, stream("\n")]))
    assert kept == "features:   8%|##  | 8/100 [00:01<00:01]\n"


def test_a_bar_that_was_wiped_leaves_nothing():
    bar = [stream("\r 50%|## | 1/2"), stream("\r              "), stream("\r")]
    assert without_bars(bar) == []


def test_a_bar_as_a_widget_leaves_nothing():
    data = {WIDGET: {"model_id": "a"}, "text/plain": "features:   0%|    | 0/16"}
    assert texts(without_bars([shown(data), stream("done\n")])) == ["done\n"]


@pytest.mark.parametrize("stays", [True, False])
def test_bars_inside_bars_leave_a_line_each_at_most(stays):
    written = io.StringIO()
    options = {"file": written, "mininterval": 0}
    for _ in tqdm(range(3), desc="outer", leave=stays, **options):
        for _ in tqdm(range(3), desc="inner", leave=False, **options):
            pass
    written.write("done\n")
    steps = [stream(text) for text in re.split(r"(?=\r)", written.getvalue())]
    (kept,) = texts(without_bars(steps))
    lines = kept.split("\n")
    assert lines[-2:] == ["done", ""] and "inner" not in kept
    assert [line.startswith("outer: 100%") for line in lines[:-2]] == [True] * stays


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a\n\nlow\x1b[A\x1b[Ab", "ab"),
        ("\x1b[Aa", "a"),
        ("a\n\x1b[31mred\x1b[0m\x1b[Ab\n", "ab\n"),
        ("one\ntwo\x1b[A\nthree", "one\nthree"),
    ],
)
def test_lines_below_which_the_cursor_left_are_not_kept(text, shown):
    assert as_on_terminal(text) == shown


def test_what_was_printed_and_shown_stays_in_order():
    table = {"text/plain": "table", "text/html": "<table>"}
    given = [stream("1\n", "stdout"), stream("2\r\n", "stdout"), shown(table)]
    given += [stream("3\n", "stdout"), stream("warning\n")]
    kept = without_bars(given)
    assert texts(kept) == ["1\n2\n", table, "3\n", "warning\n"]


def test_outputs_that_were_given_are_not_changed():
    given = [stream("a"), stream("b\rc")]
    without_bars(given)
    assert texts(given) == ["a", "b\rc"]


LINK = "[Method](../book/method.md), [Song](../book/bibliography.md#song2024manifpt)"
TURNED = "[Method](../method.md), [Song](../bibliography.md#song2024manifpt)"


def executed():
    finding = shown({"text/markdown": LINK, "text/plain": LINK})
    code = new_code_cell(f'print("{LINK}")', outputs=[finding, stream(LINK, "stdout")])
    notebook = new_notebook(cells=[new_markdown_cell(LINK), code])
    notebook.metadata["widgets"] = {"application/vnd.jupyter.widget-state+json": {}}
    return notebook


def test_links_in_markdown_fit_the_folder_of_the_copies_and_code_stays():
    prose, code = as_kept(executed()).cells
    assert prose.source == TURNED
    assert code.outputs[0].data["text/markdown"] == TURNED
    assert code.outputs[1].text == LINK and LINK in code.source


def test_links_to_other_notebooks_stay():
    text = "[Attribution](03_attribution.ipynb#few), [home](https://x.org/book/)"
    notebook = new_notebook(cells=[new_markdown_cell(text)])
    assert as_kept(notebook).cells[0].source == text


def test_no_state_of_widgets_is_kept_and_the_notebook_is_valid():
    kept = as_kept(executed())
    assert "widgets" not in kept.metadata
    nbformat.validate(kept)


def test_what_is_kept_is_kept_as_it_is():
    once = as_kept(executed())
    assert as_kept(once) == once


@pytest.mark.parametrize("kind", ["raw", "markdown"])
def test_cells_without_outputs_pass(kind):
    cell = {"cell_type": kind, "source": "x", "metadata": {}, "id": "a"}
    assert as_kept(nbformat.from_dict({**new_notebook(), "cells": [cell]}))


@pytest.mark.parametrize(("tag", "is_folded"), [("hide-input", True), ("other", False)])
def test_code_that_the_book_folds_is_folded_everywhere(tag, is_folded):
    cell = new_code_cell("1 + 1", metadata={"tags": [tag]})
    (kept,) = as_kept(new_notebook(cells=[cell])).cells
    assert kept.metadata.get("jupyter", {}).get("source_hidden", False) == is_folded
