"""The message for a setting that is wrong: one line, and never a secret."""

from __future__ import annotations

import ast
import inspect
from functools import cache
from itertools import pairwise
from textwrap import dedent
from typing import TYPE_CHECKING

from consumer.settings.source import ROUTES, Given, nearest, variable

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pydantic import BaseModel, ValidationError
    from pydantic_core import ErrorDetails

FOUND_CHARACTERS = 80
"""Longest quotation of a value."""

# Replacements that turn pydantic's messages into what is wanted.
_WORDS = (
    ("Value error, ", ""),
    ("Input should be ", ""),
    ("String should have ", ""),
    ("greater than", "a number greater than"),
    ("less than", "a number less than"),
    ("a valid boolean", "true or false"),
    ("a valid dictionary or instance of MetadataDefinition", "members of metadata and attributes"),
)


def one_line(error: ValidationError, given: Mapping[str, Given]) -> str:
    """Return the first error as "setting: found this, wanted that".

    A setting that was not given, and follows another one, is wrong only because that one is.
    """
    errors = error.errors(include_url=False)
    first = next(each for each in errors if not each["loc"] or each["loc"][0] in given)
    if not first["loc"]:
        return first["msg"]
    name = str(first["loc"][0])
    return f"{given[name].source}: found {_quoted(name, given[name].text)}, wanted {_wanted(first)}"


def in_words(error: ValidationError, model: type[BaseModel]) -> str:
    """Return the first error in a list of settings as ", place: found this, wanted that".

    `model` is that of an element of the list.
    """
    first = error.errors(include_url=False)[0]
    place = ".".join(str(part) for part in first["loc"])
    match first["type"]:
        case "missing":
            return f": found no {place}, wanted one"
        case "extra_forbidden":
            *parents, key = map(str, first["loc"])
            known = _keys(model, parents)
            like = nearest(key, known)
            wanted = f"perhaps {like!r}" if like else f"one of {', '.join(known)}"
            return f": found the unknown key {place!r}, wanted {wanted}"
        case _:
            found = _kind_of(first["input"])
            return f", {place}: found {found}, wanted {_wanted(first)}"


def _keys(model: type[BaseModel], parents: Sequence[str]) -> list[str]:
    """Return the keys of a model, or of the one that is its member at this place."""
    fields = model.model_fields
    for parent in parents:
        fields = getattr(fields[parent].annotation, "model_fields", {})
    return [*fields]


def _kind_of(value: object) -> str:
    """Return a value as text; of what may be a misplaced filter, only what it is."""
    match value:
        case dict():
            return "an object"
        case list() if not all(isinstance(each, str) for each in value):
            return "a list of what is no text"
        case _:
            return shown(value)


def shown(value: object) -> str:
    """Return a value as text, cut off where it is long."""
    quoted = repr(value.strip() if isinstance(value, str) else value)
    return quoted if len(quoted) <= FOUND_CHARACTERS else f"{quoted[:FOUND_CHARACTERS]}…"


def _wanted(error: ErrorDetails) -> str:
    wanted = error["msg"].partition(", unable")[0]
    for old, new in _WORDS:
        wanted = wanted.replace(old, new)
    return wanted


def not_given(names: Sequence[str], model: type[BaseModel]) -> str:
    """Return the line for a setting that is missing, or for several of which one is needed."""
    shown = ", ".join(variable(name) for name in names if name != ROUTES)
    if len(names) > 1 and ROUTES not in names:
        nothing = " and ".join(["nothing"] * len(names))
        return f"{shown}: found {nothing}, wanted one of the two"
    meaning = meaning_of(model, names[0]).partition(". ")[0].rstrip(".")
    if not meaning[:2].isupper():  # it begins with a word, not with a name like SQS
        meaning = meaning[:1].lower() + meaning[1:]
    instead = f", or {variable(ROUTES)}" if ROUTES in names else ""
    return f"{shown}: found nothing, wanted the {meaning}{instead}"


def meaning_of(model: type[BaseModel], name: str) -> str:
    """Return the docstring of a setting, on one line; an empty text if it has none."""
    return _meanings(model).get(name, "")


@cache
def _meanings(model: type[BaseModel]) -> dict[str, str]:
    """Return the docstrings of a model's fields, from its source.

    pydantic can do that too, but at once: every start would pay for what only people ask for.
    """
    (definition,) = ast.parse(dedent(inspect.getsource(model))).body
    return {
        ast.unparse(field.target): " ".join(text.split())
        for field, below in pairwise(getattr(definition, "body", ()))
        if isinstance(field, ast.AnnAssign)
        and isinstance(below, ast.Expr)
        and isinstance(below.value, ast.Constant)
        and isinstance(text := below.value.value, str)
    }


def _quoted(name: str, text: str) -> str:
    """Return the value in quotation marks, unless it may contain a secret or name people."""
    if name in ("nakadi_token", "filter") or (name.endswith("_url") and {*"@?"} & {*text}):
        return "a value that is not shown"
    return shown(text)
