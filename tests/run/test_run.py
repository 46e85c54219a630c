"""The run plan and its execution, with small notebooks made here."""

import sys
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_output
from projects import (
    ROOT,
    main,
    make_notebook,
    make_project,
    outputs,
    records,
    run,
    start_runner,
)

from manifpt_utils.run.command import in_continuous_integration
from manifpt_utils.run.copies import as_kept, with_new_prose
from manifpt_utils.run.plan import Run, check_notebooks, read_plan, select
from manifpt_utils.run.record import (
    Executions,
    file_hash,
    result_key,
    text_key,
    write_whole,
)

# --- the plan ---------------------------------------------------------------------


def read(tmp_path, text):
    path = tmp_path / "runs.yml"
    path.write_text(text)
    return read_plan(path)


def test_plan_is_read_with_its_defaults(tmp_path):
    text = "runs:\n- {notebook: 01_a, profile: full, budget: 9}"
    assert read(tmp_path, text) == [
        Run(notebook="01_a", name="01_a", profile="full", budget=9, parameters={})
    ]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("runs: [", "not valid YAML"),
        ("- a", "must hold one key, 'runs'"),
        ("runs: []", "with a list of runs"),
        ("runs: [a]", "run 1: 'a' is not a mapping"),
        (
            "runs: [{notebook: a, profile: smoke}]",
            "budget is missing; it must be a who",
        ),
        (
            "runs: [{notebook: a, profile: smok, budget: 1}]",
            "'smok' must be smoke or f",
        ),
        ("runs: [{notebook: a, profile: full, budget: -1}]", "budget = -1 must be"),
        ("runs: [{notebook: a, profile: full, budget: .inf}]", "budget = inf must be"),
        ("runs: [{notebook: a, profile: full, budget: yes}]", "budget = True must be"),
        (
            "runs: [{notebook: ../a, profile: full, budget: 1}]",
            "'../a' must be letters",
        ),
        (
            "runs: [{notebook: a, profile: full, budget: 1, paramters: {}}]",
            "unknown key 'paramters'; did you mean 'parameters'",
        ),
        (
            "runs: [{notebook: a, profile: full, budget: 1, parameters: [1]}]",
            r"parameters = \[1\] must be a mapping",
        ),
    ],
)
def test_wrong_plan_is_refused(tmp_path, text, message):
    with pytest.raises(ValueError, match=message):
        read(tmp_path, text)


def test_two_runs_with_one_output_are_refused(tmp_path):
    run = "{notebook: a, profile: full, budget: 1}"
    with pytest.raises(ValueError, match="a appears twice in profile full"):
        read(tmp_path, f"runs: [{run}, {run}]")


def test_missing_plan_is_named(tmp_path):
    with pytest.raises(ValueError, match="cannot read the run plan .*none.yml"):
        read_plan(tmp_path / "none.yml")


def test_selection():
    runs = [run("a"), run("b"), run("b", profile="full")]
    assert select(runs, profile="full") == runs[2:]
    assert select(runs, profile="smoke", only=["b"]) == runs[1:2]
    with pytest.raises(ValueError, match="no run 'bb'; did you mean 'b'"):
        select(runs, profile="smoke", only=["bb"])
    with pytest.raises(ValueError, match="no run with profile 'full'"):
        select(runs[:2], profile="full")


