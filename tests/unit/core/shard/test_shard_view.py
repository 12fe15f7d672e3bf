import pytest

from consumer.core.shard.shard_state import ShardState
from consumer.core.shard.shard_view import ShardView, shown_since, shown_state


def test_a_shard_ages_from_its_oldest_unsettled_record_and_is_never_younger_than_now() -> None:
    view = ShardView("orders/1", "s", ShardState.READING, True, "5", 90.0, since=100.0)
    assert view.age(107.5) == 7.5
    assert view.age(99.0) == 0.0  # clocks differ


def test_what_is_not_settled_counts_before_the_tip_and_the_tip_before_the_row() -> None:
    assert shown_since(10.0, 20.0, 5.0) == 10.0
    assert shown_since(None, 20.0, 5.0) == 20.0
    assert shown_since(None, None, 5.0) == 5.0


@pytest.mark.parametrize(
    ("state", "suspended", "shown", "cause"),
    [
        (ShardState.READING, None, ShardState.READING, None),
        (ShardState.READING, "budget", ShardState.SUSPENDED, "budget"),
        (ShardState.TAKING, None, ShardState.TAKING, None),
        (ShardState.PAUSED, None, ShardState.PAUSED, "paused"),
        (ShardState.DRAINING, None, ShardState.DRAINING, "settling"),
        (ShardState.FINISHING, None, ShardState.FINISHING, "settling"),
    ],
)
def test_what_waits_names_its_cause(
    state: ShardState, suspended: str | None, shown: ShardState, cause: str | None
) -> None:
    assert shown_state(state, suspended) == (shown, cause)
