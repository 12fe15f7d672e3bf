"""The defaults keep the relations that settings assert for others."""

from math import inf

from consumer.core.limits import LeaseTiming, PollTiming, PublishLimits


def test_three_heartbeats_fit_into_the_lease_duration_less_the_margin() -> None:
    timing = LeaseTiming()
    assert timing.lease_duration - timing.margin >= 3 * timing.heartbeat
    assert timing.scan <= timing.lease_duration / 3


def test_polling_backs_off() -> None:
    assert PollTiming().tip <= PollTiming().idle <= PollTiming().idle_max


def test_keys_are_strict_unless_told_otherwise() -> None:
    assert PublishLimits().key_run_events == 1


def test_a_hot_keys_limit_is_what_can_be_published_in_time_and_at_least_one() -> None:
    assert PublishLimits().hot_key_limit(0.5, 12.5) == 25.0
    assert PublishLimits(key_run_events=4).hot_key_limit(0.5, 12.5) == 100.0
    assert PublishLimits().hot_key_limit(60.0, 12.5) == 1.0
    assert PublishLimits().hot_key_limit(0.0, 12.5) == 12_500.0


def test_what_is_older_than_the_limit_has_expired_and_without_one_nothing_has() -> None:
    assert PublishLimits(max_record_age=60.0).expired_before(1000.0) == 940.0
    assert PublishLimits().expired_before(1000.0) == -inf
