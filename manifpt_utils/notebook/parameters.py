"""Checked notebook parameters: one clear error instead of a silently wrong run.

papermill accepts misspelt names (it only logs them) and types what it reads from the
command line by its looks: `-p flag true` is the text "true", `-p seed 007` the
number 7, `-y "rate: 1e-4"` the text "1e-4".  So the first cell after a notebook's
`parameters` cell calls `check_parameters`, and says of what kind each one is.
"""

import ast
import math

from .._support.suggestion import suggestion

__all__ = [
    "boolean",
    "check_parameters",
    "integer",
    "integers",
    "number",
    "numbers",
    "one_of",
    "optional",
    "some_of",
    "text",
    "texts",
]


def check_parameters(values, /, *, notebook, **kinds):
    """Check and normalise the parameters of a notebook.

    Parameters
    ----------
    values : dict
        Where the parameters live, `globals()` in a notebook.  Updated in place with
        the normalised values: aliases resolved, "rgb,frequency" split into a list.
    notebook : str
        Name that starts the error message.
    **kinds : callables
        For each parameter its kind: `integer()`, `number()`, `boolean()`, `text()`,
        `one_of(...)`, their lists `integers()`, `numbers()`, `texts()`,
        `some_of(...)`, or `optional(...)` of one of these.

    Returns
    -------
    dict
        The normalised parameters, in the order of `kinds`.

    Raises
    ------
    ValueError
        If a parameter is unknown, missing, of the wrong type or out of range.  All
        problems are listed together, each with its remedy.

    Examples
    --------
    >>> check_parameters({"spaces": "rgb,freq"}, notebook="03_attribution",
    ...     spaces=some_of("rgb", "frequency", aliases={"freq": "frequency"}))
    {'spaces': ['rgb', 'frequency']}
    """
    problems = [
        f"unknown parameter {name!r};{suggestion(name, kinds)}"
        for name in _given_names(values)
        if name not in kinds
    ]
    checked = {}
    for name, kind in kinds.items():
        try:
            checked[name] = kind(_value(values, name))
        except ValueError as error:
            problems.append(f"{name}{error}")
    if problems:
        raise ValueError("\n  ".join([f"{notebook}:", *problems]))
    values.update(checked)
    return checked


def _value(values, name):
    if name not in values:
        raise ValueError(" has no value; give it a default in the parameters cell.")
    return values[name]


def _given_names(values):
    """Names that a parameters cell assigned, the notebook's own or papermill's."""
    history = values.get("In")  # where IPython keeps the source of every cell
    if isinstance(history, list) and history and "check_parameters" in history[-1]:
        names = _names_in_history(history[:-1])
    else:
        plain = (type(None), bool, int, float, str, list, dict)
        names = [name for name, value in values.items() if isinstance(value, plain)]
        names = [name for name in names if name not in ("In", "Out")]
    # papermill's --inject-paths adds PAPERMILL_INPUT_PATH and PAPERMILL_OUTPUT_PATH.
    ignored = ("_", "PAPERMILL_")
    return [name for name in names if not name.startswith(ignored)]


def _names_in_history(cells):
    """Names in the parameters cell that ran last, and in those injected after it.

    A namespace alone could not tell a misspelt parameter from a variable, when a
    reader runs the checking cell again after the rest of the notebook.
    """
    names = []
    for source in reversed(cells):
        body = _statements(source)
        typed = bool(body) and all(isinstance(line, ast.AnnAssign) for line in body)
        if typed or source.startswith("# Parameters"):  # papermill's first line
            names = _targets(body) + names
        if typed:
            break
    return names


def _statements(source):
    try:
        return ast.parse(source).body
    except SyntaxError:  # a magic or a shell line
        return []


def _targets(body):
    """Names assigned by `name = value` and `name: type = value`."""
    lines = [line for line in body if isinstance(line, ast.Assign | ast.AnnAssign)]
    targets = [getattr(line, "target", None) or line.targets[0] for line in lines]
    return [target.id for target in targets if isinstance(target, ast.Name)]


def _wrong(value, wanted, remedy=""):
    end = f"; {remedy}" if remedy else ""
    return ValueError(f" = {value!r} must be {wanted}{end}.")


def _bounded(value, wanted, minimum, maximum):
    low = minimum is not None and value < minimum
    high = maximum is not None and value > maximum
    if low or high:
        raise _wrong(value, wanted)
    return value


