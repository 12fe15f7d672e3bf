"""Reading back: `GET /event-types/{name}/events` from cursors, and the partitions."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass

from aiohttp import web

from localdev.nakadi.answers import json_answer, json_bytes
from localdev.nakadi.event_type import EventType
from localdev.nakadi.local_nakadi import LocalNakadi
from localdev.nakadi.log import EventLog, offset_text
from localdev.nakadi.problem import ProblemError
from localdev.nakadi.stored_form import stored_text

STREAM = "application/x-json-stream"
BEGIN = "BEGIN"
_POLL_SECONDS = 0.02
_STREAM_SECONDS_MAX = 3600.0
_FLUSH_SECONDS = 30.0
_BATCH_LIMIT = 1


@dataclass(slots=True)
class StreamOptions:
    """Query parameters of a stream: events per line, events in all (0: no limit), seconds."""

    batch_limit: int
    stream_limit: int
    flush: float
    timeout: float


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
        ]

    async def partitions(self, request: web.Request) -> web.Response:
        """All partitions with their oldest and newest offsets."""
        log = self._nakadi.event_type(request.match_info["name"]).log
        return json_answer([_partition(log, name) for name in log.partitions])

    async def partition(self, request: web.Request) -> web.Response:
        """One partition."""
        log = self._nakadi.event_type(request.match_info["name"]).log
        name = request.match_info["partition"]
        if name not in log.partitions:
            raise ProblemError(404, "partition not found")
        return json_answer(_partition(log, name))

    async def events(self, request: web.Request) -> web.StreamResponse:
        """Stream events of some partitions, one line a batch."""
        event_type = self._nakadi.event_types.get(request.match_info["name"])
        if event_type is None:
            raise ProblemError(404, "topic not found")
        options = stream_options(request)
        positions = start_positions(event_type.log, request.headers.get("X-nakadi-cursors"))
        response = web.StreamResponse(headers={"Content-Type": STREAM})
        await response.prepare(request)
        await _stream(response, event_type, positions, options)
        return response


def _partition(log: EventLog, name: str) -> dict[str, str]:
    return {
        "partition": name,
        "oldest_available_offset": offset_text(0),
        "newest_available_offset": offset_text(len(log.partitions[name]) - 1),
    }


def stream_options(request: web.Request) -> StreamOptions:
    """Read and check the query parameters."""

    def number(name: str, default: float) -> float:
        text = request.query.get(name)
        try:
            return default if text is None else int(text)
        except ValueError:
            raise ProblemError(
                400,
                "Failed to convert value of type 'java.lang.String' to required type "
                "'java.lang.Integer'; nested exception is java.lang.NumberFormatException: "
                f'For input string: "{text}"',
            ) from None

    batch = int(number("batch_limit", _BATCH_LIMIT))
    limit = int(number("stream_limit", 0))
    timeout = number("stream_timeout", 0)
    flush = number("batch_flush_timeout", _FLUSH_SECONDS)
    if limit and limit < batch:
        raise ProblemError(422, "stream_limit can't be lower than batch_limit")
    if timeout and timeout < flush:
        raise ProblemError(422, "stream_timeout can't be lower than batch_flush_timeout")
    if batch < 1:
        raise ProblemError(422, "batch_limit can't be lower than 1")
    return StreamOptions(batch, limit, flush, timeout or _STREAM_SECONDS_MAX)


def start_positions(log: EventLog, header: str | None) -> dict[str, int]:
    """Return the offset after which each wanted partition is read."""
    if header is None:
        return {name: len(events) - 1 for name, events in log.partitions.items()}
    try:
        cursors = json.loads(header)
        wanted = {str(cursor["partition"]): str(cursor["offset"]) for cursor in cursors}
    except (ValueError, TypeError, KeyError):
        raise ProblemError(400, "incorrect syntax of X-nakadi-cursors header") from None
    if not wanted:
        raise ProblemError(412, "invalid cursor format, partition: null offset: null")
    return {name: _position(log, name, offset) for name, offset in wanted.items()}


def _position(log: EventLog, name: str, offset: str) -> int:
    if name not in log.partitions:
        raise ProblemError(412, "non existing partition null")
    if offset == BEGIN:
        return -1
    number = offset.rpartition("-001-")[2] if "--" not in offset else "-1"
    number = offset.split("-", 2)[-1] if offset.count("-") >= 2 else number
    try:
        position = int(number)
    except ValueError:
        raise ProblemError(412, f"invalid offset {offset} for partition {name}") from None
    if position >= len(log.partitions[name]):
        raise ProblemError(412, f"offset {offset} for partition {name} is unavailable")
    return position


async def _stream(
    response: web.StreamResponse,
    event_type: EventType,
    positions: dict[str, int],
    options: StreamOptions,
) -> None:
    clock = asyncio.get_running_loop().time
    ends = clock() + options.timeout
    flushes = dict.fromkeys(positions, clock() + options.flush)
    sent = 0
    while clock() < ends:
        await asyncio.sleep(_POLL_SECONDS)
        over = clock() >= ends
        for partition in positions:
            due = over or clock() >= flushes[partition]
            taken = list(event_type.log.after(partition, positions[partition], options.batch_limit))
            if not due and len(taken) < options.batch_limit:
                continue
            if taken:
                positions[partition] = taken[-1].offset
            texts = [stored_text(event_type, event) for event in taken if not event.tombstone]
            await response.write(_batch_line(partition, positions[partition], texts))
            flushes[partition] += options.flush
            sent += len(texts)
            if options.stream_limit and sent >= options.stream_limit:
                return


def _batch_line(partition: str, offset: int, texts: list[str]) -> bytes:
    cursor = json_bytes({"partition": partition, "offset": offset_text(offset)})
    events = f',"events":[{",".join(texts)}]' if texts else ""
    return b'{"cursor":' + cursor + events.encode(errors="replace") + b"}\n"
