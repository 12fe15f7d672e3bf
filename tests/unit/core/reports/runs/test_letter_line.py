"""The lines of `consumer redrive --dry-run --list`."""

import json
from dataclasses import replace

import pytest

from consumer.core.dead_letters.dead_letter import MAX_DETAIL, DeadLetter
from consumer.core.dead_letters.letter_key import digest_of
from consumer.core.dead_letters.redrive import (
    Deliverable,
    Kept,
    QueuedMessage,
    Receipt,
    RedriveOutcome,
    RouteEvent,
)
from consumer.core.event.event import Event
from consumer.core.reports.runs.letter_line import (
    HEADER,
    HEADER_OF_ROUTES,
    SHOWN,
    LetterLine,
    aligned,
    letter_line,
)

SENT = 1793525400.0
LETTER = DeadLetter(
    reason="validation",
    detail="#/data/amount: expected number",
    event_type="order-store.payment",
    stream_arn="arn",
    shard_id="shardId-1",
    sequence=400,
    eid="e",
    ordering_key='["o-4711"]',
    attempts=3,
    first_attempt=SENT,
    last_attempt=SENT,
    event=b"{}",
    record=None,
)


def message(receptions: int = 2) -> QueuedMessage:
    return QueuedMessage(Receipt("m1", "h"), b"", SENT, receptions)


def deliverable(letter: DeadLetter = LETTER) -> Deliverable:
    event = Event(400, "k", "e", b"{}", SENT)
    return Deliverable("m1", 2, letter, (RouteEvent(letter.event_type, event, "k"),))


def line(letter: DeadLetter = LETTER, age: float = 0.0, *, show_keys: bool = False) -> LetterLine:
    return letter_line(message(), deliverable(letter), SENT + age, show_keys=show_keys)


def test_a_letter_that_can_be_published_says_why_it_is_there() -> None:
    assert line(age=90.4, show_keys=True).as_json() == {
        "message_id": "m1",
        "key": '["o-4711"]',
        "sequence": "400",
        "age_seconds": 90,
        "receptions": 2,
        "reason": "validation",
        "detail": "#/data/amount: expected number",
        "event_type": "order-store.payment",
        "route": "order-store.payment",
        "shard_id": "shardId-1",
        "attempts": 3,
        "stays": None,
    }


def test_a_key_is_shown_only_if_it_is_asked_for() -> None:
    hidden = line()
    assert "o-4711" not in hidden.text() + json.dumps(hidden.as_json())
    assert len(hidden.key or "") == 12
    assert hidden.key == line(replace(LETTER, sequence=500)).key
    assert hidden.key != line(replace(LETTER, ordering_key='["o-4712"]')).key
    assert '["o-4711"]' in line(show_keys=True).text()
    assert line(replace(LETTER, ordering_key=None), show_keys=True).key is None


def test_the_columns_are_those_of_the_header() -> None:
    columns = [aligned(HEADER).index(name) for name in HEADER]
    text = line(age=7200.0).text().removesuffix("\n")
    assert "\n" not in text
    assert [text[at:].split("  ")[0] for at in columns] == [
        line().key, "400", "2h", "2", "validation", "#/data/amount: expected number",
    ]  # fmt: skip


def test_a_route_is_named_where_there_are_several() -> None:
    columns = [aligned(HEADER_OF_ROUTES).index(name) for name in HEADER_OF_ROUTES]
    for letter, shown in (
        (replace(LETTER, route="payments"), "payments"),
        (LETTER, "order-store.payment"),  # of a version without routes
        (replace(LETTER, event_type=""), "-"),  # a record that belongs to none
    ):
        text = line(letter).text(with_route=True)
        cells = [text[at:].split("  ")[0].strip() for at in columns]
        assert cells[5:] == [shown, "#/data/amount: expected number"]
        assert len(cells) == 7
    assert line(replace(LETTER, route="payments")).as_json()["route"] == "payments"


def test_a_key_has_one_hash_whether_the_letter_has_the_key_or_its_digest() -> None:
    hidden = replace(LETTER, ordering_key=digest_of('["o-4711"]'))
    assert line(hidden).key == line().key
    assert line(hidden, show_keys=True).key == digest_of('["o-4711"]')


@pytest.mark.parametrize(
    ("age", "shown"),
    [(-5.0, "0s"), (59.0, "59s"), (60.0, "1m"), (7199.0, "1h"), (3 * 86_400.0, "3d")],
)
def test_an_age_is_told_as_since_takes_it(age: float, shown: str) -> None:
    assert line(age=age).text().split()[2] == shown


def test_a_message_that_would_stay_says_why() -> None:
    kept = Kept(RedriveOutcome.INCOMPLETE, "too much of it was cut off for size", LETTER)
    found = letter_line(message(), kept, SENT, show_keys=False)
    assert found.stays == "too much of it was cut off for size"
    assert found.text().endswith("expected number (stays: too much of it was cut off for size)\n")


def test_a_message_of_another_kind_has_no_more_than_a_reason() -> None:
    kept = Kept(RedriveOutcome.FOREIGN, "no dead letter: " + "x" * 500, None)
    found = letter_line(message(), kept, SENT, show_keys=True)
    assert (found.reason, found.detail, found.key, found.sequence) == (
        "not a letter",
        "",
        None,
        None,
    )
    assert (found.event_type, found.shard_id, found.attempts) == (None, None, None)
    assert len(found.stays or "") == SHOWN
    assert found.text().split()[:2] == ["-", "-"]


def test_what_a_stranger_wrote_is_bounded_and_controls_no_terminal() -> None:
    long = "\x1b[2J\n" + "y" * 5000
    foreign = replace(LETTER, detail=long, reason=long, ordering_key=long, event_type=long)
    found = line(foreign, show_keys=True)
    assert (len(found.detail), len(found.key or "")) == (MAX_DETAIL, MAX_DETAIL)
    assert len(found.text()) < 4 * SHOWN
    assert "\x1b" not in found.text()
    assert found.text().count("\n") == 1
    odd = line(replace(LETTER, detail="a\x1b[2J\u202e\ud800é"))
    assert odd.text().endswith("  a\\u001b[2J\\u202e\\ud800é\n")
    assert line(replace(LETTER, ordering_key="\ud800")).key is not None
    assert line(replace(LETTER, detail="", sequence=None)).text().endswith(" -\n")
