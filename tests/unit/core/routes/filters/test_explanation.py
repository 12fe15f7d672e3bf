import json
from typing import Any

import pytest
from msgspec import Raw

from consumer.core.routes.filters.explanation import first_failure
from consumer.core.routes.filters.lambda_filter import read_filter
from consumer.core.stream.record import StreamRecord, decode_record
from tests.reference.records import KEYS, record_of

LINES = {"L": [{"M": {"a": {"S": "x"}}}, {"M": {"b": {"S": "y"}}}]}
ITEM: dict[str, Any] = {"status": {"S": "PAID"}, "a": {"S": 7}, "lines": LINES} | KEYS


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (
            {"eventName": ["MODIFY"], "item": {"status": {"S": ["OPEN", {"prefix": "O"}]}}},
            "item.status.S: equals or prefix does not match",
        ),
        ({"item": {"status": ["PAID"]}}, "item.status: equals can never match"),
        (
            [{"eventName": ["INSERT"]}, {"eventName": ["REMOVE"]}],
            "none of 2 patterns matches; the first: eventName: equals does not match",
        ),
        (
            {"item": {"lines": {"L": {"M": {"a": {"S": ["x"]}, "b": {"S": ["y"]}}}}}},
            "each condition matches, but not all of them in the same element of a list",
        ),
        (
            {"item": {"a": {"S": ["7"]}}},
            "item.a.S: it cannot be read: dynamodb.NewImage: Expected `str`, got `int`",
        ),
    ],
)
def test_the_first_condition_that_failed(value: object, reason: str) -> None:
    assert explained(value, "MODIFY", KEYS, ITEM).removesuffix(" - at `$.a.S`") == reason


def test_a_delete_is_asked_about_the_item_before_it() -> None:
    value = {"item": {"status": {"S": ["PAID"]}, "id": {"S": ["x"]}}}
    assert explained(value, "REMOVE", ITEM, None) == "item.id.S: equals does not match"


def explained(value: object, name: str, old: Any, new: Any) -> str:
    record = decode_record(Raw(json.dumps(record_of(name, old, new)).encode()))
    assert isinstance(record, StreamRecord)
    return first_failure(read_filter(value), (), record, "arn")
