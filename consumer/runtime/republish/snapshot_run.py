"""One process of a snapshot: it takes segments, publishes what they hold, and helps until the end.

Ownership: it has a task for each segment that it works on, and for the beats of each. Pages of
several segments are read at the same time, and published one after the other. The key of a segment
moves when each event of its page is stored or refused; a kill repeats no more than that page.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Protocol

from msgspec import Raw, Struct

from consumer.core.publishing.early_end import CALLED_OFF
from consumer.core.reports.runs.republish_report import BUSY
from consumer.core.republish.item_event import Refusal
from consumer.core.republish.segment_watch import SegmentWatch
from consumer.core.republish.snapshot import Counts, Mode, all_done, of_run, total
from consumer.core.republish.table.read_item import Busy
from consumer.errors import Misconfigured, Retryable, TableNotFound, Unreachable
from consumer.runtime.republish.held_segment import (
    BEATS,
    HeldSegment,
    SegmentLost,
    take_segment,
)
from consumer.runtime.republish.publishing import RepublishEnded
from consumer.runtime.signal import Signal

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from consumer.core.republish.item_filter import ItemFilter
    from consumer.core.republish.outcome import Outcome
    from consumer.core.republish.snapshot import Segment, Snapshot
    from consumer.core.republish.table.read_item import ReadItem
    from consumer.core.republish.table.table_answer import TableAnswer
    from consumer.ports import Chance, Clock
    from consumer.snapshot_ports import SnapshotStore

RefusedItem = tuple[Raw, Refusal]

LOOK_SECONDS = 2.0
"""Longest pause between two reads of the segments' rows."""

SEGMENTS_AT_ONCE = {Mode.ONCE: 4, Mode.TWICE: 8}
"""Segments that a process works on at a time: between two reads of a page lie seconds."""


class Pages(Protocol):
    """`SegmentScan`, as a run uses it."""

    async def page(self, segment: int, segments: int, after: Raw | None) -> TableAnswer:
        """Return the page of a segment behind the key `after`. Raise Retryable."""
        ...


class Publishing(Protocol):
    """`Republisher`, as a run uses it."""

    async def publish(self, items: Sequence[ReadItem]) -> list[Outcome]:
        """Return when each event is stored or refused. Raise RepublishEnded."""
        ...

    def stop(self) -> None:
        """Send nothing more."""
        ...


class Confirmation(Protocol):
    """`TwoReads`, as a run uses it."""

    async def confirm(self, first: Sequence[ReadItem]) -> list[ReadItem | Busy]:
        """Return these items after they were read again. Raise Retryable."""
        ...


class SnapshotProgress(Struct, frozen=True):
    """How far a snapshot is, by all of its processes."""

    counts: Counts
    segments_done: int
    segments: int


class SnapshotParts(Struct, frozen=True):
    """What a run works with. `store` answers definitely (`PatientStore`).

    `confirmation` is there if items are read twice, `filter` if not all items are published.
    `refused` is called before the key of the page moves, `progress` at each look at the rows.
    """

    store: SnapshotStore
    pages: Pages
    publishing: Publishing
    clock: Clock
    chance: Chance
    refused: Callable[[Raw, Refusal], None]
    progress: Callable[[SnapshotProgress], None]
    confirmation: Confirmation | None = None
    filter: ItemFilter | None = None


