from math import inf

import pytest
from msgspec.structs import replace

from consumer.core.leases.lease import Worker
from consumer.core.leases.peers import UNSTATED_SECONDS, Peers
from consumer.core.leases.worker_report import WorkerReport
from consumer.core.limits import LeaseTiming

TIMING = LeaseTiming(heartbeat=2.0, lease_duration=10.0)
STREAM = "orders/1"


def worker(
    name: str,
    heartbeat: int,
    *,
    able: bool = True,
    draining: bool = False,
    changes: int = 0,
    lease_duration: float | None = 10.0,
    heartbeat_interval: float | None = 2.0,
) -> Worker:
    row = Worker(name, heartbeat, changes, (STREAM,), able, draining, 50.0, 1.0, "host", "1")
    return replace(row, lease_duration=lease_duration, heartbeat_interval=heartbeat_interval)


def peers() -> Peers:
    return Peers("me", TIMING)


def test_a_peer_is_dead_when_a_read_sent_a_lease_duration_after_the_answer_shows_the_same() -> None:
    seen = peers()
    seen.observe(0.0, 3.0, [worker("p", 7)], [])
    seen.observe(12.99, 13.5, [worker("p", 7)], [])  # sent too early, answered late enough
    assert seen.dead == frozenset()
    seen.observe(13.0, 13.1, [worker("p", 7)], [])
    assert seen.dead == {"p"}


@pytest.mark.parametrize(
    ("stated", "longest"), [(60.0, 60.0), (4.0, 10.0), (None, UNSTATED_SECONDS)]
)
def test_a_peer_is_judged_by_the_lease_duration_that_its_row_states(
    stated: float | None, longest: float
) -> None:
    seen = peers()
    row = worker("p", 7, lease_duration=stated)
    after = UNSTATED_SECONDS if stated is None else stated
    seen.observe(0.0, 0.0, [row], [])
    assert seen.longest_lease_duration == longest
    assert seen.next_read_due() == after
    seen.observe(after - 0.1, after, [row], [])
    assert seen.dead == frozenset()
    seen.observe(after, after, [row], [])
    assert seen.dead == {"p"}


def test_an_own_lease_duration_that_is_longer_is_taken_for_a_peer_that_states_none() -> None:
    seen = Peers("me", LeaseTiming(lease_duration=90.0))
    seen.observe(0.0, 0.0, [worker("p", 7, lease_duration=None)], [])
    seen.observe(89.9, 90.0, [worker("p", 7, lease_duration=None)], [])
    assert seen.dead == frozenset()


def test_what_a_vanished_row_stated_still_holds() -> None:
    seen = peers()
    seen.observe(0.0, 0.0, [worker("p", 7, lease_duration=60.0)], ["p"])
    seen.observe(5.0, 5.0, [], ["p"])
    seen.observe(64.9, 64.9, [], ["p"])
    assert seen.dead == frozenset()
    seen.observe(65.0, 65.0, [], ["p"])
    assert seen.dead == {"p"}


def test_an_owner_whose_row_was_never_seen_may_keep_to_what_the_longest_peer_does() -> None:
    seen = peers()
    seen.observe(0.0, 0.0, [worker("p", 7, lease_duration=60.0)], ["ghost"])
    seen.observe(59.9, 59.9, [worker("p", 8, lease_duration=60.0)], ["ghost"])
    assert seen.dead == frozenset()
    seen.observe(60.0, 60.0, [worker("p", 8, lease_duration=60.0)], ["ghost"])
    assert seen.dead == {"ghost"}


def test_time_without_a_successful_read_proves_nothing() -> None:
    seen = peers()
    seen.observe(0.0, 0.1, [worker("p", 7)], [])
    seen.observe(100.0, 100.1, [worker("p", 8)], [])
    assert seen.dead == frozenset()
    seen.observe(105.0, 105.1, [worker("p", 8)], [])
    assert seen.dead == frozenset()


def test_a_dead_peer_that_moves_is_alive_again() -> None:
    seen = peers()
    seen.observe(0.0, 0.0, [worker("p", 7)], [])
    seen.observe(10.0, 10.0, [worker("p", 7)], [])
    assert seen.dead == {"p"}
    seen.observe(12.0, 12.0, [worker("p", 8)], [])
    assert seen.dead == frozenset()
    assert seen.eligible(STREAM) == {"p"}


def test_an_owner_without_a_row_is_dead_after_being_absent_as_long() -> None:
    seen = peers()
    seen.observe(0.0, 0.1, [], ["ghost"])
    seen.observe(10.0, 10.1, [], ["ghost"])
    assert seen.dead == frozenset()
    seen.observe(10.2, 10.3, [], ["ghost"])
    assert seen.dead == {"ghost"}


def test_a_row_that_vanishes_starts_the_absence_anew() -> None:
    seen = peers()
    seen.observe(0.0, 0.0, [worker("p", 7)], ["p"])
    seen.observe(9.0, 9.0, [], ["p"])
    seen.observe(10.0, 10.0, [], ["p"])
    assert seen.dead == frozenset()
    seen.observe(19.0, 19.0, [], ["p"])
    assert seen.dead == {"p"}
    seen.observe(20.0, 20.0, [worker("p", 7)], ["p"])
    assert seen.dead == frozenset()


