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
    from consumer.core.stream.stream import StreamPage
    from consumer.settings.settings import Settings

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


async def look(nakadi: Nakadi, settings: Settings, page: StreamPage | None) -> Preflight:
    """Ask Nakadi. `page` describes the stream, None if it is not known. Raises Retryable."""
    name = settings.event_type
    status, body, flow_id = await nakadi.event_type()
    if status != 200:
        refusal = event_type_refusal(name, status, flow_id)
        return Preflight([refusal], _guess(settings, page), seen=False)
    definition = parse_definition(body)
    if definition is None:
        raise Retryable("an answer that is no event type", "malformed_answer")
    results = judge(name, definition, None if page is None else shape(settings, page))
    if definition.partition_strategy != "hash":
        return Preflight(results, Partitioning(steady=False), seen=True)
    names = await nakadi.partitions()
    partitioning = Partitioning(definition.partition_key_fields, names)
    return Preflight(results, partitioning, seen=True)


async def before_start(nakadi: Nakadi, settings: Settings, page: StreamPage) -> Partitioning:
    """Raises Misconfigured if the event type can never take these events; warns of the rest.

    An event type that is absent, or that we may not see, stops nobody from starting: it says so
    when it is published to, and is probed until it is there.
    """
    try:
        async with asyncio.timeout(START_SECONDS):
            found = await look(nakadi, settings, page)
    except (Retryable, TimeoutError) as error:
        reason = error.reason if isinstance(error, Retryable) else "timeout"
        log.warning(
            "event_type_not_checked",
            event_type=settings.event_type,
            reason=reason,
            action="none: it is published to as soon as it answers",
        )
        return _guess(settings, page)
    for result in found.results:
        if result.severity is Severity.WRONG and found.seen:
            raise Misconfigured(f"CONSUMER_EVENT_TYPE: {result.result}; {result.remedy}")
        if result.severity is not Severity.FINE:
            log.warning("event_type_doubtful", result=result.result, action=result.remedy)
    return found.partitioning


def shape(settings: Settings, page: StreamPage) -> EventShape:
    """What the events of these settings, from this stream, have."""
    return EventShape(
        form=settings.event_format(page.stream.arn, page.key_attributes[0]),
        keys=page.key_attributes,
        whole_deletes=page.view_type is ViewType.NEW_AND_OLD_IMAGES,
    )


def _guess(settings: Settings, page: StreamPage | None) -> Partitioning:
    """Most event types are partitioned by what their events are ordered by."""
    if page is None:
        return Partitioning()
    fields = settings.ordering_key or page.key_attributes[:1]
    return Partitioning(tuple(_path(settings, field) for field in fields))


def _path(settings: Settings, attribute: str) -> str:
    return f"{ITEM}.{attribute}" if settings.layout is Layout.NESTED else attribute
