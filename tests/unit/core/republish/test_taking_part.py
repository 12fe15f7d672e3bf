"""Which routes take part."""

from typing import Any

import pytest
from msgspec.structs import replace

from consumer.core.event.event import Category, EventFormat
from consumer.core.event.selection.attribute_path import read_path
from consumer.core.republish.taking_part import (
    CHANGED,
    NOT_NAMED,
    OUTBOX,
    taking_part,
    touched,
    unknown_names,
)
from tests.unit.core.republish.items import KEYS, STREAM_ARN, route

OUT = route("out", form=EventFormat("out", KEYS, category=Category.BUSINESS))
ALL = route("all")
NEVER = "its filter asks for {}, and an item is matched as its INSERT"


def others(asked: Any, *, removes: bool = False) -> list[str]:
    found = taking_part([route("r", asked)], (), STREAM_ARN, removes=removes)
    assert len(found.taking) + len(found.others) == 1
    return [reason for _, reason in found.others]


def test_all_take_part_but_an_outbox() -> None:
    found = taking_part([ALL, OUT], (), STREAM_ARN)
    assert found.taking == (ALL,)
    assert found.others == ((OUT, OUTBOX),)
    assert found.named == frozenset()


def test_those_that_are_named_take_part_if_they_can() -> None:
    other = route("other")
    found = taking_part([ALL, OUT, other], ["all", "out"], STREAM_ARN)
    assert found.taking == (ALL,)
    assert found.others == ((OUT, OUTBOX), (other, NOT_NAMED))
    assert found.named == {"all"}


@pytest.mark.parametrize(
    "asked",
    [
        {"eventName": ["INSERT", "MODIFY"]},
        {"eventName": ["MODIFY"], "eventSource": ["aws:dynamodb"]},
        {"dynamodb": {"OldImage": {"a": {"S": ["x"]}}}},
        {"dynamodb": {"NewImage": {"a": {"S": ["x"]}}, "SizeBytes": [{"numeric": [">", 0]}]}},
        {"item": {"a": {"S": ["x"]}}},
        {"userIdentity": {"type": [{"exists": False}]}},
    ],
)
def test_a_touch_is_taken_as_its_modify(asked: Any) -> None:
    assert touched([route("r", asked)], STREAM_ARN).others == ()


def test_whom_a_touch_cannot_reach() -> None:
    named = replace(ALL, changed=(read_path("a"),))
    inserts = route("inserts", {"eventName": ["INSERT"]})
    found = touched([ALL, OUT, named, inserts], STREAM_ARN)
    assert found.taking == (ALL,)
    never = "its filter asks for eventName, and a touch is a MODIFY"
    assert found.others == ((OUT, OUTBOX), (named, CHANGED), (inserts, never))


def test_an_unknown_name_is_told() -> None:
    assert unknown_names([ALL, OUT], ["all", "none", "out"]) == ["none"]


@pytest.mark.parametrize(
    "asked",
    [
        {"eventName": ["INSERT", "MODIFY"]},
        {"eventName": [{"anything-but": "REMOVE"}]},
        {"eventSource": ["aws:dynamodb"], "awsRegion": ["eu-central-1"]},
        {"eventSourceARN": [{"suffix": ".000"}]},
        {"userIdentity": {"type": [{"exists": False}]}},
        {"dynamodb": {"OldImage": {"a": {"S": [{"exists": False}]}}}},
        {"dynamodb": {"ApproximateCreationDateTime": [{"numeric": [">", 0]}]}},
        {"dynamodb": {"NewImage": {"a": {"S": ["x"]}}}},
        {"dynamodb": {"Keys": {"id": {"S": ["x"]}}}},
        {"item": {"a": {"S": ["x"]}}},
        [{"eventName": ["REMOVE"]}, {"item": {"a": {"S": ["x"]}}}],
    ],
)
def test_a_filter_that_an_insert_can_pass_takes_part(asked: Any) -> None:
    assert others(asked) == []


@pytest.mark.parametrize(
    ("asked", "path"),
    [
        ({"eventName": ["MODIFY", "REMOVE"]}, "eventName"),
        ({"eventSource": ["aws:kinesis"]}, "eventSource"),
        ({"awsRegion": ["us-east-1"]}, "awsRegion"),
        ({"userIdentity": {"type": ["Service"]}}, "userIdentity.type"),
        ({"dynamodb": {"SizeBytes": [{"numeric": [">", 7]}]}}, "dynamodb.SizeBytes"),
        ({"dynamodb": {"OldImage": {"a": {"S": ["x"]}}}}, "dynamodb.OldImage.a.S"),
        ({"dynamodb": {"NewImage": {"a": {"BOOL": ["x"]}}}}, "what no record has"),
    ],
)
def test_a_filter_that_no_insert_can_pass_never_does(asked: Any, path: str) -> None:
    assert others(asked) == [NEVER.format(path)]


def test_a_filter_that_only_a_remove_can_pass_does_where_items_are_gone() -> None:
    for asked in ({"eventName": ["REMOVE"]}, {"dynamodb": {"OldImage": {"a": {"S": ["x"]}}}}):
        assert others(asked, removes=True) == []
        assert len(others(asked)) == 1
    assert len(others({"userIdentity": {"type": ["Service"]}}, removes=True)) == 1
