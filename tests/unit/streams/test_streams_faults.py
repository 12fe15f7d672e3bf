from __future__ import annotations

import json
from random import Random
from typing import TYPE_CHECKING

import pytest

from localdev.streams.errors import ErrorCode, ServiceError
from localdev.streams.http.dispatch import STREAMS_TARGET, Dispatch
from localdev.streams.http.fault import Fault, FaultKind, Faults
from localdev.streams.http.reply import Reply, planned_error, with_spaces
from localdev.streams.http.tables_api import TablesApi
from localdev.streams.http.update_expression import read_update
from tests.unit.streams.streams_world import START, World

if TYPE_CHECKING:
    from localdev.streams.model.attribute import Attributes


def test_a_fault_hits_its_operation_and_shard_only_as_often_as_asked() -> None:
    faults = Faults(Random(0).random)
    faults.waiting.append(Fault(FaultKind.THROTTLE, "GetRecords", "s1", skip=1, count=2))
    assert faults.draw("GetShardIterator", "s1") is None
    assert faults.draw("GetRecords", "s2") is None
    hits = [faults.draw("GetRecords", "s1") is not None for _ in range(5)]
    assert hits == [False, True, True, False, False]
    assert faults.waiting == []


def test_a_fault_of_no_calls_hits_none() -> None:
    faults = Faults(Random(0).random, [Fault(FaultKind.THROTTLE, count=0)])
    assert [faults.draw("GetRecords", None) for _ in range(3)] == [None] * 3


def test_faults_are_a_queue() -> None:
    kinds = [FaultKind.RESET, FaultKind.SLOW, FaultKind.CUT]
    faults = Faults(Random(0).random, [Fault(kind, "*") for kind in kinds])
    drawn = [faults.draw("ListStreams", None) for _ in range(4)]
    assert [fault.kind if fault else None for fault in drawn] == [*kinds, None]


def test_a_rate_hits_that_part_of_the_calls_until_cleared() -> None:
    faults = Faults(Random(0).random, [Fault(FaultKind.THROTTLE, count=None, probability=0.25)])
    hits = sum(faults.draw("GetRecords", None) is not None for _ in range(4000))
    assert 900 < hits < 1100
    assert len(faults.waiting) == 1


def dispatch(world: World, *faults: Fault) -> Dispatch:
    return Dispatch(world.model, TablesApi(), Faults(Random(0).random, list(faults)))


def get_records(server: Dispatch, iterator: str, **members: object) -> Reply:
    body = json.dumps({"ShardIterator": iterator, **members}).encode()
    return server.call(f"{STREAMS_TARGET}.GetRecords", body, START)


@pytest.mark.parametrize(
    ("kind", "code", "status"),
    [
        (FaultKind.THROTTLE, "ThrottlingException", 400),
        (FaultKind.LIMIT_EXCEEDED, "LimitExceededException", 400),
        (FaultKind.SERVER_ERROR, "InternalServerError", 500),
        (FaultKind.EXPIRED, "ExpiredIteratorException", 400),
        (FaultKind.TRIMMED, "TrimmedDataAccessException", 400),
        (FaultKind.NOT_FOUND, "ResourceNotFoundException", 400),
        (FaultKind.VALIDATION, "ValidationException", 400),
        (FaultKind.EXPIRED_CREDENTIALS, "ExpiredTokenException", 400),
    ],
)
def test_a_planned_error_looks_like_the_services(kind: FaultKind, code: str, status: int) -> None:
    world = World()
    server = dispatch(world, Fault(kind))
    reply = get_records(server, world.iterator())
    assert reply.status == status
    assert json.loads(reply.body)["__type"] == f"{ErrorCode(code).namespace}#{code}"
    assert get_records(server, world.iterator()).status == 200
    assert server.calls.facts() == {
        "operations": {"GetRecords": 2},
        "errors": {code: 1},
        "get_records": {world.shard.shard_id: 2},
        "faults": {kind: 1},
    }


def test_every_fault_is_an_error_or_a_damage() -> None:
    assert sum(planned_error(kind) is None for kind in FaultKind) == 8


def test_a_hollow_answer_is_whole_json_without_what_was_asked_for() -> None:
    world = World()
    reply = get_records(dispatch(world, Fault(FaultKind.HOLLOW)), world.iterator())
    assert (reply.status, reply.body) == (200, b"{}")


def test_a_trim_comes_just_before_the_read_and_is_real() -> None:
    world = World()
    world.put(1)
    world.put(2)
    server = dispatch(world, Fault(FaultKind.TRIM))
    reply = get_records(server, world.iterator())
    assert b"#TrimmedDataAccessException" in reply.body
    assert world.shard.trimmed == 1
    assert len(json.loads(get_records(server, world.iterator()).body)["Records"]) == 1


def test_an_errors_message_can_be_long() -> None:
    world = World()
    server = dispatch(world, Fault(FaultKind.THROTTLE, padding=5000))
    assert len(get_records(server, world.iterator()).body) > 5000


