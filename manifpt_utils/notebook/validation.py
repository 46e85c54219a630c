"""Checks a value against a type of pydantic, with errors that say what to do."""

import json
import re

from pydantic import ConfigDict, TypeAdapter, ValidationError

from .._support.suggestion import suggestion

STRICT = ConfigDict(strict=True, allow_inf_nan=False)


def check_value(value, kind):
    """Check a value strictly: "7" is not a number, and 1 is not True.

    Parameters
    ----------
    value : object
    kind : type
        A type that pydantic knows.

    Returns
    -------
    checked : object
        The value in the form of the type; None if it does not fit.
    problems : list of str
        Ends of sentences that begin with the name of the parameter.

    Examples
    --------
    >>> check_value(1.0, int)
    (None, [' = 1.0 must be a whole number; write 1.'])
    """
    try:
        return adapter(kind).validate_python(value), []
    except ValidationError as error:
        remedy = _list_remedy(value, kind)
        if remedy:
            return None, [f" = {value!r} must be a list; {remedy}."]
        return None, [_problem(found, schema_of(kind)) for found in error.errors()]


def adapter(kind):
    """A validator of values of a kind, which does not convert them."""
    return TypeAdapter(kind, config=STRICT)


def schema_of(kind):
    """The values that a type accepts, as a JSON schema.

    >>> schema_of(int)
    {'type': 'integer'}
    """
    return adapter(kind).json_schema()


def number(text):
    """The number that a text stands for, or the text itself.

    >>> number("7"), number("1e-4"), number("rgb")
    (7, 0.0001, 'rgb')
    """
    for parse in (int, float):
        try:
            return parse(text)
        except ValueError:
            continue
    return text


def _problem(found, schema):
    """The end of a sentence about an error that pydantic found."""
    value, schema = found["input"], _part(schema, found["loc"])
    if found["type"] == "literal_error":
        return f" = {value!r} is unknown; {suggestion(value, _words(schema)).strip()}"
    if found["type"] == "value_error":  # from one of our own checks
        return f" = {value!r} must be {found['ctx']['error']}."
    if found["type"] == "too_short":
        return f" = {value!r} must be a list of at least one item."
    remedy = _remedy(value, schema)
    return f" = {value!r} must be {_wanted(schema)}{remedy and '; ' + remedy}."


def _part(schema, place):
    """The schema of an item of a list, of lists, or of an optional value."""
    options = [part for part in schema.get("anyOf", []) if part != {"type": "null"}]
    schema = options[0] if options else schema
    return _part(schema["items"], place[1:]) if place else schema


def _words(schema):
    return schema.get("enum") or [schema["const"]]


def _wanted(schema):
    """What a JSON schema requires, in words."""
    words = {
        "array": "a list",
        "boolean": "True or False",
        "integer": "a whole number",
        "number": "a finite number",
        "object": "names with values",
        "string": "text that is not empty" if "pattern" in schema else "text",
    }
    return words[schema["type"]] + _range(schema)


def _range(schema):
    least, most = schema.get("minimum"), schema.get("maximum")
    if least is not None and most is not None:
        return f" from {least} to {most}"
    phrases = {
        "minimum": "of at least",
        "maximum": "of at most",
        "exclusiveMinimum": "above",
        "exclusiveMaximum": "below",
    }
    found = [
        f"{words} {schema[key]}" for key, words in phrases.items() if key in schema
    ]
    return f" {' and '.join(found)}" if found else ""


def _remedy(value, schema):
    kind = schema.get("type")
    if kind in ("integer", "number"):
        return _numeric_remedy(value)
    if kind == "boolean":
        return "papermill only reads these two words as such: -p name True"
    if kind == "array" and isinstance(value, str) and value.lstrip()[:1] in [*"[({"]:
        return "write its items without brackets, with commas between them"
    if kind == "string" and not isinstance(value, str):
        return "papermill's -r keeps text as it is"
    return ""


def _numeric_remedy(value):
    if isinstance(value, float) and value.is_integer():
        return f"write {value:.0f}"
    if not isinstance(value, str):
        return ""
    if isinstance(number(value), str):
        return "it is text"
    return "it is text: pass it without quotes, with -p (not -r), and 1.0e-4 in YAML"


def _list_remedy(value, kind):
    """How to write a list that was given as "[a, b]" or "a b"; "" if it was not."""
    schema = schema_of(kind)
    if not isinstance(value, str) or schema.get("type") != "array":
        return ""
    words = re.findall(r"[^\s,;'\"]+", value.strip(" [](){}"))
    command = ",".join(words)
    if command == value or not _passes(command, kind):
        return ""
    is_number = schema["items"].get("type") in ("integer", "number")
    written = f"[{', '.join(words)}]" if is_number else json.dumps(words)
    return f"write {command} on the command line, {written} elsewhere"


def _passes(value, kind):
    try:
        adapter(kind).validate_python(value)
    except ValidationError:
        return False
    return True
