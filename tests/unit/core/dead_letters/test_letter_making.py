"""What a dead letter holds of an event or a record, by what its route leaves out."""

import json
from typing import Any

import pytest
from msgspec.structs import replace

from consumer.core.dead_letters.dead_letter import DeadLetter, decode, encode
from consumer.core.dead_letters.examiner import Examiner
from consumer.core.dead_letters.letter_key import digest_of
from consumer.core.dead_letters.letter_making import filled, is_of_no_route
from consumer.core.dead_letters.redrive import Deliverable, QueuedMessage, Receipt
from consumer.core.event.event import (
    Category,
    Crossing,
    Event,
    EventFormat,
    MetadataSources,
    Unbuildable,
)
from consumer.core.event.items.shapes import Shapes
from consumer.core.event.selection.attribute_path import read_path
from consumer.core.event.selection.selection import Selection
from consumer.core.event.transcode import Transcoder
from consumer.core.limits import PublishLimits
from consumer.core.routes.route import Route
from consumer.core.stream.page import decode_page
from consumer.core.stream.record import MalformedRecord, StreamRecord
from tests.unit.core.dead_letters.test_dead_letter import ARN

CARD = "4711-0815"
KEYS = ("pk", "sk")
BLANK = DeadLetter(
    reason="validation",
    detail="",
    event_type="shop.order",
    stream_arn=ARN,
    shard_id="s",
    sequence=7,
    eid=None,
    ordering_key=None,
    attempts=0,
    first_attempt=None,
    last_attempt=None,
    event=None,
    record=None,
)


def route(seen: Selection | None = None, name: str = "orders", **form: Any) -> Route:
    made = EventFormat("o", ("pk",), selection=seen, **form)
    return Route("shop.order", made, PublishLimits(), KEYS, name=name, single=not name)


def without(*paths: str) -> Selection:
    return Selection(exclude=tuple(map(read_path, paths)))


def only(*paths: str) -> Selection:
    return Selection(include=tuple(map(read_path, paths)))


PLAIN = route()
NO_CARD = route(without("card"))


def read(op: str = "MODIFY", **attributes: Any) -> StreamRecord:
    keys = {"pk": {"S": "o-1"}, "sk": {"N": "5"}}
    image = {**keys, "card": {"S": CARD}, "total": {"N": "1"}, **attributes}
    change = {
        "Keys": keys,
        "NewImage": image,
        "OldImage": {**image, "total": {"N": "2"}, "card": {"S": f"{CARD}-old"}},
        "SequenceNumber": "7",
        "ApproximateCreationDateTime": 1793525400,
    }
    wire = {"eventID": "1", "eventName": op, "dynamodb": change}
    (record,) = decode_page(json.dumps({"Records": [wire]}).encode()).records
    assert isinstance(record, StreamRecord)
    return record


def made_of(
    of: Route, record: StreamRecord | MalformedRecord, crossing: Crossing | None = None
) -> Event | Unbuildable:
    return Transcoder(of.format, ARN, Shapes()).event_of(record, crossing)


def letter(of: Route, *others: Route, record: Any = None, **options: Any) -> DeadLetter:
    content = made_of(of, read() if record is None else record, **options)
    return filled(BLANK, content, of, [of, *others])


def test_it_names_its_route_and_the_rules_of_today() -> None:
    found = letter(PLAIN)
    assert (found.route, found.rules) == ("orders", PLAIN.rules)
    assert letter(route(name="")).route == "shop.order"


@pytest.mark.parametrize("name", ["orders", ""])
def test_it_has_the_prefix_of_its_stream(name: str) -> None:
    of = route(name=name, stream_prefix="b-")
    for record in (read(), BROKEN):
        found = letter(of, record=record)
        assert found.stream_prefix == "b-"
        assert decode(encode(found, 1_000_000)).stream_prefix == "b-"
    assert b"stream_prefix" not in encode(letter(route(name=name)), 1_000_000)


def test_what_shows_everything_needs_no_record_beside_the_event() -> None:
    for of in (PLAIN, route(Selection(replication=True)), route(Selection())):
        found = letter(of)
        assert found.event is not None
        assert (found.record, found.truncated) == (None, ())


@pytest.mark.parametrize(
    "of",
    [
        NO_CARD,
        route(only("pk", "total")),
        route(Selection(rename=(("pk", "order_id"),), exclude=(read_path("card"),))),
        route(without("card"), body="total", category=Category.BUSINESS, patch=False),
    ],
)
def test_a_route_that_reshapes_has_the_record_beside_and_nothing_that_it_leaves_out(
    of: Route,
) -> None:
    record = read("INSERT", total={"M": {"n": {"N": "1"}}}) if of.format.body else read()
    found = letter(of, record=record)
    assert found.event is not None
    assert CARD not in encode(found, 1_000_000).decode()
    kept = json.loads(found.record or b"")
    assert "card" not in kept["dynamodb"]["NewImage"]
    assert kept["eventID"] == "1"
    assert kept["dynamodb"]["NewImage"].keys() >= {"pk", "total"}  # by the table's names


def test_a_route_that_only_renames_has_the_whole_record_beside() -> None:
    found = letter(route(Selection(rename=(("pk", "order_id"),), replication=True)))
    assert json.loads(found.record or b"")["dynamodb"]["NewImage"]["card"] == {"S": CARD}


@pytest.mark.parametrize("limit", [300, 700, 1_000_000])
def test_however_short_it_shows_nothing_that_is_left_out(limit: int) -> None:
    poison: tuple[dict[str, Any], ...] = ({"change": {"S": "x"}}, {"total": {"X": "x"}})
    for attributes in ({}, *poison):
        found = letter(NO_CARD, record=read(**attributes))
        assert CARD not in encode(found, limit).decode()


