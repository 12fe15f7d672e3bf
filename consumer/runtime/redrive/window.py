"""The sending of a window of dead letters, until each is accepted or refused.

Ownership: it is the origin of these events. Its outlet sends them as that of the service does, the
events of a key one after the other, by sequence. A refused one stays in the queue and does not hold
up the others, as when it became a dead letter. Meanwhile this task deletes the accepted messages,
keeps the others hidden, and decides when the run must end. Nothing is sent while a message could
become visible to others before the request has ended.
"""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING

import structlog

from consumer.core.backlog.queued_event import QueuedEvent
from consumer.core.dead_letters.redrive import RedriveOutcome
from consumer.core.publishing.flow import FlowState
from consumer.core.publishing.logged_detail import logged_detail
from consumer.core.reports.redrive_report import NAMED
from consumer.runtime.publishing.dispatcher import Dispatcher
from consumer.runtime.publishing.event_type import EventType
from consumer.runtime.publishing.outlet import Outlet
from consumer.runtime.publishing.sender import Sender
from consumer.runtime.redrive.received_messages import RedriveEnded
from consumer.runtime.signal import Signal

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from consumer.core.dead_letters.redrive import Deliverable
    from consumer.core.publishing.reaction import Refused
    from consumer.core.reports.redrive_report import RedriveReport
    from consumer.core.routes.route import Route
    from consumer.ports import Publisher
    from consumer.runtime.instruments import Instruments
    from consumer.runtime.redrive.received_messages import ReceivedMessages

log = structlog.get_logger()

PATIENCE_SECONDS = 120.0
"""The run ends after this long without progress: an outage, or a partition that stays down."""

NAP_SECONDS = 1.0
"""Longest pause between two checks: must messages be hidden again, or must the run end?"""

WHEN_STOPPED = "this run ends, and its letters stay in the queue"
"""What a stop of the event type means for a redrive. The log line begins with what ends it."""


