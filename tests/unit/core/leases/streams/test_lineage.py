from msgspec.structs import replace

from consumer.core.leases.checkpoint import LATEST, SHARD_END, UNREADABLE
from consumer.core.leases.lease import Lease, StreamRow
from consumer.core.leases.streams.lineage import (
    LISTED_SECONDS,
    childless_ends,
    deletable,
    gate_open,
    label_before,
    oldest_first,
    parents_first,
    ready_shards,
)
from consumer.core.stream.stream import Shard

ROW = StreamRow("arn", "orders", "1", None, "TRIM_HORIZON", None, True, 1, 1, 0, "f")
PARENT = Lease("p", None)
CHILD = Lease("c", "p")
HOURS = 3600.0


def ready(*leases: Lease, row: StreamRow = ROW, predecessor_done: bool = True) -> set[str]:
    return set(ready_shards(row, leases, predecessor_done=predecessor_done))


def test_a_root_is_ready_and_a_child_waits_for_its_parents_end() -> None:
    assert ready(PARENT, CHILD) == {"p"}
    assert ready(replace(PARENT, checkpoint="100"), CHILD) == {"p"}
    assert ready(replace(PARENT, checkpoint=SHARD_END), CHILD) == {"c"}


def test_a_missing_parent_row_proves_nothing() -> None:
    assert ready(CHILD) == set()


def test_a_proven_absence_opens_the_gate() -> None:
    assert ready(replace(CHILD, parent_gone=True)) == {"c"}


def test_a_child_at_latest_waits_and_one_with_a_sequence_number_has_passed() -> None:
    assert ready(PARENT, replace(CHILD, checkpoint=LATEST)) == {"p"}
    assert ready(PARENT, replace(CHILD, checkpoint="5")) == {"p", "c"}
    assert gate_open(replace(CHILD, checkpoint="5"), {})


def test_nothing_is_ready_before_the_stream_is_bootstrapped() -> None:
    assert ready(PARENT, row=replace(ROW, bootstrapped=False)) == set()


def test_nothing_is_ready_while_the_older_stream_is_unread() -> None:
    assert ready(PARENT, predecessor_done=False) == set()


def test_finished_shards_are_not_ready() -> None:
    assert ready(replace(PARENT, checkpoint=SHARD_END)) == set()


def test_ends_without_children_are_known() -> None:
    end = replace(PARENT, checkpoint=SHARD_END)
    assert childless_ends([end, Lease("q", None)]) == ("p",)
    assert childless_ends([end, CHILD]) == ()


def finished(released_at: float | None = 0.0, created_at: float = 0.0) -> Lease:
    return Lease("p", None, checkpoint=SHARD_END, released_at=released_at, created_at=created_at)


def test_a_finished_row_goes_26_hours_after_its_end() -> None:
    assert deletable([finished()], [], LISTED_SECONDS) == (finished(),)
    assert deletable([finished()], [], LISTED_SECONDS - 1) == ()
    assert deletable([finished(released_at=10.0)], [], LISTED_SECONDS) == ()
    # Closed before the start: never held, so its row's age counts.
    assert deletable([finished(None, 10.0)], [], LISTED_SECONDS) == ()
    assert LISTED_SECONDS == 26 * HOURS


def test_a_finished_row_stays_while_its_shard_is_listed() -> None:
    assert deletable([finished()], ["p"], LISTED_SECONDS) == ()


def test_a_finished_row_stays_until_its_children_have_begun() -> None:
    row = finished()
    assert deletable([row, CHILD], [], LISTED_SECONDS) == ()
    assert deletable([row, replace(CHILD, owner="w")], [], LISTED_SECONDS) == ()
    for begun in (
        replace(CHILD, checkpoint="5"),
        replace(CHILD, parent_gone=True),
    ):
        assert deletable([row, begun], [], LISTED_SECONDS) == (row,)


def test_unfinished_rows_never_go() -> None:
    assert deletable([Lease("p", None, checkpoint="9")], [], 100 * LISTED_SECONDS) == ()


FIRST, SECOND, THIRD, FOURTH = (
    replace(ROW, label=f"2026-09-{day}T14:13:25.000", after=None) for day in range(20, 24)
)


def test_streams_of_a_table_come_in_the_order_in_which_they_were_made() -> None:
    second, third = replace(SECOND, after=FIRST.label), replace(THIRD, after=SECOND.label)
    # Whoever made this row did not know the second and third stream.
    fourth = replace(FOURTH, after=FIRST.label)
    assert oldest_first([fourth, third, FIRST, second]) == (FIRST, second, third, fourth)


def test_streams_of_several_tables_stay_together() -> None:
    other = replace(ROW, table="z", label=FIRST.label)
    assert oldest_first([other, SECOND, FIRST]) == (FIRST, SECOND, other)


def test_the_stream_before_is_the_newest_older_one() -> None:
    rows = [FOURTH, FIRST, replace(THIRD, after=FIRST.label)]
    found = [label_before(row.label, rows) for row in (FIRST, SECOND, THIRD, FOURTH)]
    assert found == [None, FIRST.label, FIRST.label, THIRD.label]


def test_a_stream_whose_row_is_gone_is_known_by_the_one_that_comes_after_it() -> None:
    assert label_before(THIRD.label, [replace(THIRD, after=SECOND.label)]) == SECOND.label
    assert label_before(THIRD.label, [THIRD]) is None


DAMAGED = replace(PARENT, checkpoint=UNREADABLE, unreadable="checkpoint")


def test_a_shard_whose_row_cannot_be_read_is_not_ready_and_its_children_wait() -> None:
    other = Lease("o", None)
    assert ready(DAMAGED, CHILD, other) == {"o"}


def test_nothing_is_deleted_while_a_row_cannot_be_read() -> None:
    ended = Lease("e", None, checkpoint=SHARD_END)
    assert deletable([ended], (), 30 * HOURS) == (ended,)
    assert deletable([ended, DAMAGED], (), 30 * HOURS) == ()


def test_a_stream_row_that_cannot_be_read_keeps_its_place() -> None:
    second = replace(SECOND, unreadable="after")
    assert oldest_first([THIRD, second, FIRST]) == (FIRST, second, THIRD)


def test_parents_come_first_in_whatever_order_they_are_listed() -> None:
    a, b, c = Shard("a", "gone", 1), Shard("b", "a", 2), Shard("c", "b", None)
    root = Shard("root", None, None)
    for listed in ([c, b, a, root], [b, root, c, a], [a, b, c, root]):
        found = parents_first(listed)
        assert sorted(found, key=str) == sorted(listed, key=str)
        assert [shard for shard in found if shard is not root] == [a, b, c]


def test_shards_that_name_each_other_as_parents_come_all_the_same() -> None:
    a, b = Shard("a", "b", 1), Shard("b", "a", 2)
    assert set(parents_first([a, b])) == {a, b}