def _range(minimum, maximum):
    if minimum is not None and maximum is not None:
        return f" from {minimum} to {maximum}"
    if minimum is not None:
        return f" of at least {minimum}"
    return "" if maximum is None else f" of at most {maximum}"


def integer(*, minimum=None, maximum=None):
    """A whole number; neither text nor 7.0 nor True.

    >>> integer(minimum=10)(12)
    12
    """
    wanted = "a whole number" + _range(minimum, maximum)

    def read(value):
        if isinstance(value, bool) or not isinstance(value, int):
            raise _wrong(value, wanted, _numeric_remedy(value))
        return _bounded(value, wanted, minimum, maximum)

    return read


def number(*, minimum=None, maximum=None):
    """A finite number, returned as a float; neither text nor nan nor True.

    >>> number(minimum=0)(1)
    1.0
    """
    wanted = "a finite number" + _range(minimum, maximum)

    def read(value):
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise _wrong(value, wanted, _numeric_remedy(value))
        if not math.isfinite(value):
            raise _wrong(value, wanted)
        return float(_bounded(value, wanted, minimum, maximum))

    return read


def _numeric_remedy(value):
    if isinstance(value, float) and value.is_integer():
        return f"write {value:.0f}"
    if not isinstance(value, str):
        return ""
    try:
        float(value)
    except ValueError:
        return "it is text"
    return "it is text: pass it without quotes, with -p (not -r), and 1.0e-4 in YAML"


def boolean():
    """True or False, and not the text "true", which Python would take as true.

    >>> boolean()(True)
    True
    """

    def read(value):
        if not isinstance(value, bool):
            remedy = "papermill reads only these two words as such: -p name True"
            raise _wrong(value, "True or False", remedy)
        return value

    return read


def text():
    """Any text that is not empty.

    >>> text()("gm-photo/coffee")
    'gm-photo/coffee'
    """

    def read(value):
        if not isinstance(value, str):
            raise _wrong(value, "text", "papermill's -r keeps text as it is")
        if not value.strip():
            raise _wrong(value, "text that is not empty")
        return value

    return read


def one_of(*choices, aliases=None):
    """One of the given words, or an alias of one.

    >>> one_of("rgb", "frequency", aliases={"freq": "frequency"})("freq")
    'frequency'
    """
    aliases = dict(aliases or {})

    def read(value):
        if isinstance(value, str):
            value = aliases.get(value, value)
        if value not in choices:
            hint = suggestion(value, choices).strip()
            raise ValueError(f" = {value!r} is unknown; {hint}")
        return value

    return read


def integers(*, minimum=None, maximum=None):
    """A list of whole numbers; also one number, or text such as "0,1,2".

    >>> integers()("0,1,2")
    [0, 1, 2]
    """
    return _list_of(integer(minimum=minimum, maximum=maximum), int)


def numbers(*, minimum=None, maximum=None):
    """A list of finite numbers; also one number, or text such as "0.1,1".

    >>> numbers()(0.5)
    [0.5]
    """
    return _list_of(number(minimum=minimum, maximum=maximum), float)


def texts():
    """A list of texts; also one text, with commas between the items.

    >>> texts()("gm-photo/coffee,gm-photo/flower")
    ['gm-photo/coffee', 'gm-photo/flower']
    """
    return _list_of(text(), str)


def some_of(*choices, aliases=None):
    """A list of the given words; also text such as "rgb,frequency".

    >>> some_of("rgb", "frequency")("rgb")
    ['rgb']
    """
    return _list_of(one_of(*choices, aliases=aliases), str)


def _list_of(read, parse):
    def read_list(value):
        items = [read(item) for item in _items(value, parse)]
        if not items:
            raise _wrong(value, "a list of at least one item")
        if len(set(items)) < len(items):
            raise _wrong(value, "a list that names each item once")
        return items

    return read_list


def _items(value, parse):
    """Items of a list, or of the text that stands for one on the command line."""
    if not isinstance(value, str):
        return list(value) if isinstance(value, list | tuple) else [value]
    try:
        return [parse(item.strip()) for item in value.split(",") if item.strip()]
    except ValueError:
        raise _wrong(value, "numbers with commas between them") from None


def optional(kind):
    """The given kind, or None.

    >>> optional(integer(minimum=1))(None) is None
    True
    """
    return lambda value: None if value is None else kind(value)
