"""What every notebook must have before it runs; nothing is executed here."""

import ast
import json
import re
from pathlib import Path

import chapter_times
import nbformat
import pytest
from papermill import inspect_notebook

from manifpt_utils.notebook.parameters import check_values, declared_kinds
from manifpt_utils.notebook.questions import (
    names_in,
    read_predictions,
    read_questions,
)

ROOT = Path(__file__).parents[1]

NAMES = (
    "00_circle",
    "00_theory",
    "01_manifold_estimation",
    "02_artifact_visualization",
    "03_attribution",
    "04_cross_dataset",
    "05_layer_type_nmi",
    "06_tsne",
    "07_when_artifacts_help",
    "08_baselines",
    "09_traps",
    "10_robustness",
    "11_side_by_side",
    "12_gallery",
    "13_ladder",
    "14_riemannian",
    "15_regime",
    "16_your_images",
    "17_open_set",
)
LINES = 15  # of a cell that is more than a list of parameters


def path(name):
    return ROOT / "notebooks" / f"{name}.ipynb"


@pytest.fixture(params=NAMES)
def notebook(request):
    assert path(request.param).is_file(), f"notebooks/{request.param}.ipynb is missing"
    return nbformat.read(path(request.param), as_version=nbformat.NO_CONVERT)


def code(notebook):
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def prose(notebook):
    cells = [cell.source for cell in notebook.cells if cell.cell_type == "markdown"]
    return "\n".join(cells)


def parameters_cell(notebook):
    cells = [c for c in code(notebook) if "parameters" in c.metadata.get("tags", [])]
    assert len(cells) == 1, "exactly one cell must have the tag 'parameters'"
    return cells[0]


def assignments(notebook):
    """Name and (name, type, default) nodes of the parameters cell."""
    body = ast.parse(parameters_cell(notebook).source).body
    assert body and all(isinstance(line, ast.AnnAssign) for line in body)
    return {line.target.id: line for line in body}


def test_format_is_valid_and_names_a_kernel(notebook):
    nbformat.validate(notebook)
    assert (notebook.nbformat, notebook.nbformat_minor) >= (4, 5)
    assert notebook.metadata.kernelspec.name == "python3"
    assert set(notebook.metadata) <= {"kernelspec", "language_info"}


def test_nothing_of_an_execution_is_left(notebook):
    for cell in code(notebook):
        assert cell.outputs == [] and cell.execution_count is None
    left = {"papermill", "execution", "collapsed", "scrolled", "ExecuteTime"}
    assert not any(left & set(cell.metadata) for cell in notebook.cells)


def test_ids_are_unique_and_stable(notebook):
    ids = [cell.id for cell in notebook.cells]
    assert len(set(ids)) == len(ids)
    # nbformat's own ids are random: a cell that gets a new one has no history.
    assert not [i for i in ids if re.fullmatch("[0-9a-f]{8}", i)]


def declared(notebook):
    """Name and kind of every parameter, as text."""
    nodes = assignments(notebook)
    return {name: ast.unparse(line.annotation) for name, line in nodes.items()}


def test_defaults_are_of_the_kind_that_is_declared(notebook):
    nodes = assignments(notebook)
    defaults = {name: ast.literal_eval(line.value) for name, line in nodes.items()}
    assert check_values(defaults, declared(notebook))[1] == []


def test_kinds_are_narrower_than_the_types_of_python(notebook):
    wide = {int, float, str, list}
    kinds = declared_kinds(declared(notebook))
    assert not {name for name, kind in kinds.items() if kind in wide}


def test_papermill_shows_every_parameter_with_its_kind_and_meaning(notebook, request):
    name = request.node.callspec.params["notebook"]
    shown = inspect_notebook(path(name))
    kinds = {key: found["inferred_type_name"] for key, found in shown.items()}
    assert kinds == declared(notebook)
    for parameter in shown.values():
        assert len(parameter["help"]) > 5, parameter


def is_imports(cell):
    kinds = ast.Import | ast.ImportFrom
    return all(isinstance(line, kinds) for line in ast.parse(cell.source).body)


