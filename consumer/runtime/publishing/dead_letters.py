"""The dead letter sender: sends events that can never be published to the dead letter queue.

Ownership: one task owns every event given to `accept`, and every head that can never be published,
until the queue has accepted its letter; then the event is settled. While the queue is down, only
the keys of these events wait. Without a queue, a refused event blocks its own key: it is tried
again every `probe` seconds, and logged.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import structlog

from consumer.core.backlog.queue import DEAD_LETTER
from consumer.core.backlog.ticket import is_ours
from consumer.core.backoff import Backoff
from consumer.core.dead_letters.dead_letter import DeadLetter
from consumer.core.dead_letters.letter_making import filled, is_of_no_route
from consumer.core.event.event import Unbuildable
from consumer.core.publishing.reaction import EXPIRED, Refused
from consumer.errors import Retryable
from consumer.runtime.publishing.unreadable_records import UnreadableRecords
from consumer.runtime.signal import Signal

if TYPE_CHECKING:
    from collections.abc import Sequence

    from consumer.core.backlog.queued_event import QueuedEvent
    from consumer.core.backlog.ticket import SendingLimit, Ticket
    from consumer.core.routes.route import Route
    from consumer.ports import DeadLetterQueue
    from consumer.runtime.instruments import Instruments
    from consumer.runtime.publishing.backlog import Backlog
    from consumer.runtime.publishing.outlet import Outlet

log = structlog.get_logger()

LETTERS = 10
"""SQS takes at most ten messages a call."""

PAUSE = 0.5
PAUSE_MAX = 20.0
"""First and longest wait after a failed call, in seconds; doubling, full jitter."""

LOOK = 1.0
"""Seconds between two checks for heads that can never be published."""


class DeadLetterSender:
    """Sends letters. The backlog's budget bounds them: each letter holds an event of it.

    `unreadable` is the limit of records that cannot be read; it may outlast this sender. `calling`
    says that a call to the queue is under way.
    """

    def __init__(
        self,
        port: DeadLetterQueue | None,
        backlog: Backlog,
        fence: SendingLimit,
        instruments: Instruments,
        unreadable: UnreadableRecords | None = None,
    ) -> None:
        self._port = port
        self._backlog = backlog
        self._fence = fence
        self._clock = instruments.clock
        self._chance = instruments.chance
        self._metrics = instruments.metrics
        self._conditions = instruments.conditions
        self._letters: list[tuple[QueuedEvent[Ticket], Refused]] = []
        self._called = Signal()
        self._stopping = False
        self._backoff = Backoff(PAUSE, PAUSE_MAX)
        self.unreadable = unreadable or UnreadableRecords(instruments)
        self.calling = False

    @property
    def waiting(self) -> int:
        """How many letters the queue has not accepted yet."""
        return len(self._letters)

    def accept(self, event: QueuedEvent[Ticket], refused: Refused) -> None:
        """Take over a refused event that is in flight."""
        outlet = self._outlet(event)
        if self._port is None:
            self._block(event, refused, outlet)
            return
        if not self._may_become_a_letter(event, refused, outlet):
            event.postponed += 1
            outlet.give_back(event, self._clock.now() + outlet.limits.probe)
            return
        self._letters.append((event, refused))
        self._called.notify()

    def unblocked(self, events: Sequence[QueuedEvent[Ticket]]) -> None:
        """Take note that Nakadi has stored events: a key may be blocked no longer."""
        self.unreadable.stored(events)
        if self._conditions.holds("key_blocked"):
            for event in events:
                shard_id, sequence = event.of.tenure.shard_id, event.of.sequence
                self._conditions.over("key_blocked", shard=shard_id, sequence=sequence)

    def stop(self) -> None:
        """End the task. The events that it still holds are revoked with their shards."""
        self._stopping = True
        self._called.notify()

    async def run(self) -> None:
        """Send letters until stopped."""
        while not self._stopping:
            self._collect()
            if not self._letters:
                await self._called.wait(LOOK)
            elif not await self._send():
                pause = self._backoff.next(self._chance.random())
                await self._clock.sleep(max(pause, PAUSE / 10))
            else:
                self._backoff.reset()

    def _outlet(self, event: QueuedEvent[Ticket]) -> Outlet[Ticket]:
        return self._backlog.outlets[event.event_type]

    def _may_become_a_letter(
        self, event: QueuedEvent[Ticket], refused: Refused, outlet: Outlet[Ticket]
    ) -> bool:
        """Return whether the limit of dead letters allows one more; a record has its own.

        What has waited too long would become one in any case, so the limit is not asked.
        """
        if is_of_no_route(event.content, outlet.event_type.route):
            return self.unreadable.may_go(event, outlet.limits)
        expired = event.created_at < outlet.limits.expired_before(self._clock.wall())
        if expired or refused.reason == EXPIRED:
            return True
        return outlet.event_type.may_refuse(event.postponed)

    def _collect(self) -> None:
        """Take over heads that can never be published."""
        now = self._clock.now()
        for outlet in self._backlog.outlets.values():
            while len(self._letters) < LETTERS:
                taken = outlet.queue.take(DEAD_LETTER, now, events=1, size=0)
                if not taken:
                    break
                content = taken[0].content
                if isinstance(content, Unbuildable):
                    self.accept(taken[0], Refused(content.reason, content.detail))

    def _block(self, event: QueuedEvent[Ticket], refused: Refused, outlet: Outlet[Ticket]) -> None:
        event.postponed += 1
        self._conditions.error(
            "key_blocked",
            shard=event.of.tenure.shard_id,
            sequence=event.of.sequence,
            reason=refused.reason,
            action="set CONSUMER_DEAD_LETTER_QUEUE_URL, or correct what makes Nakadi refuse the "
            "event; until then its key, and the shard's checkpoint, wait",
        )
        outlet.give_back(event, self._clock.now() + outlet.limits.probe)

    async def _send(self) -> bool:
        """Make one call with up to ten letters. Return whether all were accepted.

        After a failure a call has one letter, so that one that is never accepted does not hold up
        the others for long.
        """
        if self._port is None:
            return True
        batch = self._sendable()
        if not batch:
            return True
        routes = [outlet.event_type.route for outlet in self._backlog.outlets.values()]
        letters = [
            _letter(event, refused, self._outlet(event).event_type.route, routes)
            for event, refused in batch
        ]
        self.calling = True
        try:
            accepted: Sequence[bool] = await self._port.send(letters)
        except Retryable as error:
            self._conditions.failed(
                "dead_letter_queue_fails",
                error,
                letters=len(batch),
                action="nothing; the letters are sent again until it answers, and only their keys "
                "wait. If this lasts, run `consumer check`",
            )
            accepted = [False] * len(batch)
        else:
            self._conditions.over("dead_letter_queue_fails")
        finally:
            self.calling = False
        self._letters = self._letters[len(batch) :]
        for (event, refused), letter, done in zip(batch, letters, accepted, strict=True):
            if done:
                _tell_if_empty(letter)
                counted = {"event_type": letter.event_type, "reason": refused.reason}
                self._metrics.dead_letters.labels(**counted).inc()
                self._outlet(event).discard(event)
                self._backlog.settled([event])
            else:
                self._letters.append((event, refused))  # to the end: others come first
        return all(accepted)

    def _sendable(self) -> list[tuple[QueuedEvent[Ticket], Refused]]:
        """Return the letters to send now. Give back the events that may not be sent any more."""
        now = self._clock.now()
        kept: list[tuple[QueuedEvent[Ticket], Refused]] = []
        for event, refused in self._letters:
            if is_ours(event, self._fence, now):
                kept.append((event, refused))
            else:
                self._outlet(event).give_back(event)
        self._letters = kept
        return kept[: 1 if self._backoff.failures else LETTERS]


def _tell_if_empty(letter: DeadLetter) -> None:
    """Log that a letter holds nothing of its record, so that no redrive can publish it."""
    if letter.truncated:
        log.error(
            "letter_without_record",
            shard=letter.shard_id,
            sequence=letter.sequence,
            route=letter.route,
            reason=letter.reason,
            detail=letter.detail,
            action="find out which item was written at that time, and write it again: nothing of "
            "its record is kept, because what a route leaves out cannot be told from the rest",
        )


def _letter(
    event: QueuedEvent[Ticket], refused: Refused, route: Route, routes: Sequence[Route]
) -> DeadLetter:
    content, tenure = event.content, event.of.tenure
    blank = DeadLetter(
        reason=refused.reason,
        detail=refused.detail,
        event_type=event.event_type,
        stream_arn=tenure.stream_arn,
        shard_id=tenure.shard_id,
        sequence=content.sequence,
        eid=content.eid,
        ordering_key=None,
        attempts=event.attempts,
        first_attempt=event.first_attempt,
        last_attempt=event.last_attempt,
        event=None,
        record=None,
    )
    return filled(blank, content, route, routes)
