"""Rows of the lease table that another hand has damaged or made: each costs that row only."""

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
from msgspec.structs import replace
from structlog.testing import capture_logs

from consumer.adapters.aws.aws import Aws
from consumer.adapters.lease_table.lease_table import LeaseTable
from consumer.core.lasting import REMIND_SECONDS
from consumer.core.leases.checkpoint import UNREADABLE
from consumer.core.leases.command import Action, Command
from consumer.core.leases.lease import Gap, Lease, LeaseWrite, StreamRow
from consumer.errors import LeaseConflict
from tests.unit.adapters.aws_environment import point_at
from tests.unit.adapters.test_lease_rows import (
    GAP_ITEM,
    LEASE_ITEM,
    STREAM_ITEM,
    WORKER_ITEM,
    keyed,
)
from tests.unit.adapters.test_lease_table import answer, refusal
from tests.wire import Request, Say, Wire

LABEL = "2026-11-01T00:00:00.000"
KEY = f"orders/{LABEL}"
COMMAND_ITEM = {
    "action": {"S": "seek"},
    "shards": {"L": [{"S": "shard"}]},
    "target": {"S": "12"},
    "issuedAt": {"N": "1.5"},
}
MINE = Lease("shard", None, owner="me", counter=3, checkpoint="12")
Item = dict[str, Any]
Damage = tuple[str, dict[str, Any] | None]

MISTYPED: dict[str, Any] = {"NULL": True}
NOT_COUNTS = [
    {"N": "²"},
    {"N": "١٢"},
    {"N": "1_0"},
    {"N": " 1"},
    {"N": "-1"},
    {"N": "1.5"},
    {"S": "1"},
]
NOT_TIMES = [{"N": "²"}, {"N": "nan"}, {"N": "1e999"}, {"N": "1_0"}, {"S": "1.5"}, {"N": ""}]
NOT_TEXTS = [{"S": ""}, {"N": "1"}, MISTYPED]
NOT_CHECKPOINTS = [
    {"S": "1²"},
    {"S": "١٢"},
    {"S": ""},
    {"S": "-1"},
    {"S": "9" * 41},
    {"S": "shard_end"},
]

LEASES: list[Damage] = [
    ("checkpoint", None),
    *(("checkpoint", found) for found in [*NOT_CHECKPOINTS, {"N": "12"}]),
    ("leaseCounter", None),
    *(("leaseCounter", found) for found in NOT_COUNTS),
    *(("leaseOwner", found) for found in NOT_TEXTS),
    *(("parentShardId", found) for found in NOT_TEXTS),
    *(("createdAt", found) for found in NOT_TIMES),
    ("recordAt", MISTYPED),
    ("parentGone", {"S": "true"}),
    ("paused", {"N": "1"}),
    ("ownerSwitches", {"N": "²"}),
    ("commandCounter", {"N": "1.5"}),
]
WORKERS: list[Damage] = [
    ("heartbeat", None),
    *(("heartbeat", found) for found in NOT_COUNTS),
    ("streams", {"S": KEY}),
    ("streams", {"L": [{"N": "1"}]}),
    ("seenAt", {"N": "nan"}),
    ("able", {"S": "true"}),
]
STREAMS: list[Damage] = [
    ("streamArn", None),
    ("sweep", None),
    ("sweep", {"M": {"n": {"N": "²"}, "done": {"N": "1"}}}),
    ("sweep", {"L": []}),
    ("fingerprint", None),
    ("startedAt", {"N": "soon"}),
    ("schemaVersion", {"N": "١٢"}),
    ("after", {"S": ""}),
]
GAPS: list[Damage] = [
    ("from", None),
    ("from", {"S": "1²"}),
    ("to", {"S": "1²"}),
    ("reason", {"S": ""}),
    ("detectedAt", {"N": "nan"}),
]
COMMANDS: list[Damage] = [
    ("action", None),
    ("action", {"S": "stop"}),
    ("shards", None),
    ("shards", {"S": "shard"}),
    ("target", None),
    ("target", {"S": "1²"}),
    ("target", {"S": "2026-11-01T00:00:00"}),
    ("issuedAt", {"N": "now"}),
]


class Hands:
    """A clock that goes when it is told to."""

    seconds = 0.0

    def now(self) -> float:
        return self.seconds

    def wall(self) -> float:
        return self.seconds

    async def sleep(self, seconds: float) -> None:
        self.seconds += seconds


@pytest.fixture
def clock() -> Hands:
    return Hands()


@pytest.fixture
async def table(line: Wire, use_aws: pytest.MonkeyPatch, clock: Hands) -> AsyncIterator[LeaseTable]:
    point_at(use_aws, line.url)
    async with Aws() as aws:
        dynamodb = await aws.dynamodb(2)
        yield LeaseTable(dynamodb, clock, table="t", application="app", request_seconds=5.0)


