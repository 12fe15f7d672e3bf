from datetime import UTC, datetime, timedelta

from msgspec.structs import replace

from consumer.core.leases.checkpoint import TRIM_HORIZON
from consumer.core.leases.lease import Gap, Lease
from consumer.core.leases.mark import Ahead, Mark
from consumer.core.leases.progress import Progress
from consumer.core.shard.gap import (
    SURE_SECONDS,
    between_streams_gap,
    ends_before,
    made_at,
    met_again,
    possibly_trimmed_gap,
    shard_gone_gap,
    together,
    trimmed_gap,
    unfit_stream_gap,
    unlisted_stream_gap,
    unseen_shard_gap,
)

WALL = 1_000_000.0
HOURS = 3_600.0
OLD = WALL - 24 * HOURS  # old enough to have been trimmed by age


def settled(caught_up_at: float | None = None, record_at: float | None = None) -> Progress:
    return Progress("400", record_at, caught_up_at)


def lease(age: float = 0.0) -> Lease:
    """Of a shard whose row is `age` seconds old."""
    return Lease("s0", None, created_at=WALL - age)


def test_an_hour_less_than_the_retention() -> None:
    assert SURE_SECONDS == 23 * HOURS


def test_trimmed_without_ever_having_caught_up_is_a_gap() -> None:
    gap = trimmed_gap(lease(), 400, OLD, settled(None), WALL)
    assert gap == Gap("s0", "400", None, "trimmed", WALL, None, WALL - 26 * HOURS)


def test_trimmed_within_23_hours_of_the_tip_is_no_gap() -> None:
    assert trimmed_gap(lease(), 400, OLD, settled(WALL - SURE_SECONDS + 1), WALL) is None


def test_trimmed_23_hours_after_the_tip_is_a_gap() -> None:
    gap = trimmed_gap(lease(), 400, OLD, settled(WALL - SURE_SECONDS), WALL)
    assert gap is not None
    assert gap.reason == "trimmed"


def test_what_is_too_young_to_be_trimmed_by_age_is_a_gap_in_any_case() -> None:
    assert trimmed_gap(lease(), 400, WALL - SURE_SECONDS, settled(WALL - 1), WALL) is None
    gap = trimmed_gap(lease(), 400, WALL - SURE_SECONDS + 1, settled(WALL - 1), WALL)
    assert gap == Gap("s0", "400", None, "trimmed", WALL, None, WALL - 26 * HOURS)


def test_of_a_record_without_a_time_only_the_tip_is_known() -> None:
    assert trimmed_gap(lease(), 400, None, settled(WALL - 1), WALL) is None
    assert trimmed_gap(lease(), 400, None, settled(None), WALL) is not None


def test_a_shards_age_does_not_excuse_a_trimmed_position() -> None:
    assert trimmed_gap(lease(age=0.0), 400, OLD, settled(None), WALL) is not None


def test_trimmed_with_nothing_read_depends_on_the_shards_age() -> None:
    assert trimmed_gap(lease(SURE_SECONDS), None, None, settled(None), WALL) is None
    gap = trimmed_gap(lease(SURE_SECONDS + 1), None, None, settled(None), WALL)
    since = WALL - SURE_SECONDS - 1
    assert gap == Gap("s0", TRIM_HORIZON, None, "possibly_trimmed", WALL, None, since - 26 * HOURS)


def test_who_was_sent_back_counts_from_what_it_had_settled() -> None:
    begun = replace(lease(), record_at=WALL - SURE_SECONDS - 1)
    gap = possibly_trimmed_gap(begun, None, WALL)
    since = WALL - SURE_SECONDS - 1
    assert gap == Gap("s0", TRIM_HORIZON, None, "possibly_trimmed", WALL, None, since)
    assert possibly_trimmed_gap(begun, WALL - 1, WALL) is None
    assert possibly_trimmed_gap(replace(begun, record_at=WALL - SURE_SECONDS), None, WALL) is None


def test_opened_early_enough_nothing_can_be_missing() -> None:
    assert possibly_trimmed_gap(lease(SURE_SECONDS), None, WALL) is None


def test_opened_too_late_its_head_may_be_missing() -> None:
    gap = possibly_trimmed_gap(lease(SURE_SECONDS + 1), None, WALL)
    since = WALL - SURE_SECONDS - 1
    assert gap == Gap("s0", TRIM_HORIZON, None, "possibly_trimmed", WALL, None, since - 26 * HOURS)


