"""Keys as people give them."""

import json

import pytest

from consumer.core.republish.item_key import NotAKey, identity_of, read_key, read_keys
from consumer.core.republish.table.table_description import TableDescription
from tests.unit.core.republish.items import TABLE_ARN, wire

TABLE = TableDescription("t", TABLE_ARN, ("pk", "sk"), {"pk": "S", "sk": "N"})
BINARY = TableDescription("t", TABLE_ARN, ("b",), {"b": "B"})


def test_a_whole_key_has_the_order_of_the_table() -> None:
    key = read_key('{"sk": {"N": "7"}, "pk": {"S": "ä\\u0041"}}', TABLE)
    assert (bytes(key.text).decode(), key.is_whole) == ('{"pk":{"S":"äA"},"sk":{"N":"7"}}', True)
    assert key.identity == identity_of(key.text)


def test_the_partition_key_alone_is_a_part_of_one() -> None:
    assert not read_key('{"pk": {"S": "o-1"}}', TABLE).is_whole
    assert read_key('{"b": {"B": "YQ=="}}', BINARY).is_whole


def test_numbers_are_compared_by_value_and_texts_as_they_are() -> None:
    seven = [identity_of(wire({"n": {"N": text}})) for text in ("7", "7.0", "0.7e1")]
    assert len(set(seven)) == 1
    assert len({identity_of(wire({"n": {"S": text}})) for text in ("7", "7.0")}) == 2
    assert identity_of(wire({"a": {"S": "x"}, "b": {"S": "y"}})) == identity_of(
        wire({"b": {"S": "y"}, "a": {"S": "x"}})
    )


def test_a_line_of_refused_keys_is_a_key() -> None:
    line = {"key": {"pk": {"S": "o-1"}, "sk": {"N": "1"}}, "reason": "busy", "event_type": "x"}
    assert read_key(json.dumps(line), TABLE).is_whole
    named = TableDescription("t", TABLE_ARN, ("key", "reason"), {"key": "S", "reason": "S"})
    assert read_key('{"key": {"S": "a"}, "reason": {"S": "b"}}', named).is_whole


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "it is no JSON object"),
        ("[]", "it is no JSON object"),
        ("[" * 100_000, "it is no JSON object"),
        (
            '{"pk": {"S": "a"}, "x": {"S": "b"}}',
            "'x' is no attribute of the table's key (pk, sk)",
        ),
        ('{"sk": {"N": "1"}}', "it lacks 'pk' of the table's key (pk, sk)"),
        ('{"pk": "a"}', '\'pk\' is no typed value, such as {"S": "…"}'),
        ('{"pk": {"S": "a", "N": "1"}}', '\'pk\' is no typed value, such as {"S": "…"}'),
        ('{"pk": {"N": "1"}}', "'pk' is of type N, and in the table's key of type S"),
        ('{"pk": {"S": 1}}', "'pk' has no text as its value"),
        ('{"pk": {"S": ""}}', "'pk' has no text as its value"),
        ('{"pk": {"S": "a"}, "sk": {"N": "x"}}', "'sk' is no number"),
        ('{"pk": {"S": "a"}, "sk": {"N": "NaN"}}', "'sk' is no number"),
    ],
)
def test_what_is_no_key_of_the_table_is_told_in_one_line(text: str, why: str) -> None:
    with pytest.raises(NotAKey) as error:
        read_key(text, TABLE)
    assert str(error.value) == why


def test_binary_is_base64() -> None:
    with pytest.raises(NotAKey, match="'b' is no base64 text"):
        read_key('{"b": {"B": "!"}}', BINARY)


def test_a_file_may_end_with_an_empty_line() -> None:
    lines = [b'{"pk": {"S": "a"}}\n', b"\n"]
    assert [key.is_whole for key in read_keys(lines, TABLE)] == [False]


def test_a_file_names_the_line_that_is_none() -> None:
    lines = [b'{"pk": {"S": "a"}, "sk": {"N": "1"}}\n', b"\n", b'{"pk": {"S": "b"}}\n', b"x\n"]
    found = read_keys(lines, TABLE)
    assert [next(found).is_whole, next(found).is_whole] == [True, False]
    with pytest.raises(NotAKey, match="line 4: it is no JSON object"):
        next(found)
