"""Patterns as trees: text or values become Members, lists, str, Numeral, bool and None.

JSON says a number's digits and all members of an object, also those whose name comes twice.
YAML has been read when it arrives here, and what it read from an unquoted `NO`, `7` or
`2026-11-01` is no longer what was written.
"""

from __future__ import annotations

import json
from datetime import date
from typing import Final

from consumer.core.routes.language.bad_pattern import BadPattern
from consumer.core.routes.language.numeral import Numeral

DEEPEST: Final = 200
"""Objects and lists in one another. DynamoDB nests 32 values, each of them two objects here."""

_TOO_DEEP = f"it is nested more than {DEEPEST} deep"


class Members(tuple[tuple[object, object], ...]):
    """The members of an object in their order. A name may come twice, and may not be text."""

    __slots__ = ()


def read_json(text: str, place: str = "") -> object:
    """Return the tree of a JSON text. Raise BadPattern if it is not JSON."""
    try:
        tree: object = json.loads(
            text,
            object_pairs_hook=Members,
            parse_int=Numeral,
            parse_float=Numeral,
            parse_constant=_no_constant,
        )
    except json.JSONDecodeError as error:
        where = f"line {error.lineno}, column {error.colno}"
        raise BadPattern(place, f"it is not JSON: {error.msg}, {where}") from None
    except ValueError as error:
        raise BadPattern(place, f"it is not JSON: {error}") from None
    except RecursionError:
        raise BadPattern(place, _TOO_DEEP) from None
    return tree


def tree_of(value: object, place: str = "", room: int = DEEPEST) -> object:
    """Return the tree of a value that was read from YAML or JSON. Raise BadPattern."""
    if room < 0:
        raise BadPattern(place, _TOO_DEEP)
    match value:
        case dict():
            return Members((name, tree_of(each, place, room - 1)) for name, each in value.items())
        case list():
            return [tree_of(each, place, room - 1) for each in value]
        case int() | float() if not isinstance(value, bool):
            return Numeral(repr(value))
        case _:
            return value


def shown(node: object) -> str:
    """Return what a node is, for an error. Filters may name people, so no value is quoted."""
    match node:
        case Members():
            return "an object"
        case list():
            return "a list" if node else "an empty list"
        case None:
            return "null"
        case bool():
            return "true" if node else "false"
        case Numeral():
            return "a number"
        case str():
            return "text"
        case date():
            return "a date"
        case _:
            return f"a value of Python's type {type(node).__name__}"


def _no_constant(name: str) -> object:
    raise ValueError(f"{name} is no number")
