"""The run plan: which notebook runs with which parameters, and for how long.

A plan is one YAML file, `runs.yml`.  Its single key `runs` holds a list::

    runs:
      - notebook: 03_attribution      # notebooks/03_attribution.ipynb beside the plan
        profile: smoke                # smoke (quick check) or full (published book)
        budget: 120                   # seconds, after which CI stops the run
        seconds: 40                   # it took when it was measured, for estimates
        parameters: {n_train: 20}     # everything else keeps the notebook's default
        name: 03_attribution          # of the output; this is the default

Parameters are checked against the notebook's own typed parameters cell, as
`papermill --help-notebook` shows it, before anything runs.
"""

import re
from dataclasses import dataclass, field, fields
from pathlib import Path

import yaml
from papermill import inspect_notebook

from .._support.suggestion import suggestion

PROFILES = ("smoke", "full")
TYPES = {"int": int, "float": (int, float), "str": str, "bool": bool, "dict": dict}


@dataclass(frozen=True)
class Run:
    """One line of the plan: a notebook, executed once."""

    notebook: str
    name: str  # of the output
    profile: str
    budget: float  # seconds, after which it is stopped where budgets are enforced
    parameters: dict = field(default_factory=dict)
    seconds: float | None = None  # measured on some machine, for an estimate

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
        If the file is missing, is no YAML, or a run has unknown, missing or
        impossible entries.  All problems are listed together.
    """
    entries = _entries(Path(path))
    problems, runs = [], []
    for number, entry in enumerate(entries, start=1):
        wrong = _entry_problems(entry)
        problems += [f"run {number}: {problem}" for problem in wrong]
        if not wrong:
            runs.append(Run(**{"name": entry["notebook"], **entry}))
    outputs = [(run.name, run.profile) for run in runs]
    problems += [
        f"{name} appears twice in profile {profile}; give one of them another name."
        for name, profile in sorted(set(outputs))
        if outputs.count((name, profile)) > 1
    ]
    _raise_if_any(problems, path)
    return runs


def select(runs, *, profile, only=None):
    """The runs of one profile, all or only those with the given output names.

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
    """The path as papermill must be given it, which fills in braces like a template.

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


def _entry_problems(entry):
    if not isinstance(entry, dict):
        return [f"{entry!r} is not a mapping such as {{notebook: ..., profile: ...}}."]
    known = [field.name for field in fields(Run)]
    unknown = [key for key in entry if key not in known]
    problems = [f"unknown key {key!r};{suggestion(key, known)}" for key in unknown]
    for key, good, wanted in _rules():
        if key not in entry and key in ("notebook", "profile", "budget"):
            problems.append(f"{key} is missing; it must be {wanted}.")
        elif key in entry and not good(entry[key]):
            problems.append(f"{key} = {entry[key]!r} must be {wanted}.")
    return problems


def _rules():
    """For each key of a run: what is accepted, and how to say so."""
    slug = "letters, digits, '_' and '-', without folder or ending"
    return [
        ("notebook", _is_slug, slug),
        ("name", _is_slug, slug),
        ("profile", lambda value: value in PROFILES, " or ".join(PROFILES)),
        ("budget", _is_duration, "a number of seconds above 0"),
        ("seconds", _is_duration, "a number of seconds above 0"),
        ("parameters", lambda value: isinstance(value, dict), "a mapping"),
    ]


def _is_slug(value):
    return isinstance(value, str) and re.fullmatch(r"[\w-]+", value) is not None


def _is_duration(value):
    return _fits(value, "float") and 0 < value < float("inf")


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
    problems = []
    for name, value in run.parameters.items():
        if name not in declared:
            hint = suggestion(name, declared)
            problems.append(f"unknown parameter {name!r};{hint}")
        elif not _accepts(declared[name], value):
            problems.append(_type_problem(name, value, declared[name]))
    return problems


def _accepts(parameter, value):
    if value is None:
        return parameter["default"] == "None"
    return _fits(value, parameter["inferred_type_name"])


def _fits(value, annotation):
    """Whether a value from YAML has the type a parameters cell declares."""
    if annotation == "None":  # papermill's word for a parameter without a type
        return True
    outer, _, inner = annotation.removesuffix("]").partition("[")
    if outer == "list":
        items = value if isinstance(value, list) else [None]
        return all(_fits(item, inner or "None") for item in items) and items is value
    if isinstance(value, bool):
        return annotation == "bool"
    return outer in TYPES and isinstance(value, TYPES[outer])


def _type_problem(name, value, parameter):
    kind, remedy = parameter["inferred_type_name"], ""
    if isinstance(value, str) and kind == "float":
        remedy = "; YAML reads 1e-4 as text, write 1.0e-4"
    elif isinstance(value, str) and kind == "bool":
        remedy = "; write true or false without quotes"
    elif kind.startswith("list"):
        remedy = "; write [a, b] with items of that type"
    default = parameter["default"]
    return f"{name} = {value!r} must be {kind} (default {default}){remedy}."
