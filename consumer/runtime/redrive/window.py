"""One window of dead letters on its way to Nakadi, until each is accepted or refused.

Ownership: it is the origin of its events. Its outlet sends them as the service's does, a key's
events one after the other, by sequence; one that is refused stays in the queue and holds up no
other, as it did when it became a dead letter. Beside the outlet this task deletes what was
accepted, keeps the rest hidden, and decides when the run must end. Nothing is sent while a message
could become visible to others before a request has ended.
"""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING

import structlog

from consumer.core.backlog.queued_event import QueuedEvent, cost_of
from consumer.core.dead_letters.redrive import Fate
from consumer.core.publishing.flow import FlowState
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
    from consumer.core.publishing.settlement import Refused
    from consumer.core.reports.redrive_report import RedriveReport
    from consumer.core.routes.route import Route
    from consumer.ports import Publisher
    from consumer.runtime.instruments import Instruments
    from consumer.runtime.redrive.received_messages import ReceivedMessages

log = structlog.get_logger()

PATIENCE_SECONDS = 120.0
"""An outage, or a partition that stays down, ends the run after so long without any progress."""

NAP_SECONDS = 1.0
"""Longest pause between two looks at the visibility of what is open, and for a signal."""

WHEN_STOPPED = "this run ends, and its letters stay in the queue, until"
"""What a stop of the event type means for a redrive; followed by who ends it."""


class Window:
    """Sends windows one after the other; what it learnt of the event type lasts."""

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
        # Of any age, for whoever redrives wants them all. One request at a time beside those of
        # lanes, since the queue's calls take longer; of a key one event, as when it was refused.
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
        """Send until all are settled. Raise RedriveEnded if that takes an operator, or too long."""
        now = self._clock.now()
        for letter in sorted(window, key=_place):
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
        """Is no request in flight, and is nothing left to send, or to delete where that works?"""
        sent = self._ending is not None or not self._outlet.queue.events
        deleted = self._queue_fails or not self._messages.deletions_due
        return sent and deleted and not dispatcher.busy

    async def _look_after_messages(self) -> bool:
        """Hide and delete, one call each; True if there may be more of it to do at once."""
        busy = False
        if not self._queue_fails:
            try:
                busy = await self._messages.keep()
                busy = await self._messages.delete() or busy
            except RedriveEnded as error:
                self._ending, self._queue_fails = self._ending or str(error), True
        self._report.resent = self._event_type.unknown
        self._progressed()
        return busy

    def _why_end(self, now: float) -> str | None:
        if self._called_off.is_set():
            return "it was called off"
        if self._event_type.flow.state is FlowState.STOPPED:
            return (
                f"Nakadi answered {self._event_type.trouble}; look at the event type, at who may"
                " write to it, and at what stands in between"
            )
        if now - self._progress_at > PATIENCE_SECONDS:
            return f"no progress for {PATIENCE_SECONDS:g} s, last {self._event_type.trouble}"
        return None

    # What the outlet asks and tells its origin.

    def pause(self, now: float) -> float:
        """Return for how long nothing may be sent.

        What was accepted is deleted first, so that a queue that fails makes few events come twice.
        """
        waits = (
            self._ending is not None
            or self._called_off.is_set()
            or self._messages.deletions_due
            or not self._messages.hidden_for_a_request(now)
        )
        return NAP_SECONDS if waits else 0.0

    def may_send(self, event: QueuedEvent[Deliverable], now: float) -> bool:
        """Is it hidden from others for long enough, and wanted still?"""
        return self.pause(now) == 0.0 and self._messages.is_open(event.of.message_id)

    def settled(self, events: Sequence[QueuedEvent[Deliverable]]) -> None:
        """Nakadi has stored these: their messages are to be deleted."""
        self._progress_at = self._clock.now()
        self._report.fates[Fate.ACCEPTED] += len(events)
        self._messages.accept([event.of.message_id for event in events])
        self._moved.notify()

    def returned(self, event: QueuedEvent[Deliverable]) -> None:
        """It waits in the outlet: if its request ended the run, this task must know."""
        if event.attempts:
            self._moved.notify()

    def refused(self, event: QueuedEvent[Deliverable], why: Refused, flow_id: str | None) -> None:
        """It stays. The queue keeps count of its receptions, the letter of the service's tries."""
        letter, name = event.of.letter, event.of.message_id
        attempts = letter.attempts + event.attempts
        self._progress_at = self._clock.now()
        self._report.count(Fate.REFUSED, name, f"{why.reason}, tried {attempts} times")
        self._report.refusals[why.reason] += 1
        self._messages.leave(name)
        self._outlet.discard(event)
        self._moved.notify()
        if self._report.fates[Fate.REFUSED] <= NAMED:
            log.error(
                "event_refused",
                message=name,
                shard=letter.shard_id,
                sequence=event.content.sequence,
                reason=why.reason,
                attempts=attempts,
                receptions=event.of.receptions,
                flow_id=flow_id,
            )


def _place(letter: Deliverable) -> tuple[str, int]:
    return letter.place


def _event(letter: Deliverable, event_type: str, now: float) -> QueuedEvent[Deliverable]:
    content = letter.event
    cost = cost_of(content)
    return QueuedEvent(letter, content, event_type, letter.lane, content.created_at, cost, now)
