"""Rows as they stand in the table: other people's scripts read these names."""

from typing import Any

import pytest
from msgspec.structs import replace

from consumer.adapters.lease_table import lease_rows, stream_rows
from consumer.adapters.lease_table.command_rows import command_of, command_values
from consumer.adapters.lease_table.gap_rows import gap_of, gap_values
from consumer.adapters.lease_table.lease_rows import (
    Attribute,
    item,
    lease_of,
    lease_values,
)
from consumer.adapters.lease_table.row_fields import Unreadable
from consumer.core.leases.command import Action, Command
from consumer.core.leases.lease import Gap, Lease, Pause, StreamRow, Worker
from consumer.core.leases.mark import Ahead, Mark
from consumer.core.leases.worker_report import WorkerReport

WORKER = Worker(
    "host/1", 7, 2, ("t/l",), True, False, 1793525400.123456, 5.0, "host", "1.2", 60.0, 15.5
)
STREAM = StreamRow("arn", "t", "l", "k", "LATEST", 1.5, True, 3, 2, 9, "print", 4, 5.5)
LEASE = Lease("shard", "parent", "me", 3, "12", True, 1.5, 2.5, 3.5, 4.5, "iterator", 6)
GAP = Gap("shard", "12", "15", "trimmed", 1.5)

WORKER_ITEM = {
    "heartbeat": {"N": "7"},
    "changes": {"N": "2"},
    "streams": {"L": [{"S": "t/l"}]},
    "able": {"BOOL": True},
    "draining": {"BOOL": False},
    "seenAt": {"N": "1793525400.123456"},
    "startedAt": {"N": "5.0"},
    "host": {"S": "host"},
    "version": {"S": "1.2"},
    "expiresAt": {"N": "1793529000"},
    "leaseDuration": {"N": "60.0"},
    "heartbeatInterval": {"N": "15.5"},
}
STREAM_ITEM = {
    "streamArn": {"S": "arn"},
    "after": {"S": "k"},
    "startPosition": {"S": "LATEST"},
    "startedAt": {"N": "1.5"},
    "bootstrapped": {"BOOL": True},
    "sweep": {"M": {"n": {"N": "3"}, "done": {"N": "2"}, "at": {"N": "5.5"}}},
    "changes": {"N": "9"},
    "fingerprint": {"S": "print"},
    "schemaVersion": {"N": "4"},
}
LEASE_ITEM = {
    "leaseOwner": {"S": "me"},
    "leaseCounter": {"N": "3"},
    "checkpoint": {"S": "12"},
    "parentShardId": {"S": "parent"},
    "parentGone": {"BOOL": True},
    "createdAt": {"N": "1.5"},
    "recordAt": {"N": "2.5"},
    "caughtUpAt": {"N": "3.5"},
    "releasedAt": {"N": "4.5"},
    "startIterator": {"S": "iterator"},
    "ownerSwitches": {"N": "6"},
}
GAP_ITEM = {
    "from": {"S": "12"},
    "to": {"S": "15"},
    "reason": {"S": "trimmed"},
    "detectedAt": {"N": "1.5"},
}


def keyed(key: str, item: dict[str, Any]) -> dict[str, Any]:
    return {"application": {"S": "app"}, "key": {"S": key}, **item}


def test_a_worker_row() -> None:
    assert lease_rows.item(lease_rows.worker_values(WORKER)) == WORKER_ITEM
    assert lease_rows.worker_of(keyed("worker/host/1", WORKER_ITEM)) == WORKER


def test_a_worker_row_says_which_attribute_is_left_out_and_an_older_one_does_not() -> None:
    worker = replace(WORKER, touch_attribute="consumer:touch")
    item = WORKER_ITEM | {"touchAttribute": {"S": "consumer:touch"}}
    assert lease_rows.item(lease_rows.worker_values(worker)) == item
    assert lease_rows.worker_of(keyed("worker/host/1", item)) == worker
    assert lease_rows.worker_of(keyed("worker/host/1", WORKER_ITEM)).touch_attribute is None


REPORT = WorkerReport("failing", "shard s: throttled", 5.5, 6.5, ("t/l/s",))
REPORT_ITEM = {
    "state": {"S": "failing"},
    "reason": {"S": "shard s: throttled"},
    "since": {"N": "5.5"},
    "settledAt": {"N": "6.5"},
    "failing": {"L": [{"S": "t/l/s"}]},
}


