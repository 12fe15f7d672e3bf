"""Reads a JSON body member by member, as the server's object mapper would: wrong shapes are 400."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

from localdev.nakadi.http.problem import ProblemError
from localdev.nakadi.java import int32

if TYPE_CHECKING:
    from collections.abc import Sequence

    from localdev.nakadi.json_value import Json, JsonObject


_INTEGER = re.compile(r"[+-]?[0-9]{1,10}")


def _read(body: bytes) -> Json:
    if not body:
        raise ProblemError(400, "Required request body is missing")
    try:
        value: Json = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise ProblemError(400, f"JSON parse error: {error}") from None
    return value


def read_object(body: bytes) -> JsonObject:
    """Return a body that must be one JSON object."""
    value = _read(body)
    if not isinstance(value, dict):
        raise ProblemError(400, "Cannot deserialize value: not an object")
    return value


def read_objects(body: bytes) -> list[JsonObject]:
    """Return a body that must be an array of JSON objects."""
    value = _read(body)
    members = value if isinstance(value, list) else [None]
    objects = [member for member in members if isinstance(member, dict)]
    if len(objects) != len(members):
        raise ProblemError(400, "Cannot deserialize value: not an array of objects")
    return objects


def number(parameter: str | None, default: int) -> int:
    """Return a query parameter that must be a 32-bit integer; an empty one counts as missing."""
    if not parameter:
        return default
    if _INTEGER.fullmatch(parameter.strip()) and int32(int(parameter)) == int(parameter):
        return int(parameter)
    raise ProblemError(
        400,
        "Failed to convert value of type 'java.lang.String' to required type "
        "'java.lang.Integer'; nested exception is java.lang.NumberFormatException: "
        f'For input string: "{parameter}"',
    )


def text(source: JsonObject, name: str) -> str | None:
    """Return a text member; other scalars become text, as the mapper does it."""
    match source.get(name):
        case None:
            return None
        case bool() as flag:
            return "true" if flag else "false"
        case str() | int() | float() as value:
            return str(value)
        case _:
            raise ProblemError(400, f"Cannot deserialize value of `{name}`: not a string")


def texts(source: JsonObject, name: str) -> list[str]:
    """Return a list of texts, empty when the member is missing or null."""
    value = source.get(name)
    if value is None:
        return []
    if not isinstance(value, list):
        raise ProblemError(400, f"Cannot deserialize value of `{name}`: not an array")
    return [str(member) for member in value]


def integer(source: JsonObject, name: str) -> int | None:
    """Return an integer; text that holds one is taken."""
    value = source.get(name)
    if value is None:
        return None
    try:
        if isinstance(value, (str, int, float)) and not isinstance(value, bool):
            return int(value)
    except ValueError:
        pass
    raise ProblemError(400, f"Cannot deserialize value of `{name}`: not a valid integer")


def enum(source: JsonObject, name: str, values: Sequence[str]) -> str | None:
    """Return one of some names in lower case; their case does not matter."""
    value = text(source, name)
    if value is None or value.lower() in values:
        return value and value.lower()
    listed = ", ".join(values)
    raise ProblemError(400, f"Illegal enum value: '{value}'. Possible values: [{listed}]")


def nested(source: JsonObject, name: str) -> JsonObject | None:
    """Return an object, None when the member is missing or null."""
    value = source.get(name)
    if value is None or isinstance(value, dict):
        return value
    raise ProblemError(400, f"Cannot deserialize value of `{name}`: not an object")
