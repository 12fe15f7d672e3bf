import json

import pytest
from msgspec import UNSET, Raw

from consumer.core.event.malformed import MalformedItem
from consumer.core.routes.filters.place import Place, Source, place_of
from consumer.core.routes.filters.record_reader import RecordReader
from consumer.core.stream.record import StreamRecord, decode_record
from tests.reference.records import KEYS, Json, record_of


def record(name: str, *images: Json | None) -> StreamRecord:
    read = decode_record(Raw(json.dumps(record_of(name, *images)).encode()))
    assert isinstance(read, StreamRecord)
    return read


def places(*paths: str) -> list[Place]:
    found = [place_of(path) for path in paths]
    return [place for place in found if place is not None]


def test_every_source_is_read() -> None:
    named = places(
        "eventName",
        "dynamodb.Keys.id.S",
        "dynamodb.NewImage.status.S",
        "dynamodb.OldImage.status.S",
    )
    reader = RecordReader(named)
    old, new = ({"status": {"S": text}} | KEYS for text in ("OPEN", "PAID"))
    parts = reader.read(record("MODIFY", old, new), "arn")
    assert [reader.getter(place)(parts) for place in named] == ["MODIFY", "o-4711", "PAID", "OPEN"]


def test_what_no_filter_names_is_not_read() -> None:
    assert RecordReader([]).read(record("MODIFY"), "arn") == (None, None, None, None)


def test_an_image_may_be_absent() -> None:
    [place] = places("dynamodb.NewImage.status.S")
    reader = RecordReader([place])
    assert reader.getter(place)(reader.read(record("REMOVE", KEYS), "arn")) is UNSET


def test_an_image_that_cannot_be_read_is_named() -> None:
    reader = RecordReader(places("dynamodb.OldImage.status.S"))
    with pytest.raises(MalformedItem, match=r"dynamodb.OldImage: Expected `str`"):
        reader.read(record("REMOVE", {"status": {"S": 7}}), "arn")


def test_getters_of_a_list() -> None:
    [place] = places("dynamodb.NewImage.lines.L.S")
    assert place.source is Source.NEW_IMAGE
    assert len(RecordReader([place]).getters(place)) == 2
