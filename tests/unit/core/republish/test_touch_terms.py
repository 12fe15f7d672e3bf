"""When items may be touched."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from consumer.core.leases.lease import Worker
from consumer.core.leases.peers import Peers
from consumer.core.limits import LeaseTiming
from consumer.core.republish.table.table_description import TableDescription
from consumer.core.republish.touch_terms import (
    Readiness,
    hindrance,
    readiness,
    said,
)
from tests.unit.core.republish.items import TABLE_ARN

TOUCH = "consumer:touch"
TABLE = TableDescription("orders", TABLE_ARN, ("id",), {"id": "S"}, defined=frozenset({"id"}))
REPLICATED = replace(TABLE, replicas=("eu-west-1", "eu-west-2"))
ROW = Worker("w", 1, 0, ("orders/2",), True, False, 0.0, 0.0, "host", "0.2.0", 10.0, 2.0)
FIT = replace(ROW, worker_id="fit", touch_attribute=TOUCH)
OLDER = replace(ROW, worker_id="older", version="0.1.0")


@pytest.mark.parametrize(
    ("table", "only_writer", "told"),
    [
        (TABLE, False, None),
        (REPLICATED, False, "table orders has replicas (eu-west-1, eu-west-2): "),
        (REPLICATED, True, None),
        (replace(REPLICATED, strong=True), False, None),
        (replace(TABLE, defined=frozenset({"id", TOUCH})), True, "'consumer:touch' is a key of an"),
    ],
)
def test_what_a_table_does_not_allow(
    table: TableDescription, only_writer: bool, told: str | None
) -> None:
    why = hindrance(table, TOUCH, only_writer=only_writer)
    assert (why or "").startswith(told or "")
    assert (why is None) == (told is None)


def seen(*reads: tuple[float, list[Worker]]) -> Readiness:
    peers = Peers("", LeaseTiming(heartbeat=2.0, lease_duration=10.0))
    for at, rows in reads:
        peers.observe(at, at, rows, ())
    return readiness(peers, TOUCH, "orders")


def later(row: Worker, beats: int = 1) -> Worker:
    return replace(row, heartbeat=row.heartbeat + beats)


def test_a_worker_must_be_seen_alive() -> None:
    assert seen((0.0, [FIT])) == Readiness(ready=False)
    assert seen((0.0, [FIT]), (2.0, [later(FIT)])) == Readiness(ready=True)
    assert seen((0.0, []), (2.0, [])) == Readiness(ready=False)


def test_one_must_read_the_table_whichever_of_its_streams() -> None:
    for streams in ((), ("orders-2/1",)):
        row = replace(FIT, streams=streams)
        assert seen((0.0, [row]), (2.0, [later(row)])) == Readiness(ready=False)
    row = replace(FIT, streams=("orders/1", "orders/2"))
    assert seen((0.0, [row]), (2.0, [later(row)])) == Readiness(ready=True)


def test_one_that_lives_and_does_not_leave_it_out_is_named() -> None:
    found = seen((0.0, [FIT, OLDER]), (2.0, [later(FIT), later(OLDER)]))
    assert found.refusal == (
        "worker older (version 0.1.0) leaves out no attribute, and not 'consumer:touch'"
    )
    other = replace(OLDER, touch_attribute="x", version="")
    found = seen((0.0, [FIT, other]), (2.0, [later(FIT), later(other)]))
    assert (found.ready, found.refusal) == (
        False,
        "worker older (version unknown) leaves out 'x', and not 'consumer:touch'",
    )


def test_one_that_may_live_is_waited_for_until_it_is_proven_dead() -> None:
    assert seen((0.0, [FIT, OLDER]), (2.0, [later(FIT), OLDER])) == Readiness(ready=False)
    reads = [(2.0 * n, [later(FIT, n), OLDER]) for n in range(6)]
    assert seen(*reads) == Readiness(ready=True)
    gone = [(0.0, [FIT, OLDER]), (2.0, [later(FIT)]), (4.0, [later(FIT, 2)])]
    assert seen(*gone) == Readiness(ready=True)


def test_what_is_said_before_it_asks() -> None:
    told = "\n".join(said("mark", 12.5))
    for word in (
        "attribute mark;",
        "cancels transactions",
        "every other reader of the stream",
        "stays in the item",
        "indexes",
        "at most 12.5 write units",
    ):
        assert word in told
