"""Notebooks run with every kind of value that their parameters allow.

A tenth of the cases is run, another one for every commit; with MANIFPT_MATRIX=all, as
`make test-all` sets it, all of them are.
"""

import json
import os
import re
from dataclasses import replace

import pytest
from ipykernel.kernelspec import write_kernel_spec
from matrix import FOLDERS, ROOT, Case, cases, chosen, given_parameters, make_folder
from papermill import PapermillExecutionError, execute_notebook, inspect_notebook

from manifpt_utils._support.provenance import git_commit
from manifpt_utils.images.loading import load
from manifpt_utils.notebook.parameters import check_values
from manifpt_utils.run.plan import literal_path

EVERY = cases()
_, FEW = chosen(EVERY, git_commit(ROOT))
SELECTED = EVERY if os.environ.get("MANIFPT_MATRIX") == "all" else FEW


SMALL = replace(FOLDERS["three models"], n_images=5, n_real=20)


# --- the cases themselves ---------------------------------------------------------


def test_every_case_is_named_once():
    assert len({str(case) for case in EVERY}) == len(EVERY)


def declared(notebook):
    """Text of the kind of every parameter."""
    shown = inspect_notebook(ROOT / "notebooks" / f"{notebook}.ipynb")
    return {name: found["inferred_type_name"] for name, found in shown.items()}


def test_cases_are_allowed_by_the_declared_kinds():
    for case in EVERY:
        problems = check_values(case.parameters, declared(case.notebook))[1]
        assert problems == [], case


def test_tenths_are_all_cases_and_the_commit_chooses():
    parts = {}
    for number in range(200):
        tenth, few = chosen(EVERY, f"commit {number}")
        parts[tenth] = few
    names = sorted(str(case) for few in parts.values() for case in few)
    assert names == sorted(map(str, EVERY))
    assert chosen(EVERY, "a1b2") == chosen(EVERY, "a1b2-dirty")


@pytest.mark.parametrize("name", FOLDERS)
def test_folders_are_what_their_names_say(tmp_path, name):
    folder = replace(FOLDERS[name], n_images=5, n_real=20)
    found = load(make_folder(tmp_path / "own", folder, "astronaut"))
    assert len(found.models) == folder.n_models
    assert found.real.shape[1:] == (*folder.size, 3)
    assert (found.factors is not None) == folder.factors


def test_second_folder_has_the_same_models_and_other_images(tmp_path):
    case = Case("x", "y", {"models": ["all"]}, SMALL, ("a",), ("b",))
    given = given_parameters(case, tmp_path)
    own, second = load(given["a"]), load(given["b"])
    assert own.models == second.models
    for model in own.models:
        images = {image.tobytes() for image in own.images[model]}
        assert not images & {image.tobytes() for image in second.images[model]}


# --- the notebooks ----------------------------------------------------------------


@pytest.fixture(scope="module")
def kernel(tmp_path_factory):
    """A folder with a kernel that runs this interpreter."""
    folder = tmp_path_factory.mktemp("jupyter")
    (folder / "kernels").mkdir()
    write_kernel_spec(folder / "kernels" / "python3")
    return folder


@pytest.fixture
def environment(kernel, tmp_path, monkeypatch):
    """What a kernel sees: this package, its own folders, features kept on disk."""
    monkeypatch.setenv("JUPYTER_PATH", str(kernel))
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path / "ipython"))
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    monkeypatch.delenv("MANIFPT_CACHE", raising=False)  # the same images many times


def execute(case, folder):
    """Run a case in a kernel of its own: its executed notebook, or the error."""
    options = {
        "parameters": given_parameters(case, folder),
        "kernel_name": "python3",
        "language": "python",
        "progress_bar": False,
        "start_timeout": 600,
        "iopub_timeout": 600,
        "cwd": str(ROOT),
    }
    source = literal_path(ROOT / "notebooks" / f"{case.notebook}.ipynb")
    try:
        return execute_notebook(source, None, **options), None
    except PapermillExecutionError as error:
        return None, error


def failing_cell(error):
    """The cell that failed and what it said, without colours."""
    text = "\n".join([error.source, "", *error.traceback])
    return f"cell {error.cell_index}:\n" + re.sub(r"\x1b\[[0-9;]*m", "", text)


def sentences(notebook):
    """All that a reader of an executed notebook is told in words."""
    cells = [cell for cell in notebook.cells if cell.cell_type == "code"]
    outputs = [output for cell in cells for output in cell.outputs]
    shown = [output.get("data", {}).get("text/markdown", "") for output in outputs]
    return "\n".join("".join(text) for text in shown)


@pytest.mark.filterwarnings("default")  # of papermill's own loop
@pytest.mark.parametrize("case", SELECTED, ids=str)
def test_notebook_runs_with_allowed_values(case, environment, tmp_path):
    executed, error = execute(case, tmp_path)
    if case.refusal:
        said = error.evalue if error else "nothing"
        wanted = rf"\b{re.escape(case.refusal)}\b"
        assert re.search(wanted, said), f"{case}: {said}\nwithout {case.refusal!r}"
    elif error:
        given = f"{json.dumps(case.parameters)}, {case.folder or 'no folder'}"
        pytest.fail(f"{case}\n{given}\n{failing_cell(error)}", pytrace=False)
    else:
        assert not re.search(r"\bnan\b|\{glue", sentences(executed))
