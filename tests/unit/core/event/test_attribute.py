import json
from typing import Any

import pytest
from hypothesis import given
from msgspec import DecodeError, Raw

from consumer.core.event.attribute import (
    decode_item,
    decode_members,
    decode_value,
    is_same,
    plain,
    plain_item,
)
from consumer.core.event.malformed import MalformedItem
from tests.reference import transcode as reference
from tests.reference.records import Json, items, nested_to


def spliced(image: Json, **style: Any) -> bytes:
    text = json.dumps(image, **style)
    return b"{" + b",".join(plain_item(decode_item(Raw(text.encode())))) + b"}"


@given(items)
def test_an_item_is_what_the_reference_makes_of_it(image: Json) -> None:
    parsed = reference.parse_strictly(spliced(image))
    assert parsed == reference.item_of(image)
    assert list(parsed) == list(image)


@given(items)
def test_white_space_between_tokens_does_not_reach_the_result(image: Json) -> None:
    assert spliced(image, indent=1) == spliced(image, separators=(",", ":"))


@given(nested_to(32))
def test_values_nest_as_deep_as_dynamodb_lets_them(value: Json) -> None:
    parsed = reference.parse_strictly(plain(decode_value(json.dumps(value).encode())))
    assert parsed == reference.plain(value)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (rb'{"S":"a\/b \u00e9"}', rb'"a\/b \u00e9"'),
        ('{"S":"é"}'.encode(), '"é"'.encode()),
        (b'{"S":""}', b'""'),
        (rb'{"S":"\"}"}', rb'"\"}"'),
        (b'{"N":"1.50E+3"}', b"1.50E+3"),
        (b'{"N":"18446744073709551616"}', b'"18446744073709551616"'),
        (b'{"B":"AQI="}', b'"AQI="'),
        (b'{"BOOL":false}', b"false"),
        (b'{"NULL":true}', b"null"),
        (b'{"M":{}}', b"{}"),
        (b'{"L":[]}', b"[]"),
        ('{"SS":["é","b","\\u0061","Z","\U00010000","\uffff"]}'.encode(),
         '["Z","a","b","é","\uffff","\U00010000"]'.encode()),
        (b'{"NS":["10","9","1E+1","-0.5"]}', b"[-0.5,9,10,1E+1]"),
        (b'{"NS":["18446744073709551616","2"]}', b'[2,"18446744073709551616"]'),
        (b'{"BS":["Zg==","AQ=="]}', b'["AQ==","Zg=="]'),
    ],
)  # fmt: skip
def test_each_type_has_its_plain_text(value: bytes, text: bytes) -> None:
    assert plain(decode_value(value)) == text


@pytest.mark.parametrize(
    "value",
    [
        b"{}", b'{"S":"a","N":"1"}', b'{"S":1}', b'{"N":1}', b'{"N":"1,2"}', b'{"B":null}',
        b'{"X":"a"}', b'{"BOOL":"true"}', b'{"BOOL":null}', b'{"NULL":false}', b'{"M":[]}',
        b'{"M":{"a":"b"}}', b'{"L":{}}', b'{"L":["a"]}', b'{"SS":"a"}', b'{"SS":[1]}',
        b'{"NS":["x"]}', b'{"NS":["NaN"]}', b'{"NS":[1]}', b'{"BS":[null]}',
        b'{"M":{"a":{"S":1}}}', b'{"L":[{"N":"01"}]}',
    ],
)  # fmt: skip
def test_what_is_no_attribute_value_is_malformed(value: bytes) -> None:
    with pytest.raises((MalformedItem, DecodeError)):
        plain(decode_value(value))
    with pytest.raises(MalformedItem, match="attribute 'name':"):
        plain_item(decode_item(Raw(b'{"name":' + value + b"}")))


def test_an_error_names_the_attributes_on_the_way_and_no_value() -> None:
    item = decode_item(Raw(b'{"ok":{"S":"x"},"outer":{"M":{"inner":{"N":"secret"}}}}'))
    with pytest.raises(MalformedItem) as caught:
        plain_item(item)
    assert str(caught.value).startswith("attribute 'outer': attribute 'inner': ")
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize("text", [b"[]", b'"a"', b"null", b'{"a":', b'{"a":1}'])
def test_what_is_no_item_is_malformed(text: bytes) -> None:
    with pytest.raises(MalformedItem):
        decode_item(Raw(text))


def test_members_are_not_looked_into() -> None:
    assert bytes(decode_members(Raw(b'{"a":1}'))["a"]) == b"1"
    with pytest.raises(MalformedItem):
        decode_members(Raw(b"[]"))


def test_a_name_given_twice_is_taken_once() -> None:
    assert plain_item(decode_item(Raw(b'{"a":{"S":"1"},"a":{"S":"2"}}'))) == [b'"a":"2"']


@pytest.mark.parametrize(
    ("before", "after", "same"),
    [
        (b"1", b"1", True),
        (b"1", b"1.0", False),
        (b"1", b"true", False),
        (rb'"a\/b"', b'"a/b"', True),
        (rb'"\u00e9"', '"é"'.encode(), True),
        (rb'"\u00e9"', b'"e"', False),
        (b'"1"', b"1", False),
        (b"1", b'"1"', False),
        (b'"a"', b'"b"', False),
    ],
)
def test_only_strings_have_two_spellings_of_one_value(
    before: bytes, after: bytes, same: bool
) -> None:
    assert is_same(before, after) is same
    assert is_same(after, before) is same
