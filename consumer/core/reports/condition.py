"""The condition of a worker: the worst of what is wrong with it, why, since when, what to do.

A worker writes it into its row, so that every page and command can say what is wrong anywhere.
"""

from __future__ import annotations

from math import inf
from typing import TYPE_CHECKING

from msgspec import Struct

from consumer.core.leases.worker_report import WorkerReport
from consumer.core.publishing.flow import FlowState
from consumer.core.reports.worker_state import ACTIONS, WorkerState
from consumer.core.shard.shard_state import ShardState
from consumer.core.shard.shard_view import FAILING_AFTER

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from consumer.core.leases.table_calls import TableCalls
    from consumer.core.reports.status import EventTypeStatus
    from consumer.core.shard.shard_view import ShardView

LONGEST_REASON = 400
"""Characters of a reason in the worker's row."""

FAILING_NAMED = 10
"""Shards that a worker's row names as failing."""


class Condition(Struct, frozen=True):
    """`since` is in epoch seconds, None if it is not known or nothing is wrong."""

    state: WorkerState
    reason: str | None = None
    since: float | None = None

    @property
    def action(self) -> str:
        """What an operator can do about it."""
        return ACTIONS[self.state]


SOUND = Condition(WorkerState.OK)


def worst(conditions: Iterable[Condition]) -> Condition:
    """Return the most serious condition, of equally serious ones that which lasts longest."""
    order = list(WorkerState)

    def rank(each: Condition) -> tuple[int, float]:
        return order.index(each.state), -(inf if each.since is None else each.since)

    return max(conditions, key=rank, default=SOUND)


def conditions(
    calls: TableCalls,
    shards: Sequence[ShardView],
    event_types: Sequence[EventTypeStatus],
    unable_since: float | None,
) -> Iterator[Condition]:
    """Yield all that is wrong with a worker that runs these shards."""
    for event_type in event_types:
        told = " ".join(filter(None, (event_type.reason, event_type.detail)))
        words = f"event type {event_type.name}: {told}"
        if event_type.state == FlowState.STOPPED:
            yield Condition(WorkerState.STOPPED, words, event_type.since)
        elif event_type.state == FlowState.BACKING_OFF:
            yield Condition(WorkerState.BACKING_OFF, words, event_type.since)
    if unable_since is not None:
        yield Condition(WorkerState.UNABLE, "this worker can read no shard", unable_since)
    yield from _of_table(calls)
    for shard in shards:
        if shard.state is ShardState.FAILING and shard.failure is not None:
            words = f"shard {shard.shard_id}: {shard.failure.words}"
            yield Condition(WorkerState.FAILING, words, shard.failure.since)
        elif shard.state is ShardState.PAUSED:
            pause = shard.pause
            why = "" if pause is None else f" {pause.words}"
            at = None if pause is None else pause.at
            yield Condition(WorkerState.PAUSED, f"shard {shard.shard_id} is paused{why}", at)


def _of_table(calls: TableCalls) -> Iterator[Condition]:
    """Yield what is wrong with the calls to the lease table; without a table only that."""
    gone = calls.table_gone
    if gone is not None:
        words = f"the lease table does not exist: {gone.words}"
        yield Condition(WorkerState.LEASE_TABLE, words, gone.since)
        return
    for call, failure in calls.failures.items():
        if failure.count >= FAILING_AFTER:
            words = f"{call.value} fails: {failure.words}"
            yield Condition(WorkerState.LEASE_TABLE, words, failure.since)


def worker_report(condition: Condition, shards: Sequence[ShardView]) -> WorkerReport:
    """Return what the worker's row says; `shards` are all that it runs or is about to take."""
    reason = condition.reason
    failing = [
        f"{shard.stream_key}/{shard.shard_id}"
        for shard in shards
        if shard.state is ShardState.FAILING
    ]
    return WorkerReport(
        state=condition.state.value,
        reason=None if reason is None else reason[:LONGEST_REASON],
        since=condition.since,
        settled_at=min((shard.since for shard in shards), default=None),
        failing=tuple(sorted(failing)[:FAILING_NAMED]),
    )
