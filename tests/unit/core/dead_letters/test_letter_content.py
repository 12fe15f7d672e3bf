"""What a letter holds beside an event, and of a business event; the rest is in test_dead_letter."""

import json
from dataclasses import replace

import pytest

from consumer.core.dead_letters.dead_letter import encode
from consumer.core.dead_letters.letter_content import EventMembers
from tests.unit.core.dead_letters.test_dead_letter import EVENT, LETTER, RECORD, body

BOTH = replace(LETTER, record=RECORD % (b"n" * 900, b"o" * 900))


def test_the_record_stands_beside_the_event_if_both_fit() -> None:
    whole = encode(BOTH, 1_048_576)
    found = json.loads(whole)
    assert found["event"] == json.loads(LETTER.event or b"")
    assert found["record"] == json.loads(BOTH.record or b"")
    assert "truncated" not in found
    assert encode(BOTH, len(whole)) == whole
    without = body(BOTH, len(whole) - 1)
    assert without["event"]["data"]["text"] == "t"
    assert "record" not in without
    assert "truncated" not in without


def test_beside_an_event_a_record_that_is_no_text_is_left_out() -> None:
    found = body(replace(LETTER, record=b'{"x":"\xff"}'))
    assert found["event"] is not None
    assert "record" not in found
    assert "record_base64" not in found


def test_an_event_that_is_shortened_has_no_record() -> None:
    letter = replace(BOTH, event=EVENT % (b"t", b"p" * 5000))
    found = body(letter, 4000)
    assert (found["truncated"], "record" in found) == (["patch"], False)


def test_keys_are_those_that_the_event_shows_by_its_own_names() -> None:
    event = b'{"data":{"order":"o-1","pk":"hidden elsewhere","x":"%b","change":{}}}' % (b"x" * 5000)
    letter = replace(LETTER, event=event, members=EventMembers(keys=("order",)))
    assert body(letter, 4000)["keys"] == {"order": "o-1"}


@pytest.mark.parametrize("patch", ["patch", None])
def test_a_business_event_loses_all_but_its_keys(patch: str | None) -> None:
    event = b'{"metadata":{},"data":{"order_id":1},"order_id":"o-1","patch":[],"x":"%b"}'
    members = EventMembers(patch, keys=("order_id",), business=True)
    found = body(replace(LETTER, event=event % (b"x" * 5000), members=members), 4000)
    assert (found["event"], found["keys"]) == (None, {"order_id": "o-1"})
    assert found["truncated"] == ["patch", "item"]


def test_what_nothing_may_be_kept_of_says_so() -> None:
    found = body(replace(LETTER, event=None, record=None, truncated=("record",)))
    assert (found["event"], found["record"], found["truncated"]) == (None, None, ["record"])
