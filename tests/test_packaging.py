"""What is declared, pinned, installed and called agrees with each other."""

import ast
import json
import re
import shutil
import subprocess
import sys
import tomllib
from importlib import import_module
from importlib.metadata import distribution, packages_distributions, version
from pathlib import Path

import pytest
import setuptools
import yaml
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name
from papermill import inspect_notebook

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
EXTRAS = PROJECT["optional-dependencies"]
DECLARED = [
    Requirement(text) for text in sum(EXTRAS.values(), PROJECT["dependencies"].copy())
]
LINES = [
    line
    for line in (ROOT / "constraints.txt").read_text().splitlines()
    if not line.startswith("#")
]
PINS = {canonicalize_name(line.split("==")[0]): line.split("==")[1] for line in LINES}
needs_make = pytest.mark.skipif(not shutil.which("make"), reason="make is not there")


def read_yaml(path):
    return yaml.safe_load((ROOT / path).read_text())


# --- versions ---------------------------------------------------------------------


def test_every_requirement_is_declared_once():
    names = [canonicalize_name(requirement.name) for requirement in DECLARED]
    assert len(set(names)) == len(names)


def test_constraints_are_exact_and_name_no_place():
    for line in LINES:
        assert re.fullmatch(r"[A-Za-z0-9._-]+==[0-9][0-9a-z.]*", line), line


def test_pins_satisfy_what_is_declared():
    for requirement in DECLARED:
        pin = PINS[canonicalize_name(requirement.name)]
        assert requirement.specifier.contains(pin, prereleases=True), requirement


def needed():
    """Names of all distributions that the project and its extras pull in."""
    todo, seen = list(DECLARED), set()
    while todo:
        requirement = todo.pop()
        name, extras = canonicalize_name(requirement.name), requirement.extras
        if (name, *sorted(extras)) not in seen:
            seen.add((name, *sorted(extras)))
            inner = map(Requirement, distribution(name).requires or [])
            todo += [r for r in inner if applies(r, extras)]
    return {name for name, *_ in seen}


def applies(requirement, extras):
    if requirement.marker is None:
        return True
    return any(requirement.marker.evaluate({"extra": extra}) for extra in {"", *extras})


@pytest.mark.skipif(sys.platform != "linux", reason="the pins are made on Linux")
def test_whatever_is_pulled_in_is_pinned():
    assert needed() - set(PINS) == set()


@pytest.mark.parametrize(
    ("name", "pin"),
    [
        ("jupyter-book", "1.0.4.post1"),
        ("sphinx-book-theme", "1.1.4"),
        ("sphinx", "7.4.7"),
        ("myst-nb", "1.4.0"),
        ("papermill", "2.7.0"),
    ],
)
def test_versions_that_the_book_needs(name, pin):
    # Newer ones render another book, need a network, or break it (book/_config.yml).
    assert PINS[name] == pin


def test_conda_environment_agrees():
    environment = read_yaml("environment.yml")
    python, pip, rest = environment["dependencies"]
    assert pip == "pip" and list(rest) == ["pip"]
    name, _, wanted = python.partition("=")
    assert name == "python"
    assert SpecifierSet(PROJECT["requires-python"]).contains(wanted)
    extras = ",".join(sorted(EXTRAS, reverse=True))
    assert rest["pip"][-2:] == ["--constraint constraints.txt", f"-e .[{extras}]"]


# --- code -------------------------------------------------------------------------


def sources():
    for folder in ("manifpt_utils", "benchmarks", "teaching", "tests", "book/_ext"):
        for file in (ROOT / folder).rglob("*.py"):
            yield file.relative_to(ROOT).as_posix(), file.read_text()
    for file in (ROOT / "notebooks").glob("*.ipynb"):
        cells = json.loads(file.read_text())["cells"]
        code = ["".join(c["source"]) for c in cells if c["cell_type"] == "code"]
        yield file.name, "\n".join(code)


def imported(text):
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and not node.level:
            yield node.module.partition(".")[0]


def test_whatever_is_imported_is_declared():
    known = {canonicalize_name(requirement.name) for requirement in DECLARED}
    # What a declared library is built on comes with it.
    known |= {"docutils", "ipython", "nbclient", "nbconvert", "packaging"}
    known |= {"pydantic-core", "setuptools"}
    own = {"manifpt_utils", "benchmarks", "teaching"}
    scripts = [*(ROOT / "tests").rglob("*.py"), *(ROOT / "book" / "_ext").glob("*.py")]
    own |= {file.stem for file in scripts}
    installed = packages_distributions()
    unknown = {
        (file, module)
        for file, text in sources()
        for module in imported(text)
        if module not in sys.stdlib_module_names | own
        and not {canonicalize_name(d) for d in installed.get(module, [])} & known
    }
    assert unknown == set()


def test_every_package_is_declared():
    package = ROOT / "manifpt_utils"
    with_code = {file.parent for file in package.rglob("*.py")}
    assert with_code == {file.parent for file in package.rglob("__init__.py")}
    found = setuptools.find_packages(ROOT, include=["manifpt_utils*"])
    assert len(found) == len(with_code)


def test_zoo_is_imported_by_nothing_else():
    for file, text in sources():
        if not file.startswith(("manifpt_utils/zoo/", "tests/")):
            assert not re.search(r"^\s*(from|import) .*\bzoo\b", text, re.M), file


def test_book_finds_the_renderer():
    group = PROJECT["entry-points"]["myst_nb.mime_renderers"]
    module, _, name = group["manifpt"].partition(":")
    renderer = getattr(import_module(module), name)
    assert callable(renderer.handle_mime)


# --- commands ---------------------------------------------------------------------


def make(*arguments, folder=ROOT):
    command = ["make", "-C", str(folder), *arguments]
    return subprocess.run(command, capture_output=True, text=True)


