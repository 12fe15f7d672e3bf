"""Placement: the partition to which an event will go, as far as it is known.

    computed   by the hash rule, from the event type's definition or proven by a 207
    learnt     by key, if there is no rule: an item of a 207 has named the partition

A rule that an item contradicts is given up: the definition has changed, or was misread.
"""

from __future__ import annotations

from sys import getsizeof
from typing import TYPE_CHECKING

from msgspec import Struct

from consumer.core.publishing.partition import HashRule, infer

if TYPE_CHECKING:
    from collections.abc import Sequence

    from consumer.core.backlog.queued_event import QueuedEvent

LEARNT_MAX = 100_000
"""Most keys that are remembered, for all partitions together."""

LEARNT_BYTES = 32 * 1024 * 1024
"""Most memory of these keys, of all event types of a process together; a key may have 3 KB."""

_ENTRY_BYTES = 150
"""Memory of a key's entry in the dictionary, beside that of its text."""


class Partitioning(Struct, frozen=True):
    """How the event type says that it partitions.

    `fields` are its `partition_key_fields`, or a guess at them; `names` those of its partitions,
    empty if unknown. `steady` says whether all events of a key go to the same partition; False
    for the strategy `random`. `in_data`: the fields are inside `data`, which business events lack.
    """

    fields: tuple[str, ...] = ()
    names: tuple[str, ...] = ()
    steady: bool = True
    in_data: bool = True


class Placement:
    """The known partitions of events of one event type; `event_types` share the memory.

    `steady` is that of the Partitioning.
    """

    def __init__(self, partitioning: Partitioning, event_types: int = 1) -> None:
        self._most = LEARNT_BYTES // event_types
        self.steady = partitioning.steady
        self._fields = partitioning.fields
        self._in_data = partitioning.in_data
        self._rule = (
            HashRule.of(partitioning.fields, partitioning.names, in_data=partitioning.in_data)
            if partitioning.fields and partitioning.names
            else None
        )
        self._learnt: dict[str, str] = {}  # key → partition
        self._learnt_bytes = 0

    def of(self, event: QueuedEvent[object]) -> str | None:
        """Return the partition of an event, None if it is not known."""
        if self._rule is not None:
            return self._rule.partition(event.body or b"{}")
        return self._learnt.get(event.key)

    def observe(self, named: Sequence[tuple[QueuedEvent[object], str]]) -> None:
        """Check the rule against the partitions that a 207 has named; find another if it fails."""
        bodies = [(event.body or b"{}", name) for event, name in named]
        if self._rule is None or not self._rule.explains(bodies):
            self._rule = infer(self._fields, bodies, in_data=self._in_data)

    def learn(self, named: Sequence[tuple[QueuedEvent[object], str]]) -> None:
        """Remember the partitions of these events' keys, if there is no rule: they are down."""
        if self._rule is not None:
            return
        for event, name in named:
            if event.key not in self._learnt:
                weight = _weight(event.key)
                if len(self._learnt) >= LEARNT_MAX or self._learnt_bytes + weight > self._most:
                    continue
                self._learnt_bytes += weight
            self._learnt[event.key] = name

    def forget(self, partition: str) -> None:
        """Forget the keys of a partition: its lane is closed."""
        self._learnt = {key: name for key, name in self._learnt.items() if name != partition}
        self._learnt_bytes = sum(map(_weight, self._learnt))


def _weight(key: str) -> int:
    """Return the bytes of memory that are used to remember a key."""
    return getsizeof(key) + _ENTRY_BYTES
