"""The line of every chapter that says how long it takes to read and to run.

`python book/_ext/chapter_times.py` writes it into `notebooks/*.ipynb`: the time to read
from the words of the chapter, the time to run from what the runner measured for the
full profile, which `runs.yml` keeps.  The line is text of the notebook, so that it
reads the same in the book, in JupyterLab and on a code host.  A test holds it to both.
"""

import ast
import json
import math
import re
from pathlib import Path

import yaml

ROOT = Path(__file__).parents[2]
LINE = re.compile(r"\*Time to read:\*.*$", re.MULTILINE)
WORDS_PER_MINUTE = 200
SECONDS_PER_PICTURE = 15  # a figure or a table
PICTURES = {"show", "table", "image_rows"}  # calls that display one
LEAST = 4  # words; shorter texts in code are names and labels


def minutes_to_read(notebook):
    """Minutes that prose, sentences in the code and pictures take, rounded up.

    Parameters
    ----------
    notebook : dict
        As its file holds it.

    Returns
    -------
    int
    """
    words, pictures = 0, 0
    for cell in notebook["cells"]:
        text = "".join(cell["source"])
        if cell["cell_type"] == "markdown":
            words += len(LINE.sub("", text).split())
        else:
            tree = ast.parse(text)
            words += sum(map(_words, ast.walk(tree)))
            pictures += sum(map(_is_picture, ast.walk(tree)))
    return math.ceil(words / WORDS_PER_MINUTE + pictures * SECONDS_PER_PICTURE / 60)


def _words(node):
    is_text = isinstance(node, ast.Constant) and isinstance(node.value, str)
    n = len(node.value.split()) if is_text else 0
    return n if n >= LEAST else 0


def _is_picture(node):
    function = node.func if isinstance(node, ast.Call) else None
    name = getattr(function, "attr", getattr(function, "id", None))
    return name in PICTURES


def seconds_to_run(name, plan=ROOT / "runs.yml"):
    """Seconds that a chapter took in the full profile when it was measured.

    Parameters
    ----------
    name : str
    plan : path

    Returns
    -------
    float
    """
    runs = yaml.safe_load(Path(plan).read_text(encoding="utf-8"))["runs"]
    measured = {run["notebook"]: run["seconds"] for run in runs if "seconds" in run}
    return measured[name]


def line(notebook, name):
    """What a chapter says about its times.

    Parameters
    ----------
    notebook : dict
    name : str

    Returns
    -------
    str
    """
    read, run = minutes_to_read(notebook), math.ceil(seconds_to_run(name) / 60)
    to_run = f"{run} minutes" if run > 1 else "a minute or less"
    return f"*Time to read:* {read} minutes. *Time to run:* {to_run}."


def with_line(notebook, name):
    """The notebook with the line in its first cell.

    Parameters
    ----------
    notebook : dict
    name : str

    Returns
    -------
    dict
    """
    first = notebook["cells"][0]
    text = LINE.sub(line(notebook, name), "".join(first["source"]))
    first = first | {"source": text.splitlines(keepends=True)}
    return notebook | {"cells": [first, *notebook["cells"][1:]]}


if __name__ == "__main__":
    for path in sorted((ROOT / "notebooks").glob("[0-9]*.ipynb")):
        found = with_line(json.loads(path.read_text(encoding="utf-8")), path.stem)
        text = json.dumps(found, indent=1, ensure_ascii=False)
        path.write_text(f"{text}\n", encoding="utf-8")
