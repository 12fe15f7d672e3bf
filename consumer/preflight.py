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

from consumer.core.event.event import Layout
from consumer.core.preflight.check_result import Finding, Verdict, event_type_refusal
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
"""Longest preflight at start: without it the service starts with a warning."""


@dataclass(frozen=True, slots=True)
class Preflight:
    """The findings, and how the event type assigns events to partitions, as far as is known.

    `seen` says that Nakadi has shown the definition, so that a wrong one will stay wrong.
    """

    findings: list[Finding]
    partitioning: Partitioning
    seen: bool


async def look(nakadi: Nakadi, settings: Settings, page: StreamPage | None) -> Preflight:
    """Compare the event type with the events of these settings. Raise Retryable.

    `page` describes the stream; without it, the events are not compared.
    """
    name = settings.event_type
    status, body, flow_id = await nakadi.event_type()
    if status != 200:
        refusal = event_type_refusal(name, status, flow_id)
        return Preflight([refusal], _guess(settings, page), seen=False)
    definition = parse_definition(body)
    if definition is None:
        raise Retryable("an answer that is no event type", "malformed_answer")
    findings = judge(name, definition, None if page is None else shape(settings, page))
    if definition.partition_strategy != "hash":
        return Preflight(findings, Partitioning(steady=False), seen=True)
    names = await nakadi.partitions()
    partitioning = Partitioning(definition.partition_key_fields, names)
    return Preflight(findings, partitioning, seen=True)


async def before_start(nakadi: Nakadi, settings: Settings, page: StreamPage) -> Partitioning:
    """Check the event type and return its partitioning; log warnings for doubtful findings.

    An event type that is absent, or that we may not read, does not prevent the start: it is tried
    again until it can be published to. Raise Misconfigured if it can never take these events.
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
            action="none: events are published as soon as it answers",
        )
        return _guess(settings, page)
    for finding in found.findings:
        if finding.verdict is Verdict.WRONG and found.seen:
            raise Misconfigured(f"CONSUMER_EVENT_TYPE: {finding.result}; {finding.remedy}")
        if finding.verdict is not Verdict.FINE:
            log.warning("event_type_doubtful", result=finding.result, action=finding.remedy)
    return found.partitioning


def shape(settings: Settings, page: StreamPage) -> EventShape:
    """Return what the events of these settings, from this stream, have."""
    return EventShape(
        form=settings.event_format(page.stream.arn, page.key_attributes[0]),
        keys=page.key_attributes,
        whole_deletes=page.view_type is ViewType.NEW_AND_OLD_IMAGES,
    )


def _guess(settings: Settings, page: StreamPage | None) -> Partitioning:
    """Return a guess: most event types are partitioned by the ordering key of their events."""
    if page is None:
        return Partitioning()
    fields = settings.ordering_key or page.key_attributes[:1]
    return Partitioning(tuple(_path(settings, field) for field in fields))


def _path(settings: Settings, attribute: str) -> str:
    return f"{ITEM}.{attribute}" if settings.layout is Layout.NESTED else attribute
