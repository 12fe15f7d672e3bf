import json
from typing import Any

import pytest
from msgspec import Raw

from consumer.core.routes.filters.branch import checks_of, compiled
from consumer.core.routes.filters.place import Source
from consumer.core.routes.filters.record_reader import RecordReader
from consumer.core.routes.language.json_tree import read_json, tree_of
from consumer.core.routes.language.pattern import read_pattern
from consumer.core.stream.record import StreamRecord, decode_record
from tests.reference.records import KEYS, record_of

ITEM: dict[str, Any] = {
    "status": {"S": "PAID"},
    "flag": {"BOOL": True},
    "tags": {"SS": ["x", "y"]},
    "none": {"SS": []},
    "lines": {
        "L": [
            {"M": {"a": {"S": "x"}, "b": {"S": "1"}, "of": {"L": [{"S": "p"}, {"S": "q"}]}}},
            {"M": {"a": {"S": "y"}, "b": {"S": "2"}, "c": {"S": "c"}}},
            {
                "M": {
                    "b": {"S": "1"},
                    "in": {
                        "L": [
                            {"M": {"s": {"S": "t"}, "u": {"S": "v"}}},
                            {"M": {"s": {"S": "T"}, "u": {"S": "V"}}},
                        ]
                    },
                    "of": {"L": [{"S": "r"}]},
                }
            },
        ]
    },
    "other": {"L": [{"S": "o"}, {"SS": ["m", "n"]}]},
}


def holds(item: dict[str, Any], *, more: dict[str, Any] | None = None) -> bool:
    """Whether a branch on the item holds of the record."""
    pattern = read_pattern(tree_of({"item": item} | (more or {})))
    [branch] = pattern.branches
    checks = checks_of(branch, Source.NEW_IMAGE)
    if checks is None:
        return False
    reader = RecordReader(check.place for check in checks)
    record = decode_record(Raw(json.dumps(record_of("MODIFY", KEYS, ITEM)).encode()))
    assert isinstance(record, StreamRecord)
    return compiled(checks, reader)(reader.read(record, "arn"))


ABSENT = {"exists": False}


@pytest.mark.parametrize(
    ("item", "expected"),
    [
        ({"status": {"S": ["PAID"]}}, True),
        ({"status": {"S": ["OPEN", "PAID"]}}, True),
        ({"status": {"S": ["OPEN"]}}, False),
        ({"status": {"S": [{"prefix": "X"}, "OPEN", {"suffix": "ID"}]}}, True),
        ({"status": {"S": [{"anything-but": "OPEN"}]}}, True),
        ({"nope": {"S": [{"anything-but": "OPEN"}]}}, False),
        ({"status": {"S": [ABSENT]}}, False),
        ({"nope": {"S": [ABSENT]}}, True),
        ({"nope": {"S": [ABSENT, "x"]}}, True),
        ({"status": {"S": [ABSENT, "PAID"]}}, True),
        ({"status": [ABSENT]}, True),
        ({"status": ["PAID"]}, False),
        ({"flag": {"BOOL": [True]}}, True),
        ({"flag": {"BOOL": [False]}}, False),
        ({"tags": {"SS": ["y"]}}, True),
        ({"tags": {"SS": ["z"]}}, False),
        ({"tags": {"SS": [{"anything-but": "x"}]}}, True),
        ({"tags": {"SS": [ABSENT]}}, False),
        ({"none": {"SS": [ABSENT]}}, True),
        ({"none": {"SS": ["x"]}}, False),
        ({"nope": {"SS": [ABSENT, "x"]}}, True),
        ({"status": {"S": ["PAID"]}, "flag": {"BOOL": [True]}}, True),
        ({"status": {"S": ["PAID"]}, "flag": {"BOOL": [False]}}, False),
        ({"status": {"S": ["PAID"]}, "flag": {"BOOL": [True]}, "tags": {"SS": ["x"]}}, True),
        ({"status": {"S": ["PAID"]}, "flag": {"BOOL": [True]}, "tags": {"SS": ["z"]}}, False),
    ],
)
def test_paths_outside_of_lists(item: dict[str, Any], expected: bool) -> None:
    assert holds(item) is expected


def line(**members: object) -> dict[str, Any]:
    return {"lines": {"L": {"M": {name: {"S": each} for name, each in members.items()}}}}


