"""Checked notebook parameters: one clear error instead of a silently wrong run.

A notebook declares the kind of every parameter once, in its parameters cell, and the
next cell checks the values::

    n_train: AtLeast[5] = 100  # training images per model
    spaces: Spaces = ["rgb", "frequency"]  # embedding spaces

    check_parameters(globals(), notebook="03_attribution")

The check is needed because papermill accepts misspelt names (it only logs them), and
because it guesses the types of values on the command line: `-p flag true` is the text
"true", `-p seed 007` the number 7, `-y "rate: 1e-4"` the text "1e-4".

===================  ==================================================================
kind                 accepts
===================  ==================================================================
`AtLeast[5]`         a whole number, 5 or more
`Between[10, 500]`   a whole number from 10 to 500
`Number[2, 100]`     a finite number from 2 to 100
`Positive`           a finite number above 0
`Share`              a number above 0 and below 1
`Seed`               a whole number that starts a random generator
`BenchmarkName`      the name of a benchmark, or a source of images that `load` reads
`Benchmarks`         a list of these
`PhotoBenchmark`     the name of a benchmark whose manifold is known
`Experiments`        a photograph on which there are controlled experiments
`Photographs`        a list of photographs, or "all"
`Names`              a list of names; which exist depends on the benchmark
`Size`               pixels to which all images of a folder are resized, or None
`Normalise`          how the images of a folder are treated, or None
`Spaces`             a list of embedding spaces, or "all"
`Estimator`          one estimator of the closest point
`Metric`             one distance
`Methods`            a list of earlier methods, or "all"
`Treatments`         a list of treatments of images, or "all"
`Factors`            a list of design factors, or "all"
`Device`             where torch computes: "cpu", "cuda", "cuda:0" and so on, or "auto"
`Precision`          of networks: "float32", "bfloat16", or "auto" for the quicker one
`ListOf[Seed]`       a list of any kind
===================  ==================================================================

They are types of pydantic, and every other type that it knows, such as `bool` or
`list[float]`, is a kind as well.  `papermill --help-notebook` only reads annotations of
letters, digits, brackets and commas; therefore write `Optional[int]`, not `int | None`.
"""

import ast
import typing
from types import SimpleNamespace
from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator, Field

from .._support import devices, names
from .._support.suggestion import suggestion
from .validation import check_value, number, schema_of

__all__ = [
    "AtLeast",
    "BenchmarkName",
    "Benchmarks",
    "Between",
    "Device",
    "Estimator",
    "Experiments",
    "Factors",
    "Kinds",
    "ListOf",
    "Methods",
    "Metric",
    "Names",
    "Normalise",
    "Number",
    "PhotoBenchmark",
    "Photographs",
    "Positive",
    "Precision",
    "Seed",
    "Share",
    "Size",
    "Spaces",
    "Treatments",
    "check_parameters",
    "check_values",
    "declared_kinds",
]


# --- kinds ------------------------------------------------------------------------


class AtLeast:
    """`AtLeast[5]` is a whole number, 5 or more; neither text nor 7.0 nor True.

    >>> check_values({"n": 7}, {"n": AtLeast[5]})
    ({'n': 7}, [])
    """

    def __class_getitem__(cls, least):
        return Annotated[int, Field(ge=least)]


class Between:
    """`Between[10, 500]` is a whole number from 10 to 500.

    >>> check_values({"n": 500}, {"n": Between[10, 500]})
    ({'n': 500}, [])
    """

    def __class_getitem__(cls, bounds):
        least, most = bounds
        return Annotated[int, Field(ge=least, le=most)]


class Number:
    """`Number[2, 100]` is a finite number from 2 to 100, returned as a float.

    >>> check_values({"perplexity": 30}, {"perplexity": Number[2, 100]})
    ({'perplexity': 30.0}, [])
    """

    def __class_getitem__(cls, bounds):
        least, most = bounds
        return Annotated[float, Field(ge=least, le=most)]


