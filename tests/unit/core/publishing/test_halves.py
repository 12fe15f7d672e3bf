"""Halves of a batch."""

import pytest

from consumer.core.publishing.halves import halved, halves
from tests.unit.core.events import event


@pytest.mark.parametrize(("events", "most"), [(1, 1), (2, 1), (3, 1), (4, 2), (500, 250)])
def test_half_of_the_events_but_at_least_one(events: int, most: int) -> None:
    assert halved(events) == most


@pytest.mark.parametrize(
    ("keys", "parts"),
    [
        ("abcd", ["ab", "cd"]),
        ("abc", ["a", "bc"]),
        ("aabb", ["aa", "bb"]),
        ("abbb", ["a", "bbb"]),
        ("aaab", ["aaa", "b"]),
        ("aaaa", ["aa", "aa"]),
        ("ab", ["a", "b"]),
    ],
)
def test_they_are_cut_between_two_keys_if_there_are_two(keys: str, parts: list[str]) -> None:
    events = [event(number, key) for number, key in enumerate(keys)]
    assert ["".join(each.key for each in half) for half in halves(events)] == parts
