"""What `consumer check` says of a filter."""

import pytest

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
