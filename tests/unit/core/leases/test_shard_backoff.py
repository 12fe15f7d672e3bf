from consumer.core.leases.shard_backoff import LONGEST_SECONDS, ShardBackoff


def wait_of(backoff: ShardBackoff[str], shard: str, now: float) -> int:
    """The seconds for which the shard is avoided after another failure."""
    backoff.failed(shard, now)
    return next(wait for wait in range(1, 1000) if shard not in backoff.avoided(now + wait))


def test_a_failing_shard_is_avoided_for_twice_as_long_each_time_up_to_ten_minutes() -> None:
    backoff: ShardBackoff[str] = ShardBackoff()
    waits = [wait_of(backoff, "s", 0.0) for _ in range(8)]
    assert waits == [10, 20, 40, 80, 160, 320, 600, 600]


def test_it_is_avoided_until_the_time_is_over() -> None:
    backoff: ShardBackoff[str] = ShardBackoff()
    backoff.failed("s", 100.0)
    assert backoff.avoided(109.9) == {"s"}
    assert backoff.avoided(110.0) == frozenset()


def test_a_shard_that_works_again_starts_from_the_shortest_wait() -> None:
    backoff: ShardBackoff[str] = ShardBackoff()
    for shard in ("s", "t"):
        backoff.failed(shard, 0.0)
        backoff.failed(shard, 0.0)
    backoff.recovered("s")
    backoff.recovered("unknown")
    assert backoff.avoided(1.0) == {"t"}
    assert wait_of(backoff, "s", 0.0) == 10
    assert wait_of(backoff, "t", 0.0) == 40


def test_a_failure_of_long_ago_is_forgotten_when_another_shard_fails() -> None:
    backoff: ShardBackoff[str] = ShardBackoff()
    for shard in ("old", "young"):
        backoff.failed(shard, 0.0 if shard == "old" else 5.0)
    backoff.failed("other", 10.0 + LONGEST_SECONDS + 1.0)
    now = 10.0 + LONGEST_SECONDS + 2.0
    assert wait_of(backoff, "young", now) == 20
    assert wait_of(backoff, "old", now) == 10