@needs_make
def test_torch_and_torchvision_are_installed_first_and_together(tmp_path):
    for name in ("Makefile", "pyproject.toml", "constraints.txt"):
        shutil.copy(ROOT / name, tmp_path)
    text = make("--dry-run", "setup", folder=tmp_path).stdout.replace("\\\n", "")
    installs = [line for line in text.splitlines() if "pip install" in line]
    assert len(installs) == 2
    pair = [f"{name}=={PINS[name]}" for name in ("torch", "torchvision")]
    assert sorted(installs[0].split()[-2:]) == pair
    assert installs[1].split()[-2:] == ["-e", "'.[test,book,zoo,parquet,scale,app]'"]
    assert all("--constraint constraints.txt" in line for line in installs)


@needs_make
def test_another_python_is_refused_by_name(tmp_path):
    for name in ("Makefile", "pyproject.toml", "constraints.txt"):
        shutil.copy(ROOT / name, tmp_path)
    done = make("book", "PYTHON=false", folder=tmp_path)
    assert done.returncode != 0
    assert "Python 3.11 or 3.12 is needed" in done.stderr
    assert "make book PYTHON=" in done.stderr
    assert not (tmp_path / ".venv").exists()


def stub(folder, name, content):
    """A command in the .venv of a folder."""
    file = folder / ".venv" / "bin" / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(f"#!/bin/sh\n{content}\n")
    file.chmod(0o755)


@needs_make
@pytest.mark.parametrize(
    ("status", "is_rendered"), [(0, True), (1, True), (2, False), (130, False)]
)
def test_a_failed_chapter_alone_does_not_stop_the_book(tmp_path, status, is_rendered):
    for name in ("Makefile", "pyproject.toml", "constraints.txt"):
        shutil.copy(ROOT / name, tmp_path)
    stub(tmp_path, "manifpt", f"exit {status}")
    stub(tmp_path, "jupyter-book", "mkdir -p book/_build")
    done = make("book", "--old-file=.venv/.installed", folder=tmp_path)
    assert (tmp_path / "book" / "_build").is_dir() == is_rendered
    assert (done.returncode == 0) == (status == 0)
    assert ("not complete" in done.stderr) == (status == 1)


@needs_make
def test_test_runs_everything_in_order():
    text = make("--dry-run", "--old-file=.venv/.installed", "test").stdout
    steps = ["ruff check", "ruff format --check", "--profile smoke"]
    places = [text.index(step) for step in [*steps, "jupyter-book build"]]
    assert places == sorted(places)
    assert "--ignore=tests/book" in text
    assert "-W -n --keep-going" in text
    assert text.rindex("worksteal tests/book") > places[-1]


def test_continuous_integration_runs_the_readmes_command():
    assert (ROOT / ".ci" / "run").stat().st_mode & 0o111
    assert (ROOT / ".ci" / "run").read_text().splitlines()[-1] == "make test"
    steps = read_yaml(".github/workflows/test.yml")["jobs"]["test"]["steps"]
    assert ".ci/run" in [step.get("run") for step in steps]
    steps = read_yaml(".github/workflows/publish.yml")["jobs"]["publish"]["steps"]
    assert "make book" in [step.get("run") for step in steps]


@needs_make
def test_every_make_target_of_the_readme_exists():
    readme = (ROOT / "README.md").read_text()
    named = set(
        re.findall(r"\bmake ([a-z]+)\b", " ".join(re.findall("`[^`]+`", readme)))
    )
    listed = {line.split()[0] for line in make("help").stdout.splitlines()[:]}
    assert {"book", "test"} <= named <= listed


def test_files_that_the_readme_names_exist():
    readme = (ROOT / "README.md").read_text()
    made = ("book/_build", "book/executed", "book/kit")
    paths = re.findall(r"`([\w.-]+/[\w./-]+|[\w.-]+\.(?:md|txt|yml|toml))`", readme)
    for path in paths:
        assert path.startswith(made) or (ROOT / path).exists(), path


def test_papermill_commands_of_the_readme_fit_the_notebooks():
    readme = (ROOT / "README.md").read_text()
    commands = re.findall(r"^papermill (notebooks/\S+) out\.ipynb (.*)$", readme, re.M)
    assert commands
    for notebook, options in commands:
        named = set(re.findall(r"-p (\w+) ", options))
        assert named and named <= set(inspect_notebook(ROOT / notebook))


def tracked():
    command = ["git", "-C", str(ROOT), "ls-files", "-co", "--exclude-standard"]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        pytest.skip("not in a git repository")
    return [ROOT / name for name in done.stdout.splitlines() if (ROOT / name).is_file()]


def test_no_file_names_a_folder_of_one_machine():
    place = re.compile(r"(?<![\w.:/~])/(home|Users|root|work|mnt)/\w")
    text_files = {".py", ".md", ".yml", ".toml", ".txt", ".ipynb", ".json", ".csv", ""}
    for file in tracked():
        if file.suffix in text_files and "tests" not in file.parts:
            assert not place.search(file.read_text(errors="ignore")), file


def test_what_is_made_is_not_tracked():
    names = [file.relative_to(ROOT).as_posix() for file in tracked()]
    made = ("book/_build", "book/executed", "book/kit", ".venv", "zoo_runs")
    assert not [name for name in names if name.startswith(made)]


def test_installed_torch_is_the_pinned_one():
    assert version("torch").partition("+")[0] == PINS["torch"]


def test_no_two_files_of_tests_share_a_name():
    """They are all imported by their names alone."""
    names = [path.name for path in (ROOT / "tests").rglob("*.py")]
    assert {name for name in names if names.count(name) > 1} == {"conftest.py"}
