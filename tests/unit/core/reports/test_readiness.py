"""What a worker must have done before it is ready."""

import pytest

from consumer.core.failure import Failure
from consumer.core.leases.table_calls import TableCall, TableCalls
from consumer.core.reports.readiness import REFUSED, FirstSteps, unready
from consumer.core.reports.readiness import refused as withheld
from consumer.errors import LEASE_TABLE_GONE

DONE = FirstSteps(leases_read=True, listed=True)
NO = "AccessDeniedException: not authorized to perform: dynamodb:Query"
TOLD = f"access_denied, 1\N{MULTIPLICATION SIGN}: {NO}"


def answered(*calls: TableCall) -> TableCalls:
    table = TableCalls()
    for call in calls:
        table.note_answer(call)
    return table


def refused(call: TableCall, *before: TableCall) -> TableCalls:
    table = answered(*before)
    table.note_failure(call, "access_denied", NO, 5.0)
    return table


def test_a_worker_that_has_done_all_once_is_ready_whatever_fails_later() -> None:
    calls = answered(TableCall.HEARTBEAT, TableCall.PEERS, TableCall.LEASES)
    assert unready(calls, DONE) is None
    for call in (TableCall.HEARTBEAT, TableCall.PEERS, TableCall.LEASES):
        calls.note_failure(call, "timeout", "no answer", 5.0)
    assert unready(calls, DONE) is None


@pytest.mark.parametrize(
    ("calls", "steps", "says"),
    [
        (answered(), DONE, "the lease table has not been reached yet"),
        (refused(TableCall.HEARTBEAT), DONE, f"has not been reached yet: {TOLD}"),
        (answered(TableCall.HEARTBEAT), DONE, "the workers have not been read yet"),
        (
            refused(TableCall.PEERS, TableCall.HEARTBEAT),
            DONE,
            f"workers have not been read yet: {TOLD}",
        ),
        (
            answered(TableCall.HEARTBEAT, TableCall.PEERS),
            FirstSteps(leases_read=False, listed=False),
            "the leases have not been read yet",
        ),
        (
            answered(TableCall.HEARTBEAT, TableCall.PEERS),
            FirstSteps(leases_read=True, listed=False),
            "the shards have not been listed yet",
        ),
    ],
)
def test_what_is_missing_is_named_with_the_words_of_the_service(
    calls: TableCalls, steps: FirstSteps, says: str
) -> None:
    assert says in (unready(calls, steps) or "")


def test_a_call_that_was_never_answered_keeps_a_worker_unready_when_it_is_first_made() -> None:
    calls = refused(TableCall.LEASE, TableCall.HEARTBEAT, TableCall.PEERS)
    assert unready(calls, DONE) == f"writing a lease fails and never succeeded: {TOLD}"
    calls.note_answer(TableCall.LEASE)
    assert unready(calls, DONE) is None
    calls.note_failure(TableCall.LEASE, "access_denied", NO, 9.0)
    assert unready(calls, DONE) is None


def test_a_worker_that_could_never_read_a_shard_is_not_ready() -> None:
    calls = answered(TableCall.HEARTBEAT, TableCall.PEERS)
    steps = FirstSteps(leases_read=True, listed=True, reading=Failure("access_denied", NO, 1, 5.0))
    assert unready(calls, steps) == f"no shard could be read yet: {TOLD}"


def test_a_worker_is_not_ready_while_the_lease_table_does_not_exist() -> None:
    calls = answered(TableCall.HEARTBEAT, TableCall.PEERS, TableCall.LEASE)
    calls.note_failure(TableCall.LEASE, LEASE_TABLE_GONE, "no table 'leases'", 5.0)
    assert unready(calls, DONE) == (
        "the lease table does not exist: lease_table_gone, 1\N{MULTIPLICATION SIGN}:"
        " no table 'leases'"
    )
    calls.note_answer(TableCall.HEARTBEAT)
    assert unready(calls, DONE) is None


@pytest.mark.parametrize("reason", sorted(REFUSED))
def test_an_event_type_that_never_took_an_event_withholds_readiness(reason: str) -> None:
    assert withheld(reason, stored=False)
    assert not withheld(reason, stored=True)


@pytest.mark.parametrize("reason", [None, "http_503", "dead_letter_limit", "timeout"])
def test_an_outage_withholds_nothing(reason: str | None) -> None:
    assert not withheld(reason, stored=False)
