"""Redrive of routes: whose rules made a letter's event, and what becomes of it under today's."""

import dataclasses
import json
from typing import Any

import pytest
from msgspec.structs import replace

from consumer.core.dead_letters.dead_letter import DeadLetter, encode
from consumer.core.dead_letters.examiner import Examiner
from consumer.core.dead_letters.letter_key import digest_of
from consumer.core.dead_letters.redrive import (
    Deliverable,
    Kept,
    QueuedMessage,
    Receipt,
    RedriveOutcome,
    Selection,
)
from consumer.core.event.event import Category, Crossing, EventFormat, Layout
from consumer.core.event.selection import selection
from consumer.core.event.selection.attribute_path import read_path
from consumer.core.limits import PublishLimits
from consumer.core.routes.filters.lambda_filter import read_filter
from consumer.core.routes.route import Route
from tests.unit.core.dead_letters.test_dead_letter import ARN

CARD = "4711-0815"
EVENT = {"data_type": "o", "data": {"pk": "o-1", "card": CARD}}


def route(name: str = "orders", *hidden: str, event_type: str = "shop.order") -> Route:
    seen = selection.Selection(exclude=tuple(map(read_path, hidden))) if hidden else None
    form = EventFormat("o", (), selection=seen, eid_event_type=event_type if name else None)
    return Route(event_type, form, PublishLimits(), name=name, single=not name)


SHOWN = route()
HIDDEN = route("orders", "card")
NO_KEY = route("orders", "pk")
SINGLE = route("")
RENAMED = selection.Selection(rename=(("a", "b"),))
MOVED = replace(SHOWN, format=replace(SINGLE.format, selection=selection.Selection()))
"""The single event type as a route with `eid: record`."""


def record(op: str = "MODIFY", **attributes: Any) -> bytes:
    item = {"pk": {"S": "o-1"}, **attributes}
    change = {
        "Keys": {"pk": {"S": "o-1"}},
        "NewImage": item,
        "OldImage": item,
        "SequenceNumber": "400",
        "ApproximateCreationDateTime": 1793525400,
    }
    return json.dumps({"eventID": "1", "eventName": op, "dynamodb": change}).encode()


def letter(made_by: Route, **change: Any) -> DeadLetter:
    made = DeadLetter(
        reason="validation",
        detail="",
        event_type=made_by.event_type,
        stream_arn=ARN,
        shard_id="s",
        sequence=400,
        eid="e",
        ordering_key='["o-1"]',
        attempts=1,
        first_attempt=1.0,
        last_attempt=1.0,
        event=json.dumps(EVENT).encode(),
        record=None,
        route=made_by.title,
        rules=made_by.rules,
    )
    return dataclasses.replace(made, **change)


def examined(found: DeadLetter, *today: Route, **options: Any) -> Deliverable | Kept:
    message = QueuedMessage(Receipt("m", "h"), encode(found, 1_000_000), 1000.0, 1)
    return Examiner(today, **options).examine(message)


def published(found: DeadLetter, *today: Route, **options: Any) -> list[tuple[str, Any]]:
    """The events of a letter, by event type; the outcome if it stays."""
    made = examined(found, *today, **options)
    if isinstance(made, Kept):
        return [(str(made.outcome), made.why)]
    return [(each.event_type, json.loads(each.event.body)) for each in made.events]


def test_an_event_that_the_same_rules_made_is_published_as_it_stands() -> None:
    beside = record(card={"S": "never looked at"})
    for found in (letter(HIDDEN), letter(HIDDEN, record=beside)):
        assert published(found, HIDDEN) == [("shop.order", EVENT)]


TOUCHED = json.dumps({"data_type": "o", "data": {"pk": "o-1", "consumer:touch": "run"}}).encode()


def test_an_event_of_a_version_that_shows_the_touch_attribute_is_made_again() -> None:
    attributes: dict[str, Any] = {"consumer:touch": {"S": "run"}}
    beside = record(**attributes)
    for made_by in (HIDDEN, SHOWN):
        ((_, event),) = published(letter(made_by, event=TOUCHED, record=beside), HIDDEN)
        assert event["data"].keys() == {"pk", "patch", "change"}


