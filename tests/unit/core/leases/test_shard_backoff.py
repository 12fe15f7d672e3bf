from consumer.core.leases.shard_backoff import Avoidance


def test_a_failing_shard_is_avoided_for_twice_as_long_each_time_up_to_ten_minutes() -> None:
    avoidance: Avoidance[str] = Avoidance()
    waits = [avoidance.avoid("s", 0.0) for _ in range(8)]
    assert waits == [10.0, 20.0, 40.0, 80.0, 160.0, 320.0, 600.0, 600.0]


def test_it_is_avoided_until_the_time_is_over() -> None:
    avoidance: Avoidance[str] = Avoidance()
    avoidance.avoid("s", 100.0)
    assert avoidance.avoided(109.9) == {"s"}
    assert avoidance.avoided(110.0) == frozenset()


def test_a_shard_that_works_again_starts_from_the_shortest_wait() -> None:
    avoidance: Avoidance[str] = Avoidance()
    for shard in ("s", "t"):
        avoidance.avoid(shard, 0.0)
        avoidance.avoid(shard, 0.0)
    avoidance.forgive("s")
    avoidance.forgive("unknown")
    assert avoidance.avoided(1.0) == {"t"}
    assert avoidance.avoid("s", 0.0) == 10.0
    assert avoidance.avoid("t", 0.0) == 40.0
