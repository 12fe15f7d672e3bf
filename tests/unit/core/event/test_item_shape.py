import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import Raw

from consumer.core.event import item_shape as shape
from consumer.core.event.attribute import decode_item, decode_members, plain_item
from consumer.core.event.item_shape import (
    POINTERS_BYTES,
    SHAPE_BYTES,
    SHAPES_REMEMBERED,
    Gaps,
    Shape,
    Shapes,
    Spliced,
)
from consumer.core.event.malformed import MalformedItem
from consumer.core.event.patch import diff
from consumer.core.event.selection.attribute_path import read_path
from consumer.core.event.selection.selection import Selection
from consumer.core.event.selection.selector import Selector
from tests.reference.memory import peak_of
from tests.reference.records import Json, attribute_names, edited_members, items, rescaled_items

ENOUGH = 10**9


def raw(image: Json) -> Raw:
    return Raw(json.dumps(image, separators=(",", ":"), ensure_ascii=False).encode())


def learned(*texts: Raw) -> Shapes:
    shapes = Shapes()
    for text in texts:
        shapes.splice(text)
        shapes.splice(text)
    return shapes


def spliced(text: Raw, shapes: Shapes | None = None) -> Spliced:
    result = (shapes or learned(text)).splice(text)
    assert result is not None
    return result


def walked(text: Raw) -> bytes:
    return b",".join(plain_item(decode_item(text)))


@given(st.data())
def test_a_known_shape_gives_the_same_bytes_as_the_walk(data: st.DataObject) -> None:
    first = data.draw(items)
    second = raw(data.draw(rescaled_items(first)))
    shapes = learned(raw(first))
    assert spliced(raw(first), shapes).members() == walked(raw(first))
    assert spliced(second, shapes).members() == walked(second)


@given(st.data())
def test_items_of_one_shape_have_the_patch_of_the_walk(data: st.DataObject) -> None:
    old = data.draw(items)
    old_text, new_text = raw(old), raw(data.draw(rescaled_items(old)))
    shapes = learned(old_text)
    patch = spliced(new_text, shapes).diff(spliced(old_text, shapes), ENOUGH)
    assert patch is None or patch == diff(
        decode_members(old_text), decode_members(new_text), ENOUGH
    )


@given(st.data())
def test_items_of_two_shapes_are_walked_for_their_patch(data: st.DataObject) -> None:
    old = data.draw(items)
    new = data.draw(edited_members(old, attribute_names)) or data.draw(items)
    shapes = learned(raw(old), raw(new))
    one, two = spliced(raw(old), shapes), spliced(raw(new), shapes)
    patch = two.diff(one, ENOUGH)
    if one.shape is two.shape:
        assert patch is None or patch == diff(
            decode_members(raw(old)), decode_members(raw(new)), ENOUGH
        )
    else:
        assert patch is None


@given(items)
def test_white_space_changes_no_byte(image: Json) -> None:
    text = Raw(json.dumps(image, indent=1, ensure_ascii=False).encode())
    assert spliced(text).members() == walked(raw(image))


def test_a_shape_is_learned_when_seen_twice() -> None:
    shapes = Shapes()
    assert shapes.splice(raw({"a": {"S": "1"}})) is None
    assert shapes.splice(raw({"a": {"S": "2"}})) is None
    assert spliced(raw({"a": {"N": "3"}}), shapes).members() == b'"a":3'
    assert shapes.splice(raw({"b": {"S": "1"}})) is None


def test_a_scalar_in_one_list_is_replaced_and_several_are_left_to_the_walk() -> None:
    def item(*elements: str) -> Raw:
        return raw({"s": {"S": "s"}, "l": {"L": [{"L": [{"S": text}]} for text in elements]}})

    shapes = learned(item("1", "2"))
    old = spliced(item("1", "2"), shapes)
    assert spliced(item("1", "3"), shapes).diff(old, ENOUGH) == [
        b'{"op":"replace","path":"/l/1/0","value":"3"}'
    ]
    assert spliced(item("4", "3"), shapes).diff(old, ENOUGH) is None
    assert spliced(item("1", "2"), shapes).diff(old, ENOUGH) == []


