"""What the operator's commands make of a lease."""

from typing import Any

import pytest
from msgspec.structs import replace

from consumer.core.leases.checkpoint import LATEST, SHARD_END, TRIM_HORIZON
from consumer.core.leases.command import (
    Action,
    Command,
    Effect,
    after_event_type_seek,
    after_seek,
    apply_commands,
    effect,
    is_target,
    seek_gap,
)
from consumer.core.leases.lease import Gap, Lease, Pause
from consumer.core.leases.mark import Ahead, Mark

NOW = 1793525400.0  # 2026-11-01T09:30:00Z
BEGUN = Lease("s-1", "s-0", "me", 3, "400", created_at=NOW - 9000, record_at=NOW - 600)
FRESH = Lease("s-1", "s-0", created_at=NOW - 9000)
SEEK = Command(1, Action.SEEK, ("s-1",), TRIM_HORIZON, NOW, "me", "t")
PAUSE = Command(1, Action.PAUSE, None, None, NOW, "me", "t")


def seek(target: str, **changes: Any) -> Command:
    return replace(SEEK, target=target, **changes)


@pytest.mark.parametrize(
    ("lease", "target", "expected", "row"),
    [
        (
            BEGUN,
            TRIM_HORIZON,
            Effect.REPEATS,
            replace(BEGUN, checkpoint=TRIM_HORIZON, skip_before=0.0, parent_gone=True),
        ),
        (FRESH, TRIM_HORIZON, Effect.NOTHING, replace(FRESH, skip_before=0.0)),
        (BEGUN, LATEST, Effect.SKIPS, replace(BEGUN, skip_before=NOW)),
        (FRESH, LATEST, Effect.SKIPS, replace(FRESH, skip_before=NOW)),
        (
            BEGUN,
            "300",
            Effect.REPEATS,
            replace(BEGUN, checkpoint="300", record_at=None, skip_before=0.0),
        ),
        (
            BEGUN,
            "1000",  # numbers are compared, not texts
            Effect.SKIPS,
            replace(BEGUN, checkpoint="1000", record_at=None, skip_before=0.0),
        ),
        (
            BEGUN,
            "400",
            Effect.NOTHING,
            replace(BEGUN, record_at=None, skip_before=0.0),
        ),
        (
            BEGUN,
            "2026-11-01T09:25:00Z",  # later than what is settled
            Effect.SKIPS,
            replace(BEGUN, skip_before=NOW - 300),
        ),
        (
            BEGUN,
            "2026-11-01T09:00:00Z",
            Effect.REPEATS,
            replace(
                BEGUN,
                checkpoint=TRIM_HORIZON,
                skip_before=NOW - 1800,
                parent_gone=True,
            ),
        ),
        (
            FRESH,
            "2026-11-01T09:00:00+00:00",
            Effect.SKIPS,
            replace(FRESH, skip_before=NOW - 1800),
        ),
    ],
)
def test_a_seek_repeats_or_skips(lease: Lease, target: str, expected: Effect, row: Lease) -> None:
    assert effect(lease, seek(target)) is expected
    assert after_seek(lease, seek(target)) == row


def test_a_shard_at_latest_is_as_old_as_its_row() -> None:
    waiting = replace(FRESH, checkpoint=LATEST, start_iterator="i")
    assert effect(waiting, seek("2026-11-01T06:00:00Z")) is Effect.REPEATS
    assert effect(waiting, seek("2026-11-01T09:00:00Z")) is Effect.SKIPS
    assert after_seek(waiting, seek("2026-11-01T09:00:00Z")).checkpoint == TRIM_HORIZON
    assert after_seek(waiting, seek(LATEST)) == replace(waiting, skip_before=NOW)


def test_a_time_that_cannot_be_compared_begins_at_the_oldest_and_tells_of_a_gap() -> None:
    unknown = after_seek(BEGUN, seek("1000"))
    time = seek("2026-11-01T09:29:00Z")
    assert effect(unknown, time) is Effect.EITHER
    gap = Gap("s-1", "1000", None, "seek", NOW, from_time=unknown.created_at - 26 * 3600)
    assert seek_gap(unknown, time, NOW) == gap
    oldest = seek(TRIM_HORIZON)
    assert effect(unknown, oldest) is Effect.REPEATS
    assert seek_gap(unknown, oldest, NOW) == gap
    assert seek_gap(unknown, seek("300"), NOW) is None
    row = after_seek(unknown, time)
    assert (row.checkpoint, row.skip_before) == (TRIM_HORIZON, NOW - 60)


