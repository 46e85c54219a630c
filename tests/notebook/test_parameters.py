"""Checked notebook parameters: what papermill lets through must not get further."""

import math
import os
import re
import subprocess
import sys
from pathlib import Path

import nbformat
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from IPython.core.interactiveshell import InteractiveShell
from nbformat.v4 import new_code_cell, new_notebook

from manifpt_utils.notebook.parameters import (
    AtLeast,
    BenchmarkName,
    Between,
    Estimator,
    ListOf,
    Methods,
    Names,
    Number,
    PhotoBenchmark,
    Positive,
    Seed,
    Share,
    Spaces,
    check_parameters,
    check_values,
    declared_kinds,
)

ROOT = Path(__file__).parents[2]
KINDS = {
    "estimator": Estimator,
    "n_samples": AtLeast[10],
    "rate": Number[0, 1],
    "seeds": ListOf[Seed],
    "augment": bool,
    "benchmark": BenchmarkName,
    "spaces": Spaces,
}
GOOD = {
    "estimator": "nearest",
    "n_samples": 10,
    "rate": 0.5,
    "seeds": [0, 1],
    "augment": False,
    "benchmark": "gm-photo/coffee",
    "spaces": ["rgb"],
}


def check(**changes):
    """Check a namespace as a notebook has it, with some values changed."""
    values = {"__annotations__": KINDS} | GOOD | changes
    return check_parameters(values, notebook="03_attribution")


def read(value, kind):
    """The value as its kind makes it."""
    checked, problems = check_values({"it": value}, {"it": kind})
    assert not problems, problems
    return checked["it"]


def refusal(value, kind):
    """What is said about a value that its kind refuses."""
    (problem,) = check_values({"it": value}, {"it": kind})[1]
    return problem


def in_ipython(*cells, **values):
    """A namespace in which the given cells ran, and then the one that checks."""
    history = ["", *cells, "check_parameters(globals(), ...)"]
    return {"__annotations__": KINDS, "In": history} | values


def test_good_values_pass_unchanged():
    assert check() == GOOD
    assert list(check()) == list(KINDS)


def test_values_are_normalised_in_place():
    values = {"__annotations__": KINDS} | GOOD
    values |= {"spaces": "freq, rgb", "seeds": "3, 4", "rate": 1}
    check_parameters(values, notebook="x")
    assert values["spaces"] == ["frequency", "rgb"]
    assert values["seeds"] == [3, 4]
    assert isinstance(values["rate"], float)


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        (
            "n_samples",
            "7",
            r"n_samples = '7' must be a whole number of at least 10; it is",
        ),
        ("n_samples", 7, "n_samples = 7 must be a whole number of at least 10"),
        ("n_samples", 20.0, "write 20"),
        ("n_samples", 20.5, "n_samples = 20.5 must be a whole number"),
        ("n_samples", True, "n_samples = True must be a whole number"),
        ("n_samples", None, "n_samples = None must be a whole number"),
        ("rate", "1e-4", "rate = '1e-4' must be a finite number .*1.0e-4 in YAML"),
        ("rate", "low", "rate = 'low' must be .*; it is text"),
        ("rate", math.nan, "rate = nan must be a finite number from 0 to 1"),
        ("rate", math.inf, "rate = inf must be a finite number"),
        ("rate", 1.01, "rate = 1.01 must be a finite number from 0 to 1"),
        ("rate", False, "rate = False must be a finite number"),
        ("augment", "true", "augment = 'true' must be True or False; papermill"),
        ("augment", 1, "augment = 1 must be True or False"),
        ("benchmark", 2024, "= 2024 must be text that is not empty; papermill's -r"),
        ("benchmark", " ", "must be text that is not empty"),
        ("estimator", "nearset", "= 'nearset' is unknown; did you mean 'nearest'"),
        ("estimator", math.nan, "estimator = nan is unknown; Known: hull, "),
        ("spaces", "rgb,frequenzy", "= 'frequenzy' is unknown; did you mean 'freq"),
        ("spaces", "freq,frequency", "names each item once"),
        ("spaces", "[rgb,freq]", r"'\[rgb,freq\]' must be a list; write rgb,freq on"),
        (
            "spaces",
            "rgb freq",
            r'write rgb,freq on the command line, \["rgb", "freq"\]',
        ),
        (
            "spaces",
            "['rgb']",
            r"""write rgb on the command line, \["rgb"\] elsewhere""",
        ),
        ("spaces", "[rbg]", "must be a list; write its items without brackets, with"),
        ("seeds", "0 1", r"write 0,1 on the command line, \[0, 1\] elsewhere"),
        ("seeds", "0,one", "seeds = 'one' must be a whole number .*it is text"),
        ("seeds", "0,1.0", "seeds = 1.0 must be a whole number from 0 .*; write 1"),
        ("seeds", "", "must be a list of at least one item"),
        ("seeds", [], "must be a list of at least one item"),
        ("seeds", [0, 1, 0], "names each item once"),
        ("seeds", [0, "1"], "'1' must be a whole number from 0 to"),
        ("seeds", -1, "-1 must be a whole number from 0 to"),
    ],
)
def test_wrong_value_is_named_with_its_remedy(name, value, message):
    with pytest.raises(ValueError, match=rf"03_attribution:\s+.*{message}"):
        check(**{name: value})


