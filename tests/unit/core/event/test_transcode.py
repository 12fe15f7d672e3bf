import copy
import json
from collections.abc import Sequence
from typing import Any

import jsonpatch
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import Raw
from msgspec.structs import replace

from consumer.core.event.attribute import decode_members
from consumer.core.event.event import (
    DETAIL_CHARACTERS,
    TOUCH_ATTRIBUTE,
    Category,
    Crossing,
    Event,
    EventFormat,
    Layout,
    MetadataSources,
    Unbuildable,
    Withheld,
)
from consumer.core.event.selection.attribute_path import read_path
from consumer.core.event.selection.selection import Selection
from consumer.core.event.transcode import Transcoder
from consumer.core.stream.page import Page, decode_page
from consumer.core.stream.record import MalformedRecord, StreamRecord
from tests.benchmarks.records import STREAM_ARN
from tests.reference import patch as unlimited
from tests.reference import transcode as reference
from tests.reference.memory import peak_of
from tests.reference.records import (
    KEYS,
    Json,
    modifications,
    record_of,
    records,
    rescaled_items,
)
from tests.reference.shapes import eager_shapes

FORMAT = EventFormat("order-store:order", ("id",))
NESTED = replace(FORMAT, layout=Layout.NESTED)
NO_PATCH = replace(FORMAT, patch=False)
ITEM: Json = {"id": {"S": "o-4711"}, "status": {"S": "OPEN"}, "amount": {"N": "19.90"}}
PAID: Json = ITEM | {"status": {"S": "PAID"}}


def outcomes(
    *wire: Json,
    event_format: EventFormat = FORMAT,
    transcoder: Transcoder | None = None,
    **style: Any,
) -> Sequence[Event | Unbuildable]:
    style = style or {"separators": (",", ":"), "ensure_ascii": False}
    page = decode_page(json.dumps({"Records": wire}, **style).encode())
    return outcomes_of(page, transcoder or Transcoder(event_format, STREAM_ARN, eager_shapes()))


def outcomes_of(page: Page, transcoder: Transcoder) -> list[Event | Unbuildable]:
    return [transcoder.event_of(record) for record in page.records]


def event(wire: Json, event_format: EventFormat = FORMAT, **style: Any) -> Event:
    (outcome,) = outcomes(wire, event_format=event_format, **style)
    assert isinstance(outcome, Event)
    return outcome


def unbuildable(wire: Json, event_format: EventFormat = FORMAT) -> Unbuildable:
    (outcome,) = outcomes(wire, event_format=event_format)
    assert isinstance(outcome, Unbuildable)
    assert json.loads(outcome.record or b"") == wire
    return outcome


def changed(wire: Json, **members: Any) -> Json:
    wire = copy.deepcopy(wire)
    wire["dynamodb"].update(members)
    return {**wire, "dynamodb": {k: v for k, v in wire["dynamodb"].items() if v is not ...}}


@given(records, st.sampled_from((FORMAT, NESTED, NO_PATCH)))
def test_an_event_is_what_the_reference_makes_of_the_record(
    wire: Json, event_format: EventFormat
) -> None:
    body = reference.parse_strictly(event(wire, event_format).body)
    expected = reference.event_of(wire, event_format, STREAM_ARN)
    patch = body["data"].pop("patch", None)
    assert body == expected
    assert [*body["data"]] == [*expected["data"]]
    if wire["eventName"] == "MODIFY" and event_format.patch:
        old = reference.item_of(wire["dynamodb"]["OldImage"])
        new = reference.item_of(wire["dynamodb"]["NewImage"])
        assert jsonpatch.JsonPatch(patch).apply(old) == new
    else:
        assert patch is None


def stream_record(wire: Json) -> StreamRecord:
    text = json.dumps({"Records": [wire]}, separators=(",", ":"), ensure_ascii=False).encode()
    (record,) = decode_page(text).records
    assert isinstance(record, StreamRecord)
    return record


