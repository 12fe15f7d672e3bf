"""The partition of an event by Nakadi's strategy `hash`.

Nakadi adds up the Java hash codes of the texts of `partition_key_fields` in 32 bits; the absolute
remainder of the sum is the index of a partition in their names, sorted as strings. For category
`data` the fields are looked up inside `data`, for `business` in the event itself.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

import orjson
from msgspec import Struct

if TYPE_CHECKING:
    from collections.abc import Iterable

ENOUGH = 2
"""A rule found from answers is used if it explains this many events for each partition."""


def java_hash(text: str) -> int:
    """Return Java's `String.hashCode()`, over UTF-16 code units, as an unsigned 32-bit number."""
    code = 0
    if text.isascii():
        for unit in text.encode():
            code = (31 * code + unit) & 0xFFFFFFFF
        return code
    units = text.encode("utf-16-be", "surrogatepass")
    for high, low in zip(units[::2], units[1::2], strict=True):
        code = (31 * code + (high << 8 | low)) & 0xFFFFFFFF
    return code


class HashRule(Struct, frozen=True):
    """The rule of one event type.

    `fields` are paths inside `data`, or with `in_data` false inside the event; `names` are the
    partitions' names, sorted as strings.
    """

    fields: tuple[tuple[str, ...], ...]
    names: tuple[str, ...]
    in_data: bool = True

    @classmethod
    def of(cls, fields: Iterable[str], names: Iterable[str], *, in_data: bool = True) -> Self:
        """Make it from `partition_key_fields` (dotted, without `data.`) and names in any order."""
        paths = tuple(tuple(field.split(".")) for field in fields)
        return cls(paths, tuple(sorted(names)), in_data)

    def partition(self, body: bytes) -> str | None:
        """Return the partition of an event, None if it cannot be known.

        That is so if a field is missing, or is neither text nor a whole number: how Java prints
        other values depends on the server.
        """
        total = 0
        event = orjson.loads(body)
        data: object = event.get("data") if self.in_data else event
        for path in self.fields:
            value = data
            for name in path:
                value = value.get(name) if isinstance(value, dict) else None
            if isinstance(value, int) and not isinstance(value, bool):
                value = str(value)
            if not isinstance(value, str):
                return None
            total += java_hash(value)
        total &= 0xFFFFFFFF
        # Java's % keeps the sign, so abs(total % n) is abs(total) % n.
        return self.names[min(total, 0x100000000 - total) % len(self.names)]

    def explains(self, named: Iterable[tuple[bytes, str]]) -> bool:
        """Return whether no pair (event, partition) contradicts the rule."""
        return all(self.partition(body) in (name, None) for body, name in named)


MOST_DIGITS = 9
"""A partition with a longer name is not taken for a numbered one."""


def infer(
    fields: tuple[str, ...], named: list[tuple[bytes, str]], *, in_data: bool = True
) -> HashRule | None:
    """Return the rule by which these events went to these partitions, None unless they prove it.

    Partitions are named "0", "1", …; their number is taken from the highest name in `named`.
    """
    names = {name for _, name in named}
    if not fields or not names or not all(map(_is_number, names)):
        return None
    count = max(int(name) for name in names) + 1
    if len(named) < ENOUGH * count:
        return None
    rule = HashRule.of(fields, map(str, range(count)), in_data=in_data)
    told = [(rule.partition(body), name) for body, name in named]
    proven = all(ours == name for ours, name in told)
    return rule if proven else None


def _is_number(name: str) -> bool:
    return name.isascii() and name.isdigit() and len(name) <= MOST_DIGITS