def test_all_problems_are_listed_in_one_error():
    with pytest.raises(ValueError) as caught:
        check(n_samples="7", augment="true", seeds=[-1, "x"], spcaes="rgb")
    assert len(str(caught.value).splitlines()) == 6


def test_missing_parameter():
    values = {"__annotations__": KINDS} | GOOD
    del values["spaces"]
    with pytest.raises(ValueError, match="spaces has no value; give it a default"):
        check_parameters(values, notebook="x")


def test_nothing_declared_is_no_success():
    with pytest.raises(ValueError, match="x: no parameter is declared; run the param"):
        check_parameters({"n": 7}, notebook="x")
    with pytest.raises(ValueError, match="no parameter is declared"):
        check_parameters(in_ipython("import math", **GOOD), notebook="x")


def test_values_stay_as_they_are_when_one_is_wrong():
    values = {"__annotations__": KINDS} | GOOD | {"spaces": "freq", "augment": "true"}
    with pytest.raises(ValueError):
        check_parameters(values, notebook="x")
    assert values["spaces"] == "freq"


def test_misspelt_name_suggests_the_near_one():
    with pytest.raises(ValueError, match="parameter 'spcaes'; did you mean 'spaces'"):
        check(spcaes="frequency")


def test_imports_functions_and_private_names_are_no_parameters():
    values = {"np": math, "check": check, "_i1": "x", "Out": {}, "In": []}
    assert check(**values, PAPERMILL_INPUT_PATH="a.ipynb") == GOOD


TYPED = "\n".join(f"{name}: Kind = {value!r}" for name, value in GOOD.items())


def test_misspelt_name_in_papermills_cell_is_found():
    values = in_ipython(TYPED, '# Parameters\nspcaes = "rgb"\n', **GOOD, spcaes="rgb")
    with pytest.raises(ValueError, match="unknown parameter 'spcaes'"):
        check_parameters(values, notebook="x")


def test_float_that_papermill_injects_as_a_call_is_found():
    values = in_ipython(TYPED, "# Parameters\nraet = float('nan')\n", **GOOD)
    with pytest.raises(
        ValueError, match="unknown parameter 'raet'; did you mean 'rate'"
    ):
        check_parameters(values, notebook="x")


def test_parameter_without_a_kind_is_found():
    values = in_ipython(TYPED + "\nextra = 3", **GOOD, extra=3)
    with pytest.raises(ValueError, match="unknown parameter 'extra'"):
        check_parameters(values, notebook="x")


@pytest.mark.parametrize(
    "later", ["accuracy = 0.9", "%time x = 3", "for k in range(3):\n    pass", "k = 3"]
)
def test_checking_again_after_the_notebook_ran_is_no_error(later):
    values = in_ipython(
        TYPED, "check_parameters(...)", later, **GOOD, accuracy=0.9, k=3
    )
    assert check_parameters(values, notebook="x") == GOOD


@pytest.mark.parametrize("between", [[], ["check_parameters(...)"], ["import math"]])
def test_reader_may_mend_a_misspelt_name_and_go_on(between):
    wrong = TYPED.replace("spaces", "spcaes")
    values = in_ipython(wrong, *between, TYPED, *between, **GOOD, spcaes="rbg")
    values["__annotations__"] = KINDS | {"spcaes": Spaces}  # Python keeps the old one
    assert check_parameters(values, notebook="x") == GOOD


def test_reader_may_take_back_what_papermill_injected():
    injected = '# Parameters\nspcaes = "rgb"\n'
    values = in_ipython(TYPED, injected, TYPED, **GOOD, spcaes="rgb")
    assert check_parameters(values, notebook="x") == GOOD


def test_typed_variable_of_a_reader_does_not_hide_the_parameters():
    values = in_ipython(TYPED, "check_parameters(...)", "k: int = 3", **GOOD, k=3)
    values["__annotations__"] = KINDS | {"k": int}
    values["rate"] = 2
    with pytest.raises(ValueError, match="rate = 2 must be"):
        check_parameters(values, notebook="x")


def test_imports_may_stand_between_parameters_and_check():
    injected = '# Parameters\nspcaes = "rgb"\n'
    values = in_ipython(TYPED, injected, "import math\nx = 3", **GOOD, x=3)
    with pytest.raises(ValueError, match="unknown parameter 'spcaes'"):
        check_parameters(values, notebook="x")


@given(st.lists(st.integers(0, 10**6), min_size=1, max_size=8, unique=True))
def test_list_may_be_given_as_text(items):
    assert read(",".join(map(str, items)), ListOf[AtLeast[0]]) == items


@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=8, unique=True))
def test_numbers_may_be_given_as_text(items):
    assert read(" , ".join(map(repr, items)), ListOf[Number[-1e6, 1e6]]) == items