class Window:
    """Sends windows one after the other; the state of the event type is kept between them."""

    def __init__(
        self,
        route: Route,
        port: Publisher,
        messages: ReceivedMessages,
        report: RedriveReport,
        instruments: Instruments,
        called_off: asyncio.Event,
        progressed: Callable[[], None],
    ) -> None:
        self._messages = messages
        self._report = report
        self._clock = instruments.clock
        self._called_off = called_off
        self._progressed = progressed
        # A redrive publishes events of any age. Outside of lanes there is one request at a time,
        # since the calls of the queue take longer, and a request has one event of a key, so that
        # a refused one does not hold up another.
        limits = replace(route.limits, max_record_age=None, concurrency=1, key_run_events=1)
        self._event_type = EventType(
            replace(route, limits=limits),
            instruments.clock,
            instruments.chance,
            when_stopped=WHEN_STOPPED,
        )
        self._outlet: Outlet[Deliverable] = Outlet(self._event_type, self)
        self._sender = Sender(self._outlet, port, instruments)
        self._moved = Signal()
        self._progress_at = 0.0
        self._ending: str | None = None  # why nothing more is sent
        self._queue_fails = False

    async def send(self, window: Sequence[Deliverable]) -> None:
        """Send until each letter is accepted or refused. Raises RedriveEnded to end the run."""
        now = self._clock.now()
        for letter in sorted(window, key=_sort_key):
            self._outlet.queue.push(_event(letter, self._event_type.name, now))
        self._progress_at = now
        self._ending, self._queue_fails = None, False
        dispatcher = Dispatcher(self._outlet, self._sender, self._clock)
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(dispatcher.run())
            while not self._done(dispatcher):
                if not await self._look_after_messages():
                    await self._moved.wait(NAP_SECONDS)
                self._ending = self._ending or self._why_end(self._clock.now())
            dispatcher.stop()
        if self._ending is not None and (self._outlet.queue.events or self._queue_fails):
            raise RedriveEnded(self._ending)

    def _done(self, dispatcher: Dispatcher[Deliverable]) -> bool:
        """Return whether no request is in flight and nothing is left to send or to delete.

        After the end was decided, nothing is to be sent; after the queue failed, nothing deleted.
        """
        sent = self._ending is not None or not self._outlet.queue.events
        deleted = self._queue_fails or not self._messages.deletions_due
        return sent and deleted and not dispatcher.busy

    async def _look_after_messages(self) -> bool:
        """Hide and delete messages, one call each. Return whether more may be due at once."""
        busy = False
        if not self._queue_fails:
            try:
                busy = await self._messages.keep()
                busy = await self._messages.delete() or busy
            except RedriveEnded as error:
                self._ending, self._queue_fails = self._ending or str(error), True
        if not busy:
            self._outlet.changed.notify()  # what was to be deleted or hidden first, is
        self._report.resent = self._event_type.unknown
        self._progressed()
        return busy

    def _why_end(self, now: float) -> str | None:
        if self._called_off.is_set():
            return "it was called off"
        if self._event_type.flow.state is FlowState.STOPPED:
            return (
                f"Nakadi answered {self._event_type.trouble.last}; check the event type, the"
                " permission to write to it, and the proxies in between"
            )
        if now - self._progress_at > PATIENCE_SECONDS:
            return f"no progress for {PATIENCE_SECONDS:g} s, last {self._event_type.trouble.last}"
        return None

    # The methods of Origin, which the outlet and its sender call.

    def pause(self, now: float) -> float:
        """Return the seconds for which nothing may be sent.

        Accepted messages are deleted first, so that few are published twice if the queue fails.
        """
        waits = (
            self._ending is not None
            or self._called_off.is_set()
            or self._messages.deletions_due
            or not self._messages.hidden_for_a_request(now)
        )
        return NAP_SECONDS if waits else 0.0

    def may_send(self, event: QueuedEvent[Deliverable], now: float) -> bool:
        """Return whether it may be sent: its message is open, all are hidden for long enough."""
        return self.pause(now) == 0.0 and self._messages.is_open(event.of.message_id)

    def settled(self, events: Sequence[QueuedEvent[Deliverable]]) -> None:
        """Have the messages of these events deleted: Nakadi has stored them."""
        self._progress_at = self._clock.now()
        self._report.outcomes[RedriveOutcome.ACCEPTED] += len(events)
        self._messages.accept([event.of.message_id for event in events])
        self._moved.notify()

    def returned(self, event: QueuedEvent[Deliverable]) -> None:
        """Wake this task after a request of this event has failed: the run may have to end."""
        if event.attempts:
            self._moved.notify()

    def refused(self, event: QueuedEvent[Deliverable], why: Refused, flow_id: str | None) -> None:
        """Leave the message in the queue, and count it. The letter is not changed."""
        letter, name = event.of.letter, event.of.message_id
        attempts = letter.attempts + event.attempts
        detail = logged_detail(why.detail, event.body)
        self._progress_at = self._clock.now()
        self._report.count(RedriveOutcome.REFUSED, name, _why_refused(why.reason, detail, attempts))
        self._report.refusals[why.reason] += 1
        self._messages.leave(name)
        self._outlet.discard(event)
        self._moved.notify()
        if self._report.outcomes[RedriveOutcome.REFUSED] <= NAMED:
            log.error(
                "event_refused",
                message=name,
                shard=letter.shard_id,
                sequence=event.content.sequence,
                reason=why.reason,
                attempts=attempts,
                receptions=event.of.receptions,
                flow_id=flow_id,
                detail=detail,
                action="remove the cause that reason and detail name, then redrive again; the "
                "letter stays in the queue as it was",
            )


def _why_refused(reason: str, detail: str, attempts: int) -> str:
    """Return the reason with Nakadi's words, which the report may cut off.

    They are those of the log: what a scheduled redrive prints is kept like a log.
    """
    tried = f"{reason}, tried {attempts} times"
    return f"{tried}: {detail}" if detail else tried


def _sort_key(letter: Deliverable) -> tuple[str, int]:
    return letter.sort_key


def _event(letter: Deliverable, event_type: str, now: float) -> QueuedEvent[Deliverable]:
    content = letter.event
    return QueuedEvent(letter, content, event_type, letter.key, content.created_at, now)
