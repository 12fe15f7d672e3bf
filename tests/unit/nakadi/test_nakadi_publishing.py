"""The answer to a batch: first bad event only, and the status and step of all others."""

from __future__ import annotations

import base64
import json
import random
from typing import Any

import pytest

from localdev.nakadi.control.faults import Fault, Faults, Target, fault_from
from localdev.nakadi.event_types.event_type import EventType, make_event_type
from localdev.nakadi.http.problem import ProblemError
from localdev.nakadi.publishing.batch import Event
from localdev.nakadi.publishing.outcome import Outcome, Source, judge, store
from localdev.nakadi.publishing.storing import MESSAGE_MAX_BYTES, Placed

SOURCE = Source(request=0, flow_id="f")


def event_type(**members: object) -> EventType:
    definition: dict[str, Any] = {
        "name": "t",
        "category": "data",
        "partition_strategy": "hash",
        "partition_key_fields": ["k"],
        "schema": {"type": "json_schema", "schema": '{"type": "object"}', "version": "1.0.0"},
        **members,
    }
    return make_event_type(definition, 3, None)


def event(key: str | None = "order-1", op: str = "U", pad: str = "", number: int = 1) -> Event:
    eid = f"00000000-0000-4000-8000-{number:012d}"
    value: dict[str, Any] = {
        "metadata": {"eid": eid, "occurred_at": "2026-11-21T07:00:00Z"},
        "data_type": "order",
        "data_op": op,
        "data": {"pad": pad} if key is None else {"k": key, "pad": pad},
    }
    return Event(json.dumps(value), value, eid)


GOOD, INVALID, UNPLACED = event(), event(op="X"), event(key=None)


def steps(events: list[Event], rejects: list[Fault] | None = None) -> list[tuple[object, ...]]:
    outcome = judge(event_type(), events, rejects or [], deletion=False)
    assert isinstance(outcome, Outcome)
    assert outcome.status == 422
    return [(i["publishing_status"], i["step"], i["partition"]) for i in outcome.items]


@pytest.mark.parametrize("before", range(3))
@pytest.mark.parametrize("after", range(3))
def test_matrix(before: int, after: int) -> None:
    def row(bad: Event, rejects: list[Fault] | None = None) -> list[tuple[object, ...]]:
        return steps([GOOD] * before + [bad] + [GOOD] * after, rejects)

    assert row(INVALID) == [
        *[("aborted", "validating", None)] * before,
        ("failed", "validating", None),
        *[("aborted", "none", None)] * after,
    ]
    assert row(UNPLACED) == [
        *[("aborted", "partitioning", "2")] * before,
        ("failed", "partitioning", None),
        *[("aborted", "validating", None)] * after,
    ]
    fault = fault_from({"kind": "reject", "field": "pad", "value": "x", "step": "enriching"})
    assert row(event(pad="x"), [fault]) == [
        *[("aborted", "enriching", "2")] * before,
        ("failed", "enriching", "2"),
        *[("aborted", "partitioning", "2")] * after,
    ]


def test_all_events_are_validated_before_any_is_partitioned() -> None:
    assert [step for _, step, _ in steps([UNPLACED, INVALID])] == ["validating", "validating"]


def test_a_bad_event_without_an_eid_makes_the_whole_request_a_400() -> None:
    for metadata in (None, {}, {"eid": 5}):
        value: dict[str, Any] = {**INVALID.value, "metadata": metadata}
        with pytest.raises(ProblemError) as caught:
            judge(event_type(), [Event("{}", value, "")], [], deletion=False)
        assert caught.value.status == 400


def test_deletes_on_a_type_that_is_not_compacted_have_no_failed_item() -> None:
    outcome = judge(event_type(), [GOOD, GOOD], [], deletion=True)
    assert isinstance(outcome, Outcome)
    assert [item["publishing_status"] for item in outcome.items] == ["aborted", "aborted"]


def placed(*partitions: str, pad: str = "") -> list[Placed]:
    return [
        Placed(event(pad=pad, number=at), partition, f"key-{at % 2}")
        for at, partition in enumerate(partitions)
    ]


