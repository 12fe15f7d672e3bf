"""What Java decides: hashes, number text, hash map order."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from localdev.nakadi.java import double_text, hash_map_order, int32, json_text, string_hash


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", 0),
        ("a", 97),
        ("order-1", -1207111310),
        ("äöü", 226986),
        ("😀", 1772899),
        ("polygenelubricants", -(2**31)),
    ],
)
def test_string_hash_is_that_of_java(text: str, expected: int) -> None:
    assert string_hash(text) == expected


@given(st.text())
def test_string_hash_follows_its_definition_over_utf_16_units(text: str) -> None:
    raw = text.encode("utf-16-be", "surrogatepass")
    units = [int.from_bytes(raw[at : at + 2], "big") for at in range(0, len(raw), 2)]
    total = sum(unit * 31 ** (len(units) - 1 - at) for at, unit in enumerate(units))
    assert string_hash(text) == int32(total)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (1.5, "1.5"),
        (1e5, "100000.0"),
        (1e7, "1.0E7"),
        (1.0e-3, "0.001"),
        (9.9e-4, "9.9E-4"),
        (123456789.5, "1.234567895E8"),
        (-0.0, "-0.0"),
        (4.9e-324, "4.9E-324"),
        (1.7976931348623157e308, "1.7976931348623157E308"),
        (100.0, "100.0"),
    ],
)
def test_double_text_is_that_of_java(value: float, expected: str) -> None:
    assert double_text(value) == expected


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_double_text_reads_back_as_the_same_number(value: float) -> None:
    assert float(double_text(value)) == value


def test_json_text_escapes_and_orders_as_the_java_library() -> None:
    assert json_text({"b": 1, "a": 1.50, "c": "</x>\u0001\u2028"}) == (
        '{"a":1.5,"b":1,"c":"<\\/x>\\u0001\\u2028"}'
    )


def test_metadata_comes_in_the_order_of_a_java_hash_map() -> None:
    names = ["eid", "occurred_at", "published_by", "received_at", "event_type", "partition"]
    assert hash_map_order([*names, "version", "flow_id"]) == [
        "occurred_at",
        "published_by",
        "eid",
        "event_type",
        "partition",
        "received_at",
        "flow_id",
        "version",
    ]
