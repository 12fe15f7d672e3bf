"""Rows of snapshots as they stand in the table: other people's scripts read these names."""

from typing import Any

import pytest
from msgspec.structs import replace

from consumer.adapters.lease_table.lease_rows import item
from consumer.adapters.lease_table.row_fields import Unreadable
from consumer.adapters.lease_table.snapshot_rows import (
    expiry,
    segment_key,
    segment_of,
    segment_values,
    snapshot_key,
    snapshot_of,
    snapshot_values,
)
from consumer.core.republish.snapshot import Counts, Mode, Segment, Snapshot, Terms

TERMS = Terms(4, "{}", ("a.b",), "print", "2026-11-01T09:30:00.000", Mode.ONCE)
SNAPSHOT = Snapshot("orders", "first", "run-1", TERMS, 1.5, 2.5, Counts(5, 1, 3, 2))
SEGMENT = Segment(2, "run-1", "me", 7, '{"pk":{"S":"m"}}', done=False, counts=Counts(5, 1, 3, 2))

COUNT_ITEM = {
    "items": {"N": "5"},
    "untaken": {"N": "1"},
    "stored": {"N": "3"},
    "refused": {"N": "2"},
}
SNAPSHOT_ITEM = {
    "run": {"S": "run-1"},
    "segments": {"N": "4"},
    "filter": {"S": "{}"},
    "routes": {"L": [{"S": "a.b"}]},
    "fingerprint": {"S": "print"},
    "stream": {"S": "2026-11-01T09:30:00.000"},
    "mode": {"S": "once"},
    "startedAt": {"N": "1.5"},
    "endedAt": {"N": "2.5"},
    **COUNT_ITEM,
}
SEGMENT_ITEM = {
    "run": {"S": "run-1"},
    "owner": {"S": "me"},
    "counter": {"N": "7"},
    "lastKey": {"S": '{"pk":{"S":"m"}}'},
    "done": {"BOOL": False},
    **COUNT_ITEM,
}


def keyed(key: str, row: dict[str, Any]) -> dict[str, Any]:
    return {"application": {"S": "app"}, "key": {"S": key}, **row}


def test_a_snapshot_row() -> None:
    assert snapshot_key("orders", "first") == "snapshot/orders/first"
    assert item(snapshot_values(SNAPSHOT)) == SNAPSHOT_ITEM
    row = keyed("snapshot/orders/first", SNAPSHOT_ITEM)
    assert snapshot_of(row) == SNAPSHOT
    assert snapshot_of(row | {"newer": {"S": "x"}, "expiresAt": {"N": "9"}}) == SNAPSHOT


def test_a_snapshot_row_without_filter_and_end() -> None:
    bare = replace(SNAPSHOT, terms=replace(TERMS, filter=None), ended_at=None)
    values = item(snapshot_values(bare))
    assert {"filter", "endedAt"} & values.keys() == set()
    assert snapshot_of(keyed("snapshot/orders/first", values)) == bare


def test_a_segment_row() -> None:
    assert segment_key(SNAPSHOT, 2) == "snapshot/orders/first/0000002"
    assert item(segment_values(SEGMENT)) == SEGMENT_ITEM
    assert segment_of(keyed("snapshot/orders/first/0000002", SEGMENT_ITEM)) == SEGMENT


def test_rows_expire_35_days_after_they_were_written() -> None:
    assert expiry(1793525400.9) == {"expiresAt": 1793525400 + 35 * 86_400}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("run", {"S": ""}),
        ("segments", {"N": "0"}),
        ("segments", {"N": "1000001"}),
        ("segments", {"N": "many"}),
        ("routes", {"S": "a.b"}),
        ("mode", {"S": "thrice"}),
        ("startedAt", {"S": "1.5"}),
        ("endedAt", {"S": "never"}),
        ("stored", {"N": "-1"}),
        ("stream", None),
    ],
)
def test_a_damaged_snapshot_row_is_named(name: str, value: dict[str, Any] | None) -> None:
    damaged = {each: text for each, text in SNAPSHOT_ITEM.items() if each != name}
    damaged |= {} if value is None else {name: value}
    key = "snapshot/orders/first"
    assert snapshot_of(keyed(key, damaged)) == Unreadable(key, name)


@pytest.mark.parametrize(
    ("name", "value"),
    [("counter", {"N": "1.5"}), ("run", None), ("lastKey", {"M": {}}), ("done", {"S": "yes"})],
)
def test_a_damaged_segment_row_is_named(name: str, value: dict[str, Any] | None) -> None:
    damaged = {each: text for each, text in SEGMENT_ITEM.items() if each != name}
    damaged |= {} if value is None else {name: value}
    key = "snapshot/orders/first/0000002"
    assert segment_of(keyed(key, damaged)) == Unreadable(key, name)


def test_a_row_with_an_odd_key_is_named() -> None:
    assert segment_of(keyed("snapshot/orders/first/2", SEGMENT_ITEM)) == Unreadable(
        "snapshot/orders/first/2", "key"
    )
    assert snapshot_of(keyed("snapshot/orders", SNAPSHOT_ITEM)) == Unreadable(
        "snapshot/orders", "key"
    )
