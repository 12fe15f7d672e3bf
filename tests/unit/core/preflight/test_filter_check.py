"""What `consumer check` says of a filter."""

import pytest

from consumer.core.event.event import Category
from consumer.core.preflight.check_result import Severity
from consumer.core.preflight.filter_check import judge_filter
from consumer.core.routes.filters.lambda_filter import read_filter

VIEW = {"item": {"status": {"S": ["mary.smith"]}}}


@pytest.mark.parametrize(
    ("value", "severity", "words"),
    [
        (VIEW, Severity.FINE, ["view"]),
        ({"dynamodb": {"Keys": {"pk": {"S": ["mary.smith"]}}}}, Severity.FINE, ["by keys"]),
        ({"Filters": []}, Severity.FINE, ["everything"]),
        ({"item": {"n": {"N": [7]}}}, Severity.DOUBTFUL, ["item.n.N"]),
        ({"dynamodb": {"NewImage": {"s": {"S": ["mary.smith"]}}}}, Severity.DOUBTFUL, ["REMOVE"]),
        ({"dynamodb": {"OldImage": {"s": {"S": ["mary.smith"]}}}}, Severity.DOUBTFUL, ["leave"]),
        ({"eventName": ["INSERT"]}, Severity.DOUBTFUL, ["leave"]),
        (
            {"dynamodb": {"NewImage": {"n": {"N": [7]}}}},
            Severity.DOUBTFUL,
            ["dynamodb.NewImage.n.N", "leave"],
        ),
    ],
)
def test_each_doubt_has_a_line_with_a_remedy(
    value: object, severity: Severity, words: list[str]
) -> None:
    found = judge_filter(read_filter(value, from_yaml=False))
    assert [result.severity for result in found] == [severity] * len(words)
    for result, word in zip(found, words, strict=True):
        assert result.dependency == "filter"
        assert word in result.result
        assert (result.remedy == "") == (severity is Severity.FINE)
        assert "mary" not in result.result + result.remedy


def test_readers_of_an_outbox_are_told_of_no_items() -> None:
    sent = read_filter({"dynamodb": {"NewImage": {"n": {"N": [7]}}}}, from_yaml=False)
    (found,) = judge_filter(sent, Category.BUSINESS)
    assert found.result.startswith("dynamodb.NewImage.n.N: ")
    (fine,) = judge_filter(read_filter(VIEW), Category.BUSINESS)
    assert (fine.severity, fine.result) == (
        Severity.FINE,
        "each inserted item that matches is an event",
    )
