"""Whether a worker is ready: whether it has seen that it can do its work, at least once.

A worker that was ready does not cease to be for an outage of what it depends on: a restart would
not help, and the worker goes on by itself. It ceases to be while the lease table does not exist:
nothing can be kept, and the process ends soon. And a call that was never answered keeps it unready,
also when it is first made later: a role that lacks a right must not pass a rollout.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from consumer.core.leases.table_calls import TableCall
from consumer.core.publishing.flow import DEFINITION

if TYPE_CHECKING:
    from consumer.core.failure import Failure
    from consumer.core.leases.table_calls import TableCalls


class FirstSteps(Struct, frozen=True):
    """What a worker has done since its start, in the order in which it does it.

    `leases_read`: it has read the leases of each stream. `listed`: it has seen that the shards of
    a stream were listed, by any worker. `reading` is the failure of a shard, if none was read.
    """

    leases_read: bool
    listed: bool
    reading: Failure | None = None


REFUSED = frozenset({"http_401", "http_403", "http_404", "foreign_403", "foreign_404", DEFINITION})
"""Reasons why an event type takes no event at all until an operator has acted."""


def refused(reason: str | None, *, stored: bool) -> bool:
    """Return whether an event type keeps a new worker from being ready, so that a rollout halts.

    `reason` is why nothing is published, None if something is. It does not if an event was ever
    `stored` in it, by any worker: then the trouble is older than this worker, and the roll that
    began it may be the one that mends something else.
    """
    return reason in REFUSED and not stored


def unready(calls: TableCalls, steps: FirstSteps) -> str | None:
    """Return why the worker is not ready, None if it is."""
    gone = calls.table_gone
    if gone is not None:
        return f"the lease table does not exist: {gone.words}"
    if not calls.was_answered(TableCall.HEARTBEAT):
        return _because("the lease table has not been reached yet", calls, TableCall.HEARTBEAT)
    if not calls.was_answered(TableCall.PEERS):
        return _because("the workers have not been read yet", calls, TableCall.PEERS)
    for call, failure in calls.failures.items():
        if not calls.was_answered(call):
            return f"{call.value} fails and never succeeded: {failure.words}"
    if not steps.leases_read:
        return _because("the leases have not been read yet", calls, TableCall.LEASES)
    if not steps.listed:
        return _because("the shards have not been listed yet", calls, TableCall.SWEEP)
    if steps.reading is not None:
        return f"no shard could be read yet: {steps.reading.words}"
    return None


def _because(missing: str, calls: TableCalls, call: TableCall) -> str:
    failure = calls.failures.get(call)
    return missing if failure is None else f"{missing}: {failure.words}"
