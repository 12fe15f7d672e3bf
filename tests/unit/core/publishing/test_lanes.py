"""Lanes of partitions that are down."""

from __future__ import annotations

import pytest

from consumer.core.limits import PublishLimits
from consumer.core.publishing.lanes import (
    BYTES_MIN,
    LANE_SLOTS,
    LANES_MAX,
    PAUSE,
    PAUSE_MAX,
    PAUSE_MIN,
    RESTED_SECONDS,
    UNUSED_SECONDS,
    Lanes,
    PartitionLane,
)
from consumer.core.publishing.partition_outcome import PartitionOutcome
from consumer.core.publishing.placement import Partitioning, Placement
from tests.unit.core.events import event

FULL = 900_000


def lanes(*, steady: bool = True) -> Lanes:
    return Lanes(PublishLimits(batch_bytes=FULL), Placement(Partitioning(steady=steady)))


def outcome(name: str = "3", count: int = 10, size: int = 1_000) -> PartitionOutcome:
    events = [event(number, f"{name}-{number}", size=size) for number in range(count)]
    return PartitionOutcome(name, [*events], failed=True)


def fail(
    them: Lanes,
    now: float = 100.0,
    *,
    sent_at: float | None = None,
    chance: float = 0.5,
    of: PartitionOutcome | None = None,
) -> bool:
    return them.failed(of or outcome(), now if sent_at is None else sent_at, now, chance)


def anything(_: str) -> int:
    return 1


def only(them: Lanes) -> PartitionLane:
    lane = them.next(anything)
    assert lane is not None
    return lane


def test_there_are_none_to_begin_with() -> None:
    them = lanes()
    assert (len(them), them.down, them.in_flight, them.next(anything)) == (0, [], 0, None)
    assert them.of(event(1)) is None
    assert not them.answered("3", 0.0, 0.0)
    assert them.close_unused(1e9) == []


def test_a_failure_opens_a_lane_once_and_an_event_of_it_travels_there() -> None:
    them = lanes()
    assert fail(them)
    assert fail(them, 101.0)
    assert (len(them), them.down) == (1, ["3"])
    them.placement.learn([(event(1, "a"), "3"), (event(2, "b"), "4")])
    assert them.of(event(3, "a")) == "3"
    assert them.of(event(3, "b")) is None
    assert them.of(event(3, "c")) is None


def test_a_partition_is_among_the_lanes_while_it_has_one() -> None:
    them = lanes()
    assert "3" not in them
    fail(them, 100.0)
    assert "3" in them


def test_pauses_double_with_full_jitter_up_to_a_limit() -> None:
    them, now = lanes(), 100.0
    waits = []
    for _ in range(10):
        fail(them, now)
        waits.append(only(them).not_before - now)
        now = only(them).not_before
    assert waits[:3] == pytest.approx([PAUSE / 2, PAUSE, PAUSE * 2])
    assert waits[-1] == pytest.approx(PAUSE_MAX / 2)
    fail(them, now, chance=0.0)
    assert only(them).not_before - now == pytest.approx(PAUSE_MIN)


def test_failures_of_requests_in_flight_together_count_once() -> None:
    them = lanes()
    for now in (100.0, 100.1, 100.2):
        fail(them, now, sent_at=99.0)
    lane = only(them)
    assert lane.failures == 1
    assert lane.not_before == pytest.approx(100.0 + PAUSE / 2)
    assert lane.bytes == 5_000


def test_a_success_that_was_sent_before_the_failure_says_nothing() -> None:
    them = lanes()
    fail(them)
    assert not them.answered("3", 99.0, 101.0)
    assert them.down == ["3"]


def test_several_events_halve_the_bytes_to_a_floor() -> None:
    them = lanes()
    fail(them, of=outcome(count=300))
    assert only(them).bytes == 150_000
    fail(them, 101.0, of=outcome(count=400))  # larger than the lane would send
    assert only(them).bytes == 150_000
    fail(them, 102.0, of=outcome(count=2, size=10))
    assert only(them).bytes == BYTES_MIN