@given(modifications, st.sampled_from(Crossing), st.sampled_from((FORMAT, NESTED, NO_PATCH)))
def test_a_crossing_is_what_the_reference_makes_of_the_record(
    wire: Json, crossing: Crossing, event_format: EventFormat
) -> None:
    transcoder = Transcoder(event_format, STREAM_ARN, eager_shapes())
    made = transcoder.event_of(stream_record(wire), crossing)
    assert isinstance(made, Event)
    body = reference.parse_strictly(made.body)
    assert body == reference.event_of(wire, event_format, STREAM_ARN, crossing.value)
    assert made.eid == event(wire, event_format).eid


@pytest.mark.parametrize(
    ("crossing", "op", "status"), [(Crossing.ENTERED, "C", "PAID"), (Crossing.LEFT, "D", "OPEN")]
)
def test_the_bytes_of_a_crossing(crossing: Crossing, op: str, status: str) -> None:
    transcoder = Transcoder(FORMAT, STREAM_ARN, eager_shapes())
    made = transcoder.event_of(stream_record(record_of("MODIFY", ITEM, PAID)), crossing)
    assert isinstance(made, Event)
    assert made.body.endswith(
        f'"data_op":"{op}","data":{{"id":"o-4711","status":"{status}","amount":19.90,'
        '"change":{"sequence":"0000000000000000400000000000000499660041",'
        f'"stream":"2026-11-01T00:00:00.000","{crossing}":true}}}}}}'.encode()
    )


@pytest.mark.parametrize(
    ("crossing", "old", "new"),
    [(Crossing.ENTERED, ITEM, None), (Crossing.LEFT, None, ITEM), (Crossing.LEFT, {}, ITEM)],
)
def test_a_crossing_without_its_image_is_poison(crossing: Crossing, old: Json, new: Json) -> None:
    transcoder = Transcoder(NO_PATCH, STREAM_ARN, eager_shapes())
    made = transcoder.event_of(stream_record(record_of("MODIFY", old, new)), crossing)
    assert isinstance(made, Unbuildable)
    assert made.reason == "malformed_record"
    assert ("NewImage" if new is None else "OldImage") in made.detail


def test_a_reserved_name_is_looked_for_in_the_image_that_is_told() -> None:
    gone = ITEM | {"change": {"S": "x"}}
    record = stream_record(record_of("MODIFY", gone, ITEM))
    transcoder = Transcoder(FORMAT, STREAM_ARN, eager_shapes())
    assert isinstance(transcoder.event_of(record, Crossing.ENTERED), Event)
    made = transcoder.event_of(record, Crossing.LEFT)
    assert isinstance(made, Unbuildable)
    assert made.reason == "reserved_attribute"


def test_a_record_that_no_filter_can_judge_is_poison_with_its_coordinates() -> None:
    transcoder = Transcoder(FORMAT, STREAM_ARN, eager_shapes())
    made = transcoder.unanswered(stream_record(INSERT), "w" * 9_999)
    assert (made.sequence, made.ordering_key) == (400000000000000499660041, '["o-4711"]')
    assert made.eid == event(INSERT).eid
    assert (made.reason, len(made.detail)) == ("malformed_record", DETAIL_CHARACTERS)
    assert json.loads(made.record or b"") == INSERT
    assert made.body is None
    keyless = transcoder.unanswered(stream_record(changed(INSERT, Keys={})), "why")
    assert keyless.ordering_key is None


@given(records)
def test_the_same_record_gives_the_same_bytes_however_often_and_however_spaced(wire: Json) -> None:
    transcoder = Transcoder(FORMAT, STREAM_ARN, eager_shapes())
    thrice = outcomes(wire, wire, wire, transcoder=transcoder)
    spaced = outcomes(wire, wire, wire, transcoder=transcoder, indent=1, ensure_ascii=False)
    assert {outcome.body for outcome in (*thrice, *spaced)} == {event(wire).body}


@given(st.data())
def test_what_a_transcoder_remembers_changes_no_byte(data: st.DataObject) -> None:
    wire = data.draw(modifications)
    change = wire["dynamodb"]
    old = data.draw(rescaled_items(change["OldImage"]))
    new = data.draw(rescaled_items(change["NewImage"]))
    other = changed(wire, OldImage=old, NewImage=new)
    *_, warm = outcomes(wire, wire, wire, other)
    assert warm == event(other)


