"""What every LeaseStore does: real DynamoDB APIs, and the twins that tests trust."""

import asyncio
import uuid
from collections.abc import AsyncIterator
from typing import Any

import pytest
from msgspec.structs import replace

from consumer.core.leases.checkpoint import LATEST, SHARD_END, TRIM_HORIZON
from consumer.core.leases.command import Action, Command
from consumer.core.leases.lease import Gap, Lease, LeaseWrite, StreamRow, Worker
from consumer.core.leases.mark import Ahead, Mark
from consumer.core.leases.worker_report import WorkerReport
from consumer.errors import LeaseConflict, Retryable
from consumer.ports import LeaseStore
from tests.conformance.ports.lease_stores import in_memory, in_simulation, on_server

KEY = "orders/2026-11-01T00:00:00.000"
SHARD = "shardId-00000001700000000000-abcdef01"

WORKER = Worker(
    worker_id="host-1/abc",
    heartbeat=7,
    changes=2,
    streams=(KEY, "other/label"),
    able=True,
    draining=False,
    seen_at=4102444800.123456,  # in 2100: DynamoDB Local removes rows that have expired
    started_at=1793525000.5,
    host="host-1",
    version="1.2.3",
    lease_duration=60.5,
    heartbeat_interval=15.0,
)
STREAM = StreamRow(
    arn=f"arn:aws:dynamodb:eu-central-1:1:table/orders/stream/{KEY.split('/')[1]}",
    table="orders",
    label=KEY.split("/")[1],
    after=None,
    start_position="TRIM_HORIZON",
    started_at=None,
    bootstrapped=False,
    sweep_n=0,
    sweep_done=0,
    changes=0,
    fingerprint='{"event_type": "order-store.payment"}',
)
LEASE = Lease(SHARD, "shardId-parent", created_at=1793525400.25)
TAKEN = replace(LEASE, owner="a", counter=1, owner_switches=1)
FULL = Lease(
    shard_id=SHARD,
    parent_shard_id="shardId-parent",
    owner="a",
    counter=12,
    checkpoint="400000000000000499660041",
    parent_gone=True,
    created_at=1793525400.1,
    record_at=1793525400.2,
    caught_up_at=1793525400.3,
    released_at=1793525400.4,
    start_iterator="arn|1|AAA=" * 50,
    owner_switches=3,
)
PAUSE = Command(1, Action.PAUSE, None, None, 1793525400.5, "me@desk", "", "deploy")
SEEK = Command(2, Action.SEEK, (SHARD, "b"), "LATEST", 1793525401.5, "me@desk", "")
GAP = Gap(SHARD, "400000000000000499660041", None, "trimmed", 1793525400.5, from_time=1793439000.25)


def fresh(command: Command) -> Command:
    """Tokens are one server's, whatever the application."""
    return replace(command, token=uuid.uuid4().hex)


@pytest.fixture(params=["twin", "simulation", "ministack", "dynamodb_local_server"])
async def store(
    request: pytest.FixtureRequest, use_aws: pytest.MonkeyPatch
) -> AsyncIterator[LeaseStore]:
    if request.param == "twin":
        async with in_memory() as twin:
            yield twin
    elif request.param == "simulation":
        with in_simulation() as simulation:
            yield simulation
    else:
        server = request.getfixturevalue(request.param)
        async with on_server(server.environment(), use_aws) as table:
            yield table


async def test_an_empty_table_reads_as_empty(store: LeaseStore) -> None:
    assert [list(rows) for rows in await store.read_peers()] == [[], []]
    assert list(await store.read_leases(KEY)) == []
    assert list(await store.read_gaps(KEY)) == []


async def test_a_worker_row_is_written_whole_and_deleted(store: LeaseStore) -> None:
    await store.put_worker(WORKER)
    changed = replace(WORKER, heartbeat=8, streams=(), able=False, draining=True)
    report = WorkerReport("stopped", "event type a.b: http_404", 1793525400.5, None, (f"{KEY}/s",))
    changed = replace(changed, report=report)
    other = replace(WORKER, worker_id="host-2/def")
    await store.put_worker(changed)
    await store.put_worker(other)
    workers, _ = await store.read_peers()
    assert sorted(workers, key=lambda worker: worker.worker_id) == [changed, other]
    await store.delete_worker(WORKER.worker_id)
    await store.delete_worker(WORKER.worker_id)
    assert list((await store.read_peers())[0]) == [other]


