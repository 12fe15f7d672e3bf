"""What stands around the item."""

import json

import pytest
from msgspec.structs import replace

from consumer.core.event.envelope import Envelope, ItemContent
from consumer.core.event.event import Category, Crossing, EventFormat, Layout
from consumer.core.stream.page import decode_page
from consumer.core.stream.record import StreamRecord

FORMAT = EventFormat("order-store:order", ("id",))
STREAM = "2026-11-01T09:30:00.000"
PLACE = {"sequence": f"{21:040}", "stream": STREAM}
CONTENT = ItemContent(b'"id":"o-1"', [b'{"op":"remove","path":"/x"}'])


def record(name: str = "MODIFY", **members: object) -> StreamRecord:
    change = {"Keys": {}, "SequenceNumber": "21", "ApproximateCreationDateTime": 1793525400}
    made = {"eventID": "1", "eventName": name, "dynamodb": change, **members}
    (only,) = decode_page(json.dumps({"Records": [made]}).encode()).records
    assert isinstance(only, StreamRecord)
    return only


def body(form: EventFormat, of: StreamRecord, content: ItemContent = CONTENT) -> object:
    found: object = json.loads(Envelope(form, STREAM).body(of, "the-eid", 1793525400.5, content))
    return found


def test_the_members_of_an_event() -> None:
    assert body(FORMAT, record()) == {
        "metadata": {"eid": "the-eid", "occurred_at": "2026-11-01T09:30:00.500Z"},
        "data_type": "order-store:order",
        "data_op": "U",
        "data": {
            "id": "o-1",
            "patch": [{"op": "remove", "path": "/x"}],
            "change": PLACE,
        },
    }


@pytest.mark.parametrize(("name", "op"), [("INSERT", "C"), ("MODIFY", "U"), ("REMOVE", "D")])
def test_each_kind_of_change_has_its_letter(name: str, op: str) -> None:
    found = Envelope(FORMAT, STREAM).body(record(name), "e", 1.0, ItemContent(b'"id":"1"', None))
    assert json.loads(found)["data_op"] == op


def test_names_and_layout_are_those_of_the_format() -> None:
    form = EventFormat("d", ("id",), patch_field="p", change_field="c", layout=Layout.NESTED)
    found = json.loads(Envelope(form, STREAM).body(record(), "e", 1.0, CONTENT))
    assert list(found["data"]) == ["item", "p", "c"]
    assert found["data"]["item"] == {"id": "o-1"}


def test_only_a_removal_is_by_ttl() -> None:
    service = {"Type": "Service", "PrincipalId": "dynamodb.amazonaws.com"}
    for name, told in (("REMOVE", True), ("MODIFY", None)):
        made = record(name, userIdentity=service)
        found = json.loads(
            Envelope(FORMAT, STREAM).body(made, "e", 1.0, ItemContent(b'"id":"1"', None))
        )
        assert found["data"]["change"].get("ttl") is told


@pytest.mark.parametrize(
    ("crossing", "op", "told"),
    [(Crossing.ENTERED, "C", "entered"), (Crossing.LEFT, "D", "left")],
)
def test_an_update_that_crosses_is_told_as_what_it_is_to_readers(
    crossing: Crossing, op: str, told: str
) -> None:
    content = ItemContent(b'"id":"o-1"', None)
    found = json.loads(Envelope(FORMAT, STREAM).body(record(), "e", 1.0, content, crossing))
    assert found["data_op"] == op
    assert found["data"]["change"] == PLACE | {told: True}


def test_a_patch_is_left_out_where_the_event_would_be_too_large() -> None:
    whole = Envelope(FORMAT, STREAM).body(record(), "e", 1.0, CONTENT)
    form = EventFormat("order-store:order", ("id",), event_bytes=len(whole))
    assert Envelope(form, STREAM).body(record(), "e", 1.0, CONTENT) == whole
    form = EventFormat("order-store:order", ("id",), event_bytes=len(whole) - 1)
    data = json.loads(Envelope(form, STREAM).body(record(), "e", 1.0, CONTENT))["data"]
    assert "patch" not in data
    assert data["change"]["patch_omitted"] is True


def test_a_patch_that_was_not_made_is_omitted() -> None:
    content = ItemContent(b'"id":"o-1"', None, patch_omitted=True)
    found = json.loads(Envelope(FORMAT, STREAM).body(record(), "e", 1.0, content))
    assert found["data"]["change"]["patch_omitted"] is True
    assert "patch" not in found["data"]


@pytest.mark.parametrize(
    ("change", "item", "members"),
    [
        (True, b'"id":"o-1"', ["metadata", "id", "c"]),
        (False, b'"id":"o-1"', ["metadata", "id"]),
        (True, b"", ["metadata", "c"]),
        (False, b"", ["metadata"]),
    ],
)
def test_a_business_event_is_metadata_and_its_own_members(
    change: bool, item: bytes, members: list[str]
) -> None:
    form = replace(FORMAT, category=Category.BUSINESS, change=change, change_field="c")
    content = ItemContent(item, None, metadata=b',"flow_id":"f"')
    found = json.loads(
        Envelope(form, STREAM).body(record("INSERT"), "the-eid", 1793525400.0, content)
    )
    assert list(found) == members
    assert found["metadata"] == {
        "eid": "the-eid",
        "occurred_at": "2026-11-01T09:30:00Z",
        "flow_id": "f",
    }


@pytest.mark.parametrize("layout", Layout)
@pytest.mark.parametrize("patch", [None, []])
def test_an_item_of_which_nothing_is_shown(layout: Layout, patch: list[bytes] | None) -> None:
    found = Envelope(replace(FORMAT, layout=layout), STREAM).body(
        record(), "the-eid", 1793525400.0, ItemContent(b"", patch)
    )
    data = json.loads(found)["data"]
    assert data.pop("item", {}) == {}
    assert list(data) == (["change"] if patch is None else ["patch", "change"])


@pytest.mark.parametrize("layout", Layout)
@pytest.mark.parametrize("item", [b'"id":"o-1"', b""])
def test_what_was_read_has_the_lowest_place_of_its_stream(layout: Layout, item: bytes) -> None:
    found = Envelope(replace(FORMAT, layout=layout), STREAM).body_of_reading(
        "S", "the-eid", 1793525400.0, ItemContent(item, None), b',"snapshot":"s-1"'
    )
    event = json.loads(found)
    assert (event["data_op"], event["metadata"]["eid"]) == ("S", "the-eid")
    place = {"sequence": "0" * 40, "stream": STREAM, "snapshot": "s-1"}
    assert event["data"].pop("change") == place
    shown = {"id": "o-1"} if item else {}
    assert event["data"] == ({"item": shown} if layout is Layout.NESTED else shown)


def test_a_touch_is_told_where_the_item_neither_enters_nor_leaves() -> None:
    touched = ItemContent(b'"id":"o-1"', [], touched=True)
    found = Envelope(FORMAT, STREAM).body(record(), "e", 0.0, touched)
    assert json.loads(found)["data"] == {
        "id": "o-1",
        "patch": [],
        "change": {**PLACE, "touched": True},
    }
    left = Envelope(FORMAT, STREAM).body(record(), "e", 0.0, touched, Crossing.LEFT)
    assert json.loads(left)["data"]["change"] == {**PLACE, "left": True}
