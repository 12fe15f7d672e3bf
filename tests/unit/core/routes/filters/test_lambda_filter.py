import json
from typing import Any

import pytest

from consumer.core.routes.filters.lambda_filter import Filter, read_filter, read_filter_json
from consumer.core.routes.filters.place import Source
from consumer.core.routes.language.bad_pattern import BadPattern
from consumer.core.stream.stream import ViewType

PAID: dict[str, Any] = {"dynamodb": {"NewImage": {"status": {"S": ["PAID"]}}}}
OLD: dict[str, Any] = {"dynamodb": {"OldImage": {"status": {"S": ["PAID"]}}}}
VIEW: dict[str, Any] = {"item": {"status": {"S": ["PAID"]}}}
KEY: dict[str, Any] = {"item": {"pk": {"S": [{"prefix": "ORDER#"}]}}}


def paths(read: Filter) -> list[list[str]]:
    return [[*branch] for pattern in read.patterns for branch in pattern.branches]


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (PAID, [["dynamodb.NewImage.status.S"]]),
        ([PAID, VIEW], [["dynamodb.NewImage.status.S"], ["item.status.S"]]),
        ({"Filters": [{"Pattern": json.dumps(PAID)}]}, [["dynamodb.NewImage.status.S"]]),
        ({"Filters": []}, []),
        ({"Filters": ["x"], "eventName": ["INSERT"]}, [["Filters", "eventName"]]),
    ],
)
def test_the_forms_of_a_filter(value: object, expected: list[list[str]]) -> None:
    assert paths(read_filter(value)) == expected
    assert paths(read_filter_json(json.dumps(value))) == expected


@pytest.mark.parametrize(
    ("value", "place", "reason"),
    [
        ([], "", "an empty list of patterns"),
        ({}, "", "an empty object"),
        ("x", "", "a filter is a pattern, a list of them"),
        ([PAID, {}], "[1]", "an empty object"),
        ([PAID, {"a": []}], "[1] a", "an empty list"),
        ({"Filters": {}}, "Filters", "it is a list"),
        ({"Filters": [PAID]}, "Filters[0]", "it is an object with the one member Pattern"),
        ({"Filters": ["x"]}, "Filters[0]", "it is an object with the one member Pattern"),
        ({"Filters": [{"Pattern": PAID}]}, "Filters[0].Pattern", "it is text that holds JSON"),
        ({"Filters": [{"Pattern": "{"}]}, "Filters[0].Pattern", "it is not JSON"),
        (
            {"Filters": [{"Pattern": '{"a": 7}'}]},
            "Filters[0].Pattern a",
            "found a number, wanted a list",
        ),
    ],
)
def test_what_is_refused(value: object, place: str, reason: str) -> None:
    for read in (read_filter, lambda each: read_filter_json(json.dumps(each))):
        with pytest.raises(BadPattern) as caught:
            read(value)
        assert caught.value.place == place
        assert caught.value.reason.startswith(reason)


def test_only_yaml_has_to_quote() -> None:
    value = {"item": {"n": {"N": [7]}}}
    with pytest.raises(BadPattern, match="quote it"):
        read_filter(value)
    [doubt] = read_filter(value, from_yaml=False).doubts
    assert doubt.place == "item.n.N"
    criteria = {"Filters": [{"Pattern": json.dumps(value)}]}
    assert read_filter(criteria).doubts == (doubt,)


def test_a_doubt_is_told_once() -> None:
    value = {
        "item": {"n": {"N": [7, 8]}},
        "$or": [{"eventName": ["INSERT"]}, {"eventName": ["MODIFY"]}],
    }
    assert len(read_filter(value, from_yaml=False).doubts) == 1


@pytest.mark.parametrize(("value", "is_view"), [(PAID, False), (VIEW, True), ([PAID, KEY], True)])
def test_a_filter_with_item_is_a_view(value: object, is_view: bool) -> None:
    assert read_filter(value).is_view is is_view


