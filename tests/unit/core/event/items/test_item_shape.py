"""Items of one shape: the bytes and patches of the walk, for all that have it and no other."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import Raw

from consumer.core.event.attribute import decode_item, decode_members, plain_item
from consumer.core.event.items.item_shape import (
    POINTERS_BYTES,
    SHAPE_BYTES,
    SHAPE_SCALARS,
    Scalars,
    Shape,
    shape_of,
)
from consumer.core.event.items.plain_gaps import split
from consumer.core.event.malformed import MalformedItem
from consumer.core.event.patch import diff
from consumer.core.event.selection.attribute_path import read_path
from consumer.core.event.selection.selection import Selection
from consumer.core.event.selection.selector import Selector
from tests.reference.memory import peak_of
from tests.reference.records import Json, items, rescaled_items

ENOUGH = 10**9


def raw(image: Json) -> bytes:
    return json.dumps(image, separators=(",", ":"), ensure_ascii=False).encode()


def shape(text: bytes, selection: Selection | None = None) -> Shape | None:
    return shape_of(split(text), None if selection is None else Selector(selection))


def good_shape(text: bytes, selection: Selection | None = None) -> Shape:
    found = shape(text, selection)
    assert found is not None
    return found


def scalars_of(text: bytes, of: Shape) -> Scalars:
    found = of.scalars(text)
    assert found is not None
    return found


def members_of(text: bytes, of: Shape) -> bytes:
    return of.members(scalars_of(text, of))


def patch_by(of: Shape, old: bytes, new: bytes, limit: int = ENOUGH) -> list[bytes] | None:
    change = of.change(new, Raw(old))
    assert change is not None
    after, before = change
    return of.patch(before, after, limit)


def walked(text: bytes) -> bytes:
    return b",".join(plain_item(decode_item(Raw(text))))


def patch_of(old: bytes, new: bytes) -> list[bytes] | None:
    return diff(decode_members(Raw(old)), decode_members(Raw(new)), ENOUGH)


@given(st.data())
def test_what_has_the_shape_gives_the_same_bytes_as_the_walk(data: st.DataObject) -> None:
    first = data.draw(items)
    second = data.draw(st.one_of(rescaled_items(first), items))
    found = shape(raw(first))
    if found is None:
        return
    for text in (raw(first), raw(second)):
        scalars = found.scalars(text)
        assert scalars is None or found.members(scalars) == walked(text)
        assert scalars is None or found.names == decode_members(Raw(text)).keys()


def test_what_an_item_was_is_compared_scalar_by_scalar() -> None:
    def item(*texts: str) -> bytes:
        return raw({"a": {"S": texts[0]}, "b": {"N": texts[1]}, "c": {"S": texts[2]}})

    found = good_shape(item("x", "1", "y"))
    new = item("x", "12", "")
    for old, before in (
        (new, (b"", b"", b"")),
        (item("x", "1", ""), (b"", b"1", b"")),  # what begins as the other does
        (item("x", "123", '"'), (b"", b"123", rb'"\""')),
        (item("xy", "12", "y"), (b'"xy"', b"", b'"y"')),
    ):
        assert found.change(new, Raw(old)) == ((b'"x"', b"12", b'""'), before)
    for other in (raw({"a": {"S": "x"}}), item("x", "1E2", ""), new[:-1], b""):
        assert found.change(new, Raw(other)) is None
        assert found.change(other, Raw(new)) is None


def test_a_string_that_ends_in_a_backslash_is_left_to_the_walk() -> None:
    """Its end is looked for up to where the item before begins."""
    text = raw({"a": {"S": "x\\"}})
    found = good_shape(text)
    assert found.scalars(text) is not None
    assert found.change(text, Raw(text)) is None


def test_an_item_that_had_another_shape_is_seen_to_have_it_at_once() -> None:
    """If each scalar were tried both as the same and as another, it would take 2**100 steps."""
    item = {f"{number}": {"S": "x"} for number in range(100)}
    found = good_shape(raw(item))
    assert found.change(raw(item), Raw(raw({**item, "99": {"N": "1"}}))) is None


@given(st.data())
def test_items_of_one_shape_have_the_patch_of_the_walk(data: st.DataObject) -> None:
    old = data.draw(items)
    old_text, new_text = raw(old), raw(data.draw(rescaled_items(old)))
    found = shape(old_text)
    if found is None:
        return
    was, after = (found.scalars(text) for text in (old_text, new_text))
    change = found.change(new_text, Raw(old_text))
    if was is None or after is None:
        assert change is None
        return
    differ = tuple(b"" if old == new else old for old, new in zip(was, after, strict=True))
    assert change == (after, differ) or (change is None and b"\\" in old_text + new_text)
    patch = found.patch(differ, after, ENOUGH)
    assert patch is None or patch == patch_of(old_text, new_text)


@pytest.mark.parametrize(
    "other",
    [
        {"a": {"S": "x"}, "b": {"N": "1"}},
        {"a": {"S": "x"}, "b": {"S": "1"}, "c": {"BOOL": True}},
        {"a": {"S": "x"}, "b": {"N": "1"}, "d": {"BOOL": True}},
        {"b": {"N": "1"}, "a": {"S": "x"}, "c": {"BOOL": True}},
        {"a": {"S": "x"}, "b": {"N": "9" * 19}, "c": {"BOOL": True}},
    ],
)
def test_another_shape_is_not_taken(other: Json) -> None:
    found = good_shape(raw({"a": {"S": "x"}, "b": {"N": "1"}, "c": {"BOOL": True}}))
    assert found.scalars(raw(other)) is None
    same = raw({"a": {"S": 'a "b" \\'}, "b": {"N": "-1.50"}, "c": {"BOOL": False}})
    scalars = found.scalars(same)
    assert scalars is None or found.members(scalars) == walked(same)


def test_a_scalar_in_one_list_is_replaced_and_several_are_left_to_the_walk() -> None:
    def item(*elements: str) -> bytes:
        return raw({"s": {"S": "s"}, "l": {"L": [{"L": [{"S": text}]} for text in elements]}})

    found = good_shape(item("1", "2"))
    old = item("1", "2")
    assert patch_by(found, old, item("1", "3")) == [b'{"op":"replace","path":"/l/1/0","value":"3"}']
    assert patch_by(found, old, item("4", "3")) is None
    assert patch_by(found, old, old) == []


def test_what_is_made_plain_is_compared_as_plain() -> None:
    def item(flag: bool, tags: list[str], text: str) -> bytes:
        return raw({"a": {"BOOL": flag}, "b": {"SS": tags}, "c": {"S": text}})

    old = item(True, ["y", "x"], "before")
    found = good_shape(old)
    for new in (item(False, ["z"], 'say "after"'), item(True, ["x", "y"], "before")):
        assert members_of(new, found) == walked(new)
        assert patch_by(found, old, new) == patch_of(old, new)


def test_a_patch_longer_than_the_limit_is_left_to_the_walk() -> None:
    found = good_shape(raw({"a": {"S": "1"}}))
    old, new = (raw({"a": {"S": text}}) for text in "12")
    patch = [b'{"op":"replace","path":"/a","value":"2"}']
    assert patch_by(found, old, new, len(patch[0])) == patch
    assert patch_by(found, old, new, len(patch[0]) - 1) is None


def test_a_spelling_is_no_change() -> None:
    old, new = rb'{"a":{"S":"a\/\u00e9"}}', '{"a":{"S":"a/é"}}'.encode()
    found = good_shape(old)
    assert patch_by(found, old, new) == []


@pytest.mark.parametrize(
    "text",
    [
        b'{"a":{"S":"1"},"a":{"S":"2"}}',
        b'{"a":{"S":"1","N":"2"}}',
        b'{"a":{"M":{"S":"x"}}}',
        b'{"S":"x"}',
        b'{"a":{"X":{"S":"x"}}}',
        rb'{"\u00000;":{"S":"1"},"b":{"M":{"\u00000;":{"S":"1"}}}}',
        b'{"a":{"S":1}}',
        b'{"a":{"S":"x"},"b":5}',
    ],
)
def test_an_unusable_shape_is_not_used(text: bytes) -> None:
    assert shape(text) is None


def test_an_odd_scalar_of_a_known_shape_is_malformed() -> None:
    found = good_shape(raw({"a": {"N": "9" * 19}}))
    good, odd = (raw({"a": {"N": digits}}) for digits in ("1", "+1"))
    with pytest.raises(MalformedItem):
        members_of(odd, found)
    for old, new in ((good, odd), (odd, good)):
        with pytest.raises(MalformedItem):
            patch_by(found, old, new)


def test_large_shapes_are_not_used() -> None:
    assert shape(raw({"x" * SHAPE_BYTES: {"S": "1"}})) is None
    assert shape(raw({str(n): {"S": ""} for n in range(SHAPE_SCALARS + 1)})) is None
    assert shape(raw({str(n): {"S": ""} for n in range(SHAPE_SCALARS)})) is not None


def test_a_shape_whose_pointers_repeat_a_long_name_is_not_used() -> None:
    leaves = {f"{number:x}": {"N": "1"} for number in range(180)}
    text = raw({"n" * 2_000: {"M": leaves}})
    assert peak_of(lambda: shape(text)) < 3 * POINTERS_BYTES
    assert shape(text) is None
    short = raw({"n": {"M": leaves}})
    assert members_of(short, good_shape(short)) == walked(short)


def test_a_shape_weighs_about_what_it_takes() -> None:
    text = raw({f"name-{number}": {"S": "1"} for number in range(100)})
    good_shape(text)  # the names are remembered, too
    kept: list[Shape] = []
    taken = peak_of(lambda: kept.extend(good_shape(text) for _ in range(1)))
    assert kept[0].weight > 10_000
    assert taken < 100 * kept[0].weight


WITHOUT_B = Selection(exclude=(read_path("b"), read_path("l.x")))


def test_a_shape_of_a_selection_picks_the_scalars_that_are_shown() -> None:
    line = {"M": {"x": {"S": "hidden"}, "y": {"NS": ["1"]}}}
    text = raw({"b": {"S": "hidden"}, "a": {"S": "x"}, "l": {"L": [line, line]}})
    found = good_shape(text, WITHOUT_B)
    assert members_of(text, found) == b'"a":"x","l":[{"y":[1]},{"y":[1]}]'
    assert [*scalars_of(text, found)] == [b'"x"', b'NS":["1"]', b'NS":["1"]']
    assert found.names == {"a", "l"}
    assert members_of(text, good_shape(text)) == walked(text)


def test_what_a_selection_hides_is_not_compared() -> None:
    old, new = (raw({"b": {"S": each}, "a": {"S": each}, "c": {"S": "x"}}) for each in "12")
    found = good_shape(old, WITHOUT_B)
    assert found.change(new, Raw(old)) == ((b'"2"', b'"x"'), (b'"1"', b""))


def test_a_shape_of_which_all_is_shown_picks_nothing() -> None:
    assert good_shape(raw({"a": {"S": "x"}}), WITHOUT_B).picked is None


@pytest.mark.parametrize(
    ("text", "selection"),
    [
        (raw({}), WITHOUT_B),
        (raw({"a": {"S": "x"}, "c": {"S": "y"}}), Selection(rename=(("a", "c"),))),
        (raw({"a": {"S": "x"}, "b": {"S": "y"}}), Selection(rename=(("a", "\0000;"),))),
        (raw({"b": {"S": "x"}, "\x000;": {"M": {}}, "a": {"S": "z"}}), WITHOUT_B),
        (b'{"a":{"S":"1"},"c":{"S":"2"},"a":{"S":"3"}}', WITHOUT_B),
        (b'{"b":{"M":{},"X":{"S":"2"}},"c":{"S":"2"}}', WITHOUT_B),
        # A name that is given twice loses a scalar: then the name would come out as its marker.
        (b'{"\\u00000;":{"M":{}},"b":{"S":"hidden"},"b":{"S":"hidden"}}', WITHOUT_B),
    ],
)
def test_a_shape_that_a_selection_cannot_use_is_walked(text: bytes, selection: Selection) -> None:
    assert shape(text, selection) is None


def test_an_empty_map_is_a_map_for_a_selection_and_no_scalar() -> None:
    selection = Selection(include=(read_path("m.a"),))
    text = raw({"m": {"L": [{"M": {}}, {"M": {"a": {"S": "x"}, "b": {"S": "y"}}}]}})
    assert members_of(text, good_shape(text, selection)) == b'"m":[{},{"a":"x"}]'


def test_what_no_expression_takes_for_a_scalar_stays_in_its_gap() -> None:
    text = raw({"a": {"SS": ["]"]}, "b": {"S": "x"}})
    found = good_shape(text)
    assert len(found.places) == 1
    assert members_of(text, found) == walked(text)
    assert found.scalars(raw({"a": {"SS": ["[]"]}, "b": {"S": "x"}})) is None