async def test_a_stream_row_is_created_once(store: LeaseStore) -> None:
    assert await store.create_stream(STREAM) == STREAM
    late = replace(STREAM, start_position="LATEST", started_at=1.5, after="older", sweep_n=9)
    assert await store.create_stream(late) == STREAM
    assert list((await store.read_peers())[1]) == [STREAM]


async def test_a_stream_row_of_all_fields_comes_back(store: LeaseStore) -> None:
    full = replace(STREAM, after="older", started_at=1793525400.75, bootstrapped=True, changes=4)
    await store.create_stream(full)
    assert list((await store.read_peers())[1]) == [full]


async def test_a_stream_row_is_replaced_if_it_is_as_expected(store: LeaseStore) -> None:
    await store.create_stream(STREAM)
    swept = replace(STREAM, sweep_n=1, changes=1)
    assert await store.replace_stream(STREAM, swept) == swept
    assert await store.replace_stream(STREAM, replace(STREAM, sweep_n=1)) is None
    done = replace(swept, sweep_done=1, bootstrapped=True, started_at=5.5, fingerprint="new")
    assert await store.replace_stream(swept, done) == done
    assert list((await store.read_peers())[1]) == [done]


async def test_a_stream_that_was_passed_by_stays_so(store: LeaseStore) -> None:
    await store.create_stream(STREAM)
    passed_by = replace(STREAM, sweep_n=1, sweep_done=1, passed_by="view_type")
    assert await store.replace_stream(STREAM, passed_by) == passed_by
    _, rows = await store.read_peers()
    assert [row.passed_by for row in rows] == ["view_type"]
    # Who does not know of it leaves it as it is.
    unaware = replace(passed_by, passed_by=None)
    assert await store.replace_stream(unaware, replace(unaware, sweep_n=2)) == replace(
        passed_by, sweep_n=2
    )


@pytest.mark.parametrize(
    "difference",
    [{"sweep_n": 5}, {"sweep_done": 5}, {"bootstrapped": True}, {"fingerprint": "other"}],
)
async def test_each_guard_of_a_stream_row_guards(
    store: LeaseStore, difference: dict[str, Any]
) -> None:
    await store.create_stream(STREAM)
    expected = replace(STREAM, **difference)
    assert await store.replace_stream(expected, replace(expected, changes=9)) is None
    assert list((await store.read_peers())[1]) == [STREAM]


async def test_replacing_an_absent_stream_row_fails(store: LeaseStore) -> None:
    assert await store.replace_stream(STREAM, replace(STREAM, changes=1)) is None
    assert list((await store.read_peers())[1]) == []


async def test_a_lease_is_created_once(store: LeaseStore) -> None:
    assert await store.create_lease(KEY, FULL) is True
    assert await store.create_lease(KEY, LEASE) is False
    assert list(await store.read_leases(KEY)) == [FULL]


async def test_leases_of_other_streams_are_not_seen(store: LeaseStore) -> None:
    await store.create_lease(KEY, LEASE)
    await store.create_lease(f"{KEY}x", FULL)
    assert list(await store.read_leases(KEY)) == [LEASE]
    assert list(await store.read_leases(f"{KEY}x")) == [FULL]


async def test_all_pages_of_the_leases_are_read(store: LeaseStore) -> None:
    # 400 rows of about 4 KB: more than the megabyte of one answer.
    rows = [replace(FULL, shard_id=f"shard-{n:04d}", start_iterator="i" * 4000) for n in range(400)]
    limit = asyncio.Semaphore(8)

    async def create(row: Lease) -> None:
        async with limit:
            assert await store.create_lease(KEY, row)

    async with asyncio.TaskGroup() as tasks:
        for row in rows:
            tasks.create_task(create(row))
    assert sorted(await store.read_leases(KEY), key=lambda lease: lease.shard_id) == rows