def test_an_old_shard_that_was_at_its_tip_lately_misses_nothing() -> None:
    assert possibly_trimmed_gap(lease(100 * HOURS), WALL - SURE_SECONDS, WALL) is None
    assert possibly_trimmed_gap(lease(100 * HOURS), WALL - SURE_SECONDS - 1, WALL) is not None


def test_a_shard_that_is_gone_is_a_gap_from_the_last_record_read() -> None:
    assert shard_gone_gap(lease(), 400, settled(), WALL) == Gap(
        "s0", "400", None, "shard_gone", WALL, None, WALL - 26 * HOURS
    )


def test_a_shard_that_is_gone_unread_is_a_gap_from_its_beginning() -> None:
    gone = shard_gone_gap(lease(5.0), None, settled(), WALL)
    assert gone == Gap("s0", TRIM_HORIZON, None, "shard_gone", WALL, None, WALL - 5.0 - 26 * HOURS)


def test_of_a_shard_that_nobody_saw_everything_is_missing() -> None:
    assert unseen_shard_gap("s9", 5.0, WALL) == Gap(
        "s9", TRIM_HORIZON, None, "shard_gone", WALL, from_time=5.0
    )


def test_an_unfit_stream_is_a_gap_in_all_its_shards() -> None:
    assert unfit_stream_gap("1970-01-01T00:00:09.5", WALL) == Gap(
        "*", TRIM_HORIZON, None, "view_type", WALL, from_time=9.5
    )


def test_a_stream_that_was_gone_unlisted_is_a_gap_if_it_is_old_enough_to_be_gone() -> None:
    made = datetime.fromtimestamp(WALL - SURE_SECONDS, UTC)
    young = made + timedelta(seconds=1)
    gap = unlisted_stream_gap(made.replace(tzinfo=None).isoformat(), WALL)
    since = made.timestamp()
    assert gap == Gap("*", TRIM_HORIZON, None, "stream_gone", WALL, from_time=since)
    assert unlisted_stream_gap(young.replace(tzinfo=None).isoformat(), WALL) is None
    assert unlisted_stream_gap("no time", WALL) is None


def test_a_gap_names_those_who_were_behind_as_far_as_the_mark_reaches() -> None:
    ahead = Ahead(600, ("audit",))
    down = replace(lease(30 * HOURS), checkpoint="400", mark=Mark(ahead, 0))
    for gap in (
        trimmed_gap(down, 400, OLD, settled(None), WALL),
        trimmed_gap(down, 599, OLD, settled(None), WALL),
        possibly_trimmed_gap(replace(down, checkpoint=TRIM_HORIZON), None, WALL),
        shard_gone_gap(down, 400, settled(), WALL),
        shard_gone_gap(down, None, settled(), WALL),
    ):
        assert gap is not None
        assert gap.ahead == ahead


def test_what_lies_behind_the_mark_is_lost_for_all() -> None:
    down = replace(lease(), checkpoint="400", mark=Mark(Ahead(600, ("audit",)), 0))
    gap = trimmed_gap(down, 600, OLD, settled(None), WALL)
    assert gap is not None
    assert gap.ahead is None
    assert shard_gone_gap(down, 700, settled(), WALL).ahead is None


def test_a_gap_ends_with_the_first_record_read_behind_it() -> None:
    gap = Gap("s0", "400", None, "trimmed", WALL, None, WALL - 26 * HOURS)
    assert [ends_before(gap, number, None) for number in (399, 400, 401)] == [False, False, True]
    assert ends_before(replace(gap, from_=TRIM_HORIZON), 1, None)


def test_what_is_read_for_those_behind_only_does_not_end_what_all_lack() -> None:
    gap, found = Gap("s0", "400", None, "seek", WALL), Ahead(600, ("audit",))
    assert [ends_before(gap, number, found) for number in (401, 600, 601)] == [False, False, True]


def test_what_is_read_for_those_behind_ends_what_they_lack() -> None:
    gap = Gap("s0", "400", None, "trimmed", WALL, Ahead(500, ("audit",)))
    assert ends_before(gap, 401, Ahead(500, ("audit",)))
    assert ends_before(gap, 401, Ahead(499, ("audit", "order")))
    assert not ends_before(gap, 401, Ahead(500, ("order",)))
    assert not ends_before(gap, 501, Ahead(600, ("audit",)))


