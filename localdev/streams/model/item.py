"""An item as a table holds it: parsed once, encoded once."""

from dataclasses import dataclass
from typing import Final, Self

import orjson

from localdev.streams.errors import invalid
from localdev.streams.model.attribute import Attributes, attributes_size, canonical

MAX_ITEM_BYTES: Final = 400 * 1024  # AWS: item size


@dataclass(frozen=True, slots=True)
class Item:
    """`body` is the compact JSON of `attributes`, `size` its bytes by DynamoDB's own rule."""

    attributes: Attributes
    body: bytes
    size: int

    @classmethod
    def of(cls, attributes: Attributes) -> Self:
        """Return the item. Raise ServiceError (validation) if DynamoDB would not store it."""
        size = attributes_size(attributes)
        given, attributes = attributes, canonical(attributes)
        if attributes != given:
            size = attributes_size(attributes)
        if size > MAX_ITEM_BYTES:
            raise invalid("Item size has exceeded the maximum allowed size")
        return cls(attributes, orjson.dumps(attributes), size)