def damaged(item: Item, damage: Damage) -> Item:
    name, found = damage
    rest = {key: value for key, value in item.items() if key != name}
    return rest if found is None else {**rest, name: found}


def named(logs: list[Any]) -> list[tuple[str, str]]:
    assert {entry["event"] for entry in logs} <= {"row_unreadable"}
    return [(entry["row"], entry["attribute"]) for entry in logs]


@pytest.mark.parametrize("damage", LEASES)
async def test_a_lease_that_cannot_be_read_stays_and_the_others_are_read(
    line: Wire, table: LeaseTable, damage: Damage
) -> None:
    bad = keyed(f"lease/{KEY}/bad", damaged(LEASE_ITEM, damage))
    line.say(answer(Items=[bad, keyed(f"lease/{KEY}/good", LEASE_ITEM)]))
    with capture_logs() as logs:
        found, good = await table.read_leases(KEY)
    assert (found.shard_id, found.unreadable, found.checkpoint) == ("bad", damage[0], UNREADABLE)
    assert not found.finished
    assert (good.shard_id, good.unreadable, good.checkpoint) == ("good", None, "12")
    assert named(logs) == [(f"lease/{KEY}/bad", damage[0])]


@pytest.mark.parametrize("damage", LEASES)
@pytest.mark.parametrize("told", [True, False], ids=["old item", "read after"])
async def test_a_write_refused_by_such_a_row_has_lost_the_lease(
    line: Wire, table: LeaseTable, damage: Damage, told: bool
) -> None:
    bad = keyed(f"lease/{KEY}/shard", damaged(LEASE_ITEM, damage))

    def reply(request: Request) -> Say:
        if request.headers["x-amz-target"].endswith("GetItem"):
            return answer(Item=bad)
        if told:
            return refusal("ConditionalCheckFailedException", Item=bad)
        return refusal("ConditionalCheckFailedException")

    line.answer = reply
    with pytest.raises(LeaseConflict) as conflict:
        await table.write_lease(KEY, LeaseWrite(MINE, replace(MINE, checkpoint="13")))
    assert conflict.value.current is not None
    assert conflict.value.current.unreadable == damage[0]


async def test_a_write_that_leaves_such_a_row_has_lost_the_lease(
    line: Wire, table: LeaseTable
) -> None:
    line.say(
        answer(Attributes=keyed(f"lease/{KEY}/shard", damaged(LEASE_ITEM, ("checkpoint", None))))
    )
    with pytest.raises(LeaseConflict, match="cannot be read"):
        await table.write_lease(KEY, LeaseWrite(MINE, MINE, keeps_checkpoint=True))


@pytest.mark.parametrize("damage", WORKERS)
async def test_a_worker_row_that_cannot_be_read_is_marked(
    line: Wire, table: LeaseTable, damage: Damage
) -> None:
    bad = keyed("worker/bad", damaged(WORKER_ITEM, damage))
    later = keyed("worker/bad", damaged({**WORKER_ITEM, "seenAt": {"N": "9"}}, damage))
    good = keyed("worker/good", WORKER_ITEM)
    line.say(answer(Items=[bad, good]), answer(Items=[bad, good]), answer(Items=[later, good]))
    with capture_logs() as logs:
        reads = [(await table.read_peers())[0] for _ in range(3)]
    assert [[worker.unreadable for worker in read] for read in reads] == [[damage[0], None]] * 3
    beats = [read[0].heartbeat for read in reads]
    assert beats[0] == beats[1], "nothing of the row has changed"
    assert (beats[1] != beats[2]) == (damage[0] != "seenAt"), "a change is a sign of life"
    assert named(logs) == [("worker/bad", damage[0])]


async def test_a_note_among_the_workers_is_no_peer(line: Wire, table: LeaseTable) -> None:
    line.say(
        answer(Items=[keyed("worker/note", {"text": {"S": "x"}}), keyed("worker/", WORKER_ITEM)])
    )
    with capture_logs() as logs:
        workers, _ = await table.read_peers()
    assert [worker.unreadable for worker in workers] == ["heartbeat", "key"]
    assert len(logs) == 2


@pytest.mark.parametrize("damage", STREAMS)
async def test_a_stream_row_that_cannot_be_read_stays(
    line: Wire, table: LeaseTable, damage: Damage
) -> None:
    bad = keyed(f"stream/{KEY}", damaged(STREAM_ITEM, damage))
    good = keyed("stream/t/l", STREAM_ITEM)
    line.say(answer(Items=[bad, good]), refusal("ConditionalCheckFailedException", Item=bad))
    with capture_logs() as logs:
        _, streams = await table.read_peers()
        row = StreamRow("arn", "orders", LABEL, None, "LATEST", None, False, 0, 0, 0, "print")
        there = await table.create_stream(row)
    assert [stream.unreadable for stream in streams] == [damage[0], None]
    assert (there.key, there.unreadable) == (KEY, damage[0]), "it is not created anew"
    assert named(logs) == [(f"stream/{KEY}", damage[0])]


