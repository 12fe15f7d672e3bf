"""The stream of one reader: batches of events of some partitions, a line each, up to its limits."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING

from localdev.nakadi.event_types.log import offset_text
from localdev.nakadi.http.answers import json_bytes
from localdev.nakadi.http.body_reader import number
from localdev.nakadi.http.problem import ProblemError
from localdev.nakadi.reading.stored_form import stored_text

if TYPE_CHECKING:
    from aiohttp import web

    from localdev.nakadi.event_types.event_type import EventType

_POLL_SECONDS = 0.02
_STREAM_SECONDS_MAX = 3600.0
_FLUSH_SECONDS = 30.0
_BATCH_LIMIT = 1


@dataclass(slots=True)
class StreamOptions:
    """Query parameters of a stream: events per line, events in all, empty lines in a row.

    0 is no limit. `flush` and `timeout` are in seconds.
    """

    batch_limit: int
    stream_limit: int
    keep_alive_limit: int
    flush: float
    timeout: float

    def check(self) -> None:
        """Raise the 422 for limits that contradict each other."""
        if self.stream_limit and self.stream_limit < self.batch_limit:
            raise ProblemError(422, "stream_limit can't be lower than batch_limit")
        if self.timeout < self.flush:
            raise ProblemError(422, "stream_timeout can't be lower than batch_flush_timeout")
        if self.batch_limit < 1:
            raise ProblemError(422, "batch_limit can't be lower than 1")


def stream_options(request: web.Request) -> StreamOptions:
    """Return the options in a query; raise the 400 for a number that is none."""
    query = request.query
    timeout = number(query.get("stream_timeout"), 0)
    return StreamOptions(
        batch_limit=number(query.get("batch_limit"), _BATCH_LIMIT),
        stream_limit=number(query.get("stream_limit"), 0),
        keep_alive_limit=number(query.get("stream_keep_alive_limit"), 0),
        flush=number(query.get("batch_flush_timeout"), 0) or _FLUSH_SECONDS,
        timeout=timeout if 0 < timeout <= _STREAM_SECONDS_MAX else _STREAM_SECONDS_MAX,
    )


class EventStream:
    """The events sent to one reader, and the time at which each partition is due again."""

    def __init__(
        self, event_type: EventType, positions: dict[str, int], options: StreamOptions
    ) -> None:
        self._event_type = event_type
        self._positions = positions
        self._options = options
        self._sent = 0
        self._clock = asyncio.get_running_loop().time
        now = self._clock()
        self._ends = now + options.timeout
        self._flushes = dict.fromkeys(positions, now + options.flush)
        self._empty_lines = dict.fromkeys(positions, 0)

    async def run(self, response: web.StreamResponse) -> None:
        """Send full batches at once, the rest at each flush time-out, and end at a limit."""
        over = False
        while not over:
            await asyncio.sleep(_POLL_SECONDS)
            over = self._clock() >= self._ends or self._limit_in_sight()
            for partition in self._positions:
                while (line := self._line(partition, over=over)) is not None:
                    await response.write(line)
            over = over or self._only_keep_alives()

    def _limit_in_sight(self) -> bool:
        """Return whether the stored events reach the limit of what may still be sent."""
        partitions = self._event_type.log.partitions
        waiting = sum(
            len(partitions[name]) - 1 - position for name, position in self._positions.items()
        )
        return 0 < self._options.stream_limit <= self._sent + waiting

    def _only_keep_alives(self) -> bool:
        limit = self._options.keep_alive_limit
        return limit > 0 and min(self._empty_lines.values()) >= limit

    def _line(self, partition: str, *, over: bool) -> bytes | None:
        """Return the next line of a partition, None while it is not due."""
        limit, position = self._options.batch_limit, self._positions[partition]
        if self._options.stream_limit:
            limit = min(limit, self._options.stream_limit - self._sent)
        taken = list(self._event_type.log.after(partition, position, limit))
        due = self._clock() >= self._flushes[partition]
        if not due and not (taken and (over or len(taken) == limit)):
            return None
        if taken:
            self._positions[partition] = taken[-1].offset
        texts = [stored_text(self._event_type, event) for event in taken if not event.tombstone]
        # A full batch starts the time-out anew; else its turns keep their distance.
        since = self._flushes[partition] if due else self._clock()
        self._flushes[partition] = since + self._options.flush
        self._empty_lines[partition] = 0 if texts else self._empty_lines[partition] + 1
        self._sent += len(texts)
        return _batch_line(partition, self._positions[partition], texts)


def _batch_line(partition: str, offset: int, texts: list[str]) -> bytes:
    cursor = json_bytes({"partition": partition, "offset": offset_text(offset)})
    events = f',"events":[{",".join(texts)}]' if texts else ""
    return b'{"cursor":' + cursor + events.encode(errors="replace") + b"}\n"
