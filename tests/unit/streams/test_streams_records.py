from __future__ import annotations

from typing import Any

import pytest

from localdev.streams import names
from localdev.streams.errors import ServiceError
from localdev.streams.model.attribute import Attributes, attributes_size, same
from localdev.streams.model.key_schema import KeySchema
from localdev.streams.model.options import Options
from localdev.streams.model.record import ViewType, exponent_time
from tests.unit.streams.streams_world import START, World

KEY: Attributes = {"id": {"S": "k"}}
OLD: Attributes = {"id": {"S": "k"}, "n": {"N": "1"}}
NEW: Attributes = {"id": {"S": "k"}, "n": {"N": "2"}}


def life(world: World) -> list[Any]:
    """An item is inserted, modified, removed."""
    world.table.put(OLD, START + 0.9)
    world.table.put(NEW, START + 1.9)
    world.table.delete(KEY, START + 2.9)
    return world.records()


def test_a_record_holds_what_the_service_documents() -> None:
    world = World()
    _, modified, _ = life(world)
    entry = world.shard.history[1]
    assert modified == {
        "eventID": entry.event_id,
        "eventName": "MODIFY",
        "eventVersion": "1.1",
        "eventSource": "aws:dynamodb",
        "awsRegion": "us-east-1",
        "dynamodb": {
            "ApproximateCreationDateTime": int(START) + 1,  # floored
            "Keys": KEY,
            "NewImage": NEW,
            "OldImage": OLD,
            "SequenceNumber": str(entry.sequence),
            "SizeBytes": 3 + 2 * 6,
            "StreamViewType": "NEW_AND_OLD_IMAGES",
        },
    }
    assert len(entry.event_id) == 32


def test_an_insert_has_no_old_image_and_a_removal_no_new_one() -> None:
    inserted, _, removed = life(World())
    assert inserted["eventName"] == "INSERT"
    assert inserted["dynamodb"]["NewImage"] == OLD
    assert "OldImage" not in inserted["dynamodb"]
    assert removed["eventName"] == "REMOVE"
    assert removed["dynamodb"]["OldImage"] == NEW
    assert "NewImage" not in removed["dynamodb"]


@pytest.mark.parametrize(
    ("view_type", "images"),
    [
        (ViewType.KEYS_ONLY, set()),
        (ViewType.NEW_IMAGE, {"NewImage"}),
        (ViewType.OLD_IMAGE, {"OldImage"}),
        (ViewType.NEW_AND_OLD_IMAGES, {"NewImage", "OldImage"}),
    ],
)
def test_the_view_type_says_which_images_a_record_has(
    view_type: ViewType, images: set[str]
) -> None:
    _, modified, _ = life(World(view_type))
    assert modified["dynamodb"].keys() & {"NewImage", "OldImage"} == images
    assert modified["dynamodb"]["StreamViewType"] == view_type
    assert modified["dynamodb"]["Keys"] == KEY


def test_only_a_ttl_deletion_names_the_service_as_its_user() -> None:
    world = World()
    for ttl in (False, True):
        world.put(1)
        world.table.delete(KEY, START, ttl=ttl)
    _, deleted, _, expired = world.records()
    assert "userIdentity" not in deleted
    assert expired["userIdentity"] == {
        "Type": "Service",
        "PrincipalId": "dynamodb.amazonaws.com",
    }


def test_records_are_compact_json() -> None:
    world = World()
    world.put(1)
    assert b" " not in world.shard.bodies[0]


def test_times_may_have_an_exponent() -> None:
    assert exponent_time(1_464_804_310) == "1.46480431E9"
    assert exponent_time(2_000_000_000) == "2.0E9"
    world = World(options=Options(exponent_times=True))
    world.put(1)
    assert b'"ApproximateCreationDateTime":1.7934912E9,' in world.shard.bodies[0]
    assert world.records()[0]["dynamodb"]["ApproximateCreationDateTime"] == START


def test_sequence_numbers_ascend_and_grow_in_length() -> None:
    numbers = [names.sequence_number("seed", count) for count in range(1, 12_000)]
    assert numbers == sorted(set(numbers))
    assert {len(str(number)) for number in numbers} == {21, 22, 23, 24, 25}
    assert sorted(numbers[:20], key=str) != numbers[:20]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ({"N": "1"}, {"N": "1.0"}),
        ({"SS": ["a", "b"]}, {"SS": ["b", "a"]}),
        ({"NS": ["1", "2"]}, {"NS": ["2.0", "1e0"]}),
        ({"BS": ["YQ==", "Yg=="]}, {"BS": ["Yg==", "YQ=="]}),
        ({"M": {"x": {"N": "1"}}}, {"M": {"x": {"N": "1.00"}}}),
        ({"L": [{"N": "1"}, {"S": "a"}]}, {"L": [{"N": "1.0"}, {"S": "a"}]}),
        ({"NULL": True}, {"NULL": True}),
    ],
)
def test_a_write_that_changes_nothing_makes_no_record(old: Any, new: Any) -> None:
    world = World()
    assert world.table.put({**KEY, "a": old}, START) is not None
    assert world.table.put({**KEY, "a": new}, START) is None
    assert len(world.records()) == 1


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ({"S": "1"}, {"N": "1"}),
        ({"N": "1"}, {"N": "1.0000000000000000000000000000000000001"}),
        ({"SS": ["a"]}, {"SS": ["a", "b"]}),
        ({"SS": ["YQ=="]}, {"BS": ["YQ=="]}),
        ({"L": [{"S": "a"}, {"S": "b"}]}, {"L": [{"S": "b"}, {"S": "a"}]}),
        ({"L": [{"S": "a"}]}, {"L": [{"S": "a"}, {"S": "b"}]}),
        ({"M": {"x": {"S": ""}}}, {"M": {"y": {"S": ""}}}),
        ({"BOOL": True}, {"BOOL": False}),
    ],
)
def test_a_write_that_changes_something_makes_one(old: Any, new: Any) -> None:
    assert not same({"a": old}, {"a": new})
    world = World()
    world.table.put({**KEY, "a": old}, START)
    assert world.table.put({**KEY, "a": new}, START) is not None