async def test_a_take_leaves_the_checkpoint_as_it_stands(store: LeaseStore) -> None:
    stands = replace(FULL, owner=None)
    await store.create_lease(KEY, stands)
    seen = replace(stands, checkpoint="7", record_at=None, caught_up_at=1.0)  # an old read
    taken = replace(seen, owner="me", counter=13, released_at=None, owner_switches=4)
    taken = replace(taken, checkpoint="8", record_at=2.0, caught_up_at=3.0)
    row = await store.write_lease(KEY, LeaseWrite(seen, taken, keeps_checkpoint=True))
    expected = replace(stands, owner="me", counter=13, released_at=None, owner_switches=4)
    assert row == expected
    assert list(await store.read_leases(KEY)) == [expected]


async def test_a_checkpoint_and_a_release(store: LeaseStore) -> None:
    await store.create_lease(KEY, TAKEN)
    advanced = replace(TAKEN, checkpoint="10", record_at=5.25, caught_up_at=6.5)
    assert await store.write_lease(KEY, LeaseWrite(TAKEN, advanced)) == advanced
    released = replace(
        advanced, owner=None, counter=2, checkpoint=SHARD_END, released_at=9.5, caught_up_at=None
    )
    assert await store.write_lease(KEY, LeaseWrite(advanced, released)) == released
    assert list(await store.read_leases(KEY)) == [released]


@pytest.mark.parametrize(
    "difference", [{"owner": "b"}, {"owner": None}, {"counter": 2}, {"checkpoint": "11"}]
)
async def test_each_part_of_the_condition_guards(
    store: LeaseStore, difference: dict[str, Any]
) -> None:
    await store.create_lease(KEY, TAKEN)
    expected = replace(TAKEN, **difference)
    with pytest.raises(LeaseConflict) as conflict:
        await store.write_lease(KEY, LeaseWrite(expected, replace(expected, checkpoint="99")))
    assert conflict.value.current == TAKEN
    assert list(await store.read_leases(KEY)) == [TAKEN]


@pytest.mark.parametrize("difference", [{"owner": "b"}, {"counter": 2}])
async def test_a_take_is_guarded_by_owner_and_counter(
    store: LeaseStore, difference: dict[str, Any]
) -> None:
    await store.create_lease(KEY, TAKEN)
    expected = replace(TAKEN, **difference)
    mine = replace(expected, owner="me", counter=expected.counter + 1)
    with pytest.raises(LeaseConflict) as conflict:
        await store.write_lease(KEY, LeaseWrite(expected, mine, keeps_checkpoint=True))
    assert conflict.value.current == TAKEN


async def test_a_write_of_an_absent_lease_conflicts_with_nothing(store: LeaseStore) -> None:
    with pytest.raises(LeaseConflict) as conflict:
        await store.write_lease(KEY, LeaseWrite(LEASE, TAKEN, keeps_checkpoint=True))
    assert conflict.value.current is None
    assert list(await store.read_leases(KEY)) == []


async def test_the_same_write_sent_twice_is_told_apart_by_the_old_item(store: LeaseStore) -> None:
    await store.create_lease(KEY, LEASE)
    write = LeaseWrite(LEASE, TAKEN, keeps_checkpoint=True)
    await store.write_lease(KEY, write)
    with pytest.raises(LeaseConflict) as conflict:
        await store.write_lease(KEY, write)
    assert conflict.value.current == TAKEN


async def test_of_many_takers_one_wins(store: LeaseStore) -> None:
    await store.create_lease(KEY, LEASE)
    won: list[str | None] = []
    lost: list[LeaseConflict] = []

    async def take(name: str) -> None:
        mine = replace(LEASE, owner=name, counter=1)
        try:
            won.append((await store.write_lease(KEY, LeaseWrite(LEASE, mine, True))).owner)
        except LeaseConflict as conflict:
            lost.append(conflict)

    async with asyncio.TaskGroup() as tasks:
        for number in range(8):
            tasks.create_task(take(f"worker-{number}"))
    assert len(won) == 1
    assert [lease.owner for lease in await store.read_leases(KEY)] == won
    assert [conflict.current and conflict.current.owner for conflict in lost] == won * 7


