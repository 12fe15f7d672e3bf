"""The dead letter sender: what can never be published goes to the queue before it is acked.

Ownership: one task owns every ticket given to `accept` and every doomed head of the backlog until
the queue has accepted its letter. While the queue is down only the keys of these tickets wait.
Without a queue a refused event blocks its own key: it is tried again now and then, and said so.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import structlog

from consumer.core.backlog.ticket import TicketState
from consumer.core.backoff import full_jitter
from consumer.core.dead_letters.dead_letter import DeadLetter
from consumer.core.event.event import Unbuildable
from consumer.core.publishing.settlement import Refused
from consumer.errors import Retryable
from consumer.runtime.signal import Signal

if TYPE_CHECKING:
    from collections.abc import Sequence

    from consumer.core.backlog.ticket import Ticket
    from consumer.core.leases.fence import Fence
    from consumer.core.limits import PublishLimits
    from consumer.observability.metrics import Metrics
    from consumer.ports import Chance, Clock, DeadLetterQueue
    from consumer.runtime.publishing.backlog import Backlog
    from consumer.runtime.publishing.event_type import EventType

log = structlog.get_logger()

LETTERS = 10
"""SQS takes at most ten messages a call."""

PAUSE = 0.5
PAUSE_MAX = 20.0
"""First and longest wait after a failed call, in seconds; doubling, full jitter."""

EXPIRED = "expired"
"""Older than `max_record_age`: says nothing about the event, so the limit does not count it."""

LOOK = 1.0
"""Seconds between looks at the backlog's doomed heads."""


class DeadLetterSender:
    """Letters on their way. Bounded by the backlog's budget: each holds a ticket of it."""

    def __init__(
        self,
        *,
        port: DeadLetterQueue | None,
        backlog: Backlog,
        event_type: EventType,
        fence: Fence,
        limits: PublishLimits,
        clock: Clock,
        chance: Chance,
        metrics: Metrics,
    ) -> None:
        self._port = port
        self._backlog = backlog
        self._event_type = event_type
        self._fence = fence
        self._limits = limits
        self._clock = clock
        self._chance = chance
        self._metrics = metrics
        self._letters: list[tuple[Ticket, Refused]] = []
        self._changed = Signal()
        self._stopping = False
        self._failures = 0

    def accept(self, ticket: Ticket, refused: Refused) -> None:
        """Take over a ticket in flight."""
        if self._port is None:
            self._block(ticket, refused)
            return
        if refused.reason != EXPIRED and not self._event_type.may_refuse(ticket.postponed):
            ticket.postponed += 1
            self._backlog.give_back(ticket, self._clock.now() + self._limits.probe)
            return
        self._letters.append((ticket, refused))
        self._changed.notify()

    def stop(self) -> None:
        """End the task; what it still holds is revoked with its shards."""
        self._stopping = True
        self._changed.notify()

    async def run(self) -> None:
        """Send letters until stopped."""
        while not self._stopping:
            self._collect()
            if not self._letters:
                await self._changed.wait(LOOK)
            elif not await self._send():
                self._failures += 1
                pause = full_jitter(self._failures, PAUSE, PAUSE_MAX, self._chance.random())
                await self._clock.sleep(max(pause, PAUSE / 10))
            else:
                self._failures = 0

    def _collect(self) -> None:
        """Take over doomed heads."""
        while len(self._letters) < LETTERS:
            ticket = self._backlog.queue.take_doomed()
            if ticket is None:
                return
            content = ticket.content
            if isinstance(content, Unbuildable):
                self.accept(ticket, Refused(content.reason, content.detail))

    def _block(self, ticket: Ticket, refused: Refused) -> None:
        log.error(
            "key_blocked",
            shard=ticket.watermark.shard_id,
            sequence=ticket.sequence,
            reason=refused.reason,
            action="this event can never be published and no dead letter queue is configured: "
            "its key, and the shard's checkpoint, wait; set CONSUMER_DEAD_LETTER_QUEUE_URL",
        )
        self._backlog.give_back(ticket, self._clock.now() + self._limits.probe)

    async def _send(self) -> bool:
        """One call with up to ten letters, after a failure with one; True if all were accepted.

        So a letter that the queue will never take holds up no other for long.
        """
        if self._port is None:
            return True
        batch = self._sendable()
        if not batch:
            return True
        letters = [self._letter(ticket, refused) for ticket, refused in batch]
        try:
            accepted: Sequence[bool] = await self._port.send(letters)
        except Retryable as error:
            log.warning(
                "dead_letter_queue_fails",
                reason=error.reason,
                letters=len(batch),
                action="only the keys of these events wait; tried again until it answers",
            )
            accepted = [False] * len(batch)
        self._letters = self._letters[len(batch) :]
        for (ticket, refused), done in zip(batch, accepted, strict=True):
            if done:
                self._metrics.dead_letters.labels(reason=refused.reason).inc()
                self._backlog.settle([ticket])
            else:
                self._letters.append((ticket, refused))  # those behind it get their turn
        return all(accepted)

    def _sendable(self) -> list[tuple[Ticket, Refused]]:
        """The first letters whose shard is still ours; the others free their key."""
        fenced = self._fence.holds(self._clock.now(), self._fence.epoch)
        kept: list[tuple[Ticket, Refused]] = []
        for ticket, refused in self._letters:
            if (
                not fenced
                or ticket.state is TicketState.REVOKED
                or ticket.watermark.epoch != self._fence.epoch
            ):
                self._backlog.give_back(ticket)
            else:
                kept.append((ticket, refused))
        self._letters = kept
        return kept[: 1 if self._failures else LETTERS]

    def _letter(self, ticket: Ticket, refused: Refused) -> DeadLetter:
        content = ticket.content
        return DeadLetter(
            reason=refused.reason,
            detail=refused.detail,
            event_type=self._event_type.name,
            stream_arn=ticket.watermark.stream_arn,
            shard_id=ticket.watermark.shard_id,
            sequence=content.sequence,
            eid=content.eid,
            ordering_key=content.ordering_key,
            attempts=ticket.attempts,
            first_attempt=ticket.first_attempt,
            last_attempt=ticket.last_attempt,
            event=content.body,
            record=content.record if isinstance(content, Unbuildable) else None,
        )