async def test_a_row_without_a_label_is_no_stream(line: Wire, table: LeaseTable) -> None:
    notes = [keyed("stream/orders/note", {}), keyed("stream/orders", STREAM_ITEM)]
    line.say(answer(Items=[*notes[:1], keyed(f"stream/{KEY}", STREAM_ITEM)]))
    with capture_logs() as logs:
        _, streams = await table.read_peers()
    assert [stream.key for stream in streams] == [KEY]
    assert named(logs) == [("stream/orders/note", "key")]


async def test_a_sweep_that_meets_such_a_row_is_lost(line: Wire, table: LeaseTable) -> None:
    row = StreamRow("arn", "orders", LABEL, None, "LATEST", None, False, 0, 0, 0, "print")
    after = keyed(f"stream/{KEY}", damaged(STREAM_ITEM, ("streamArn", None)))
    line.say(answer(Attributes=after))
    assert await table.replace_stream(row, replace(row, sweep_n=1)) is None


@pytest.mark.parametrize("damage", GAPS)
async def test_a_gap_row_that_cannot_be_read_is_left_out(
    line: Wire, table: LeaseTable, damage: Damage
) -> None:
    bad = keyed(f"gap/{KEY}/shard/11", damaged(GAP_ITEM, damage))
    line.say(answer(Items=[bad, keyed(f"gap/{KEY}/shard/12", GAP_ITEM)]))
    with capture_logs() as logs:
        gaps = await table.read_gaps(KEY)
    assert [gap.shard_id for gap in gaps] == ["shard"]
    assert named(logs) == [(f"gap/{KEY}/shard/11", damage[0])]


async def test_a_loss_writes_such_a_gap_row_anew(line: Wire, table: LeaseTable) -> None:
    bad = keyed(f"gap/{KEY}/shard/12", damaged(GAP_ITEM, ("reason", None)))
    again = answer(Attributes=keyed(f"gap/{KEY}/shard/12", GAP_ITEM))
    refused = refusal("ConditionalCheckFailedException", Item=bad)
    line.say(refused, refused, again)
    assert not await table.put_gap(KEY, Gap("shard", "12", None, "trimmed", 2.0))
    update = json.loads(line.requests[-1].body)
    assert {"#from", "#reason", "#detectedAt"} <= update["ExpressionAttributeNames"].keys()


@pytest.mark.parametrize("damage", COMMANDS)
async def test_a_command_that_cannot_be_read_is_passed_over(
    line: Wire, table: LeaseTable, damage: Damage
) -> None:
    bad = keyed(f"command/{KEY}/0000000001", damaged(COMMAND_ITEM, damage))
    line.say(answer(Items=[bad, keyed(f"command/{KEY}/0000000002", COMMAND_ITEM)]))
    with capture_logs() as logs:
        commands = await table.read_commands(KEY, 0)
    assert commands == [Command(2, Action.SEEK, ("shard",), "12", 1.5, "", "")]
    assert named(logs) == [(f"command/{KEY}/0000000001", damage[0])]


@pytest.mark.parametrize(
    "key", [f"command/{KEY}/²", f"command/{KEY}/1", f"gap/{KEY}", f"gap/{KEY}/x"]
)
async def test_a_key_of_another_form_is_named(line: Wire, table: LeaseTable, key: str) -> None:
    line.say(answer(Items=[keyed(key, {**COMMAND_ITEM, **GAP_ITEM})]))
    with capture_logs() as logs:
        read = table.read_gaps(KEY) if key.startswith("gap") else table.read_commands(KEY, 0)
        assert list(await read) == []
    assert named(logs) == [(key, "key")]


async def test_a_lease_key_without_a_shard_is_named(line: Wire, table: LeaseTable) -> None:
    line.say(answer(Items=[keyed(f"lease/{KEY}/", LEASE_ITEM)]))
    (found,) = await table.read_leases(KEY)
    assert found.unreadable == "key"


async def test_a_row_is_named_again_only_now_and_then(
    line: Wire, table: LeaseTable, clock: Hands
) -> None:
    line.say(answer(Items=[keyed(f"lease/{KEY}/bad", {})]))
    with capture_logs() as logs:
        for clock.seconds in (0.0, 2.0, REMIND_SECONDS - 1.0, REMIND_SECONDS, REMIND_SECONDS + 2.0):
            await table.read_leases(KEY)
    assert len(logs) == 2
    line.say(answer(Items=[keyed(f"lease/{KEY}/bad", LEASE_ITEM)]))
    with capture_logs() as logs:
        await table.read_leases(KEY)
    (over,) = logs
    assert (over["event"], over["row"]) == ("condition_over", f"lease/{KEY}/bad")
    assert over["lasts_seconds"] == REMIND_SECONDS + 2.0
