"""Items made plain by their gaps: as the walk makes them, or not at all."""

import json
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import Raw

from consumer.core.event.attribute import decode_item, plain_item
from consumer.core.event.items import plain_gaps
from consumer.core.event.items.plain_gaps import PlainItems, plain_scalar, split
from consumer.core.event.malformed import MalformedItem
from tests.reference.memory import peak_of
from tests.reference.records import Json, items


def raw(image: Json) -> bytes:
    return json.dumps(image, separators=(",", ":"), ensure_ascii=False).encode()


def walked(text: bytes) -> bytes:
    return b",".join(plain_item(decode_item(Raw(text))))


def made(text: bytes, plain: PlainItems | None = None) -> bytes | None:
    found = (PlainItems() if plain is None else plain).of(text)
    return None if found is None else found.members


@given(st.lists(items, min_size=1, max_size=4))
def test_what_is_made_is_what_the_walk_makes(images: list[Json]) -> None:
    plain = PlainItems()
    for _ in range(2):
        for image in images:
            found = made(raw(image), plain)
            assert found is None or found == walked(raw(image))


@pytest.mark.parametrize(
    "image",
    [
        {"a": {"S": "x"}},
        {"a": {"S": "x"}, "b": {"N": "1.50"}, "c": {"BOOL": True}, "d": {"NULL": True}},
        {"M": {"M": {"M": {"M": {"M": {"S": "M"}}}}}, "S": {"S": "S"}},
        {"L": {"L": [{"L": []}, {"L": [{"S": "L"}]}, {"M": {"L": {"L": [{"M": {}}]}}}]}},
        {"l": {"L": [{"M": {"a": {"S": "1"}, "b": {"N": "2"}}}, {"M": {"a": {"B": "eA=="}}}]}},
        {"n": {"N": "9" * 19}, "e": {"N": "1E+2"}, "s": {"SS": ["b", "a"]}, "m": {"NS": ["2"]}},
        {"a": {"S": 'say "yes", then {"S":"x"}'}, "b": {"S": "x\ny"}, "c": {"S": "ends in \\"}},
        {"}}": {"S": "}}"}, "],": {"M": {"{": {"S": '{"M":{'}}}, ":{": {"S": ":{"}},
        {"a": {"SS": ["]", "]}"]}, "b": {"S": "x"}},
        {"é": {"S": "\u2028"}, "a b": {"S": ""}},
    ],
)
def test_items_of_all_kinds(image: Json) -> None:
    assert made(raw(image)) in {None, walked(raw(image))}


@pytest.mark.parametrize(
    "text",
    [
        rb'{"a":{"S":"x"},"b":{"S":"say \"yes\""},"c":{"L":[{"N":"1"},{"M":{}}]}}',
        b'{"M":{"M":{"M":{"M":{"M":{"S":"M"}}}}}}',
        b'{"}}":{"S":"x"},"a":{"M":{"],":{"S":"y"}}}}',
        b'{"a":{"S":"}},"},"b":{"NS":["3","1"]}}',
        b'{"l":{"L":[{"L":[{"N":"1"}]}]},"m":{"M":{"a":{"S":"x"}}},"z":{"BOOL":true}}',
    ],
)
def test_the_usual_is_not_walked(text: bytes) -> None:
    assert made(text) == walked(text)


@pytest.mark.parametrize(
    "text",
    [
        b'{"a":{"S":"1"},"a":{"S":"2"}}',  # a name twice
        b'{"m":{"M":{"a":{"S":"1"},"a":{"S":"2"}}}}',
        b'{"l":{"L":[{"M":{"a":{"S":"1"},"b":{"S":"2"},"a":{"S":"3"}}}]}}',
        rb'{"\u0061":{"S":"1"}}',  # a name that is spelled otherwise
        rb'{"a\/b":{"S":"1"}}',
        b'{"a":{"S":"1","N":"2"}}',  # two types
        b'{"a":{"M":{},"S":"2"}}',
        b'{"a":{"L":[{"S":"1"}],"S":"2"}}',
        b'{"a":{"M":{"S":"x"}}}',  # no type
        b'{"S":"x"}',
        b'{"a":{"X":{"S":"x"}}}',
        b'{"a":{"L":[["x"]]}}',
        b'{"a":{"L":{"S":"x"}}}',
        b'{"a":{"M":[{"S":"x"}]}}',
        b'{"a":{"S":1}}',
        b'{"a":{"N":1}}',
        b'{"a":{"BOOL":"true"}}',
        b'{"a":5,"b":{"S":"x"}}',
        b'{"a":{}}',
        b'{"a":{"S":"x"}, "b":{"S":"y"}}',  # white space
        b'{"a":{"L":[{"S":"x"}}}}',  # no JSON
        b"[]",
        b"{}",
        b'"x"',
    ],
)
def test_what_its_gaps_do_not_tell_is_walked(text: bytes) -> None:
    plain = PlainItems()
    assert [made(text, plain) for _ in range(2)] == [None, None]


PIECES = [b"\\", b'"', b"}", b"{", b"]", b"[", b",", b":", b"S", b"M", b"L", b"x"]


@given(st.lists(st.lists(st.sampled_from(PIECES), max_size=6), min_size=2, max_size=4))
def test_strings_and_names_of_any_marks_are_never_taken_for_others(
    texts: list[list[bytes]],
) -> None:
    """The expression may read a string too far; then nothing is made of the item."""
    strings = [b"".join(pieces).decode() for pieces in texts]
    pairs = zip(strings, [*strings[1:], strings[0]], strict=True)
    image: Json = {name: {"S": value} for name, value in pairs}
    image |= {f"{name}0": {"SS": [value, name]} for name, value in pairwise(strings)}
    image |= {f"{name}1": {"M": {value: {"N": "1"}}} for name, value in pairwise(strings)}
    found = made(raw(image))
    assert found is None or found == walked(raw(image))


def test_a_malformed_scalar_raises() -> None:
    with pytest.raises(MalformedItem):
        made(b'{"a":{"N":"1x"}}')


def test_equal_gaps_have_equal_keys() -> None:
    plain = PlainItems()
    one, two, other = (
        plain.of(raw(image)) for image in ({"a": {"S": "1"}}, {"a": {"N": "2"}}, {"b": {"S": "1"}})
    )
    assert one is not None
    assert two is not None
    assert other is not None
    assert one.key == two.key != other.key


def test_an_item_is_split_at_its_scalars() -> None:
    gaps, scalars = split(b'{"a":{"S":"x"},"l":{"L":[{"N":"1"},{"SS":["y"]}]}}')
    assert gaps == [b'{"a":', b',"l":{"L":[', b",", b"]}}"]
    assert scalars == [b'"x"', b"1", b'SS":["y"]']
    assert [*map(plain_scalar, scalars)] == [b'"x"', b"1", b'["y"]']


def test_what_is_remembered_is_limited(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plain_gaps, "GAPS_BYTES", 100_000)
    monkeypatch.setattr(plain_gaps, "SEEN_TOGETHER", 100)
    plain = PlainItems()
    texts = [raw({f"{number}-{'x' * 1_000}": {"S": "1"}}) for number in range(1_000)]
    texts += [raw({"x" * 100_000 + str(number): {"S": "1"}}) for number in range(5)]

    def make_all() -> None:
        for text in texts:
            assert made(text, plain) is not None

    assert peak_of(make_all) < 1_000_000
    assert len(plain._together) <= 100
