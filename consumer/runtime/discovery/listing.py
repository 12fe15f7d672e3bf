"""Reads the complete shard listing of a stream, page by page, at most two pages a second.

Rule: one listing at a time in this process; who asks while one is under way that began before the
question waits for the next.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING

from consumer.core.leases.sweep import PAGE_SECONDS
from consumer.errors import Retryable, ShardNotFound

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from consumer.core.stream.stream import Stream, StreamPage
    from consumer.ports import Clock, StreamClient

MAX_PAGES = 10_000
"""A million shards; more is a listing that does not end."""


@dataclass(frozen=True, slots=True)
class Listed:
    """A complete listing. `page` is its last one, None where the stream does not exist."""

    shard_ids: frozenset[str]
    page: StreamPage | None
    asked_at: float

    @property
    def enabled(self) -> bool:
        """The stream takes new changes."""
        return self.page is not None and self.page.enabled


class ShardListing:
    """DescribeStream, paged and paced."""

    def __init__(self, streams: StreamClient, clock: Clock) -> None:
        self._streams = streams
        self._clock = clock
        self._turn = asyncio.Lock()
        self._next_page_at = 0.0
        self._latest: dict[str, Listed] = {}

    async def complete(
        self, stream: Stream, visit: Callable[[StreamPage], Awaitable[None]]
    ) -> Listed:
        """List all shards; each page is visited as it comes. Raises Retryable."""
        async with self._turn:
            return await self._list(stream, visit)

    async def fresh(self, stream: Stream) -> Listed:
        """A complete listing that began after this call; callers share it. Raises Retryable."""
        asked_at = self._clock.now()
        async with self._turn:
            latest = self._latest.get(stream.arn)
            if latest is not None and latest.asked_at >= asked_at:
                return latest
            return await self._list(stream, _ignore)

    async def _list(self, stream: Stream, visit: Callable[[StreamPage], Awaitable[None]]) -> Listed:
        asked_at = self._clock.now()
        shard_ids: set[str] = set()
        after: str | None = None
        page: StreamPage | None = None
        for _ in range(MAX_PAGES):
            await self._pace()
            try:
                page = await self._streams.describe_stream(stream, after)
            except ShardNotFound:
                # The stream itself does not exist any more: no shard of it does.
                listed = Listed(frozenset(), None, asked_at)
                break
            shard_ids.update(shard.shard_id for shard in page.shards)
            await visit(page)
            if page.last_evaluated is None:
                listed = Listed(frozenset(shard_ids), page, asked_at)
                break
            if page.last_evaluated == after:
                raise Retryable("a listing page leads to itself", "listing")
            after = page.last_evaluated
        else:
            raise Retryable(f"a listing of more than {MAX_PAGES} pages", "listing")
        self._latest[stream.arn] = listed
        return listed

    async def _pace(self) -> None:
        now = self._clock.now()
        start = max(now, self._next_page_at)
        self._next_page_at = start + PAGE_SECONDS
        if start > now:
            await self._clock.sleep(start - now)


async def _ignore(_page: StreamPage) -> None:
    """Only the ids are wanted."""
