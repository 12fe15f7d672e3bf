"""The defaults keep the relations that settings assert for others."""

from consumer.core.limits import LeaseTiming, PollTiming, PublishLimits


def test_three_heartbeats_fit_into_the_lease_duration_less_the_margin() -> None:
    timing = LeaseTiming()
    assert timing.lease_duration - timing.margin >= 3 * timing.heartbeat
    assert timing.scan <= timing.lease_duration / 3


def test_polling_backs_off() -> None:
    assert PollTiming().tip < PollTiming().idle <= PollTiming().idle_max


def test_keys_are_strict_unless_told_otherwise() -> None:
    assert PublishLimits().key_run_events == 1
