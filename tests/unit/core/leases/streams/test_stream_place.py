"""Whose events sort above those of the stream that is to be read."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from consumer.core.leases.lease import StreamRow
from consumer.core.leases.streams.stream_place import Reading, highest_above, none_named, said_by
from consumer.core.stream.stream import Stream

EARLY, NOW, LATE = (f"2026-11-0{day}T00:00:00.000" for day in "123")


def row(table: str, label: str, prefix: str | None = "") -> StreamRow:
    made = StreamRow("arn", table, label, None, "TRIM_HORIZON", None, True, 1, 1, 0, "")
    return replace(made, stream_prefix=prefix)


def above(*rows: StreamRow, prefix: str = "", follows: bool = True) -> str | None:
    found = highest_above(Reading(Stream("arn", "orders", NOW), prefix, follows), rows)
    return None if found is None else found.key


def test_events_say_prefix_and_label() -> None:
    assert Reading(Stream("arn", "orders", NOW), "b-", True).said == f"b-{NOW}"
    assert said_by(row("orders", NOW, "b-")) == f"b-{NOW}"
    assert said_by(row("orders", NOW, None)) is None
    assert said_by(replace(row("orders", NOW), passed_by="view_type")) is None
    assert said_by(replace(row("orders", NOW), unreadable="sweep")) is None


def test_a_later_stream_of_another_table_sorts_above() -> None:
    assert above(row("before", LATE)) == f"before/{LATE}"
    assert above(row("before", EARLY)) is None
    assert above(row("before", NOW)) is None  # not above
    assert above(row("before", LATE, None)) is None
    assert above(replace(row("before", LATE), passed_by="view_type")) is None


def test_a_prefix_decides_before_the_label() -> None:
    assert above(row("before", LATE), prefix="b-") is None
    assert above(row("before", EARLY, "b-")) == f"before/{EARLY}"
    assert above(row("before", EARLY, "b-"), prefix="a-") == f"before/{EARLY}"
    assert above(row("before", LATE, "b-"), prefix="b") is None  # 2 is above -
    assert above(row("before", EARLY, "B-"), prefix="b-") is None  # by code point


@pytest.mark.parametrize("follows", [True, False])
def test_the_streams_of_a_table_that_is_followed_are_read_in_their_turn(*, follows: bool) -> None:
    rows = row("orders", EARLY), row("orders", NOW), row("orders", LATE)
    assert above(*rows, follows=follows) == (None if follows else f"orders/{LATE}")
    assert above(*rows[:2], follows=follows) is None
    lower = row("orders", EARLY, "b-"), row("orders", NOW, "b-")
    assert above(*lower, follows=follows) == f"orders/{NOW}"


def test_whether_no_worker_so_far_named_the_stream_in_its_events() -> None:
    before, since = row("orders", EARLY, None), row("orders", NOW)
    assert none_named("orders", [before])
    assert none_named("orders", [before, row("another", NOW)])
    assert not none_named("orders", [before, since])  # of a new stream, or rolled back since then
    assert not none_named("orders", [])
    assert not none_named("orders", [row("another", NOW, None)])
    assert not none_named("orders", [replace(before, unreadable="sweep")])


def test_the_highest_one_is_named() -> None:
    rows = row("a", LATE), row("c", EARLY, "z-"), row("b", NOW, "z-"), row("d", EARLY, "y-")
    assert above(*rows) == above(*reversed(rows)) == f"b/{NOW}"
    assert above() is None
