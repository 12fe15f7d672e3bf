"""What became of the calls to the lease table: which were ever answered, which fail now.

A role may lack one right only, so each kind of call is judged by itself. A condition that does not
hold is an answer.
"""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING

from consumer.core.failure import failed_again
from consumer.errors import LEASE_TABLE_GONE

if TYPE_CHECKING:
    from collections.abc import Mapping

    from consumer.core.failure import Failure


class TableCall(Enum):
    """A kind of call; the value says in words what it does."""

    HEARTBEAT = "writing the heartbeat"
    PEERS = "reading the rows of workers and streams"
    LEASES = "reading the leases"
    COMMANDS = "reading the commands"
    STREAM = "writing the row of the stream"
    SWEEP = "claiming the listing of the shards"
    NEW_LEASE = "writing the row of a new shard"
    LEASE = "writing a lease"
    GAP = "writing a gap"


class TableCalls:
    """The calls of one worker. `failures` has those kinds whose newest call failed."""

    def __init__(self) -> None:
        self._answered: set[TableCall] = set()
        self._failures: dict[TableCall, Failure] = {}

    @property
    def failures(self) -> Mapping[TableCall, Failure]:
        """The failures in a row of each kind of call that fails now, oldest first."""
        return dict(sorted(self._failures.items(), key=lambda each: each[1].since))

    @property
    def table_gone(self) -> Failure | None:
        """The oldest failure that says that there is no lease table, None if none does now."""
        found = (each for each in self.failures.values() if each.reason == LEASE_TABLE_GONE)
        return next(found, None)

    def was_answered(self, call: TableCall) -> bool:
        """Return whether a call of this kind was ever answered."""
        return call in self._answered

    def note_answer(self, call: TableCall) -> None:
        """Note that the table has answered, so it is there, whatever other calls said before."""
        self._answered.add(call)
        self._failures = {
            kind: failure
            for kind, failure in self._failures.items()
            if kind is not call and failure.reason != LEASE_TABLE_GONE
        }

    def note_failure(self, call: TableCall, reason: str, detail: str, wall: float) -> None:
        """Note that a call failed at `wall` (epoch seconds)."""
        self._failures[call] = failed_again(self._failures.get(call), reason, detail, wall)
