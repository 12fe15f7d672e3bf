"""Leases as an operator sees them."""

from __future__ import annotations

from msgspec.structs import replace

from consumer.core.leases.checkpoint import LATEST, SHARD_END, UNREADABLE
from consumer.core.leases.lease import Lease, Pause, Worker
from consumer.core.leases.worker_report import WorkerReport
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
    report = lease_report("t/1", leases, workers, DURATION, NOW)
    return {line.shard_id: line for line in report}


def test_lines_are_in_order_and_carry_the_row() -> None:
    parent = Lease("a", None, checkpoint=SHARD_END)
    child = Lease("b", "a", owner="w", checkpoint="42", record_at=NOW - 5)
    report = lease_report("t/1", [child, parent], [worker("w", NOW)], DURATION, NOW)
    assert report == (
        LeaseLine("a", None, None, "finished", SHARD_END, None, stream="t/1"),
        LeaseLine("b", "a", "w", "held", "42", 5.0, stream="t/1"),
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


def test_what_a_silent_owner_left_unsettled_is_as_old_as_its_row_says() -> None:
    lease = Lease("a", None, owner="w", checkpoint="7", record_at=NOW - 500)
    stuck = replace(worker("w", NOW - 21), report=WorkerReport("ok", settled_at=NOW - 300))
    silent = lines(lease, workers=(stuck,))["a"]
    assert (silent.state, silent.age_seconds) == ("silent", 300.0)


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
    assert lines(damaged)["a"] == LeaseLine(
        "a", None, "w", "unreadable", UNREADABLE, None, stream="t/1"
    )
    assert lines(known)["a"].age_seconds == 5.0


def told(**facts: float | tuple[str, ...]) -> Worker:
    return replace(worker("w", NOW), report=WorkerReport("ok", **facts))  # type: ignore[arg-type]


def test_a_shard_is_idle_if_its_owner_says_that_nothing_waits_and_nothing_came_lately() -> None:
    lease = Lease("a", None, owner="w", checkpoint="7", record_at=NOW - 9000)
    settled = told(settled_at=NOW - 2)
    line = lines(lease, workers=(settled,))["a"]
    assert (line.state, line.idle, line.age_seconds) == ("held", True, 2.0)
    assert not lines(lease, workers=(worker("w", NOW),))["a"].idle  # 0.1.0 does not say
    assert not lines(lease, workers=(told(settled_at=NOW - 300),))["a"].idle  # it stands still
    assert not lines(replace(lease, record_at=NOW - 5), workers=(settled,))["a"].idle
    assert not lines(replace(lease, paused=True), workers=(settled,))["a"].idle


def test_a_shard_that_fails_by_its_owners_word_is_not_held() -> None:
    lease = Lease("a", None, owner="w", checkpoint="7", record_at=NOW - 9000)
    failing = told(failing=("t/1/a",))
    assert lines(lease, workers=(failing,))["a"].state == "failing"
    assert lines(replace(lease, owner="other"), workers=(failing,))["a"].state == "silent"


def test_a_pause_says_by_whom_when_and_why() -> None:
    pause = Pause("me@desk", NOW - 60, "deploy")
    line = lines(Lease("a", None, paused=True, pause=pause))["a"]
    assert (line.paused_by, line.paused_at, line.paused_reason) == ("me@desk", NOW - 60, "deploy")
    assert line.pause == pause
    assert lines(Lease("a", None, paused=True))["a"].pause is None  # 0.1.0 does not say by whom
