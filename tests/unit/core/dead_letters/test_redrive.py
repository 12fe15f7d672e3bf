"""What becomes of a message found in the dead letter queue."""

import dataclasses
import json

import pytest
from msgspec.structs import replace

from consumer.core.dead_letters.dead_letter import DeadLetter, encode
from consumer.core.dead_letters.examiner import Examiner
from consumer.core.dead_letters.letter_key import digest_of
from consumer.core.dead_letters.redrive import (
    EVERYTHING,
    Deliverable,
    Kept,
    QueuedMessage,
    Receipt,
    RedriveOutcome,
    Selection,
)
from consumer.core.event.event import EventFormat
from consumer.core.limits import PublishLimits
from consumer.core.routes.filters.lambda_filter import read_filter
from consumer.core.routes.route import Route
from tests.unit.core.dead_letters import test_dead_letter
from tests.unit.core.dead_letters.test_dead_letter import EVENT

LETTER = dataclasses.replace(test_dead_letter.LETTER, route="", rules=None)
"""A letter of a version without routes."""

TYPE = LETTER.event_type


def record(**change: object) -> bytes:
    image = {"order_id": {"S": "o-1"}, "line": {"N": "7"}, "change": {"S": "x"}}
    made = {
        "Keys": {"order_id": {"S": "o-1"}, "line": {"N": "7"}},
        "NewImage": image,
        "SequenceNumber": "400",
        "ApproximateCreationDateTime": 1793525400,
        **change,
    }
    return json.dumps({"eventID": "1", "eventName": "INSERT", "dynamodb": made}).encode()


RECORD_LETTER = dataclasses.replace(LETTER, event=None, record=record(), sequence=400)


ROUTE = Route(TYPE, EventFormat("order", (), change_field="meta"), PublishLimits())


def look(
    letter: DeadLetter | bytes, selection: Selection = EVERYTHING, limit: int = 1_000_000
) -> Deliverable | Kept:
    body = letter if isinstance(letter, bytes) else encode(letter, limit)
    message = QueuedMessage(Receipt("m", "h"), body, 1000.0, 2)
    return Examiner([ROUTE], selection=selection).examine(message)


def outcome(found: Deliverable | Kept) -> RedriveOutcome:
    assert isinstance(found, Kept)
    return found.outcome


def test_an_event_is_published_as_it_stands() -> None:
    found = look(LETTER)
    assert isinstance(found, Deliverable)
    assert found.events[0].event.body == LETTER.event
    assert found.events[0].key == digest_of(LETTER.ordering_key or "")
    assert found.events[0].event.sequence == LETTER.sequence
    assert (found.message_id, found.receptions) == ("m", 2)


def test_one_without_its_patch_is_published_too() -> None:
    found = look(dataclasses.replace(LETTER, event=EVENT % (b"t", b"p" * 500)), limit=700)
    assert isinstance(found, Deliverable)
    assert b"patch_omitted" in found.events[0].event.body


@pytest.mark.parametrize("limit", [300, 1])
def test_what_lost_its_item_cannot_be_published(limit: int) -> None:
    assert outcome(look(LETTER, limit=limit)) is RedriveOutcome.INCOMPLETE


def test_a_record_without_images_is_no_delete_with_keys_only() -> None:
    text = record(OldImage={"order_id": {"S": "o-1"}, "big": {"S": "x" * 2000}})
    removed = dataclasses.replace(RECORD_LETTER, record=text.replace(b"INSERT", b"REMOVE"))
    assert isinstance(look(removed), Deliverable)
    assert outcome(look(removed, limit=1000)) is RedriveOutcome.INCOMPLETE
    nothing = dataclasses.replace(RECORD_LETTER, record=None)
    assert outcome(look(nothing)) is RedriveOutcome.INCOMPLETE


def test_a_record_is_transcoded_with_todays_settings() -> None:
    found = look(RECORD_LETTER)
    assert isinstance(found, Deliverable)
    data = json.loads(found.events[0].event.body)["data"]
    assert data["change"] == "x"
    assert data["meta"] == {"sequence": f"{400:040}", "stream": "l"}
    assert found.events[0].key == digest_of(LETTER.ordering_key or "")