class ListOf:
    """`ListOf[Seed]` is a list of seeds, each named once.

    A single item is accepted, too, and so is text with commas, as on a command line.

    >>> check_values({"seeds": "0,1,2"}, {"seeds": ListOf[Seed]})
    ({'seeds': [0, 1, 2]}, [])
    """

    def __class_getitem__(cls, kind):
        read, filled = BeforeValidator(_reader(kind)), Field(min_length=1)
        return Annotated[list[kind], filled, AfterValidator(_distinct), read]


def _reader(kind):
    """A function that makes a list from what a command line gives."""
    is_number = schema_of(kind).get("type") in ("integer", "number")

    def read(value):
        if not isinstance(value, str):
            return list(value) if isinstance(value, list | tuple) else [value]
        if value.lstrip().startswith(("[", "(", "{")):
            return value  # not a list; the error says how to write one
        items = [item.strip() for item in value.split(",") if item.strip()]
        return [number(item) for item in items] if is_number else items

    return read


def _distinct(items):
    if len(set(items)) < len(items):
        raise ValueError("a list that names each item once")
    return items


def _one_of(words, aliases=()):
    aliases = dict(aliases)
    resolve = BeforeValidator(lambda x: aliases.get(x, x) if isinstance(x, str) else x)
    return Annotated[Literal[tuple(words)], resolve]


def _some_of(words, aliases=()):
    """A list of the words, in which "all" stands for all of them."""
    every = AfterValidator(lambda x: list(words) if "all" in x else x)
    return Annotated[ListOf[_one_of([*words, "all"], aliases)], every]


Positive = Annotated[float, Field(gt=0)]
Share = Annotated[float, Field(gt=0, lt=1)]
Seed = Between[0, 2**32 - 1]
Size = Annotated[int, Field(ge=8)] | None
Normalise = _one_of(names.NORMALISATIONS) | None
_Filled = Annotated[str, Field(pattern=r"\S")]
BenchmarkName = _Filled
Benchmarks = ListOf[BenchmarkName]
PhotoBenchmark = _one_of([f"gm-photo/{photo}" for photo in names.PHOTOGRAPHS])
Experiments = _one_of(names.EXPERIMENTS)
Photographs = _some_of(names.PHOTOGRAPHS)
Names = ListOf[_Filled]
Spaces = _some_of(names.SPACES, names.SPACE_ALIASES)
Kinds = _some_of(names.KINDS)
Estimator = _one_of(names.ESTIMATORS)
Metric = _one_of(names.METRICS)
Methods = _some_of(names.BASELINES)
Treatments = _some_of(names.TREATMENTS)
Factors = _some_of(names.FACTORS)
Precision = _one_of(names.PRECISIONS)
Device = Annotated[str, AfterValidator(devices.named)]


# --- checks -----------------------------------------------------------------------


def check_parameters(values, /, *, notebook):
    """Check and normalise the parameters of a notebook against its annotations.

    Parameters
    ----------
    values : dict
        The namespace of the parameters, `globals()` in a notebook.  It is updated in
        place with the normalised values: aliases are resolved, "rgb,frequency" is split
        into a list, and "all" is replaced by all names, if these do not depend on the
        benchmark.
    notebook : str
        Name with which the error message begins.

    Returns
    -------
    dict
        The normalised parameters, in the order of their declaration.

    Raises
    ------
    ValueError
        If a parameter is unknown, missing, of the wrong type or out of range.  All
        problems are listed together, each with its remedy.

    Examples
    --------
    >>> cell = {"__annotations__": {"spaces": Spaces}, "spaces": "rgb,freq"}
    >>> check_parameters(cell, notebook="03_attribution")
    {'spaces': ['rgb', 'frequency']}
    """
    annotations, given = _declared(values)
    if not annotations:
        raise ValueError(
            f"{notebook}: no parameter is declared; run the parameters cell first."
        )
    present = {name: values[name] for name in annotations if name in values}
    checked, problems = check_values(dict.fromkeys(given) | present, annotations)
    problems += [
        f"{name} has no value; give it a default in the parameters cell."
        for name in annotations
        if name not in values
    ]
    if problems:
        raise ValueError("\n  ".join([f"{notebook}:", *problems]))
    values.update(checked)
    return {name: checked[name] for name in annotations}


