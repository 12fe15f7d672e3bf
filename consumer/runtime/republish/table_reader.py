"""Reading the table: no faster than a limit, slower when throttled, and again after a failure.

Rule: it is the only one that repeats a call to the table. A call that fails too often in a row
raises what it failed with.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from consumer.core.republish.item_key import identity_of
from consumer.core.republish.table.scan_page_size import ScanPageSize
from consumer.errors import Retryable
from consumer.patience import Patience

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Sequence

    from msgspec import Raw

    from consumer.core.republish.rate_limit import RateLimit
    from consumer.core.republish.table.read_item import ReadItem
    from consumer.core.republish.table.table_answer import TableAnswer
    from consumer.ports import Chance, Clock, Table
    from consumer.snapshot_ports import TableScan

TRIES = 10
"""Most calls in a row that fail, or read nothing, before reading ends: about a minute."""

PAUSE_SECONDS = 0.1
PAUSE_MAX_SECONDS = 20.0
"""The first and the longest pause after a failed call; they double, with full jitter."""

KEYS_PER_CALL = 100
"""The most that a BatchGetItem takes."""

THROTTLED = "throttled"


class TableReader:
    """Reads items. `limit` is in read units a second."""

    def __init__(self, table: Table, limit: RateLimit, clock: Clock, chance: Chance) -> None:
        self._table = table
        self._limit = limit
        self._clock = clock
        self._patience = Patience(
            clock, chance, first=PAUSE_SECONDS, longest=PAUSE_MAX_SECONDS, tries=TRIES
        )

    async def get(self, keys: Sequence[Raw]) -> list[ReadItem]:
        """Return what the table holds of these keys, in their order. Raise Retryable.

        A key that is given twice is read once.
        """
        wanted = {identity_of(each): each for each in keys}
        found: dict[object, ReadItem] = {}
        left, count = [*wanted.values()], KEYS_PER_CALL

        async def next_batch() -> TableAnswer:
            nonlocal left, count
            batch, rest = left[:count], left[count:]
            try:
                answer = await self._once(partial(self._table.get, batch))
                if not answer.items:
                    raise Retryable("BatchGetItem: it reads none of the keys", THROTTLED)
            except Retryable:
                count = max(1, count // 2)  # the answer may have been longer than we take
                raise
            left, count = [*answer.unread, *rest], min(KEYS_PER_CALL, 2 * count)
            return answer

        while left:
            answer = await self._patience.answer(next_batch)
            found |= {identity_of(item.keys): item for item in answer.items}
        return [found[identity_of(each)] for each in keys]

    async def query(self, partition: Raw) -> AsyncIterator[Sequence[ReadItem]]:
        """Yield the items with this partition key, page by page. Raise Retryable."""
        after: Raw | None = None
        while True:
            answer = await self.call(partial(self._table.query, partition, after))
            yield answer.items
            after = answer.after
            if after is None:
                return

    async def scan(
        self, scan: TableScan, item_bytes: float | None
    ) -> AsyncIterator[Sequence[ReadItem]]:
        """Yield all items of the table, page by page. Raise Retryable.

        A page costs no more than the limit allows in a second. `item_bytes` is the size of an item,
        if it is known.
        """
        size = ScanPageSize(self._limit, item_bytes)
        after: Raw | None = None
        while True:
            items = size.items(self._clock.now())
            answer = await self.call(partial(scan.page, 0, 1, after, items))
            size.learn(len(answer.items), answer.capacity)
            yield answer.items
            after = answer.after
            if after is None:
                return

    async def call(self, call: Callable[[], Awaitable[TableAnswer]]) -> TableAnswer:
        """Return the answer of a call, made when the limit allows it. Raise Retryable."""
        return await self._patience.answer(partial(self._once, call))

    async def _once(self, call: Callable[[], Awaitable[TableAnswer]]) -> TableAnswer:
        await self._clock.sleep(self._limit.wait(self._clock.now()))
        sent_at = self._clock.now()  # from here on the units are paid for, not from the answer
        try:
            answer = await call()
        except Retryable as error:
            if error.reason == THROTTLED:
                self._limit.throttled(self._clock.now(), sent_at)
            raise
        self._limit.used(sent_at, answer.capacity)
        if answer.unread:
            self._limit.throttled(self._clock.now(), sent_at)
        return answer