@pytest.mark.parametrize("rules", [SHOWN.rules, None])
def test_without_a_record_it_stays(rules: str | None) -> None:
    found = letter(SHOWN, event=TOUCHED, rules=rules)
    why = "its event shows 'consumer:touch', and the letter has no record"
    assert published(found, SHOWN) == [("made by other rules", why)]
    assert published(found, SHOWN, as_made=True) == [("shop.order", json.loads(TOUCHED))]
    other = replace(SHOWN, format=replace(SHOWN.format, touch_attribute="other"))
    if rules is not None:
        assert published(found, other) == [("shop.order", json.loads(TOUCHED))]


def test_by_other_rules_it_is_made_again_from_the_record() -> None:
    found = letter(SHOWN, record=record(card={"S": CARD}, total={"N": "5"}))
    ((event_type, event),) = published(found, HIDDEN)
    assert event_type == "shop.order"
    assert CARD not in json.dumps(event)
    assert (event["data"]["pk"], event["data"]["total"], event["data_op"]) == ("o-1", 5, "U")


@pytest.mark.parametrize("prefix", ["", "a-"])
@pytest.mark.parametrize("event_type", ["shop.order", ""])
def test_what_is_made_again_keeps_the_place_that_it_had(prefix: str, event_type: str) -> None:
    """The service may read another table today, whose streams begin with another prefix."""
    of = replace(HIDDEN, format=replace(HIDDEN.format, stream_prefix="b-"))
    change: dict[str, Any] = {"record": record(), "stream_prefix": prefix, "event": None}
    found = letter(SHOWN, **change, event_type=event_type)
    ((_, event),) = published(found, of, table="orders")
    assert event["data"]["change"]["stream"] == f"{prefix}l"
    assert of.rules == HIDDEN.rules


def test_a_record_of_no_stream_is_not_made_into_an_event() -> None:
    """Its event would have no place among those of its key."""
    ((outcome, why),) = published(letter(SHOWN, record=record(), stream_arn="orders"), HIDDEN)
    assert outcome == str(RedriveOutcome.UNBUILDABLE)
    assert why.startswith("'orders' is not the ARN of a DynamoDB stream")


def test_without_a_record_what_other_rules_made_stays() -> None:
    ((outcome, why),) = published(letter(SHOWN), HIDDEN)
    assert outcome == "made by other rules"
    assert why == "route 'orders' has changed, and the letter has no record"
    assert published(letter(SHOWN), HIDDEN, as_made=True) == [("shop.order", EVENT)]


def test_what_can_be_made_again_is_not_published_as_it_was_made() -> None:
    found = letter(SHOWN, record=record(card={"S": CARD}))
    ((_, event),) = published(found, HIDDEN, as_made=True)
    assert CARD not in json.dumps(event)


@pytest.mark.parametrize(
    ("made_by", "today", "stands"),
    [
        (None, SINGLE, True),
        (None, replace(SHOWN, format=replace(SHOWN.format, eid_event_type=None)), True),
        (None, MOVED, True),
        (SINGLE, MOVED, False),
        (None, replace(MOVED, format=replace(MOVED.format, selection=RENAMED)), False),
        (None, SHOWN, False),  # its events have other eids
        (None, HIDDEN, False),
        (None, replace(SINGLE, format=HIDDEN.format), False),
        (replace(SINGLE, format=replace(SINGLE.format, layout=Layout.NESTED)), SINGLE, True),
        (SINGLE, replace(SINGLE, format=replace(SINGLE.format, change_field="x")), True),
        (SINGLE, replace(SINGLE, format=replace(SINGLE.format, layout=Layout.NESTED)), True),
        (SHOWN, replace(SHOWN, format=replace(SHOWN.format, change_field="x")), False),
    ],
)  # fmt: skip
def test_the_event_of_a_version_without_routes_stands_where_everything_is_shown_today(
    made_by: Route | None, today: Route, *, stands: bool
) -> None:
    found = letter(made_by or today, **({} if made_by else {"rules": None, "route": ""}))
    ((told, _),) = published(found, today)
    assert told == ("shop.order" if stands else RedriveOutcome.OTHER_RULES)


def test_an_outbox_is_made_of_inserted_items_only() -> None:
    outbox = replace(SHOWN, format=replace(SHOWN.format, category=Category.BUSINESS, patch=False))
    for op in ("INSERT", "MODIFY"):
        ((told, what),) = published(letter(SHOWN, record=record(op)), outbox)
        assert told == ("shop.order" if op == "INSERT" else RedriveOutcome.UNBUILDABLE)
        assert op == "INSERT" or what.startswith("its route publishes items that are inserted")


