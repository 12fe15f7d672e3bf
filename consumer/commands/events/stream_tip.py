"""Reads the tip of a stream for a while, without leases: what is written while somebody looks.

Each open shard is read from its newest record on, and its children from their first one. Every call
that fails is counted and tried again. The workers of the service lose nothing by it but speed.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import TYPE_CHECKING

from consumer.core.stream.stream import AtLatest, AtTrimHorizon
from consumer.errors import ExpiredIterator, Retryable, ShardNotFound, TrimmedData

if TYPE_CHECKING:
    from collections.abc import Callable

    from consumer.core.stream.page import Page
    from consumer.core.stream.stream import Position, Shard, StreamPage
    from consumer.ports import StreamClient

POLL_SECONDS = 1.0
"""Between two reads of a shard, which may be read five times a second by all together."""


class StreamTip:
    """The tip of one stream: `pages` that were read, and `failures`, counted by their reason.

    `last` has the last failure of each reason.

    `started` is called when all shards are being read: what is written from then on is shown.
    """

    def __init__(
        self,
        client: StreamClient,
        first: StreamPage,
        take: Callable[[Page], None],
        started: Callable[[int], None],
    ) -> None:
        self.failures: Counter[str] = Counter()
        self.last: dict[str, Retryable] = {}
        self.pages = 0
        self._client = client
        self._first = first
        self._take = take
        self._started = started
        self._waiting: set[str] = set()  # shards that have no iterator yet
        self._shards = 0

    async def read(self, seconds: float) -> None:
        """Read for this many seconds. Raise Retryable if the shards cannot be listed."""
        shards = [shard.shard_id for shard in await self._listed() if not shard.closed]
        self._waiting, self._shards = set(shards), len(shards)
        try:
            async with asyncio.timeout(seconds), asyncio.TaskGroup() as tasks:
                for shard_id in shards:
                    tasks.create_task(self._shard(tasks, shard_id, AtLatest()))
        except TimeoutError:
            pass

    async def _listed(self) -> list[Shard]:
        page = self._first
        shards = list(page.shards)
        while page.last_evaluated is not None:
            page = await self._client.describe_stream(page.stream, page.last_evaluated)
            shards += page.shards
        return shards

    async def _shard(self, tasks: asyncio.TaskGroup, shard_id: str, start: Position) -> None:
        """Read a shard to its end, then its children."""
        stream, iterator = self._first.stream, None
        while True:
            try:
                if iterator is None:
                    iterator, _ = await self._client.shard_iterator(stream, shard_id, start)
                    self._reached(shard_id)
                page = await self._client.get_records(iterator)
                self.pages += 1
                self._take(page)
                if page.next_iterator is None:
                    break
                iterator = page.next_iterator
            except (ExpiredIterator, TrimmedData):
                iterator, start = None, AtLatest()
            except Retryable as error:
                self._failed(error)
            except ShardNotFound:
                self._reached(shard_id)
                return
            await asyncio.sleep(POLL_SECONDS)
        for child in await self._children(shard_id):
            tasks.create_task(self._shard(tasks, child.shard_id, AtTrimHorizon()))

    def _failed(self, error: Retryable) -> None:
        self.failures[error.reason] += 1
        self.last[error.reason] = error

    def _reached(self, shard_id: str) -> None:
        """Note that a shard is being read, or gone."""
        if shard_id in self._waiting:
            self._waiting.remove(shard_id)
            if not self._waiting:
                self._started(self._shards)

    async def _children(self, shard_id: str) -> list[Shard]:
        """Return the children of a shard that has ended; they may be listed late."""
        while True:
            try:
                found = await self._client.child_shards(self._first.stream, shard_id)
                if found:
                    return list(found)
            except Retryable as error:
                self._failed(error)
            except ShardNotFound:
                return []
            await asyncio.sleep(POLL_SECONDS)