@given(st.integers(-20, 20), st.integers(-10, 10), st.integers(-10, 10))
def test_integer_accepts_exactly_its_range(value, a, b):
    least, most = min(a, b), max(a, b)
    kind = Between[least, most]
    if least <= value <= most:
        assert read(value, kind) == value
    else:
        wanted = f"it = {value} must be a whole number from {least} to {most}."
        assert refusal(value, kind) == wanted


@given(st.integers())
def test_seed_starts_every_generator_or_is_refused(value):
    if 0 <= value < 2**32:
        np.random.RandomState(read(value, Seed))
    else:
        assert "must be a whole number from 0 to 4294967295" in refusal(value, Seed)


def test_lists_of_words():
    assert read("rgb, supervised", Spaces) == ["rgb", "supervised"]
    assert read(("rgb",), Spaces) == ["rgb"]
    assert read(["a", "b"], Names) == ["a", "b"]
    assert read("my folder", Names) == ["my folder"]
    assert "did you mean 'rgb'" in refusal("rbg", Spaces)


def test_all_stands_for_every_word_in_order():
    assert read("all", Methods)[0] == "McCloskey18" and len(read("all", Methods)) == 8
    others = ["frequency", "imagenet", "selfsupervised", "supervised"]
    assert read(["rgb", "all"], Spaces)[1:] == others
    assert read("all", Names) == ["all"]  # which there are, the benchmark knows


def test_open_ranges():
    assert (read(1e-9, Positive), read(0.95, Share)) == (1e-9, 0.95)
    assert refusal(0, Positive) == "it = 0 must be a finite number above 0."
    wanted = "it = 1 must be a finite number above 0 and below 1."
    assert refusal(1, Share) == wanted


def test_benchmark_with_a_known_manifold_is_no_folder():
    assert read("gm-photo/china", PhotoBenchmark) == "gm-photo/china"
    assert "Known: gm-photo/astronaut" in refusal("my/images", PhotoBenchmark)


def test_optional_accepts_none_and_its_kind_only():
    assert (read(None, AtLeast[1] | None), read(2, "Optional[AtLeast[1]]")) == (
        None,
        2,
    )
    kind = ListOf[AtLeast[1]] | None
    assert refusal(0, kind) == "it = 0 must be a whole number of at least 1."


@pytest.mark.parametrize("text", ["AtLest[5]", "Between[3]", "AtLeast["])
def test_text_that_names_no_kind_is_refused(text):
    with pytest.raises(ValueError, match=f"n: '{re.escape(text)}' is not a kind: "):
        declared_kinds({"n": text})


def run_cells(*sources):
    """Run cells in a real IPython, and return its namespace and the last error."""
    shell = InteractiveShell()
    results = [shell.run_cell(source, store_history=True) for source in sources]
    return shell.user_ns, results[-1].error_in_exec


def test_annotations_outlive_their_cell_in_ipython():
    imports = "from manifpt_utils.notebook.parameters import *"
    cell = 'spaces: Spaces = ["rgb"]\nn_samples: AtLeast[10] = 10'
    check = 'check_parameters(globals(), notebook="tiny")'
    injected = '# Parameters\nspaces = "freq"'
    names, error = run_cells(imports, cell, injected, check)
    assert error is None and names["spaces"] == ["frequency"]
    names, error = run_cells(imports, cell, injected, check, "n_samples = 3", check)
    assert "n_samples = 3 must be a whole number of at least 10" in str(error)
    names, error = run_cells(imports, cell, check, cell.replace("= 10", "= 20"), check)
    assert error is None and names["n_samples"] == 20


TINY = """\
spaces: Spaces = ["rgb"]  # embedding spaces
n_samples: AtLeast[10] = 10  # how many"""


def papermill(tmp_path, *options):
    """Run a small checking notebook with the real papermill."""
    cells = [
        new_code_cell("from manifpt_utils.notebook.parameters import *"),
        new_code_cell(TINY, metadata={"tags": ["parameters"]}),
        new_code_cell('check_parameters(globals(), notebook="tiny")'),
    ]
    kernel = {"name": "python3", "language": "python", "display_name": "Python 3"}
    notebook = new_notebook(cells=cells, metadata={"kernelspec": kernel})
    nbformat.write(notebook, tmp_path / "tiny.ipynb")
    command = [sys.executable, "-m", "papermill", "tiny.ipynb", "out.ipynb", *options]
    environment = os.environ | {"PYTHONPATH": str(ROOT), "IPYTHONDIR": str(tmp_path)}
    return subprocess.run(
        command, cwd=tmp_path, env=environment, capture_output=True, text=True
    )


def test_plain_papermill_with_a_misspelt_and_a_mistyped_parameter_fails(tmp_path):
    done = papermill(tmp_path, "-p", "spcaes", "rgb", "-r", "n_samples", "20")
    assert done.returncode != 0
    assert "unknown parameter 'spcaes'; did you mean 'spaces'?" in done.stderr
    assert "n_samples = '20' must be a whole number" in done.stderr