GOOD = {"n": 1, "rate": 1, "word": "b", "flag": True, "seeds": [2]}


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"nn": 1}, "unknown parameter 'nn'; did you mean 'n'"),
        ({"n": "1"}, r"a \(smoke\): n = '1' must be a whole number; it is text"),
        ({"n": 1.0}, "n = 1.0 must be a whole number; write 1"),
        ({"n": True}, "n = True must be a whole number"),
        ({"n": None}, "n = None must be a whole number"),
        ({"rate": "1e-4"}, "rate = '1e-4' must be a finite number.* 1.0e-4 in YAML"),
        ({"rate": float("nan")}, "rate = nan must be a finite number"),
        ({"word": 1}, "word = 1 must be text"),
        ({"flag": "true"}, "flag = 'true' must be True or False"),
        ({"seeds": "0,1"}, "seeds = '0,1' must be a list"),
        ({"seeds": [0, "1"]}, "seeds = '1' must be a whole number"),
    ],
)
def test_plan_is_checked_against_the_typed_parameters_cell(
    tmp_path, parameters, message
):
    make_project(tmp_path, {"a": make_notebook()}, [])
    check_notebooks([run(parameters=GOOD)], tmp_path)
    with pytest.raises(ValueError, match=message):
        check_notebooks([run(parameters=parameters)], tmp_path)


def declaring(tmp_path, source):
    """A project whose notebook has this parameters cell."""
    notebook = make_notebook()
    notebook.cells[1].source = source
    make_project(tmp_path, {"a": notebook}, [])


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("n", 4, "n = 4 must be a whole number of at least 5"),
        ("n", None, "n = None must be a whole number"),
        ("k", 0, "k = 0 must be a whole number of at least 1"),
        ("seeds", "[0 1]", r"seeds = '\[0 1\]' must be a list; write 0,1 on"),
        ("spaces", ["rbg"], "spaces = 'rbg' is unknown; did you mean 'rgb'"),
    ],
)
def test_plan_is_checked_against_the_declared_kinds(tmp_path, name, value, message):
    kinds = {"n": "AtLeast[5]", "k": "Optional[AtLeast[1]]", "seeds": "ListOf[Seed]"}
    kinds["spaces"] = "Spaces"
    declaring(tmp_path, "\n".join(f"{n}: {kind} = 9" for n, kind in kinds.items()))
    good = {"n": 5, "k": None, "seeds": [0], "spaces": "rgb,freq"}
    check_notebooks([run(parameters=good)], tmp_path)
    with pytest.raises(ValueError, match=message):
        check_notebooks([run(parameters=good | {name: value})], tmp_path)


def test_kind_that_does_not_exist_is_named(tmp_path):
    declaring(tmp_path, "n: AtLest[5] = 7")
    with pytest.raises(ValueError, match=r"a.ipynb declares n: 'AtLest\[5\]' is not a"):
        check_notebooks([run()], tmp_path)


def test_missing_and_broken_notebooks_are_named(tmp_path):
    make_project(tmp_path, {"01_first": make_notebook()}, [])
    with pytest.raises(
        ValueError, match="no notebook notebooks/01_frist.ipynb; did you"
    ):
        check_notebooks([run("01_frist")], tmp_path)
    (tmp_path / "notebooks" / "cut.ipynb").write_text('{"cells": [')
    with pytest.raises(ValueError, match="cut.ipynb cannot be read as a notebook"):
        check_notebooks([run("cut")], tmp_path)


def test_wrong_plan_ends_with_status_2_before_anything_runs(tmp_path, capsys):
    runs = [{"notebook": "a"}, {"notebook": "b", "parameters": {"nn": 1}}]
    make_project(tmp_path, {"a": make_notebook(), "b": make_notebook()}, runs)
    assert main(["--plan", str(tmp_path / "runs.yml")]) == 2
    assert "Error: " in capsys.readouterr().err
    assert not (tmp_path / "book").exists()


def test_unwritable_output_folder_ends_with_status_2(tmp_path, capsys):
    make_project(tmp_path, {"a": make_notebook()}, [{"notebook": "a"}])
    (tmp_path / "file").touch()
    output = str(tmp_path / "file" / "executed")
    assert main(["--plan", str(tmp_path / "runs.yml"), "--output", output]) == 2
    error = capsys.readouterr().err
    assert f"cannot write to the output folder {output}" in error
    assert "--output" in error