def test_an_empty_page_is_at_the_same_position() -> None:
    world = World()
    world.put(1)
    server = dispatch(world, Fault(FaultKind.EMPTY))
    page = json.loads(get_records(server, world.iterator()).body)
    assert page["Records"] == []
    assert len(json.loads(get_records(server, page["NextShardIterator"]).body)["Records"]) == 1


def test_a_page_is_one_json_object_with_and_without_an_iterator() -> None:
    world = World()
    world.put(1)
    world.put(2)
    iterator = world.iterator()
    server = dispatch(world)
    page = json.loads(get_records(server, iterator, Limit=1).body)
    assert page.keys() == {"Records", "NextShardIterator"}
    world.stream.replace(world.shard.shard_id, START, 1)
    last = json.loads(get_records(server, iterator).body)
    assert last.keys() == {"Records"}
    assert [record["eventName"] for record in last["Records"]] == ["INSERT", "MODIFY"]


@pytest.mark.parametrize(
    ("target", "body", "code"),
    [
        ("DynamoDB_20120810.ListTables", b"{}", ErrorCode.UNKNOWN_OPERATION),
        ("", b"{}", ErrorCode.UNKNOWN_OPERATION),
        (f"{STREAMS_TARGET}.PutItem", b"{}", ErrorCode.UNKNOWN_OPERATION),
        (f"{STREAMS_TARGET}.GetRecords", b"[]", ErrorCode.SERIALIZATION),
        (f"{STREAMS_TARGET}.GetRecords", b"{", ErrorCode.SERIALIZATION),
        (f"{STREAMS_TARGET}.GetRecords", b"{}", ErrorCode.VALIDATION),
        (f"{STREAMS_TARGET}.GetRecords", b'{"ShardIterator":""}', ErrorCode.VALIDATION),
        (f"{STREAMS_TARGET}.GetRecords", b'{"ShardIterator":1}', ErrorCode.VALIDATION),
        (f"{STREAMS_TARGET}.ListStreams", b'{"Limit":0}', ErrorCode.VALIDATION),
        (f"{STREAMS_TARGET}.ListStreams", b'{"Limit":true}', ErrorCode.VALIDATION),
        (f"{STREAMS_TARGET}.DescribeStream", b'{"StreamArn":"none"}', ErrorCode.RESOURCE_NOT_FOUND),
        ("DynamoDB_20120810.PutItem", b'{"Expected":{}}', ErrorCode.VALIDATION),
        ("DynamoDB_20120810.BatchWriteItem", b'{"RequestItems":{}}', ErrorCode.VALIDATION),
    ],
)
def test_a_request_that_makes_no_sense_says_so(target: str, body: bytes, code: ErrorCode) -> None:
    reply = dispatch(World()).call(target, body, START)
    assert reply.status == 400
    error = json.loads(reply.body)
    assert error["__type"] == f"{code.namespace}#{code}"
    assert error["message"]


@pytest.mark.parametrize(("limit", "status"), [(1000, 200), (1001, 400), (0, 400)])
def test_a_limit_beyond_a_thousand_is_refused(limit: int, status: int) -> None:
    world = World()
    assert get_records(dispatch(world), world.iterator(), Limit=limit).status == status


@pytest.mark.parametrize("number", ["1", "1" * 20, "1" * 41, "x" * 21, "\u0661" * 21])
def test_a_sequence_number_has_21_to_40_digits(number: str) -> None:
    world = World()
    asked = {
        "StreamArn": world.stream.arn,
        "ShardId": world.shard.shard_id,
        "ShardIteratorType": "AT_SEQUENCE_NUMBER",
        "SequenceNumber": number,
    }
    target = f"{STREAMS_TARGET}.GetShardIterator"
    reply = dispatch(world).call(target, json.dumps(asked).encode(), START)
    error = json.loads(reply.body)
    assert error["__type"].endswith("#ValidationException")
    assert "21 to 40 digits" in error["message"]


def test_spaces_are_what_python_writes() -> None:
    assert with_spaces('{"a":["ü",1]}'.encode()) == b'{"a": ["\\u00fc", 1]}'


def test_an_update_expression_sets_and_removes_whole_attributes() -> None:
    names = {"#a": "a"}
    values: Attributes = {":x": {"S": "x"}, ":y": {"S": "y"}}
    assert read_update("SET #a = :x, b=:y REMOVE c, d", names, values) == (
        {"a": {"S": "x"}, "b": {"S": "y"}},
        frozenset({"c", "d"}),
    )
    assert read_update("remove c set b = :x", names, values) == (
        {"b": {"S": "x"}},
        frozenset({"c"}),
    )


@pytest.mark.parametrize(
    "expression",
    ["", "SET", "SET a = b", "SET a = a + :x", "SET a.b = :x", "ADD a :x", "SET a = :x ADD b :x",
     "SET a = :none", "REMOVE #none", "SET a = if_not_exists(a, :x)", "REMOVE a[0]"],
)  # fmt: skip
def test_any_other_update_expression_is_refused(expression: str) -> None:
    with pytest.raises(ServiceError):
        read_update(expression, {}, {":x": {"S": "x"}})
