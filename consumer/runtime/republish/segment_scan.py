"""The pages of the segments that this process works on, no faster than its read units allow.

Rule: one page is asked for at a time, whatever the number of segments: so pages are spread evenly.
"""

from __future__ import annotations

import asyncio
from functools import partial
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from msgspec import Raw

    from consumer.core.republish.table.scan_page_size import ScanPageSize
    from consumer.core.republish.table.table_answer import TableAnswer
    from consumer.ports import Clock
    from consumer.runtime.republish.table_reader import TableReader
    from consumer.snapshot_ports import TableScan


class SegmentScan:
    """`reader` has the limit of read units, and repeats calls that fail."""

    def __init__(
        self, scan: TableScan, reader: TableReader, size: ScanPageSize, clock: Clock
    ) -> None:
        self._scan = scan
        self._reader = reader
        self._size = size
        self._clock = clock
        self._turn = asyncio.Lock()

    async def page(self, segment: int, segments: int, after: Raw | None) -> TableAnswer:
        """Return the page of a segment behind the key `after`. Raise Retryable."""
        async with self._turn:
            items = self._size.items(self._clock.now())
            answer = await self._reader.call(
                partial(self._scan.page, segment, segments, after, items)
            )
            self._size.learn(len(answer.items), answer.capacity)
            return answer