BAD: list[Json] = [
    {"eventID": 1},
    record_of("INSERT"),
    record_of("MODIFY", ITEM, ITEM | {"n": {"N": "1x"}}),
    record_of("MODIFY", ITEM, ITEM | {"change": {"S": "x"}}),
]


@given(st.lists(st.one_of(records, st.sampled_from(BAD)), max_size=6))
def test_together_records_give_what_each_gives_alone(wires: list[Json]) -> None:
    page = decode_page(json.dumps({"Records": wires}).encode()).records
    alone = [Transcoder(FORMAT, STREAM_ARN, eager_shapes()).event_of(each) for each in page]
    together = Transcoder(FORMAT, STREAM_ARN, eager_shapes())
    for _ in range(3):
        assert together.events_of([(each, None) for each in page]) == alone


def test_the_bytes_of_an_update() -> None:
    wire = record_of("MODIFY", ITEM, PAID)
    result = event(wire)
    assert result.body == (
        b'{"metadata":{"eid":"bc168762-5d59-5496-9445-adb7ba7e57a6","occurred_at":"2026-11-01T09:30:00Z"},'
        b'"data_type":"order-store:order","data_op":"U",'
        b'"data":{"id":"o-4711","status":"PAID","amount":19.90,'
        b'"patch":[{"op":"replace","path":"/status","value":"PAID"}],'
        b'"change":{"sequence":"0000000000000000400000000000000499660041",'
        b'"stream":"2026-11-01T00:00:00.000"}}}'
    )
    assert result.eid == json.loads(result.body)["metadata"]["eid"]
    assert result.sequence == 400000000000000499660041
    assert result.ordering_key == '["o-4711"]'
    assert result.created_at == 1793525400.0


def test_the_prefix_stands_before_the_label_of_the_stream() -> None:
    made = event(record_of("INSERT", None, ITEM), replace(FORMAT, stream_prefix="b-"))
    assert b'499660041","stream":"b-2026-11-01T00:00:00.000"}}}' in made.body


def test_strings_are_kept_as_sent() -> None:
    wire = record_of("INSERT", None, {"id": {"S": "é/"}})
    assert b'"id":"\\u00e9/"' in event(wire, separators=(",", ":")).body
    assert '"id":"é/"'.encode() in event(wire).body


def test_an_insert_has_no_patch_and_a_nested_item_its_own_place() -> None:
    data = event(record_of("INSERT", None, ITEM), NESTED).body.partition(b'"data":')[2]
    assert data == (
        b'{"item":{"id":"o-4711","status":"OPEN","amount":19.90},'
        b'"change":{"sequence":"0000000000000000400000000000000499660041",'
        b'"stream":"2026-11-01T00:00:00.000"}}}'
    )


def test_a_change_that_shows_nothing_has_an_empty_patch() -> None:
    assert b'"patch":[],' in event(record_of("MODIFY", ITEM, ITEM)).body


def test_a_removal_has_the_last_image_or_else_the_keys() -> None:
    for wire, item in [
        (record_of("REMOVE", ITEM), ITEM),
        (record_of("REMOVE"), KEYS),
        (record_of("REMOVE", {}), KEYS),
    ]:
        data = reference.parse_strictly(event(wire).body)["data"]
        assert data == reference.item_of(item) | {"change": data["change"]}
        assert data["change"] == {
            "sequence": "0000000000000000400000000000000499660041",
            "stream": "2026-11-01T00:00:00.000",
        }


def test_only_a_removal_by_expiry_is_marked() -> None:
    identity = {"Type": "Service", "PrincipalId": "dynamodb.amazonaws.com"}
    removed = event(record_of("REMOVE", ITEM, userIdentity=identity))
    assert removed.body.endswith(b'00:00.000","ttl":true}}}')
    assert b"ttl" not in event(record_of("MODIFY", ITEM, PAID, userIdentity=identity)).body
    assert b"ttl" not in event(record_of("REMOVE", ITEM)).body


