"""`POST /event-types/{name}/events` and `.../deleted-events`, faults included."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING

from aiohttp import web

from localdev.nakadi.control.faults import Fault, FaultKind, Target
from localdev.nakadi.control.faulty_answer import CLOSED, faulty_answer
from localdev.nakadi.http.answers import JSON, json_answer, problem_answer
from localdev.nakadi.http.flow_id import HEADER
from localdev.nakadi.http.negotiation import charset, items_type, media_type
from localdev.nakadi.http.problem import ProblemError
from localdev.nakadi.http.request_body import text_of
from localdev.nakadi.publishing.batch import Event, parse_batch
from localdev.nakadi.publishing.consumer_tag import HEADER as CONSUMER_TAG
from localdev.nakadi.publishing.consumer_tag import check_consumer_tag
from localdev.nakadi.publishing.outcome import Outcome, Source, item, judge, refuse_marked, store

if TYPE_CHECKING:
    from localdev.nakadi.control.request_log import PublishRequest
    from localdev.nakadi.local_nakadi import LocalNakadi

NO_STATUS = 0
_AVRO = "application/avro-binary"


@dataclass(frozen=True, slots=True)
class _Batch:
    """A request's body as text and its events.

    If there are none: why, `early` before Nakadi looked at the body. A `binary` one is not looked
    at: its events are Avro's.
    """

    text: str
    events: list[Event]
    early: ProblemError | None = None
    problem: ProblemError | None = None
    binary: bool = False


async def publish(
    nakadi: LocalNakadi, request: web.Request, *, deletion: bool
) -> web.StreamResponse:
    """Answer one publishing request and keep its entry in the request log."""
    name = request.match_info["name"]
    raw = await request.read()
    entry = nakadi.requests.begin(name, request[HEADER], len(raw))
    status = NO_STATUS
    try:
        response = await _with_faults(nakadi, request, entry, raw, deletion=deletion)
        status = NO_STATUS if CLOSED in request else response.status
    except ProblemError as problem:
        status = problem.status
        raise
    else:
        return response
    finally:
        nakadi.requests.end(entry, status)


async def _with_faults(
    nakadi: LocalNakadi,
    request: web.Request,
    entry: PublishRequest,
    raw: bytes,
    *,
    deletion: bool,
) -> web.StreamResponse:
    batch = _parse(request, raw, deletion=deletion)
    known = nakadi.event_types.get(entry.event_type)
    entry.eids = [event.eid for event in batch.events]
    if known is not None:
        entry.keys = [known.key_of(event.value) for event in batch.events]
    fault = nakadi.faults.take(_target(entry, batch))
    if fault is None:
        return _answer(request, await _ordinary(nakadi, entry, batch, None, deletion=deletion))
    entry.fault = fault.number
    partial = fault.kind is FaultKind.PARTIAL
    if fault.when == "before" and not partial:
        await asyncio.sleep(fault.delay)
        if fault.kind in (FaultKind.STATUS, FaultKind.RESET):
            return faulty_answer(request, fault)
    try:
        outcome = await _under(fault, nakadi, entry, batch, deletion=deletion)
        response = _answer(request, outcome)
    except ProblemError as problem:
        response = problem_answer(problem)
    if fault.when == "after" or (partial and response.status == 207):
        await asyncio.sleep(fault.delay)
    if fault.kind in (FaultKind.STATUS, FaultKind.RESET):
        return faulty_answer(request, fault)
    if fault.kind is FaultKind.TRUNCATE:
        return await _truncated(request, response, batch)
    return response


async def _under(
    fault: Fault, nakadi: LocalNakadi, entry: PublishRequest, batch: _Batch, *, deletion: bool
) -> Outcome:
    """Return the outcome of a request that a fault has struck."""
    if fault.kind is not FaultKind.ITEMS:
        partial = fault if fault.kind is FaultKind.PARTIAL else None
        return await _ordinary(nakadi, entry, batch, partial, deletion=deletion)
    if fault.status == 422:
        return _some_items(batch, fault, "aborted")
    outcome = await _ordinary(nakadi, entry, batch, None, deletion=deletion)
    return _some_items(batch, fault, "submitted") if outcome.status == 200 else outcome


def _some_items(batch: _Batch, fault: Fault, status: str) -> Outcome:
    """Return an answer that leaves events out, as Nakadi never does."""
    named = batch.events[fault.nth - 1 :: fault.nth]
    items = [item(event, status, "publishing", "", None) for event in named]
    return Outcome(fault.status, items)


def _parse(request: web.Request, raw: bytes, *, deletion: bool) -> _Batch:
    try:
        charset(request)
        binary = media_type(request) == _AVRO
        text = "" if binary else text_of(request, raw)
        if not deletion:
            check_consumer_tag(request.headers.get(CONSUMER_TAG))
    except ProblemError as problem:
        return _Batch(raw.decode(errors="replace"), [], early=problem)
    if binary:
        return _Batch(text, [], binary=True)
    try:
        return _Batch(text, parse_batch(text))
    except ProblemError as problem:
        return _Batch(text, [], problem=problem)


def _target(entry: PublishRequest, batch: _Batch) -> Target:
    return Target("publish", entry.event_type, batch.text, entry.bytes, len(batch.events))


async def _ordinary(
    nakadi: LocalNakadi,
    entry: PublishRequest,
    batch: _Batch,
    partial: Fault | None,
    *,
    deletion: bool,
) -> Outcome:
    """Check and store in Nakadi's order: blocked comes first, then the body, then its events."""
    if batch.early is not None:
        raise batch.early
    if entry.event_type in nakadi.blocked:
        raise ProblemError(403, "Application or event type is blocked")
    if batch.problem is not None:
        raise batch.problem
    event_type = nakadi.event_types.find(entry.event_type)
    if batch.binary and deletion and not event_type.compacted:
        raise ProblemError(422, "It is not allowed to delete events from non compacted event type")
    if batch.binary:
        raise ProblemError(400, None)
    rejects = nakadi.faults.rejects(_target(entry, batch))
    if rejects:
        refuse_marked(batch.events, rejects)
    judged = judge(event_type, batch.events, rejects, deletion=deletion)
    if isinstance(judged, Outcome):
        return judged
    source = Source(entry.number, entry.flow_id, deletion, nakadi.keep_text)
    outcome = store(event_type, judged, source, partial)
    if outcome.status == 207 and partial is None:
        await asyncio.sleep(nakadi.storage_wait)
    return outcome


def _answer(request: web.Request, outcome: Outcome) -> web.Response:
    """Return the items in a type that the client takes; what is stored stays stored."""
    if outcome.status == 200:
        return web.Response()
    content_type = items_type(request)
    if content_type is None:
        return web.Response(status=outcome.status)
    return json_answer(outcome.items, outcome.status, content_type)


async def _truncated(
    request: web.Request, response: web.Response, batch: _Batch
) -> web.StreamResponse:
    """Send half of a body and close; an empty 200 becomes a 207 whose items are all submitted."""
    body, status = response.body, response.status
    if not isinstance(body, bytes) or not body:
        items = [item(event, "submitted", "publishing", "", None) for event in batch.events]
        whole = json_answer(items, 207)
        body, status = whole.body, whole.status
    assert isinstance(body, bytes)  # noqa: S101 - it is set three lines above
    cut = web.StreamResponse(status=status, headers={"Content-Type": JSON})
    cut.content_length = len(body)
    await cut.prepare(request)
    await cut.write(body[: len(body) // 2])
    request[CLOSED] = True
    if request.transport is not None:
        request.transport.close()
    return cut
