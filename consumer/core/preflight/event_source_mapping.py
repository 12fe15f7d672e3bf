"""An event source mapping of Lambda, and the function behind it, as the AWS CLI prints them.

Both are JSON, of `aws lambda get-event-source-mapping` and of `get-function-configuration`. What
AWS leaves out has the default that AWS gives it.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

import orjson
from msgspec import Struct, field

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from consumer.core.routes.route import Route

UNLIMITED: Final = -1
"""How AWS writes that attempts, or ages, have no limit."""

TRIM_HORIZON: Final = "TRIM_HORIZON"
ENABLED: Final = "Enabled"

LATEST_VERSION: Final = "$LATEST"
"""Qualifier of the version that can be changed, which is called where none is named."""

STREAM: Final = re.compile(r"arn:[^:]+:dynamodb:[^:]*:[^:]*:table/(?P<table>[^/]+)/stream/.+")
QUEUE: Final = re.compile(r"arn:[^:]+:sqs:(?P<region>[^:]*):(?P<account>[^:]*):(?P<name>[^:]+)")
_FUNCTION: Final = re.compile(r"(arn:[^:]+:lambda:[^:]*:[^:]*:function:[^:]+)(?::([^:]+))?")


class EventSourceMapping(Struct, frozen=True):
    """What matters of a mapping. `source` and `function` are ARNs; times are whole seconds.

    `filters` is its FilterCriteria as JSON, None if it has none. `hidden_filters` says that AWS
    could not show them. `concurrency` is the MaximumConcurrency of a queue's mapping.
    """

    source: str
    function: str
    state: str = ENABLED
    last_result: str = ""
    reports: bool = False
    bisects: bool = False
    attempts: int = UNLIMITED
    record_age: int = UNLIMITED
    destination: str | None = None
    lanes: int = 1
    start: str = TRIM_HORIZON
    batch_size: int = 100
    window: int = 0
    tumbling_window: int = 0
    filters: str | None = None
    hidden_filters: bool = False
    concurrency: int | None = None
    counts_events: bool = False


class FunctionConfiguration(Struct, frozen=True):
    """What matters of a function. `timeout` is seconds, `memory` MiB.

    `runtime` is empty for an image. `variables` is None where AWS could not decrypt them.
    """

    arn: str
    timeout: int = 3
    memory: int = 128
    runtime: str = ""
    variables: Mapping[str, str] | None = field(default_factory=dict)


class LambdaTerms(Struct, frozen=True):
    """The settings that a mapping must fit, beside what the routes have.

    `partial` is CONSUMER_LAMBDA_PARTIAL. `letter_queue` is the URL of the dead letter queue, and
    `request` the longest time in seconds for one publishing request. With `redrive_by_mapping` the
    operator has accepted that a mapping empties the dead letter queue.
    """

    partial: bool
    table: str | None
    stream_arn: str | None
    start: str
    request: float
    letter_queue: str | None
    routes: Sequence[Route] = ()
    redrive_by_mapping: bool = False


def read_mapping(text: bytes) -> EventSourceMapping:
    """Return the mapping in a JSON text. Raise ValueError with what was wanted."""
    found = _object(text, "get-event-source-mapping")
    source, function = _text(found, "EventSourceArn"), _text(found, "FunctionArn")
    if not source or not function:
        raise _other("get-event-source-mapping")
    destination = _member(_member(found, "DestinationConfig"), "OnFailure")
    scaling, metrics = _member(found, "ScalingConfig"), _member(found, "MetricsConfig")
    criteria = _member(found, "FilterCriteria")
    return EventSourceMapping(
        source,
        function,
        _text(found, "State") or ENABLED,
        _text(found, "LastProcessingResult"),
        "ReportBatchItemFailures" in _list(found, "FunctionResponseTypes"),
        found.get("BisectBatchOnFunctionError") is True,
        _number(found, "MaximumRetryAttempts", UNLIMITED),
        _number(found, "MaximumRecordAgeInSeconds", UNLIMITED),
        _text(destination, "Destination") or None,
        _number(found, "ParallelizationFactor", 1),
        _text(found, "StartingPosition") or TRIM_HORIZON,
        _number(found, "BatchSize", 100),
        _number(found, "MaximumBatchingWindowInSeconds", 0),
        _number(found, "TumblingWindowInSeconds", 0),
        orjson.dumps(criteria).decode() if _list(criteria, "Filters") else None,
        bool(_member(found, "FilterCriteriaError")),
        _number(scaling, "MaximumConcurrency", 0) or None,
        "EventCount" in _list(metrics, "Metrics"),
    )


def read_function(text: bytes) -> FunctionConfiguration:
    """Return the function in a JSON text. Raise ValueError with what was wanted."""
    found = _object(text, "get-function-configuration")
    arn = _text(found, "FunctionArn")
    if not arn or "EventSourceArn" in found:
        raise _other("get-function-configuration")
    environment = _member(found, "Environment")
    variables = _member(environment, "Variables")
    return FunctionConfiguration(
        arn,
        _number(found, "Timeout", 3),
        _number(found, "MemorySize", 128),
        _text(found, "Runtime"),
        None
        if "Error" in environment
        else {name: value for name, value in variables.items() if isinstance(value, str)},
    )


def function_of(arn: str) -> tuple[str, str]:
    """Return the ARN of a function without its qualifier, and the qualifier or an empty text."""
    found = _FUNCTION.fullmatch(arn)
    return (arn, "") if found is None else (found[1], found[2] or "")


def _object(text: bytes, printed_by: str) -> dict[str, object]:
    try:
        found: object = orjson.loads(text)
    except orjson.JSONDecodeError:
        found = None
    if not isinstance(found, dict):
        raise _other(printed_by)
    return found


def _other(printed_by: str) -> ValueError:
    return ValueError(f"the JSON object that `aws lambda {printed_by}` prints")


def _member(found: Mapping[str, object], name: str) -> dict[str, object]:
    """Return a member that is an object, empty if AWS left it out."""
    value = found.get(name)
    return value if isinstance(value, dict) else {}


def _list(found: Mapping[str, object], name: str) -> list[object]:
    value = found.get(name)
    return value if isinstance(value, list) else []


def _text(found: Mapping[str, object], name: str) -> str:
    value = found.get(name)
    return value if isinstance(value, str) else ""


def _number(found: Mapping[str, object], name: str, default: int) -> int:
    value = found.get(name)
    if value is None:
        return default
    if not isinstance(value, int):
        raise ValueError(f"a whole number in {name}")  # noqa: TRY004 - for the operator
    return value
