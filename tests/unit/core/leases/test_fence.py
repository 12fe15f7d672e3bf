from consumer.core.leases.fence import Fence
from consumer.core.limits import LeaseTiming

TIMING = LeaseTiming(lease_duration=10.0, margin=2.0)


def test_nothing_may_be_sent_before_the_first_heartbeat() -> None:
    assert not Fence(TIMING).holds(0.0, 0)


def test_the_deadline_counts_from_the_sending_of_the_heartbeat_not_from_its_answer() -> None:
    fence = Fence(TIMING)
    fence.beat(100.0, 101.5)
    assert fence.deadline == 108.0
    assert fence.holds(107.99, fence.epoch)
    assert not fence.holds(108.0, fence.epoch)


def test_a_heartbeat_answered_in_time_extends_the_deadline_within_the_epoch() -> None:
    fence = Fence(TIMING)
    fence.beat(100.0, 100.0)
    epoch = fence.epoch
    fence.beat(107.0, 107.9)
    assert fence.epoch == epoch
    assert fence.holds(114.9, epoch)


def test_a_deadline_once_passed_is_final() -> None:
    fence = Fence(TIMING)
    fence.beat(100.0, 100.0)
    epoch = fence.epoch
    # Sent before the deadline, answered at it: too late for what is held.
    fence.beat(107.9, 108.0)
    assert not fence.holds(108.1, epoch)
    assert fence.epoch == epoch + 1
    assert fence.holds(108.1, fence.epoch)


def test_an_answer_that_comes_after_its_own_deadline_begins_nothing() -> None:
    fence = Fence(TIMING)
    fence.beat(100.0, 108.5)
    assert not fence.holds(108.5, fence.epoch)
    assert fence.epoch == 0


def test_answers_out_of_order_never_shorten_the_deadline() -> None:
    fence = Fence(TIMING)
    fence.beat(100.0, 100.0)
    fence.beat(102.0, 102.1)
    fence.beat(101.0, 102.2)
    assert fence.deadline == 110.0


def test_an_epoch_that_was_ended_is_final_and_the_next_heartbeat_begins_another() -> None:
    fence = Fence(TIMING)
    fence.beat(100.0, 100.0)
    epoch = fence.epoch
    fence.end_epoch()
    assert not fence.holds(100.1, epoch)
    fence.beat(101.0, 101.1)
    assert not fence.holds(101.2, epoch)
    assert fence.holds(101.2, epoch + 1)
