"""The listing: all shards of a stream, read page by page, at most two pages a second.

Rule: one listing at a time in this process. A caller of `fresh` is never given a listing that began
before its call.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from msgspec import Struct

from consumer.core.leases.streams.sweep import PAGE_SECONDS
from consumer.core.stream.absence import GONE_SECONDS
from consumer.errors import Retryable, ShardNotFound
from consumer.runtime.signal import Signal

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from consumer.core.stream.stream import Stream, StreamPage
    from consumer.ports import Clock, StreamClient

MAX_PAGES = 10_000
"""Pages after which a listing fails: a million shards, so it would not come to an end."""

GONE_PAUSE = 5.0
"""Seconds after which a stream that is said not to exist is asked for again, for GONE_SECONDS."""


class Listed(Struct, frozen=True):
    """A complete listing, begun at `asked_at` (clock).

    `page` is its last page, None if the stream does not exist; then it has no shards either.
    """

    shard_ids: frozenset[str]
    page: StreamPage | None
    asked_at: float

    @property
    def enabled(self) -> bool:
        """Whether the stream exists and records new changes."""
        return self.page is not None and self.page.enabled


class ShardListing:
    """Lists shards by DescribeStream, with a pause between two pages."""

    def __init__(self, streams: StreamClient, clock: Clock) -> None:
        self._streams = streams
        self._clock = clock
        self._lock = asyncio.Lock()
        self._next_page_at = 0.0
        self._last: dict[str, Listed] = {}
        self._gone: set[str] = set()  # streams that did not exist when they were last asked for
        self._stopping = False
        self._woken = Signal()

    def stop(self) -> None:
        """Wait no longer for a stream that is said not to exist."""
        self._stopping = True
        self._woken.notify()

    async def complete(
        self, stream: Stream, visit: Callable[[StreamPage], Awaitable[None]]
    ) -> Listed:
        """List all shards; await `visit` for each page as it comes. Raises Retryable."""
        async with self._lock:
            return await self._list(stream, visit)

    async def fresh(self, stream: Stream) -> Listed:
        """Return a complete listing that began after this call. Raises Retryable.

        Calls that wait at the same time share one listing.
        """
        asked_at = self._clock.now()
        async with self._lock:
            last = self._last.get(stream.arn)
            if last is not None and last.asked_at >= asked_at:
                return last
            return await self._list(stream, _ignore)

    async def _list(self, stream: Stream, visit: Callable[[StreamPage], Awaitable[None]]) -> Listed:
        asked_at = self._clock.now()
        shard_ids: set[str] = set()
        after: str | None = None
        page: StreamPage | None = None
        for _ in range(MAX_PAGES):
            await self._pace()
            page = await self._page(stream, after)
            if page is None:  # the stream no longer exists, so none of its shards does
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
        self._last[stream.arn] = listed
        return listed

    async def _page(self, stream: Stream, after: str | None) -> StreamPage | None:
        """Return a page; None if the stream does not exist, which one answer does not prove."""
        asked_at = self._clock.now()
        while True:
            try:
                page = await self._streams.describe_stream(stream, after)
            except ShardNotFound:
                lasts = self._clock.now() - asked_at >= GONE_SECONDS
                if lasts or stream.arn in self._gone:
                    self._gone.add(stream.arn)
                    return None
                await self._woken.wait(GONE_PAUSE)
                if self._stopping:
                    raise Retryable(f"{stream.arn}: it is said not to exist", "not_found") from None
                await self._pace()
            else:
                self._gone.discard(stream.arn)
                return page

    async def _pace(self) -> None:
        now = self._clock.now()
        start = max(now, self._next_page_at)
        self._next_page_at = start + PAGE_SECONDS
        if start > now:
            await self._clock.sleep(start - now)


async def _ignore(_page: StreamPage) -> None:
    """Do nothing with a page: the caller needs only the shard ids."""