def test_one_event_says_that_its_bytes_were_not_too_many() -> None:
    them = lanes()
    fail(them, of=outcome(count=300))
    fail(them, 101.0, of=outcome(count=1))
    assert (only(them).bytes, only(them).bytes_known) == (150_000, FULL)
    for _ in range(2):
        assert not them.answered("3", 102.0, 102.0)
    assert only(them).bytes == 600_000
    assert them.answered("3", 103.0, 103.0)
    assert len(them) == 0


def test_a_lane_of_single_events_ends_with_the_first_success() -> None:
    them = lanes()
    fail(them, of=outcome(count=1))
    assert only(them).bytes == FULL
    assert them.answered("3", 101.0, 101.0)


def test_bytes_grow_slowly_beyond_what_failed_and_slower_each_time() -> None:
    them, now = lanes(), 100.0
    fail(them, of=outcome(count=400))
    assert only(them).bytes == 200_000
    steps = []
    for _ in range(3):
        count = 0
        while only(them).bytes <= 400_000:
            now += 1.0
            assert not them.answered("3", now, now)
            count += 1
        steps.append(count)
        now += 1.0
        fail(them, now, of=outcome(count=400))
        assert only(them).bytes == 200_000
    assert steps == [15, 29, 56]
    assert only(them).failures == 1


def test_bytes_double_up_to_what_failed() -> None:
    them = lanes()
    fail(them, of=outcome(count=400))
    only(them).bytes = 60_000
    grown = []
    for _ in range(3):
        them.answered("3", 101.0, 101.0)
        grown.append(only(them).bytes)
    assert grown == [120_000, 200_000, 210_000]
    assert (them.down, only(them).not_before) == ([], 101.0)


def test_a_small_lane_grows_all_the_same() -> None:
    them = lanes()
    fail(them, of=outcome(count=2, size=1))
    lane = only(them)
    lane.growth = 10 * BYTES_MIN
    them.answered("3", 101.0, 101.0)
    assert lane.bytes == BYTES_MIN + 1


def test_the_lane_that_may_send_first_is_next_if_it_has_keys_and_no_request() -> None:
    them = lanes()
    fail(them, 100.0, of=outcome("3"))
    fail(them, 99.0, of=outcome("4"))
    assert only(them).name == "4"
    chosen = them.next(lambda name: int(name == "3"))
    assert chosen is not None
    assert chosen.name == "3"
    assert them.next(lambda _: 0) is None
    only(them).busy = True
    assert (only(them).name, them.in_flight) == ("3", 1)
    only(them).busy = True
    assert them.next(anything) is None


def test_lanes_and_their_requests_are_bounded() -> None:
    them = lanes()
    for number in range(LANES_MAX):
        assert fail(them, of=outcome(str(number)))
    assert not fail(them, of=outcome("one more"))
    assert len(them) == LANES_MAX
    for _ in range(LANE_SLOTS):
        only(them).busy = True
    assert (them.next(anything), them.in_flight) == (None, LANE_SLOTS)


def test_keys_that_go_anywhere_have_no_lane() -> None:
    them = lanes(steady=False)
    assert not fail(them)
    assert len(them) == 0


def test_a_lane_that_nobody_uses_is_closed_and_its_keys_forgotten() -> None:
    them = lanes()
    fail(them)
    them.placement.learn([(event(1, "a"), "3")])
    lane = only(them)
    assert them.close_unused(100.0 + UNUSED_SECONDS) == []
    lane.used_at = 110.0
    lane.busy = True
    assert them.close_unused(1e9) == []
    lane.busy = False
    assert them.close_unused(110.0 + UNUSED_SECONDS) == []
    assert them.close_unused(110.1 + UNUSED_SECONDS) == [lane]
    assert len(them) == 0
    assert them.placement.of(event(2, "a")) is None


def test_one_that_works_again_is_closed_sooner() -> None:
    them = lanes()
    fail(them)
    them.answered("3", 101.0, 101.0)
    lane = only(them)
    assert them.close_unused(100.0 + RESTED_SECONDS) == []
    assert them.close_unused(100.1 + RESTED_SECONDS) == [lane]
