"""Reading back: `GET /event-types/{name}/events` from cursors, and the partitions."""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from aiohttp import web

from localdev.nakadi.answers import json_answer, json_bytes
from localdev.nakadi.body_reader import number, read_objects
from localdev.nakadi.cursors import distance, start_positions
from localdev.nakadi.log import EventLog, offset_text
from localdev.nakadi.problem import ProblemError
from localdev.nakadi.request_body import plain_body
from localdev.nakadi.stored_form import stored_text

if TYPE_CHECKING:
    from localdev.nakadi.event_type import EventType
    from localdev.nakadi.local_nakadi import LocalNakadi

STREAM = "application/x-json-stream"
_WARNING = (
    "299 - nakadi - the Low-level API is deprecated and will be removed from a future release. "
    "Please consider migrating to the Subscriptions API."
)
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


class ReadRoutes:
    """Handlers that read events of one local Nakadi."""

    def __init__(self, nakadi: LocalNakadi) -> None:
        self._nakadi = nakadi

    def routes(self) -> list[web.RouteDef]:
        """Return the routes."""
        return [
            web.get("/event-types/{name}/partitions", self.partitions),
            web.get("/event-types/{name}/partitions/{partition}", self.partition),
            web.get("/event-types/{name}/events", self.events),
            web.post("/event-types/{name}/cursor-distances", self.distances),
        ]

    async def partitions(self, request: web.Request) -> web.Response:
        """All partitions with their oldest and newest offsets."""
        log = self._nakadi.event_types.find(request.match_info["name"]).log
        return json_answer([_partition(log, name) for name in log.partitions])

    async def partition(self, request: web.Request) -> web.Response:
        """One partition."""
        log = self._nakadi.event_types.find(request.match_info["name"]).log
        name = request.match_info["partition"]
        if name not in log.partitions:
            raise ProblemError(404, "partition not found")
        return json_answer(_partition(log, name))

    async def events(self, request: web.Request) -> web.StreamResponse:
        """Stream events of some partitions, one line a batch."""
        options = stream_options(request)
        event_type = self._nakadi.event_types.get(request.match_info["name"])
        if event_type is None:
            raise ProblemError(404, "topic not found")
        positions = start_positions(
            event_type.name, event_type.log, request.headers.get("X-nakadi-cursors")
        )
        options.check()
        response = web.StreamResponse(headers={"Content-Type": STREAM, "Warning": _WARNING})
        await response.prepare(request)
        with contextlib.suppress(ConnectionError):  # the reader has gone
            await _Stream(event_type, positions, options).run(response)
        return response

    async def distances(self, request: web.Request) -> web.Response:
        """How many events lie between pairs of cursors."""
        event_type = self._nakadi.event_types.find(request.match_info["name"])
        pairs = read_objects(await plain_body(request))
        return json_answer([distance(event_type.name, event_type.log, pair) for pair in pairs])


def _partition(log: EventLog, name: str) -> dict[str, str]:
    return {
        "oldest_available_offset": offset_text(0),
        "newest_available_offset": offset_text(len(log.partitions[name]) - 1),
        "partition": name,
    }


def stream_options(request: web.Request) -> StreamOptions:
    """Read the query parameters; a number that is none is a 400."""
    query = request.query
    timeout = number(query.get("stream_timeout"), 0)
    return StreamOptions(
        batch_limit=number(query.get("batch_limit"), _BATCH_LIMIT),
        stream_limit=number(query.get("stream_limit"), 0),
        keep_alive_limit=number(query.get("stream_keep_alive_limit"), 0),
        flush=number(query.get("batch_flush_timeout"), 0) or _FLUSH_SECONDS,
        timeout=timeout if 0 < timeout <= _STREAM_SECONDS_MAX else _STREAM_SECONDS_MAX,
    )


class _Stream:
    """One reader: what it was sent, and when each of its partitions is due again."""

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
        """Whether what is stored already fills what may still be sent."""
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
