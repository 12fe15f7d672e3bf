from collections.abc import Mapping, Sequence

import pytest
from msgspec.structs import replace

from consumer.core.leases.checkpoint import SHARD_END
from consumer.core.leases.lease import Lease, StreamRow
from consumer.core.leases.streams.stream_life import (
    SURELY_LISTED_SECONDS,
    Closing,
    Confirmed,
    FoundLate,
    Open,
    PassedBy,
    Phase,
    Retired,
    StreamLife,
    StreamSeen,
    advance,
    row_lost,
    unread,
    waiting_long,
)

FRESH = Lease("s", None)
READ = Lease("s", None, "w", 1, "5")
ENDED = Lease("s", None, None, 2, SHARD_END)
SOON = SURELY_LISTED_SECONDS - 1


def row(label: str, n: int, done: int) -> StreamRow:
    return StreamRow("arn", "orders", label, None, "TRIM_HORIZON", None, True, n, done, 0, "f")


def seen(label: str, *leases: Lease, n: int = 1, done: int | None = None) -> StreamSeen:
    """A stream whose leases were read after its row."""
    numbers = row(label, n, n if done is None else done)
    return StreamSeen(numbers, 0, leases, numbers.sweep_done)


class Table:
    """A worker that looks at the table's streams again and again."""

    def __init__(self) -> None:
        self.lives: Mapping[str, StreamLife] = {}
        self.told: list[FoundLate] = []

    def look(self, now: float, *streams: StreamSeen) -> Sequence[Phase]:
        just_read = [replace(each, asked_at=now) for each in streams]
        self.lives, late = advance(now, self.lives, just_read)
        self.told.extend(late)
        assert list(self.lives) == [each.row.key for each in streams]
        return [life.phase for life in self.lives.values()]

    @property
    def readable(self) -> list[str]:
        return [key.removeprefix("orders/") for key, life in self.lives.items() if life.may_be_read]


def test_a_stream_is_open_until_all_its_leases_are_at_their_end() -> None:
    table = Table()
    assert table.look(0, StreamSeen(row("1", 0, 0), 0)) == [Open()]
    assert table.look(1, seen("1", READ, replace(ENDED, shard_id="t"))) == [Open()]
    assert table.look(2, seen("1", ENDED)) == [Closing(2)]
    assert table.look(3, seen("1", ENDED, replace(FRESH, shard_id="child"))) == [Open()]
    assert table.look(4, seen("1", ENDED)) == [Closing(4)]
    assert table.readable == ["1"]


def test_a_stream_that_was_never_listed_has_no_leases_yet_and_is_open() -> None:
    assert Table().look(0, seen("1", n=1, done=0)) == [Open()]
    assert Table().look(0, seen("1", n=1, done=1)) == [Closing(0)]
    # It has been listed since, but its leases were read before that.
    assert Table().look(0, StreamSeen(row("1", 1, 1), 0, (), 0)) == [Open()]


def test_a_listing_that_began_well_after_the_end_confirms_it() -> None:
    table = Table()
    new = seen("2", FRESH)
    assert table.look(0, seen("1", ENDED, n=1), new) == [Closing(0), Open()]
    assert table.look(SOON, seen("1", ENDED, n=3), new) == [Closing(0), Open()]
    assert table.look(SOON + 1, seen("1", ENDED, n=4), new) == [Closing(0, 4), Open()]
    assert table.look(99, seen("1", ENDED, n=5, done=4), new) == [Closing(0, 4), Open()]
    assert table.readable == ["1"]
    assert table.look(100, seen("1", ENDED, n=5), new) == [Confirmed(), Open()]
    assert table.readable == ["1", "2"]
    assert table.look(101, seen("1", ENDED, n=5), seen("2", READ)) == [Retired(), Open()]
    assert table.readable == ["1", "2"]


def test_an_end_is_confirmed_by_leases_that_were_read_after_that_listing() -> None:
    table = Table()
    table.look(0, seen("1", ENDED))
    table.look(40, seen("1", ENDED, n=4))
    listed = replace(seen("1", ENDED, n=4), row=row("1", 5, 5))
    assert table.look(50, listed) == [Closing(0, 4)]
    assert unread(Closing(0, 4), listed)
    child = replace(FRESH, shard_id="child")
    assert table.look(51, seen("1", ENDED, child, n=5)) == [Open()]
    assert table.told == []


def test_a_listing_under_way_does_not_confirm_an_end_however_often_its_turn_is_renewed() -> None:
    table = Table()
    table.look(0, seen("1", ENDED))
    for now, n in ((20, 2), (31, 3), (35, 4)):
        assert table.look(now, seen("1", ENDED, n=n, done=1)) == [Closing(0)]
    assert table.look(40, seen("1", ENDED, n=4)) == [Closing(0, 4)]
    assert table.look(51, seen("1", ENDED, n=5)) == [Confirmed()]