def test_the_keys_of_a_short_letter_are_those_shown_by_the_names_shown() -> None:
    hidden = Selection(rename=(("sk", "line"),), exclude=(read_path("pk"),))
    body = json.loads(encode(letter(route(hidden)), 1))
    assert body["keys"] == {"line": 5}
    included = letter(route(only("pk.x", "sk")))  # a key is no map: nothing of it is shown
    assert json.loads(encode(included, 1))["keys"] == {"sk": 5}


def test_a_poison_record_is_kept_less_what_is_left_out() -> None:
    found = letter(NO_CARD, record=read(change={"S": "poison"}))
    assert (found.event, found.truncated) == (None, ())
    assert "poison" in (found.record or b"").decode()
    assert CARD not in (found.record or b"").decode()


def test_a_poison_record_of_which_it_cannot_be_told_is_not_kept() -> None:
    found = letter(route(without("lines.card")), record=read(lines={"Q": CARD}))
    assert (found.event, found.record, found.truncated) == (None, None, ("record",))
    assert found.eid is not None
    assert CARD not in encode(found, 1_000_000).decode()


def test_an_event_too_large_has_no_record_unless_its_route_reshapes() -> None:
    plain, reshaping = route(event_bytes=1), route(without("card"), event_bytes=1)
    found = letter(plain)
    assert (found.event is None, found.record, found.truncated) == (False, None, ())
    assert letter(reshaping).record is not None
    assert CARD not in encode(letter(reshaping), 1_000_000).decode()


@pytest.mark.parametrize(
    ("of", "shown"),
    [
        (PLAIN, True),
        (NO_CARD, True),
        (route(Selection(rename=(("pk", "order_id"),))), True),
        (route(without("pk")), False),
        (route(only("sk")), False),
        (route(only("pk.x")), False),
        (route(without("pk.x")), True),
        (replace(PLAIN, format=EventFormat("o", KEYS, selection=without("sk"))), False),
    ],
)
def test_an_ordering_key_that_is_not_shown_is_a_digest(of: Route, *, shown: bool) -> None:
    text = '["o-1"]' if of.format.ordering_key == ("pk",) else '["o-1",5]'
    assert letter(of).ordering_key == (text if shown else digest_of(text))


def test_what_a_change_did_to_the_view_is_in_it() -> None:
    assert letter(PLAIN, crossing=Crossing.LEFT).crossing is Crossing.LEFT
    poison = read(change={"S": "poison"})
    assert letter(PLAIN, record=poison, crossing=Crossing.ENTERED).crossing is Crossing.ENTERED


def test_an_event_stands_alone_if_its_record_cannot_be_reduced() -> None:
    content = Event(7, '["o-1"]', "e", b'{"data":{}}', 0.0, None, b'{"card":"4711-0815"}')
    found = filled(BLANK, content, NO_CARD, [NO_CARD])
    assert (found.event, found.record, found.truncated) == (content.body, None, ())


# -- a record that could not be read at all

BROKEN = MalformedRecord(b'{"eventID":1,"card":"4711-0815"}', 7, "eventID")


def test_it_belongs_to_no_route_and_to_the_event_type_without_routes() -> None:
    content = made_of(PLAIN, BROKEN)
    assert is_of_no_route(content, PLAIN)
    assert not is_of_no_route(content, route(name=""))
    assert not is_of_no_route(made_of(PLAIN, read(change={"S": "x"})), PLAIN)
    found = letter(PLAIN, record=BROKEN)
    assert (found.route, found.event_type, found.rules, found.sequence) == ("", "", None, 7)
    single = letter(route(name=""), record=BROKEN)
    assert (single.route, single.event_type) == ("shop.order", "shop.order")
    assert found.record == single.record == BROKEN.raw


@pytest.mark.parametrize("name", ["orders", ""])
@pytest.mark.parametrize("hidden_by", [0, 1])
def test_its_content_is_kept_only_if_no_route_hides_anything(name: str, hidden_by: int) -> None:
    routes = [route(name=name), route(Selection(), name=name)]
    routes[hidden_by] = route(without("card"), name=name)
    found = letter(*routes, record=BROKEN)
    assert (found.event, found.record, found.truncated) == (None, None, ("record",))
    assert CARD not in encode(found, 1_000_000).decode()
    kept = letter(route(Selection(rename=(("a", "b"),))), route(Selection()), record=BROKEN)
    assert kept.record == BROKEN.raw


def test_its_content_is_not_kept_if_it_may_hold_the_touch_attribute() -> None:
    broken = MalformedRecord(b'{"eventID":1,"consumer:touch":{"S":"run"}}', 7, "eventID")
    found = letter(route(Selection()), record=broken)
    assert (found.event, found.record, found.truncated) == (None, None, ("record",))


def test_an_event_that_is_made_again_has_the_metadata_that_it_had() -> None:
    """Readers see by the eid that it is the same one, whatever the rules have become."""
    moved = MetadataSources(eid="event_id", flow_id="flow")
    eid = "3b241101-e2bb-4255-8caf-4136c566a962"
    then = route(only("pk", "total"), metadata=moved)
    today = replace(then, format=replace(then.format, selection=only("pk")))
    found = letter(then, record=read(event_id={"S": eid}, flow={"S": "f-1"}))
    assert found.rules != today.rules
    message = QueuedMessage(Receipt("m", "h"), encode(found, 1_000_000), 0.0, 1)
    made = Examiner([today], "orders").examine(message)
    assert isinstance(made, Deliverable)
    (again,) = made.events
    event = json.loads(again.event.body)
    assert (event["metadata"]["eid"], event["metadata"]["flow_id"]) == (eid, "f-1")
    assert event["data"].keys() == {"pk", "change", "patch"}
