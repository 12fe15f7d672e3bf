import pytest
from msgspec import Raw

from consumer.core.event.attribute import decode_item
from consumer.core.event.malformed import MalformedItem
from consumer.core.event.ordering_key import OrderingKeys, ordering_key

KEYS = rb"""{"id":{"S":"o-1"},"n":{"N":"12345678901234567890.50"},
    "big":{"N":"99999999999999999999"},"b":{"B":"AQI="},"slash":{"S":"a\/b"},"escaped":{"S":"\u00e9\ud83d\ude00"},"quote":{"S":"\""},
    "flag":{"BOOL":true},"none":{},"bad":{"N":"x"},"set":{"NS":"1"},"map":{"M":[]},"list":{"L":{}},
    "strings":{"SS":["a",1]},"two":{"S":"a","NS":"1"},"many":{"NS":["1"]}}"""


@pytest.mark.parametrize(
    ("names", "text"),
    [
        (["id"], '["o-1"]'),
        (["n"], "[12345678901234567890.50]"),
        (["big"], "[99999999999999999999]"),
        (["b"], '["AQI="]'),
        (["slash"], '["a/b"]'),
        (["escaped"], '["é😀"]'),
        (["quote"], '["\\""]'),
        (["id", "n"], '["o-1",12345678901234567890.50]'),
    ],
)
def test_it_is_a_json_array_of_key_attributes(names: list[str], text: str) -> None:
    assert ordering_key(decode_item(Raw(KEYS)), names) == text
    assert OrderingKeys(names).of(Raw(KEYS)) == text


@pytest.mark.parametrize(
    "name",
    ["absent", "flag", "none", "bad", "set", "map", "list", "strings", "two", "many"],
)
def test_other_than_a_key_attribute_is_malformed(name: str) -> None:
    with pytest.raises(MalformedItem):
        ordering_key(decode_item(Raw(KEYS)), ["id", name])
    with pytest.raises(MalformedItem):
        OrderingKeys(["id", name]).of(Raw(KEYS))


def test_names_that_msgspec_takes_for_no_field_are_read_all_the_same() -> None:
    keys = Raw(rb'{"a\"b":{"S":"x"},"id":{"S":"y"}}')
    assert OrderingKeys(['a"b', "id"]).of(keys) == '["x","y"]'
    assert OrderingKeys([]).of(keys) == "[]"


def test_several_strings_are_in_the_order_of_the_names() -> None:
    keys = Raw(b'{"pk":{"S":"x"},"sk":{"S":"y"}}')
    assert OrderingKeys(["sk", "pk"]).of(keys) == '["y","x"]'