@pytest.mark.parametrize(
    "difference", [{"owner": "b"}, {"counter": 2}, {"checkpoint": LATEST}, {"owner": None}]
)
async def test_a_lease_is_deleted_only_as_it_stands(
    store: LeaseStore, difference: dict[str, Any]
) -> None:
    await store.create_lease(KEY, TAKEN)
    assert await store.delete_lease(KEY, replace(TAKEN, **difference)) is False
    assert list(await store.read_leases(KEY)) == [TAKEN]
    assert await store.delete_lease(KEY, TAKEN) is True
    assert await store.delete_lease(KEY, TAKEN) is False
    assert list(await store.read_leases(KEY)) == []


async def test_a_parent_is_marked_gone_in_an_existing_row_only(store: LeaseStore) -> None:
    await store.create_lease(KEY, TAKEN)
    await store.mark_parent_gone(KEY, SHARD)
    await store.mark_parent_gone(KEY, "absent")
    assert list(await store.read_leases(KEY)) == [replace(TAKEN, parent_gone=True)]
    advanced = replace(TAKEN, checkpoint="10")  # by an owner who has not seen the mark
    written = await store.write_lease(KEY, LeaseWrite(TAKEN, advanced))
    assert written == replace(advanced, parent_gone=True)


async def test_commands_are_added_one_by_one_and_announced(store: LeaseStore) -> None:
    pause, seek = fresh(PAUSE), fresh(SEEK)
    assert await store.add_command(KEY, pause) is False  # of a stream that has no row
    await store.create_stream(STREAM)
    assert await store.add_command(KEY, fresh(replace(pause, number=2))) is False
    assert await store.add_command(KEY, pause) is True
    assert await store.add_command(KEY, pause) is True  # a copy of the call
    assert await store.add_command(KEY, fresh(pause)) is False
    assert await store.add_command(KEY, seek) is True
    assert list((await store.read_peers())[1]) == [replace(STREAM, commands=2)]
    assert list(await store.read_commands(KEY, 0)) == [pause, seek]
    assert list(await store.read_commands(KEY, 1)) == [seek]
    assert list(await store.read_commands(KEY, 2)) == []
    assert list(await store.read_commands(f"{KEY}x", 0)) == []
    assert list(await store.read_leases(KEY)) == []


async def test_a_sweep_does_not_undo_the_announcement(store: LeaseStore) -> None:
    await store.create_stream(STREAM)
    await store.add_command(KEY, fresh(PAUSE))
    swept = await store.replace_stream(STREAM, replace(STREAM, sweep_n=1))
    assert swept == replace(STREAM, sweep_n=1, commands=1)


async def test_of_many_operators_one_has_the_number(store: LeaseStore) -> None:
    await store.create_stream(STREAM)
    won: list[str] = []

    async def add() -> None:
        command = fresh(PAUSE)
        for _ in range(20):
            try:
                won.extend([command.token] if await store.add_command(KEY, command) else [])
            except Retryable:  # two transactions met
                continue
            return

    async with asyncio.TaskGroup() as tasks:
        for _ in range(6):
            tasks.create_task(add())
    assert [command.token for command in await store.read_commands(KEY, 0)] == won


async def test_a_lease_keeps_what_it_obeyed(store: LeaseStore) -> None:
    await store.create_lease(KEY, TAKEN)
    obeyed = replace(TAKEN, counter=2, command_counter=3, paused=True, skip_before=5.5)
    obeyed = replace(obeyed, checkpoint=TRIM_HORIZON, parent_gone=True)
    assert await store.write_lease(KEY, LeaseWrite(TAKEN, obeyed)) == obeyed
    advanced = replace(obeyed, checkpoint="10", record_at=6.5)
    assert await store.write_lease(KEY, LeaseWrite(obeyed, advanced)) == advanced
    released = replace(advanced, owner=None, counter=3, released_at=9.5)
    assert await store.write_lease(KEY, LeaseWrite(advanced, released)) == released
    seen = replace(released, command_counter=0, paused=False)  # an old read
    taken = replace(seen, owner="me", counter=4, released_at=None, owner_switches=2)
    row = await store.write_lease(KEY, LeaseWrite(seen, taken, keeps_checkpoint=True))
    assert (row.command_counter, row.paused, row.skip_before) == (3, True, 5.5)
    resumed = replace(row, counter=5, command_counter=4, paused=False)
    assert await store.write_lease(KEY, LeaseWrite(row, resumed)) == resumed


