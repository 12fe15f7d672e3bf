"""The types of what a route says: how lists of paths, renames and filters become values.

A converter raises ValueError with what is wanted, as those in `types`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator, Field

from consumer.core.event.event import Category
from consumer.core.event.selection.attribute_path import AttributePath, BadPath, read_path
from consumer.settings.types import Attributes, Name, RecordAge, Unit, lower, name

_ROUTE_NAME = re.compile(r"[a-zA-Z0-9][a-zA-Z0-9_.-]*")
_PATHS = "different paths of attributes, such as card_number or customer.iban"


def paths(value: object) -> object:
    """Return `a, b.c`, or a list of texts, as paths."""
    if isinstance(value, str):
        value = [part.strip() for part in value.split(",")]
    if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
        return value if isinstance(value, tuple) else _refuse(f"{_PATHS}; quote what is no text")
    for each in value:
        if not each.startswith("/") and ("," in each or each != each.strip()):
            raise ValueError(f"{_PATHS}; a name with a comma or outer blanks is written /{each}")
    try:
        found = tuple(read_path(each) for each in value)
    except BadPath as error:
        raise ValueError(f"{_PATHS}; {error}") from None
    if not found or len(set(found)) != len(found):
        raise ValueError(_PATHS)
    return found


def renames(value: object) -> object:
    """Return an object of old and new names as pairs."""
    if not isinstance(value, Mapping):
        return value if isinstance(value, tuple) else _refuse("old: new names of attributes")
    if not all(isinstance(new, str) and new for new in value.values()):
        raise ValueError("old: new names of attributes; quote what is no text")
    try:
        olds = [read_path(old).names for old in value]
    except BadPath as error:
        raise ValueError(f"old: new names of attributes; {error}") from None
    if any(len(names) > 1 for names in olds):
        raise ValueError("names of top-level attributes; one that has a dot is written /a.b")
    return tuple((names[0], new) for names, new in zip(olds, value.values(), strict=True))


def route_name(text: str) -> str:
    """Accept a name that an option of a command can have."""
    if not _ROUTE_NAME.fullmatch(text):
        raise ValueError("a name of letters, digits and _ . -, a letter or digit first")
    return text


def seconds(value: object) -> object:
    """Refuse true and false, which would pass for 1 and 0."""
    return _refuse("a number of seconds") if isinstance(value, bool) else value


def names(value: object) -> object:
    """Return the names of a list as those of a text are returned."""
    if not isinstance(value, list):
        return value
    if not all(isinstance(each, str) and "," not in each for each in value):
        raise ValueError("different attribute names; quote what is no text")
    return ",".join(value)


def _refuse(wanted: str) -> object:
    raise ValueError(wanted)


Paths = Annotated[tuple[AttributePath, ...], BeforeValidator(paths), Unit("paths")]
Renames = Annotated[tuple[tuple[str, str], ...], BeforeValidator(renames)]
Attribute = Annotated[str, Field(max_length=65_535), AfterValidator(name)]
RouteName = Annotated[Name, AfterValidator(route_name)]
RouteSeconds = Annotated[RecordAge, BeforeValidator(seconds)]
Names = Annotated[Attributes, BeforeValidator(names)]
CategoryName = Annotated[Category, BeforeValidator(lower)]
Unchanged = Literal["skip", "publish"]
EidOf = Literal["route", "record"]
