"""Leases as an operator sees them."""

from __future__ import annotations

from dataclasses import replace

from consumer.core.leases.checkpoint import LATEST, SHARD_END, UNREADABLE
from consumer.core.leases.lease import Lease, Worker
from consumer.core.reports.lease_report import LeaseLine, lease_report

NOW = 1_000_000.0
DURATION = 10.0


def worker(name: str, seen_at: float) -> Worker:
    return Worker(
        name,
        1,
        1,
        (),
        able=True,
        draining=False,
        seen_at=seen_at,
        started_at=0.0,
        host="h",
        version="1",
    )


def lines(*leases: Lease, workers: tuple[Worker, ...] = ()) -> dict[str, LeaseLine]:
    report = lease_report(leases, workers, DURATION, NOW)
    return {line.shard_id: line for line in report}


def test_lines_are_in_order_and_carry_the_row() -> None:
    parent = Lease("a", None, checkpoint=SHARD_END)
    child = Lease("b", "a", owner="w", checkpoint="42", record_at=NOW - 5)
    report = lease_report([child, parent], [worker("w", NOW)], DURATION, NOW)
    assert report == (
        LeaseLine("a", None, None, "finished", SHARD_END, None),
        LeaseLine("b", "a", "w", "held", "42", 5.0),
    )


def test_a_child_waits_for_its_parent() -> None:
    parent = Lease("a", None, checkpoint="7")
    child = Lease("b", "a")
    assert lines(parent, child)["b"].state == "waiting_for_parent"
    assert lines(child)["b"].state == "waiting_for_parent"
    assert lines(child, replace(parent, checkpoint=SHARD_END))["b"].state == "unowned"
    assert lines(replace(child, parent_gone=True))["b"].state == "unowned"
    assert lines(replace(child, checkpoint=LATEST))["b"].state == "waiting_for_parent"


def test_an_owner_without_a_sign_of_life_is_silent() -> None:
    lease = Lease("a", None, owner="w", checkpoint="7", record_at=NOW - 500)
    assert lines(lease)["a"].state == "silent"
    # Whatever its gate says now: it was open when the lease was taken.
    behind = replace(lease, parent_shard_id="p", checkpoint=LATEST)
    assert lines(behind)["a"].state == "silent"
    assert lines(lease, workers=(worker("w", NOW - 20),))["a"].state == "held"
    silent = lines(lease, workers=(worker("w", NOW - 21),))["a"]
    assert (silent.state, silent.age_seconds) == ("silent", 21.0)


def test_the_age_counts_from_the_newest_thing_known() -> None:
    lease = Lease("a", None, checkpoint="7", created_at=NOW - 900)
    assert lines(lease)["a"].age_seconds == 900
    assert lines(replace(lease, record_at=NOW - 30))["a"].age_seconds == 30
    known = replace(lease, record_at=NOW - 30, caught_up_at=NOW - 20, released_at=NOW - 10)
    assert lines(known)["a"].age_seconds == 20
    held = replace(lease, owner="w", record_at=NOW - 30)
    assert lines(held, workers=(worker("w", NOW),))["a"].age_seconds == 30


def test_a_clock_ahead_of_ours_gives_no_negative_age() -> None:
    assert lines(Lease("a", None, record_at=NOW + 3))["a"].age_seconds == 0


def test_a_row_that_cannot_be_read_is_shown_with_what_is_known_of_it() -> None:
    damaged = Lease("a", None, "w", checkpoint=UNREADABLE, unreadable="createdAt")
    known = replace(damaged, record_at=NOW - 5)
    assert lines(damaged)["a"] == LeaseLine("a", None, "w", "unreadable", UNREADABLE, None)
    assert lines(known)["a"].age_seconds == 5.0
