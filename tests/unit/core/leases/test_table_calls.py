"""Which calls to the lease table were answered, and which fail."""

from consumer.core.leases.table_calls import TableCall, TableCalls
from consumer.errors import LEASE_TABLE_GONE


def test_a_kind_of_call_fails_until_one_is_answered() -> None:
    calls = TableCalls()
    assert not calls.was_answered(TableCall.PEERS)
    calls.note_failure(TableCall.PEERS, "access_denied", "no", 5.0)
    calls.note_failure(TableCall.PEERS, "access_denied", "no", 7.0)
    assert (calls.failures[TableCall.PEERS].count, calls.failures[TableCall.PEERS].since) == (2, 5)
    assert not calls.was_answered(TableCall.PEERS)
    calls.note_answer(TableCall.PEERS)
    assert calls.was_answered(TableCall.PEERS)
    assert calls.failures == {}
    calls.note_failure(TableCall.PEERS, "timeout", "late", 9.0)
    assert calls.was_answered(TableCall.PEERS)


def test_the_oldest_failure_comes_first() -> None:
    calls = TableCalls()
    calls.note_failure(TableCall.LEASE, "throttled", "slow down", 9.0)
    calls.note_failure(TableCall.SWEEP, "throttled", "slow down", 8.0)
    assert list(calls.failures) == [TableCall.SWEEP, TableCall.LEASE]


def test_any_answer_shows_that_the_table_is_there() -> None:
    calls = TableCalls()
    assert calls.table_gone is None
    calls.note_failure(TableCall.SWEEP, "throttled", "slow down", 7.0)
    calls.note_failure(TableCall.GAP, LEASE_TABLE_GONE, "no table", 9.0)
    calls.note_failure(TableCall.LEASE, LEASE_TABLE_GONE, "no table", 8.0)
    assert calls.table_gone == calls.failures[TableCall.LEASE]
    calls.note_answer(TableCall.HEARTBEAT)
    assert calls.table_gone is None
    assert list(calls.failures) == [TableCall.SWEEP]