def test_a_row_that_was_read_too_early_does_not_say_which_listing_began_late_enough() -> None:
    lives, _ = advance(0, {}, [seen("1", ENDED)])
    lives, _ = advance(31, lives, [replace(seen("1", ENDED), asked_at=SOON)])
    assert lives["orders/1"].phase == Closing(0)


def test_a_stream_is_not_retired_before_a_later_one_has_begun() -> None:
    table = Table()
    for now, n in ((0, 1), (40, 2), (50, 3), (60, 4), (70, 5)):
        phases = table.look(now, seen("1", ENDED, n=n))
    assert phases == [Confirmed()]
    assert table.look(80, seen("1", ENDED, n=6), seen("2", FRESH)) == [Confirmed(), Open()]
    assert table.readable == ["1", "2"]
    # What is found until then is read before the next stream, as if nothing had been confirmed.
    child = replace(FRESH, shard_id="child")
    assert table.look(90, seen("1", ENDED, child, n=7), seen("2", FRESH)) == [Open(), Open()]
    assert table.readable == ["1"]
    assert table.told == []


def test_right_after_a_restart_the_rows_prove_that_the_older_streams_are_read() -> None:
    table = Table()
    assert table.look(0, seen("1", ENDED), seen("2", READ), seen("3", FRESH)) == [
        Retired(),
        Open(),
        Open(),
    ]
    assert table.readable == ["1", "2"]
    # A stream's rows may have been deleted since; the newest that has begun speaks for them all.
    assert Table().look(0, seen("1"), seen("2"), seen("3", ENDED)) == [
        Retired(),
        Retired(),
        Closing(0),
    ]


def test_three_streams_in_a_row_with_a_restart_while_the_second_is_read() -> None:
    first, third = seen("1", ENDED, n=9), seen("3", FRESH)  # nobody lists the first meanwhile
    table = Table()
    assert table.look(0, first, seen("2", READ), third)[0] == Retired()
    assert table.look(10, first, seen("2", ENDED), third)[1] == Closing(10)
    assert table.look(41, first, seen("2", ENDED, n=4), third)[1] == Closing(10, 4)
    assert table.readable == ["1", "2"]
    assert table.look(50, first, seen("2", ENDED, n=5), third)[1] == Confirmed()
    assert table.readable == ["1", "2", "3"]


def test_a_restart_while_nothing_is_read_confirms_both_anew_without_waiting_for_each_other() -> (
    None
):
    table = Table()
    new = seen("3", FRESH)
    for now, n in ((0, 1), (31, 2)):
        table.look(now, seen("1", ENDED, n=n), seen("2", ENDED, n=n), new)
        assert table.readable == ["1", "2"]
    assert table.look(41, seen("1", ENDED, n=3), seen("2", ENDED, n=3), new) == [
        Retired(),  # the second has begun
        Confirmed(),
        Open(),
    ]
    assert table.readable == ["1", "2", "3"]


def test_a_stream_that_has_not_begun_waits_for_all_before_it() -> None:
    table = Table()
    streams = (seen("1", READ), seen("2", n=1), seen("3", FRESH))
    assert table.look(0, *streams) == [Open(), Closing(0), Open()]
    table.look(31, seen("1", READ), seen("2", n=2), seen("3", FRESH))
    assert table.look(41, seen("1", READ), seen("2", n=3), seen("3", FRESH))[1] == Confirmed()
    assert table.look(42, seen("1", READ), seen("2", n=3), seen("3", FRESH))[1] == Confirmed()
    assert table.readable == ["1"]


def test_shards_of_a_retired_stream_are_read_beside_the_newer_one_and_told_of_once() -> None:
    table = Table()
    table.look(0, seen("1", ENDED), seen("2", READ), seen("3", FRESH))
    late = replace(FRESH, shard_id="late")
    found = (seen("1", ENDED, late, n=2), seen("2", READ), seen("3", FRESH))
    assert table.look(1, *found)[0] == Open()
    assert table.look(2, *found)[0] == Open()
    assert table.told == [FoundLate("orders/1", ("late",))]
    assert table.readable == ["1", "2"]
    assert table.look(3, seen("1", ENDED, n=2), seen("2", READ), seen("3", FRESH))[0] == Retired()


def test_a_retired_stream_is_read_again_after_a_listing() -> None:
    assert not unread(Retired(), seen("1", ENDED, n=4))
    assert not unread(Retired(), seen("1", ENDED, n=5, done=4))
    assert unread(Retired(), replace(seen("1", ENDED, n=4), row=row("1", 5, 5)))


