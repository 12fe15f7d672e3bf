"""Which partition of its event type an event goes to, by Nakadi's strategy `hash`.

Source: the strategy's rule. The Java hash codes of the texts of `partition_key_fields` are added up
in 32 bits; the sum's absolute remainder picks one of the partitions' names, sorted as strings. For
category `data` the fields are looked up inside `data`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

import orjson

if TYPE_CHECKING:
    from collections.abc import Iterable

ENOUGH = 2
"""A rule found by trying is believed when it explains this many events for each partition."""


def java_hash(text: str) -> int:
    """`String.hashCode()` before the sign is looked at: over UTF-16 code units, below 2^32."""
    code = 0
    if text.isascii():
        for unit in text.encode():
            code = (31 * code + unit) & 0xFFFFFFFF
        return code
    units = text.encode("utf-16-be", "surrogatepass")
    for high, low in zip(units[::2], units[1::2], strict=True):
        code = (31 * code + (high << 8 | low)) & 0xFFFFFFFF
    return code


@dataclass(frozen=True, slots=True)
class HashRule:
    """`fields` are paths inside `data`, `names` the partitions' names, sorted as strings."""

    fields: tuple[tuple[str, ...], ...]
    names: tuple[str, ...]

    @classmethod
    def of(cls, fields: Iterable[str], names: Iterable[str]) -> Self:
        """From `partition_key_fields` (dotted, without `data.`) and names in any order."""
        return cls(tuple(tuple(field.split(".")) for field in fields), tuple(sorted(names)))

    def partition(self, body: bytes) -> str | None:
        """The partition of an event, None if that cannot be told.

        A field that is missing, or neither text nor a whole number: how Java prints others depends
        on the server.
        """
        total = 0
        data: object = orjson.loads(body).get("data")
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
        """Are these (event, partition) all as the rule says, or such as it cannot tell?"""
        return all(self.partition(body) in (name, None) for body, name in named)


def infer(fields: tuple[str, ...], named: list[tuple[bytes, str]]) -> HashRule | None:
    """The rule by which these events came to these partitions, None unless they prove one.

    Partitions are named "0", "1", …; the highest that is named says how many there are.
    """
    names = {name for _, name in named}
    if not fields or not names or not all(name.isascii() and name.isdigit() for name in names):
        return None
    count = max(int(name) for name in names) + 1
    if len(named) < ENOUGH * count:
        return None
    rule = HashRule.of(fields, map(str, range(count)))
    told = [(rule.partition(body), name) for body, name in named]
    proven = all(ours == name for ours, name in told)
    return rule if proven else None