def test_a_record_of_no_stream_makes_no_event() -> None:
    found = look(dataclasses.replace(RECORD_LETTER, stream_arn="orders"))
    assert outcome(found) is RedriveOutcome.UNBUILDABLE
    assert isinstance(found, Kept)
    assert found.why.startswith("'orders' is not the ARN of a DynamoDB stream")
    assert isinstance(look(dataclasses.replace(LETTER, stream_arn="orders")), Deliverable)


PAID, OPEN = ({"order_id": {"S": "o-1"}, "status": {"S": each}} for each in ("PAID", "OPEN"))


@pytest.mark.parametrize(
    ("old", "new", "op", "crossing"),
    [
        (OPEN, PAID, "C", {"entered": True}),
        (PAID, OPEN, "D", {"left": True}),
        (PAID, PAID, "U", {}),
        (OPEN, OPEN, "U", {}),  # a filter was taken when the letter was made, and is not asked now
    ],
)
def test_what_a_record_does_to_a_view_is_told_again(
    old: object, new: object, op: str, crossing: dict[str, bool]
) -> None:
    text = record(OldImage=old, NewImage=new).replace(b"INSERT", b"MODIFY")
    view = read_filter({"item": {"status": {"S": ["PAID"]}}})
    message = QueuedMessage(
        Receipt("m", "h"),
        encode(dataclasses.replace(RECORD_LETTER, record=text), 1_000_000),
        1000.0,
        2,
    )
    found = Examiner([replace(ROUTE, filter=view)]).examine(message)
    assert isinstance(found, Deliverable)
    event = json.loads(found.events[0].event.body)
    assert event["data_op"] == op
    assert event["data"]["meta"] == {"sequence": f"{400:040}", "stream": "l", **crossing}


def test_a_record_whose_letter_names_no_key_takes_its_own() -> None:
    found = look(dataclasses.replace(RECORD_LETTER, ordering_key=None))
    assert isinstance(found, Deliverable)
    assert found.events[0].key == digest_of('["o-1",7]')


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (b'{"x":1}', "eventID"),
        (record(Keys=1), "malformed_record: not an item"),
        (record(NewImage={"order_id": {"S": "o-1"}, "a": {"X": "1"}}), "attribute 'a'"),
        (record(NewImage={"order_id": {"S": "o-1"}, "meta": {"S": "1"}}), "reserved_attribute"),
    ],
)
def test_what_still_makes_no_event_is_told_apart(text: bytes, told: str) -> None:
    found = look(dataclasses.replace(RECORD_LETTER, record=text))
    assert isinstance(found, Kept)
    assert found.outcome is RedriveOutcome.UNBUILDABLE
    assert told in found.why


def test_messages_of_others() -> None:
    assert outcome(look(b"hello")) is RedriveOutcome.FOREIGN
    assert outcome(look(b"\xff")) is RedriveOutcome.FOREIGN
    found = look(dataclasses.replace(LETTER, event_type="a.b"))
    assert isinstance(found, Kept)
    assert (found.outcome, found.why) == (RedriveOutcome.FOREIGN, "its event type is 'a.b'")


@pytest.mark.parametrize(
    ("selection", "wanted"),
    [
        (Selection(since=1000.0), True),
        (Selection(since=1000.5), False),
        (Selection(reasons=frozenset({"validation", "expired"})), True),
        (Selection(reasons=frozenset({"expired"})), False),
        (Selection(key="o-1"), True),
        (Selection(key='["o-1"]'), True),
        (Selection(key="o-2"), False),
        (Selection(key="o-1", reasons=frozenset({"expired"})), False),
    ],
)
def test_filters(selection: Selection, *, wanted: bool) -> None:
    found = look(LETTER, selection)
    assert isinstance(found, Deliverable) is wanted
    if not wanted:
        assert outcome(found) is RedriveOutcome.FILTERED


@pytest.mark.parametrize(
    ("key", "wanted", "same"),
    [
        ("[12.50]", "12.50", True),
        ('["a\\"b"]', 'a"b', True),
        ('["o-1",7]', "o-1", False),
        ('["o-1",7]', '["o-1",7]', True),
        ("[]", "", False),
        ("no key", "x", False),
        (None, "o-1", False),
    ],
)
def test_a_key_as_people_type_it(key: str | None, wanted: str, *, same: bool) -> None:
    letter = dataclasses.replace(LETTER, ordering_key=key)
    assert Selection(key=wanted).wants(letter, 0.0) is same
