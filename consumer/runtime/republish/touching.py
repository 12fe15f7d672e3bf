"""Touching items, one after the other: each change comes to readers by the stream, in its place.

Rules
- A touch is sent again only with the value of its run, so that it makes one record at most.
- Nothing is waited for between the look at the workers and the write, also before another try.
- Between two touches nothing is in flight.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Final, TypeVar

from consumer.core.backoff import Backoff
from consumer.core.publishing.early_end import CALLED_OFF
from consumer.core.reports.runs.touch_report import TouchReport
from consumer.core.republish.item_event import Refusal
from consumer.core.republish.touch_answer import CONFLICT, TouchOutcome
from consumer.errors import Retryable
from consumer.patience import HOPELESS, Patience
from consumer.runtime.republish.calling_off import CalledOff, CallingOff
from consumer.runtime.republish.table_reader import THROTTLED

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from msgspec import Raw

    from consumer.core.republish.rate_limit import RateLimit
    from consumer.core.republish.touch_answer import TouchAnswer
    from consumer.ports import Chance, Clock
    from consumer.runtime.republish.touch_guard import TouchGuard
    from consumer.snapshot_ports import ItemTouches

T = TypeVar("T")

OF_ITEM: Final = (CONFLICT, THROTTLED)
"""Reasons that may concern one item, or its partition: the run goes on without it."""

ITEM_TRIES: Final = 3
"""Most tries of such an item."""

TRIES: Final = 10
"""Most tries while the table, or the lease table, does not answer: about a minute."""

PAUSE_SECONDS: Final = 0.5
PAUSE_MAX_SECONDS: Final = 20.0

LISTEN_SECONDS: Final = 1.0
"""Longest sleep: so soon a run ends that is called off while it waits."""

WHY: Final = {
    TouchOutcome.TOO_LARGE: "with the attribute it exceeds 400 KB",
    TouchOutcome.FULL: "the items of its partition key exceed 10 GB",
}


class TouchEnded(Exception):
    """The run must end. The message says why."""


class Touching:
    """Touches items with the value of the run. `limit` is in write units a second.

    `refused` is called with each key that could not be touched and the reason, `progressed` after
    the report has changed.
    """

    def __init__(
        self,
        touches: ItemTouches,
        value: str,
        guard: TouchGuard,
        limit: RateLimit,
        clock: Clock,
        chance: Chance,
        refused: Callable[[Raw, Refusal], None],
        progressed: Callable[[TouchReport], None],
    ) -> None:
        self.report = TouchReport()
        self._touches = touches
        self._value = value
        self._guard = guard
        self._limit = limit
        self._clock = clock
        self._chance = chance
        self._patience = Patience(  # with the lease table
            clock, chance, first=PAUSE_SECONDS, longest=PAUSE_MAX_SECONDS, tries=TRIES
        )
        self._refused = refused
        self._progressed = progressed
        self._calling_off = CallingOff()

    def stop(self) -> None:
        """End after the touch in flight (SIGTERM or SIGINT)."""
        self._calling_off.call_off()

    async def read(self, items: Callable[[], Awaitable[T]]) -> T:
        """Wait for items to be touched, until the run is called off. Raise TouchEnded."""
        try:
            return await self._calling_off.read(items)
        except CalledOff:
            raise TouchEnded(CALLED_OFF) from None

    async def touch(self, keys: Sequence[Raw]) -> None:
        """Touch the items with these keys. Raise TouchEnded, Retryable."""
        for each in keys:
            await self._touch(each)
            self._progressed(self.report)

    async def _touch(self, keys: Raw) -> None:
        backoff = Backoff(PAUSE_SECONDS, PAUSE_MAX_SECONDS)
        while True:
            await self._permit()
            sent_at = self._clock.now()
            try:
                answer = await self._touches.touch(keys, self._value)
            except Retryable as error:
                of_item = error.reason in OF_ITEM
                if error.reason == THROTTLED:
                    self._limit.throttled(self._clock.now(), sent_at)
                tries = backoff.failures + 1
                if of_item and tries >= ITEM_TRIES:
                    self._refuse(keys, error.reason, f"{tries} tries")
                    return
                if error.reason in HOPELESS or tries >= TRIES:
                    raise
                await self._pause(backoff.next(self._chance.random()))
            else:
                self._limit.used(sent_at, answer.capacity)
                self._count(keys, answer)
                return

    async def _permit(self) -> None:
        """Return when a touch may be sent, at once. Raise TouchEnded, Retryable."""
        await self._pause(self._limit.wait(self._clock.now()))
        why = await self.read(partial(self._patience.answer, self._guard.look))
        if why is not None or self._calling_off.called:
            raise TouchEnded(why or CALLED_OFF)

    async def _pause(self, seconds: float) -> None:
        """Sleep. Raise TouchEnded soon after the run is called off."""
        while not self._calling_off.called and seconds > 0:
            step = min(seconds, LISTEN_SECONDS)
            await self._clock.sleep(step)
            seconds -= step
        if self._calling_off.called:
            raise TouchEnded(CALLED_OFF)

    def _count(self, keys: Raw, answer: TouchAnswer) -> None:
        if answer.outcome is TouchOutcome.WRITTEN:
            self.report.touched += 1
        elif answer.outcome is TouchOutcome.GONE:
            self.report.gone += 1
        else:
            self._refuse(keys, answer.outcome.value, WHY[answer.outcome])

    def _refuse(self, keys: Raw, reason: str, detail: str) -> None:
        self.report.refusals[reason] += 1
        self._refused(keys, Refusal("", reason, detail))
