"""Signs of life: when partitions stored events, for the question whether an event alone fails.

A try counts against an event only if its partition has stored something since the try before, in
whatever request: then the partition is not down, and the event may be the cause. Partitions of
stored events are computed only while such a sign is awaited.

The times are those at which the requests were sent, so what was stored before is never taken for
what was stored since.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Container, Iterable

    from consumer.core.backlog.queued_event import QueuedEvent
    from consumer.core.publishing.placement import Placement

PARTITIONS_MAX = 1_000
"""Most partitions that are awaited, and most of which a sign is remembered."""

NEVER = float("-inf")


class SignsOfLife:
    """Signs of one event type.

    `stored_at` is when the newest request was sent of which an event was stored. `outage_at` is
    when a request last failed as a whole, those of events left out that fail alone.
    """

    def __init__(self, placement: Placement) -> None:
        self._placement = placement
        self.stored_at = NEVER
        self.outage_at = NEVER
        self._awaited: dict[str, float] = {}  # partition → when an event of it failed last
        self._seen: dict[str, float] = {}  # partition → when its newest sign was sent

    def failed(self, partition: str, now: float) -> None:
        """Await a sign of a partition: one of its events has failed."""
        if partition in self._awaited or len(self._awaited) < PARTITIONS_MAX:
            self._awaited[partition] = now

    def stored_in(self, partition: str, sent_at: float) -> None:
        """Take note that a partition stored an event of a request that was sent at `sent_at`."""
        self.stored_at = max(self.stored_at, sent_at)
        if sent_at < self._awaited.get(partition, NEVER):
            return
        self._awaited.pop(partition, None)
        if partition in self._seen or len(self._seen) < PARTITIONS_MAX:
            self._seen[partition] = max(sent_at, self._seen.get(partition, NEVER))

    def stored(
        self, events: Iterable[QueuedEvent[object]], sent_at: float, lanes: Container[str]
    ) -> None:
        """Take note that events were stored, whose partitions are not named by the answer.

        `lanes` are partitions whose events travel apart: there is no sign of them here.
        """
        self.stored_at = max(self.stored_at, sent_at)
        awaited = {
            name for name, at in self._awaited.items() if at <= sent_at and name not in lanes
        }
        for event in events:
            if not awaited:
                return
            name = self._placement.of(event)
            if name in awaited:
                self.stored_in(name, sent_at)
                awaited.discard(name)

    def stored_since(self, partition: str, since: float) -> bool:
        """Return whether a partition has stored something since then."""
        return since > NEVER and self._seen.get(partition, NEVER) >= since

    def lives(self, event: QueuedEvent[object], since: float) -> bool:
        """Return whether the partition of an event has stored something since then.

        It is unknown in which partition an event comes that may go to any: all of them count.
        """
        if not self._placement.steady:
            return self.anything_stored_since(since)
        name = self._placement.of(event)
        return name is not None and self.stored_since(name, since)

    def anything_stored_since(self, since: float) -> bool:
        """Return whether any event has been stored since then."""
        return since > NEVER and self.stored_at >= since
