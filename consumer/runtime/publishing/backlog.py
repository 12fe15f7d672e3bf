"""The backlog: everything read and not settled, with the memory it is allowed.

Ownership: the readers put in, the publisher and the dead letter sender take out; nobody else
touches queue, budget or watermarks. Every method but `reserve` is a plain call: nothing awaits
between looking and deciding.
"""

from __future__ import annotations

import asyncio
from itertools import groupby
from typing import TYPE_CHECKING

from consumer.core.backlog.budget import RESERVATION, ByteBudget
from consumer.core.backlog.queue import KeyOrderedQueue
from consumer.core.backlog.ticket import Ticket, TicketState, cost_of
from consumer.runtime.signal import Signal

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from consumer.core.backlog.watermark import AckWatermark
    from consumer.core.event.event import Event, Unbuildable
    from consumer.observability.metrics import Metrics


class Backlog:
    """Queue, budget and the signal between those who fill and those who empty them."""

    def __init__(self, limit: int, metrics: Metrics) -> None:
        self.queue = KeyOrderedQueue()
        self.budget = ByteBudget(limit)
        self.changed = Signal()  # there may be something new to send
        self._metrics = metrics
        self._turns: dict[str, asyncio.Event] = {}  # who waits for a reservation
        self._listeners: dict[AckWatermark, Callable[[], None]] = {}

    def join(self, watermark: AckWatermark, progressed: Callable[[], None]) -> None:
        """A shard is held: `progressed` is called whenever one of its tickets moves."""
        self.budget.join(watermark.member)
        self._listeners[watermark] = progressed

    def leave(self, watermark: AckWatermark) -> None:
        """A shard is not held any more; its tickets were revoked before."""
        self._listeners.pop(watermark, None)
        self.budget.leave(watermark.member)
        self._grant()

    async def reserve(self, member: str) -> None:
        """Wait for a page's worth of the budget. First come, first served."""
        if self.budget.ask(member):
            return
        turn = self._turns[member] = asyncio.Event()
        try:
            await turn.wait()
        except asyncio.CancelledError:
            if turn.is_set():
                self.free(member, RESERVATION)
            raise
        finally:
            self._turns.pop(member, None)
            self.budget.withdraw(member)

    def reserve_ahead(self, member: str) -> bool:
        """A page's worth for read-ahead, if nobody else waits."""
        return self.budget.ask_ahead(member)

    def free(self, member: str, size: int) -> None:
        """Give back `size` bytes of a shard's reservation."""
        self.budget.adjust(member, -size)
        self._grant()

    def add(
        self,
        watermark: AckWatermark,
        contents: Sequence[tuple[int, Event | Unbuildable]],
        now: float,
        wall: float,
        crowd: float,
    ) -> set[str]:
        """Open tickets for (sequence, content), in order.

        The caller has checked that the shard is still its own. Returns the keys that now have more
        than `crowd` unsettled events.
        """
        size = 0
        crowded: set[str] = set()
        push, opened = self.queue.push, watermark.open
        for sequence, content in contents:
            cost = cost_of(content)
            size += cost
            key = content.ordering_key
            ticket = Ticket(
                content,
                sequence,
                # A record without a readable key can only wait for itself.
                key if key is not None else f"{watermark.member}:{sequence}",
                content.created_at if content.created_at is not None else wall,
                cost,
                watermark,
                now,
            )
            opened(ticket)
            if push(ticket) > crowd:
                crowded.add(ticket.key)
        self.budget.adjust(watermark.member, size)
        self.changed.notify()
        return crowded

    def settle(self, tickets: Iterable[Ticket]) -> None:
        """Nakadi or the dead letter queue has accepted these; each is the head of its key."""
        for watermark, group in groupby(tickets, key=_watermark):
            freed = 0
            for ticket in group:
                freed += ticket.cost
                self.queue.settle(ticket)
                if ticket.state is not TicketState.REVOKED:
                    watermark.settle(ticket)
            self.budget.adjust(watermark.member, -freed)
            self._moved(watermark)
        self._grant()
        self.changed.notify()

    def give_back(self, ticket: Ticket, not_before: float = 0.0) -> None:
        """Return one ticket to the head of its key, to be sent again from `not_before` on."""
        self.queue.give_back(ticket, not_before)
        self._returned(ticket)
        self.changed.notify()

    def put_back(self, tickets: Sequence[Ticket]) -> None:
        """A request failed as a whole: its keys go to the front again."""
        self.queue.put_back(tickets)
        for ticket in tickets:
            self._returned(ticket)
        self.changed.notify()

    def drop(self, watermark: AckWatermark, revoked: Sequence[Ticket]) -> None:
        """Forget revoked tickets; those in flight go when their request ends."""
        if not revoked:
            return
        freed = self.queue.remove(revoked)
        self.budget.adjust(watermark.member, -freed)
        self._grant()
        self.changed.notify()

    def observe(self) -> None:
        """Bring the gauges up to date."""
        self._metrics.queue_events.set(self.queue.events)
        self._metrics.queue_bytes.set(self.budget.used)

    def _returned(self, ticket: Ticket) -> None:
        if ticket.state is TicketState.REVOKED:
            self.budget.adjust(ticket.watermark.member, -ticket.cost)
            self._grant()
        self._moved(ticket.watermark)

    def _moved(self, watermark: AckWatermark) -> None:
        progressed = self._listeners.get(watermark)
        if progressed is not None:
            progressed()

    def _grant(self) -> None:
        for member in self.budget.grants():
            self._turns[member].set()


def _watermark(ticket: Ticket) -> AckWatermark:
    return ticket.watermark
