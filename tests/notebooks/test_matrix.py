"""Notebooks run with every kind of value that their parameters allow.

A tenth of the cases is run, another one for every commit; with MANIFPT_TESTS=all, as
`make test-all` sets it, all of them are.
"""

import json
import re
from dataclasses import replace

import pytest
import shell
import turns
from matrix import FOLDERS, ROOT, Case, cases, chosen, given_parameters, make_folder
from papermill import inspect_notebook

from manifpt_utils._support.provenance import git_commit
from manifpt_utils.images.loading import load
from manifpt_utils.notebook.parameters import check_values

EVERY = cases()
_, FEW = chosen(EVERY, git_commit(ROOT))
SELECTED = EVERY if turns.ALL else FEW


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
def outcomes(request, tmp_path_factory):
    """What the chosen cases come to, by name; they begin all together."""
    with pytest.MonkeyPatch.context() as patch, shell.pool() as pool:
        patch.setenv("IPYTHONDIR", str(tmp_path_factory.mktemp("ipython")))
        patch.delenv("MANIFPT_CACHE", raising=False)  # the same images many times
        for name, value in shell.ENVIRONMENT.items():
            patch.setenv(name, value)
        parts = (getattr(item, "callspec", None) for item in request.session.items)
        asked = [part.params.get("case") for part in parts if part]
        yield {
            str(case): pool.submit(shell.run, case, tmp_path_factory.mktemp("case"))
            for case in asked
            if isinstance(case, Case)
        }
        pool.shutdown(cancel_futures=True)


@pytest.mark.parametrize("case", SELECTED, ids=str)
def test_notebook_runs_with_allowed_values(case, outcomes):
    outcome = outcomes[str(case)].result()
    if case.refusal:
        said = outcome.error or "nothing"
        wanted = rf"\b{re.escape(case.refusal)}\b"
        assert re.search(wanted, said), f"{case}: {said}\nwithout {case.refusal!r}"
    elif outcome.error:
        given = f"{json.dumps(case.parameters)}, {case.folder or 'no folder'}"
        pytest.fail(f"{case}\n{given}\n{outcome.where}\n{outcome.error}", pytrace=False)
    else:
        assert not re.search(r"\bnan\b|\{glue", outcome.said)
        assert outcome.said