def test_attributes_of_global_tables_are_not_shown_where_a_route_leaves_them_out() -> None:
    event = json.dumps({"data": {"aws:rep:deleting": True}}).encode()
    found = letter(SHOWN, rules=None, event=event)
    assert published(found, SINGLE)[0][0] == "shop.order"
    assert published(found, MOVED)[0][0] == RedriveOutcome.OTHER_RULES


def test_a_record_of_a_version_without_routes_shows_what_is_shown_today() -> None:
    found = letter(SHOWN, rules=None, event=None, record=record(card={"S": CARD}))
    ((_, event),) = published(found, HIDDEN)
    assert CARD not in json.dumps(event)


@pytest.mark.parametrize(
    ("crossing", "op"), [(None, "U"), (Crossing.ENTERED, "C"), (Crossing.LEFT, "D")]
)
def test_no_filter_is_asked_what_the_letter_tells(crossing: Crossing | None, op: str) -> None:
    """What the filter asks for may be left out of the letter, or the filter may have changed."""
    view = replace(HIDDEN, filter=read_filter({"item": {"status": {"S": ["PAID"]}}}))
    text = record(status={"S": "OPEN"})
    found = letter(HIDDEN, event=None, record=text, crossing=crossing)
    ((_, event),) = published(found, view)
    assert event["data_op"] == op
    crossed = {key for key in event["data"]["change"] if key in {"entered", "left"}}
    assert crossed == ({crossing.value} if crossing else set())


def test_a_hidden_key_is_not_needed_to_make_the_event_again() -> None:
    text = record().replace(b'"pk": {"S": "o-1"}', b"")
    found = letter(NO_KEY, event=None, record=text, ordering_key=digest_of('["o-1"]'))
    made = examined(found, NO_KEY)
    assert isinstance(made, Deliverable)
    assert made.events[0].key == digest_of('["o-1"]')
    assert json.loads(made.events[0].event.body)["data"].keys() == {"patch", "change"}


def test_letters_of_a_key_stay_in_order_whether_they_show_it_or_not() -> None:
    keys = set()
    for key in ('["o-1"]', digest_of('["o-1"]')):
        for poison in ({}, {"event": None, "record": record()}):
            made = examined(letter(SHOWN, ordering_key=key, **poison), SHOWN)
            assert isinstance(made, Deliverable)
            keys.add(made.events[0].key)
    made = examined(letter(SHOWN, ordering_key=None, event=None, record=record()), SHOWN)
    assert isinstance(made, Deliverable)
    assert keys | {made.events[0].key} == {digest_of('["o-1"]')}


def test_a_letter_is_found_by_its_key_where_only_the_digest_is_there() -> None:
    found = letter(SHOWN, ordering_key=digest_of('["o-1"]'))
    assert isinstance(examined(found, SHOWN, selection=Selection(key="o-1")), Deliverable)
    assert isinstance(examined(found, SHOWN, selection=Selection(key="o-2")), Kept)


def test_each_letter_goes_to_its_own_event_type() -> None:
    shipped = route("shipped", event_type="shop.shipped")
    assert published(letter(shipped), SHOWN, shipped) == [("shop.shipped", EVENT)]
    renamed = replace(SHOWN, name="all orders")
    assert published(letter(SHOWN), renamed) == [("shop.order", EVENT)]


def test_a_letter_whose_route_is_gone_stays_and_is_named() -> None:
    shipped = route("shipped", event_type="shop.shipped")
    ((outcome, why),) = published(letter(shipped), SHOWN)
    assert outcome == RedriveOutcome.FOREIGN
    assert why == "its event type is 'shop.shipped', its route was 'shipped'"


def test_what_is_no_letter_is_not_ours() -> None:
    for body in (b"hello", b'{"version":2}'):
        message = QueuedMessage(Receipt("m", "h"), body, 1000.0, 1)
        found = Examiner([SHOWN]).examine(message)
        assert isinstance(found, Kept)
        assert (found.outcome, found.letter) == (RedriveOutcome.FOREIGN, None)


