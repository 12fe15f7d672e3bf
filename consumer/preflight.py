"""The preflight: does the event type take the events that these settings make?

It is asked at start and by `consumer check`. Events that Nakadi would always refuse are reported
before the first one is sent. Everything that the preflight cannot see, Nakadi reports later, event
by event.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import structlog
from msgspec import Struct

from consumer.core.event.event import Category, Layout
from consumer.core.preflight.change_members import STREAM
from consumer.core.preflight.check_result import CheckResult, Severity, event_type_refusal
from consumer.core.preflight.event_definition import judge, parse_definition, shut_out
from consumer.core.preflight.event_shape import ITEM, EventShape
from consumer.core.preflight.route_check import called
from consumer.core.publishing.placement import Partitioning
from consumer.core.stream.stream import ViewType
from consumer.errors import Misconfigured, Retryable
from consumer.observability.actions import TRUST_FOR_NAKADI

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from consumer.adapters.nakadi import Nakadi
    from consumer.core.routes.route import Route

log = structlog.get_logger()

_ACTIONS = {"tls": TRUST_FOR_NAKADI}
"""By the reason why the event type could not be checked."""

START_SECONDS = 3.0
"""Longest preflight of all event types at start: without it one is started with a warning."""


class Preflight(Struct, frozen=True):
    """The findings, and how the event type assigns events to partitions, as far as is known.

    `seen` says that Nakadi has shown the definition, so that a wrong one will stay wrong.
    `without_stream` says that it would take the events if they did not name their stream, as those
    of version 0.1.0.
    """

    results: list[CheckResult]
    partitioning: Partitioning
    seen: bool
    without_stream: bool = False

    @property
    def wrong(self) -> CheckResult | None:
        """Why the events of the route can never be stored, None if they can as far as is known."""
        wrong = (each for each in self.results if each.severity is Severity.WRONG)
        return next(wrong, None) if self.seen else None


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
    without_stream = known is not None and STREAM in shut_out(definition, known)
    if definition.partition_strategy != "hash":
        return Preflight(results, Partitioning(steady=False), True, without_stream)
    names = await nakadi.partitions()
    in_data = category is Category.DATA
    partitioning = Partitioning(definition.partition_key_fields, names, in_data=in_data)
    return Preflight(results, partitioning, True, without_stream)


class UnfitDefinition(Struct, frozen=True):
    """A definition that can never take its route's events, as long as it is as it was.

    It is the port `Definition`. `wrong` is what was found at the start.
    """

    nakadi: Nakadi
    route: Route
    view_type: ViewType
    wrong: CheckResult

    async def ask(self) -> Partitioning | CheckResult | None:
        """Ask again. Where reading is refused, as at a start: Nakadi says what it thinks later."""
        try:
            found = await _look_soon(self.nakadi, self.route, self.view_type)
        except Retryable:
            return None
        if any(each.severity is Severity.UNREACHABLE for each in found.results):
            return None
        return found.wrong or found.partitioning


class Started(Struct, frozen=True):
    """What is known of the event types before the start, by event type."""

    partitionings: Mapping[str, Partitioning]
    unfit: Mapping[str, UnfitDefinition]


async def before_start(
    nakadis: Mapping[str, Nakadi],
    routes: Sequence[Route],
    view_type: ViewType,
    *,
    first_to_name: bool = False,
) -> Started:
    """Check all event types at the same time; log warnings for doubtful results.

    `nakadis` are by event type. One that is absent, or that we may not read, does not prevent the
    start: it is tried again until it can be published to. One that can never take its route's
    events is unfit. Raise Misconfigured if all are.

    The `first_to_name` its stream in events, which begins the roll from a version that did not,
    also raises it for one that takes only what the workers before publish: they shall go on.
    """
    partitionings: dict[str, Partitioning] = {}
    unfit: dict[str, UnfitDefinition] = {}
    halting: list[Route] = []

    async def check(route: Route) -> None:
        nakadi, name = nakadis[route.event_type], route.event_type
        try:
            found = await _look_soon(nakadi, route, view_type)
        except Retryable as error:
            log.warning(
                "event_type_not_checked",
                event_type=name,
                reason=error.reason,
                action=_ACTIONS.get(
                    error.reason, "nothing; events are published as soon as it answers"
                ),
            )
            found = Preflight([], guess(route), seen=False)
        partitionings[name] = found.partitioning
        for result in found.results:
            if result is found.wrong:
                unfit[name] = UnfitDefinition(nakadi, route, view_type, result)
                if first_to_name and found.without_stream:
                    halting.append(route)
            elif result.severity is not Severity.FINE:
                log.warning("event_type_doubtful", result=result.result, action=result.remedy)

    async with asyncio.TaskGroup() as tasks:
        for route in routes:
            tasks.create_task(check(route))
    if halting or len(unfit) == len(routes):
        first = halting[0] if halting else routes[0]
        wrong = unfit[first.event_type].wrong
        none = not halting and len(routes) > 1
        others = f" (and none of the {len(routes)} routes can publish)" if none else ""
        raise Misconfigured(f"{first.setting()}: {wrong.result}{others}; {wrong.remedy}")
    return Started(partitionings, unfit)


async def _look_soon(nakadi: Nakadi, route: Route, view_type: ViewType) -> Preflight:
    """Compare the event type with the events of a route in a short time. Raise Retryable."""
    try:
        async with asyncio.timeout(START_SECONDS):
            return await look(nakadi, route, view_type)
    except TimeoutError:
        raise Retryable(f"no answer within {START_SECONDS:g} s", "timeout") from None


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
    names = [form.key_name(name) for name in form.ordering_key]
    if form.body is not None or None in names:
        return Partitioning(in_data=in_data)
    prefix = f"{ITEM}." if form.layout is Layout.NESTED else ""
    return Partitioning(tuple(f"{prefix}{name}" for name in names), in_data=in_data)
