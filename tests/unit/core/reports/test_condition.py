"""The worst of what is wrong with a worker."""

import pytest
from msgspec.structs import replace

from consumer.core.failure import Failure
from consumer.core.leases.lease import Pause
from consumer.core.leases.table_calls import TableCall, TableCalls
from consumer.core.leases.worker_report import WorkerReport
from consumer.core.publishing.flow import FlowState
from consumer.core.reports.condition import (
    FAILING_NAMED,
    LONGEST_REASON,
    SOUND,
    Condition,
    conditions,
    worker_report,
    worst,
)
from consumer.core.reports.status import NOTHING_SENT, EventTypeStatus
from consumer.core.reports.worker_state import ACTIONS, WorkerState
from consumer.core.shard.shard_state import ShardState
from consumer.core.shard.shard_view import FAILING_AFTER, ShardView
from consumer.errors import LEASE_TABLE_GONE

READING = ShardView("orders/1", "s", ShardState.READING, True, "5", 0.0, since=90.0, answered=True)
FAILURE = Failure("server_error", "InternalServerError: ", 21, 50.0)
TIMES = "\N{MULTIPLICATION SIGN}"
STOPPED = EventTypeStatus("order", FlowState.STOPPED, "http_404", 70.0, "no such event type")


def found(
    *shards: ShardView,
    calls: TableCalls | None = None,
    event_type: EventTypeStatus | None = None,
    unable_since: float | None = None,
) -> list[Condition]:
    event_types = [] if event_type is None else [event_type]
    return list(conditions(calls or TableCalls(), shards, event_types, unable_since))


def test_the_most_serious_comes_first_and_of_equals_the_one_that_lasts_longest() -> None:
    late = Condition(WorkerState.FAILING, "b", 20.0)
    early = Condition(WorkerState.FAILING, "a", 10.0)
    assert worst([Condition(WorkerState.PAUSED, "p", 1.0), late, early]) == early
    assert worst([late, Condition(WorkerState.STOPPED, "s", 99.0)]).state is WorkerState.STOPPED
    unknown = Condition(WorkerState.FAILING, "c")
    assert worst([unknown, late]) == late
    assert worst([]) == SOUND


def test_a_condition_says_what_to_do() -> None:
    assert Condition(WorkerState.STOPPED).action == ACTIONS[WorkerState.STOPPED]


def test_nothing_is_wrong_with_a_worker_that_reads_and_publishes() -> None:
    publishing = EventTypeStatus("order", FlowState.PUBLISHING)
    assert found(READING, event_type=publishing) == []
    assert found(event_type=replace(publishing, state=NOTHING_SENT)) == []


@pytest.mark.parametrize(
    ("state", "expected"),
    [
        (FlowState.STOPPED, WorkerState.STOPPED),
        (FlowState.BACKING_OFF, WorkerState.BACKING_OFF),
    ],
)
def test_an_event_type_that_is_not_published_to_is_named(
    state: FlowState, expected: WorkerState
) -> None:
    (told,) = found(event_type=replace(STOPPED, state=state))
    assert told == Condition(expected, "event type order: http_404 no such event type", 70.0)


def test_a_shard_that_fails_is_named_with_reason_and_number() -> None:
    failing = replace(READING, state=ShardState.FAILING, failure=FAILURE)
    (told,) = found(READING, failing)
    words = f"shard s: server_error, 21{TIMES}: InternalServerError: "
    assert told == Condition(WorkerState.FAILING, words, 50.0)


def test_a_pause_is_named_with_who_when_and_why() -> None:
    paused = replace(READING, state=ShardState.PAUSED, pause=Pause("me@desk", 40.0, "deploy"))
    (told,) = found(paused)
    assert told == Condition(WorkerState.PAUSED, "shard s is paused by me@desk: deploy", 40.0)
    (told,) = found(replace(paused, pause=Pause("me@desk", 40.0)))
    assert told.reason == "shard s is paused by me@desk"
    (told,) = found(replace(paused, pause=None))  # by a worker of an older version
    assert told == Condition(WorkerState.PAUSED, "shard s is paused")


def test_a_worker_that_can_read_nothing_says_so() -> None:
    (told,) = found(unable_since=30.0)
    assert (told.state, told.since) == (WorkerState.UNABLE, 30.0)


def test_a_call_to_the_lease_table_counts_after_a_few_failures() -> None:
    calls = TableCalls()
    for number in range(FAILING_AFTER):
        assert found(calls=calls) == []
        calls.note_failure(TableCall.SWEEP, "throttled", "slow down", 10.0 + number)
    (told,) = found(calls=calls)
    words = f"{TableCall.SWEEP.value} fails: throttled, {FAILING_AFTER}{TIMES}: slow down"
    assert told == Condition(WorkerState.LEASE_TABLE, words, 10.0)


def test_the_row_has_the_state_and_up_to_when_all_shards_are_settled() -> None:
    other = replace(READING, shard_id="t", since=80.0, state=ShardState.FAILING, failure=FAILURE)
    condition = Condition(WorkerState.FAILING, "x" * 1000, 50.0)
    assert worker_report(condition, [READING, other]) == WorkerReport(
        "failing", "x" * LONGEST_REASON, 50.0, 80.0, ("orders/1/t",)
    )
    assert worker_report(SOUND, []) == WorkerReport("ok")
    many = [replace(other, shard_id=f"s{number:02}") for number in range(50)]
    assert len(worker_report(condition, many).failing) == FAILING_NAMED


def test_that_the_table_is_gone_is_one_condition_from_the_first_answer_on() -> None:
    calls = TableCalls()
    for at in range(FAILING_AFTER):
        calls.note_failure(TableCall.PEERS, LEASE_TABLE_GONE, "no table", 5.0 + at)
    calls.note_failure(TableCall.HEARTBEAT, LEASE_TABLE_GONE, "no table", 4.0)
    (told,) = found(READING, calls=calls)
    words = f"the lease table does not exist: lease_table_gone, 1{TIMES}: no table"
    assert told == Condition(WorkerState.LEASE_TABLE, words, 4.0)
