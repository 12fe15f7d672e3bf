"""The intake: a page's records become tickets of the backlog, in order.

Ownership: the shard's reader owns it. What the cursor skips is settled in its place in the order.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from consumer.runtime.publishing.backlog import Content

if TYPE_CHECKING:
    from consumer.core.backlog.watermark import AckWatermark
    from consumer.core.event.event import Event, Unbuildable
    from consumer.core.event.transcode import Transcoder
    from consumer.core.shard.cursor import Cursor
    from consumer.core.stream.page import Page
    from consumer.runtime.shard.gaps import GapRecorder
    from consumer.runtime.shard.relay import Relay

SLICE = 200
"""Records transcoded in one go; between slices heartbeats and answers get their turn."""

INSIDE_GAP = ("already_read", "before_seek")
"""A record skipped for one of these reasons does not end a gap."""

NO_TIME = float("inf")
"""Stands for a creation time that cannot be read: never older than the stream's start."""


class Intake:
    """Takes in the pages of one shard."""

    def __init__(
        self,
        *,
        relay: Relay,
        cursor: Cursor,
        watermark: AckWatermark,
        transcoder: Transcoder,
        gaps: GapRecorder,
    ) -> None:
        self._relay = relay
        self._cursor = cursor
        self._watermark = watermark
        self._transcoder = transcoder
        self._gaps = gaps
        self._crowded: set[tuple[str, str]] = set()  # event type, key

    @property
    def blocked(self) -> str | None:
        """What keeps the shard from reading on: `hot_key`, `watermark`, or nothing."""
        if self._crowded:
            crowd, outlets = self._relay.crowd(), self._relay.backlog.outlets
            self._crowded = {
                (name, key)
                for name, key in self._crowded
                if outlets[name].queue.pending(key) > crowd[name]
            }
        if self._crowded:
            return "hot_key"
        return "watermark" if self._watermark.full else None

    async def take_in(self, page: Page) -> None:
        """Open a ticket for every record of the page that is to be published."""
        records = page.records
        self._relay.metrics.records_read.inc(len(records))
        for start in range(0, len(records), SLICE):
            if start:
                await asyncio.sleep(0)
            await self._add(self._transcoder.transcode(records[start : start + SLICE]))

    async def _add(self, contents: list[Event | Unbuildable]) -> None:
        cursor, watermark = self._cursor, self._watermark
        fresh: list[tuple[int, Event | Unbuildable]] = []
        for content in contents:
            sequence, created_at = content.sequence, content.created_at
            if sequence is None:
                # Unreadable: it stands with the record before it.
                fresh.append((fresh[-1][0] if fresh else watermark.opened or 0, content))
                continue
            skipped = cursor.read(sequence, NO_TIME if created_at is None else created_at)
            if skipped not in INSIDE_GAP and self._gaps.open:
                await self._gaps.close(sequence)
            if skipped is None:
                fresh.append((sequence, content))
                continue
            self._relay.metrics.records_skipped.labels(reason=skipped).inc()
            self._push(fresh)
            fresh = []
            if skipped != "already_read":
                watermark.skip(sequence, created_at)
        self._push(fresh)

    def _push(self, fresh: list[tuple[int, Event | Unbuildable]]) -> None:
        if fresh:
            relay, clock = self._relay, self._relay.clock
            (outlet,) = relay.backlog.outlets.values()
            wall = clock.wall()
            contents = [
                Content(
                    sequence,
                    wall if content.created_at is None else content.created_at,
                    ((outlet, content),),
                )
                for sequence, content in fresh
            ]
            self._crowded |= relay.backlog.add(
                self._watermark, contents, clock.now(), relay.crowd()
            )