def test_a_record_of_which_still_no_event_can_be_made_stays() -> None:
    for text, told in ((record(change={"S": "x"}), "reserved_attribute: "),
                       (b'{"x":1}', "malformed_record: ")):  # fmt: skip
        ((outcome, why),) = published(letter(SHOWN, event=None, record=text), SHOWN)
        assert outcome == RedriveOutcome.UNBUILDABLE
        assert why.startswith(told)


def test_a_record_of_a_version_without_filters_says_itself_what_it_does_to_a_view() -> None:
    view = replace(SINGLE, filter=read_filter({"item": {"status": {"S": ["PAID"]}}}))
    text = record("INSERT", status={"S": "PAID"}).replace(b"INSERT", b"MODIFY")
    text = text.replace(b'"OldImage": {"pk": {"S": "o-1"}, "status": {"S": "PAID"}}',
                        b'"OldImage": {"pk": {"S": "o-1"}, "status": {"S": "OPEN"}}')  # fmt: skip
    ((_, event),) = published(letter(SINGLE, rules=None, event=None, record=text), view)
    assert (event["data_op"], event["data"]["change"]["entered"]) == ("C", True)


# -- a record that could not be read at all


def unread(text: bytes | None, **change: Any) -> DeadLetter:
    made = letter(SHOWN, event_type="", route="", rules=None, eid=None, ordering_key=None)
    return dataclasses.replace(made, reason="malformed_record", event=None, record=text, **change)


def filtered(name: str, status: str) -> Route:
    asked = read_filter({"item": {"status": {"S": [status]}}})
    return replace(route(name, event_type=f"shop.{name}"), filter=asked)


def test_once_it_can_be_read_all_routes_are_asked() -> None:
    today = (filtered("open", "OPEN"), filtered("paid", "PAID"), SHOWN)
    text = record("INSERT", status={"S": "PAID"}).replace(b'"OldImage"', b'"Old"')
    found = published(unread(text), *today, table="orders")
    assert [event_type for event_type, _ in found] == ["shop.paid", "shop.order"]
    assert len({event["metadata"]["eid"] for _, event in found}) == 2


def test_what_a_route_takes_and_makes_no_event_of_is_taken_by_none() -> None:
    same = replace(SHOWN, skip_unchanged=True)
    told = published(unread(record()), same, table="orders")
    assert told == [(RedriveOutcome.UNWANTED, "its record can be read now")]


def test_what_no_route_takes_stays() -> None:
    found = unread(record(status={"S": "PAID"}))
    told = published(found, filtered("open", "OPEN"), table="orders")
    assert told == [(RedriveOutcome.UNWANTED, "its record can be read now")]


def test_one_event_that_cannot_be_made_keeps_the_message() -> None:
    found = unread(record(change={"S": "x"}))
    nested = replace(SHOWN, event_type="shop.nested", name="nested",
                     format=replace(SHOWN.format, layout=Layout.NESTED))  # fmt: skip
    ((outcome, why),) = published(found, nested, SHOWN, table="orders")
    assert outcome == RedriveOutcome.UNBUILDABLE
    assert why.startswith("orders: reserved_attribute: ")


@pytest.mark.parametrize(
    ("text", "outcome"),
    [
        (b'{"x":1}', RedriveOutcome.UNBUILDABLE),
        (record().replace(b'"Keys": {"pk"', b'"Keys": {"pk": 1, "q"'), RedriveOutcome.UNBUILDABLE),
        (None, RedriveOutcome.INCOMPLETE),
    ],
)
def test_while_it_cannot_be_read_it_stays(text: bytes | None, outcome: RedriveOutcome) -> None:
    assert published(unread(text), SHOWN, table="orders")[0][0] == outcome


@pytest.mark.parametrize(
    ("arn", "table", "why"),
    [
        (ARN, "customers", "it is a record of table 'orders'"),
        (ARN, None, "it is a record of table 'orders'; set CONSUMER_TABLE if that is the table"),
        ("x", "orders", "'x' is not the ARN of a DynamoDB stream (…:table/NAME/stream/LABEL)"),
    ],
)
def test_a_record_of_another_table_is_not_asked_of_these_routes(
    arn: str, table: str | None, why: str
) -> None:
    found = published(unread(record(), stream_arn=arn), SHOWN, table=table)
    assert found == [(RedriveOutcome.FOREIGN, why)]
