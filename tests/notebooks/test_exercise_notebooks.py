"""Exercise notebooks ask for what their solutions solve, and both run."""

import ast
import re

import nbformat
import pytest

import exercises
from manifpt_utils.notebook.exercises import EXERCISES

SOLUTIONS = sorted((exercises.FOLDER / "solutions").glob("*.ipynb"))
each = pytest.mark.parametrize("path", SOLUTIONS, ids=lambda path: path.stem)


def read(path):
    return nbformat.read(path, as_version=4)


def code(path):
    return [cell.source for cell in read(path).cells if cell.cell_type == "code"]


def verdicts(path):
    """What `check` answers in every cell that ends with it."""
    names, found = {}, {}
    for source in code(path):
        *lines, last = ast.parse(source).body
        if not isinstance(last, ast.Expr):
            exec(source, names)
            continue
        assert not lines and last.value.func.id == "check"
        found[last.value.args[0].value] = eval(source, names)
    return found


@each
def test_the_exercise_is_what_its_solution_makes_of_it(path):
    expected = exercises.with_stubs(read(path))
    there = read(exercises.FOLDER / path.name)
    assert there == expected, "run: python book/_ext/exercises.py"


@each
def test_the_exercise_runs_and_holds_no_solution(path):
    asked = exercises.FOLDER / path.name
    assert {verdict.state for verdict in verdicts(asked).values()} == {"nothing yet"}
    text = "\n".join(code(asked))
    assert "# solution" not in text
    assert text.count("NotImplementedError") == text.count("def ")


@each
def test_the_solution_is_right(path):
    assert {verdict.state for verdict in verdicts(path).values()} == {"right"}


@each
def test_a_page_of_the_book_folds_hints_and_solution_below_each_check(path):
    solved = read(path)
    page = exercises.as_page(solved)
    whole = [c.source for c in solved.cells if "# solution" in c.source]
    checks = [i for i, c in enumerate(page.cells) if c.source.startswith("check(")]
    assert len(checks) == len(whole)
    for place, source in zip(checks, whole, strict=True):
        folded = page.cells[place + 1].source
        *hints, solution = re.findall(
            r"<summary>(\w+)</summary>\n\n(.*?)\n\n</", folded, re.S
        )
        assert solution[1].strip("`").removeprefix("python").strip() == re.sub(
            "    # solution\n", "", source
        )
        assert hints and {title for title, _ in hints} == {"Hint"}
    assert "# solution" not in nbformat.writes(page)


def test_every_exercise_is_asked_once():
    found = [name for path in SOLUTIONS for name in verdicts(path)]
    assert found == list(EXERCISES)
    there = {path.name for path in exercises.FOLDER.glob("*.ipynb")}
    assert there == {path.name for path in SOLUTIONS}


@each
def test_nothing_of_an_execution_is_left_and_links_lead_to_files(path):
    for file in (path, exercises.FOLDER / path.name):
        for cell in read(file).cells:
            assert not cell.get("outputs") and not cell.get("execution_count")
        link = read(file).cells[0].source.partition("](")[2].partition(")")[0]
        assert (file.parent / link).is_file()
