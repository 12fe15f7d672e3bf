"""A mapping, a function and settings in which nothing is wrong."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from msgspec.structs import replace

from consumer.core.event.event import EventFormat
from consumer.core.limits import PublishLimits
from consumer.core.preflight.event_source_mapping import (
    EventSourceMapping,
    FunctionConfiguration,
    LambdaTerms,
)
from consumer.core.routes.route import Route

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from consumer.core.preflight.check_result import CheckResult, Severity

STREAM = "arn:aws:dynamodb:eu-central-1:123456789012:table/orders/stream/2026-11-01T09:30:00.000"
FUNCTION = "arn:aws:lambda:eu-central-1:123456789012:function:order-relay"
QUEUE = "arn:aws:sqs:eu-central-1:123456789012:letters"

FIT = EventSourceMapping(
    STREAM,
    FUNCTION,
    reports=True,
    bisects=True,
    record_age=82_800,
    destination="arn:aws:s3:::thrown-away",
    counts_events=True,
)
OF_QUEUE = EventSourceMapping(QUEUE, FUNCTION, reports=True, concurrency=2)
FIT_FUNCTION = FunctionConfiguration(FUNCTION, 120, 512, "python3.13")


def route(*key: str, name: str = "a.b", age: float | None = 72_000.0, single: bool = True) -> Route:
    form = EventFormat("a.b", key)
    return Route("a.b", form, PublishLimits(max_record_age=age), name=name, single=single)


TERMS = LambdaTerms(
    partial=True,
    table="orders",
    stream_arn=None,
    start="TRIM_HORIZON",
    request=40.0,
    letter_queue="https://sqs.eu-central-1.amazonaws.com/123456789012/letters",
    routes=(route("id"),),
)


def told_by(
    judge: Callable[[EventSourceMapping, LambdaTerms], Iterable[CheckResult]],
    mapping: dict[str, Any],
    terms: dict[str, Any],
) -> list[tuple[Severity, str, str]]:
    """What a judge says that it does not say of a fit mapping."""
    usual = [*judge(FIT, TERMS)]
    found = judge(replace(FIT, **mapping), replace(TERMS, **terms))
    return [(each.severity, each.result, each.remedy) for each in found if each not in usual]
