"""The names of a table's key attributes, as far as its records tell them.

A record has its keys, but not which of two is the partition key.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from consumer.core.event.attribute import decode_item
from consumer.core.event.malformed import MalformedItem
from consumer.core.stream.record import StreamRecord

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from consumer.core.stream.record import MalformedRecord


def names_in(records: Iterable[StreamRecord | MalformedRecord]) -> tuple[str, ...]:
    """Return the names of the keys of the first record that can be read; empty if none can."""
    for record in records:
        if isinstance(record, StreamRecord):
            try:
                return tuple(decode_item(record.keys))
            except (MalformedItem, RecursionError):
                continue
    return ()


def key_schema(
    names: tuple[str, ...], ordering_keys: Sequence[tuple[str, ...]]
) -> tuple[str, ...] | None:
    """Return the key attributes, the partition key first; None if the stream has to be asked.

    `ordering_keys` are those that the routes were given, empty where they were given none. The
    partition key is in each of them; where the sort key is, too, it does not matter which is which.
    """
    if len(names) == 1:
        return names
    if len(names) != 2 or not all(ordering_keys):
        return None
    shared = [name for name in names if all(name in each for each in ordering_keys)]
    first = shared[0] if shared else names[0]
    return (first, *(name for name in names if name != first))
