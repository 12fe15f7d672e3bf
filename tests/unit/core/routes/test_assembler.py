"""Which routes take a record, and as what: a table of changes, and any records of either kind."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from consumer.core.event.event import (
    Category,
    Crossing,
    EventFormat,
    Unbuildable,
    Withheld,
)
from consumer.core.event.items.shapes import Shapes
from consumer.core.event.selection.attribute_path import read_path
from consumer.core.event.transcode import Transcoder
from consumer.core.limits import PublishLimits
from consumer.core.routes.assembler import Assembler, crossing_of
from consumer.core.routes.event_maker import Made
from consumer.core.routes.filters.lambda_filter import Filter, read_filter
from consumer.core.routes.route import Route
from consumer.core.stream.page import decode_page
from consumer.core.stream.record import MalformedRecord, StreamRecord
from tests.benchmarks.records import STREAM_ARN
from tests.reference.records import record_of, records

KEYS = ("id",)
OPEN, PAID = ({"id": {"S": "1"}, "status": {"S": status}} for status in ("OPEN", "PAID"))
VIEW = read_filter({"item": {"status": {"S": ["PAID"]}}})
SENT = read_filter({"dynamodb": {"NewImage": {"status": {"S": ["PAID"]}}}})


def routes(*filters: Filter | None) -> list[Route]:
    return [
        Route(f"type-{number}", EventFormat(f"type-{number}", KEYS), PublishLimits(), KEYS, each)
        for number, each in enumerate(filters)
    ]


def assembler(*filters: Filter | None) -> Assembler:
    return Assembler(routes(*filters), STREAM_ARN, Shapes())


def read(wire: Any) -> StreamRecord | MalformedRecord:
    (record,) = decode_page(json.dumps({"Records": [wire]}).encode()).records
    return record


def good(wire: Any) -> StreamRecord:
    record = read(wire)
    assert isinstance(record, StreamRecord)
    return record


def told(made: list[tuple[int, Made]]) -> list[tuple[int, str, str]]:
    """Number, `data_op` and the crossing of each event; the reason of what is none."""
    found: list[tuple[int, str, str]] = []
    for number, content in made:
        if isinstance(content, Withheld):
            found.append((number, content.value, ""))
            continue
        if isinstance(content, Unbuildable):
            found.append((number, content.reason, content.detail))
            continue
        event = json.loads(content.body)
        assert event["data_type"] == f"type-{number}"
        crossed = [each.value for each in Crossing if event["data"]["change"].get(each.value)]
        found.append((number, event["data_op"], "".join(crossed)))
    return found


@pytest.mark.parametrize(
    ("change", "as_a_view", "as_sent"),
    [
        (("INSERT", None, OPEN), [], []),
        (("INSERT", None, PAID), ["C "], ["C "]),
        (("MODIFY", OPEN, OPEN), [], []),
        (("MODIFY", OPEN, PAID), ["C entered"], ["U "]),
        (("MODIFY", PAID, PAID), ["U "], ["U "]),
        (("MODIFY", PAID, OPEN), ["D left"], []),
        (("REMOVE", OPEN, None), [], []),
        (("REMOVE", PAID, None), ["D "], []),
    ],
)
def test_each_change_through_a_view_and_through_a_filter_of_lambda(
    change: tuple[str, Any, Any], as_a_view: list[str], as_sent: list[str]
) -> None:
    record = read(record_of(*change))
    for asked, expected in ((VIEW, as_a_view), (SENT, as_sent)):
        made = told(assembler(asked).events_of(record))
        assert [f"{op} {crossed}" for _, op, crossed in made] == expected


@given(records, st.booleans())
def test_without_a_filter_every_record_is_what_the_transcoder_makes(
    wire: Any, broken: bool
) -> None:
    record = read({"eventID": 1} if broken else wire)
    (route,) = routes(None)
    expected = Transcoder(route.format, STREAM_ARN, Shapes()).event_of(record)
    assert Assembler([route], STREAM_ARN, Shapes()).events_of(record) == [(0, expected)]


def test_every_route_that_takes_a_record_makes_its_own_event_in_the_order_of_routes() -> None:
    made = assembler(SENT, None, VIEW, None)
    assert told(made.events_of(read(record_of("MODIFY", OPEN, PAID)))) == [
        (0, "U", ""),
        (1, "U", ""),
        (2, "C", "entered"),
        (3, "U", ""),
    ]
    assert told(made.events_of(read(record_of("REMOVE", PAID)))) == [
        (1, "D", ""),
        (2, "D", ""),
        (3, "D", ""),
    ]


def test_a_record_that_cannot_be_read_is_poison_once() -> None:
    for filters in ((VIEW, None, SENT), (None, None), (SENT,)):
        ((number, made),) = assembler(*filters).events_of(read({"eventID": 1}))
        assert isinstance(made, Unbuildable)
        assert (number, made.reason, made.unreadable) == (0, "malformed_record", True)


def test_only_the_routes_whose_filter_cannot_be_answered_get_a_letter() -> None:
    wire = record_of("MODIFY", OPEN, PAID)
    del wire["dynamodb"]["OldImage"]
    updates = read_filter({"eventName": ["MODIFY"]})
    made = told(assembler(VIEW, updates, SENT).events_of(read(wire)))
    assert [number for number, *_ in made] == [0, 1, 2]
    assert made[0][1:] == ("malformed_record", "it has no dynamodb.OldImage")
    # What no filter asks for may still be missing for the patch: that is the event's own poison.
    assert [reason for _, reason, _ in made[1:]] == ["malformed_record"] * 2
    assert "OldImage" in made[1][2]


def test_a_value_that_is_none_is_never_filtered_away() -> None:
    wire = record_of("INSERT", None, {"id": {"S": "1"}, "status": {"S": 7}})
    ((number, reason, detail),) = told(assembler(VIEW).events_of(read(wire)))
    assert (number, reason) == (0, "malformed_record")
    assert "status" in detail


@pytest.mark.parametrize(
    ("asked", "change", "crossing"),
    [
        (None, ("MODIFY", OPEN, PAID), None),
        (SENT, ("MODIFY", OPEN, PAID), None),
        (VIEW, ("MODIFY", OPEN, PAID), Crossing.ENTERED),
        (VIEW, ("MODIFY", PAID, OPEN), Crossing.LEFT),
        (VIEW, ("MODIFY", PAID, PAID), None),
        (VIEW, ("INSERT", None, PAID), None),
        (VIEW, ("MODIFY", OPEN, OPEN), None),  # not taken today: it is not asked again
        (VIEW, ("MODIFY", OPEN, {**PAID, "status": {"S": 7}}), None),
    ],
)
def test_what_a_change_that_was_taken_does_to_a_view(
    asked: Filter | None, change: tuple[str, Any, Any], crossing: Crossing | None
) -> None:
    assert crossing_of(asked, KEYS, good(record_of(*change)), STREAM_ARN) is crossing


def with_rest(*filters: Filter | None) -> Assembler:
    """Routes with these filters, and one that takes what none of the filters matches."""
    *named, rest = routes(*filters, None)
    return Assembler([*named, replace(rest, otherwise=True)], STREAM_ARN, Shapes())


@pytest.mark.parametrize(
    ("filters", "change", "taken"),
    [
        ((VIEW,), ("MODIFY", OPEN, OPEN), [1]),
        ((VIEW,), ("MODIFY", OPEN, PAID), [0]),
        ((VIEW,), ("MODIFY", PAID, OPEN), [0]),  # what leaves a view was matched before
        ((SENT,), ("MODIFY", PAID, OPEN), [1]),
        ((VIEW, SENT), ("REMOVE", OPEN, None), [2]),
        ((SENT, None), ("INSERT", None, OPEN), [1, 2]),  # without a filter it matches nothing
        ((SENT, None), ("INSERT", None, PAID), [0, 1]),
        ((None,), ("INSERT", None, PAID), [0, 1]),
        ((), ("INSERT", None, PAID), [0]),
    ],
)
def test_the_rest_is_what_no_filter_matches(
    filters: tuple[Filter | None, ...], change: tuple[str, Any, Any], taken: list[int]
) -> None:
    made = told(with_rest(*filters).events_of(read(record_of(*change))))
    assert [number for number, *_ in made] == taken


def test_what_a_filter_cannot_answer_is_nobodys_rest() -> None:
    wire = record_of("INSERT", None, {"id": {"S": "1"}, "status": {"S": 7}})
    ((number, reason, _),) = told(with_rest(VIEW).events_of(read(wire)))
    assert (number, reason) == (0, "malformed_record")


def test_what_a_filter_matches_is_nobodys_rest_though_nothing_is_published() -> None:
    matched, rest = routes(VIEW, None)
    silent = [
        replace(matched, changed=(read_path("other"),)),
        replace(matched, skip_unchanged=True),
        replace(matched, format=replace(matched.format, category=Category.BUSINESS)),
    ]
    reasons = []
    for route in silent:
        made = Assembler([route, replace(rest, otherwise=True)], STREAM_ARN, Shapes())
        ((number, reason, _),) = told(made.events_of(read(record_of("MODIFY", PAID, PAID))))
        assert number == 0
        reasons.append(reason)
    assert reasons == ["unchanged", "unchanged", "outbox_modified"]


def test_of_many_records_it_makes_what_it_makes_of_each() -> None:
    changes: list[tuple[str, Any, Any]] = [
        ("INSERT", None, OPEN),
        ("MODIFY", OPEN, PAID),
        ("MODIFY", PAID, PAID),
        ("MODIFY", PAID, OPEN),
        ("INSERT", None, {**OPEN, "status": {"S": 7}}),
        ("REMOVE", PAID, None),
    ]
    wires: list[Any] = [record_of(*change) for change in changes]
    read_records = [read(wire) for wire in [*wires, {"eventID": 1}]]
    made = with_rest(VIEW, SENT, None)
    takers = [made.takers(record) for record in read_records]
    found = made.events_of_each(read_records, takers)
    assert found == [made.events_of(record) for record in read_records]
    assert [[number for number, _ in each] for each in found] == [
        [number for number, _ in each] for each in takers
    ]
    assert found[4][0][0] == 0, "what is unanswered comes in its place, too"
