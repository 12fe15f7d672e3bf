"""Two reads: only what was the same twice, some seconds apart, may repair what a reader knows.

Rule: it publishes nothing. What differs is read again, a few times; a key that is another one each
time is busy.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec.structs import replace

from consumer.core.republish.table.read_item import Busy, ReadItem
from consumer.runtime.republish.table_reader import KEYS_PER_CALL

if TYPE_CHECKING:
    from collections.abc import Sequence

    from msgspec import Raw

    from consumer.core.republish.item_events import ItemEvents
    from consumer.ports import Clock
    from consumer.runtime.republish.table_reader import TableReader

APART_SECONDS = 4.0
"""Between the answer of a read and the request of the next one.

It covers changes in flight whose time was cut to the second, and clocks that differ by a second.
"""

BATCH_BYTES = 16 * 1024 * 1024
"""Most bytes of items that wait for their second read: then they are in memory twice."""

READ_AGAIN = 3
"""How often a key is read again after two reads that differed."""


class TwoReads:
    """Reads keys until two reads in a row show the same to all routes that take part.

    `apart` is in seconds; more is needed where clocks differ by more than a second.
    """

    def __init__(
        self, table: TableReader, events: ItemEvents, clock: Clock, apart: float = APART_SECONDS
    ) -> None:
        self._table = table
        self._events = events
        self._clock = clock
        self._apart = apart

    async def first(self, keys: Sequence[Raw]) -> list[ReadItem]:
        """Return what the table holds of the first of these keys, in their order. Raise Retryable.

        It reads no more of them once the items have BATCH_BYTES.
        """
        found: list[ReadItem] = []
        size = 0
        while len(found) < len(keys) and size < BATCH_BYTES:
            read = await self._table.get(keys[len(found) : len(found) + KEYS_PER_CALL])
            found += read
            size += sum(len(bytes(item.item or b"")) for item in read)
        return found

    async def confirm(self, first: Sequence[ReadItem]) -> list[ReadItem | Busy]:
        """Return these items after they were read again, in their order. Raise Retryable.

        They were read before, as `first` does: `read_at` is the time of the answer.
        """
        found: list[ReadItem | Busy | None] = [None] * len(first)
        open_items = dict(enumerate(first))
        for round_number in range(1 + READ_AGAIN):
            if not open_items:
                break
            await self._wait_after(max(item.read_at for item in open_items.values()))
            asked_at = self._clock.wall()
            again = await self._table.get([item.keys for item in open_items.values()])
            for (place, before), after in zip([*open_items.items()], again, strict=True):
                if self._is_same(before, after):
                    middle = (before.read_at + asked_at) / 2
                    found[place] = replace(after, read_at=middle, twice=True)
                    del open_items[place]
                else:
                    open_items[place] = after
            if round_number == READ_AGAIN:
                for place, item in open_items.items():
                    found[place] = Busy(item.keys, 2 + READ_AGAIN)
        return [each for each in found if each is not None]

    def _is_same(self, before: ReadItem, after: ReadItem) -> bool:
        """Return whether two reads show the same; the same text does, and that is soon said."""
        same_text = None not in (before.item, after.item) and before.item == after.item
        return same_text or self._events.shown(before) == self._events.shown(after)

    async def _wait_after(self, read_at: float) -> None:
        pause = read_at + self._apart - self._clock.wall()
        if pause > 0:
            await self._clock.sleep(pause)
