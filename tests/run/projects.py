"""Small projects for the runner: notebooks, a plan, and the command on them."""

import json
import os
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from manifpt_utils.run.command import command
from manifpt_utils.run.plan import Run

ROOT = Path(__file__).parents[2]
KERNEL = {"name": "python3", "language": "python", "display_name": "Python 3"}
PARAMETERS = """\
n: int = 3  # how many
rate: float = 0.5  # how fast
word: str = "a"  # a word
flag: bool = False  # whether
seeds: list[int] = [0, 1]  # one run each"""


def make_notebook(*code, title="# Title"):
    parameters = new_code_cell(PARAMETERS, metadata={"tags": ["parameters"]})
    cells = [new_markdown_cell(title), parameters, *map(new_code_cell, code)]
    return new_notebook(cells=cells, metadata={"kernelspec": KERNEL})


def make_project(folder, notebooks, runs):
    """A folder with notebooks and a plan, as the runner expects it."""
    (folder / "notebooks").mkdir(parents=True, exist_ok=True)
    for name, notebook in notebooks.items():
        nbformat.write(notebook, folder / "notebooks" / f"{name}.ipynb")
    defaults = {"profile": "smoke", "budget": 900}
    plan = {"runs": [defaults | run for run in runs]}
    (folder / "runs.yml").write_text(json.dumps(plan))  # JSON is YAML
    return folder


def main(arguments):
    """The exit status of `manifpt run`."""
    with pytest.raises(SystemExit) as ended:
        command(arguments, prog_name="manifpt run")
    return ended.value.code


def start_runner(folder, *options, **more):
    """The command line in a process of its own."""
    return subprocess.Popen(
        [sys.executable, "-m", "manifpt_utils", "run", *options],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": str(ROOT), "CI": ""},
        **more,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def run(name="a", **changes):
    known = {"notebook": name, "name": name, "profile": "smoke", "budget": 60}
    return Run(**known | changes)


def records(folder):
    runs = json.loads((folder / "book" / "executed" / "runs.json").read_text())["runs"]
    return {record["name"]: record for record in runs}


def outputs(path):
    cells = nbformat.read(path, as_version=4).cells
    return [output for cell in cells for output in cell.get("outputs", [])]
