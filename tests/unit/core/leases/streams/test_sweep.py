from msgspec.structs import replace

from consumer.core.leases.checkpoint import SHARD_END
from consumer.core.leases.lease import Lease, StreamRow
from consumer.core.leases.streams.sweep import (
    UNCHANGED_LISTINGS,
    SweepClock,
    UnlistedParents,
    new_lease,
    orphans,
)
from consumer.core.stream.stream import Shard

ROW = StreamRow("arn", "orders", "1", None, "TRIM_HORIZON", None, True, 0, 0, 0, "f")


def clock(*seen: tuple[int, int, float]) -> SweepClock:
    made = SweepClock()
    for n, done, at in seen:
        made.observe(replace(ROW, sweep_n=n, sweep_done=done), at)
    return made


def test_a_stream_never_swept_is_due_at_once() -> None:
    assert clock((0, 0, 5.0)).due_at(60.0, 10.0) == 5.0


def test_a_finished_sweep_is_followed_after_the_interval_since_it_was_seen() -> None:
    assert clock((3, 3, 5.0), (3, 3, 40.0)).due_at(60.0, 10.0) == 65.0


def test_an_unfinished_sweep_is_taken_over_after_the_lease_duration() -> None:
    assert clock((4, 3, 5.0), (4, 3, 12.0)).due_at(60.0, 10.0) == 15.0


def test_a_sweep_that_goes_on_shows_it() -> None:
    assert clock((4, 3, 5.0), (5, 3, 12.0)).due_at(60.0, 10.0) == 22.0


def test_a_new_row_starts_at_the_oldest_record() -> None:
    assert new_lease(Shard("c", "p", None), ROW, 7.0) == Lease("c", "p", created_at=7.0)


def test_a_new_row_may_be_as_old_as_the_last_listing_that_did_not_show_it() -> None:
    swept = replace(ROW, swept_at=5.0)
    assert new_lease(Shard("c", "p", None), swept, 7.0).created_at == 5.0
    assert new_lease(Shard("c", "p", None), swept, 3.0).created_at == 3.0  # clocks differ


def test_orphans_wait_for_a_parent_that_nobody_shows() -> None:
    child = Lease("c", "p")
    assert orphans([child], []) == (child,)
    assert orphans([child], ["p"]) == ()
    assert orphans([child, Lease("p", None)], []) == ()
    for settled in (
        replace(child, parent_gone=True),
        replace(child, checkpoint="5"),
        replace(child, checkpoint=SHARD_END),
        replace(child, parent_shard_id=None),
    ):
        assert orphans([settled], []) == ()


def test_a_parent_that_answers_but_is_never_listed_is_given_up_after_five_equal_listings() -> None:
    patience = UnlistedParents()
    answers = []
    for _ in range(UNCHANGED_LISTINGS):
        patience.observe(frozenset({"c"}))
        answers.append(patience.answered("c"))
    assert answers == [False, False, False, False, True]


def test_a_listing_that_changes_starts_the_count_again() -> None:
    patience = UnlistedParents()
    for number in range(20):
        patience.observe(frozenset({"c", str(number // 4)}))
        assert not patience.answered("c")


def test_a_row_that_cannot_be_read_is_no_orphan_and_hides_no_parent() -> None:
    damaged = Lease("p", "q", checkpoint="UNREADABLE", unreadable="checkpoint")
    assert orphans([damaged, Lease("c", "p")], ()) == ()
