"""Items between botocore's form and the JSON text that is DynamoDB's own."""

from __future__ import annotations

from base64 import b64decode
from typing import TYPE_CHECKING, Any

from msgspec import Raw, json

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


def text_of(item: Mapping[str, Any]) -> Raw:
    """Return the JSON of an item as botocore parsed it; binary values become base64 again."""
    return Raw(json.encode(item))


def keys_of(item: Mapping[str, Any], names: Iterable[str]) -> Raw:
    """Return the JSON of an item's key. Raise KeyError if it lacks an attribute of it."""
    return text_of({name: item[name] for name in names})


def parsed_item(text: Raw) -> dict[str, Any]:
    """Return an item, or a key, as botocore sends it: binary values decoded."""
    found = json.decode(text, type=dict[str, dict[str, Any]])
    return {name: _parsed(value) for name, value in found.items()}


def _parsed(value: dict[str, Any]) -> dict[str, Any]:
    match value:
        case {"B": str() as text}:
            return {"B": b64decode(text)}
        case {"BS": list() as texts}:
            return {"BS": [b64decode(text) for text in texts]}
        case {"M": dict() as members}:
            return {"M": {name: _parsed(each) for name, each in members.items()}}
        case {"L": list() as elements}:
            return {"L": [_parsed(each) for each in elements]}
    return value
