"""One spelling of an item: however it was sent, the same item always gives the same bytes.

Names and the members of sets are sorted, and escapes and white space are those of one encoder.
Lists keep their order. Numbers are compared by their digits, which DynamoDB writes in one way.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import DecodeError, json

from consumer.core.event.malformed import MalformedItem

if TYPE_CHECKING:
    from collections.abc import Mapping

    from msgspec import Raw

_SETS = ("SS", "NS", "BS")

_decode = json.Decoder(dict[str, object]).decode


def canonical(members: Mapping[str, Raw]) -> bytes:
    """Return the JSON of attribute values by name, in the one spelling. Raise MalformedItem."""
    found: dict[str, object] = {}
    for name, text in members.items():
        try:
            found[name] = _sorted(_decode(text))
        except DecodeError as error:
            raise MalformedItem(f"attribute {name!r}: {error}") from None
    return json.encode(found, order="sorted")


def _sorted(value: object) -> object:
    """Return an attribute value with its sets sorted, at any depth."""
    match value:
        case {"M": dict() as members}:
            return {"M": {name: _sorted(each) for name, each in members.items()}}
        case {"L": list() as elements}:
            return {"L": [_sorted(each) for each in elements]}
        case dict():
            return {
                kind: sorted(each, key=str) if kind in _SETS and isinstance(each, list) else each
                for kind, each in value.items()
            }
    return value
