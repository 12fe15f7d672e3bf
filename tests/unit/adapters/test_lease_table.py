"""The lease table when the wire or the backend misbehaves: what is definite and what is unknown."""

import json
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest
from msgspec.structs import replace

from consumer.adapters.aws.aws import Aws
from consumer.adapters.clock import SystemClock
from consumer.adapters.lease_table.lease_table import LeaseTable
from consumer.core.leases.lease import Gap, Lease, LeaseWrite, StreamRow, Worker
from consumer.errors import (
    LeaseConflict,
    LeaseTableGone,
    Misconfigured,
    Retryable,
    UnknownOutcome,
)
from tests.unit.adapters.aws_environment import point_at
from tests.unit.adapters.test_lease_rows import LEASE_ITEM, STREAM_ITEM, keyed
from tests.wire import Request, Say, Wire, http

WORKER = Worker("w", 1, 0, (), True, False, 1.0, 1.0, "h", "v")
STREAM = StreamRow("arn", "t", "l", None, "LATEST", None, False, 0, 0, 0, "print")
LEASE = Lease("shard", None)
MINE = replace(LEASE, owner="me", counter=1)
TAKE = LeaseWrite(LEASE, MINE, keeps_checkpoint=True)
GAP = Gap("shard", "1", "2", "trimmed", 1.0)

Call = Callable[[LeaseTable], Awaitable[object]]

WRITES: dict[str, Call] = {
    "put_worker": lambda table: table.put_worker(WORKER),
    "delete_worker": lambda table: table.delete_worker("w"),
    "create_stream": lambda table: table.create_stream(STREAM),
    "replace_stream": lambda table: table.replace_stream(STREAM, replace(STREAM, changes=1)),
    "create_lease": lambda table: table.create_lease("t/l", LEASE),
    "delete_lease": lambda table: table.delete_lease("t/l", LEASE),
    "write_lease": lambda table: table.write_lease("t/l", TAKE),
    "mark_parent_gone": lambda table: table.mark_parent_gone("t/l", "shard"),
    "put_gap": lambda table: table.put_gap("t/l", GAP),
    "complete_gap": lambda table: table.complete_gap("t/l", GAP),
    "mark_repaired": lambda table: table.mark_repaired("t/l", GAP),
}
READS: dict[str, Call] = {
    "read_peers": lambda table: table.read_peers(),
    "read_leases": lambda table: table.read_leases("t/l"),
    "read_gaps": lambda table: table.read_gaps("t/l"),
}


@pytest.fixture
async def table(line: Wire, use_aws: pytest.MonkeyPatch) -> AsyncIterator[LeaseTable]:
    point_at(use_aws, line.url)
    async with Aws() as aws:
        yield LeaseTable(
            await aws.dynamodb(2),
            SystemClock(),
            table="leases",
            application="app",
            request_seconds=0.1,  # of idle time (tests/idle_loop.py): "silence" waits all of it
        )


def refusal(code: str, status: str = "400 Bad Request", **members: object) -> Say:
    body = {"__type": f"com.amazonaws.dynamodb.v20120810#{code}", "message": "no", **members}
    return Say(http(json.dumps(body).encode(), status))


def answer(**members: object) -> Say:
    return Say(http(json.dumps(members).encode()))


FAULTS = [
    pytest.param(Say(b"", "close"), "reset", id="closed"),
    pytest.param(Say(http(b'{"Items":', length=400), "close"), "truncated", id="cut"),
    pytest.param(Say(http(b'{"Items":')), "truncated", id="half a body of the right length"),
    pytest.param(Say(http(b"")), "truncated", id="empty"),
    pytest.param(Say(http(b"{}", "200 OK", "x-amz-crc32: 1")), "truncated", id="wrong crc"),
    pytest.param(Say(b"", "hang"), "timeout", id="silence"),
    pytest.param(refusal("InternalServerError", "500 Oops"), "server_error", id="500"),
    pytest.param(Say(http(b"<html>", "502 Bad")), "server_error", id="502"),
    pytest.param(refusal("ProvisionedThroughputExceededException"), "throttled", id="throttled"),
    pytest.param(refusal("AccessDeniedException"), "access_denied", id="denied"),
]


@pytest.mark.parametrize(("fault", "reason"), FAULTS)
async def test_a_write_without_a_definite_answer_is_unknown(
    line: Wire, table: LeaseTable, fault: Say, reason: str
) -> None:
    line.say(fault)
    for name, write in WRITES.items():
        line.requests.clear()
        with pytest.raises(UnknownOutcome) as failure:
            await write(table)
        assert (name, failure.value.reason) == (name, reason)
        assert len(line.requests) == 1, "nothing is repeated behind the writer's back"