def check_values(values, annotations):
    """Check some values against the kinds that are declared for them.

    Parameters
    ----------
    values : dict
        Values by parameter name.
    annotations : dict
        As for `declared_kinds`.

    Returns
    -------
    checked : dict
        The values without problems, normalised.
    problems : list of str
        A sentence for each parameter that is unknown or wrong.

    Examples
    --------
    >>> check_values({"n": 7, "m": 0}, {"n": "AtLeast[5]", "m": "AtLeast[5]"})
    ({'n': 7}, ['m = 0 must be a whole number of at least 5.'])
    """
    kinds, checked, problems = declared_kinds(annotations), {}, []
    for name, value in values.items():
        if name not in kinds:
            hint = suggestion(name, kinds)
            problems.append(f"unknown parameter {name!r};{hint}")
            continue
        fitting, ends = check_value(value, kinds[name])
        problems += [name + end for end in ends]
        if not ends:
            checked[name] = fitting
    return checked, problems


def declared_kinds(annotations):
    """The types that annotations stand for.

    Parameters
    ----------
    annotations : dict
        For each parameter name its kind, or the text of it, as
        `papermill.inspect_notebook` finds it.

    Returns
    -------
    dict

    Raises
    ------
    ValueError
        If a text does not name a kind.

    Examples
    --------
    >>> declared_kinds({"augment": "bool"})
    {'augment': <class 'bool'>}
    """
    return {name: _kind(name, text) for name, text in annotations.items()}


def _kind(name, annotation):
    known = {kind: globals()[kind] for kind in __all__}
    holder = SimpleNamespace(__annotations__={name: annotation})
    try:
        hints = typing.get_type_hints(holder, vars(typing) | known, include_extras=True)
    except (AttributeError, NameError, SyntaxError, TypeError, ValueError) as error:
        raise ValueError(f"{name}: {annotation!r} is not a kind: {error}.") from None
    return hints[name]


# --- what the parameters cell declared --------------------------------------------


def _declared(values):
    """The valid annotations, and all names that parameters cells assigned."""
    annotations = values.get("__annotations__", {})
    history = values.get("In")  # where IPython keeps the source of every cell
    if isinstance(history, list) and history and "check_parameters" in history[-1]:
        in_force, given = _names_in_history(history[:-1])
        annotations = {n: kind for n, kind in annotations.items() if n in in_force}
    else:
        plain = (type(None), bool, int, float, str, list, dict)
        given = [name for name, value in values.items() if isinstance(value, plain)]
    # papermill's --inject-paths adds PAPERMILL_INPUT_PATH and PAPERMILL_OUTPUT_PATH.
    ignored = ("_", "PAPERMILL_")
    given = [name for name in given if not name.startswith(ignored)]
    return annotations, [name for name in given if name not in ("In", "Out")]


def _names_in_history(cells):
    """Names in the last parameters cell, and these together with injected ones.

    If a reader runs the checking cell again after the rest of the notebook, the
    namespace alone cannot tell a misspelt parameter from a variable, nor show that a
    parameter was renamed.
    """
    declared, injected = [], []
    for source in reversed(cells):
        body = _statements(source)
        if _declares(body):
            if set(declared) & set(_targets(body)):
                break  # an earlier state of the same cell
            declared = _targets(body) + declared
        elif source.startswith("# Parameters") and not declared:  # papermill's comment
            injected = _targets(body) + injected
    return declared, declared + injected


def _declares(body):
    """Whether a cell only assigns, and at least once as `name: kind = value`."""
    only_assigns = all(isinstance(line, ast.Assign | ast.AnnAssign) for line in body)
    return only_assigns and any(isinstance(line, ast.AnnAssign) for line in body)


def _statements(source):
    try:
        return ast.parse(source).body
    except SyntaxError:  # a magic or a shell line
        return []


def _targets(body):
    """Names assigned by `name = value` and `name: kind = value`."""
    lines = [line for line in body if isinstance(line, ast.Assign | ast.AnnAssign)]
    targets = [getattr(line, "target", None) or line.targets[0] for line in lines]
    return [target.id for target in targets if isinstance(target, ast.Name)]