def test_a_worker_that_owns_nothing_and_has_no_row_is_forgotten() -> None:
    seen = peers()
    seen.observe(0.0, 0.0, [worker("p", 7)], [])
    seen.observe(2.0, 2.0, [], [])
    assert seen.next_read_due() == inf
    assert seen.settled_at("p") is None


def test_i_am_nobodys_peer() -> None:
    seen = peers()
    for at in (0.0, 10.0, 20.0):
        seen.observe(at, at, [worker("me", 1)], ["me"])
    assert seen.dead == frozenset()
    assert seen.eligible(STREAM) == frozenset()


def test_a_peer_is_eligible_only_once_its_heartbeat_was_seen_to_rise() -> None:
    seen = peers()
    seen.observe(0.0, 0.0, [worker("p", 7)], [])
    assert seen.eligible(STREAM) == frozenset()
    seen.observe(2.0, 2.0, [worker("p", 8)], [])
    assert seen.eligible(STREAM) == {"p"}


def test_a_peer_silent_for_more_than_three_beats_is_not_eligible() -> None:
    seen = peers()
    seen.observe(0.0, 0.0, [worker("p", 7)], [])
    seen.observe(2.0, 2.0, [worker("p", 8)], [])
    seen.observe(8.0, 8.0, [worker("p", 8)], [])
    assert seen.eligible(STREAM) == {"p"}
    seen.observe(8.1, 8.1, [worker("p", 8)], [])
    assert seen.eligible(STREAM) == frozenset()


@pytest.mark.parametrize(("interval", "beats"), [(15.0, 45.0), (None, 6.0)])
def test_the_beats_are_those_of_the_peer(interval: float | None, beats: float) -> None:
    seen = peers()
    seen.observe(0.0, 0.0, [worker("p", 7, heartbeat_interval=interval)], [])
    seen.observe(2.0, 2.0, [worker("p", 8, heartbeat_interval=interval)], [])
    seen.observe(2.0 + beats, 2.0 + beats, [worker("p", 8, heartbeat_interval=interval)], [])
    assert seen.eligible(STREAM) == {"p"}
    seen.observe(2.1 + beats, 2.1 + beats, [worker("p", 8, heartbeat_interval=interval)], [])
    assert seen.eligible(STREAM) == frozenset()


def test_draining_unable_and_foreign_workers_are_not_eligible() -> None:
    seen = peers()
    for beat, at in ((1, 0.0), (2, 2.0)):
        rows = [
            worker("drains", beat, draining=True),
            worker("unable", beat, able=False),
            worker("fine", beat),
        ]
        seen.observe(at, at, rows, [])
    assert seen.eligible(STREAM) == {"fine"}
    assert seen.eligible("other/1") == frozenset()
    assert seen.draining


def test_the_next_read_is_due_when_the_longest_silent_peer_could_be_judged() -> None:
    seen = peers()
    assert seen.next_read_due() == inf
    seen.observe(0.0, 0.5, [worker("p", 7), worker("q", 1)], [])
    seen.observe(2.0, 2.5, [worker("p", 7), worker("q", 2)], [])
    assert seen.next_read_due() == 10.5
    seen.observe(10.5, 10.6, [worker("p", 7), worker("q", 2)], [])
    assert seen.dead == {"p"}
    assert seen.next_read_due() == 12.5


def test_changes_and_last_signs_of_life_are_remembered() -> None:
    seen = peers()
    seen.observe(0.0, 0.0, [worker("p", 7, changes=3)], ["p"])
    assert seen.changes() == (("p", 3),)
    seen.observe(1.0, 1.0, [], ["p"])
    assert seen.changes() == ()
    assert seen.settled_at("p") == 50.0


def test_what_a_worker_left_unsettled_is_remembered_without_its_row() -> None:
    seen = peers()
    stuck = replace(worker("p", 7), report=WorkerReport("backing_off", settled_at=12.0))
    seen.observe(0.0, 0.0, [stuck], ["p"])
    seen.observe(1.0, 1.0, [], ["p"])
    assert seen.settled_at("p") == 12.0  # it lived until 50.0, and settled nothing
    seen.observe(2.0, 2.0, [replace(stuck, report=WorkerReport("ok"))], ["p"])
    assert seen.settled_at("p") == 50.0  # it ran nothing


def test_a_peer_whose_row_cannot_be_read_gets_no_share_and_lives_while_its_row_changes() -> None:
    seen = peers()
    for at, beat in ((0.0, 7), (8.0, 8), (16.0, 9)):
        seen.observe(at, at, [replace(worker("p", beat), unreadable="host")], ["p"])
    assert seen.beating == {"p"}
    assert (seen.dead, seen.eligible(STREAM)) == (frozenset(), frozenset())
    seen.observe(26.0, 26.0, [replace(worker("p", 9), unreadable="host")], ["p"])
    assert seen.dead == {"p"}


def test_the_rows_of_peers_and_what_they_say_are_those_read_last() -> None:
    seen = peers()
    report = WorkerReport("stopped")
    told = replace(worker("p", 7), report=report)
    seen.observe(0.0, 1.0, [worker("me", 3), told, worker("q", 1)], ["absent"])
    assert seen.rows == (told, worker("q", 1))
    assert seen.report_of("p") == report
    assert seen.report_of("q") is None
    assert seen.report_of("absent") is None
    assert seen.report_of("nobody") is None
