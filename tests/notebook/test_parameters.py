"""Checked notebook parameters: what papermill lets through must not get further."""

import math
import os
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
from hypothesis import given
from hypothesis import strategies as st
from nbformat.v4 import new_code_cell, new_notebook

from manifpt_utils.notebook.parameters import (
    boolean,
    check_parameters,
    integer,
    integers,
    number,
    numbers,
    one_of,
    optional,
    some_of,
    text,
    texts,
)

ROOT = Path(__file__).parents[2]
SPACES = ("rgb", "frequency", "supervised")
KINDS = {
    "space": one_of(*SPACES, aliases={"freq": "frequency"}),
    "n_samples": integer(minimum=10),
    "rate": number(minimum=0, maximum=1),
    "seeds": integers(minimum=0),
    "augment": boolean(),
    "benchmark": text(),
}
GOOD = {
    "space": "rgb",
    "n_samples": 10,
    "rate": 0.5,
    "seeds": [0, 1],
    "augment": False,
    "benchmark": "gm-photo/coffee",
}


def check(**changes):
    return check_parameters(GOOD | changes, notebook="03_attribution", **KINDS)


def in_ipython(*cells, **values):
    """A namespace in which the given cells ran, and then the one that checks."""
    return values | {"In": ["", *cells, "check_parameters(globals(), ...)"]}


def test_good_values_pass_unchanged():
    assert check() == GOOD
    assert list(check()) == list(KINDS)


def test_values_are_normalised_in_place():
    values = GOOD | {"space": "freq", "seeds": "3, 4", "rate": 1}
    check_parameters(values, notebook="x", **KINDS)
    assert (values["space"], values["seeds"], values["rate"]) == (
        "frequency",
        [3, 4],
        1.0,
    )
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
        ("benchmark", 2024, "benchmark = 2024 must be text; papermill's -r"),
        ("benchmark", " ", "must be text that is not empty"),
        ("space", "frequenzy", "did you mean 'frequency'"),
        (
            "space",
            math.nan,
            "space = nan is unknown; Known: frequency, rgb, supervised",
        ),
        ("seeds", "0,one", "seeds = '0,one' must be numbers with commas"),
        ("seeds", "", "seeds = '' must be a list of at least one item"),
        ("seeds", [], "must be a list of at least one item"),
        ("seeds", [0, 1, 0], "names each item once"),
        ("seeds", [0, "1"], "'1' must be a whole number of at least 0"),
        ("seeds", -1, "-1 must be a whole number of at least 0"),
    ],
)
def test_wrong_value_is_named_with_its_remedy(name, value, message):
    with pytest.raises(ValueError, match=rf"03_attribution:\s+.*{message}"):
        check(**{name: value})


def test_all_problems_are_listed_in_one_error():
    with pytest.raises(ValueError) as caught:
        check(n_samples="7", augment="true", spcae="rgb")
    assert len(str(caught.value).splitlines()) == 4


def test_missing_parameter():
    values = {name: value for name, value in GOOD.items() if name != "space"}
    with pytest.raises(ValueError, match="space has no value; give it a default"):
        check_parameters(values, notebook="x", **KINDS)


def test_values_stay_as_they_are_when_one_is_wrong():
    values = GOOD | {"space": "freq", "augment": "true"}
    with pytest.raises(ValueError):
        check_parameters(values, notebook="x", **KINDS)
    assert values["space"] == "freq"


def test_misspelt_name_suggests_the_near_one():
    with pytest.raises(
        ValueError, match="unknown parameter 'spcae'; did you mean 'spa"
    ):
        check(spcae="frequency")


def test_imports_functions_and_private_names_are_no_parameters():
    values = {"np": math, "check": check, "_i1": "x", "Out": {}, "In": []}
    assert check(**values, PAPERMILL_INPUT_PATH="a.ipynb") == GOOD


TYPED = 'space: str = "rgb"  # embedding space\nn_samples: int = 10'


def test_misspelt_name_in_papermills_cell_is_found():
    values = in_ipython(TYPED, '# Parameters\nspcae = "rgb"\n', **GOOD, spcae="rgb")
    with pytest.raises(ValueError, match="unknown parameter 'spcae'"):
        check_parameters(values, notebook="x", **KINDS)