def test_what_a_worker_says_of_itself() -> None:
    worker = replace(WORKER, report=REPORT)
    item = WORKER_ITEM | REPORT_ITEM
    assert lease_rows.item(lease_rows.worker_values(worker)) == item
    assert lease_rows.worker_of(keyed("worker/host/1", item)) == worker
    sound = replace(WORKER, report=WorkerReport("ok"))
    assert lease_rows.item(lease_rows.worker_values(sound)) == WORKER_ITEM | {"state": {"S": "ok"}}
    assert lease_rows.worker_of(keyed("worker/host/1", WORKER_ITEM | {"state": {"S": "ok"}})) == (
        sound
    )


def test_a_paused_lease_says_by_whom_when_and_why() -> None:
    paused = replace(LEASE, paused=True, pause=Pause("me@desk", 7.5, "deploy"))
    item = LEASE_ITEM | {
        "paused": {"BOOL": True},
        "pausedBy": {"S": "me@desk"},
        "pausedAt": {"N": "7.5"},
        "pausedReason": {"S": "deploy"},
    }
    assert lease_rows.item(lease_rows.lease_values(paused)) == item
    assert lease_rows.lease_of(keyed("lease/t/l/shard", item)) == paused
    del item["pausedReason"]
    silent = replace(paused, pause=Pause("me@desk", 7.5))
    assert lease_rows.item(lease_rows.lease_values(silent)) == item
    assert lease_rows.lease_of(keyed("lease/t/l/shard", item)) == silent


def test_a_worker_of_an_older_version_pauses_and_resumes_without_saying_who() -> None:
    item = LEASE_ITEM | {"paused": {"BOOL": True}}
    assert lease_rows.lease_of(keyed("lease/t/l/shard", item)) == replace(LEASE, paused=True)
    resumed = LEASE_ITEM | {"pausedBy": {"S": "me@desk"}, "pausedAt": {"N": "7.5"}}
    assert lease_rows.lease_of(keyed("lease/t/l/shard", resumed)) == LEASE


def test_a_stream_row() -> None:
    assert lease_rows.item(stream_rows.stream_values(STREAM)) == STREAM_ITEM
    assert stream_rows.stream_of(keyed("stream/t/l", STREAM_ITEM)) == STREAM
    for prefix in ("", "b-"):  # that nothing stands before the label is said, too
        row = replace(STREAM, stream_prefix=prefix)
        item = lease_rows.item(stream_rows.stream_values(row))
        assert item == STREAM_ITEM | {"streamPrefix": {"S": prefix}}
        assert stream_rows.stream_of(keyed("stream/t/l", item)) == row


def test_a_lease_row() -> None:
    assert lease_rows.item(lease_rows.lease_values(LEASE)) == LEASE_ITEM
    key = lease_rows.lease_key("t/l", "shard")
    assert key == "lease/t/l/shard"
    assert lease_rows.lease_of(keyed(key, LEASE_ITEM)) == LEASE


def test_a_gap_row() -> None:
    assert lease_rows.item(gap_values(GAP)) == GAP_ITEM
    key = lease_rows.gap_key("t/l", GAP)
    assert key == "gap/t/l/shard/12"
    assert gap_of(keyed(key, GAP_ITEM)) == GAP


def test_what_is_none_is_absent_and_comes_back_as_none() -> None:
    bare = Lease("shard", None)
    item = lease_rows.item(lease_rows.lease_values(bare))
    assert item.keys() == {
        "leaseCounter",
        "checkpoint",
        "parentGone",
        "createdAt",
        "ownerSwitches",
    }
    assert lease_rows.lease_of(keyed("lease/t/l/shard", item)) == bare


def test_attributes_of_a_newer_version_are_ignored() -> None:
    assert lease_rows.lease_of(keyed("lease/t/l/shard", {**LEASE_ITEM, "new": {"S": "x"}})) == LEASE


@pytest.mark.parametrize("seconds", [0.1 + 0.2, 1793525400.123456, 1e-7, 1.7e300, 0.0, -1.5])
def test_a_time_comes_back_as_the_same_float(seconds: float) -> None:
    number = lease_rows.attribute(seconds)["N"]
    assert float(str(number)) == seconds


MARKED = Lease(
    "s-1",
    None,
    checkpoint="400",
    command_counter=3,
    mark=Mark(Ahead(600, ("order.audit", "order.public"), ("order", "order.audit")), 3),
)


def marked_row(**changed: Attribute | None) -> dict[str, Attribute]:
    row = {"key": {"S": "lease/orders/L/s-1"}, **item(lease_values(MARKED))} | changed
    return {name: value for name, value in row.items() if value is not None}