def test_list_runs_nothing(tmp_path, capsys):
    runs = [{"notebook": "a", "parameters": {"n": 5}}]
    make_project(tmp_path, {"a": make_notebook()}, runs)
    assert main(["--plan", str(tmp_path / "runs.yml"), "--list"]) == 0
    assert '{"n": 5}' in capsys.readouterr().out
    assert not (tmp_path / "book").exists()


# --- the output folder ------------------------------------------------------------


def test_key_depends_on_all_that_decides_the_result(tmp_path):
    (tmp_path / "data").mkdir()
    (tmp_path / "mine").mkdir()
    (tmp_path / "notebooks" / "quizzes").mkdir(parents=True)
    notebook = make_notebook("1 + 1")
    parameters = {"n": 1, "benchmark": "mine"}
    keys = [result_key(notebook, parameters, tmp_path)]
    for change in (
        lambda: (tmp_path / "data" / "manifest.json").write_text("{}"),
        lambda: (tmp_path / "constraints.txt").write_text("numpy==2"),
        lambda: (tmp_path / "mine" / "a.png").write_text("image"),
        lambda: parameters.update(n=2),
        lambda: notebook.cells[2].update(source="1 + 2"),
        lambda: notebook.cells[2].metadata.update(tags=["raises-exception"]),
        lambda: notebook.cells[2].update(source='quiz("01_one")'),
        lambda: (tmp_path / "notebooks" / "quizzes" / "01_one.yml").write_text("new"),
    ):
        change()
        keys.append(result_key(notebook, parameters, tmp_path))
    assert len(set(keys)) == len(keys)


def test_prose_changes_the_text_but_not_the_key(tmp_path):
    old, new = make_notebook("1 + 1"), make_notebook("1 + 1", title="# New")
    assert result_key(old, {}, tmp_path) == result_key(new, {}, tmp_path)
    assert text_key(old) != text_key(new)


def executed_copy(notebook):
    """What papermill makes of a notebook: outputs, one more cell, its metadata."""
    copy = nbformat.reads(nbformat.writes(notebook), as_version=4)
    copy.metadata["papermill"] = {"input_path": "/home/someone/a.ipynb"}
    for count, cell in enumerate(copy.cells):
        cell.metadata["papermill"] = {"duration": 0.1}
        if cell.cell_type == "code":
            cell.execution_count = count
            cell.outputs = [new_output("stream", name="stdout", text=str(count))]
    tags = {"tags": ["injected-parameters"]}
    copy.cells.insert(2, new_code_cell("# Parameters\nn = 1", metadata=tags))
    return copy


def test_new_prose_meets_the_old_outputs():
    old = make_notebook("first", "second")
    new = make_notebook("first", "second", title="# Another title")
    new.cells.insert(3, new_markdown_cell("A new paragraph."))
    new.cells[4].metadata["tags"] = ["hide-input"]
    merged = with_new_prose(new, executed_copy(old))
    kinds = [cell.source.split()[0] for cell in merged.cells]
    assert kinds == ["#", "n:", "#", "first", "A", "second"]
    assert merged.cells[0].source == "# Another title"
    assert [merged.cells[i].outputs[0].text for i in (3, 5)] == ["2", "3"]
    nbformat.validate(merged)


def test_times_and_paths_are_removed():
    text = nbformat.writes(as_kept(executed_copy(make_notebook("x"))))
    assert "papermill" not in text
    assert "/home/" not in text


def test_file_is_written_whole_or_not_at_all(tmp_path):
    path = tmp_path / "runs.json"
    write_whole(path, "old")
    with pytest.raises(UnicodeEncodeError):
        write_whole(path, "new \ud800")
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def known_execution(tmp_path):
    """An output folder in which the copy of one run is up to date."""
    notebook = make_notebook("1 + 1")
    make_project(tmp_path, {"a": notebook}, [])
    book = Executions(tmp_path, tmp_path, [run()])
    source = nbformat.read(tmp_path / "notebooks" / "a.ipynb", 4)
    keys = {"key": result_key(source, {}, tmp_path), "text": text_key(source)}
    record = {"name": "a", "profile": "smoke", "status": "ok", "seconds": 40.0, **keys}
    book.keep(run(), executed_copy(notebook), record)
    return Executions(tmp_path, tmp_path, [run()])  # as the next call reads it


