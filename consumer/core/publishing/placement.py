"""Placement: which partition an event will go to, as far as that is known.

    computed   by the hash rule: from the event type's definition, or found in a 207 that proves it
    learnt     by key, where nothing can be computed: an item of a 207 has named the partition

An item that contradicts the rule ends it: the definition was changed, or was not what it seemed.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from consumer.core.publishing.partition import HashRule, infer

if TYPE_CHECKING:
    from collections.abc import Sequence

    from consumer.core.backlog.queued_event import QueuedEvent

LEARNT_MAX = 100_000
"""Most keys remembered for all partitions together."""


@dataclass(frozen=True, slots=True)
class Partitioning:
    """How the event type says that it partitions.

    `fields` are its `partition_key_fields`, or what they probably are; `names` those of its
    partitions, empty if unknown. `steady`: events of a key go where those before them went, as far
    as anybody knows; not so with the strategy `random`.
    """

    fields: tuple[str, ...] = ()
    names: tuple[str, ...] = ()
    steady: bool = True


class Placement:
    """What is known now. `steady` as the event type's definition says."""

    def __init__(self, partitioning: Partitioning) -> None:
        self.steady = partitioning.steady
        self._fields = partitioning.fields
        self._rule = (
            HashRule.of(partitioning.fields, partitioning.names)
            if partitioning.fields and partitioning.names
            else None
        )
        self._learnt: dict[str, str] = {}  # key → partition

    def of(self, event: QueuedEvent[object]) -> str | None:
        """The partition of its event, None if it is not known."""
        if self._rule is not None:
            return self._rule.partition(event.body or b"{}")
        return self._learnt.get(event.key)

    def observe(self, named: Sequence[tuple[QueuedEvent[object], str]]) -> None:
        """A 207 has named the partitions of these."""
        bodies = [(event.body or b"{}", name) for event, name in named]
        if self._rule is None or not self._rule.explains(bodies):
            self._rule = infer(self._fields, bodies)

    def learn(self, named: Sequence[tuple[QueuedEvent[object], str]]) -> None:
        """Remember where these went: their partition is down."""
        if self._rule is None:
            room = max(0, LEARNT_MAX - len(self._learnt))
            self._learnt.update((event.key, name) for event, name in named[:room])

    def forget(self, partition: str) -> None:
        """It is not down any more: nobody asks for its keys."""
        self._learnt = {key: name for key, name in self._learnt.items() if name != partition}
