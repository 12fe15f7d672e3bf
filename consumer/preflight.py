"""The preflight: does the event type take the events that these settings make?

Asked once at start and by `consumer check`. What Nakadi refuses for ever is told before the first
event; what it does not tell now it will tell later, event by event.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING

import structlog

from consumer.core.event.event import Layout
from consumer.core.preflight.check_result import CheckResult, Severity, event_type_refusal
from consumer.core.preflight.event_definition import ITEM, EventShape, judge, parse_definition
from consumer.core.publishing.placement import Partitioning
from consumer.core.stream.stream import ViewType
from consumer.errors import Misconfigured, Retryable

if TYPE_CHECKING:
    from consumer.adapters.nakadi import Nakadi
    from consumer.core.routes.route import Route

log = structlog.get_logger()

START_SECONDS = 3.0
"""A service that starts waits no longer for what is only a warning."""


@dataclass(frozen=True, slots=True)
class Preflight:
    """What was found, and how the event type spreads its events, as far as it told.

    `seen`: Nakadi showed the definition, so a wrong one is wrong for good.
    """

    results: list[CheckResult]
    partitioning: Partitioning
    seen: bool


async def look(nakadi: Nakadi, route: Route, view_type: ViewType | None) -> Preflight:
    """Ask Nakadi. `view_type` is the stream's, None if it is not known. Raises Retryable."""
    name = route.event_type
    status, body, flow_id = await nakadi.event_type()
    if status != 200:
        refusal = event_type_refusal(name, status, flow_id)
        return Preflight([refusal], _guess(route), seen=False)
    definition = parse_definition(body)
    if definition is None:
        raise Retryable("an answer that is no event type", "malformed_answer")
    results = judge(name, definition, None if view_type is None else shape(route, view_type))
    if definition.partition_strategy != "hash":
        return Preflight(results, Partitioning(steady=False), seen=True)
    names = await nakadi.partitions()
    partitioning = Partitioning(definition.partition_key_fields, names)
    return Preflight(results, partitioning, seen=True)


async def before_start(nakadi: Nakadi, route: Route, view_type: ViewType) -> Partitioning:
    """Raises Misconfigured if the event type can never take these events; warns of the rest.

    An event type that is absent, or that we may not see, stops nobody from starting: it says so
    when it is published to, and is probed until it is there.
    """
    try:
        async with asyncio.timeout(START_SECONDS):
            found = await look(nakadi, route, view_type)
    except (Retryable, TimeoutError) as error:
        reason = error.reason if isinstance(error, Retryable) else "timeout"
        log.warning(
            "event_type_not_checked",
            event_type=route.event_type,
            reason=reason,
            action="none: it is published to as soon as it answers",
        )
        return _guess(route)
    for result in found.results:
        if result.severity is Severity.WRONG and found.seen:
            raise Misconfigured(f"CONSUMER_EVENT_TYPE: {result.result}; {result.remedy}")
        if result.severity is not Severity.FINE:
            log.warning("event_type_doubtful", result=result.result, action=result.remedy)
    return found.partitioning


def shape(route: Route, view_type: ViewType) -> EventShape:
    """Return what the events of a route, from a stream with this view type, have."""
    whole_deletes = view_type is ViewType.NEW_AND_OLD_IMAGES
    return EventShape(form=route.format, keys=route.keys, whole_deletes=whole_deletes)


def _guess(route: Route) -> Partitioning:
    """Most event types are partitioned by what their events are ordered by."""
    prefix = f"{ITEM}." if route.format.layout is Layout.NESTED else ""
    return Partitioning(tuple(f"{prefix}{name}" for name in route.format.ordering_key))
