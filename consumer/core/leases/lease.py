"""The rows of the lease table, as values.

All rows have the partition key `application`; their sort keys begin with `worker/`, `stream/`,
`lease/` and `gap/`. The rows of commands are in `command`, those of snapshots in `republish`, those
of exports and repairs in `repair`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from consumer.core.leases.checkpoint import SHARD_END, TRIM_HORIZON, Checkpoint, sequence_of
from consumer.core.leases.progress import Progress
from consumer.core.stream.stream import Stream

if TYPE_CHECKING:
    from consumer.core.leases.mark import Ahead, Mark
    from consumer.core.leases.worker_report import WorkerReport

SEEK = "seek"
"""Reason of a gap that an operator's seek makes."""

ALL_SHARDS = "*"
"""Stands in a gap for every shard of a stream."""

UNREAD_SECONDS = 26 * 3600.0
"""How old the changes of a gap are thought to be at most, where its row does not say."""

SCHEMA_VERSION = 1


class Pause(Struct, frozen=True):
    """Who paused a shard, when (epoch seconds) and why."""

    by: str
    at: float
    reason: str = ""

    @property
    def words(self) -> str:
        """Who and why, to follow the word "paused"."""
        return f"by {self.by}" + (f": {self.reason}" if self.reason else "")


class Lease(Struct, frozen=True):
    """Who reads a shard, and how far it is settled. Times are epoch seconds.

    `counter` rises with every take, release and command, and every write that depends on the owner
    is conditional on it. `created_at` is when the row was made or, if earlier, when the last
    complete listing before that began: the shard is hardly older. `record_at` is the creation time
    of the newest settled record, `caught_up_at` the last time a page reached the tip with
    everything settled. `start_iterator` is stored by the bootstrap of a stream that starts at
    LATEST.

    `command_counter` is the number of the last command that the owner has taken into account. A
    paused shard keeps its owner and is not read; `pause` says by whom, unless a worker of an older
    version applied the command. `skip_before` is set by a seek, in place of the
    stream's start: older records are skipped. `mark` is what the row says of what runs ahead of its
    checkpoint; what of it holds is `ahead`.

    `unreadable` names the attribute for which the row cannot be read, None if it can. Such a row
    stands for a shard that exists and is not finished; its checkpoint is UNREADABLE, and nobody
    takes, releases or deletes it.
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
    unreadable: str | None = None
    pause: Pause | None = None
    mark: Mark | None = None

    @property
    def ahead(self) -> Ahead | None:
        """What is settled beyond the checkpoint, None if no valid mark says anything of it."""
        if self.mark is None or self.finished or self.mark.command_counter != self.command_counter:
            return None
        begun = sequence_of(self.checkpoint)
        return None if begun is not None and self.mark.ahead.to <= begun else self.mark.ahead

    @property
    def progress(self) -> Progress:
        """How far the shard was settled when the row was written."""
        return Progress(self.checkpoint, self.record_at, self.caught_up_at, self.ahead)

    @property
    def last_sign(self) -> float:
        """The latest time up to which the shard is known to be read, else `created_at`.

        A release is no sign of reading: a worker that cannot read a shard releases it, too.
        """
        return self.last_sign_with(self.record_at)

    def last_sign_with(self, record_at: float | None) -> float:
        """Return the last sign as it will be once the row says `record_at`."""
        signs = (record_at, self.caught_up_at)
        return max((sign for sign in signs if sign is not None), default=self.created_at)

    def unsettled_since(self, record_at: float | None) -> float:
        """Return since when (epoch seconds) changes that are not settled may have been made.

        `record_at` is the creation time of the newest record that is settled. Where there is none,
        changes may be older than the row: the stream kept them before it was made. So it is for an
        event type that was sent back to the oldest record.
        """
        sent_back = self.ahead is not None and self.checkpoint == TRIM_HORIZON
        oldest = max(0.0, self.created_at - UNREAD_SECONDS)
        return oldest if record_at is None or sent_back else record_at

    @property
    def finished(self) -> bool:
        """The shard is at its end and all of it is settled."""
        return self.checkpoint == SHARD_END


class LeaseWrite(Struct, frozen=True):
    """One conditional write of a lease row: it replaces `expected` by `row`.

    The condition is on owner, counter and checkpoint of `expected`. A take has no condition on the
    checkpoint, because reading starts from the one in the returned row: `keeps_checkpoint` leaves
    checkpoint, record_at, caught_up_at and mark as they are.
    """

    expected: Lease
    row: Lease
    keeps_checkpoint: bool = False


class Worker(Struct, frozen=True):
    """A worker's row, which it writes with every heartbeat.

    `heartbeat` and `changes` are counters. `streams` are the keys of the streams of which it takes
    leases. It is `able` unless no shard can be read from where it runs. `seen_at` and `started_at`
    (epoch seconds, by its own clock) are for people and ages only.

    `lease_duration` and `heartbeat_interval` (seconds) are what this worker keeps to: peers judge
    it by them, not by their own settings. Rows of version 0.1.0 have neither.

    `report` is what it says of itself, for people; None if its version is older.

    `touch_attribute` is the attribute that it leaves out of all that it publishes; None: its
    version is older, and publishes every attribute.

    `unreadable` names the attribute for which the row cannot be read, None if it can. Such a worker
    gets no share, but any change of its row is a sign of life.
    """

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
    lease_duration: float | None = None
    heartbeat_interval: float | None = None
    unreadable: str | None = None
    report: WorkerReport | None = None
    touch_attribute: str | None = None

    @property
    def settled_at(self) -> float:
        """Up to when all that it runs is known to be settled; where it does not say, `seen_at`."""
        told = None if self.report is None else self.report.settled_at
        return self.seen_at if told is None else told


class StreamRow(Struct, frozen=True):
    """What all workers share about one stream.

    `after` is the label of the stream that the table had before. `start_position` is TRIM_HORIZON,
    LATEST or an ISO time; `started_at` (epoch seconds) is set for LATEST and for a time: older
    records are skipped. `sweep_n` is raised by the worker that wins the sweep, `sweep_done` follows
    when the listing is complete, and `swept_at` is when that listing began. `commands` is the
    number of the newest command of an operator.

    `fingerprint` and `event_types` say for which purpose the stream is read (`purpose`); rows of a
    single event type have no `event_types`. `published` are the event types in which an event was
    stored, by any worker; rows of version 0.1.0 lack it. `stream_prefix` stands before the label in
    what events say of the stream; None: no worker has read it yet whose events name their stream.

    `passed_by` says why nothing of the stream is read, in the word of its gap row; None of a stream
    that is read. It is written once all streams before it are read.

    `unreadable` names the attribute for which the row cannot be read, None if it can. The stream
    then waits: nothing of it is listed or taken, and no stream after it begins.
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
    passed_by: str | None = None
    event_types: tuple[str, ...] | None = None
    published: tuple[str, ...] | None = None
    stream_prefix: str | None = None
    unreadable: str | None = None

    def may_say(self, prefix: str) -> bool:
        """Return whether events with this prefix go on with what those of its workers say."""
        return self.stream_prefix in (None, prefix)

    @property
    def stream(self) -> Stream:
        """The stream that it is of."""
        return Stream(self.arn, self.table, self.label)

    @property
    def key(self) -> str:
        """`<table>/<label>`: how rows of the lease table name this stream."""
        return f"{self.table}/{self.label}"