@pytest.mark.parametrize(("fault", "reason"), FAULTS)
async def test_a_read_that_fails_is_retryable(
    line: Wire, table: LeaseTable, fault: Say, reason: str
) -> None:
    line.say(fault)
    for name, read in READS.items():
        with pytest.raises(Retryable) as failure:
            await read(table)
        assert type(failure.value) is Retryable
        assert (name, failure.value.reason) == (name, reason)


async def test_that_there_is_no_table_is_definite_and_says_which(
    line: Wire, table: LeaseTable
) -> None:
    line.say(refusal("ResourceNotFoundException"))
    for name, call in (READS | WRITES).items():
        line.requests.clear()
        with pytest.raises(LeaseTableGone) as failure:
            await call(table)
        assert (name, failure.value.reason) == (name, "lease_table_gone")
        assert "no table 'leases': ResourceNotFoundException: no" in str(failure.value)
        assert len(line.requests) == 1


async def test_a_table_that_goes_between_a_refusal_and_the_look_at_the_row_is_gone(
    line: Wire, table: LeaseTable
) -> None:
    line.say(refusal("ConditionalCheckFailedException"), refusal("ResourceNotFoundException"))
    with pytest.raises(LeaseTableGone):
        await table.write_lease("t/l", TAKE)


async def test_an_answer_without_items_is_not_an_empty_table(line: Wire, table: LeaseTable) -> None:
    line.say(answer(Count=0))
    for read in READS.values():
        with pytest.raises(Retryable):
            await read(table)


async def test_reads_are_strongly_consistent_and_peers_take_one_query(
    line: Wire, table: LeaseTable
) -> None:
    line.say(answer(Items=[], Count=0))
    for read in READS.values():
        await read(table)
    bodies = [json.loads(request.body) for request in line.requests]
    assert [body["ConsistentRead"] for body in bodies] == [True] * 3


async def test_a_second_page_that_fails_fails_the_read(line: Wire, table: LeaseTable) -> None:
    first = answer(Items=[keyed("lease/t/l/shard", LEASE_ITEM)], LastEvaluatedKey=keyed("x", {}))
    line.say(first, Say(b"", "close"))
    with pytest.raises(Retryable):
        await table.read_leases("t/l")


async def test_a_done_write_without_its_new_row_is_unknown(line: Wire, table: LeaseTable) -> None:
    line.say(answer())
    with pytest.raises(UnknownOutcome):
        await table.write_lease("t/l", TAKE)


async def test_the_old_item_settles_a_refused_write(line: Wire, table: LeaseTable) -> None:
    old = keyed("lease/t/l/shard", LEASE_ITEM)
    line.say(refusal("ConditionalCheckFailedException", Item=old))
    with pytest.raises(LeaseConflict) as conflict:
        await table.write_lease("t/l", TAKE)
    assert conflict.value.current is not None
    assert conflict.value.current.owner == "me"
    assert len(line.requests) == 1


def without_old_item(found: Say) -> Callable[[Request], Say]:
    def reply(request: Request) -> Say:
        if request.headers["x-amz-target"].endswith("GetItem"):
            assert json.loads(request.body)["ConsistentRead"] is True
            return found
        return refusal("ConditionalCheckFailedException")

    return reply


async def test_without_an_old_item_a_read_settles_what_it_can(
    line: Wire, table: LeaseTable
) -> None:
    other = keyed("lease/t/l/shard", {**LEASE_ITEM, "leaseOwner": {"S": "other"}})
    line.answer = without_old_item(answer(Item=other))
    with pytest.raises(LeaseConflict) as conflict:
        await table.write_lease("t/l", TAKE)
    assert conflict.value.current is not None
    assert conflict.value.current.owner == "other"
    line.answer = without_old_item(answer())
    with pytest.raises(LeaseConflict) as conflict:
        await table.write_lease("t/l", TAKE)
    assert conflict.value.current is None


async def test_a_read_that_meets_the_condition_settles_nothing(
    line: Wire, table: LeaseTable
) -> None:
    as_expected = {"leaseCounter": {"N": "0"}, "checkpoint": {"S": "TRIM_HORIZON"}}
    line.answer = without_old_item(answer(Item=keyed("lease/t/l/shard", as_expected)))
    with pytest.raises(UnknownOutcome):
        await table.write_lease("t/l", TAKE)
    moved = {**as_expected, "checkpoint": {"S": "9"}}
    line.answer = without_old_item(answer(Item=keyed("lease/t/l/shard", moved)))
    with pytest.raises(UnknownOutcome):  # a take does not mind the checkpoint
        await table.write_lease("t/l", TAKE)
    with pytest.raises(LeaseConflict):
        await table.write_lease("t/l", replace(TAKE, keeps_checkpoint=False))


