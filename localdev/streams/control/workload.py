"""Generated changes for load: the same numbers give the same changes, and each changes something.

An item has about 800 bytes of JSON in 14 attributes (strings, numbers, a map, a list of maps, a
string set, a boolean); a later version of it differs in three leaves, and one item in seven holds
characters that JSON escapes.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from localdev.streams.model.attribute import Attributes, AttributeValue
from localdev.streams.model.key_schema import KeySchema
from localdev.streams.names import digest

_STATES = ("CREATED", "PAID", "PACKED", "SHIPPED", "DELIVERED")
_ESCAPES = 7  # every seventh item


@dataclass(frozen=True, slots=True)
class Fill:
    """`records` changes, in rounds over `keys` keys from number `first`.

    A key's first change is an insert; every `remove_every`-th round removes (0: never), and the
    next inserts again. `padding` bytes are added to each image.
    """

    records: int
    keys: int = 1000
    first: int = 0
    remove_every: int = 0
    padding: int = 0

    def __post_init__(self) -> None:
        """Refuse numbers that make no sense."""
        if self.keys < 1 or min(self.records, self.first, self.remove_every, self.padding) < 0:
            raise ValueError("a fill has at least one key, and no negative numbers")

    def changes(self, schema: KeySchema, version: int) -> Iterator[tuple[bool, Attributes]]:
        """Yield (is a removal, item or key); `version` is where this fill starts counting."""
        for index in range(self.records):
            turn, number = divmod(index, self.keys)
            key = made_up_key(schema, self.first + number)
            if self.remove_every and (turn + 1) % self.remove_every == 0:
                yield True, key
            else:
                body = order(self.first + number, version + turn, self.padding)
                yield False, {**key, **{n: v for n, v in body.items() if n not in key}}


def made_up_key(schema: KeySchema, number: int) -> Attributes:
    """Return the primary key of the item with this number."""
    texts = {"S": f"o-{number:08}", "N": str(number), "B": f"{number:08}"}
    return {name: {kind: texts[kind]} for name in schema.names for kind in (schema.types[name],)}


def order(number: int, version: int, padding: int = 0) -> Attributes:
    """Return an order, without its key, as it is after a number of changes."""
    mark = digest(number)
    note = (
        'says "leave it"\n\twith \\ the neighbours and ü'
        if number % _ESCAPES == 0
        else "leave it with the neighbours, please"
    )
    line: AttributeValue = {
        "M": {"sku": {"S": f"sku-{mark[:16]}"}, "quantity": {"N": "2"}, "price": {"N": "19.99"}}
    }
    item: Attributes = {
        "customer": {"S": f"customer-{mark[:16]}"},
        "status": {"S": _STATES[version % len(_STATES)]},
        "amount": {"N": f"{number % 1000}.99"},
        "currency": {"S": "EUR"},
        "version": {"N": str(version)},
        "created": {"S": "2026-11-01T09:30:00.000Z"},
        "updated": {"N": str(1_793_525_400_000 + version)},
        "express": {"BOOL": number % 2 == 0},
        "tags": {"SS": ["checkout", "mobile", f"tag-{mark[:4]}"]},
        "address": {
            "M": {
                "street": {"S": f"Street {number % 97}"},
                "city": {"S": "Frankfurt an der Oder"},
                "zip": {"S": "10243"},
                "country": {"S": "DE"},
            }
        },
        "lines": {"L": [line, line]},
        "note": {"S": note},
        "reference": {"S": mark},
    }
    if padding:
        item["padding"] = {"S": "x" * padding}
    return item
