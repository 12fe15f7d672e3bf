"""JSON that is held as text: what Nakadi takes of it, and what is shown."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consumer.core.event.malformed import MalformedItem
from consumer.core.event.selection.seen_json import joined, seen_object
from consumer.core.event.selection.selector import Part
from tests.reference.transcode import parse_strictly

Json = Any

values: st.SearchStrategy[Json] = st.recursive(
    st.one_of(
        st.none(),
        st.booleans(),
        st.integers(-(2**63), 2**63 - 1),
        st.floats(allow_nan=False, allow_infinity=False),
        st.text(),
    ),
    lambda children: st.one_of(
        st.lists(children, max_size=3), st.dictionaries(st.text(max_size=2), children, max_size=3)
    ),
    max_leaves=8,
)
WITHOUT_CARD = Part({"card": False, "lines": Part({"card": False}, others=True)}, others=True)
ONLY_SKU = Part({"lines": Part({"sku": True}, others=False)}, others=False)


def made(text: str, shown: Part | bool = True) -> bytes:
    return b"{%b}" % joined(seen_object(text, shown))


@given(st.dictionaries(st.text(max_size=3), values, max_size=4), st.booleans())
def test_it_is_the_same_json(value: Json, ascii_only: bool) -> None:
    try:
        text = json.dumps(value, ensure_ascii=ascii_only, indent=1)
        text.encode()
    except UnicodeEncodeError:
        return
    try:
        found = made(text)
    except MalformedItem:
        assert "\\u" in text  # half a surrogate pair
        return
    assert json.loads(found) == value
    parse_strictly(found)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('{"a":1.50,"b":18446744073709551616}', b'{"a":1.50,"b":"18446744073709551616"}'),
        ('{"a":1,"a":{"b":2,"b":3}}', b'{"a":{"b":3}}'),
        ('{"a":"\\u00e9\\/"}', b'{"a":"\\u00e9\\/"}'),
        (' { "a" : [ null , true, -1e3 ] } ', b'{"a":[null,true,-1e3]}'),
    ],
)
def test_text_is_copied_as_far_as_nakadi_takes_it(text: str, expected: bytes) -> None:
    assert made(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        *("", "[]", "7", "{", '{"a":}', '{"a":nan}', '{"a":4711,}', '{"a":[4711,{"b":01}]}'),
        *('{"a":1e4711}', '{"a":"\\ud800"}', '{"a":{"b":["\\ud800 4711"]}}', '{"a":"\ud800"}'),
    ],
)
def test_anything_else_is_malformed(text: str) -> None:
    with pytest.raises(MalformedItem) as caught:
        made(text)
    assert "4711" not in str(caught.value)


@pytest.mark.parametrize(
    ("shown", "expected"),
    [
        (WITHOUT_CARD, {"lines": [{"sku": "a"}, 7, [{}]], "name": "x"}),
        (ONLY_SKU, {}),
        (False, {}),
    ],
)
def test_what_is_not_shown_is_left_out(shown: Part | bool, expected: Json) -> None:
    text = '{"card":1,"lines":[{"sku":"a","card":1},7,[{"card":2}]],"name":"x"}'
    assert json.loads(made(text, shown)) == expected


def test_of_a_list_of_maps_a_part_is_included() -> None:
    text = '{"lines":[{"sku":"a","card":1},[{"card":2}]],"name":"x"}'
    assert json.loads(made(text, ONLY_SKU)) == {"lines": [{"sku": "a"}, [{}]]}
