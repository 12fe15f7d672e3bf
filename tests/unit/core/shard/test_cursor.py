"""Cursor: where a shard is read from, and what is passed over."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from consumer.core.event.event import Withheld
from consumer.core.leases.checkpoint import LATEST, TRIM_HORIZON
from consumer.core.leases.lease import Lease
from consumer.core.shard.cursor import SKIP_REASONS, Cursor, skip_reason
from consumer.core.stream.stream import AfterSequence, AtTrimHorizon

START = 1_000_000.0  # 40 s past a minute


def lease(checkpoint: str, counter: int = 1) -> Lease:
    return Lease(
        "s0", None, "me", counter, checkpoint, start_iterator="stored" if counter else None
    )


def test_a_numeric_checkpoint_is_continued_after_it() -> None:
    cursor = Cursor.of(lease("400", counter=3), None)
    assert (cursor.last_read, cursor.iterator) == (400, None)
    assert cursor.position == AfterSequence(400)


def test_trim_horizon_is_read_from_the_beginning() -> None:
    cursor = Cursor.of(lease(TRIM_HORIZON), None)
    assert (cursor.last_read, cursor.iterator, cursor.skip_before) == (None, None, None)
    assert cursor.position == AtTrimHorizon()
    assert cursor.read(1, 0.0) is None


def test_latest_is_opened_with_the_stored_iterator_by_its_first_owner() -> None:
    assert Cursor.of(lease(LATEST), START).iterator == "stored"


@pytest.mark.parametrize("counter", [2, 3, 4])
def test_latest_taken_again_is_opened_with_the_same_iterator(counter: int) -> None:
    assert Cursor.of(lease(LATEST, counter), START).iterator == "stored"


def test_a_stored_iterator_is_used_again_if_a_later_one_is_refused_and_nothing_was_read() -> None:
    cursor = Cursor.of(lease(LATEST), START)
    cursor.iterator = "later"
    cursor.refuse()
    assert cursor.iterator == "stored"
    cursor.refuse()
    assert cursor.iterator is None
    cursor.iterator = "opened"
    cursor.refuse()
    assert cursor.iterator is None


def test_a_stored_iterator_is_of_no_use_once_something_was_read_or_trimmed() -> None:
    reading = Cursor.of(lease(LATEST), START)
    reading.iterator = "later"
    reading.read(400, START)
    reading.refuse()
    assert reading.iterator is None
    assert reading.position == AfterSequence(400)
    trimmed = Cursor.of(lease(LATEST), START)
    trimmed.restart()
    trimmed.iterator = "opened"
    trimmed.refuse()
    assert trimmed.iterator is None
    assert trimmed.position == AtTrimHorizon()


def test_latest_whose_iterator_expired_is_read_from_trim_horizon() -> None:
    cursor = Cursor.of(lease(LATEST), START)
    cursor.refuse()
    assert cursor.iterator is None
    assert cursor.position == AtTrimHorizon()
    assert cursor.read(1, START - 3600) == "before_start"
    assert cursor.read(2, START + 1) is None


def test_a_stored_iterator_is_for_latest_only() -> None:
    assert Cursor.of(lease("400"), START).iterator is None
    assert Cursor.of(lease(TRIM_HORIZON), START).iterator is None


def test_older_than_the_start_is_skipped_floored_to_the_minute() -> None:
    cursor = Cursor.of(lease(TRIM_HORIZON), START)
    minute = START - 40
    assert cursor.skip_before == minute
    assert cursor.read(1, minute - 0.001) == "before_start"
    assert cursor.read(2, minute) is None  # a few too many, never one too few
    assert cursor.read(3, START) is None


def test_it_is_reopened_after_the_last_record_read() -> None:
    cursor = Cursor.of(lease("400"), START)
    cursor.read(450, START)
    assert cursor.position == AfterSequence(450)
    cursor.read(460, 0.0)  # skipped, but read
    assert cursor.position == AfterSequence(460)


def test_it_knows_the_time_of_the_last_record_read() -> None:
    cursor = Cursor.of(replace(lease("400"), record_at=START), None)
    assert cursor.last_read_at == START
    cursor.restart()
    cursor.read(399, START - 1)  # read before: says nothing about the position
    assert cursor.last_read_at == START
    cursor.read(401, START + 1)
    assert cursor.last_read_at == START + 1


def test_after_a_restart_what_was_read_before_is_skipped() -> None:
    cursor = Cursor.of(lease("400"), None)
    cursor.iterator = "trimmed"
    cursor.restart()
    assert cursor.iterator is None
    assert cursor.position == AtTrimHorizon()
    assert cursor.read(399, START) == "already_read"
    assert cursor.read(400, START) == "already_read"
    assert cursor.last_read == 400
    assert cursor.position == AtTrimHorizon()  # an iterator that expires now begins there again
    assert cursor.read(401, START) is None
    assert cursor.position == AfterSequence(401)


def test_sequence_numbers_are_compared_as_numbers() -> None:
    cursor = Cursor.of(lease("99"), None)
    cursor.restart()
    assert cursor.read(100, START) is None


def test_a_second_restart_keeps_what_was_read() -> None:
    cursor = Cursor.of(lease("400"), None)
    cursor.restart()
    cursor.read(300, START)
    cursor.restart()
    assert cursor.read(400, START) == "already_read"


def test_a_restart_with_nothing_read_skips_nothing() -> None:
    cursor = Cursor.of(lease(TRIM_HORIZON), None)
    cursor.restart()
    assert cursor.position == AtTrimHorizon()
    assert cursor.read(1, START) is None


def test_a_restart_still_skips_what_is_older_than_the_start() -> None:
    cursor = Cursor.of(lease("400"), START)
    cursor.restart()
    assert cursor.read(401, START - 3600) == "before_start"


@given(
    st.lists(st.integers(1, 50), unique=True, min_size=1).map(sorted),
    st.data(),
)
def test_trimmed_at_any_time_each_record_is_published_once(
    shard: list[int], data: st.DataObject
) -> None:
    """Pages of any length, trims in between: each once and in order, or trimmed before a read."""
    cursor = Cursor.of(lease(TRIM_HORIZON), None)
    published: list[int] = []
    lost: set[int] = set()
    trimmed = 0
    for _ in range(data.draw(st.integers(1, 6))):
        trimmed = data.draw(st.integers(trimmed, max(shard)))
        lost |= {each for each in shard if each <= trimmed and each not in published}
        position = cursor.position
        begin = trimmed
        if isinstance(position, AfterSequence):
            if position.sequence < trimmed:
                cursor.restart()
            else:
                begin = position.sequence
        held = [each for each in shard if each > begin]
        page = held[: data.draw(st.integers(0, 10))]
        published += [each for each in page if cursor.read(each, START) is None]
    assert published == sorted(set(published))
    reached = {each for each in shard if each <= max(published, default=0)}
    assert reached == set(published) | (lost & reached)
    assert not lost & set(published)


def test_records_that_were_noted_too_early_are_read_again() -> None:
    cursor = Cursor.of(lease("400"), None)
    assert cursor.read(500, START) is None
    place = cursor.place
    assert cursor.read(600, START + 1) is None
    cursor.return_to(place)
    assert (cursor.position, cursor.last_read_at) == (AfterSequence(500), START)
    assert cursor.read(600, START + 1) is None


def test_after_a_restart_the_first_record_noted_too_early_is_read_again_from_the_oldest_on() -> (
    None
):
    cursor = Cursor.of(lease("400"), None)
    cursor.restart()
    place = cursor.place
    assert cursor.read(600, START) is None
    cursor.return_to(place)
    assert cursor.position == AtTrimHorizon()
    assert cursor.read(400, START) == "already_read"
    assert cursor.read(600, START) is None


@pytest.mark.parametrize(
    ("withheld", "reason"),
    [
        ([], "filtered"),
        ([Withheld.OUTBOX_REMOVED], "filtered"),
        ([Withheld.OUTBOX_REMOVED, Withheld.UNCHANGED], "unchanged"),
        ([Withheld.UNCHANGED, Withheld.OUTBOX_MODIFIED], "outbox_modified"),
    ],
)
def test_why_routes_make_nothing_of_a_record(withheld: list[Withheld], reason: str) -> None:
    assert skip_reason(withheld) == reason
    assert reason in SKIP_REASONS
