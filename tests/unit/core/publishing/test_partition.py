"""The hash rule: vectors of the real server, and what cannot be told."""

from __future__ import annotations

from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from consumer.core.publishing.partition import HashRule, infer, java_hash
from localdev.nakadi.event_types.partitioning import partitioner
from localdev.nakadi.java import string_hash

DEFINITION = {"category": "data", "partition_strategy": "hash"}


def names(count: int) -> list[str]:
    return [str(number) for number in range(count)]


def event(*values: object) -> bytes:
    return orjson.dumps({"data": {f"f{i}": value for i, value in enumerate(values)}})


def rule(count: int, fields: int = 1) -> HashRule:
    return HashRule.of([f"f{i}" for i in range(fields)], names(count))


@pytest.mark.parametrize(
    ("values", "indexes"),
    [
        (["order-1"], (2, 6, 2)),
        (["order-2"], (1, 5, 1)),
        (["äöü"], (0, 2, 6)),
        (["😀"], (1, 3, 7)),
        ([""], (0, 0, 0)),
        (["DE", "order-1"], (0, 5, 9)),
    ],
)
def test_the_servers_own_examples(values: list[str], indexes: tuple[int, int, int]) -> None:
    found = [rule(count, len(values)).partition(event(*values)) for count in (3, 8, 12)]
    assert found == [sorted(names(n))[i] for n, i in zip((3, 8, 12), indexes, strict=True)]


@given(st.text(), st.text(), st.integers(1, 40))
def test_as_the_local_nakadi_has_it(first: str, second: str, count: int) -> None:
    definition: dict[str, Any] = {**DEFINITION, "partition_key_fields": ["f0", "f1"]}
    found = partitioner(definition, count)({"data": {"f0": first, "f1": second}})
    assert rule(count, 2).partition(event(first, second)) == found


@given(st.text(), st.integers(1, 40))
def test_a_business_event_is_looked_up_without_data(text: str, count: int) -> None:
    definition: dict[str, Any] = {
        **DEFINITION,
        "category": "business",
        "partition_key_fields": ["f0"],
    }
    found = partitioner(definition, count)({"f0": text, "data": {"f0": "other"}})
    rule = HashRule.of(["f0"], names(count), in_data=False)
    assert rule.partition(orjson.dumps({"f0": text, "data": {"f0": "other"}})) == found


@given(st.text(st.characters()))
def test_a_hash_is_that_of_java(text: str) -> None:
    assert java_hash(text) == string_hash(text) & 0xFFFFFFFF


def test_the_smallest_sum_has_no_positive_counterpart() -> None:
    text = "polygenelubricants"  # its hash is -2^31
    assert java_hash(text) == 0x80000000
    assert rule(7).partition(event(text)) == str(2**31 % 7)


def test_whole_numbers_count_as_their_digits() -> None:
    assert rule(8).partition(event(4711)) == rule(8).partition(event("4711"))


@pytest.mark.parametrize("value", [1.5, True, None, {}, []])
def test_what_java_prints_in_its_own_way_cannot_be_told(value: object) -> None:
    assert rule(8).partition(event(value)) is None


def test_fields_are_paths_inside_data() -> None:
    nested = HashRule.of(["item.id"], names(8))
    assert nested.partition(b'{"data":{"item":{"id":"order-1"}}}') == "6"
    assert nested.partition(b'{"data":{"item":"order-1"}}') is None
    assert nested.partition(b"{}") is None


def test_a_rule_explains_what_it_cannot_tell() -> None:
    assert rule(8).explains([(event("order-1"), "6"), (event(None), "3")])
    assert not rule(8).explains([(event("order-1"), "5")])


def spread(count: int, events: int) -> list[tuple[bytes, str]]:
    bodies = [event(f"o-{number}") for number in range(events)]
    return [(body, rule(count).partition(body) or "") for body in bodies]


def test_a_rule_is_found_when_enough_events_prove_it() -> None:
    assert infer(("f0",), spread(12, 500)) == rule(12)
    assert infer(("f0",), spread(1, 2)) == rule(1)


def test_no_rule_is_found_by_too_few_events_or_against_one() -> None:
    assert infer(("f0",), spread(12, 20)) is None
    assert infer(("f1",), spread(8, 500)) is None
    wrong = spread(8, 500)
    wrong[7] = (wrong[7][0], str((int(wrong[7][1]) + 1) % 8))
    assert infer(("f0",), wrong) is None
    assert infer((), spread(1, 500)) is None
    assert infer(("f0",), []) is None
    assert infer(("f0",), [(body, "p" + name) for body, name in spread(2, 9)]) is None


@pytest.mark.parametrize("name", ["\u00b2", "\u0663", "1_0", "9" * 5000])
def test_a_name_that_is_no_ordinary_number_proves_nothing(name: str) -> None:
    events = [(body, name) for body, _ in spread(1, 20)]
    assert infer(("f0",), events) is None