def test_names_of_fields_are_settings() -> None:
    event_format = replace(FORMAT, patch_field='the "patch"', change_field="100%", data_type="ä")
    body = json.loads(event(record_of("MODIFY", ITEM, PAID), event_format).body)
    assert [*body["data"]][-2:] == ['the "patch"', "100%"]
    assert body["data_type"] == "ä"


def test_the_ordering_key_has_the_configured_attributes() -> None:
    wire = changed(record_of("INSERT", None, ITEM), Keys={"sort": {"N": "1.50"}, "id": {"S": "o"}})
    assert event(wire, replace(FORMAT, ordering_key=("id", "sort"))).ordering_key == '["o",1.50]'


@pytest.mark.parametrize("reserved", ["patch", "change"])
@pytest.mark.parametrize("event_name", ["INSERT", "MODIFY", "REMOVE"])
def test_a_reserved_attribute_is_poison_in_the_flat_layout(reserved: str, event_name: str) -> None:
    item = ITEM | {reserved: {"S": "secret"}}
    wire = record_of(event_name, item, item)
    result = unbuildable(wire)
    assert result.reason == "reserved_attribute"
    assert repr(reserved) in result.detail
    assert "secret" not in result.detail
    assert result.ordering_key == '["o-4711"]'
    assert result.eid == event(wire, NESTED).eid
    assert result.body is None
    renamed = replace(FORMAT, patch_field="p", change_field="c")
    assert isinstance(event(wire, renamed), Event)


@pytest.mark.parametrize("event_name", ["INSERT", "MODIFY", "REMOVE"])
def test_without_patches_their_name_is_an_attribute_like_any_other(event_name: str) -> None:
    item = ITEM | {"patch": {"S": "ours"}}
    plain = replace(FORMAT, patch=False)
    body = json.loads(event(record_of(event_name, item, item), plain).body)
    assert body["data"]["patch"] == "ours"
    taken = record_of(event_name, ITEM | {"change": {"S": "x"}}, ITEM | {"change": {"S": "x"}})
    assert unbuildable(taken, plain).reason == "reserved_attribute"


def test_an_attribute_that_is_no_longer_reserved_may_leave() -> None:
    body = event(record_of("MODIFY", ITEM | {"patch": {"S": "x"}}, ITEM)).body
    assert b'"patch":[{"op":"remove","path":"/patch"}]' in body


def test_a_large_event_loses_its_patch_and_then_is_poison() -> None:
    wire = record_of("MODIFY", ITEM, PAID)
    whole = len(event(wire).body)
    assert b'"patch":[' in event(wire, replace(FORMAT, event_bytes=whole)).body

    stripped = event(wire, replace(FORMAT, event_bytes=whole - 1)).body
    assert stripped.endswith(b'00:00.000","patch_omitted":true}}}')
    assert b'"patch":' not in stripped
    assert event(wire, replace(FORMAT, event_bytes=len(stripped))).body == stripped

    result = unbuildable(wire, replace(FORMAT, event_bytes=len(stripped) - 1))
    assert result.reason == "too_large"
    assert result.body == stripped
    assert str(len(stripped)) in result.detail
    assert result.ordering_key == '["o-4711"]'


def test_without_patches_none_is_omitted() -> None:
    wire = record_of("MODIFY", None, PAID)
    body = event(wire, NO_PATCH).body
    assert b"patch" not in body
    result = unbuildable(wire, replace(NO_PATCH, event_bytes=len(body) - 1))
    assert (result.reason, result.body) == ("too_large", body)


INSERT = record_of("INSERT", None, ITEM)