def test_the_gap_of_a_seek_begins_at_the_checkpoint() -> None:
    gap = Gap("s-1", "400", None, "seek", NOW, from_time=BEGUN.record_at)
    assert seek_gap(BEGUN, seek("1000"), NOW) == gap
    assert seek_gap(BEGUN, seek(LATEST), NOW) == gap
    assert seek_gap(BEGUN, seek("300"), NOW) is None


@pytest.mark.parametrize("target", [TRIM_HORIZON, LATEST, "7", "2026-11-01T09:00:00Z"])
def test_a_finished_shard_stays_finished(target: str) -> None:
    finished = replace(BEGUN, owner=None, checkpoint=SHARD_END)
    obeyed = apply_commands(finished, [seek(target)], 1, NOW)
    assert effect(finished, seek(target)) is Effect.NOTHING
    assert obeyed.row == replace(finished, command_counter=1)
    assert obeyed.gaps == ()


def test_commands_are_obeyed_in_order_and_once() -> None:
    commands = [
        replace(PAUSE, number=3, action=Action.RESUME),
        seek("1000", number=2),
        PAUSE,
    ]
    first = apply_commands(BEGUN, commands, 3, NOW)
    assert first.row.checkpoint == "1000"
    assert (first.row.paused, first.row.command_counter) == (False, 3)
    assert [gap.from_ for gap in first.gaps] == ["400"]
    again = apply_commands(replace(first.row, checkpoint="1100"), commands, 3, NOW)
    assert again.row.checkpoint == "1100"
    assert again.gaps == ()


def test_a_command_for_another_shard_is_only_counted() -> None:
    obeyed = apply_commands(BEGUN, [seek("1000", shards=("s-2",))], 1, NOW)
    assert obeyed.row == replace(BEGUN, command_counter=1)


def test_a_pause_of_the_stream_is_for_shards_to_come_and_a_seek_is_not() -> None:
    child = Lease("s-9", "s-1", created_at=NOW)
    obeyed = apply_commands(child, [PAUSE, seek(LATEST, number=2)], 2, NOW)
    assert obeyed.row == replace(child, paused=True, command_counter=2, pause=Pause("me", NOW))


def test_a_row_that_somebody_removed_does_not_stop_the_count() -> None:
    assert apply_commands(BEGUN, [], 5, NOW).row.command_counter == 5
    assert apply_commands(BEGUN, [replace(PAUSE, number=6)], 5, NOW).row.command_counter == 6


@pytest.mark.parametrize("text", [TRIM_HORIZON, LATEST, "12", "2026-11-01T09:30:00Z"])
def test_a_seek_goes_to_a_word_a_number_or_a_time_with_zone(text: str) -> None:
    assert is_target(text)


@pytest.mark.parametrize("text", [None, "", "soon", "1\u00b2", SHARD_END, "2026-11-01T09:30:00"])
def test_a_seek_goes_nowhere_else(text: str | None) -> None:
    assert not is_target(text)


DOWN = replace(BEGUN, mark=Mark(Ahead(600, ("audit",)), 0))
AGAIN = Command(
    1, Action.SEEK_EVENT_TYPE, ("s-1",), TRIM_HORIZON, NOW, "me", "t", event_type="public"
)


def marked(to: int, *behind: str) -> Mark:
    return Mark(Ahead(to, behind), 0)


SOUGHT = replace(  # to 09:20, for public
    FRESH, skip_before=NOW - 600, parent_gone=True, mark=marked(400, "public")
)


def test_the_seek_of_an_event_type_tells_of_a_gap_if_the_time_of_the_position_is_unknown() -> None:
    unknown = after_seek(BEGUN, seek("1000"))
    gap = Gap("s-1", "1000", None, "seek", NOW, from_time=unknown.created_at - 26 * 3600)
    for target in (TRIM_HORIZON, "2026-11-01T09:29:00Z"):
        back = replace(AGAIN, target=target)
        assert after_event_type_seek(unknown, back).checkpoint == TRIM_HORIZON
        assert seek_gap(unknown, back, NOW) == gap
        assert apply_commands(unknown, [back], 1, NOW).gaps == (gap,)
        assert seek_gap(BEGUN, back, NOW) is None, "its time tells what was trimmed"
        assert seek_gap(FRESH, back, NOW) is None
    for target in ("300", "2000"):
        assert seek_gap(unknown, replace(AGAIN, target=target), NOW) is None
    assert seek_gap(unknown, replace(AGAIN, target=LATEST), NOW) is None, "it goes nowhere"


