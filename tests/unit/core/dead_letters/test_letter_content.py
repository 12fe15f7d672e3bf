"""What a letter holds of an event and of a record, whole and shortened."""

import base64
import json
from dataclasses import replace
from decimal import Decimal

import pytest

from consumer.core.dead_letters.dead_letter import DeadLetter, encode
from consumer.core.dead_letters.letter_content import EventMembers
from tests.reference.memory import peak_of
from tests.unit.core.dead_letters.test_dead_letter import EVENT, KEYS, LETTER, RECORD, body

BOTH = replace(LETTER, record=RECORD % (b"n" * 900, b"o" * 900))


def test_too_long_an_event_loses_its_patch_first() -> None:
    letter = replace(LETTER, event=EVENT % (b"t", b"p" * 5000))
    found = body(letter, 4000)
    assert found["truncated"] == ["patch"]
    data = found["event"]["data"]
    assert "patch" not in data
    assert data["text"] == "t"
    assert data["line"] == Decimal(12345678901234567890123456789012345678)
    assert data["change"] == {"sequence": "7", "patch_omitted": True}
    assert found["event"]["metadata"]["eid"] == "e"


def test_the_patch_may_have_another_name() -> None:
    event = (EVENT % (b"t", b"p" * 5000)).replace(b'"patch"', b'"diff"')
    event = event.replace(b'"change"', b'"about"')
    members = EventMembers("diff", "about", KEYS)
    found = body(replace(LETTER, event=event, members=members), 4000)
    assert found["truncated"] == ["patch"]
    assert found["event"]["data"]["about"]["patch_omitted"] is True


def test_without_patches_nothing_of_the_item_is_taken_for_one() -> None:
    letter = replace(
        LETTER, event=EVENT % (b"t", b"p" * 5000), members=EventMembers(None, "change", KEYS)
    )
    found = body(letter, 4000)
    assert found["event"] is None
    assert found["keys"]["order_id"] == "o-1"


def test_then_its_item_but_keeps_its_keys() -> None:
    letter = replace(LETTER, event=EVENT % (b"t" * 5000, b"p"))
    found = body(letter, 4000)
    assert found["truncated"] == ["patch", "item"]
    assert found["event"] is None
    assert found["keys"] == {
        "order_id": "o-1",
        "line": Decimal(12345678901234567890123456789012345678),
    }
    assert found["eid"] == "e"


def test_keys_of_a_nested_item() -> None:
    event = b'{"data":{"item":{"order_id":"o-1","line":1,"x":"%b"},"change":{}}}' % (b"x" * 5000)
    found = body(replace(LETTER, event=event), 4000)
    assert found["keys"] == {"order_id": "o-1", "line": 1}


def test_an_event_without_a_patch_loses_its_item_at_once() -> None:
    event = b'{"data":{"order_id":"o-1","x":"%b","change":{}}}' % (b"x" * 5000)
    found = body(replace(LETTER, event=event), 4000)
    assert found["truncated"] == ["patch", "item"]
    assert found["keys"] == {"order_id": "o-1"}


def test_too_long_a_record_loses_its_images() -> None:
    found = body(replace(LETTER, event=None, record=RECORD % (b"n" * 3000, b"o" * 3000)), 4000)
    assert found["truncated"] == ["images"]
    assert found["record"] == {
        "eventID": "1",
        "dynamodb": {"Keys": {"order_id": {"S": "o-1"}}, "SequenceNumber": "7"},
    }


@pytest.mark.parametrize(
    "record",
    [
        b'"%b"' % (b"x" * 5000),
        b'{"x":"%b"}' % (b"x" * 5000),
        b'{"dynamodb":"%b"}' % (b"x" * 5000),
        b'{"dynamodb":{"Keys":"%b"}}' % (b"x" * 5000),
    ],
)
def test_a_record_that_stays_too_long_is_left_out(record: bytes) -> None:
    found = body(replace(LETTER, event=None, record=record), 4000)
    assert (found["event"], found["record"], found["truncated"]) == (None, None, ["record"])


@pytest.mark.parametrize(
    "letter",
    [
        replace(LETTER, event=EVENT % (b"t" * 5_000_000, b"p")),
        replace(LETTER, event=EVENT % (b"t", b"p" * 5_000_000)),
        replace(LETTER, event=b'{"data":{"order_id":"o-1","x":"%b"}}' % (b"x" * 5_000_000)),
        replace(LETTER, event=None, record=RECORD % (b"n" * 5_000_000, b"o")),
        replace(LETTER, event=None, record=b"\xff" * 500_000),
    ],
    ids=["item", "patch", "insert", "images", "not UTF-8"],
)
def test_what_cannot_fit_is_not_encoded_to_see_it(letter: DeadLetter) -> None:
    assert len(encode(letter, 1_048_576)) < 10_000
    assert peak_of(lambda: encode(letter, 1_048_576)) < 1_048_576


@pytest.mark.parametrize("size", [300, 301, 302, 448])
def test_a_record_that_is_not_text_is_kept_as_long_as_it_fits(size: int) -> None:
    letter = replace(LETTER, event=None, record=b"\xff" * size)
    whole = encode(letter, 1_048_576)
    assert b"record_base64" in whole
    assert encode(letter, len(whole)) == whole
    assert json.loads(encode(letter, len(whole) - 1))["truncated"] == ["record"]


def test_what_no_shortening_brings_below_the_limit_is_as_short_as_it_gets() -> None:
    encoded = encode(LETTER, 10)
    assert json.loads(encoded)["truncated"] == ["patch", "item"]


def test_a_record_with_bytes_that_are_no_text_is_kept_whole_in_base64() -> None:
    record = b'{"eventID":"x","note":"a\xff\xfeb"}'
    found = body(replace(LETTER, event=None, record=record))
    assert found["record"]["note"] == "a\ufffd\ufffdb"
    assert base64.b64decode(found["record_base64"]) == record


def test_a_record_that_is_text_has_no_base64() -> None:
    assert "record_base64" not in body(replace(LETTER, event=None, record=RECORD % (b"n", b"o")))


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


def test_without_event_and_record_there_is_nothing_to_shorten() -> None:
    found = body(replace(LETTER, event=None))
    assert found["event"] is None
    assert "record" not in found
    assert "truncated" not in found