class Gap(Struct, frozen=True):
    """Records that no worker has read: those between `from_` and `to`, both exclusive.

    They were trimmed before, or an operator's seek skips them (reason SEEK), or their stream was
    passed by, or the table had no stream when they would have been written: then `shard_id` is
    ALL_SHARDS. `to` is the sequence number of the first record read
    after the gap, None while that is not known. (Version 0.1.0 wrote the target of a seek to a
    sequence number, which is skipped, too, until then.) `detected_at` is epoch seconds.

    Where a mark stood, records up to `ahead.to` are lost for the event types `ahead.behind` only:
    the others had them.

    What is missing was changed between `from_time` and `to_time`, None while that is not known, and
    in rows of older versions. `repaired_at` is when it was published from the table's backup. All
    times are epoch seconds.
    """

    shard_id: str
    from_: Checkpoint
    to: str | None
    reason: str  # one of GAP_REASONS
    detected_at: float
    ahead: Ahead | None = None
    from_time: float | None = None
    to_time: float | None = None
    repaired_at: float | None = None

    @property
    def changed_between(self) -> tuple[float, float]:
        """From when to when what is missing was changed, as far as is known.

        Nothing is missing that was made after the gap was found. The stream keeps records for 24
        hours, so one that nobody had read before can hardly be older than 26.
        """
        since = self.detected_at - UNREAD_SECONDS if self.from_time is None else self.from_time
        return since, self.detected_at if self.to_time is None else self.to_time