def test_parameters_are_checked_before_anything_else(notebook, request):
    cells = code(notebook)
    later = cells[cells.index(parameters_cell(notebook)) + 1 :]
    first = next(cell for cell in later if not is_imports(cell))
    calls = [c for c in ast.walk(ast.parse(first.source)) if isinstance(c, ast.Call)]
    names = [getattr(call.func, "id", None) for call in calls]
    call = calls[names.index("check_parameters")]
    name = request.node.callspec.params["notebook"]
    assert ast.unparse(call) == f"check_parameters(globals(), notebook={name!r})"


def test_nothing_but_imports_stands_before_the_parameters(notebook):
    cells = code(notebook)
    before = cells[: cells.index(parameters_cell(notebook))]
    assert all(is_imports(cell) for cell in before)


@pytest.fixture
def name(request):
    return request.node.callspec.params["notebook"]


def test_a_chapter_opens_with_its_question(notebook):
    first = notebook.cells[0]
    assert first.cell_type == "markdown" and first.source.startswith("# ")
    assert len(re.findall("^# ", prose(notebook), flags=re.M)) == 1, "one title"
    before = re.search(r"^\*Before:\* (.+)\. \*Time to read", first.source, re.M)
    places = [
        first.source.index("**Question.** "),
        before.start(),
        first.source.index("> **What do you expect?**"),
    ]
    assert places == sorted(places)
    assert "nothing" in before[1] or re.search(r"\]\(\S+\.(ipynb|md)\)", before[1])


def test_the_times_of_a_chapter_are_those_of_its_words_and_of_its_run(notebook, name):
    expected = chapter_times.with_line(json.loads(path(name).read_text()), name)
    wanted = "".join(expected["cells"][0]["source"])
    assert notebook.cells[0].source == wanted, "run: python book/_ext/chapter_times.py"


def test_sections_follow_the_template(notebook, name):
    sections = re.findall("^## (.*)", prose(notebook), flags=re.M)
    assert sections[0] == "The answer"
    assert sections[-2:] == ["Takeaways", "Exercises"]
    link = f"](../exercises/{name}.ipynb)"
    (cell,) = [c for c in notebook.cells if c.source.startswith("## Exercises")]
    assert link in cell.source
    last = notebook.cells[-1].source
    assert re.match(r"\*\*Next:\*\* .*\]\(\S+\.(ipynb|md)\)", last)


def test_a_chapter_has_two_or_three_exercises(notebook, name):
    solved = ROOT / "exercises" / "solutions" / f"{name}.ipynb"
    cells = code(nbformat.read(solved, as_version=4))
    assert 2 <= sum(cell.source.startswith("check(") for cell in cells) <= 3


def calls_of(notebook, function):
    """Places of cells, and the call of a function of this name that stands in each."""
    for place, cell in enumerate(notebook.cells):
        for node in ast.walk(ast.parse(cell.source if is_code(cell) else "")):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") == function:
                yield place, node


def is_code(cell):
    return cell.cell_type == "code"


def test_each_prediction_is_asked_before_its_result_and_taken_up(notebook, name):
    declared = read_predictions(ROOT / "notebooks" / "quizzes" / f"{name}.yml")
    assert 1 <= len(declared) <= 2
    asked, compared = (
        {ast.literal_eval(call.args[1]): place for place, call in calls}
        for calls in (calls_of(notebook, "expect"), calls_of(notebook, "compare"))
    )
    assert set(asked) == set(compared) == set(declared)
    assert all(asked[id_] < compared[id_] for id_ in declared)
    answer = [c.source for c in notebook.cells].index("## The answer")
    assert min(asked.values()) < answer


def test_a_reader_can_enter_what_is_expected(notebook, name):
    for place, call in calls_of(notebook, "expect"):
        cell = notebook.cells[place]
        assert cell.metadata.tags == ["remove-input"] and "jupyter" not in cell.metadata
        assert ast.literal_eval(call.args[0]) == name
        assert ast.literal_eval(call.args[2]) is None


def test_headings_do_not_skip_a_level(notebook):
    fences = re.compile(r"^(```|:::).*?^\1", flags=re.M | re.S)
    levels = [
        len(m) for m in re.findall("^(#+) ", fences.sub("", prose(notebook)), re.M)
    ]
    assert all(b - a <= 1 for a, b in zip(levels, levels[1:], strict=False)), levels


