"""Members of an event's metadata that come out of the item."""

import json
from typing import Any

import pytest
from msgspec import Raw

from consumer.core.event.event import MetadataSources
from consumer.core.event.event_metadata import NO_METADATA, MetadataReader
from consumer.core.event.malformed import MalformedItem
from consumer.core.event.selection.attribute_path import read_path
from consumer.core.event.selection.selection import Selection

Json = Any
UUID, OTHER = "a1b2c3d4-0000-4000-8000-000000000001", "A1B2C3D4-0000-4000-8000-000000000002"
ALL = MetadataSources(eid="e", flow_id="f", span_ctx="s", parent_eids="p")


def read(item: Json, selection: Selection | None = None) -> tuple[str | None, Json, int]:
    found = MetadataReader(ALL, selection).read(Raw(json.dumps(item).encode()))
    members = json.loads(b"{%b}" % found.members.removeprefix(b","))
    return found.eid, members, found.left_out


def test_all_of_them() -> None:
    item = {
        "e": {"S": UUID},
        "f": {"S": 'flow"1'},
        "s": {"M": {"ot": {"S": "x"}}},
        "p": {"L": [{"S": UUID}, {"S": OTHER}]},
    }
    members = {"flow_id": 'flow"1', "span_ctx": {"ot": "x"}, "parent_eids": [UUID, OTHER]}
    assert read(item) == (UUID, members, 0)
    assert MetadataReader(ALL, None).attributes == ("e", "f", "s", "p")


@pytest.mark.parametrize(
    ("item", "members"),
    [
        ({"p": {"SS": [UUID, OTHER]}}, {"parent_eids": [OTHER, UUID]}),
        ({"p": {"L": []}}, {"parent_eids": []}),
        ({"s": {"S": '{"ot":"x"}'}}, {"span_ctx": {"ot": "x"}}),
        ({}, {}),
    ],
)
def test_other_forms_that_nakadi_takes(item: Json, members: Json) -> None:
    assert read(item) == (None, members, 0)


@pytest.mark.parametrize(
    "item",
    [
        *({"f": {"N": "7"}}, {"f": {"NULL": True}}, {"f": {"S": 7}}, {"f": {"S": "x", "N": "7"}}),
        *({"s": {"S": "x"}}, {"s": {"S": '{"a":7}'}}, {"s": {"M": {"a": {"N": "7"}}}}, {"s": {}}),
        *({"s": {"L": []}}, {"p": {"S": UUID}}, {"p": {"SS": ["x"]}}, {"p": {"L": [{"S": "x"}]}}),
        *({"p": {"L": [{"S": UUID}, {"N": "7"}]}}, {"p": {"M": {}}}, {"f": 7}),
    ],
)
def test_what_nakadi_would_refuse_is_left_out_and_counted(item: Json) -> None:
    assert read(item) == (None, {}, 1)


@pytest.mark.parametrize("eid", [{"S": "4711"}, {"N": "7"}, {"S": UUID + "0"}, {"NULL": True}])
def test_an_eid_that_is_no_uuid_is_poison(eid: Json) -> None:
    with pytest.raises(MalformedItem, match="attribute 'e'") as caught:
        read({"e": eid})
    assert "4711" not in str(caught.value)


def test_what_is_excluded_is_no_metadata_either() -> None:
    item = {"e": {"S": UUID}, "f": {"S": "x"}}
    assert read(item, Selection(exclude=(read_path("f"),))) == (UUID, {}, 0)
    assert read(item, Selection(include=(read_path("id"),))) == (UUID, {"flow_id": "x"}, 0)


def test_without_an_image_or_sources_there_is_none() -> None:
    assert MetadataReader(ALL, None).read(None) is NO_METADATA
    reader = MetadataReader(MetadataSources(), None)
    assert reader.attributes == ()
    assert reader.read(Raw(b"{}")) == NO_METADATA
