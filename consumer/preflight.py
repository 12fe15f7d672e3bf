"""The preflight: does the event type take the events that these settings make?

It is asked at start and by `consumer check`. Events that Nakadi would always refuse are reported
before the first one is sent. Everything that the preflight cannot see, Nakadi reports later, event
by event.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING

import structlog

from consumer.core.event.event import Category, Layout
from consumer.core.preflight.check_result import CheckResult, Severity, event_type_refusal
from consumer.core.preflight.event_definition import judge, parse_definition
from consumer.core.preflight.event_shape import ITEM, EventShape, member_of
from consumer.core.preflight.route_check import called
from consumer.core.publishing.placement import Partitioning
from consumer.core.stream.stream import ViewType
from consumer.errors import Misconfigured, Retryable
from consumer.observability.actions import TRUST_FOR_NAKADI

if TYPE_CHECKING:
    from collections.abc import Iterable

    from consumer.adapters.nakadi import Nakadi
    from consumer.core.routes.route import Route

log = structlog.get_logger()

_ACTIONS = {"tls": TRUST_FOR_NAKADI}
"""By the reason why the event type could not be checked."""

START_SECONDS = 3.0
"""Longest preflight at start: without it the service starts with a warning."""


@dataclass(frozen=True, slots=True)
class Preflight:
    """The findings, and how the event type assigns events to partitions, as far as is known.

    `seen` says that Nakadi has shown the definition, so that a wrong one will stay wrong.
    """

    results: list[CheckResult]
    partitioning: Partitioning
    seen: bool


async def look(nakadi: Nakadi, route: Route, view_type: ViewType | None) -> Preflight:
    """Compare the event type with the events of a route. Raise Retryable.

    `view_type` is the stream's; without it, the events are not compared.
    """
    name, category = called(route), route.format.category
    status, body, flow_id = await nakadi.event_type()
    if status != 200:
        refusal = event_type_refusal(name, status, flow_id, route.setting("event_type"))
        return Preflight([refusal], guess(route), seen=False)
    definition = parse_definition(body)
    if definition is None:
        raise Retryable("an answer that is no event type", "malformed_answer")
    known = None if view_type is None else shape(route, view_type)
    results = judge(name, definition, known, category)
    if definition.partition_strategy != "hash":
        return Preflight(results, Partitioning(steady=False), seen=True)
    names = await nakadi.partitions()
    in_data = category is Category.DATA
    partitioning = Partitioning(definition.partition_key_fields, names, in_data=in_data)
    return Preflight(results, partitioning, seen=True)


async def before_start(nakadi: Nakadi, route: Route, view_type: ViewType) -> Partitioning:
    """Check the event type and return its partitioning; log warnings for doubtful results.

    An event type that is absent, or that we may not read, does not prevent the start: it is tried
    again until it can be published to. Raise Misconfigured if it can never take these events.
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
            action=_ACTIONS.get(reason, "nothing; events are published as soon as it answers"),
        )
        return guess(route)
    for result in found.results:
        if result.severity is Severity.WRONG and found.seen:
            raise Misconfigured(f"CONSUMER_EVENT_TYPE: {result.result}; {result.remedy}")
        if result.severity is not Severity.FINE:
            log.warning("event_type_doubtful", result=result.result, action=result.remedy)
    return found.partitioning


def tell_doubts(routes: Iterable[Route]) -> None:
    """Log a warning for each part of a filter that never matches, or always does."""
    for route in routes:
        for place, reason in () if route.filter is None else route.filter.doubts:
            log.warning(
                "filter_doubtful",
                setting=route.setting("filter"),
                place=place,
                detail=reason,
                action="repair the filter, unless this is meant; `consumer check` shows it, too",
            )


def shape(route: Route, view_type: ViewType) -> EventShape:
    """Return what the events of a route, from a stream with this view type, have."""
    whole_deletes = view_type is ViewType.NEW_AND_OLD_IMAGES
    return EventShape(
        route.format, route.keys, whole_deletes=whole_deletes, crossings=crosses(route)
    )


def crosses(route: Route) -> bool:
    """Return whether events say that items enter or leave what the event type shows."""
    is_data = route.format.category is Category.DATA  # others are made of inserted items only
    return is_data and route.filter is not None and route.filter.crosses(route.keys)


def guess(route: Route) -> Partitioning:
    """Return a guess: most event types are partitioned by the ordering key of their events.

    There is none where a part of the ordering key is not shown.
    """
    form = route.format
    in_data = form.category is Category.DATA
    names = [member_of(form, name) for name in form.ordering_key]
    if form.body is not None or None in names:
        return Partitioning(in_data=in_data)
    prefix = f"{ITEM}." if form.layout is Layout.NESTED else ""
    return Partitioning(tuple(f"{prefix}{name}" for name in names), in_data=in_data)
