"""Workers that share shards: who runs what, and when."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from functools import partial

import pytest
from msgspec.structs import replace
from structlog.testing import capture_logs

from consumer.core.leases.checkpoint import SHARD_END
from consumer.core.leases.lease import Lease, LeaseWrite, StreamRow
from consumer.core.leases.lease_state import LeaseState
from consumer.core.reports.readiness import FirstSteps
from consumer.errors import Fatal, Misconfigured, NotReleased, Retryable, Unreachable
from consumer.runtime.discovery.bootstrap import first_row
from tests.twins.fleet import TIMING, FakeShard, Fleet, Node, source
from tests.twins.lease_table import Fault
from tests.twins.shard_list import NEWER, NEWEST, STREAM
from tests.twins.virtual_time import run


def now() -> float:
    return asyncio.get_running_loop().time()


def fleet_of(shards: int, check: Callable[[Fleet], Awaitable[None]]) -> None:
    async def main() -> None:
        fleet = Fleet()
        for number in range(shards):
            fleet.streams.open(f"s{number:02}")
        await check(fleet)
        await fleet.stop()
        assert set(fleet.table.owners(STREAM.key).values()) <= {None}
        assert fleet.table.workers == {}

    run(main)


def test_an_empty_table_is_at_work_within_a_second() -> None:
    async def check(fleet: Fleet) -> None:
        node = fleet.start("a")
        await asyncio.sleep(1)
        assert len(node.running) == 12
        assert max(at for at, _, _ in fleet.takes) < 0.5

    fleet_of(12, check)


def test_two_workers_that_join_one_share_with_it() -> None:
    async def check(fleet: Fleet) -> None:
        fleet.start("a")
        await asyncio.sleep(5)
        fleet.start("b")
        fleet.start("c")
        await asyncio.sleep(20)
        assert fleet.spread() == {"a": 4, "b": 4, "c": 4}
        handed_over = len(fleet.takes)
        await asyncio.sleep(200)
        assert len(fleet.takes) == handed_over  # and there it stays

    fleet_of(12, check)


def test_a_killed_worker_is_replaced_within_fifteen_seconds() -> None:
    async def check(fleet: Fleet) -> None:
        for name in "abc":
            fleet.start(name)
        await asyncio.sleep(30)
        assert fleet.spread() == {"a": 4, "b": 4, "c": 4}
        killed_at = now()
        await fleet.nodes["b"].kill()
        await asyncio.sleep(20)
        assert fleet.spread() == {"a": 6, "b": 0, "c": 6}
        late = [at - killed_at for at, _, _ in fleet.takes if at > killed_at]
        assert len(late) == 4
        assert min(late) > 8
        assert max(late) <= 15
        del fleet.table.workers["b"]

    fleet_of(12, check)


def test_a_worker_that_stops_hands_over_at_once() -> None:
    async def check(fleet: Fleet) -> None:
        for name in "abc":
            fleet.start(name)
        await asyncio.sleep(30)
        stopped_at = now()
        fleet.nodes["b"].coordinator.stop()
        await fleet.nodes["b"].stopped()
        assert now() - stopped_at < 2
        assert "b" not in fleet.table.workers
        await asyncio.sleep(5)
        assert fleet.spread() == {"a": 6, "b": 0, "c": 6}
        late = [at - stopped_at for at, _, _ in fleet.takes if at > stopped_at]
        assert max(late) < 4

    fleet_of(12, check)


def test_a_peer_that_drains_is_seen_until_it_has_left() -> None:
    async def check(fleet: Fleet) -> None:
        polling, workers = fleet.start("a").polling, fleet.table.workers
        await asyncio.sleep(5)
        assert not polling.hurry
        workers["b"] = replace(workers["a"], worker_id="b", draining=True)
        await asyncio.sleep(3)
        assert polling.hurry
        del workers["b"]
        await asyncio.sleep(3)
        assert not polling.hurry

    fleet_of(2, check)


def test_idle_shards_cost_nothing() -> None:
    async def check(fleet: Fleet) -> None:
        fleet.start("a")
        fleet.start("b")
        await asyncio.sleep(60)
        fleet.table.log.clear()
        await asyncio.sleep(600)
        writes = {name for name, _ in fleet.table.log} - {"read_peers", "read_leases"}
        assert writes == {"put_worker", "replace_stream"}  # heartbeats, and a sweep in five minutes
        assert fleet.table.count("replace_stream") <= 3 * 3  # won, lost to the other, done
        assert fleet.table.count("put_worker") <= 2 * 301
        assert fleet.table.count("read_leases") <= 2 * 11 + 3

    fleet_of(50, check)


# -- ends and failures of shards


def test_children_are_taken_at_once_by_who_reached_the_end_whatever_the_share() -> None:
    async def check(fleet: Fleet) -> None:
        for name in "ab":
            fleet.start(name)
        await asyncio.sleep(30)
        assert fleet.spread() == {"a": 2, "b": 2}
        node = fleet.nodes["a"]
        parent = next(iter(node.running.values()))
        fleet.streams.close(parent.shard_id)
        for child in ("x", "y", "z"):
            fleet.streams.open(child, parent=parent.shard_id)
        ended_at = now()
        parent.end()
        await asyncio.sleep(1)
        taken = {
            shard: at - ended_at
            for at, shard, name in fleet.takes
            if shard in {"x", "y", "z"} and name == "a"
        }
        assert len(taken) == 3
        assert max(taken.values()) < 0.7
        assert fleet.table.of(STREAM.key)[parent.shard_id].checkpoint == SHARD_END

    fleet_of(4, check)


def test_a_failing_shard_fails_alone_and_goes_to_somebody_else() -> None:
    async def check(fleet: Fleet) -> None:
        for name in "ab":
            fleet.start(name)
        await asyncio.sleep(30)
        node = fleet.nodes["a"]
        broken = next(iter(node.running.values()))
        broken.fail(ValueError("a bug"))
        await asyncio.sleep(8)
        assert broken.shard_id in fleet.nodes["b"].running
        assert len(node.running) == 1
        assert node.metrics.registry.get_sample_value("consumer_shard_failures_total") == 1

    fleet_of(4, check)


def test_alone_it_tries_a_failing_shard_again_after_a_while() -> None:
    async def check(fleet: Fleet) -> None:
        node = fleet.start("a")
        await asyncio.sleep(5)
        node.running["s00"].fail(ValueError("a bug"))
        await asyncio.sleep(8)
        assert set(node.running) == {"s01"}
        assert fleet.table.owners(STREAM.key)["s00"] is None
        await asyncio.sleep(25)
        assert set(node.running) == {"s00", "s01"}

    fleet_of(2, check)


@pytest.mark.parametrize("grouped", [False, True])
def test_what_is_fatal_in_a_shard_ends_the_worker(grouped: bool) -> None:
    async def main() -> None:
        fleet = Fleet()
        fleet.streams.open("s")
        node = fleet.start("a")
        await asyncio.sleep(5)
        error = Fatal("no way")
        node.running["s"].fail(ExceptionGroup("tasks", [error]) if grouped else error)
        with pytest.raises(Fatal, match="no way"):
            await node.stopped()

    run(main)


def test_a_shard_that_cannot_be_drained_reads_on_and_is_left_in_peace_for_a_minute(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    sheds: list[float] = []

    def shed(shard: FakeShard) -> None:
        sheds.append(now())
        FakeShard.shed(shard)

    async def check(fleet: Fleet) -> None:
        node = fleet.start("a")
        await asyncio.sleep(5)
        for shard in node.made:
            shard.stubborn = True
            monkeypatch.setattr(shard, "shed", partial(shed, shard))
        fleet.start("b")
        await asyncio.sleep(50)
        assert fleet.spread() == {"a": 4, "b": 0}
        assert len(sheds) == 4  # two at first, then the two others in their place
        for shard in node.made:
            shard.stubborn = False
        await asyncio.sleep(60)
        assert fleet.spread() == {"a": 2, "b": 2}

    fleet_of(4, check)


def test_a_hand_over_is_called_off_when_the_other_is_gone(monkeypatch: pytest.MonkeyPatch) -> None:
    async def check(fleet: Fleet) -> None:
        node = fleet.start("a")
        await asyncio.sleep(5)
        kept: list[str] = []
        for shard in node.made:
            monkeypatch.setattr(shard, "shed", lambda: None)
            monkeypatch.setattr(shard, "keep", partial(kept.append, shard.shard_id))
        fleet.start("b")
        await asyncio.sleep(6)
        fleet.nodes["b"].coordinator.stop()
        await asyncio.sleep(6)
        assert len(kept) == 2
        assert fleet.spread() == {"a": 4, "b": 0}

    fleet_of(4, check)


# -- shards that give no answer


def test_a_worker_that_can_read_nothing_gives_everything_up_until_a_probe_succeeds(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def check(fleet: Fleet) -> None:
        for name in "ab":
            fleet.start(name)
        await asyncio.sleep(30)
        node = fleet.nodes["a"]
        node.streams_work = False

        async def iterator(*_args: object) -> object:
            raise Retryable("no route", "connect")

        with monkeypatch.context() as patch:
            patch.setattr(fleet.streams, "shard_iterator", iterator)
            await asyncio.sleep(75)
            assert fleet.spread() == {"a": 0, "b": 4}
            assert not node.heartbeat.able
            assert node.metrics.registry.get_sample_value("consumer_worker_able") == 0
            assert fleet.table.workers["a"].able is False
        node.streams_work = True
        await asyncio.sleep(25)
        assert node.heartbeat.able
        assert fleet.spread() == {"a": 2, "b": 2}

    fleet_of(4, check)


def test_the_first_steps_are_done_once_the_leases_are_read_and_the_shards_listed() -> None:
    async def check(fleet: Fleet) -> None:
        node = fleet.start("a")
        assert node.coordinator.first_steps == FirstSteps(leases_read=False, listed=False)
        node.store.cut = True
        await asyncio.sleep(30)
        assert node.coordinator.first_steps == FirstSteps(leases_read=False, listed=False)
        node.store.cut = False
        await asyncio.sleep(30)
        assert node.coordinator.first_steps == FirstSteps(leases_read=True, listed=True)
        node.store.cut = True  # what was done stays done
        await asyncio.sleep(30)
        assert node.coordinator.first_steps == FirstSteps(leases_read=True, listed=True)
        node.store.cut = False
        await asyncio.sleep(30)  # it hands its shard over in peace

    fleet_of(1, check)


def test_a_shard_that_waits_for_a_named_cause_is_not_silent() -> None:
    async def check(fleet: Fleet) -> None:
        node = fleet.start("a")
        await asyncio.sleep(5)
        node.streams_work = False
        for shard in node.made:
            shard.suspended_cause = "budget"
        await asyncio.sleep(100)
        assert len(node.running) == 2
        for shard in node.made:
            shard.suspended_cause = None
        await asyncio.sleep(50)
        assert len(node.running) == 2  # the minute counts from the end of the wait
        await asyncio.sleep(15)
        assert node.running == {}
        node.streams_work = True

    fleet_of(2, check)


# -- the fence


def test_a_worker_cut_off_from_the_table_loses_everything_and_recovers_by_itself() -> None:
    async def check(fleet: Fleet) -> None:
        for name in "ab":
            fleet.start(name)
        await asyncio.sleep(30)
        node = fleet.nodes["a"]
        before = dict(node.running)
        node.store.cut = True
        cut_at = now()
        await asyncio.sleep(20)
        assert node.running == {}
        assert fleet.spread() == {"a": 0, "b": 4}  # `claim` has checked that no two sent at once
        lost = node.metrics.registry.get_sample_value("consumer_lease_lost_total")
        assert lost == len(before)
        node.store.cut = False
        await asyncio.sleep(30)
        assert fleet.spread() == {"a": 2, "b": 2}
        assert now() - cut_at < 60

    fleet_of(4, check)


def test_alone_and_cut_off_it_takes_its_own_leases_again_before_it_reads() -> None:
    async def check(fleet: Fleet) -> None:
        node = fleet.start("a")
        await asyncio.sleep(5)
        node.store.cut = True
        await asyncio.sleep(15)
        assert node.running == {}
        assert set(fleet.table.owners(STREAM.key).values()) == {"a"}
        node.store.cut = False
        await asyncio.sleep(8)
        assert len(node.running) == 4
        rows = fleet.table.of(STREAM.key).values()
        assert {lease.counter for lease in rows} == {2}
        assert {lease.owner_switches for lease in rows} == {1}

    fleet_of(4, check)


def test_a_worker_suspended_for_longer_than_the_lease_sends_nothing_of_what_it_held() -> None:
    async def check(fleet: Fleet) -> None:
        node = fleet.start("a")
        await asyncio.sleep(5)
        old = list(node.made)
        node.clock.shift += 60
        await asyncio.sleep(5)
        assert not any(shard.held for shard in old)
        assert len(node.running) == 2
        assert all(shard.epoch > old[0].epoch for shard in node.running.values())

    fleet_of(2, check)


def test_a_lease_is_left_alone_while_a_write_of_it_has_no_answer() -> None:
    async def check(fleet: Fleet) -> None:
        node = fleet.start("a")
        await asyncio.sleep(5)
        shard = node.running["s00"]
        node.store.fail("write_lease", *[Fault.LOST_BEFORE] * 12)
        shard.drain()  # its release gets no answer for about ten seconds
        await asyncio.sleep(8)
        assert shard.writer.pending
        assert len([made for made in node.made if made.shard_id == "s00"]) == 1
        await asyncio.sleep(20)
        assert len(node.running) == 2

    fleet_of(2, check)


def test_a_read_that_is_older_than_a_release_does_not_bring_the_shard_back(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def check(fleet: Fleet) -> None:
        node = fleet.start("a")
        await asyncio.sleep(30)
        read = node.store.read_leases

        async def slow(stream_key: str) -> Sequence[Lease]:
            rows = await read(stream_key)
            await asyncio.sleep(3)
            return rows

        monkeypatch.setattr(node.store, "read_leases", slow)
        node.coordinator._request_pass()
        await asyncio.sleep(1)
        node.running["s00"].drain()
        await asyncio.sleep(3)
        assert fleet.table.count("refused write_lease") == 0
        assert len(node.made) == 4
        await asyncio.sleep(10)
        assert len(node.running) == 4

    fleet_of(4, check)


def test_at_most_one_write_of_a_lease_is_under_way(monkeypatch: pytest.MonkeyPatch) -> None:
    async def check(fleet: Fleet) -> None:
        node = fleet.start("a")
        await asyncio.sleep(5)
        under_way, most = 0, 0
        write = node.store.write_lease

        async def counted(stream_key: str, wanted: LeaseWrite) -> Lease:
            nonlocal under_way, most
            under_way += 1
            most = max(most, under_way)
            try:
                return await write(stream_key, wanted)
            finally:
                under_way -= 1

        monkeypatch.setattr(node.store, "write_lease", counted)
        node.store.fail("write_lease", *[Fault.HANGS] * 4)
        node.running["s00"].fail(ValueError("a bug"))  # the coordinator gives its row up
        for _ in range(12):
            node.coordinator._request_pass()
            await asyncio.sleep(1)
        assert fleet.table.of(STREAM.key)["s00"].counter >= 2  # released at last
        assert most == 1

    fleet_of(1, check)


def test_who_was_dead_when_last_looked_at_may_hold_a_lease_again() -> None:
    async def check(fleet: Fleet) -> None:
        for name in "ab":
            fleet.start(name)
        await asyncio.sleep(30)
        a, b = fleet.nodes["a"], fleet.nodes["b"]
        b.store.cut = True
        await asyncio.sleep(20)
        assert fleet.spread() == {"a": 2, "b": 0}
        assert "b" in a.coordinator._peers.dead
        # While a cannot read, b comes back and takes over; a's judgement is old by then.
        a.store.cut, b.store.cut = True, False
        await asyncio.sleep(25)
        assert fleet.spread() == {"a": 0, "b": 2}
        assert "b" in a.coordinator._peers.dead
        a.store.fail("read_peers", *[Fault.HANGS] * 4)  # it can read the leases, not the workers
        a.store.cut = False
        await asyncio.sleep(6)
        assert a.fence.holds(now(), a.fence.epoch)
        assert fleet.violations == []
        assert a.running == {}
        await asyncio.sleep(30)
        assert fleet.spread() == {"a": 1, "b": 1}

    fleet_of(2, check)


def test_under_a_passed_fence_nothing_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    revoked: list[float] = []

    def revoke(shard: FakeShard) -> None:
        revoked.append(now())
        FakeShard.revoke(shard)

    async def check(fleet: Fleet) -> None:
        node = fleet.start("a")
        await asyncio.sleep(5)
        for shard in node.made:
            monkeypatch.setattr(shard, "revoke", partial(revoke, shard))
        node.store.fail("put_worker", *[Fault.HANGS] * 10)
        deadline = node.fence.deadline
        await asyncio.sleep(20)
        assert not node.fence.holds(now(), node.fence.epoch)
        assert [at >= deadline for at in revoked[:2]] == [True, True]
        assert revoked[0] < deadline + 0.01
        assert len(node.made) == 2
        await asyncio.sleep(15)
        assert len(node.running) == 2

    fleet_of(2, check)


def test_what_is_free_again_after_an_owner_does_not_count_as_free_for_two_passes() -> None:
    async def main() -> None:
        node = Node(Fleet(), "a", TIMING, source())
        node.coordinator._peers.observe(0, 0, [replace(node.heartbeat._worker, worker_id="b")], [])
        beat = replace(node.heartbeat._worker, worker_id="b", heartbeat=1)
        node.coordinator._peers.observe(2, 2, [beat], [])
        row = replace(first_row(node.source, STREAM, []), sweep_n=1, sweep_done=1)
        leases = node.coordinator._leases
        leases.observe([row], 0)

        def taken(counter: int) -> int:
            # One each, and "mine" is held by a already.
            rows = [Lease("x", None, counter=counter), Lease("mine", None, owner="a")]
            return len(leases.plan(row, rows, 0).take)

        assert taken(1) == 1  # the row that names a
        await asyncio.sleep(2)
        assert taken(3) == 1
        await asyncio.sleep(1)
        assert taken(3) == 1
        await asyncio.sleep(1)
        assert taken(3) == 2

    run(main)


# -- start and end


def test_a_worker_for_another_purpose_exits_and_names_both() -> None:
    async def main() -> None:
        fleet = Fleet()
        fleet.streams.open("s")
        fleet.start("a")
        await asyncio.sleep(5)
        other = fleet.start("b", fingerprint="payments")
        with pytest.raises(Misconfigured, match=r"'orders'.*'payments'"):
            await other.stopped()
        # Replaced on purpose: then the others hand over in order and exit.
        fleet.start("c", fingerprint="payments", accept_change=True)
        with pytest.raises(Misconfigured):
            await fleet.nodes["a"].stopped()
        assert "a" not in fleet.table.workers
        await asyncio.sleep(10)
        assert fleet.spread() == {"a": 0, "b": 0, "c": 1}
        await fleet.stop()

    run(main)


def test_a_disabled_stream_named_by_its_arn_ends_the_worker_once_drained() -> None:
    async def main() -> None:
        fleet = Fleet()
        fleet.streams.open("s")
        node = fleet.start("a")
        await asyncio.sleep(5)
        fleet.streams.enabled = False
        fleet.streams.close("s")
        await asyncio.sleep(400)
        assert node.task is not None
        assert not node.task.done()
        node.running["s"].end()
        with pytest.raises(Unreachable, match="disabled"):
            await node.stopped()

    run(main)


def test_at_the_drain_deadline_what_is_left_is_cancelled(monkeypatch: pytest.MonkeyPatch) -> None:
    async def main() -> None:
        fleet = Fleet()
        fleet.streams.open("s")
        node = fleet.start("a")
        await asyncio.sleep(5)
        monkeypatch.setattr(node.running["s"], "drain", lambda: None)
        stopped_at = now()
        node.coordinator.stop()
        node.coordinator.stop()
        with pytest.raises(NotReleased, match="1 leases could not be released within 25 s"):
            await node.stopped()
        assert 25 < now() - stopped_at < 28
        assert "a" not in fleet.table.workers

    run(main)


def test_stopped_before_it_began_it_does_nothing() -> None:
    async def main() -> None:
        node = Node(Fleet(), "a", TIMING, source())
        node.coordinator.stop()
        await node.coordinator.run()
        assert node.fleet.table.log == []

    run(main)


def test_stopped_while_it_reads_the_rows_it_begins_no_stream() -> None:
    async def main() -> None:
        fleet = Fleet()
        fleet.streams.open("s")
        node = fleet.start("a")
        while not fleet.table.workers:  # then the rows are read
            await asyncio.sleep(0.001)
        await asyncio.sleep(0.003)
        node.coordinator.stop()
        await node.stopped()
        assert fleet.table.streams == {}
        assert fleet.table.workers == {}

    run(main)


def test_it_starts_when_the_table_answers_and_survives_lost_answers() -> None:
    async def check(fleet: Fleet) -> None:
        node = fleet.start("a")
        for operation in ("put_worker", "read_peers", "create_stream", "read_leases"):
            node.store.fail(operation, Fault.LOST_BEFORE, Fault.LOST_AFTER)
        await asyncio.sleep(20)
        assert len(node.running) == 3

    fleet_of(3, check)


# -- streams


def test_a_new_stream_of_the_table_waits_for_the_end_of_the_old_one() -> None:
    async def check(fleet: Fleet) -> None:
        node = fleet.start("a", follow_table=True)
        await asyncio.sleep(5)
        old = node.running["s00"]
        new = replace(first_row(node.source, NEWER, [fleet.table.streams[STREAM.key]]))
        fleet.table.streams[new.key] = new
        fleet.table.of(new.key)["n00"] = Lease("n00", None)
        fleet.streams.close("s00")
        fleet.streams.latest = NEWER
        await asyncio.sleep(100)
        assert set(node.running) == {"s00"}
        waiting = {seen.lease.shard_id: seen.state for seen in node.coordinator.leases()}
        assert waiting["n00"] is LeaseState.WAITING
        fleet.table.log.clear()
        old.end()
        await asyncio.sleep(30)
        assert "n00" not in node.running  # a child of the last shard may be hidden that long
        await asyncio.sleep(20)
        assert "n00" in node.running
        # A listing that began well after the end of the last shard comes first: won and finished.
        log = fleet.table.log
        ended = log.index(("write_lease", "s00"))
        listed = [at for at, entry in enumerate(log) if entry == ("replace_stream", STREAM.key)]
        assert sum(ended < at < log.index(("write_lease", "n00")) for at in listed) >= 4
        assert fleet.table.workers["a"].streams == (new.key,)
        # Somebody who starts now need not wait for another listing of the old stream.
        fleet.start("b", follow_table=True, stream=NEWER)
        await asyncio.sleep(5)
        node.coordinator.stop()
        await asyncio.sleep(5)
        assert fleet.spread()["b"] == len(fleet.table.of(new.key))

    fleet_of(1, check)


def test_a_shard_found_after_its_stream_counted_as_read_is_read_late_and_loudly() -> None:
    async def check(fleet: Fleet) -> None:
        old = replace(first_row(source(), STREAM, []), sweep_n=9, sweep_done=9)
        new = replace(first_row(source(), NEWER, [old]), sweep_n=9, sweep_done=9)
        fleet.table.streams.update({old.key: old, new.key: new})
        fleet.table.of(old.key)["s0"] = Lease("s0", None, None, 2, SHARD_END)
        fleet.table.of(new.key)["n0"] = Lease("n0", None, None, 1, "5")
        node = fleet.start("a", follow_table=True, stream=NEWER)
        await asyncio.sleep(60)
        assert set(node.running) == {"n0"}
        assert fleet.table.workers["a"].streams == (new.key,)
        fleet.table.of(old.key)["late"] = Lease("late", "s0")
        swept = fleet.table.streams[old.key]
        fleet.table.streams[old.key] = replace(
            swept, sweep_done=swept.sweep_n + 1, sweep_n=swept.sweep_n + 1
        )
        with capture_logs() as logs:
            await asyncio.sleep(10)
        assert set(node.running) == {"n0", "late"}
        assert [log["shards"] for log in logs if log["event"] == "shards_found_late"] == [["late"]]
        assert set(fleet.table.workers["a"].streams) == {old.key, new.key}
        # Who starts now reads it as well.
        fleet.start("b", follow_table=True, stream=NEWER)
        await asyncio.sleep(5)
        node.coordinator.stop()
        await asyncio.sleep(5)
        assert set(fleet.nodes["b"].running) == {"n0", "late"}
        fleet.nodes["b"].running["late"].end()
        await asyncio.sleep(90)
        assert set(fleet.nodes["b"].running) == {"n0"}
        assert fleet.table.workers["b"].streams == (new.key,)

    fleet_of(0, check)


def test_after_a_restart_the_third_stream_does_not_wait_for_a_listing_of_the_first() -> None:
    async def check(fleet: Fleet) -> None:
        rows: list[StreamRow] = []
        for each in (STREAM, NEWER, NEWEST):
            rows.append(replace(first_row(source(), each, rows), sweep_n=9, sweep_done=9))
        fleet.table.streams.update({row.key: row for row in rows})
        first, second, third = (fleet.table.of(row.key) for row in rows)
        first["f0"] = Lease("f0", None, None, 2, SHARD_END)
        second["s0"] = Lease("s0", None, None, 1, "5")
        third["t0"] = Lease("t0", None)
        node = fleet.start("a", follow_table=True, stream=NEWEST)  # knows nothing but the rows
        await asyncio.sleep(5)
        assert set(node.running) == {"s0"}
        assert set(fleet.table.workers["a"].streams) == {rows[1].key, rows[2].key}
        node.running["s0"].end()
        await asyncio.sleep(29)
        assert set(node.running) == set()  # a child of the last shard may be hidden that long
        await asyncio.sleep(31)
        assert set(node.running) == {"t0"}
        assert fleet.table.streams[rows[0].key].sweep_n == 9

    fleet_of(0, check)


def test_leases_are_shown_with_their_state() -> None:
    async def check(fleet: Fleet) -> None:
        fleet.start("a")
        fleet.start("b")
        await asyncio.sleep(30)
        states = [seen.state for seen in fleet.nodes["a"].coordinator.leases()]
        assert Counter(states) == {LeaseState.FOREIGN: 2, LeaseState.HELD: 2}
        assert now() - fleet.nodes["a"].coordinator.moved_at < 3

    fleet_of(4, check)