@pytest.mark.parametrize(
    ("value", "drops"),
    [
        (PAID, True),
        ([PAID, OLD], False),
        (OLD, False),
        (VIEW, False),
        ({"eventName": ["REMOVE"]}, False),
        ({"dynamodb": {"NewImage": {"a": {"S": [{"exists": False}]}}}}, False),
        ({"Filters": []}, False),
        ({"dynamodb": {"NewImage": {"a": {"N": [7]}}}}, False),  # it takes nothing at all
    ],
)
def test_a_filter_on_the_new_image_drops_deletes(value: object, drops: bool) -> None:
    assert read_filter(value, from_yaml=False).drops_deletes is drops


@pytest.mark.parametrize(
    ("value", "by_keys"),
    [
        ({"Filters": []}, True),
        ({"dynamodb": {"Keys": {"pk": {"S": [{"prefix": "ORDER#"}]}}}}, True),
        ({"eventName": ["INSERT"], "dynamodb": {"Keys": {"pk": {"S": ["x"]}}}}, False),
        (PAID, False),
        (VIEW, False),
    ],
)
def test_only_a_filter_by_keys_loses_no_item_out_of_sight(value: object, by_keys: bool) -> None:
    assert read_filter(value).is_by_keys is by_keys


@pytest.mark.parametrize(
    ("value", "view_types"),
    [
        (PAID, {ViewType.NEW_IMAGE, ViewType.NEW_AND_OLD_IMAGES}),
        (OLD, {ViewType.OLD_IMAGE, ViewType.NEW_AND_OLD_IMAGES}),
        (VIEW, {ViewType.NEW_AND_OLD_IMAGES}),
        (KEY, set(ViewType)),
        ({"eventName": ["INSERT"], "dynamodb": {"Keys": {"pk": {"S": ["x"]}}}}, set(ViewType)),
        ({"item": [{"exists": False}]}, set(ViewType)),
    ],
)
def test_a_filter_needs_images(value: object, view_types: set[ViewType]) -> None:
    read = read_filter(value)
    for view_type in ViewType:
        if view_type in view_types:
            read.require(view_type, ("pk", "sk"))
        else:
            with pytest.raises(BadPattern, match=f"view type is {view_type}"):
                read.require(view_type, ("pk", "sk"))


def test_item_means_the_keys_if_nothing_else_is_named() -> None:
    images = (Source.NEW_IMAGE, Source.OLD_IMAGE)
    assert read_filter(KEY).items(("pk", "sk")) == (Source.KEYS, Source.KEYS)
    assert read_filter(KEY).items(()) == images
    assert read_filter([KEY, VIEW]).items(("pk", "sk")) == images


@pytest.mark.parametrize(
    ("value", "keys", "crosses"),
    [(VIEW, ("pk",), True), (KEY, ("pk", "sk"), False), (KEY, (), True), (PAID, (), False)],
)
def test_items_enter_and_leave_a_view_of_more_than_the_keys(
    value: object, keys: tuple[str, ...], crosses: bool
) -> None:
    assert read_filter(value).crosses(keys) is crosses


def test_ways_that_cannot_be_are_left_out() -> None:
    never = {"item": {"n": {"N": [{"numeric": [">", 7]}]}}}
    assert len(read_filter([PAID, never]).ways(Source.NEW_IMAGE)) == 1
    assert read_filter(never).ways(Source.NEW_IMAGE) == []
    assert read_filter({"Filters": []}).ways(Source.NEW_IMAGE) == [()]


def test_its_paths_are_those_of_attributes_each_once_without_their_types() -> None:
    asked = read_filter(
        [
            {"eventName": ["INSERT"], "item": {"kind": {"S": ["a"]}, "a.b": {"N": ["1"]}}},
            {"dynamodb": {"OldImage": {"kind": {"S": ["b"]}}, "Keys": {"pk": {"S": ["c"]}}}},
            {"item": {"lines": {"L": {"M": {"sku": {"S": ["d"]}}}}}},
        ]
    )
    assert [path.names for path in asked.paths] == [("kind",), ("a.b",), ("pk",), ("lines", "sku")]
    assert read_filter({"Filters": []}).paths == ()