@given(modifications, st.sampled_from((FORMAT, NESTED)), st.integers(-40, 40), st.booleans())
def test_exactly_the_events_that_exceed_the_limit_lose_their_patch(
    wire: Json, event_format: EventFormat, more: int, at_whole: bool
) -> None:
    images = (wire["dynamodb"][name] for name in ("OldImage", "NewImage"))
    texts = (json.dumps(image, separators=(",", ":"), ensure_ascii=False) for image in images)
    old, new = (decode_members(Raw(text.encode())) for text in texts)
    patch = b",".join(unlimited.diff(old, new))
    bare = event(wire, replace(event_format, patch=False)).body
    omitted = bare.removesuffix(b"}}}") + b',"patch_omitted":true}}}'
    whole = bare.replace(b',"change":{"seq', b',"patch":[' + patch + b'],"change":{"seq')
    assert event(wire, event_format).body == whole

    limit = max(1, len(whole if at_whole else omitted) + more)
    (result,) = outcomes(wire, event_format=replace(event_format, event_bytes=limit))
    if len(whole) <= limit:
        assert isinstance(result, Event)
        assert result.body == whole
    elif len(omitted) <= limit:
        assert isinstance(result, Event)
        assert result.body == omitted
    else:
        assert isinstance(result, Unbuildable)
        assert (result.reason, result.body) == ("too_large", omitted)


@pytest.mark.parametrize("name_bytes", [10_000, 60_000])
def test_a_long_name_above_many_changes_takes_little_memory(name_bytes: int) -> None:
    leaves = (390_000 - name_bytes) // 15  # DynamoDB counts 15 bytes for one of these

    def image(name: str, digit: str) -> Json:
        below = {f"{number:x}": {"N": digit + str(number)} for number in range(leaves)}
        return {"id": {"S": "o-4711"}, name: {"M": below}}

    def change(name: str) -> StreamRecord | MalformedRecord:
        wire = record_of("MODIFY", image(name, "1"), image(name, "2"))
        return decode_page(json.dumps({"Records": [wire]}).encode()).records[0]

    transcoder = Transcoder(FORMAT, STREAM_ARN, eager_shapes())
    short, long = change("n"), change("n" * name_bytes)
    extra = peak_of(lambda: transcoder.event_of(long)) - peak_of(lambda: transcoder.event_of(short))
    assert extra < 2 * FORMAT.event_bytes
    made = transcoder.event_of(long)
    assert isinstance(made, Event)
    assert made.body.endswith(b',"patch_omitted":true}}}')


@pytest.mark.parametrize(
    ("wire", "has_key"),
    [
        (record_of("INSERT"), True),
        (record_of("INSERT", ITEM, {}), True),
        (record_of("MODIFY", ITEM), True),
        (record_of("MODIFY", None, ITEM), True),
        (record_of("MODIFY", {}, ITEM), True),
        (changed(INSERT, NewImage=[]), True),
        (changed(INSERT, NewImage=None), True),
        (changed(INSERT, NewImage={"id": {"N": "01"}}), True),
        (changed(INSERT, NewImage={"id": {"N": "NaN"}}), True),
        (changed(INSERT, ApproximateCreationDateTime=...), True),
        (changed(INSERT, ApproximateCreationDateTime=1793525400000), True),
        (changed(INSERT, Keys={}), False),
        (changed(INSERT, Keys=[]), False),
        (changed(INSERT, Keys={"id": {"BOOL": True}}), False),
    ],
)
def test_a_malformed_record_is_poison_with_its_coordinates(wire: Json, has_key: bool) -> None:
    result = unbuildable(wire)
    assert result.reason == "malformed_record"
    assert result.detail
    assert result.sequence == 400000000000000499660041
    assert result.eid == event(INSERT).eid
    assert (result.ordering_key is not None) is has_key
    assert result.body is None


def test_a_detail_that_names_long_attributes_is_cut() -> None:
    item = {"n" * 60_000: {"M": {"m" * 60_000: {"N": "01"}}}}
    result = unbuildable(changed(INSERT, NewImage=item))
    assert len(result.detail) == DETAIL_CHARACTERS
    record = MalformedRecord(b"{}", 5, "d" * 9_999)
    made = Transcoder(FORMAT, STREAM_ARN, eager_shapes()).event_of(record)
    assert isinstance(made, Unbuildable)
    assert len(made.detail) == DETAIL_CHARACTERS


