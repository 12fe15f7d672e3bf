"""The backlog: everything that was read and is not settled, with a budget of memory.

Ownership: readers add records; outlets and the dead letter sender report what has happened to their
events. It keeps the budget and settles tickets in the watermarks of the shards. Every method but
`reserve` is a plain call, with no await between a check and what depends on it.
"""

from __future__ import annotations

import asyncio
from itertools import groupby
from operator import attrgetter
from typing import TYPE_CHECKING, NamedTuple

from msgspec import Struct
from msgspec.structs import replace

from consumer.core.backlog.budget import ByteBudget
from consumer.core.backlog.queued_event import EventState, QueuedEvent
from consumer.core.backlog.ticket import Ticket
from consumer.core.dead_letters.letter_making import is_of_no_route
from consumer.core.routes.unseen_paths import UnseenPaths
from consumer.observability.publishing_metrics import PublishingMetrics

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from consumer.core.backlog.tenure import Tenure
    from consumer.core.backlog.watermark import AckWatermark
    from consumer.core.event.event import Event, Unbuildable
    from consumer.core.reports.status import EventTypeStatus
    from consumer.observability.metrics import Metrics
    from consumer.runtime.publishing.outlet import Outlet


class RecordEvents(Struct, frozen=True):
    """A record to be published: its sequence number, and an event for each outlet.

    `created_at` is the change's time in epoch seconds.
    """

    sequence: int
    created_at: float
    events: Sequence[tuple[Outlet[Ticket], Event | Unbuildable]]


_tenure = attrgetter("of.tenure")


class _Shard(NamedTuple):
    watermark: AckWatermark
    progressed: Callable[[], None]