@pytest.mark.parametrize("phase", [Open(), Confirmed(), PassedBy(), Closing(0), Closing(0, 5)])
def test_other_streams_are_read_for_other_reasons(phase: Phase) -> None:
    assert not unread(phase, replace(seen("1", READ, n=4), row=row("1", 5, 5)))


def test_a_lease_that_cannot_be_read_keeps_its_stream_open_and_is_not_found_late() -> None:
    damaged = Lease("s", None, checkpoint="UNREADABLE", unreadable="checkpoint")
    table = Table()
    assert isinstance(table.look(0, seen("1", ENDED), seen("2", READ))[0], Retired)
    assert isinstance(table.look(1, seen("1", ENDED, damaged), seen("2", READ))[0], Open)
    assert table.told == []
    assert not Table().lives
    fresh = Table()
    fresh.look(0, seen("1", damaged), seen("2", FRESH))
    assert [life.may_be_read for life in fresh.lives.values()] == [True, False]


def test_a_stream_row_that_cannot_be_read_concludes_nothing() -> None:
    def damage(stream: StreamSeen) -> StreamSeen:
        return replace(stream, row=replace(stream.row, unreadable="sweep"))

    table = Table()
    for at in range(200):
        assert isinstance(table.look(at, damage(seen("1", ENDED)), seen("2", FRESH))[0], Open)
    assert not table.lives["orders/2"].may_be_read
    begun = Table()
    begun.look(0, damage(seen("1", ENDED)), seen("2", READ))
    assert begun.lives["orders/2"].may_be_read, "it had begun"


def passed_by(label: str) -> StreamSeen:
    return replace(seen(label), row=replace(row(label, 1, 1), passed_by="view_type"))


def test_a_stream_that_is_passed_by_holds_nothing_up_once_those_before_it_are_read() -> None:
    table = Table()
    unfit = StreamSeen(row("2", 1, 0), 0)
    third = seen("3", FRESH)
    table.look(0, seen("1", READ), unfit, third)
    assert table.readable == ["1"]
    table.look(1, seen("1", ENDED), unfit, third)
    table.look(40, seen("1", ENDED, n=3), unfit, third)
    phases = table.look(50, seen("1", ENDED, n=4), unfit, third)
    assert phases == [Confirmed(), Open(), Open()]
    assert table.readable == ["1", "2"], "it waits for its sweep, and the third for that"
    phases = table.look(60, seen("1", ENDED, n=4), passed_by("2"), third)
    assert phases == [Retired(), PassedBy(), Open()], "the mark proves that the first was confirmed"
    assert table.readable == ["1", "2", "3"]


def test_right_after_a_restart_a_stream_passed_by_proves_that_the_older_ones_are_read() -> None:
    table = Table()
    assert table.look(0, seen("1", ENDED), passed_by("2"), seen("3", FRESH)) == [
        Retired(),
        PassedBy(),
        Open(),
    ]
    assert table.readable == ["1", "2", "3"]


def test_a_stream_whose_mark_was_removed_is_open_again() -> None:
    table = Table()
    table.look(0, passed_by("1"), seen("2", FRESH))
    assert table.look(1, seen("1"), seen("2", FRESH)) == [Open(), Open()]
    assert table.readable == ["1"]


def test_three_streams_wait_and_each_that_waits_too_long_names_the_oldest_unread() -> None:
    table = Table()
    streams = (seen("1", READ), seen("2", FRESH), seen("3", FRESH))
    table.look(0, *streams[:2])
    table.look(100, *streams)
    table.look(120, *streams)
    assert waiting_long(120, table.lives, 120) == ()
    assert waiting_long(121, table.lives, 120) == (("orders/2", "orders/1"),)
    both = (("orders/2", "orders/1"), ("orders/3", "orders/1"))
    assert waiting_long(221, table.lives, 120) == both
    # It waits on, for another stream, and the time it has waited counts on.
    table.look(222, seen("1", ENDED), seen("2", READ), seen("3", FRESH))
    assert waiting_long(222, table.lives, 120) == (("orders/3", "orders/2"),)
    table.look(223, seen("1", ENDED), seen("2", ENDED), seen("3", READ))
    assert waiting_long(9999, table.lives, 120) == ()


def test_a_row_is_lost_if_it_is_gone_or_goes_back_but_not_if_it_cannot_be_read() -> None:
    before = {each.row.key: each for each in (seen("1", n=3), seen("2", n=3))}
    second = row("2", 4, 3)
    assert row_lost(before, [row("1", 3, 3), second, row("3", 0, 0)]) == set()
    assert row_lost(before, [second]) == {"orders/1"}
    assert row_lost(before, [row("1", 2, 2), second]) == {"orders/1"}
    assert row_lost(before, [replace(row("1", 0, 0), unreadable="sweep"), second]) == set()
    assert row_lost({}, [second]) == set()