def test_unchanged_copy_is_recognised(tmp_path):
    book = known_execution(tmp_path)
    assert book.state(run()) == "unchanged"
    assert book.state(run(parameters={"n": 1})) == "run"
    assert book.state(run("b")) == "run"


def test_copy_that_was_changed_or_lost_is_not_taken(tmp_path):
    book = known_execution(tmp_path)
    copy = tmp_path / "a.ipynb"
    copy.write_text(copy.read_text()[:100])
    assert book.state(run()) == "run"
    copy.unlink()
    assert book.state(run()) == "run"


def test_expected_seconds_are_those_of_the_last_run_or_of_the_plan(tmp_path):
    book = known_execution(tmp_path)
    assert book.expected_seconds(run(seconds=9)) == 40
    assert book.expected_seconds(run("b", seconds=9)) == 9
    assert book.expected_seconds(run(profile="full", seconds=9)) == 9
    assert book.expected_seconds(run("b")) is None
    book.record(book.records["a"] | {"status": "failed"})
    assert book.expected_seconds(run(seconds=9)) == 9


def test_two_runners_on_one_folder_keep_the_records_of_both(tmp_path):
    plan = [run("a"), run("b")]
    one, other = (Executions(tmp_path, tmp_path, plan) for _ in range(2))
    one.record({"name": "a", "status": "failed"})
    other.record({"name": "b", "status": "failed"})
    assert set(Executions(tmp_path, tmp_path, plan).records) == {"a", "b"}


def test_failed_run_is_not_taken(tmp_path):
    book = known_execution(tmp_path)
    book.record(book.records["a"] | {"status": "failed"})
    assert book.state(run()) == "run"


def test_prose_alone_is_refreshed(tmp_path):
    book = known_execution(tmp_path)
    new = make_notebook("1 + 1", title="# Better title")
    nbformat.write(new, tmp_path / "notebooks" / "a.ipynb")
    assert book.state(run()) == "new prose"
    book.refresh(run())
    assert book.state(run()) == "unchanged"
    text = (tmp_path / "a.ipynb").read_text()
    assert "# Better title" in text and "# Title" not in text


def test_broken_records_only_cost_new_runs(tmp_path):
    known_execution(tmp_path)
    (tmp_path / "runs.json").write_text('{"runs": [')
    assert Executions(tmp_path, tmp_path, [run()]).state(run()) == "run"


def test_records_of_runs_that_left_the_plan_are_dropped(tmp_path):
    known_execution(tmp_path)
    assert Executions(tmp_path, tmp_path, [run("b")]).records == {}


# --- execution --------------------------------------------------------------------

GOOD_CODE = """\
import os, sys, time
block = bytearray(n * 10**6)
time.sleep(1)
print(n, word, seeds, os.environ["OMP_NUM_THREADS"], sys.executable)"""


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """One call of the runner: a good, a failing and an endless notebook."""
    code = {
        "good": GOOD_CODE,
        "bad": "print(1)\n1 / 0",
        "slow": "while True:\n    pass",
    }
    notebooks = {name: make_notebook(text) for name, text in code.items()}
    parameters = {"n": 400, "word": "1e-4 'quoted'", "seeds": [7]}
    runs = [
        {"notebook": "good", "parameters": parameters},
        {"notebook": "bad"},
        {"notebook": "slow", "budget": 5},
    ]
    # Braces, a space and a quote in the path must not trouble papermill.
    folder = tmp_path_factory.mktemp("runner") / "it's {a} folder"
    make_project(folder, notebooks, runs)
    process = start_runner(folder, "--enforce-budget")
    text = process.communicate(timeout=900)[0]
    return folder, process.returncode, text


