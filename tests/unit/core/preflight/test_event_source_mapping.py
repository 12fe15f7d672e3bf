"""Mappings and functions are read as the AWS CLI prints them, and nothing else is."""

from __future__ import annotations

import json
from typing import Any

import pytest

from consumer.core.preflight.event_source_mapping import (
    EventSourceMapping,
    FunctionConfiguration,
    function_of,
    read_function,
    read_mapping,
)
from tests.unit.core.preflight.mapped import FIT_FUNCTION, FUNCTION, OF_QUEUE, QUEUE, STREAM

MAPPING: dict[str, Any] = {
    "UUID": "14e0db71-5d35-4eb5-b481-8945cf9d10c2",
    "StartingPosition": "TRIM_HORIZON",
    "BatchSize": 500,
    "MaximumBatchingWindowInSeconds": 1,
    "ParallelizationFactor": 2,
    "EventSourceArn": STREAM,
    "FilterCriteria": {"Filters": [{"Pattern": "{}"}]},
    "FunctionArn": FUNCTION,
    "LastModified": "2026-11-01T09:30:00.123000+01:00",
    "LastProcessingResult": "OK",
    "State": "Disabling",
    "StateTransitionReason": "User action",
    "DestinationConfig": {"OnFailure": {"Destination": "arn:aws:s3:::thrown-away"}},
    "MaximumRecordAgeInSeconds": 82_800,
    "BisectBatchOnFunctionError": True,
    "MaximumRetryAttempts": 7,
    "TumblingWindowInSeconds": 30,
    "FunctionResponseTypes": ["ReportBatchItemFailures"],
    "MetricsConfig": {"Metrics": ["EventCount"]},
}
CONFIGURATION: dict[str, Any] = {
    "FunctionName": "order-relay",
    "FunctionArn": FUNCTION,
    "Runtime": "python3.13",
    "Timeout": 120,
    "MemorySize": 512,
    "Environment": {"Variables": {"CONSUMER_TABLE": "orders"}},
}


def text(value: object) -> bytes:
    return json.dumps(value).encode()


def test_a_mapping_of_a_stream() -> None:
    assert read_mapping(text(MAPPING)) == EventSourceMapping(
        STREAM,
        FUNCTION,
        "Disabling",
        "OK",
        reports=True,
        bisects=True,
        attempts=7,
        record_age=82_800,
        destination="arn:aws:s3:::thrown-away",
        lanes=2,
        batch_size=500,
        window=1,
        tumbling_window=30,
        filters='{"Filters":[{"Pattern":"{}"}]}',
        counts_events=True,
    )


def test_what_a_mapping_leaves_out_has_the_default_of_lambda() -> None:
    least = {"EventSourceArn": STREAM, "FunctionArn": FUNCTION}
    assert read_mapping(text(least)) == EventSourceMapping(STREAM, FUNCTION)
    empty = {"FilterCriteria": {"Filters": []}, "DestinationConfig": {"OnFailure": {}}}
    assert read_mapping(text(least | empty)) == EventSourceMapping(STREAM, FUNCTION)
    hidden = {"FilterCriteriaError": {"ErrorCode": "KMSAccessDeniedException"}}
    assert read_mapping(text(least | hidden)).hidden_filters


def test_a_mapping_of_a_queue() -> None:
    found = {
        "EventSourceArn": QUEUE,
        "FunctionArn": FUNCTION,
        "BatchSize": 10,
        "FunctionResponseTypes": ["ReportBatchItemFailures"],
        "ScalingConfig": {"MaximumConcurrency": 2},
    }
    assert read_mapping(text(found | {"BatchSize": 100})) == OF_QUEUE


def test_a_function() -> None:
    assert read_function(text(CONFIGURATION)) == FunctionConfiguration(
        FUNCTION, 120, 512, "python3.13", {"CONSUMER_TABLE": "orders"}
    )
    least = {"FunctionArn": FUNCTION}
    assert read_function(text(least)) == FunctionConfiguration(FUNCTION)
    assert FIT_FUNCTION.variables == {}
    failed = {"Environment": {"Error": {"ErrorCode": "AccessDeniedException"}}}
    assert read_function(text(least | failed)).variables is None
    odd = {"Environment": {"Variables": {"A": 1, "B": "b"}}}
    assert read_function(text(least | odd)).variables == {"B": "b"}


@pytest.mark.parametrize(
    "other",
    [
        b"",
        b"{",
        b"[]",
        text({"EventSourceMappings": [MAPPING]}),
        text(CONFIGURATION),
        text(MAPPING | {"FunctionArn": None}),
    ],
)
def test_what_is_no_mapping(other: bytes) -> None:
    with pytest.raises(ValueError, match=r"^the JSON object that `aws lambda get-event-source-m"):
        read_mapping(other)


@pytest.mark.parametrize("other", [b"{", text({"Configuration": CONFIGURATION}), text(MAPPING)])
def test_what_is_no_function(other: bytes) -> None:
    with pytest.raises(ValueError, match=r"^the JSON object that `aws lambda get-function-config"):
        read_function(other)


def test_a_number_that_is_none() -> None:
    with pytest.raises(ValueError, match=r"^a whole number in BatchSize$"):
        read_mapping(text(MAPPING | {"BatchSize": "many"}))


@pytest.mark.parametrize(
    ("arn", "found"),
    [
        (FUNCTION, (FUNCTION, "")),
        (f"{FUNCTION}:$LATEST", (FUNCTION, "$LATEST")),
        (f"{FUNCTION}:live", (FUNCTION, "live")),
        ("order-relay", ("order-relay", "")),
    ],
)
def test_the_qualifier_of_a_function(arn: str, found: tuple[str, str]) -> None:
    assert function_of(arn) == found