def test_float_that_papermill_injects_as_a_call_is_found():
    values = in_ipython(TYPED, "# Parameters\nraet = float('nan')\n", **GOOD)
    with pytest.raises(
        ValueError, match="unknown parameter 'raet'; did you mean 'rate'"
    ):
        check_parameters(values, notebook="x", **KINDS)


def test_name_of_the_notebook_that_is_not_checked_is_found():
    values = in_ipython(TYPED + "\nextra: int = 3", **GOOD, extra=3)
    with pytest.raises(ValueError, match="unknown parameter 'extra'"):
        check_parameters(values, notebook="x", **KINDS)


@pytest.mark.parametrize(
    "later", ["accuracy = 0.9", "%time x = 3", "for k in range(3):\n    pass", "k = 3"]
)
def test_checking_again_after_the_notebook_ran_is_no_error(later):
    values = in_ipython(
        TYPED, "check_parameters(...)", later, **GOOD, accuracy=0.9, k=3
    )
    assert check_parameters(values, notebook="x", **KINDS) == GOOD


@pytest.mark.parametrize("between", [[], ["check_parameters(...)"], ["import math"]])
def test_reader_may_mend_a_misspelt_name_and_go_on(between):
    wrong = 'spcae: str = "rgb"'
    values = in_ipython(wrong, *between, TYPED, *between, **GOOD, spcae="rgb")
    assert check_parameters(values, notebook="x", **KINDS) == GOOD


def test_imports_may_stand_between_parameters_and_check():
    injected = '# Parameters\nspcae = "rgb"\n'
    values = in_ipython(TYPED, injected, "import math\nx = 3", **GOOD, x=3)
    with pytest.raises(ValueError, match="unknown parameter 'spcae'"):
        check_parameters(values, notebook="x", **KINDS)


@given(st.lists(st.integers(0, 10**6), min_size=1, max_size=8, unique=True))
def test_list_may_be_given_as_text(items):
    assert integers(minimum=0)(",".join(map(str, items))) == items


@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=8, unique=True))
def test_numbers_may_be_given_as_text(items):
    assert numbers()(" , ".join(map(repr, items))) == items


@given(st.integers(-20, 20), st.integers(-10, 10), st.integers(-10, 10))
def test_integer_accepts_exactly_its_range(value, a, b):
    kind = integer(minimum=min(a, b), maximum=max(a, b))
    if min(a, b) <= value <= max(a, b):
        assert kind(value) == value
    else:
        with pytest.raises(ValueError, match=f"{value} must be a whole number from"):
            kind(value)


def test_lists_of_words():
    assert some_of(*SPACES)("rgb, supervised") == ["rgb", "supervised"]
    assert some_of("frequency", aliases={"freq": "frequency"})("freq") == ["frequency"]
    assert texts()(["a", "b"]) == ["a", "b"]
    with pytest.raises(ValueError, match="did you mean 'rgb'"):
        some_of(*SPACES)("rbg")
    with pytest.raises(ValueError, match="names each item once"):
        some_of("frequency", aliases={"freq": "frequency"})("freq,frequency")


def test_optional_accepts_none_and_its_kind_only():
    kind = optional(integer(minimum=1))
    assert (kind(None), kind(2)) == (None, 2)
    with pytest.raises(ValueError, match="0 must be a whole number of at least 1"):
        kind(0)


def papermill(tmp_path, *options):
    """Run a small checking notebook with the real papermill."""
    cells = [
        new_code_cell(TYPED, metadata={"tags": ["parameters"]}),
        new_code_cell(
            "from manifpt_utils.notebook.parameters import (\n"
            "    check_parameters, integer, one_of)\n"
            'check_parameters(globals(), notebook="tiny", space=one_of("rgb"),\n'
            "                 n_samples=integer(minimum=10))"
        ),
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
    done = papermill(tmp_path, "-p", "spcae", "rgb", "-r", "n_samples", "20")
    assert done.returncode != 0
    assert "unknown parameter 'spcae'; did you mean 'space'?" in done.stderr
    assert "n_samples = '20' must be a whole number" in done.stderr
