from consumer.core.leases.shard_backoff import ShardBackoff


def test_a_failing_shard_is_avoided_for_twice_as_long_each_time_up_to_ten_minutes() -> None:
    backoff: ShardBackoff[str] = ShardBackoff()
    waits = [backoff.failed("s", 0.0) for _ in range(8)]
    assert waits == [10.0, 20.0, 40.0, 80.0, 160.0, 320.0, 600.0, 600.0]


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
    assert backoff.failed("s", 0.0) == 10.0
    assert backoff.failed("t", 0.0) == 40.0