@pytest.mark.parametrize(
    "target", [TRIM_HORIZON, LATEST, "300", "500", "2026-11-01T09:00:00Z", "2026-11-01T09:29:00Z"]
)
def test_a_seek_clears_the_mark_and_its_gap_names_whom_it_costs(target: str) -> None:
    applied = apply_commands(DOWN, [seek(target)], 1, NOW)
    assert applied.row.mark is None
    for gap in applied.gaps:
        assert gap.ahead == Ahead(600, ("audit",))


def test_a_pause_keeps_the_mark_beside_the_new_counter() -> None:
    applied = apply_commands(DOWN, [replace(PAUSE, number=7)], 7, NOW)
    assert applied.row.command_counter == 7
    assert applied.row.ahead == Ahead(600, ("audit",))


def test_commands_do_not_make_an_invalid_mark_valid() -> None:
    stale = replace(DOWN, command_counter=3)
    assert apply_commands(stale, [replace(PAUSE, number=7)], 7, NOW).row.mark is None


@pytest.mark.parametrize(
    ("lease", "target", "row"),
    [
        (
            BEGUN,
            TRIM_HORIZON,
            replace(
                BEGUN,
                checkpoint=TRIM_HORIZON,
                skip_before=0.0,
                parent_gone=True,
                mark=marked(400, "public"),
            ),
        ),
        (
            BEGUN,
            "300",
            replace(
                BEGUN,
                checkpoint="300",
                record_at=None,
                skip_before=0.0,
                mark=marked(400, "public"),
            ),
        ),
        (
            BEGUN,
            "2026-11-01T09:00:00Z",
            replace(
                BEGUN,
                checkpoint=TRIM_HORIZON,
                skip_before=NOW - 1800,
                parent_gone=True,
                mark=marked(400, "public"),
            ),
        ),
        (  # the time of the position is not known: nothing may be skipped for the others
            replace(BEGUN, record_at=None),
            "2026-11-01T09:00:00Z",
            replace(
                BEGUN,
                record_at=None,
                checkpoint=TRIM_HORIZON,
                skip_before=0.0,
                parent_gone=True,
                mark=marked(400, "public"),
            ),
        ),
        (BEGUN, "400", BEGUN),
        (BEGUN, "1000", BEGUN),
        (BEGUN, "2026-11-01T09:25:00Z", BEGUN),
        (BEGUN, LATEST, BEGUN),
        (FRESH, TRIM_HORIZON, FRESH),
        (FRESH, "2026-11-01T09:00:00Z", FRESH),
        (
            DOWN,
            "300",
            replace(
                DOWN,
                checkpoint="300",
                record_at=None,
                skip_before=0.0,
                mark=marked(600, "audit", "public"),
            ),
        ),
        (DOWN, "500", replace(DOWN, mark=marked(600, "audit", "public"))),
        (DOWN, "2026-11-01T09:25:00Z", replace(DOWN, mark=marked(600, "audit", "public"))),
        (DOWN, "600", DOWN),
        (
            replace(FRESH, mark=marked(600, "audit")),
            TRIM_HORIZON,
            replace(FRESH, mark=marked(600, "audit", "public")),
        ),
        # what an earlier seek of it skips does not reach beyond the target
        (SOUGHT, "2026-11-01T09:00:00Z", replace(SOUGHT, skip_before=NOW - 1800)),
        (SOUGHT, "2026-11-01T09:25:00Z", SOUGHT),
        (SOUGHT, TRIM_HORIZON, replace(SOUGHT, skip_before=0.0)),
        (SOUGHT, "300", replace(SOUGHT, skip_before=0.0)),
        (
            replace(SOUGHT, checkpoint="100", record_at=NOW - 3600),
            "2026-11-01T09:00:00Z",
            replace(SOUGHT, checkpoint="100", record_at=NOW - 3600, skip_before=NOW - 1800),
        ),
        (replace(SOUGHT, mark=None), "2026-11-01T09:00:00Z", replace(SOUGHT, mark=None)),
        (
            replace(BEGUN, checkpoint=SHARD_END),
            TRIM_HORIZON,
            replace(BEGUN, checkpoint=SHARD_END),
        ),
    ],
)
def test_the_seek_of_an_event_type_sets_the_mark_for_it(
    lease: Lease, target: str, row: Lease
) -> None:
    command = replace(AGAIN, target=target)
    assert after_event_type_seek(lease, command) == row
    expected = Effect.NOTHING if row == lease else Effect.REPEATS
    assert effect(lease, command) is expected
    applied = apply_commands(lease, [command], 1, NOW)
    blind = lease.record_at is None and row.checkpoint != lease.checkpoint
    assert bool(applied.gaps) == blind
    assert applied.row.ahead == row.ahead
    assert applied.row.command_counter == 1
