import json
from typing import Any

import pytest
from msgspec import UNSET, Raw

from consumer.core.event.malformed import MalformedItem
from consumer.core.routes.filters.place import Source, place_of
from consumer.core.routes.filters.record_members import _GETTERS, MemberReader, member_getter
from consumer.core.stream.record import StreamRecord, decode_record
from tests.reference.records import record_of

ARN = "arn:aws:dynamodb:eu-central-1:1:table/t/stream/1"


def record(**more: Any) -> StreamRecord:
    read = decode_record(Raw(json.dumps(record_of("REMOVE", **more)).encode()))
    assert isinstance(read, StreamRecord)
    return read


def member(name: str, of: StreamRecord) -> object:
    return member_getter(name)(MemberReader([name]).read(of, ARN))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("eventID", "c4ca4238a0b923820dcc509a6f75849b"),
        ("eventName", "REMOVE"),
        ("eventVersion", "1.1"),
        ("eventSource", "aws:dynamodb"),
        ("eventSourceARN", ARN),
        ("awsRegion", "eu-central-1"),
        ("userIdentity.type", UNSET),
        ("userIdentity.principalId", UNSET),
        ("dynamodb.SequenceNumber", "400000000000000499660041"),
        ("dynamodb.StreamViewType", "NEW_AND_OLD_IMAGES"),
        ("dynamodb.SizeBytes", 59),
        ("dynamodb.ApproximateCreationDateTime", 1793525400.0),
    ],
)
def test_the_members_of_a_record(name: str, value: object) -> None:
    assert member(name, record()) == value


@pytest.mark.parametrize("spelling", [("type", "principalId"), ("Type", "PrincipalId")])
def test_user_identity_is_found_in_both_spellings(spelling: tuple[str, str]) -> None:
    of = record(
        userIdentity=dict(zip(spelling, ("Service", "dynamodb.amazonaws.com"), strict=True))
    )
    assert member("userIdentity.type", of) == "Service"
    assert member("userIdentity.principalId", of) == "dynamodb.amazonaws.com"


def test_a_time_may_be_absent() -> None:
    raw: dict[str, Any] = record_of("REMOVE")
    del raw["dynamodb"]["ApproximateCreationDateTime"]
    read = decode_record(Raw(json.dumps(raw).encode()))
    assert isinstance(read, StreamRecord)
    assert member("dynamodb.ApproximateCreationDateTime", read) is UNSET


def test_a_member_of_another_type_is_malformed_only_if_it_is_named() -> None:
    of = record(awsRegion=7)
    with pytest.raises(MalformedItem, match=r"the record: Expected `str`.*awsRegion"):
        member("awsRegion", of)
    assert member("eventName", of) == "REMOVE"


def test_every_member_that_has_a_place_can_be_read() -> None:
    for name in _GETTERS:
        place = place_of(name)
        assert place is not None
        assert place.source is Source.MEMBERS


def test_a_record_whose_text_is_nested_too_deeply_is_malformed() -> None:
    class Deep:
        def __getitem__(self, number: int) -> Raw:
            raise RecursionError

    of = record()
    deep = StreamRecord(
        Deep(), 0, of.event_id, "REMOVE", of.sequence, None, of.keys, None, None, is_ttl=False
    )
    with pytest.raises(MalformedItem, match="nested too deeply"):
        member("awsRegion", deep)
    assert member("eventName", deep) == "REMOVE"
