"""The run plan: which notebook runs with which parameters, and for how long.

A plan is one YAML file, `runs.yml`.  Its single key `runs` holds a list::

    runs:
      - notebook: 03_attribution      # notebooks/03_attribution.ipynb beside the plan
        profile: smoke                # smoke (quick check) or full (published book)
        budget: 120                   # seconds after which CI stops the run
        seconds: 40                   # how long it took when measured, for estimates
        parameters: {n_train: 20}     # everything else keeps the notebook's default
        name: 03_attribution          # name of the output; this is the default

Before anything runs, parameters are checked against the kinds that the notebook's own
parameters cell declares (`papermill --help-notebook` shows them).
"""

from pathlib import Path
from typing import Annotated, Literal

import yaml
from papermill import inspect_notebook
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from .._support.suggestion import suggestion
from ..notebook.parameters import check_values

PROFILES = ("smoke", "full")
Slug = Annotated[
    str,
    Field(
        pattern=r"^[\w-]+$",
        description="letters, digits, '_' and '-', without a folder or a suffix",
    ),
]


class Run(BaseModel):
    """One line of the plan: a notebook, executed once."""

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid")

    notebook: Slug
    name: Slug = Field(default_factory=lambda known: known["notebook"])  # its output
    profile: Literal[PROFILES] = Field(description=" or ".join(PROFILES))
    # Seconds after which a run is stopped where budgets are enforced.
    budget: int = Field(gt=0, description="a whole number of seconds above 0")
    # Seconds that were measured on some machine, for an estimate.
    seconds: float | None = Field(
        default=None, gt=0, description="a number of seconds above 0"
    )
    parameters: dict = Field(default_factory=dict, description="a mapping")

    @property
    def source(self):
        """The notebook's path, relative to the plan's folder."""
        return Path("notebooks", f"{self.notebook}.ipynb")


def read_plan(path):
    """Read a run plan and check its form.

    Parameters
    ----------
    path : path of a YAML file

    Returns
    -------
    list of Run

    Raises
    ------
    ValueError
        If the file is missing or is not YAML, or if a run has unknown, missing or
        impossible entries.  All problems are listed together.
    """
    entries = _entries(Path(path))
    problems, runs = [], []
    for number, entry in enumerate(entries, start=1):
        try:
            runs.append(Run.model_validate(entry))
        except ValidationError as error:
            found = [_entry_problem(entry, item) for item in error.errors()]
            problems += [f"run {number}: {problem}" for problem in found if problem]
    outputs = [(run.name, run.profile) for run in runs]
    problems += [
        f"{name} appears twice in profile {profile}; give one of them another name."
        for name, profile in sorted(set(outputs))
        if outputs.count((name, profile)) > 1
    ]
    _raise_if_any(problems, path)
    return runs


def select(runs, *, profile, only=None):
    """The runs of one profile: all of them, or those with the given names of outputs.

    Raises
    ------
    ValueError
        If a name is not in the plan, or the profile has no run.
    """
    runs = [run for run in runs if run.profile == profile]
    names = [run.name for run in runs]
    unknown = [name for name in only or [] if name not in names]
    if unknown:
        raise ValueError(f"no run {unknown[0]!r};{suggestion(unknown[0], names)}")
    if not runs:
        raise ValueError(f"the plan has no run with profile {profile!r}.")
    return [run for run in runs if not only or run.name in only]


def check_notebooks(runs, folder):
    """Check the parameters of every run against its notebook's parameters cell.

    Parameters
    ----------
    runs : list of Run
    folder : path
        Where the plan lies; the notebooks are in its sub-folder `notebooks`.

    Raises
    ------
    ValueError
        If a notebook is missing or unreadable, or a parameter is unknown to it or
        not of the type it declares.  All problems are listed together.
    """
    problems = []
    for run in runs:
        found = _notebook_problems(run, Path(folder))
        problems += [f"{run.name} ({run.profile}): {problem}" for problem in found]
    _raise_if_any(problems, "the run plan does not fit the notebooks")


def literal_path(path):
    """The path with doubled braces, because papermill treats a path as a template.

    >>> literal_path("a{b}")
    'a{{b}}'
    """
    return str(path).replace("{", "{{").replace("}", "}}")


def _raise_if_any(problems, title):
    if problems:
        raise ValueError("\n  ".join([f"{title}:", *problems]))


def _entries(path):
    try:
        plan = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as error:
        reason = error.strerror or error
        raise ValueError(f"cannot read the run plan {path}: {reason}.") from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ValueError(f"{path} is not valid YAML: {error}") from None
    entries = plan.get("runs") if isinstance(plan, dict) else None
    if not isinstance(entries, list) or not entries or len(plan) > 1:
        raise ValueError(f"{path} must hold one key, 'runs', with a list of runs.")
    return entries


def _entry_problem(entry, found):
    """A sentence about one error that pydantic found in a line of the plan."""
    if not found["loc"]:
        return f"{entry!r} is not a mapping such as {{notebook: ..., profile: ...}}."
    key, fields = found["loc"][0], Run.model_fields
    if found["type"] == "default_factory_not_called":
        return ""  # follows from the notebook's wrong name, which has its own message
    if key not in fields:
        return f"unknown key {key!r};{suggestion(key, fields)}"
    wanted = fields[key].description
    if found["type"] == "missing":
        return f"{key} is missing; it must be {wanted}."
    return f"{key} = {entry[key]!r} must be {wanted}."


def _notebook_problems(run, folder):
    path = folder / run.source
    if not path.is_file():
        there = [found.stem for found in path.parent.glob("*.ipynb")]
        hint = suggestion(run.notebook, there)
        return [f"no notebook {run.source.as_posix()};{hint}"]
    try:
        declared = inspect_notebook(literal_path(path))
    except Exception as error:  # papermill and nbformat raise many kinds
        return [f"{run.source.as_posix()} cannot be read as a notebook: {error}"]
    annotations = {name: _annotation(item) for name, item in declared.items()}
    try:
        return check_values(run.parameters, annotations)[1]
    except ValueError as error:
        return [f"{run.source.as_posix()} declares {error}"]


def _annotation(parameter):
    """The kind of a parameter; papermill writes "None" if it has no annotation."""
    name = parameter["inferred_type_name"]
    return "Any" if name == "None" else name