async def test_a_read_after_a_refusal_that_fails_leaves_the_write_unknown(
    line: Wire, table: LeaseTable
) -> None:
    line.answer = without_old_item(Say(b"", "close"))
    with pytest.raises(UnknownOutcome):
        await table.write_lease("t/l", TAKE)


async def test_an_existing_stream_row_is_read_where_no_old_item_comes(
    line: Wire, table: LeaseTable
) -> None:
    line.answer = without_old_item(answer(Item=keyed("stream/t/l", STREAM_ITEM)))
    assert (await table.create_stream(STREAM)).sweep_n == 3
    line.answer = without_old_item(answer())
    with pytest.raises(UnknownOutcome):
        await table.create_stream(STREAM)


async def test_raises_of_changes_add_up(line: Wire, table: LeaseTable) -> None:
    line.say(answer(Attributes=keyed("stream/t/l", STREAM_ITEM)))
    await table.replace_stream(STREAM, replace(STREAM, changes=2, sweep_n=1))
    body = json.loads(line.requests[0].body)
    assert "ADD #changes :" in body["UpdateExpression"]
    placeholder = body["UpdateExpression"].split("ADD #changes ")[1]
    assert body["ExpressionAttributeValues"][placeholder] == {"N": "2"}


async def test_a_missing_table_is_named(line: Wire, table: LeaseTable) -> None:
    line.say(refusal("ResourceNotFoundException"))
    with pytest.raises(Misconfigured, match="CONSUMER_LEASE_TABLE: no table 'leases'"):
        await table.ensure_table(create=False)


async def test_a_table_with_another_key_is_named(line: Wire, table: LeaseTable) -> None:
    line.say(refusal("ValidationException"))
    with pytest.raises(Misconfigured, match=r"application \(S\) and key \(S\)"):
        await table.ensure_table(create=True)


async def test_a_table_that_cannot_be_asked_is_asked_again(line: Wire, table: LeaseTable) -> None:
    line.say(refusal("AccessDeniedException"))
    with pytest.raises(Retryable) as failure:
        await table.ensure_table(create=True)
    assert failure.value.reason == "access_denied"


class Creation:
    """A backend on which a table takes two looks to become ACTIVE."""

    def __init__(self, refused: str | None = None, ttl: str | None = None) -> None:
        self.refused, self.ttl = refused, ttl
        self.calls: list[str] = []

    def __call__(self, request: Request) -> Say:
        call = request.headers["x-amz-target"].split(".")[1]
        self.calls.append(call)
        match call:
            case "GetItem":
                return answer() if "CreateTable" in self.calls else refusal(NOT_FOUND)
            case "CreateTable":
                return refusal(self.refused) if self.refused else answer(TableDescription={})
            case "DescribeTable":
                ready = self.calls.count("DescribeTable") == 2
                return answer(Table={"TableStatus": "ACTIVE" if ready else "CREATING"})
            case _:
                return refusal(self.ttl) if self.ttl else answer(TimeToLiveSpecification={})


NOT_FOUND = "ResourceNotFoundException"
LOOKS = ["GetItem", "CreateTable", "DescribeTable", "DescribeTable"]


@pytest.mark.parametrize("ttl", [None, "AccessDeniedException", "ValidationException"])
async def test_a_table_is_made_and_waited_for(
    line: Wire, table: LeaseTable, ttl: str | None
) -> None:
    line.answer = backend = Creation(ttl=ttl)
    await table.ensure_table(create=True)
    assert backend.calls == [*LOOKS, "UpdateTimeToLive", "GetItem"]
    create = json.loads(line.requests[1].body)
    assert create["BillingMode"] == "PAY_PER_REQUEST"
    assert [key["AttributeName"] for key in create["KeySchema"]] == ["application", "key"]
    ttl_of = json.loads(line.requests[4].body)["TimeToLiveSpecification"]
    assert ttl_of == {"Enabled": True, "AttributeName": "expiresAt"}


async def test_a_table_that_somebody_else_makes_is_waited_for(
    line: Wire, table: LeaseTable
) -> None:
    line.answer = backend = Creation(refused="ResourceInUseException")
    await table.ensure_table(create=True)
    assert backend.calls == [*LOOKS, "GetItem"]


async def test_a_name_that_no_table_can_have_is_a_misconfiguration(
    line: Wire, table: LeaseTable
) -> None:
    line.answer = Creation(refused="ValidationException")
    with pytest.raises(Misconfigured, match="CONSUMER_LEASE_TABLE"):
        await table.ensure_table(create=True)
