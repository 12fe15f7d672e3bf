"""The types of what a route says: how lists of paths, renames and filters become values.

A converter raises ValueError with what is wanted, as those in `types`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator, Field

from consumer.core.event.event import Category
from consumer.core.event.selection.attribute_path import AttributePath, BadPath, read_path
from consumer.settings.types import Name, Unit, event_type, lower, name

_PATHS = "different paths of attributes, such as card_number or customer.iban"


def paths(value: object) -> object:
    """Return `a, b.c`, or a list of texts, as paths."""
    if isinstance(value, str):
        value = [part.strip() for part in value.split(",")]
    if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
        return value if isinstance(value, tuple) else _refuse(f"{_PATHS}; quote what is no text")
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
    return tuple(value.items())


def one_attribute(text: str) -> str:
    """Accept the name of a top-level attribute."""
    return name(text)


def _refuse(wanted: str) -> object:
    raise ValueError(wanted)


Paths = Annotated[tuple[AttributePath, ...], BeforeValidator(paths), Unit("paths")]
Renames = Annotated[tuple[tuple[str, str], ...], BeforeValidator(renames)]
Attribute = Annotated[str, Field(max_length=65_535), AfterValidator(one_attribute)]
RouteName = Annotated[Name, AfterValidator(event_type)]
CategoryName = Annotated[Category, BeforeValidator(lower)]
Unchanged = Literal["skip", "publish"]
EidOf = Literal["route", "record"]