def test_a_patch_longer_than_the_limit_is_left_to_the_walk() -> None:
    shapes = learned(raw({"a": {"S": "1"}}))
    old, new = (spliced(raw({"a": {"S": text}}), shapes) for text in "12")
    patch = [b'{"op":"replace","path":"/a","value":"2"}']
    assert new.diff(old, len(patch[0])) == patch
    assert new.diff(old, len(patch[0]) - 1) is None


def test_a_spelling_is_no_change() -> None:
    old, new = Raw(rb'{"a":{"S":"a\/\u00e9"}}'), Raw('{"a":{"S":"a/é"}}'.encode())
    shapes = learned(old)
    assert spliced(new, shapes).diff(spliced(old, shapes), ENOUGH) == []


@pytest.mark.parametrize(
    "text",
    [
        b'{"a":{"S":"1"},"a":{"S":"2"}}',
        b'{"a":{"S":"1","N":"2"}}',
        b'{"a":{"M":{"S":"x"}}}',
        b'{"S":"x"}',
        b'{"a":{"X":{"S":"x"}}}',
        b'{"a":{"N":"1},"}}',
        rb'{"\u00000;":{"S":"1"},"b":{"M":{"\u00000;":{"S":"1"}}}}',
        b'{"a":{"S":1}}',
        b'{"a":{"S":"x"},"b":5}',
    ],
)
def test_what_a_marker_does_not_come_out_of_is_walked(text: bytes) -> None:
    shapes = learned(Raw(text))
    found = shapes.splice(Raw(text))
    try:
        expected = walked(Raw(text))
    except MalformedItem:
        if found is not None:
            with pytest.raises(MalformedItem):
                found.members()
    else:
        assert found is None or found.members() == expected


@pytest.mark.parametrize(
    "text",
    [b'{"a":{"S":"1"},"a":{"S":"2"}}', b'{"S":"x"}', b'{"a":{"S":"1","N":"2"}}', b'{"a":{"N":1}}'],
)
def test_an_unusable_shape_is_not_used(text: bytes) -> None:
    assert learned(Raw(text)).splice(Raw(text)) is None


def test_an_odd_scalar_of_a_known_shape_is_malformed() -> None:
    shapes = learned(raw({"a": {"N": "1"}}))
    odd = spliced(raw({"a": {"N": "+1"}}), shapes)
    with pytest.raises(MalformedItem):
        odd.members()
    with pytest.raises(MalformedItem):
        odd.diff(spliced(raw({"a": {"N": "1"}}), shapes), ENOUGH)


def test_shapes_are_forgotten_when_there_are_too_many() -> None:
    first = raw({"first": {"S": "1"}})
    shapes = learned(first)
    for index in range(SHAPES_REMEMBERED):
        shapes.splice(raw({str(index): {"S": "1"}}))
    assert shapes.splice(first) is None
    assert len(shapes._learned) + len(shapes._seen) <= SHAPES_REMEMBERED + 1


def test_large_gaps_are_not_remembered() -> None:
    text = raw({"x" * SHAPE_BYTES: {"S": "1"}})
    assert learned(text).splice(text) is None


def test_a_shape_whose_pointers_repeat_a_long_name_is_not_learned() -> None:
    leaves = {f"{number:x}": {"N": "1"} for number in range(1_000)}
    text = raw({"n" * 8_000: {"M": leaves}})
    shapes = Shapes()
    peak = peak_of(lambda: [shapes.splice(text) for _ in range(3)])
    assert peak < 2 * POINTERS_BYTES
    assert shapes.splice(text) is None
    assert spliced(raw({"n": {"M": leaves}})).members() == walked(raw({"n": {"M": leaves}}))


def test_shapes_are_forgotten_when_they_take_too_many_bytes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(shape, "SHAPES_BYTES", 300_000)
    texts = [
        raw({f"{number}-{leaf:x}": {"N": "1"} for leaf in range(100)} | {"b": {"BOOL": True}})
        for number in range(40)
    ]
    texts += [raw({f"{number}-{'x' * 15_000}": {"S": 1}}) for number in range(40)]  # not usable

    def learn_all(shapes: Shapes) -> None:
        for text in texts:
            shapes.splice(text)
            shapes.splice(text)

    learn_all(Shapes())  # the names are remembered, too
    shapes = Shapes()
    assert peak_of(lambda: learn_all(shapes)) < 600_000
    assert shapes.splice(texts[39]) is None
    assert shapes.splice(texts[39]) is None
    assert spliced(texts[39], shapes).members() == walked(texts[39])