async def test_a_gap_is_put_once_and_completed(store: LeaseStore) -> None:
    assert await store.put_gap(KEY, GAP) is True
    assert await store.put_gap(KEY, GAP) is True  # again, after a lost answer
    await store.complete_gap(KEY, replace(GAP, to="5"))
    assert list(await store.read_gaps(KEY)) == [replace(GAP, to="5")]


async def test_a_gap_met_again_has_no_end_until_who_met_it_last_knows_it(store: LeaseStore) -> None:
    await store.put_gap(KEY, GAP)
    await store.complete_gap(KEY, replace(GAP, to="5"))
    again = replace(GAP, detected_at=GAP.detected_at + 0.1, reason="shard_gone")
    assert await store.put_gap(KEY, again) is False
    stands = replace(GAP, detected_at=again.detected_at)
    assert list(await store.read_gaps(KEY)) == [stands]
    await store.complete_gap(KEY, replace(GAP, to="6"))  # late, of who met it first
    assert list(await store.read_gaps(KEY)) == [stands]
    await store.complete_gap(KEY, replace(again, to="7"))
    assert list(await store.read_gaps(KEY)) == [replace(stands, to="7")]


async def test_a_gap_keeps_when_it_began_and_ended(store: LeaseStore) -> None:
    await store.put_gap(KEY, GAP)
    ended = replace(GAP, to="5", to_time=1793442600.75)
    await store.complete_gap(KEY, ended)
    assert list(await store.read_gaps(KEY)) == [ended]
    earlier = replace(GAP, detected_at=GAP.detected_at + 1, from_time=1793438000.5)
    assert await store.put_gap(KEY, earlier) is False
    assert list(await store.read_gaps(KEY)) == [earlier]
    later = replace(GAP, detected_at=GAP.detected_at + 2)
    assert await store.put_gap(KEY, later) is False
    stands = replace(later, from_time=earlier.from_time)
    assert list(await store.read_gaps(KEY)) == [stands]


async def test_a_gap_is_repaired_until_it_is_met_again(store: LeaseStore) -> None:
    await store.put_gap(KEY, GAP)
    repaired = replace(GAP, repaired_at=GAP.detected_at + 600)
    assert await store.mark_repaired(KEY, repaired) is True
    assert list(await store.read_gaps(KEY)) == [repaired]
    ended = replace(repaired, to="5", to_time=1793442600.75)
    await store.complete_gap(KEY, replace(ended, repaired_at=None))
    assert list(await store.read_gaps(KEY)) == [ended]
    again = replace(GAP, detected_at=GAP.detected_at + 0.1)
    assert await store.put_gap(KEY, again) is False
    assert await store.mark_repaired(KEY, ended) is False  # of what was found before
    assert list(await store.read_gaps(KEY)) == [again]
    other = replace(repaired, from_="7")
    assert await store.mark_repaired(KEY, other) is False
    assert list(await store.read_gaps(KEY)) == [again]


async def test_a_loss_takes_the_place_of_a_seek_and_no_seek_that_of_a_loss(
    store: LeaseStore,
) -> None:
    sought = replace(GAP, reason="seek", to="9")
    assert await store.put_gap(KEY, sought) is True
    lost = replace(GAP, detected_at=GAP.detected_at + 0.1)
    assert await store.put_gap(KEY, lost) is True
    assert await store.put_gap(KEY, lost) is True  # again, after a lost answer
    assert list(await store.read_gaps(KEY)) == [lost]
    again = replace(sought, detected_at=GAP.detected_at + 0.2, to=None)
    assert await store.put_gap(KEY, again) is False
    assert list(await store.read_gaps(KEY)) == [replace(lost, detected_at=again.detected_at)]


async def test_completing_an_absent_gap_makes_none(store: LeaseStore) -> None:
    await store.complete_gap(KEY, replace(GAP, to="5"))
    assert list(await store.read_gaps(KEY)) == []


async def test_gaps_of_one_shard_are_told_apart_by_their_start(store: LeaseStore) -> None:
    early = replace(GAP, from_="TRIM_HORIZON", reason="possibly_trimmed")
    await store.put_gap(KEY, GAP)
    await store.put_gap(KEY, early)
    await store.put_gap(f"{KEY}x", GAP)
    assert sorted(await store.read_gaps(KEY), key=lambda gap: gap.from_) == [GAP, early]


