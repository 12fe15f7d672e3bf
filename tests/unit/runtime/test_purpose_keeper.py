"""The guard of one purpose, and what was ever stored, on a fleet of workers."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any

import pytest
from msgspec.structs import replace
from structlog.testing import capture_logs

from consumer.core.leases.streams.purpose import Purpose
from consumer.errors import Misconfigured
from consumer.runtime.discovery.bootstrap import first_row
from tests.twins.fleet import Fleet, Node, source
from tests.twins.lease_table import Fault
from tests.twins.shard_list import STREAM
from tests.twins.virtual_time import run

if TYPE_CHECKING:
    from consumer.core.leases.lease import StreamRow


def single(event_type: str) -> Purpose:
    return Purpose(json.dumps({"event_type": event_type}), (event_type,))


def routed(*event_types: str) -> Purpose:
    return Purpose(json.dumps({"event_types": event_types}), event_types, routed=True)


class Bench:
    """A fleet on a stream with two shards."""

    def __init__(self) -> None:
        self.fleet = Fleet()
        self.fleet.streams.open("s")
        self.fleet.streams.open("t")

    def start(self, name: str, purpose: Purpose, **changes: Any) -> Node:
        return self.fleet.start(name, purpose=purpose, **changes)

    async def started(self, name: str, purpose: Purpose, **changes: Any) -> Node:
        node = self.start(name, purpose, **changes)
        await asyncio.sleep(10)
        assert node.task is not None
        assert not node.task.done()
        return node

    async def refused(self, name: str, purpose: Purpose) -> str:
        with pytest.raises(Misconfigured) as error:
            await self.start(name, purpose).stopped()
        return str(error.value)

    @property
    def row(self) -> StreamRow:
        return self.fleet.table.streams[STREAM.key]

    @row.setter
    def row(self, row: StreamRow) -> None:
        self.fleet.table.streams[STREAM.key] = row

    @property
    def writes(self) -> int:
        return self.fleet.table.count("write_purpose")


def test_a_service_moves_from_a_single_event_type_into_routes_and_back() -> None:
    """As a rolling restart: the old worker runs until the new one does."""

    async def main() -> None:
        bench = Bench()
        old = await bench.started("a", single("order"))
        assert bench.row.event_types is None
        new = await bench.started("b", routed("order", "payment"))
        assert bench.row.event_types == ("order", "payment")
        assert bench.row.fingerprint == single("order").fingerprint
        assert bench.fleet.spread() == {"a": 1, "b": 1}
        old.coordinator.stop()
        await old.stopped()
        await bench.started("c", single("order"))
        assert bench.fleet.spread() == {"a": 0, "b": 1, "c": 1}
        new.coordinator.stop()
        await new.stopped()
        await bench.fleet.stop()

    run(main)


def test_a_roll_adds_and_removes_routes() -> None:
    async def main() -> None:
        bench = Bench()
        rolls = [("a", "b"), ("b", "c"), ("c",), ("c", "d", "a"), ("d",)]
        before: Node | None = None
        for number, event_types in enumerate(rolls):
            node = await bench.started(f"w{number}", routed(*event_types))
            if before is not None:
                before.coordinator.stop()
                await before.stopped()
            before = node
        assert bench.row.event_types == ("a", "b", "c", "d")
        assert bench.writes == 2  # c and d were added
        await bench.fleet.stop()

    run(main)


def test_routes_of_another_purpose_exit_and_name_both() -> None:
    async def main() -> None:
        bench = Bench()
        await bench.started("a", routed("order", "payment"))
        assert "order, payment" in (said := await bench.refused("b", routed("audit")))
        assert "publish audit" in said
        assert "CONSUMER_ACCEPT_CHANGE" in said
        await bench.refused("c", single("audit"))
        assert bench.row.event_types == ("order", "payment")
        assert bench.fleet.spread() == {"a": 2, "b": 0, "c": 0}
        await bench.fleet.stop()

    run(main)


def test_a_worker_with_routes_that_runs_is_not_ended_by_a_change() -> None:
    async def main() -> None:
        bench = Bench()
        await bench.started("a", routed("order"))
        await bench.started("b", routed("audit"), accept_change=True)
        assert bench.row.event_types == ("audit",)
        assert bench.row.fingerprint == routed("audit").fingerprint
        await asyncio.sleep(100)
        assert bench.row.event_types == ("audit",)  # and it does not add its own again
        assert bench.fleet.spread() == {"a": 1, "b": 1}
        await bench.refused("c", routed("order"))
        await bench.fleet.stop()

    run(main)


def test_an_accepted_change_to_routes_ends_a_single_event_type_that_left() -> None:
    async def main() -> None:
        bench = Bench()
        a = await bench.started("a", single("order"))
        bench.start("b", routed("audit"), accept_change=True)
        with pytest.raises(Misconfigured):
            await a.stopped()
        await asyncio.sleep(10)
        assert bench.fleet.spread() == {"a": 0, "b": 2}
        await bench.fleet.stop()

    run(main)


def test_a_start_that_meets_a_change_is_judged_again() -> None:
    """It has read the row before the change was accepted, and tries to add its own after."""

    async def main() -> None:
        bench = Bench()
        await bench.started("a", routed("order"))
        late = bench.start("b", routed("order", "payment"))
        late.store.fail("write_purpose", Fault.REFUSED)
        await asyncio.sleep(1)
        bench.row = replace(bench.row, event_types=("audit",))
        with pytest.raises(Misconfigured, match="audit"):
            await late.stopped()
        assert bench.row.event_types == ("audit",)
        await bench.fleet.stop()

    run(main)


def test_a_change_that_meets_another_write_is_tried_again() -> None:
    async def main() -> None:
        bench = Bench()
        await bench.started("a", routed("order"))
        node = bench.start("b", routed("audit"), accept_change=True)
        write = node.store.write_purpose

        async def overtaken(expected: StreamRow, row: StreamRow) -> StreamRow | None:
            node.store.write_purpose = write  # type: ignore[method-assign]
            bench.row = replace(bench.row, published=("order",))
            return await write(expected, row)

        node.store.write_purpose = overtaken  # type: ignore[method-assign]
        await asyncio.sleep(10)
        assert (bench.row.event_types, bench.row.published) == (("audit",), ("order",))
        await bench.fleet.stop()

    run(main)


def test_a_new_stream_goes_on_with_the_purpose_of_the_older_one() -> None:
    async def main() -> None:
        bench = Bench()
        await bench.started("a", single("order"), follow_table=True)
        node = await bench.started("b", routed("order", "audit"), follow_table=True)
        node.stored.add("audit")
        await asyncio.sleep(10)
        newer = replace(STREAM, arn=STREAM.arn + "2", label="2026-12-01T00:00:00.000")
        bench.fleet.streams.latest = newer
        await asyncio.sleep(200)
        row = bench.fleet.table.streams[newer.key]
        assert row.fingerprint == single("order").fingerprint
        assert row.event_types == ("order", "audit")
        assert row.published == ("audit",)
        node.stored.add("order")
        await asyncio.sleep(10)
        assert bench.row.published == ("audit",)
        assert bench.fleet.table.streams[newer.key].published == ("audit", "order")
        await bench.fleet.stop()

    run(main)


def test_what_cannot_be_read_is_not_copied_to_a_new_stream() -> None:
    mine = source(purpose=routed("order", "audit"))
    first = first_row(mine, STREAM, [])
    older = replace(first, fingerprint="F", event_types=("order",), published=("order",))
    damaged = replace(first, label="2026-11-15T00:00:00.000", fingerprint="", unreadable="sweep")
    newer = replace(STREAM, label="2026-12-01T00:00:00.000")
    row = first_row(mine, newer, [older, damaged])
    assert (row.fingerprint, row.event_types, row.published) == ("F", ("order",), ("order",))
    row = first_row(mine, newer, [damaged])
    assert (row.fingerprint, row.published) == (mine.purpose.fingerprint, ())


MOVED = [replace(of, stream_prefix="b-") for of in (single("order"), routed("order", "audit"))]


@pytest.mark.parametrize("moved", MOVED)
def test_another_prefix_of_a_stream_that_is_read_is_refused(moved: Purpose) -> None:
    async def main() -> None:
        bench = Bench()
        same = replace(moved, stream_prefix="")
        await bench.started("a", same)
        assert bench.row.stream_prefix == ""
        async with asyncio.timeout(60):
            said = await bench.refused("b", moved)
        assert said.startswith("CONSUMER_STREAM_PREFIX: found 'b-', but the events of stream")
        assert "have ''" in said
        await bench.started("c", same)
        await bench.fleet.stop()

    run(main)


@pytest.mark.parametrize("moved", MOVED)
def test_a_prefix_that_is_accepted_ends_those_that_have_the_old_one(moved: Purpose) -> None:
    """Also workers with routes: readers would drop what these publish after the others."""

    async def main() -> None:
        bench = Bench()
        old = await bench.started("a", replace(moved, stream_prefix=""))
        bench.start("b", moved, accept_change=True)
        with pytest.raises(Misconfigured, match="CONSUMER_STREAM_PREFIX"):
            async with asyncio.timeout(60):
                await old.stopped()
        await asyncio.sleep(10)
        assert bench.row.stream_prefix == "b-"
        assert bench.fleet.spread() == {"a": 0, "b": 2}
        await bench.fleet.stop()

    with capture_logs() as logs:
        run(main)
    (told,) = [log for log in logs if log["event"] == "fingerprint_replaced"]
    assert told["before"] == "prefix ''"


@pytest.mark.parametrize("moved", MOVED)
def test_a_row_of_an_older_version_gets_the_prefix_once(moved: Purpose) -> None:
    """The events of its workers do not name their stream: nothing sorts above."""

    async def main() -> None:
        bench = Bench()
        await bench.started("a", replace(moved, stream_prefix=""))
        await bench.fleet.stop()
        bench.row = replace(bench.row, stream_prefix=None)
        writes = bench.writes
        await bench.started("b", moved, accept_change=True)
        await asyncio.sleep(100)
        assert bench.row.stream_prefix == "b-"
        assert bench.writes == writes + 1
        await bench.fleet.stop()

    with capture_logs() as logs:
        run(main)
    assert not [log for log in logs if log["event"] == "fingerprint_replaced"]


def test_the_first_event_of_each_event_type_is_noted_once() -> None:
    async def main() -> None:
        bench = Bench()
        node = await bench.started("a", routed("order", "payment"))
        other = await bench.started("b", routed("order", "payment"))
        assert not bench.row.published
        for stored in ("payment", "order"):
            node.stored.add(stored)
            other.stored.add(stored)
            await asyncio.sleep(10)
        assert bench.row.published == ("payment", "order")
        refused = bench.fleet.table.count("refused write_purpose")
        assert bench.writes - refused <= 4
        writes = bench.writes
        await asyncio.sleep(600)
        assert bench.writes == writes
        await bench.fleet.stop()

    run(main)


def test_what_was_not_written_is_written_later() -> None:
    async def main() -> None:
        bench = Bench()
        node = await bench.started("a", routed("order"))
        node.store.fail("write_purpose", Fault.REFUSED, Fault.LOST_BEFORE, Fault.LOST_AFTER)
        node.stored.add("order")
        await asyncio.sleep(30)
        assert bench.row.published == ("order",)
        await bench.fleet.stop()

    with capture_logs() as logs:
        run(main)
    told = [log for log in logs if log["event"].startswith("event_types_unwritten")]
    assert told
    assert told[0]["action"]


def test_a_row_of_an_older_version_keeps_what_its_leases_prove() -> None:
    async def main() -> None:
        bench = Bench()
        node = await bench.started("a", single("order"))
        old = replace(bench.row, published=None)
        bench.row = old
        leases = bench.fleet.table.of(STREAM.key)
        for shard, lease in tuple(leases.items()):
            leases[shard] = replace(lease, record_at=5.0)
        late = await bench.started("b", routed("order", "payment"))
        purpose = late.coordinator._purpose
        assert purpose.stored_before == frozenset({"order"})
        late.stored.add("payment")
        await asyncio.sleep(10)
        assert bench.row.published == ("order", "payment")
        assert node.coordinator._purpose.stored_before == frozenset({"order", "payment"})
        await bench.fleet.stop()

    run(main)


def test_a_worker_says_at_its_start_in_which_event_types_it_does_not_publish() -> None:
    async def main() -> None:
        bench = Bench()
        await bench.started("a", routed("order", "payment", "customer"))
        with capture_logs() as logs:
            await bench.started("b", routed("order", "payment", "customer"))
            assert [log for log in logs if log["event"] == "event_types_lacking"] == []
            await bench.started("c", single("order"))
            await bench.started("d", routed("order", "payment"))
            await bench.started("e", routed("order", "payment"), accept_change=True)
            await bench.started("f", routed("order", "payment"))
        told = [log for log in logs if log["event"] == "event_types_lacking"]
        assert [log["event_types"] for log in told] == ["payment, customer", "customer"]
        assert told[0]["stream"] == STREAM.key
        assert told[0]["action"]
        await bench.fleet.stop()

    run(main)
