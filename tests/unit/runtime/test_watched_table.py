"""What is noted of the calls to the lease table."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable

import pytest

from consumer.core.leases import lease_write
from consumer.core.leases.lease import Gap, Lease, StreamRow, Worker
from consumer.core.leases.table_calls import TableCall
from consumer.errors import LeaseConflict, Retryable
from consumer.runtime.leases.watched_table import LEASE_WRITES, WatchedTable
from tests.twins.lease_table import Fault, LeaseTable, LeaseTableTwin
from tests.twins.virtual_time import VirtualClock, run

KEY = "orders/L"
LEASE = Lease("s", None)
GAP = Gap("s", "1", None, "trimmed", 5.0)
ROW = StreamRow("arn", "orders", "L", None, "TRIM_HORIZON", None, True, 1, 1, 0, "f")
WORKER = Worker("me", 1, 0, (), True, False, 0.0, 0.0, "host", "1")

Call = Callable[[WatchedTable], Awaitable[object]]


@pytest.mark.parametrize(
    ("operation", "kind", "call"),
    [
        ("put_worker", TableCall.HEARTBEAT, lambda table: table.put_worker(WORKER)),
        ("read_peers", TableCall.PEERS, lambda table: table.read_peers()),
        ("read_leases", TableCall.LEASES, lambda table: table.read_leases(KEY)),
        ("read_commands", TableCall.COMMANDS, lambda table: table.read_commands(KEY, 0)),
        ("create_stream", TableCall.STREAM, lambda table: table.create_stream(ROW)),
        ("replace_stream", TableCall.SWEEP, lambda table: table.replace_stream(ROW, ROW)),
        ("create_lease", TableCall.NEW_LEASE, lambda table: table.create_lease(KEY, LEASE)),
        ("mark_parent_gone", TableCall.LEASE, lambda table: table.mark_parent_gone(KEY, "s")),
        ("put_gap", TableCall.GAP, lambda table: table.put_gap(KEY, GAP)),
        ("complete_gap", TableCall.GAP, lambda table: table.complete_gap(KEY, GAP)),
    ],
)
def test_a_call_is_noted_as_its_kind(operation: str, kind: TableCall, call: Call) -> None:
    async def main() -> None:
        store = LeaseTableTwin(LeaseTable())
        table = WatchedTable(store, VirtualClock())
        store.fail(operation, Fault.REFUSED)
        with pytest.raises(Retryable):
            await call(table)
        assert set(table.calls.failures) == {kind}
        assert table.calls.failures[kind].reason == "throttled"
        await call(table)
        assert table.calls.failures == {}
        assert table.calls.was_answered(kind)

    run(main)


def test_a_condition_that_does_not_hold_is_an_answer() -> None:
    async def main() -> None:
        table = WatchedTable(LeaseTableTwin(LeaseTable()), VirtualClock())
        with pytest.raises(LeaseConflict):
            await table.write_lease(KEY, lease_write.take(LEASE, "me"))
        assert table.calls.was_answered(TableCall.LEASE)
        assert table.calls.failures == {}

    run(main)


def test_writes_of_leases_wait_for_their_turn_and_heartbeats_and_reads_do_not() -> None:
    """The time limit of a write begins when it is sent, so waiting makes no outcome unknown."""

    async def main() -> None:
        store = LeaseTableTwin(LeaseTable(), delay=2.0)
        table = WatchedTable(store, VirtualClock())
        leases = [Lease(f"s{number:03}", None) for number in range(3 * LEASE_WRITES)]
        store.table.leases[KEY] = {lease.shard_id: lease for lease in leases}
        now = asyncio.get_running_loop().time
        began_at, done_at = now(), []

        async def take(lease: Lease) -> None:
            await table.write_lease(KEY, lease_write.take(lease, "me"))
            done_at.append(now() - began_at)

        async with asyncio.TaskGroup() as group:
            for lease in leases:
                group.create_task(take(lease))
            await asyncio.sleep(0)
            await table.put_worker(WORKER)
            await table.read_peers()
            answered_at = now() - began_at
        assert Counter(map(round, done_at)) == {2: LEASE_WRITES, 4: LEASE_WRITES, 6: LEASE_WRITES}
        assert answered_at == 4.0

    run(main)


def test_what_it_does_not_note_is_passed_on() -> None:
    async def main() -> None:
        store = LeaseTableTwin(LeaseTable(streams={KEY: ROW}))
        table = WatchedTable(store, VirtualClock())
        await table.ensure_table(create=False)
        await table.put_worker(WORKER)
        await table.delete_worker("me")
        await table.create_lease(KEY, LEASE)
        assert await table.delete_lease(KEY, LEASE)
        assert not await table.mark_repaired(KEY, GAP)
        assert list(await table.read_gaps(KEY)) == []
        assert store.table.workers == {}
        await asyncio.sleep(0)

    run(main)
