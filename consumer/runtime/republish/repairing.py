"""Publishing keys again: each is read twice, then published as what it is now, or as gone.

Ownership: it has one batch in memory, and decides what is told of each key. Nothing is in flight
between two batches. A run that is stopped ends while it reads, and while it publishes.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, TypeVar

from msgspec.structs import replace

from consumer.core.publishing.early_end import CALLED_OFF
from consumer.core.reports.runs.republish_report import BUSY, RepublishReport
from consumer.core.republish.item_event import Refusal
from consumer.core.republish.item_key import identity_of
from consumer.core.republish.table.read_item import Busy, ReadItem
from consumer.runtime.republish.calling_off import CalledOff, CallingOff
from consumer.runtime.republish.publishing import RepublishEnded

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping, Sequence

    from msgspec import Raw

    from consumer.core.republish.item_key import KeyIdentity
    from consumer.core.republish.outcome import Outcome
    from consumer.runtime.republish.publishing import Republisher
    from consumer.runtime.republish.two_reads import TwoReads

T = TypeVar("T")

BATCH_KEYS = 1_000
"""Most keys that are read and published together: they share the wait between two reads.

Small items take 20 seconds of 100 read units then, and the wait costs a sixth of the time.
"""


class Repairing:
    """Publishes batches of keys. `refused` is called with each key and what was refused of it.

    `progressed` is called after the report has changed.
    """

    def __init__(
        self,
        reads: TwoReads,
        republisher: Republisher,
        refused: Callable[[Raw, Refusal], None],
        progressed: Callable[[RepublishReport], None],
    ) -> None:
        self.report = RepublishReport()
        self._reads = reads
        self._republisher = republisher
        self._refused = refused
        self._progressed = progressed
        self._calling_off = CallingOff()

    def stop(self) -> None:
        """End after the requests in flight (SIGTERM or SIGINT)."""
        self._republisher.stop()
        self._calling_off.call_off()

    async def publish_keys(
        self, keys: Sequence[Raw], last_images: Mapping[KeyIdentity, Raw] | None = None
    ) -> None:
        """Read these keys twice, and publish them.

        `last_images` are what an export has of keys; what is gone is published with it. Raise
        RepublishEnded, Retryable.
        """
        while keys:
            first = await self.read(partial(self._reads.first, keys))
            await self._publish(first, last_images or {})
            keys = keys[len(first) :]

    async def publish_items(self, first: Sequence[ReadItem]) -> None:
        """Read again what was read before, and publish it.

        Raise RepublishEnded, Retryable.
        """
        await self._publish(first, {})

    async def _publish(
        self, first: Sequence[ReadItem], last_images: Mapping[KeyIdentity, Raw]
    ) -> None:
        items: list[ReadItem] = []
        for found in await self.read(partial(self._reads.confirm, first)):
            if isinstance(found, Busy):
                self.report.count_busy()
                self._refused(found.keys, Refusal("", BUSY, f"read {found.reads} times"))
            else:
                items.append(replace(found, last_image=last_images.get(identity_of(found.keys))))
        try:
            self._count(await self._republisher.publish(items))
        except RepublishEnded as ended:
            self.report.stored += ended.stored
            self._count(ended.outcomes)
            raise

    async def read(self, read: Callable[[], Awaitable[T]]) -> T:
        """Read, until the run is stopped. Raise RepublishEnded, Retryable."""
        try:
            return await self._calling_off.read(read)
        except CalledOff:
            raise RepublishEnded(CALLED_OFF, ()) from None

    def _count(self, outcomes: Sequence[Outcome]) -> None:
        for outcome in outcomes:
            self.report.count(outcome)
            for refusal in outcome.refusals:
                self._refused(outcome.keys, refusal)
        self._progressed(self.report)
