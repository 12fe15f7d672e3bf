import pytest

from consumer.core.failure import Failure
from consumer.core.shard.shard_state import ShardState
from consumer.core.shard.shard_view import FAILING_AFTER, ShardView, shown_since, shown_state


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
    assert shown_state(state, suspended, None) == (shown, cause)
    once = Failure("server_error", "InternalServerError: ", FAILING_AFTER - 1, 5.0)
    assert shown_state(state, suspended, once) == (shown, cause)


@pytest.mark.parametrize(
    ("state", "suspended", "shown", "cause"),
    [
        (ShardState.READING, None, ShardState.FAILING, None),
        (ShardState.READING, "budget", ShardState.SUSPENDED, "budget"),
        (ShardState.FINISHING, None, ShardState.FAILING, "children"),
        (ShardState.DRAINING, None, ShardState.DRAINING, "settling"),
        (ShardState.TAKING, None, ShardState.TAKING, None),
    ],
)
def test_a_shard_whose_every_call_fails_is_not_shown_as_reading(
    state: ShardState, suspended: str | None, shown: ShardState, cause: str | None
) -> None:
    failure = Failure("server_error", "InternalServerError: ", FAILING_AFTER, 5.0)
    assert shown_state(state, suspended, failure) == (shown, cause)
