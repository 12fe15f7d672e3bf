"""The rows of the lease table, as values.

Rows and their keys are those of the protocol page: `worker/…`, `stream/…`, `lease/…`, `gap/…` under
the partition key `application`. Sequence numbers compare as integers; a checkpoint is text, because
three of its values are words.
"""

from __future__ import annotations

from dataclasses import dataclass

from consumer.core.leases.checkpoint import SHARD_END, TRIM_HORIZON, Checkpoint
from consumer.core.leases.progress import Progress

SEEK = "seek"
"""Reason of a gap that an operator wanted."""

SCHEMA_VERSION = 1


@dataclass(frozen=True, slots=True)
class Lease:
    """Who reads a shard, and how far it is settled. Times are epoch seconds.

    `counter` rises with every change of owner and fences every write. `created_at` is when the row
    was made, or the last complete listing before that: the shard is hardly older. `record_at` is
    the creation time of the newest settled record, `caught_up_at` the last time a page reached the
    tip with everything settled. `start_iterator` is stored by the bootstrap of a stream started at
    LATEST.

    `command_counter` is the last of the operator's commands that the row has obeyed. A paused shard
    keeps its owner and is not read. Records older than `skip_before` were skipped by a seek; it
    stands in for the stream's start.
    """

    shard_id: str
    parent_shard_id: str | None
    owner: str | None = None
    counter: int = 0
    checkpoint: Checkpoint = TRIM_HORIZON
    parent_gone: bool = False
    created_at: float = 0.0
    record_at: float | None = None
    caught_up_at: float | None = None
    released_at: float | None = None
    start_iterator: str | None = None
    owner_switches: int = 0
    command_counter: int = 0
    paused: bool = False
    skip_before: float | None = None

    @property
    def progress(self) -> Progress:
        """How far the shard was settled when the row was written."""
        return Progress(self.checkpoint, self.record_at, self.caught_up_at)

    @property
    def last_sign(self) -> float:
        """Latest time up to which the shard is known to be read; its creation if none is.

        A release is no such sign: who could not read for a minute releases, too.
        """
        signs = (self.record_at, self.caught_up_at)
        return max((sign for sign in signs if sign is not None), default=self.created_at)

    @property
    def finished(self) -> bool:
        """The shard is at its end and all of it is settled."""
        return self.checkpoint == SHARD_END


@dataclass(frozen=True, slots=True)
class LeaseWrite:
    """One conditional write of a lease row: `expected` is what must stand there, `row` what shall.

    The condition is on owner, counter and checkpoint of `expected`. A take (owner changes from
    somebody or nobody to me) does not condition on the checkpoint: reading starts from the one in
    the returned row, so `keeps_checkpoint` leaves checkpoint, record_at and caught_up_at untouched.
    """

    expected: Lease
    row: Lease
    keeps_checkpoint: bool = False


@dataclass(frozen=True, slots=True)
class Worker:
    """A worker's sign of life. `seen_at` is wall clock, for people and ages only."""

    worker_id: str
    heartbeat: int
    changes: int
    streams: tuple[str, ...]
    able: bool
    draining: bool
    seen_at: float
    started_at: float
    host: str
    version: str


@dataclass(frozen=True, slots=True)
class StreamRow:
    """What all workers share about one stream.

    `start_position` is TRIM_HORIZON, LATEST or an ISO time; `started_at` (epoch seconds) is set
    for LATEST and for a time: older records are skipped. `sweep_n` is raised by whoever wins the
    listing, `sweep_done` follows when it is complete, and `swept_at` says when that one began.
    `commands` is the number of the newest command of an operator.
    """

    arn: str
    table: str
    label: str
    after: str | None
    start_position: str
    started_at: float | None
    bootstrapped: bool
    sweep_n: int
    sweep_done: int
    changes: int
    fingerprint: str
    schema_version: int = SCHEMA_VERSION
    swept_at: float | None = None
    commands: int = 0

    @property
    def key(self) -> str:
        """`<table>/<label>`."""
        return f"{self.table}/{self.label}"


@dataclass(frozen=True, slots=True)
class Gap:
    """Records that nobody has read: from (exclusive) … to (exclusive).

    They were trimmed before, or an operator wanted to skip them (reason SEEK).
    """

    shard_id: str
    from_: Checkpoint
    to: str | None
    reason: str  # trimmed | possibly_trimmed | shard_gone | seek
    detected_at: float