def test_a_mark_is_four_attributes_beside_the_checkpoint() -> None:
    row = marked_row()
    assert row["aheadTo"] == {"S": "600"}
    assert row["behind"] == {"L": [{"S": "order.audit"}, {"S": "order.public"}]}
    assert row["aheadTypes"] == {"L": [{"S": "order"}, {"S": "order.audit"}]}
    assert row["aheadCounter"] == {"N": "3"}
    read = lease_of(row)
    assert read == MARKED
    assert read.ahead is not None
    assert read.ahead.event_types == ("order", "order.audit")


def test_a_mark_may_be_of_all_event_types() -> None:
    read = lease_of(marked_row(aheadTypes=None))
    assert read.ahead is not None
    assert read.ahead.event_types is None


def test_a_row_without_a_mark_has_none_of_them() -> None:
    row = item(lease_values(replace(MARKED, mark=None)))
    assert not row.keys() & {"aheadTo", "behind", "aheadTypes", "aheadCounter"}


@pytest.mark.parametrize(
    "changed",
    [
        {"aheadTo": None},
        {"aheadTo": {"S": "soon"}},
        {"aheadTo": {"N": "600"}},
        {"aheadTo": {"S": "6" * 41}},
        {"behind": None},
        {"behind": {"L": []}},
        {"behind": {"S": "order.audit"}},
        {"behind": {"L": [{"N": "1"}]}},
        {"aheadTypes": {"S": "order"}},
        {"aheadCounter": None},
        {"aheadCounter": {"S": "3"}},
    ],
)
def test_an_invalid_mark_is_none_and_costs_nothing_else(
    changed: dict[str, Attribute | None],
) -> None:
    assert lease_of(marked_row(**changed)) == replace(MARKED, mark=None)


def test_a_mark_of_another_counter_says_nothing() -> None:
    assert lease_of(marked_row(commandCounter={"N": "4"})).ahead is None
    assert lease_of(marked_row()).ahead == Ahead(600, ("order.audit", "order.public"))


def test_the_times_of_a_gap_count_for_what_was_found_when_they_were_written() -> None:
    """A worker of the version before that meets a gap again writes only `detectedAt` and `to`."""
    gap = Gap("s-1", "400", "500", "trimmed", 5.0, None, 1.0, 2.0, 9.0)
    row = {"key": {"S": "gap/orders/L/s-1/400"}, **item(gap_values(gap))}
    assert gap_of(row) == gap
    met_by_older = row | {"detectedAt": {"N": "7.0"}}
    assert gap_of(met_by_older) == replace(gap, detected_at=7.0, to_time=None, repaired_at=None)
    unknown = item(gap_values(replace(gap, to_time=None, repaired_at=None)))
    assert not unknown.keys() & {"toTime", "repairedAt", "timesOf"}


def test_a_gap_names_those_who_were_behind() -> None:
    gap = Gap("s-1", "400", None, "trimmed", 5.0, Ahead(600, ("order.audit",)))
    row = {"key": {"S": "gap/orders/L/s-1/400"}, **item(gap_values(gap))}
    assert gap_of(row) == gap
    assert gap_of(row | {"behind": {"L": []}}) == replace(gap, ahead=None)
    assert not item(gap_values(replace(gap, ahead=None))).keys() & {"aheadTo", "behind"}


AGAIN = Command(7, Action.SEEK_EVENT_TYPE, ("s-1",), "400", 5.0, "me", "t", "", "order.audit")


def again_row(**changed: Attribute | None) -> dict[str, Attribute]:
    row = {"key": {"S": "command/orders/L/0000000007"}, **item(command_values(AGAIN))} | changed
    return {name: value for name, value in row.items() if value is not None}


def test_the_seek_of_an_event_type_has_a_word_that_older_workers_pass_over() -> None:
    row = again_row()
    assert row["action"] == {"S": "seek_event_type"}
    assert row["eventType"] == {"S": "order.audit"}
    assert command_of(row) == AGAIN


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("eventType", None),
        ("eventType", {"S": ""}),
        ("shards", None),
        ("target", None),
        ("target", {"S": "LATEST"}),
    ],
)
def test_a_seek_of_an_event_type_that_cannot_be_is_named(
    name: str, value: Attribute | None
) -> None:
    found = command_of(again_row(**{name: value}))
    assert isinstance(found, Unreadable)
    assert found.attribute == name