class SnapshotRun:
    """`me` is unique for this process; `lease_duration` is in seconds."""

    def __init__(
        self, snapshot: Snapshot, parts: SnapshotParts, me: str, lease_duration: float
    ) -> None:
        self._snapshot = snapshot
        self._parts = parts
        self._me = me
        self._beat = lease_duration / BEATS
        self._watch = SegmentWatch(snapshot, me, lease_duration)
        self._held: set[int] = set()
        self._turn = asyncio.Lock()  # to publish
        self._changed = Signal()
        self.ending: str | None = None

    def stop(self, why: str = CALLED_OFF) -> None:
        """Publish nothing more, and release the segments (SIGTERM or SIGINT)."""
        self.ending = self.ending or why
        self._parts.publishing.stop()
        self._changed.notify()

    async def run(self) -> Snapshot | None:
        """Work until all segments are done, here or elsewhere; return the row with the end.

        None if the run ends before: `ending` says why. Raise Unreachable, Misconfigured.
        """
        async with asyncio.TaskGroup() as tasks:
            while self.ending is None:
                rows = await self._look()
                if all_done(self._snapshot, rows):
                    return await self._end(rows)
                self._begin(tasks)
                await self._changed.wait(LOOK_SECONDS)
        return None

    async def _look(self) -> Sequence[Segment]:
        sent_at = self._parts.clock.now()
        rows = await self._parts.store.read_segments(self._snapshot)
        self._watch.observe(sent_at, self._parts.clock.now(), rows)
        done = sum(row.done for row in of_run(self._snapshot, rows).values())
        counts, segments = total(self._snapshot, rows), self._snapshot.terms.segments
        self._parts.progress(SnapshotProgress(counts, done, segments))
        return rows

    async def _end(self, rows: Sequence[Segment]) -> Snapshot | None:
        ended = self._snapshot.ended(self._parts.clock.wall(), total(self._snapshot, rows))
        return await self._parts.store.end_snapshot(ended)

    def _begin(self, tasks: asyncio.TaskGroup) -> None:
        """Begin with segments that can be taken, as many as are worked on at once."""
        while len(self._held) < SEGMENTS_AT_ONCE[self._snapshot.terms.mode]:
            found = self._watch.next(self._held, self._parts.chance.random())
            if found is None:
                return
            self._held.add(found.number)
            tasks.create_task(self._work(found))

    async def _work(self, found: Segment) -> None:
        """Take a segment and publish it, to its end if nothing comes between."""
        store, clock = self._parts.store, self._parts.clock
        try:
            row = await take_segment(store, self._snapshot, found, self._me)
            if row is not None:
                held = HeldSegment(store, self._snapshot, row, clock, self._beat)
                async with asyncio.TaskGroup() as tasks:
                    tasks.create_task(held.beat())
                    await self._publish_all(held)
                    held.close()
        finally:
            self._held.discard(found.number)
            self._changed.notify()

    async def _publish_all(self, held: HeldSegment) -> None:
        """Publish page by page, until the segment is done or lost, or the run ends."""
        try:
            while self.ending is None and not held.row.done:
                await self._publish_page(held)
        except SegmentLost:
            return
        except RepublishEnded as ended:
            self.stop(str(ended))
        except Retryable as error:
            raise Unreachable(f"table: {error}") from error
        except TableNotFound as error:
            raise Misconfigured(str(error)) from error
        await held.release()

    async def _publish_page(self, held: HeldSegment) -> None:
        """Publish a page, and move the key behind it.

        Raise SegmentLost, RepublishEnded, Retryable or TableNotFound: the key stays.
        """
        row = held.row
        after = None if row.last_key is None else Raw(row.last_key.encode())
        page = await self._parts.pages.page(row.number, self._snapshot.terms.segments, after)
        wanted = self._wanted(page.items)
        items, busy = await self._confirmed(wanted)
        async with self._turn:
            held.check()
            outcomes = await self._parts.publishing.publish(items)
        refused = busy + [(each.keys, refusal) for each in outcomes for refusal in each.refusals]
        for keys, refusal in refused:
            self._parts.refused(keys, refusal)
        untaken = sum(not outcome.taken for outcome in outcomes)
        counts = Counts(
            items=len(page.items),
            untaken=len(page.items) - len(wanted) + untaken,
            stored=sum(outcome.stored for outcome in outcomes),
            refused=len(refused),
        )
        await held.settle(None if page.after is None else bytes(page.after).decode(), counts)

    def _wanted(self, items: Sequence[ReadItem]) -> list[ReadItem]:
        asked = self._parts.filter
        return [item for item in items if asked is None or asked.takes(item)]

    async def _confirmed(self, items: list[ReadItem]) -> tuple[list[ReadItem], list[RefusedItem]]:
        """Return the items to publish, and those that were another one each time."""
        if self._parts.confirmation is None:
            return items, []
        read = await self._parts.confirmation.confirm(items)
        busy = [
            (each.keys, Refusal("", BUSY, f"read {each.reads} times"))
            for each in read
            if isinstance(each, Busy)
        ]
        return [each for each in read if not isinstance(each, Busy)], busy