@pytest.mark.parametrize(
    ("fault", "statuses", "written"),
    [
        ({"mode": "all"}, "fff", ""),
        ({"mode": "all", "written": True}, "fff", "012"),
        ({"mode": "partition", "partitions": ["1"]}, "sfs", "02"),
        ({"mode": "partition", "partitions": ["1"], "written": True}, "sfs", "012"),
        ({"mode": "nth", "nth": 3}, "ssf", "01"),
        ({"mode": "later"}, "fss", "12"),
        ({"mode": "aborted"}, "faa", "1"),
        ({"mode": "bytes", "limit": 10}, "fff", ""),
        ({"mode": "bytes", "limit": 10_000}, "sss", "012"),
    ],
)
def test_207_on_demand(fault: dict[str, Any], statuses: str, written: str) -> None:
    target = event_type()
    described = fault_from({"kind": "partial", **fault})
    outcome = store(target, placed("0", "1", "2"), SOURCE, described)
    assert outcome.status == (200 if statuses == "sss" else 207)
    if outcome.items:
        assert "".join(str(item["publishing_status"])[0] for item in outcome.items) == statuses
    assert "".join(str(int(stored.eid[-12:])) for stored in target.log.arrivals) == written


def test_a_partition_with_too_many_bytes_fails_wholly_and_alone() -> None:
    pad = base64.b64encode(random.Random(1).randbytes(MESSAGE_MAX_BYTES // 3)).decode()
    big = [Placed(event(pad=pad, number=at), "1", "k") for at in range(3)]
    target = event_type()
    outcome = store(target, [*placed("0"), *big, *placed("2")], SOURCE, None)
    statuses = [item["publishing_status"] for item in outcome.items]
    assert statuses == ["submitted", "failed", "failed", "failed", "submitted"]
    assert [stored.partition for stored in target.log.arrivals] == ["0", "2"]


def test_the_log_keeps_arrival_order_key_and_sequence() -> None:
    fields = ["data.stream", "data.pad"]  # the last one is the sequence
    target = event_type(ordering_key_fields=fields, ordering_instance_ids=["data.k"])
    judged = judge(
        target, [event("order-1", pad="7"), event("order-2", pad="8")], [], deletion=False
    )
    assert isinstance(judged, list)
    store(target, judged, SOURCE, None)
    facts = [stored.facts() for stored in target.log.arrivals]
    assert [(f["index"], f["key"], f["sequence"], f["offset"]) for f in facts] == [
        (0, "order-1", "7", 0),
        (1, "order-2", "8", 0),
    ]


def test_a_fault_skips_takes_turns_and_is_spent() -> None:
    faults = Faults()
    faults.add(fault_from({"kind": "status", "skip": 1, "every": 2, "count": 2}))
    hit = [faults.take(Target("publish", "t")) is not None for _ in range(7)]
    assert hit == [False, True, False, True, False, False, False]


@pytest.mark.parametrize(
    ("selection", "expected"),
    [
        ({"event_type": "other"}, False),
        ({"event_type": "t"}, True),
        ({"min_events": 3}, False),
        ({"min_bytes": 4}, True),
        ({"min_bytes": 5}, False),
        ({"contains": "bc"}, True),
        ({"on": "event-type"}, False),
        ({"on": "any"}, True),
    ],
)
def test_a_fault_selects_requests(selection: dict[str, Any], expected: bool) -> None:
    target = Target("publish", "t", "abcd", size=4, events=2)
    faults = Faults()
    faults.add(fault_from({"kind": "reset", **selection}))
    assert (faults.take(target) is not None) == expected
    faults.add(fault_from({"kind": "reject", "marker": "a", **selection}))
    assert bool(faults.rejects(target)) == expected


@pytest.mark.parametrize("described", [{}, {"kind": "nope"}, {"kind": "reset", "wen": "after"}])
def test_a_fault_that_is_misspelt_is_refused(described: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"kind|nope|wen"):
        fault_from(described)


def test_where_an_owner_is_named_all_events_have_begun_to_be_validated() -> None:
    owned = event_type(event_owner_selector={"type": "static", "name": "n", "value": "v"})
    outcome = judge(owned, [GOOD, INVALID, GOOD], [], deletion=False)
    assert isinstance(outcome, Outcome)
    assert [item["step"] for item in outcome.items] == ["validating"] * 3
