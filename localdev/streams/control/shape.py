"""Makes a dataclass of JSON members, and refuses unknown ones."""

from collections.abc import Mapping
from typing import TypeVar

import msgspec

from localdev.streams.errors import invalid
from localdev.streams.http.arguments import Arguments

Shape = TypeVar("Shape")


def shaped(members: Mapping[str, object], kind: type[Shape]) -> Shape:
    """Return the dataclass `kind`. Raise ServiceError (validation)."""
    Arguments(dict(members)).only(*kind.__annotations__)
    try:
        return msgspec.convert(members, kind)
    except msgspec.ValidationError as error:
        raise invalid(str(error)) from None
