"""What a mapping of the stream is told, and that a fit one is told nothing but what it is."""

from __future__ import annotations

import json
from functools import partial
from typing import Any

import pytest
from msgspec.structs import replace

from consumer.core.preflight.check_result import Severity
from consumer.core.preflight.mapping import judge_mapping
from tests.unit.core.preflight.mapped import FIT, FUNCTION, OF_QUEUE, STREAM, TERMS, route, told_by

BY_KEYS = json.dumps(
    {"Filters": [{"Pattern": '{"dynamodb": {"Keys": {"id": {"S": [{"prefix": "a"}]}}}}'}]}
)

FINE, DOUBTFUL, WRONG = Severity.FINE, Severity.DOUBTFUL, Severity.WRONG

told = partial(told_by, judge_mapping)


def test_a_fit_mapping() -> None:
    found = judge_mapping(FIT, TERMS)
    assert {each.severity for each in found} == {FINE}
    assert {each.dependency for each in found} == {"mapping"}
    assert {each.remedy for each in found} == {""}
    assert found[0].result == STREAM


@pytest.mark.parametrize(
    ("mapping", "terms", "severity", "says", "remedy"),
    [
        ({"source": STREAM.replace("orders", "bills")}, {}, WRONG, "table bills", "CONSUMER_TABLE"),
        (
            {"source": STREAM + "1"},
            {"table": None, "stream_arn": STREAM},
            WRONG,
            f"CONSUMER_STREAM_ARN is {STREAM}",
            "new one",
        ),
        ({"source": "arn:aws:kinesis:a:1:stream/b"}, {}, WRONG, "kinesis", "DynamoDB table"),
        ({"reports": False, "bisects": False}, {}, WRONG, "is lost", "ReportBatchItemFailures"),
        (
            {"reports": False, "bisects": False},
            {"partial": False},
            DOUBTFUL,
            "whole batch",
            "ReportBatchItemFailures, and only then CONSUMER_LAMBDA_PARTIAL=true",
        ),
        (
            {"bisects": False},
            {"partial": False},
            DOUBTFUL,
            "whole batch",
            "set CONSUMER_LAMBDA_PARTIAL=true",
        ),
        ({"bisects": False}, {}, DOUBTFUL, "ends the process", "BisectBatchOnFunctionError"),
        ({"lanes": 2}, {}, DOUBTFUL, "ordering key is id", "CONSUMER_ORDERING_KEY"),
        ({"lanes": 2}, {"routes": (route(),)}, DOUBTFUL, "is the partition key", "to 1"),
        ({"lanes": 2}, {"routes": (route("id", "line"),)}, FINE, "by id, line", ""),
        ({"filters": BY_KEYS}, {}, FINE, "by keys", ""),
        ({"filters": '{"Filters": [{"Pattern": "{"}]}'}, {}, WRONG, "FilterCriteria: ", "correct"),
        (
            {"filters": '{"Filters": [{"Pattern": "{\\"eventName\\": [\\"INSERT\\"]}"}]}'},
            {},
            WRONG,
            "more than keys",
            "dynamodb.Keys",
        ),
        ({"hidden_filters": True}, {}, DOUBTFUL, "encrypted", "their key"),
        ({"start": "LATEST"}, {}, WRONG, "missed", "TRIM_HORIZON"),
        ({}, {"start": "LATEST"}, WRONG, "CONSUMER_START is latest", "time"),
        ({"batch_size": 10, "window": 60}, {}, FINE, "up to 10, gathered for 60 s", ""),
        ({"window": 61}, {}, DOUBTFUL, "61 s", "MaximumBatchingWindowInSeconds"),
        ({"tumbling_window": 30}, {}, WRONG, "without records", "TumblingWindowInSeconds"),
        ({"counts_events": False}, {}, DOUBTFUL, "no alarm", "EventCount"),
        ({"state": "Updating"}, {}, DOUBTFUL, "it is Updating", "Enabled"),
        ({"state": "Disabled"}, {}, WRONG, "it is Disabled: nothing is published", "enable it"),
        ({"last_result": "PROBLEM: x"}, {}, DOUBTFUL, "PROBLEM: x", "logs"),
        ({"function": f"{FUNCTION}:live"}, {}, DOUBTFUL, "the alias live", "RoutingConfig"),
    ],
)
def test_each_finding_says_what_to_do(
    mapping: dict[str, Any], terms: dict[str, Any], severity: Severity, says: str, remedy: str
) -> None:
    ((found, result, do),) = told(mapping, terms)
    assert found is severity
    assert says in result
    assert remedy in do
    assert bool(do) is (severity is not FINE)


def test_an_outage_that_raises_is_bisected() -> None:
    for reports in (True, False):
        found = told({"reports": reports}, {"partial": False})
        assert [each[0] for each in found] == [DOUBTFUL, DOUBTFUL]
        assert "single records" in found[1][1]
        assert "BisectBatchOnFunctionError to false" in found[1][2]


@pytest.mark.parametrize("qualifier", ["", ":$LATEST", ":7"])
@pytest.mark.parametrize("result", ["", "OK", "No records processed"])
def test_versions_and_results_without_a_finding(qualifier: str, result: str) -> None:
    assert told({"function": FUNCTION + qualifier, "last_result": result}, {}) == []


def test_a_stream_is_compared_with_the_arn_of_the_settings() -> None:
    assert told({}, {"table": None, "stream_arn": STREAM}) == []


def test_each_route_is_judged_by_its_own_ordering_key() -> None:
    routes = (route("id", "line", name="x", single=False), route("id", name="y", single=False))
    found = told({"lanes": 4}, {"routes": routes})
    results = [each[1] for each in found if "lanes" in each[1] or "Parallel" in each[1]]
    assert results[0] == "x (a.b): 4 lanes, in order by id, line"
    assert results[1].startswith("y (a.b): ParallelizationFactor 4 keeps order by item")


def test_a_mapping_of_a_queue_is_one_for_redrive() -> None:
    first, *others = judge_mapping(OF_QUEUE, TERMS)
    assert first.severity is WRONG
    assert others == []
    disabled = replace(OF_QUEUE, state="Disabled")
    accepted, found = judge_mapping(disabled, replace(TERMS, redrive_by_mapping=True))
    assert accepted.severity is FINE
    assert "it is Disabled" in found.result