def test_status_tells_that_a_notebook_failed(finished):
    folder, status, text = finished
    assert status == 1
    assert "1 executed, 0 unchanged, 2 failed" in text
    assert "failed: bad: ZeroDivisionError: division by zero" in text
    copy = Path("book", "executed", "bad.failed.ipynb")
    assert f"where it stopped: jupyter lab {copy}" in text
    states = {name: record["status"] for name, record in records(folder).items()}
    assert states == {"good": "ok", "bad": "failed", "slow": "timeout"}


def test_only_the_good_copy_is_in_place(finished):
    executed = finished[0] / "book" / "executed"
    names = {path.name for path in executed.iterdir()} - {".runs.lock"}
    assert {"good.ipynb", "runs.json", "bad.failed.ipynb"} <= names
    assert names <= {"good.ipynb", "runs.json", "bad.failed.ipynb", "slow.failed.ipynb"}


def test_parameters_arrive_and_the_kernel_is_this_interpreter(finished):
    printed = outputs(finished[0] / "book" / "executed" / "good.ipynb")[0].text
    n, _, rest = printed.partition(" ")
    assert n == "400"
    assert rest.startswith("1e-4 'quoted' [7] ")
    assert printed.strip().endswith(sys.executable)


def test_executed_copy_tells_no_times_and_no_paths(finished):
    path = finished[0] / "book" / "executed" / "good.ipynb"
    notebook = nbformat.read(path, as_version=4)
    holders = [notebook, *notebook.cells]
    assert not any({"papermill", "execution"} & set(h.metadata) for h in holders)
    assert "input_path" not in path.read_text()


def test_record_says_what_ran(finished):
    folder = finished[0]
    record = records(folder)["good"]
    assert record["parameters"] == {"n": 400, "word": "1e-4 'quoted'", "seeds": [7]}
    assert record["notebook"] == "notebooks/good.ipynb"
    assert record["output"] == file_hash(folder / "book" / "executed" / "good.ipynb")
    assert record["git"] is None and record["data"] is None and record["error"] is None
    assert record["versions"]["papermill"] == "2.7.0"
    assert record["seconds"] > 1  # it sleeps that long
    assert 400e6 < record["peak_memory"] < 4e9  # the block, and Python


def test_end_of_the_traceback_is_shown_and_the_failing_copy_kept(finished):
    folder, _, text = finished
    assert "ZeroDivisionError: division by zero" in text
    assert "\x1b[" not in records(folder)["bad"]["error"]
    kept = outputs(folder / "book" / "executed" / "bad.failed.ipynb")
    assert [output.output_type for output in kept] == ["stream", "error"]


def test_budget_is_enforced(finished):
    record = records(finished[0])["slow"]
    assert "took longer than its budget of 5 s" in record["error"]
    assert record["seconds"] >= 5


@pytest.mark.parametrize(
    ("value", "is_set"), [("true", True), ("1", True), ("false", False), ("", False)]
)
def test_budgets_hold_in_continuous_integration_alone(monkeypatch, value, is_set):
    monkeypatch.setenv("CI", value)
    assert in_continuous_integration() == is_set


def test_second_call_skips_what_is_unchanged_and_says_so(finished, capsys):
    folder = finished[0]
    before = records(folder)["good"]
    assert main(["--plan", str(folder / "runs.yml"), "--only", "good"]) == 0
    assert "unchanged (--force executes them again): good" in capsys.readouterr().out
    assert records(folder)["good"] == before


# --- this project's plan ----------------------------------------------------------


def test_the_plan_fits_the_notebooks():
    check_notebooks(read_plan(ROOT / "runs.yml"), ROOT)


@pytest.mark.parametrize("profile", ["smoke", "full"])
def test_every_notebook_is_in_both_profiles(profile):
    runs = select(read_plan(ROOT / "runs.yml"), profile=profile)
    notebooks = {path.stem for path in (ROOT / "notebooks").glob("*.ipynb")}
    assert {run.notebook for run in runs} == notebooks
