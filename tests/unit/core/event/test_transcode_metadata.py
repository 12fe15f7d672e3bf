"""Attributes that are moved into an event's metadata."""

import json
from typing import Any

import pytest
from msgspec.structs import replace

from consumer.core.event.event import (
    Crossing,
    Event,
    EventFormat,
    MetadataSources,
    Unbuildable,
)
from consumer.core.event.selection.selection import Selection
from consumer.core.event.transcode import Transcoder
from consumer.core.stream.page import decode_page
from consumer.core.stream.record import StreamRecord
from tests.benchmarks.records import STREAM_ARN
from tests.reference.records import record_of
from tests.reference.shapes import eager_shapes

Json = Any

UUID, OTHER = (f"a1b2c3d4-0000-4000-8000-00000000000{number}" for number in "12")
FORMAT = EventFormat("order", ("id",), metadata=MetadataSources(eid="event", flow_id="flow"))
OLD: Json = {"id": {"S": "1"}, "event": {"S": UUID}, "flow": {"S": "before"}}
NEW: Json = {"id": {"S": "1"}, "event": {"S": OTHER}, "flow": {"S": "after"}}


def read(wire: Json) -> StreamRecord:
    (record,) = decode_page(json.dumps({"Records": [wire]}).encode()).records
    assert isinstance(record, StreamRecord)
    return record


def made_of(wire: Json, crossing: Crossing | None = None, form: EventFormat = FORMAT) -> Event:
    transcoder = Transcoder(form, STREAM_ARN, eager_shapes())
    cold, _, warm = (transcoder.event_of(read(wire), crossing) for _ in range(3))
    assert cold == warm
    assert isinstance(cold, Event)
    return cold


@pytest.mark.parametrize(
    ("wire", "crossing"),
    [
        (record_of("INSERT", None, NEW), None),
        (record_of("MODIFY", OLD, NEW), None),
        (record_of("MODIFY", OLD, NEW), Crossing.ENTERED),
    ],
)
def test_they_are_those_of_this_change_and_no_data(wire: Json, crossing: Crossing | None) -> None:
    made = made_of(wire, crossing)
    body = json.loads(made.body)
    metadata, data = body["metadata"], body["data"]
    assert [*metadata] == ["eid", "occurred_at", "flow_id"]
    assert (metadata["eid"], metadata["flow_id"], made.eid) == (OTHER, "after", OTHER)
    assert data.pop("patch", []) == []
    assert {*data} == {"id", "change"}


@pytest.mark.parametrize(
    ("wire", "crossing"),
    [(record_of("REMOVE", OLD), None), (record_of("MODIFY", OLD, NEW), Crossing.LEFT)],
)
def test_a_d_has_none_of_them_because_they_are_of_another_change(
    wire: Json, crossing: Crossing | None
) -> None:
    made = made_of(wire, crossing)
    plain = replace(FORMAT, metadata=MetadataSources())
    assert made.eid == made_of(wire, crossing, plain).eid
    body = json.loads(made.body)
    assert [*body["metadata"]] == ["eid", "occurred_at"]
    assert {*body["data"]} == {"id", "change"}


def test_an_item_without_them_has_the_eid_of_its_record() -> None:
    made = made_of(record_of("INSERT", None, {"id": {"S": "1"}}))
    plain = replace(FORMAT, metadata=MetadataSources())
    assert made.body == made_of(record_of("INSERT", None, {"id": {"S": "1"}}), form=plain).body


def test_they_are_found_by_the_tables_names_and_whatever_is_included() -> None:
    form = replace(FORMAT, selection=Selection(include=(), rename=(("id", "flow"),)))
    metadata = json.loads(made_of(record_of("INSERT", None, NEW), form=form).body)["metadata"]
    assert metadata["flow_id"] == "after"


def test_an_eid_that_is_none_is_poison_and_a_value_left_out_is_counted() -> None:
    transcoder = Transcoder(FORMAT, STREAM_ARN, eager_shapes())
    bad = transcoder.event_of(read(record_of("INSERT", None, NEW | {"event": {"S": "4711"}})))
    assert isinstance(bad, Unbuildable)
    assert (bad.reason, "'event'" in bad.detail, "4711" in bad.detail) == (
        "malformed_record",
        True,
        False,
    )
    assert bad.left_out == 0
    odd = transcoder.event_of(read(record_of("INSERT", None, NEW | {"flow": {"N": "7"}})))
    assert isinstance(odd, Event)
    assert odd.left_out == 1
    large = Transcoder(replace(FORMAT, event_bytes=10), STREAM_ARN, eager_shapes())
    too_large = large.event_of(read(record_of("INSERT", None, NEW | {"flow": {"N": "7"}})))
    assert isinstance(too_large, Unbuildable)
    assert too_large.left_out == 1
