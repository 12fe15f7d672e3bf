"""The sending of a window of dead letters, until each is accepted, refused or given up.

Ownership: it has a part for each event type; they send at the same time. Meanwhile this task
deletes the accepted messages, keeps the others hidden, and decides when the run must end; no other
task calls the queue. Nothing is sent while a message could become visible to others before the
request has ended. An event type that is stopped or down ends its part, and the last one the run.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, NamedTuple

from consumer.core.dead_letters.open_letters import OpenLetters
from consumer.core.dead_letters.redrive import RedriveOutcome
from consumer.core.publishing.early_end import CALLED_OFF
from consumer.core.reports.runs.redrive_report import NAMED
from consumer.runtime.redrive.part import Part
from consumer.runtime.redrive.received_messages import RedriveEnded
from consumer.runtime.signal import Signal

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from consumer.core.dead_letters.redrive import Deliverable, RouteEvent
    from consumer.core.reports.runs.redrive_report import RedriveReport
    from consumer.core.routes.route import Route
    from consumer.ports import Publisher
    from consumer.runtime.instruments import Instruments
    from consumer.runtime.publishing.dispatcher import Dispatcher
    from consumer.runtime.redrive.received_messages import ReceivedMessages

NAP_SECONDS = 1.0
"""Longest pause between two checks: must messages be hidden again, or must the run end?"""


class _Sending(NamedTuple):
    part: Part
    dispatcher: Dispatcher[Deliverable]


class Window:
    """Sends windows one after the other; the state of the event types is kept between them."""

    def __init__(
        self,
        routes: Sequence[Route],
        publishers: Mapping[str, Publisher],
        messages: ReceivedMessages,
        report: RedriveReport,
        instruments: Instruments,
        called_off: asyncio.Event,
        progressed: Callable[[], None],
    ) -> None:
        self._messages = messages
        self._report = report
        self._called_off = called_off
        self._progressed = progressed
        self._parts = {
            route.event_type: Part(route, publishers[route.event_type], self, instruments)
            for route in routes
        }
        self._letters = OpenLetters()
        self._moved = Signal()
        self._ending: str | None = None  # why nothing more is sent
        self._queue_fails = False

    def unsendable(self, letter: Deliverable) -> str | None:
        """Return why an event of this letter cannot be sent, None if all can."""
        for made in letter.events:
            ended = self._parts[made.event_type].ended
            if ended is not None:
                return _told(made.event_type, ended)
        return None

    async def send(self, window: Sequence[Deliverable]) -> None:
        """Send until each letter is accepted, refused or given up. Raises RedriveEnded."""
        self._ending, self._queue_fails = None, False
        self._letters.clear()
        events: dict[str, list[tuple[Deliverable, RouteEvent]]] = {}
        for letter in window:
            self._letters.add(letter.message_id, len(letter.events))
            for made in letter.events:
                events.setdefault(made.event_type, []).append((letter, made))
        parts = [self._parts[event_type] for event_type in events]
        sending = [_Sending(part, part.begin(events[part.event_type])) for part in parts]
        async with asyncio.TaskGroup() as tasks:
            for _, dispatcher in sending:
                tasks.create_task(dispatcher.run())
            while not self._done(sending):
                if not await self._look_after_messages():
                    await self._moved.wait(NAP_SECONDS)
                self._decide(sending)
            for _, dispatcher in sending:
                dispatcher.stop()
        if self._ending is not None and (any(part.left for part in parts) or self._queue_fails):
            raise RedriveEnded(self._ending)

    def _done(self, sending: Sequence[_Sending]) -> bool:
        """Return whether no request is in flight and nothing is left to send or to delete.

        After the end was decided, nothing is to be sent; after the queue failed, nothing deleted.
        """
        sent = self._ending is not None or not any(part.left for part, _ in sending)
        deleted = self._queue_fails or not self._messages.deletions_due
        return sent and deleted and not any(dispatcher.busy for _, dispatcher in sending)

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
            for part in self._parts.values():
                part.wake()  # what was to be deleted or hidden first, is
        self._report.resent = sum(part.resent for part in self._parts.values())
        self._progressed()
        return busy

    def _decide(self, sending: Sequence[_Sending]) -> None:
        """Decide whether a part must end, or the run."""
        if self._called_off.is_set():
            self._ending = self._ending or CALLED_OFF
        for part, dispatcher in sending:
            part.decide_end()
            if part.ended is None or dispatcher.busy or self._ending is not None:
                continue
            self._report.ended_parts[part.event_type] = part.ended
            if all(each.ended is not None for each in self._parts.values()):
                alone = len(self._parts) == 1
                self._ending = part.ended if alone else "no event type takes events"
            else:
                self._give_up(part, part.ended)

    def _give_up(self, part: Part, why: str) -> None:
        """Leave the letters of a part that has ended in the queue; the others go on."""
        for letter in part.give_up():
            self._report.event_types[part.event_type][RedriveOutcome.UNSENT] += 1
            if self._letters.stay(letter.message_id):
                told = _told(part.event_type, why)
                self._report.count(RedriveOutcome.UNSENT, letter.message_id, told)
            self._settle([letter])

    def _settle(self, letters: Sequence[Deliverable]) -> None:
        """Count an event of each of these letters as done."""
        accepted: list[str] = []
        for letter in letters:
            deletable = self._letters.done(letter.message_id)
            if deletable:
                accepted.append(letter.message_id)
            elif deletable is not None:
                self._messages.leave(letter.message_id)
        if accepted:
            self._report.outcomes[RedriveOutcome.ACCEPTED] += len(accepted)
            self._messages.accept(accepted)

    # The methods of Letters, which the parts call.

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

    def may_send(self, letter: Deliverable, now: float) -> bool:
        """Return whether it may be sent: its message is open, all are hidden for long enough."""
        return self.pause(now) == 0.0 and self._messages.is_open(letter.message_id)

    def accepted(self, event_type: str, letters: Sequence[Deliverable]) -> None:
        """Have the messages of these letters deleted whose events Nakadi has all stored."""
        self._report.event_types[event_type][RedriveOutcome.ACCEPTED] += len(letters)
        self._settle(letters)
        self._moved.notify()

    def refused(self, event_type: str, letter: Deliverable, reason: str, told: str) -> bool:
        """Leave the message in the queue, and count it. Return whether it is to be logged."""
        report = self._report
        report.event_types[event_type][RedriveOutcome.REFUSED] += 1
        report.refusals[reason] += 1
        if self._letters.stay(letter.message_id):
            report.count(RedriveOutcome.REFUSED, letter.message_id, told)
        self._settle([letter])
        self._moved.notify()
        return report.refusals.total() <= NAMED

    def returned(self) -> None:
        """Wake this task after a request has failed: its part may have to end."""
        self._moved.notify()


def _told(event_type: str, ended: str) -> str:
    return f"{event_type}: {ended}"
