"""Whether some attributes differ, against values that are compared one by one."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import Raw

from consumer.core.event.malformed import MalformedItem
from consumer.core.event.selection.attribute_changes import AttributeChanges
from consumer.core.event.selection.attribute_path import AttributePath, read_path
from tests.reference.records import edited_members
from tests.reference.seeing import paths_of
from tests.reference.selections import deep_items, few_names
from tests.reference.transcode import plain

Json = Any


def raw(item: Json) -> Raw:
    return Raw(json.dumps(item, ensure_ascii=False).encode())


def differ(old: Json, new: Json, *texts: str) -> bool:
    return AttributeChanges(map(read_path, texts)).differ(raw(old), raw(new))


def ends(value: Json, names: tuple[str, ...], place: tuple[int, ...] = ()) -> Iterator[Json]:
    """What stands at the end of a path, with the elements that it is in."""
    if not names:
        yield place, plain(value)
    elif "M" in value and names[0] in value["M"]:
        yield from ends(value["M"][names[0]], names[1:], place)
    for index, element in enumerate(value.get("L", ()) if names else ()):
        yield from ends(element, names, (*place, index))


@given(st.data())
def test_they_differ_if_a_value_at_the_end_of_a_path_does(data: st.DataObject) -> None:
    old = data.draw(deep_items)
    new = data.draw(edited_members(old, few_names))
    known = sorted({*paths_of(old), *paths_of(new)})
    paths = data.draw(st.lists(st.sampled_from(known), min_size=1, max_size=3))
    expected = any(
        [*ends({"M": old}, path)] != [*ends({"M": new}, path)] for path in map(tuple, paths)
    )
    assert AttributeChanges(map(AttributePath, paths)).differ(raw(old), raw(new)) is expected


def one(value: Json) -> Json:
    return {"a": value}


@pytest.mark.parametrize(
    ("old", "new", "path", "expected"),
    [
        (one({"SS": ["x", "y"]}), one({"SS": ["y", "x"]}), "a", False),
        (one({"N": "1"}), one({"N": "1.0"}), "a", True),  # as a patch says it
        (one({"S": "7"}), one({"N": "7"}), "a", True),
        (one({"S": "x"}), {}, "a", True),
        (one({"S": "x"}), one({"M": {}}), "a.b", False),
        (one({"M": {"b": {"S": "x"}}}), one({"S": "x"}), "a.b", True),
        (one({"L": [{"M": {"b": {"S": "x"}}}]}), one({"L": [{"M": {}}]}), "a.b", True),
        (one({"L": [{"M": {"c": {"S": "x"}}}]}), one({"L": []}), "a.b", False),
        (
            one({"M": {"b": {"S": "1"}, "c": {"S": "2"}}}),
            one({"M": {"c": {"S": "2"}, "b": {"S": "1"}}}),
            "a",
            False,
        ),
        ({"b": {"S": "x"}}, {"b": {"S": "y"}}, "a", False),
    ],
)
def test_what_is_a_difference(old: Json, new: Json, path: str, expected: bool) -> None:
    assert differ(old, new, path) is expected


@pytest.mark.parametrize("value", [{"M": 4711}, {"L": "4711"}, {"N": "4711x"}, 4711])
def test_what_cannot_be_read_is_malformed(value: Json) -> None:
    for path in ("a", "a.b"):
        if path == "a.b" and value == {"N": "4711x"}:
            continue  # there is no `b` in it
        with pytest.raises(MalformedItem, match="attribute") as caught:
            differ(one({"S": "x"}), one(value), path)
        assert "4711" not in str(caught.value)


def test_both_images_are_needed() -> None:
    changes = AttributeChanges([read_path("a")])
    with pytest.raises(MalformedItem, match="OldImage"):
        changes.differ(None, raw({}))
    with pytest.raises(MalformedItem, match="NewImage"):
        changes.differ(raw({}), None)