class Backlog:
    """Budget, tickets, and the signals between readers and outlets.

    `limit` is the budget in bytes.
    """

    def __init__(self, limit: int, metrics: Metrics) -> None:
        self.budget = ByteBudget(limit)
        self.paths = UnseenPaths()
        self.outlets: dict[str, Outlet[Ticket]] = {}
        self._metrics = metrics
        self._publishing: dict[str, PublishingMetrics] = {}
        self._turns: dict[str, asyncio.Event] = {}  # members that wait for a reservation
        self._shards: dict[Tenure, _Shard] = {}

    def add_outlet(self, outlet: Outlet[Ticket]) -> None:
        """Add an outlet, to which events may go from now on."""
        self.outlets[outlet.name] = outlet
        self._publishing[outlet.name] = PublishingMetrics(self._metrics, outlet.name)
        self.paths.watch(outlet.event_type.route)

    @property
    def events(self) -> int:
        """The number of events in the queues of all outlets."""
        return sum(outlet.queue.events for outlet in self.outlets.values())

    def join(self, watermark: AckWatermark, progressed: Callable[[], None]) -> None:
        """Add a shard. `progressed` is called after its events were settled or given back."""
        self.budget.join(watermark.tenure.member)
        self._shards[watermark.tenure] = _Shard(watermark, progressed)

    def leave(self, watermark: AckWatermark) -> None:
        """Remove a shard, whose tickets must have been revoked before."""
        self._shards.pop(watermark.tenure, None)
        self.budget.leave(watermark.tenure.member)
        self._grant()

    async def reserve(self, member: str, size: int) -> None:
        """Wait until `size` bytes for a page are reserved. First come, first served."""
        if self.budget.ask(member, size):
            return
        turn = self._turns[member] = asyncio.Event()
        try:
            await turn.wait()
        except asyncio.CancelledError:
            if turn.is_set():
                self.free(member, size)
            raise
        finally:
            self._turns.pop(member, None)
            self.budget.withdraw(member)
            self._grant()  # one that needs less may have waited behind it

    def reserve_more(self, member: str, size: int) -> bool:
        """Reserve `size` bytes more, if no member waits. Return whether they were reserved."""
        return self.budget.ask_more(member, size)

    def exceed(self, member: str, size: int) -> None:
        """Count `size` bytes more, whether the budget has them or not."""
        self.budget.adjust(member, size)

    def free(self, member: str, size: int) -> None:
        """Give back `size` bytes of a shard's reservation."""
        self.budget.adjust(member, -size)
        self._grant()

    def add(
        self,
        watermark: AckWatermark,
        contents: Sequence[RecordEvents],
        now: float,
        hot_key_limits: Mapping[str, float],
    ) -> set[tuple[str, str]]:
        """Open a ticket for each of `contents`, in order, and queue its events.

        The caller has checked that it still holds the shard. `now` is in seconds of the injected
        clock. Return (event type, key) of those keys that now have more unsettled events than
        `hot_key_limits` allows for their event type.
        """
        size = 0
        crowded: set[tuple[str, str]] = set()
        tenure = watermark.tenure
        fresh: dict[str, list[QueuedEvent[Ticket]]] = {name: [] for name in self.outlets}
        for record in contents:
            sequence, created_at = record.sequence, record.created_at
            ticket = Ticket(sequence, created_at, tenure)
            events: list[QueuedEvent[Ticket]] = []
            for outlet, content in record.events:
                key = content.ordering_key
                if key is None:  # a record whose key cannot be read has a queue of its own
                    key = f"{tenure.member}:{sequence}"
                event = QueuedEvent(ticket, content, outlet.name, key, created_at, now)
                size += event.cost
                events.append(event)
                fresh[outlet.name].append(event)
            ticket.carry(tuple(events))
            watermark.open(ticket)
        self.budget.adjust(tenure.member, size)
        for name, pushed in fresh.items():
            if not pushed:
                continue
            outlet, limit = self.outlets[name], hot_key_limits[name]
            push = outlet.queue.push
            crowded |= {(name, event.key) for event in pushed if push(event) > limit}
            outlet.taken += len(pushed)
            self._publishing[name].records_taken.inc(len(pushed))
            outlet.changed.notify()
        return crowded

    def settled(self, events: Sequence[QueuedEvent[Ticket]]) -> None:
        """Settle events that have left their queues: Nakadi or the dead letter queue has them."""
        for tenure, run in groupby(events, key=_tenure):
            settled, shard = [*run], self._shards.get(tenure)
            if shard is not None:
                for event in settled:
                    shard.watermark.settle_event(event)
            self.budget.adjust(tenure.member, -sum([event.cost for event in settled]))
            if shard is not None:
                shard.progressed()
        self._grant()

    def returned(self, event: QueuedEvent[Ticket]) -> None:
        """Take note that an event is back in its queue, or has left it because it was revoked."""
        tenure = event.of.tenure
        if event.state is EventState.REVOKED:
            self.budget.adjust(tenure.member, -event.cost)
            self._grant()
        shard = self._shards.get(tenure)
        if shard is not None:
            shard.progressed()

    def drop(self, watermark: AckWatermark, revoked: Sequence[Ticket]) -> None:
        """Remove the events of revoked tickets; one in flight is removed when its request ends."""
        if not revoked:
            return
        events: dict[str, list[QueuedEvent[Ticket]]] = {}
        for ticket in revoked:
            for event in ticket.events:
                events.setdefault(event.event_type, []).append(event)
            ticket.events = ()
        freed = sum(self.outlets[name].remove(removed) for name, removed in events.items())
        self.budget.adjust(watermark.tenure.member, -freed)
        self._grant()

    def statuses(self, wall: float) -> tuple[EventTypeStatus, ...]:
        """Return what `/status` shows of each event type. `wall` is in epoch seconds."""
        return tuple(
            replace(outlet.status(wall), unseen_paths=self.paths.of(name))
            for name, outlet in self.outlets.items()
        )

    def awaits(self, watermark: AckWatermark) -> bool:
        """Return whether a drain of the shard has to wait for what is unsettled in it.

        An event type that is stopped or backs off is waited for only if it is the only one, or
        while an event of the shard is in flight to it: the mark tells the next owner of the rest.
        Records that cannot be read, and wait because there are too many, are not waited for.
        """
        for name in watermark.behind:
            outlet = self.outlets[name]
            if outlet.publishes or len(self.outlets) == 1:
                if not all(self._waits_unread(event) for event in watermark.chains[name]):
                    return True
            elif any(event.of.tenure is watermark.tenure for event in outlet.queue.in_flight()):
                return True
        return False

    def held_back_by(self, watermark: AckWatermark, *, waits: bool) -> tuple[str, ...]:
        """Return the event types, sorted, that hold a shard back.

        They have unsettled events of it and are stopped or back off; if the shard `waits`, also
        those of its oldest record.
        """
        held = {name for name in watermark.behind if not self.outlets[name].publishes}
        if waits and watermark.head is not None:
            held |= {
                event.event_type for event in watermark.head.events if not self._waits_unread(event)
            }
        return tuple(sorted(held))

    def unread_at(self, watermark: AckWatermark) -> int | None:
        """Return the number of the shard's oldest record if it waits because it cannot be read."""
        head = watermark.head
        if head is None or not any(self._waits_unread(event) for event in head.events):
            return None
        return head.sequence

    def observe(self, wall: float) -> None:
        """Set the gauges of the backlog and of each event type. `wall` is in epoch seconds."""
        self._metrics.queue_bytes.set(self.budget.used)
        self._metrics.queue_limit_bytes.set(self.budget.limit)
        for name, outlet in self.outlets.items():
            metrics, status = self._publishing[name], outlet.status(wall)
            metrics.unseen_paths.set(len(self.paths.of(name)))
            metrics.in_state(status.state)
            metrics.partition_lanes.set(len(outlet.event_type.lanes))
            metrics.queue_events.set(status.waiting_events)
            metrics.oldest_event_seconds.set(status.oldest_event_seconds or 0.0)

    def _waits_unread(self, event: QueuedEvent[Ticket]) -> bool:
        """Return whether it is a record that cannot be read, and was refused as a dead letter."""
        return (
            event.postponed > 0
            and event.state is EventState.QUEUED
            and is_of_no_route(event.content, self.outlets[event.event_type].event_type.route)
        )

    def _grant(self) -> None:
        for member in self.budget.grants():
            self._turns[member].set()