def test_a_shape_is_learned_once(monkeypatch: pytest.MonkeyPatch) -> None:
    calls = []
    learn = shape._learn

    def counted(gaps: Gaps, selector: Selector | None) -> Shape | None:
        calls.append(gaps)
        return learn(gaps, selector)

    monkeypatch.setattr(shape, "_learn", counted)
    text = Raw(b'{"S":"x"}')
    shapes = learned(text, text)
    assert shapes.splice(text) is None
    assert len(calls) == 1


def test_a_new_name_that_might_pass_for_a_scalar_is_not_learned() -> None:
    shapes = Shapes().of(Selection(rename=(("a", "\0000;"),)))
    text = raw({"a": {"S": "x"}, "b": {"S": "y"}})
    for _ in range(3):
        assert shapes.splice(text) is None


WITHOUT_B = Selection(exclude=(read_path("b"), read_path("l.x")))


def test_a_shape_of_a_selection_picks_the_scalars_that_are_shown() -> None:
    line = {"M": {"x": {"S": "hidden"}, "y": {"N": "1"}}}
    text = raw({"b": {"S": "hidden"}, "a": {"S": "x"}, "l": {"L": [line, line]}})
    whole = Shapes()
    shapes = whole.of(WITHOUT_B)
    for each in (whole, shapes):
        assert each.splice(text) is each.splice(text) is None
    found = spliced(text, shapes)
    assert found.members() == b'"a":"x","l":[{"y":1},{"y":1}]'
    assert found.scalars == [b'"x"', b"1", b"1"]
    assert found.shape.names == {"a", "l"}
    assert spliced(text, whole).members() == walked(text)
    assert whole.of(None) is shapes.of(None) is whole
    assert shapes.of(WITHOUT_B) is whole.of(WITHOUT_B) is shapes


def test_a_shape_of_which_all_is_shown_picks_nothing() -> None:
    text = raw({"a": {"S": "x"}})
    shapes = Shapes().of(WITHOUT_B)
    assert [shapes.splice(text) for _ in range(2)] == [None, None]
    assert spliced(text, shapes).shape.picked is None


@pytest.mark.parametrize(
    ("text", "selection"),
    [
        (raw({}), WITHOUT_B),
        (raw({"a": {"S": "x"}, "c": {"S": "y"}}), Selection(rename=(("a", "c"),))),
        (raw({"b": {"S": "x"}, "\x000;": {"M": {}}, "a": {"S": "z"}}), WITHOUT_B),
        (Raw(b'{"a":{"S":"1"},"c":{"S":"2"},"a":{"S":"3"}}'), WITHOUT_B),
        (Raw(b'{"b":{"M":{},"X":{"S":"2"}},"c":{"S":"2"}}'), WITHOUT_B),
    ],
)
def test_a_shape_that_a_selection_cannot_use_is_walked(text: Raw, selection: Selection) -> None:
    shapes = Shapes().of(selection)
    assert [shapes.splice(text) for _ in range(3)] == [None, None, None]


def test_a_name_that_looks_like_a_marker_takes_no_hidden_value() -> None:
    """A name that is given twice loses a scalar: then the name would come out as its marker."""
    text = Raw(b'{"\\u00000;":{"M":{}},"b":{"S":"hidden"},"b":{"S":"hidden"}}')
    shapes = Shapes().of(WITHOUT_B)
    assert [shapes.splice(text) for _ in range(3)] == [None, None, None]


def test_shapes_of_all_selections_share_one_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shape, "SHAPES_BYTES", 20_000)
    whole = Shapes()
    relatives = [whole.of(Selection(exclude=(read_path(str(n)),))) for n in range(20)]
    text = raw({f"name-{n}": {"S": "x"} for n in range(20)})
    for each in relatives:
        for _ in range(2):
            each.splice(text)
        assert sum(each.weight for each in (whole, *relatives)) <= 20_000
    assert relatives[0].splice(text) is None
    assert relatives[-1].splice(text) is not None