def test_what_is_read_for_those_behind_does_not_end_what_all_lack_behind_the_gaps_own_mark() -> (
    None
):
    """A seek to 600 skips what others lack behind 500; one of an event type then goes back."""
    gap = Gap("s0", "400", None, "seek", WALL, Ahead(500, ("audit",)))
    assert not ends_before(gap, 401, Ahead(600, ("audit",)))
    assert ends_before(gap, 601, Ahead(600, ("audit",)))


def test_a_gap_begins_with_what_is_settled_now_and_not_with_the_row_when_reading_began() -> None:
    begun = replace(lease(30 * HOURS), checkpoint="100", record_at=WALL - 28 * HOURS)
    now = settled(None, WALL - 25 * HOURS)
    for gap in (trimmed_gap(begun, 400, OLD, now, WALL), shard_gone_gap(begun, 400, now, WALL)):
        assert gap is not None
        assert gap.from_time == WALL - 25 * HOURS


def test_what_an_event_type_sent_back_lacks_may_be_as_old_as_the_shard() -> None:
    mark = Mark(Ahead(600, ("audit",)), 0)
    back = replace(lease(30 * HOURS), record_at=WALL - 24 * HOURS, mark=mark)
    gap = possibly_trimmed_gap(back, None, WALL)
    assert gap is not None
    assert gap.from_time == WALL - (30 + 26) * HOURS


def test_the_hole_between_two_streams_begins_with_the_newest_record_of_the_older_one() -> None:
    older, newer = "1970-01-01T00:00:10.000", "1970-01-01T00:01:00.000"
    read = replace(lease(), record_at=20.0)
    damaged = replace(read, record_at=99.0, unreadable="checkpoint")
    gap = between_streams_gap(older, [read, replace(read, record_at=30.0), damaged], newer, WALL)
    assert gap == Gap("*", "SHARD_END", None, "between_streams", WALL, from_time=30.0, to_time=60.0)
    assert between_streams_gap(older, [lease()], newer, WALL).from_time == 10.0
    assert between_streams_gap("?", [], "?", WALL).changed_between == (WALL - 26 * HOURS, WALL)


def test_a_label_says_when_its_stream_was_made() -> None:
    assert made_at("1970-01-01T00:00:10.500") == 10.5
    assert made_at("no time") is None


def test_a_gap_met_again_is_open_and_not_repaired() -> None:
    found = Gap("s0", "400", "500", "trimmed", 50.0, None, 20.0, 30.0, 70.0)
    again = Gap("s0", "400", None, "shard_gone", 90.0, None, 25.0)
    assert met_again(found, again) == Gap("s0", "400", None, "trimmed", 90.0, None, 20.0)
    assert met_again(again, found).from_time == 20.0
    assert met_again(replace(found, from_time=None), again).from_time == 25.0
    assert met_again(replace(found, from_time=None), replace(again, from_time=None)) == Gap(
        "s0", "400", None, "trimmed", 90.0
    )


def test_where_no_time_is_known_the_time_it_was_found_is_the_end() -> None:
    old = Gap("s0", "400", "500", "trimmed", WALL)
    assert old.changed_between == (WALL - 26 * HOURS, WALL)
    known = replace(old, from_time=WALL - 27 * HOURS)
    assert known.changed_between == (WALL - 27 * HOURS, WALL)
    assert replace(known, to_time=WALL - 5).changed_between == (WALL - 27 * HOURS, WALL - 5)


def test_of_two_gaps_in_one_row_the_loss_is_told_and_what_either_lacks() -> None:
    found = Gap("s0", TRIM_HORIZON, None, "seek", WALL - 5, from_time=10.0)
    ahead = Ahead(600, ("audit",))
    lost = Gap("s0", TRIM_HORIZON, None, "possibly_trimmed", WALL, ahead, from_time=20.0)
    row = Gap("s0", TRIM_HORIZON, None, "possibly_trimmed", WALL, from_time=10.0)
    assert together(found, lost) == row
    assert together(lost, replace(found, detected_at=WALL)) == row
