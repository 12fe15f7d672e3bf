from hypothesis import given
from hypothesis import strategies as st

from consumer.core.backoff import Backoff, full_jitter


def test_the_ceiling_doubles_from_the_first_failure_on() -> None:
    waits = [full_jitter(failures, 0.2, 100.0, 0.5) for failures in range(1, 6)]
    assert waits == [0.1, 0.2, 0.4, 0.8, 1.6]


def test_the_ceiling_has_a_limit() -> None:
    assert full_jitter(5, 0.2, 1.0, 0.5) == 0.5
    assert full_jitter(10**9, 0.2, 1.0, 0.5) == 0.5


def test_chance_spreads_from_nought() -> None:
    assert full_jitter(3, 1.0, 10.0, 0.0) == 0.0
    assert full_jitter(3, 1.0, 10.0, 0.25) == 1.0


def test_no_failure_counts_as_the_first() -> None:
    assert full_jitter(0, 1.0, 10.0, 0.5) == full_jitter(1, 1.0, 10.0, 0.5)


@given(st.integers(1, 10_000), st.floats(0, 1, exclude_max=True))
def test_it_is_always_below_its_ceiling(failures: int, chance: float) -> None:
    assert 0 <= full_jitter(failures, 0.5, 30.0, chance) < 30.0


def test_a_backoff_counts_the_failures_and_begins_again_after_a_success() -> None:
    backoff = Backoff(0.2, 0.6)
    assert [backoff.next(0.5) for _ in range(4)] == [0.1, 0.2, 0.3, 0.3]
    assert backoff.failures == 4
    backoff.reset()
    assert backoff.failures == 0
    assert backoff.next(0.5) == 0.1