def test_code_cells_are_short(notebook):
    lengths = {cell.id: len(cell.source.splitlines()) for cell in code(notebook)}
    del lengths[parameters_cell(notebook).id]
    assert {i: n for i, n in lengths.items() if n > LINES} == {}
    assert 0 not in lengths.values(), "an empty cell"


COMPUTING = re.compile(
    r"manifpt_utils\.(attribution|baselines|method\."
    r"(classifiers|denoiser|exact|location|manifold|representations|riemannian|spaces))"
)


def test_what_computes_does_so_on_the_device_that_is_asked_for(notebook):
    sources = [cell.source for cell in code(notebook)]
    if not any(map(COMPUTING.search, sources)):
        assert "device" not in assignments(notebook)
        return
    assert declared(notebook)["device"] == "Device"
    check = next(source for source in sources if "check_parameters(glob" in source)
    assert "\nuse_device(device)\n" in check


def test_a_split_that_a_folder_brings_is_kept(notebook):
    text = "\n".join(cell.source for cell in code(notebook))
    takes_folders = "BenchmarkName" in declared(notebook).values()
    if takes_folders and re.search(r"evaluation import .*\b(evaluate|split)\b", text):
        assert ".labelled(" not in text and ".for_evaluation(" in text


def test_a_folder_is_read_in_any_size_and_its_warnings_are_shown(notebook):
    kinds = declared(notebook)
    if "BenchmarkName" in kinds.values():
        assert (kinds["size"], kinds["normalise"]) == ("Size", "Normalise")
        assert list(calls_of(notebook, "caution"))


def comprehensions(node):
    kinds = ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp
    return [found for found in ast.walk(node) if isinstance(found, kinds)]


def test_no_comprehension_stands_in_another(notebook):
    for cell in code(notebook):
        for outer in comprehensions(ast.parse(cell.source)):
            assert len(comprehensions(outer)) == 1, cell.id


def quiz_call(notebook):
    """The call of the one cell that asks the questions of a chapter."""
    calls = [
        (cell, node)
        for cell in code(notebook)
        for node in ast.walk(ast.parse(cell.source))
        if isinstance(node, ast.Call) and getattr(node.func, "id", None) == "quiz"
    ]
    assert len(calls) == 1, "exactly one call of quiz(...)"
    return calls[0]


def given_names(call):
    """Names of the values in a call, those of `**{...}` included."""
    for keyword in call.keywords:
        if keyword.arg:
            yield keyword.arg
        else:
            yield from (key.value for key in keyword.value.keys)


def test_the_last_code_cell_asks_the_questions_of_the_chapter(notebook, request):
    name = request.node.callspec.params["notebook"]
    source = ROOT / "notebooks" / "quizzes" / f"{name}.yml"
    cell, call = quiz_call(notebook)
    assert cell is code(notebook)[-1] and "hide-input" in cell.metadata.tags
    assert ast.literal_eval(call.args[0]) == name
    questions = read_questions(source)
    assert 4 <= len(questions) <= 6
    given = sorted(given_names(call))
    assert given == sorted(set().union(*map(names_in, questions)))


def test_every_quiz_belongs_to_a_chapter():
    found = {file.stem for file in (ROOT / "notebooks" / "quizzes").glob("*")}
    assert found == set(NAMES)


def test_nothing_needs_the_book_to_be_read(notebook):
    text = "\n".join(cell.source for cell in notebook.cells)
    assert not re.search(
        r"\{(glue|doc|cite|term|eq)\b[^}]*\}`|^:::|myst_nb", text, re.M
    )


def test_no_path_of_a_machine(notebook):
    text = "\n".join(cell.source for cell in notebook.cells)
    found = r"(?<![\w.:/])/(home|Users|root|tmp|work|mnt|data|content)/|\b[A-Z]:\\\\"
    assert re.search(found, text) is None


def test_no_other_notebook_is_there():
    there = {file.stem for file in (ROOT / "notebooks").glob("*.ipynb")}
    assert there == set(NAMES)