def test_an_item_nested_too_deeply_is_malformed() -> None:
    deep: Json = {"S": "x"}
    for _ in range(300):
        deep = {"L": [deep]}
    page = decode_page(json.dumps({"Records": [changed(INSERT, NewImage={"id": deep})]}).encode())

    transcoder = Transcoder(FORMAT, STREAM_ARN, eager_shapes())

    def transcode_below(frames: int) -> list[Event | Unbuildable]:
        return transcode_below(frames - 1) if frames else outcomes_of(page, transcoder)

    (result,) = transcode_below(400)
    assert isinstance(result, Unbuildable)
    assert (result.reason, result.ordering_key) == ("malformed_record", '["o-4711"]')
    assert "nested" in result.detail


def test_bad_records_harm_no_neighbour() -> None:
    broken = {"eventID": 1, "dynamodb": {"SequenceNumber": "5"}}
    bad = changed(INSERT, NewImage={"id": {"S": 1}})
    first, second, third, fourth = outcomes(INSERT, broken, bad, INSERT)
    assert first == fourth == event(INSERT)
    assert isinstance(second, Unbuildable)
    assert json.loads(second.record or b"") == broken
    assert (second.reason, second.sequence) == ("malformed_record", 5)
    assert (second.eid, second.ordering_key) == (None, None)
    assert isinstance(third, Unbuildable)
    assert third.sequence == 400000000000000499660041


SHOWN = Selection(exclude=(read_path("amount"), read_path("gone")), rename=(("status", "state"),))
SEEN = replace(FORMAT, selection=SHOWN)


def test_what_is_shown_is_in_item_and_patch_and_a_d_alike() -> None:
    more = PAID | {"amount": {"N": "7"}}
    updated = json.loads(event(record_of("MODIFY", ITEM, more), SEEN).body)["data"]
    assert updated["state"] == "PAID"
    assert updated["patch"] == [{"op": "replace", "path": "/state", "value": "PAID"}]
    removed = json.loads(event(record_of("REMOVE", ITEM), SEEN).body)["data"]
    assert {*updated} - {*removed} == {"patch"}
    assert "amount" not in updated


@pytest.mark.parametrize("event_format", [SEEN, replace(SEEN, patch=False)])
def test_an_update_that_changes_nothing_that_is_shown_is_withheld_if_it_is_to_be(
    event_format: EventFormat,
) -> None:
    transcoder = Transcoder(event_format, STREAM_ARN, eager_shapes())
    same = stream_record(record_of("MODIFY", ITEM, ITEM | {"amount": {"N": "7"}}))
    other = stream_record(record_of("MODIFY", ITEM, PAID))
    (unread,) = decode_page(b'{"Records":[{"eventID":1}]}').records
    crossings = [(same, crossing) for crossing in Crossing]
    changes = [(same, None), (other, None), (unread, None), *crossings]
    first, second, third, *others = transcoder.events_if_changed(changes)
    assert third == transcoder.event_of(unread)
    assert first is Withheld.UNCHANGED
    assert isinstance(transcoder.event_of(same), Event)
    assert second == transcoder.event_of(other)
    assert all(isinstance(made, Event) for made in others)


def test_after_an_item_with_two_attributes_under_one_name_the_patch_is_omitted() -> None:
    clash = ITEM | {"state": {"S": "x"}}
    assert unbuildable_of(record_of("INSERT", None, clash), SEEN).reason == "reserved_attribute"
    data = json.loads(event(record_of("MODIFY", clash, ITEM), SEEN).body)["data"]
    assert data["change"]["patch_omitted"] is True


def nested_in(name: str) -> EventFormat:
    """A format that looks into an attribute."""
    return replace(FORMAT, selection=Selection(exclude=(read_path(f"{name}.x"),)))


def unbuildable_of(wire: Json, event_format: EventFormat) -> Unbuildable:
    made = Transcoder(event_format, STREAM_ARN, eager_shapes()).event_of(stream_record(wire))
    assert isinstance(made, Unbuildable)
    return made


