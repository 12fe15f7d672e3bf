"""Redrive: publishes the letters in the dead letter queue again, and deletes those accepted.

Ownership: it decides which messages are published, window by window; only the letters of one window
are in memory, those of all event types together. A window is sorted before it is sent, so the
events of a key are in order within it.
"""

from __future__ import annotations

import asyncio
import sys
from typing import TYPE_CHECKING, assert_never

from msgspec import Struct

from consumer.core.dead_letters.examiner import Examiner
from consumer.core.dead_letters.queue_end import PER_RECEPTION
from consumer.core.dead_letters.redrive import (
    EVERYTHING,
    Deliverable,
    Kept,
    RedriveOutcome,
    Selection,
)
from consumer.core.publishing.early_end import CALLED_OFF
from consumer.core.reports.runs.redrive_report import RedriveReport
from consumer.observability.conditions import Conditions
from consumer.observability.metrics import Metrics
from consumer.runtime.instruments import Instruments
from consumer.runtime.redrive.received_messages import ReceivedMessages, RedriveEnded
from consumer.runtime.redrive.window import Window

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from consumer.core.dead_letters.redrive import QueuedMessage
    from consumer.core.routes.route import Route
    from consumer.ports import Chance, Clock, DeadLetterSource, Publisher

WINDOW_LETTERS = 5_000
WINDOW_BYTES = 32 * 1024 * 1024
"""A window is full with this many letters or bytes of events."""

LEFT_MESSAGES = 100_000
"""Most messages that a run leaves in the queue: it hides them until it ends.

SQS allows 120,000 hidden messages in a queue at a time.
"""


class RedriveJob(Struct, frozen=True):
    """The options of a redrive. `request` is the longest publishing request, in seconds.

    `table` is the routes' table, if it is known. `as_made` has events published as they stand that
    were made by other rules and cannot be made again.
    """

    routes: tuple[Route, ...]
    request: float
    table: str | None = None
    selection: Selection = EVERYTHING
    as_made: bool = False
    max_messages: int = sys.maxsize  # most letters to publish or, in a dry run, to list
    dry_run: bool = False


def _nothing(_message: QueuedMessage, _found: Deliverable | Kept) -> None:
    """Stand for `examined` where nobody lists the letters."""


class Redrive:
    """One run. `publishers` are by event type. `progressed` is called after `report` has changed.

    `examined` is called with each message that the selection has not left out.
    """

    def __init__(
        self,
        source: DeadLetterSource,
        publishers: Mapping[str, Publisher],
        clock: Clock,
        chance: Chance,
        job: RedriveJob,
        progressed: Callable[[RedriveReport], None],
        examined: Callable[[QueuedMessage, Deliverable | Kept], None] = _nothing,
    ) -> None:
        self._examined = examined
        self.report = RedriveReport()
        self._job = job
        self._progressed = progressed
        self._messages = ReceivedMessages(source, clock, chance, request=job.request)
        self._wanted = job.max_messages
        self._examiner = Examiner(job.routes, job.table, job.selection, as_made=job.as_made)
        self._called_off = asyncio.Event()
        self._empty = False
        self._sending = Window(
            job.routes,
            publishers,
            self._messages,
            self.report,
            Instruments(clock, chance, Metrics(), Conditions(clock.now)),
            self._called_off,
            self._progress,
        )

    def stop(self) -> None:
        """End after the requests in flight (SIGTERM or SIGINT)."""
        self._called_off.set()

    async def run(self) -> RedriveReport:
        """Publish until the queue is empty, or the run ends early; `report.ended` says why it did.

        Raises Misconfigured if there is no such queue.
        """
        report, messages = self.report, self._messages
        try:
            depth = await messages.depth()
            report.waiting = depth.visible
            while not self._empty:
                window = await self._window()
                await self._sending.send(window)
            hidden = (await messages.depth()).hidden - messages.held
            report.hidden = max(0, min(depth.hidden, hidden))
        except RedriveEnded as error:
            report.ended = str(error)
        finally:
            report.unsettled = messages.open
            await messages.release()
            report.undeleted = messages.undeleted
        return report

    async def _window(self) -> list[Deliverable]:
        """Receive until the window is full, or all wanted messages have been received."""
        window: list[Deliverable] = []
        size = 0
        full = False
        while not full:
            if self._called_off.is_set():
                raise RedriveEnded(CALLED_OFF)
            if self._messages.left >= LEFT_MESSAGES:
                raise RedriveEnded(
                    f"{LEFT_MESSAGES} messages stay in the queue, and a run hides no more than"
                    " that; delete or move those that are not to be published, then redrive again"
                )
            count = min(PER_RECEPTION, self._wanted)
            found = await self._messages.receive(count) if count else None
            if found is None:
                self._empty = True
                break
            for message in found:
                letter = self._examine(message)
                if letter is not None:
                    window.append(letter)
                    size += sum(len(made.event.body) for made in letter.events)
            self._progress()
            # The first messages must be sent, or hidden again, before they become visible.
            full = (
                len(window) >= WINDOW_LETTERS or size >= WINDOW_BYTES or self._messages.hiding_due
            )
        return window

    def _examine(self, message: QueuedMessage) -> Deliverable | None:
        """Return the letter that is to be published, None if the message stays in the queue."""
        job, report = self._job, self.report
        report.received += 1
        name = message.receipt.message_id
        found = self._examiner.examine(message)
        if not (isinstance(found, Kept) and found.outcome is RedriveOutcome.FILTERED):
            self._examined(message, found)
        match found:
            case Kept(outcome, why, letter):
                report.count(outcome, name, why)
                if outcome is not RedriveOutcome.FILTERED:
                    report.list_letter(letter, publishable=False)
                    self._wanted -= int(job.dry_run)
            case Deliverable(letter=letter):
                report.list_letter(letter, publishable=True)
                unsendable = self._sending.unsendable(found)
                if unsendable is not None:
                    report.count(RedriveOutcome.UNSENT, name, unsendable)
                    self._messages.leave(name)
                    return None
                self._wanted -= 1
                if not job.dry_run:
                    return found
            case _:
                assert_never(found)
        self._messages.leave(name)
        return None

    def _progress(self) -> None:
        self._progressed(self.report)
