"""Rows of `/status`."""

from msgspec.structs import replace

from consumer.core.failure import Failure
from consumer.core.leases.lease import Lease, Pause
from consumer.core.leases.lease_state import LeaseState
from consumer.core.reports.condition import Condition
from consumer.core.reports.lease_view import LeaseView
from consumer.core.reports.rate import Rate
from consumer.core.reports.status import ConditionStatus, ShardStatus
from consumer.core.reports.status_rows import condition_status, lease_status, shard_status
from consumer.core.reports.worker_state import WorkerState
from consumer.core.shard.shard_state import ShardState
from consumer.core.shard.shard_view import ShardView

SHARD = ShardView("orders/1", "s", ShardState.READING, True, "5", 0.0, since=90.0)
PAUSE = Pause("me@desk", 40.0, "deploy")


def test_a_shard_that_reads_has_nothing_more_to_say() -> None:
    expected = ShardStatus("s", "reading", "5", 10.0, 0, "orders/1", None, 0.0)
    assert shard_status(SHARD, None, 100.0) == expected
    assert shard_status(SHARD, Rate(0.0, 0), 100.0) == expected


def test_a_shard_that_does_not_read_says_why_and_since_when() -> None:
    failure = Failure("server_error", "InternalServerError: x", 21, 50.0)
    failing = shard_status(replace(SHARD, state=ShardState.FAILING, failure=failure), None, 100.0)
    times = "\N{MULTIPLICATION SIGN}"
    assert (failing.state, failing.reason, failing.since) == (
        "failing",
        f"server_error, 21{times}: InternalServerError: x",
        50.0,
    )
    paused = shard_status(replace(SHARD, state=ShardState.PAUSED, pause=PAUSE), None, 100.0)
    assert (paused.reason, paused.since) == ("paused by me@desk: deploy", 40.0)
    unnamed = shard_status(replace(SHARD, state=ShardState.PAUSED), None, 100.0)
    assert (unnamed.reason, unnamed.since) == (None, None)


def test_a_hot_key_is_shown_by_its_sequence_number() -> None:
    hot = replace(SHARD, state=ShardState.SUSPENDED, suspended_cause="hot_key", crowded_at=4711)
    assert shard_status(hot, None, 100.0).reason == (
        "the oldest event of the key is that of sequence 4711"
    )
    assert shard_status(replace(hot, crowded_at=None), None, 100.0).reason is None


def test_a_record_that_cannot_be_read_is_shown_by_its_sequence_number() -> None:
    held = shard_status(replace(SHARD, unread_at=4711), None, 100.0)
    assert (held.state, held.reason, held.behind) == (
        "reading",
        "too many records cannot be read; the oldest is that of sequence 4711",
        (),
    )


def test_a_lease_shows_its_age_by_the_rows_and_who_paused_it() -> None:
    lease = Lease("s", None, "w", checkpoint="5", paused=True, pause=PAUSE)
    view = LeaseView("orders/1", lease, LeaseState.FOREIGN, None, 95.0)
    told = lease_status(view, 100.0)
    assert (told.age_seconds, told.paused, told.reason, told.since) == (
        5.0,
        True,
        "paused by me@desk: deploy",
        40.0,
    )
    held = lease_status(LeaseView("orders/1", lease, LeaseState.HELD, None), 100.0)
    assert held.age_seconds is None


def test_a_condition_is_shown_with_what_to_do() -> None:
    condition = Condition(WorkerState.UNABLE, "no shard", 5.0)
    assert condition_status(condition) == ConditionStatus(
        "unable", "no shard", 5.0, condition.action
    )