@pytest.mark.parametrize(
    ("item", "expected"),
    [
        (line(a=["x"]), True),
        (line(a=["z"]), False),
        (line(a=["x"], b=["1"]), True),
        (line(a=["x"], b=["2"]), False),
        (line(a=["x", "y"], b=["2"], c=["c"]), True),
        (line(a=["x"], b=["1"], c=["c"]), False),
        (line(b=["1"], c=[ABSENT]), True),
        (line(b=["2"], c=[ABSENT]), False),
        (line(a=[ABSENT]), False),  # no path before has chosen an element: it is asked of all
        (line(a=[ABSENT], b=["1"]), False),
        (line(z=[ABSENT], a=["y"]), True),
        (line(z=[ABSENT]), True),
        (line(b=["1"], c=[ABSENT, "c"]), True),
        (line(a=["y"], c=[7]), False),
        (line(a=["x"]) | {"other": {"L": {"S": ["o"]}}}, True),
        (line(a=["x"]) | {"other": {"L": {"S": ["p"]}}}, False),
        ({"other": {"L": {"S": ["o"], "SS": ["n"]}}}, False),  # two elements
        ({"other": {"L": {"SS": ["m"]}}}, True),
    ],
)
def test_conditions_in_one_list_hold_in_one_element(item: dict[str, Any], expected: bool) -> None:
    assert holds(item) is expected


@pytest.mark.parametrize(
    ("members", "expected"),
    [
        ({"a": {"S": ["x"]}, "of": {"L": {"S": ["q"]}}}, True),
        ({"a": {"S": ["y"]}, "of": {"L": {"S": ["q"]}}}, False),
        ({"b": {"S": ["1"]}, "in": {"L": {"M": {"s": {"S": ["t"]}, "u": {"S": ["v"]}}}}}, True),
        ({"b": {"S": ["2"]}, "in": {"L": {"M": {"s": {"S": ["t"]}, "u": {"S": ["v"]}}}}}, False),
        ({"in": {"L": {"M": {"s": {"S": ["t"]}, "u": {"S": [ABSENT]}}}}, "b": {"S": ["1"]}}, False),
        (
            {"in": {"L": {"M": {"r": {"S": [ABSENT]}, "s": {"S": ["t"]}}}}, "z": {"S": [ABSENT]}},
            True,
        ),
    ],
)
def test_lists_in_lists(members: dict[str, Any], expected: bool) -> None:
    assert holds({"lines": {"L": {"M": members}}}) is expected


def test_the_same_list_by_two_names_is_one_list() -> None:
    more = {"dynamodb": {"NewImage": line(b=["2"])}}
    assert holds(line(a=["y"]), more=more)
    assert not holds(line(a=["x"]), more=more)


@pytest.mark.parametrize(("text", "expected"), [("v", True), ("V", False)])
def test_a_list_in_a_list_by_two_names_is_one_list(text: str, expected: bool) -> None:
    members = {"in": {"L": {"M": {"s": {"S": ["t"]}}}}, "of": {"L": {"S": ["r"]}}}
    more = {"dynamodb": {"NewImage": {"lines": {"L": {"M": members}}}}}
    item = {"lines": {"L": {"M": {"in": {"L": {"M": {"u": {"S": [text]}}}}}}}}
    assert holds(item, more=more) is expected


def test_many_elements_take_no_product() -> None:
    """Ten conditions on a thousand elements each: trying all combinations would not end."""
    names = [f"n{number}" for number in range(10)]
    element = {"M": {name: {"S": "x"} for name in names}}
    pattern = read_pattern(tree_of({"item": line(**{name: ["x"] for name in names}, z=["x"])}))
    [branch] = pattern.branches
    checks = checks_of(branch, Source.NEW_IMAGE)
    assert checks is not None
    reader = RecordReader(check.place for check in checks)
    image = {"lines": {"L": [element] * 1000}}
    record = decode_record(Raw(json.dumps(record_of("INSERT", None, image)).encode()))
    assert isinstance(record, StreamRecord)
    assert not compiled(checks, reader)(reader.read(record, "arn"))


def test_texts_are_known_only_where_nothing_else_can_match() -> None:
    pattern = read_pattern(
        read_json('{"item": {"a": {"S": ["x", "y"]}, "b": {"S": ["x", {"prefix": "y"}]}}}')
    )
    [branch] = pattern.branches
    checks = checks_of(branch, Source.NEW_IMAGE)
    assert checks is not None
    assert [check.equals for check in checks] == [{"x", "y"}, set()]
    assert [check.place.source for check in checks] == [Source.NEW_IMAGE] * 2
