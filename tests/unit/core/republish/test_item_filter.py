"""A pattern of the operator's own says which items are published again."""

import json
from typing import Any

import pytest
from msgspec import Raw

from consumer.core.republish.item_filter import ItemFilter
from consumer.core.republish.table.read_item import ReadItem
from consumer.core.routes.filters.lambda_filter import read_filter_json

ARN = "arn:aws:dynamodb:eu-central-1:1:table/orders/stream/2026-11-01T09:30:00.000"


def takes(pattern: Any, item: Any) -> bool:
    asked = ItemFilter(read_filter_json(json.dumps(pattern)), ("pk",), ARN)
    keys = Raw(json.dumps({"pk": {"S": "o-1"}}).encode())
    text = item if isinstance(item, bytes) else json.dumps({"pk": {"S": "o-1"}, **item}).encode()
    return asked.takes(ReadItem(keys, Raw(text), 1_793_525_400.5))


@pytest.mark.parametrize(
    "pattern",
    [
        {"item": {"kind": {"S": ["ORDER"]}}},
        {"dynamodb": {"NewImage": {"kind": {"S": ["ORDER"]}}}},
        {"eventName": ["INSERT"], "dynamodb": {"Keys": {"pk": {"S": [{"prefix": "o-"}]}}}},
        [{"item": {"kind": {"S": ["x"]}}}, {"item": {"n": {"N": ["2", "3"]}}}],
    ],
)
def test_an_item_is_asked_as_its_insert(pattern: Any) -> None:
    assert takes(pattern, {"kind": {"S": "ORDER"}, "n": {"N": "2"}})


def test_what_does_not_match_is_left_out() -> None:
    assert not takes({"item": {"kind": {"S": ["ORDER"]}}}, {"kind": {"S": "LOCK"}})
    assert not takes({"eventName": ["MODIFY"]}, {})


def test_what_cannot_be_asked_is_taken() -> None:
    assert takes({"item": {"kind": {"S": ["ORDER"]}}}, b'{"pk":{"S":"o-1"},"kind":17}')
