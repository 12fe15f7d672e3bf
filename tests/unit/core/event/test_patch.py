import json

import jsonpatch
import pytest
from hypothesis import given
from msgspec import Raw

from consumer.core.event.attribute import Members, decode_members, decode_value, plain
from consumer.core.event.malformed import MalformedItem
from consumer.core.event.patch import diff, replace
from tests.reference import transcode as reference
from tests.reference.records import Json, changes


def members(image: object) -> Members:
    text = image if isinstance(image, bytes) else json.dumps(image).encode()
    return decode_members(Raw(text))


def patch_of(old: object, new: object) -> list[Json]:
    operations = diff(members(old), members(new))
    patch: list[Json] = reference.parse_strictly(b"[" + b",".join(operations) + b"]")
    return patch


@given(changes())
def test_applied_to_the_old_item_it_gives_the_new_one(change: tuple[Json, Json]) -> None:
    old, new = change
    patch = patch_of(old, new)
    assert jsonpatch.JsonPatch(patch).apply(reference.item_of(old)) == reference.item_of(new)
    assert {operation["op"] for operation in patch} <= {"add", "replace", "remove"}


@given(changes())
def test_an_item_that_did_not_change_has_an_empty_patch(change: tuple[Json, Json]) -> None:
    assert patch_of(change[0], change[0]) == []


@given(changes())
def test_a_spelling_is_no_change(change: tuple[Json, Json]) -> None:
    spaced = json.dumps(change[0], ensure_ascii=False, indent=1).encode()
    escaped = json.dumps(change[0], separators=(",", ":")).replace("/", r"\/").encode()
    assert patch_of(spaced, escaped) == []


S, N, M, L = "S", "N", "M", "L"


@pytest.mark.parametrize(
    ("old", "new", "patch"),
    [
        ({S: "a"}, {S: "b"}, [("replace", "/x", "b")]),
        ({N: "1"}, {N: "1.0"}, [("replace", "/x", reference.Number("1.0"))]),
        ({N: "1"}, {"BOOL": True}, [("replace", "/x", True)]),
        ({N: "1"}, {S: "1"}, [("replace", "/x", "1")]),
        ({S: "a"}, {"B": "a"}, []),  # of one text in the event
        ({"SS": ["a", "b"]}, {"SS": ["b", "a"]}, []),
        ({"SS": ["a"]}, {"SS": ["b", "a"]}, [("replace", "/x", ["a", "b"])]),
        ({M: {"a": {S: "1"}}}, {M: {"a": {S: "2"}}}, [("replace", "/x/a", "2")]),
        ({M: {"a/b~": {S: "1"}}}, {M: {"a/b~": {S: "2"}}}, [("replace", "/x/a~1b~0", "2")]),
        ({M: {"": {S: "1"}}}, {M: {"": {S: "2"}}}, [("replace", "/x/", "2")]),
        ({M: {"a": {S: "1"}}}, {M: {"b": {S: "1"}}}, [("add", "/x/b", "1"), ("remove", "/x/a")]),
        ({M: {"a": {S: "1"}}}, {L: [{S: "1"}]}, [("replace", "/x", ["1"])]),
        ({L: [{S: "a"}]}, {"SS": ["a"]}, []),
        ({L: []}, {L: [{S: "a"}]}, [("add", "/x/0", "a")]),
        ({L: [{S: "a"}]}, {L: []}, [("remove", "/x/0")]),
        (
            {L: [{S: "long enough a"}, {S: "long enough c"}]},
            {L: [{S: "long enough a"}, {S: "b"}, {S: "long enough c"}]},
            [("add", "/x/1", "b")],
        ),
        (
            {L: [{S: c * 40} for c in "abcd"]},
            {L: [{S: c * 40} for c in "ad"]},
            [("remove", "/x/2"), ("remove", "/x/1")],
        ),
        (
            {L: [{M: {"q": {N: "1"}, "r": {N: "5"}}}, {S: "z"}]},
            {L: [{M: {"q": {N: "2"}, "r": {N: "5"}}}, {S: "z"}]},
            [("replace", "/x/0/q", reference.Number("2"))],
        ),
        ({L: [{S: "a"}, {S: "b"}]}, {L: [{S: "c"}, {S: "d"}]}, [("replace", "/x", ["c", "d"])]),
        (
            {L: [{S: "a"}, {S: "m"}, {S: "b"}, {S: "n" * 200}]},
            {L: [{S: "c"}, {S: "m"}, {S: "d"}, {S: "n" * 200}]},
            [("replace", "/x/0", "c"), ("replace", "/x/2", "d")],
        ),
    ],
)
def test_it_says_what_changed(old: Json, new: Json, patch: list[tuple[object, ...]]) -> None:
    found = patch_of({"k": {S: "same"}, "x": old}, {"k": {S: "same"}, "x": new})
    assert [tuple(operation.values()) for operation in found] == patch


def test_added_and_replaced_stand_in_the_new_order_and_removed_ones_last() -> None:
    old = {name: {S: "1"} for name in "abcd"}
    new = {"d": {S: "2"}, "x": {S: "1"}, "b": {S: "2"}}
    assert [(operation["op"], operation["path"]) for operation in patch_of(old, new)] == [
        ("replace", "/d"),
        ("add", "/x"),
        ("replace", "/b"),
        ("remove", "/a"),
        ("remove", "/c"),
    ]


@given(changes())
def test_several_operations_in_a_list_never_take_more_than_replacing_it(
    change: tuple[Json, Json],
) -> None:
    old, new = ({"x": {L: [*image.values()]}} for image in change)
    operations = diff(members(old), members(new))
    whole = replace(b"/x", plain(decode_value(json.dumps(new["x"]).encode())))
    assert len(operations) < 2 or sum(map(len, operations)) <= len(whole)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ({"x": {N: "1"}}, {"x": {N: "01"}}),
        ({}, {"x": {N: "01"}}),
        ({"x": {M: {}}}, {"x": {M: []}}),
        ({"x": {L: []}}, {"x": {L: 1}}),
        ({"x": 1}, {"x": 2}),
        ({"x": {M: {}}}, {"x": {M: {}, L: []}}),
        ({"x": {L: []}}, {"x": {M: {}, L: []}}),
    ],
)
def test_a_malformed_attribute_is_named(old: Json, new: Json) -> None:
    with pytest.raises(MalformedItem, match="attribute 'x'"):
        diff(members(old), members(new))