async def test_the_purpose_of_a_stream_is_written_if_nobody_has_changed_it(
    store: LeaseStore,
) -> None:
    old = await store.create_stream(STREAM)
    listed = replace(old, event_types=("a", "b"), published=(), stream_prefix="")
    assert await store.write_purpose(old, listed) == listed
    assert await store.write_purpose(old, replace(old, published=("a",))) is None
    stored = replace(listed, published=("b", "a"))
    assert await store.write_purpose(listed, stored) == stored
    for stale in (
        replace(stored, fingerprint="?"),
        replace(stored, event_types=None),
        replace(stored, event_types=("b", "a")),
        replace(stored, published=("a", "b")),
        replace(stored, stream_prefix=None),
        replace(stored, stream_prefix="b-"),
    ):
        assert await store.write_purpose(stale, replace(stale, event_types=("c",))) is None
    other = replace(stored, fingerprint="other", event_types=("c",), stream_prefix="b-")
    assert await store.write_purpose(stored, other) == other
    assert await store.write_purpose(other, other) == other
    assert list((await store.read_peers())[1]) == [other]


async def test_sweep_and_purpose_of_a_stream_are_written_apart(store: LeaseStore) -> None:
    old = await store.create_stream(STREAM)
    swept = await store.replace_stream(old, replace(old, sweep_n=1, changes=1))
    assert swept is not None
    listed = replace(old, event_types=("a",), published=("a",), stream_prefix="b-")
    both = replace(swept, event_types=("a",), published=("a",), stream_prefix="b-")
    assert await store.write_purpose(old, listed) == both
    # Who does not know of it leaves it as it is.
    assert await store.replace_stream(swept, replace(swept, sweep_done=1)) == replace(
        both, sweep_done=1
    )


async def test_the_purpose_of_an_absent_stream_is_not_written(store: LeaseStore) -> None:
    assert await store.write_purpose(STREAM, replace(STREAM, published=())) is None
    assert list((await store.read_peers())[1]) == []


MARKED = replace(
    TAKEN, checkpoint="10", command_counter=3, mark=Mark(Ahead(40, ("audit", "public")), 3)
)


async def test_a_mark_is_written_with_the_checkpoint_and_kept_by_a_take(store: LeaseStore) -> None:
    begun = replace(TAKEN, command_counter=3)
    await store.create_lease(KEY, begun)
    assert await store.write_lease(KEY, LeaseWrite(begun, MARKED)) == MARKED
    seen = replace(MARKED, mark=None)  # an old read
    taken = replace(seen, owner="b", counter=2)
    row = await store.write_lease(KEY, LeaseWrite(seen, taken, keeps_checkpoint=True))
    assert row == replace(MARKED, owner="b", counter=2)
    # Whoever saw none removes it, too, so that no old mark is left beside a new checkpoint.
    cleared = replace(row, checkpoint="50", mark=None)
    assert await store.write_lease(KEY, LeaseWrite(replace(row, mark=None), cleared)) == cleared
    assert list(await store.read_leases(KEY)) == [cleared]


async def test_a_gap_met_again_names_who_lacked_it_once(store: LeaseStore) -> None:
    first = replace(GAP, ahead=Ahead(500, ("audit",)))
    assert await store.put_gap(KEY, first) is True
    again = replace(first, detected_at=GAP.detected_at + 9, ahead=Ahead(600, ("public",)))
    assert await store.put_gap(KEY, again) is False
    both = replace(again, ahead=Ahead(500, ("audit", "public")))
    assert list(await store.read_gaps(KEY)) == [both]
    for_all = replace(again, detected_at=GAP.detected_at + 20, ahead=None)
    assert await store.put_gap(KEY, for_all) is False
    assert list(await store.read_gaps(KEY)) == [for_all]


async def test_the_seek_of_an_event_type_keeps_its_name(store: LeaseStore) -> None:
    await store.create_stream(STREAM)
    command = Command(
        1, Action.SEEK_EVENT_TYPE, (SHARD,), "TRIM_HORIZON", 1793525400.5, "me", "", "", "audit"
    )
    command = fresh(command)
    assert await store.add_command(KEY, command) is True
    assert list(await store.read_commands(KEY, 0)) == [command]