def test_poison_keeps_of_its_record_what_is_shown_or_nothing() -> None:
    wire = record_of("INSERT", None, ITEM | {"status": {"N": "x"}})
    kept = json.loads(unbuildable_of(wire, SEEN).record or b"")
    assert kept == changed(wire, NewImage={"id": {"S": "o-4711"}, "status": {"N": "x"}})
    broken = record_of("INSERT", None, ITEM | {"gone": {"S": "x"}, "status": 7})
    assert unbuildable_of(broken, nested_in("status")).record is None


UUID = "a1b2c3d4-0000-4000-8000-000000000001"
SOURCES = MetadataSources(eid="event", flow_id="status", span_ctx="amount")


@pytest.mark.parametrize("selection", [None, SHOWN])
def test_metadata_comes_out_of_the_item_but_not_on_a_d(selection: Selection | None) -> None:
    form = replace(FORMAT, metadata=SOURCES, selection=selection)
    item = ITEM | {"event": {"S": UUID}}
    transcoder = Transcoder(form, STREAM_ARN, eager_shapes())
    made = transcoder.event_of(stream_record(record_of("INSERT", None, item)))
    assert isinstance(made, Event)
    body = json.loads(made.body)
    assert (body["metadata"]["eid"], body["metadata"]["flow_id"]) == (UUID, "OPEN")
    assert {*body["data"]} == {"id", "change"}
    assert made.left_out == (0 if selection else 1)  # excluded, or no map
    removed = transcoder.event_of(stream_record(record_of("REMOVE", item)))
    assert isinstance(removed, Event)
    assert removed.eid == event(record_of("REMOVE", item)).eid
    assert {*json.loads(removed.body)["data"]} == {"id", "change"}


BUSINESS = EventFormat("order", ("id",), category=Category.BUSINESS, patch=False, change=False)


def test_a_business_event_is_the_item_or_a_map_in_it() -> None:
    item = ITEM | {"payload": {"M": {"a": {"N": "1.50"}}}}
    whole = json.loads(event(record_of("INSERT", None, item), BUSINESS).body)
    assert {*whole} == {"metadata", "id", "status", "amount", "payload"}
    body = event(record_of("INSERT", None, item), replace(BUSINESS, body="payload")).body
    assert body.endswith(b'"occurred_at":"2026-11-01T09:30:00Z"},"a":1.50}')


@pytest.mark.parametrize(
    ("form", "wire", "reason"),
    [
        (BUSINESS, record_of("MODIFY", ITEM, ITEM), "malformed_record"),
        (BUSINESS, record_of("INSERT", None, None), "malformed_record"),
        (
            BUSINESS,
            record_of("INSERT", None, ITEM | {"metadata": {"S": "x"}}),
            "reserved_attribute",
        ),
        (
            replace(BUSINESS, body="p"),
            record_of("INSERT", None, ITEM | {"p": {"M": {"metadata": {"S": "x"}}}}),
            "reserved_attribute",
        ),
    ],
)
def test_what_is_no_business_event_is_poison(form: EventFormat, wire: Json, reason: str) -> None:
    assert unbuildable_of(wire, form).reason == reason


def test_an_ordering_key_that_is_known_is_taken_as_it_is() -> None:
    made = Transcoder(FORMAT, STREAM_ARN, eager_shapes()).event_of(
        stream_record(changed(INSERT, Keys={})), key='["o-1"]'
    )
    assert isinstance(made, Event)
    assert made.ordering_key == '["o-1"]'


def test_a_touch_passes_where_an_update_that_changes_nothing_is_withheld() -> None:
    old = {"id": {"S": "o-4711"}, "tags": {"SS": ["a", "b"]}}
    new = {"id": {"S": "o-4711"}, "tags": {"SS": ["b", "a"]}}
    transcoder = Transcoder(FORMAT, STREAM_ARN, eager_shapes())
    same = stream_record(record_of("MODIFY", old, new))
    touched = stream_record(record_of("MODIFY", old, {**new, TOUCH_ATTRIBUTE: {"S": "run"}}))
    withheld, made = transcoder.events_if_changed([(same, None), (touched, None)])
    assert withheld is Withheld.UNCHANGED
    assert isinstance(made, Event)
    assert json.loads(made.body)["data"]["change"]["touched"] is True
