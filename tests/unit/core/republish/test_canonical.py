"""One spelling of an item."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import Raw

from consumer.core.event.attribute import decode_members
from consumer.core.event.malformed import MalformedItem
from consumer.core.republish.canonical import canonical
from tests.reference.selections import deep_items


def spelled(text: str) -> bytes:
    return canonical(decode_members(Raw(text.encode())))


def test_names_sets_escapes_and_spaces_are_in_one_order() -> None:
    one = '{"b":{"SS":["x","a"]},"a":{"M":{"n":{"NS":["2","10"]},"m":{"S":"\\u00e4/"}}}}'
    other = '{ "a" : {"M":{"m":{"S":"ä\\/"},"n":{"NS":["10","2"]}}}, "b":{"SS":["a","x"]} }'
    assert spelled(one) == spelled(other)
    assert (
        spelled(one)
        == '{"a":{"M":{"m":{"S":"ä/"},"n":{"NS":["10","2"]}}},"b":{"SS":["a","x"]}}'.encode()
    )


def test_sets_are_sorted_at_any_depth_and_lists_never() -> None:
    assert spelled('{"a":{"L":[{"BS":["Yg==","YQ=="]},{"S":"b"},{"S":"a"}]}}') == (
        b'{"a":{"L":[{"BS":["YQ==","Yg=="]},{"S":"b"},{"S":"a"}]}}'
    )
    assert spelled('{"a":{"L":[{"S":"a"},{"S":"b"}]}}') != spelled(
        '{"a":{"L":[{"S":"b"},{"S":"a"}]}}'
    )


def test_a_map_may_have_members_named_like_sets() -> None:
    text = b'{"a":{"M":{"SS":{"L":[{"S":"b"},{"S":"a"}]}}}}'
    assert spelled(text.decode()) == text


@given(deep_items, st.randoms())
def test_the_order_in_which_an_item_was_sent_does_not_matter(item: Any, chance: Any) -> None:
    def shuffled(value: Any) -> Any:
        if isinstance(value, dict):
            names = [*value]
            chance.shuffle(names)
            return {name: shuffled(value[name]) for name in names}
        return [*map(shuffled, value)] if isinstance(value, list) else value

    assert spelled(json.dumps(item)) == spelled(json.dumps(shuffled(item), ensure_ascii=False))
    assert json.loads(spelled(json.dumps(item))).keys() == item.keys()


@pytest.mark.parametrize("text", ['{"a":"S"}', '{"a":7}'])
def test_what_is_no_value_is_named(text: str) -> None:
    with pytest.raises(MalformedItem, match="attribute 'a'"):
        spelled(text)


def test_what_has_no_known_form_is_kept() -> None:
    assert (
        spelled('{"a":{"M":{"b":7,"c":{"NULL":true}}}}') == b'{"a":{"M":{"b":7,"c":{"NULL":true}}}}'
    )