def test_deleting_what_is_not_there_makes_no_record() -> None:
    world = World()
    assert world.table.delete(KEY, START) is None
    assert world.records() == []


def test_a_table_without_a_stream_makes_no_records() -> None:
    assert World(None).table.put(OLD, START) is None


def test_an_update_sets_and_removes_attributes_of_an_item_that_may_be_new() -> None:
    world = World()
    world.table.update(KEY, {"a": {"S": "x"}, "b": {"S": "y"}}, frozenset(), START)
    world.table.update(KEY, {"b": {"S": "z"}}, frozenset({"a"}), START)
    assert world.table.update(KEY, {}, frozenset({"a"}), START) is None
    inserted, modified = world.records()
    assert inserted["dynamodb"]["NewImage"] == {**KEY, "a": {"S": "x"}, "b": {"S": "y"}}
    assert modified["dynamodb"]["NewImage"] == {**KEY, "b": {"S": "z"}}
    assert modified["dynamodb"]["OldImage"] == inserted["dynamodb"]["NewImage"]


def test_an_update_leaves_the_key_alone() -> None:
    with pytest.raises(ServiceError, match="part of the key"):
        World().table.update(KEY, {"id": {"S": "x"}}, frozenset(), START)


def test_keys_are_equal_whatever_the_spelling_of_their_numbers() -> None:
    schema = KeySchema("id", "at", {"id": "N", "at": "N"})
    world = World(schema=schema)
    world.table.put({"id": {"N": "1"}, "at": {"N": "0"}, "a": {"S": "x"}}, START)
    assert world.table.delete({"id": {"N": "1.0"}, "at": {"N": "-0"}}, START) is not None
    assert world.table.items == {}
    big: Attributes = {"id": {"N": "12345678901234567890123456789012345678"}, "at": {"N": "0"}}
    near: Attributes = {"id": {"N": "12345678901234567890123456789012345679"}, "at": {"N": "0"}}
    assert schema.identity(big) != schema.identity(near)


def test_items_of_one_partition_key_share_a_shard() -> None:
    world = World(shards=8, schema=KeySchema("id", "at", {"id": "S", "at": "N"}))
    for number in range(50):
        world.table.put({"id": {"S": "one"}, "at": {"N": str(number)}}, START)
    assert sorted(len(shard.history) for shard in world.stream.open_shards) == [0] * 7 + [50]


@pytest.mark.parametrize(
    "item",
    [
        {},
        {"id": {"N": "1"}},
        {"id": {"S": ""}},
        {"id": {"S": "k"}, "a": {}},
        {"id": {"S": "k"}, "a": {"S": "x", "N": "1"}},
        {"id": {"S": "k"}, "a": {"X": "x"}},
        {"id": {"S": "k"}, "a": {"S": 1}},
        {"id": {"S": "k"}, "a": {"N": "one"}},
        {"id": {"S": "k"}, "a": {"N": "NaN"}},
        {"id": {"S": "k"}, "a": {"B": "%"}},
        {"id": {"S": "k"}, "a": {"SS": []}},
        {"id": {"S": "k"}, "a": {"S": "x" * 410_000}},
    ],
)
def test_an_item_that_dynamodb_would_not_store_is_refused_and_changes_nothing(item: Any) -> None:
    world = World()
    with pytest.raises(ServiceError):
        world.table.put(item, START)
    assert world.table.items == {}
    assert world.records() == []


def test_nesting_ends_at_thirty_two() -> None:
    value: dict[str, Any] = {"S": "deep"}
    for _ in range(32):
        value = {"M": {"x": value}}
    assert attributes_size({"a": value}) > 0
    with pytest.raises(ServiceError, match="Nesting"):
        attributes_size({"a": {"L": [value]}})


def test_sizes_follow_dynamodbs_rule() -> None:
    assert attributes_size({"ü": {"S": "ü"}}) == 4
    assert attributes_size({"b": {"B": "YWJj"}}) == 4
    assert attributes_size({"m": {"M": {"x": {"BOOL": True}}}}) == 1 + 3 + 1 + 2
    assert attributes_size({"l": {"L": [{"NULL": True}]}}) == 1 + 3 + 1 + 1
    assert attributes_size({"s": {"SS": ["a", "bc"]}}) == 4


def test_a_key_has_exactly_the_attributes_of_the_schema() -> None:
    with pytest.raises(ServiceError, match="does not match the schema"):
        World().table.delete(OLD, START)


@pytest.mark.parametrize(("resolution", "floored"), [(1, START + 119), (60, START + 60)])
def test_times_are_floored_to_the_second_or_as_by_dynamodb_local_to_the_minute(
    resolution: int, floored: float
) -> None:
    world = World(options=Options(time_resolution=resolution))
    world.table.put(OLD, START + 119.9)
    (record,) = world.records()
    assert record["dynamodb"]["ApproximateCreationDateTime"] == floored


@pytest.mark.parametrize(
    ("lower_case", "names"), [(False, {"PrincipalId", "Type"}), (True, {"principalId", "type"})]
)
def test_the_identity_of_an_expiry_is_written_one_way_or_the_other(
    lower_case: bool, names: set[str]
) -> None:
    world = World(options=Options(lower_case_identity=lower_case))
    world.table.put(OLD, START)
    world.table.delete(KEY, START, ttl=True)
    assert world.records()[1]["userIdentity"].keys() == names
