"""Strict JSON: the fast way and the exact way agree, and refuse what the real server refuses."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from localdev.nakadi.http.problem import ProblemError
from localdev.nakadi.publishing.batch import Event, parse_batch
from localdev.nakadi.strict_json import StrictJsonError, parse_document, parse_object

SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=5)
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3)
    ),
    max_leaves=6,
)
OBJECTS = st.dictionaries(st.text(max_size=3), VALUES, max_size=3)


@given(st.lists(OBJECTS, max_size=3), st.booleans(), st.sampled_from([None, 2]))
def test_both_parsers_read_what_json_writes(
    events: list[dict[str, object]], ascii_only: bool, indent: int | None
) -> None:
    body = json.dumps(events, ensure_ascii=ascii_only, indent=indent)
    parsed = parse_batch(body)
    assert [event.value for event in parsed] == events
    assert [parse_object(event.text) for event in parsed] == events
    assert all(event.text in body for event in parsed)


@given(OBJECTS, st.data())
def test_a_text_with_a_hole_is_refused_or_read_alike(
    value: dict[str, object], data: st.DataObject
) -> None:
    text = json.dumps(value)
    at = data.draw(st.integers(1, len(text) - 1))
    broken = text[:at] + text[at + 1 :]
    try:
        exact: object = parse_document(broken)
    except StrictJsonError:
        exact = None
    try:
        (event,) = parse_batch(f"[{broken}]")
        fast: object = event.value
    except (ProblemError, ValueError):
        fast = None
    assert fast == exact


@pytest.mark.parametrize(
    "literal",
    [
        "NaN",
        "Infinity",
        "-Infinity",
        "+1",
        ".5",
        "1e",
        "1e400",
        "-",
        "9223372036854775808",
        "-9223372036854775809",
        '"a\tb"',
        '"\\x41"',
        '"\\u12"',
        "[1,]",
        '{"a":1,}',
        '{"a":1,"\\u0061":2}',
        "nul",
        "/*x*/1",
    ],
)
def test_the_whole_request_is_refused_for(literal: str) -> None:
    with pytest.raises(ProblemError) as caught:
        parse_batch(f'[{{"n":{literal}}}]')
    assert caught.value.status == 400


@pytest.mark.parametrize(
    ("literal", "value"),
    [
        ("01", 1),
        ("-01", -1),
        ("1.", 1.0),
        ("-.5", -0.5),
        ("-0", -0.0),
        ("12345678901234567890123456789012345678.0", 1.2345678901234568e37),
        ('"\\\'"', "'"),
        ('"\\u+041"', "A"),
        ('"\\ud83d"', "\ud83d"),
        ('"\\ud83d\\ude00"', "😀"),
    ],
)
def test_text_that_is_hardly_json_is_read(literal: str, value: object) -> None:
    (event,) = parse_batch(f'[{{"n":{literal}}}]')
    assert event.value == {"n": value}
    assert type(event.value["n"]) is type(value)


@pytest.mark.parametrize("body", ['[{"a":1},]', '[,{"a":1}]', '[{"a":1}{"a":2}]', "[,,]", " [] \n"])
def test_the_outer_array_is_lax_about_commas(body: str) -> None:
    assert len(parse_batch(body)) == body.count("{")


def test_a_body_of_white_space_is_more_than_the_server_expects() -> None:
    with pytest.raises(ProblemError) as caught:
        parse_batch(" \r\n")
    assert caught.value.status == 500


@pytest.mark.parametrize("body", ["[", " [ ", "]", "null", "{}", "[1]", "[{}] x", "[{}][{}]"])
def test_the_body_must_be_one_array_of_objects(body: str) -> None:
    with pytest.raises(ProblemError) as caught:
        parse_batch(body)
    assert caught.value.status == 400


def test_an_event_is_measured_in_raw_bytes() -> None:
    assert not Event("{ä}", {}, "").exceeds(4)
    assert Event("{ä}", {}, "").exceeds(3)
