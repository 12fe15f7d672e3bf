"""Background work of the server: it splits shards and removes old records."""

import asyncio
import time
from random import Random
from typing import Final

from localdev.streams.model.stream import Stream
from localdev.streams.model.streams_model import StreamsModel

OPEN_SHARDS: Final = 256  # with this many open shards, a stream's shards rotate and do not split
RETENTION_TICK_SECONDS: Final = 1.0


async def age_shards(
    model: StreamsModel, every: float, random: Random, stop: asyncio.Event
) -> None:
    """Close one open shard of each stream at each interval; two in three of them split."""
    while not await _stopped(stop, every):
        for stream in model.streams.values():
            if stream.enabled:
                replace_one(stream, time.time(), random)


def replace_one(stream: Stream, now: float, random: Random) -> None:
    """Close one open shard, with one child, two or three."""
    shard = random.choice(stream.open_shards)
    children = random.choice((1, 2, 3)) if len(stream.open_shards) < OPEN_SHARDS else 1
    stream.replace(shard.shard_id, now, children)


async def forget_old(model: StreamsModel, retention: float, stop: asyncio.Event) -> None:
    """Forget records written, and shards closed, more than `retention` seconds ago."""
    while not await _stopped(stop, RETENTION_TICK_SECONDS):
        model.retain(time.time(), retention)


async def _stopped(stop: asyncio.Event, seconds: float) -> bool:
    """Wait for a time, or until the server stops; return whether it stops."""
    try:
        async with asyncio.timeout(seconds):
            await stop.wait()
    except TimeoutError:
        return False
    return True
