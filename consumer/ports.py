"""What the runtime needs from outside. Adapters implement it; the tests have twins."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence

    from msgspec import Raw

    from consumer.core.dead_letters.dead_letter import DeadLetter
    from consumer.core.dead_letters.redrive import QueueDepth, QueuedMessage, Receipt
    from consumer.core.leases.command import Command
    from consumer.core.leases.lease import Gap, Lease, LeaseWrite, StreamRow, Worker
    from consumer.core.preflight.check_result import CheckResult
    from consumer.core.publishing.answer import Answer
    from consumer.core.publishing.placement import Partitioning
    from consumer.core.republish.table.table_answer import TableAnswer
    from consumer.core.republish.table.table_description import TableDescription
    from consumer.core.stream.page import Page
    from consumer.core.stream.stream import Position, Shard, Stream, StreamPage


class Clock(Protocol):
    """Time. The values of `now` of two machines are never compared."""

    def now(self) -> float:
        """Return the seconds of CLOCK_BOOTTIME: it is never set and counts while suspended."""
        ...

    def wall(self) -> float:
        """Return the epoch seconds by AWS's clock, for people, ages and row fields.

        It goes on steadily, whatever is done to the wall clock of this machine.
        """
        ...

    async def sleep(self, seconds: float) -> None:
        """Wait for this many seconds."""
        ...


class Chance(Protocol):
    """Randomness. It spreads retries; it never decides an outcome."""

    def random(self) -> float:
        """Return a float in [0, 1)."""
        ...


class StreamClient(Protocol):
    """DynamoDB Streams, and the one DynamoDB call that finds a table's stream.

    Every method may raise Retryable (throttled, 5xx, time-out, reset, truncated or corrupt body).
    A truncated answer never looks like a closed shard. Calls are never retried inside.
    """

    async def latest_stream(self, table: str) -> Stream | None:
        """Return the table's latest stream, None if it never had one.

        Raise TableNotFound if there is no such table.
        """
        ...

    async def describe_stream(self, stream: Stream, after_shard: str | None) -> StreamPage:
        """Return one page of the listing (at most 100 shards), after the shard named if any.

        Raise ShardNotFound if the stream does not exist.
        """
        ...

    async def child_shards(self, stream: Stream, shard_id: str) -> Sequence[Shard]:
        """Return a shard's direct children by ShardFilter CHILD_SHARDS, none while it is open.

        The answer is the same where a backend ignores the filter; it may then take several
        requests.
        """
        ...

    async def shard_iterator(
        self, stream: Stream, shard_id: str, position: Position
    ) -> tuple[str, float]:
        """Return an iterator and the answer's Date in epoch seconds.

        Raise TrimmedData if the record of the position's number is gone, ShardNotFound if the shard
        or its stream is.
        """
        ...

    async def get_records(self, iterator: str) -> Page:
        """Return the next page (at most 1,000 records). The iterator can be used again.

        Raise ExpiredIterator, also for an iterator that the stream does not take for one,
        TrimmedData or ShardNotFound.
        """
        ...


class LeaseStore(Protocol):
    """The lease table. Requests are never retried inside; each ends within its time limit.

    Reads are strongly consistent and complete (all pages) and raise Retryable when they fail.
    Writes raise UnknownOutcome for everything that is not a definite answer. Both raise
    LeaseTableGone if there is no such table; then nothing was written.
    """

    async def ensure_table(self, *, create: bool) -> None:
        """Check the table, or create it. Raise Misconfigured if it is absent or has another key."""
        ...

    async def read_peers(self) -> tuple[Sequence[Worker], Sequence[StreamRow]]:
        """Return all worker and stream rows of this application."""
        ...

    async def read_leases(self, stream_key: str) -> Sequence[Lease]:
        """Return all lease rows of a stream."""
        ...

    async def read_gaps(self, stream_key: str) -> Sequence[Gap]:
        """Return all gap rows of a stream."""
        ...

    async def read_commands(self, stream_key: str, after: int) -> Sequence[Command]:
        """Return the operator's commands with a number above `after`, in order."""
        ...

    async def add_command(self, stream_key: str, command: Command) -> bool:
        """Put a command's row and raise the stream row's `commands` to its number: both or neither.

        Return True if the row is there now, also when an earlier copy of this call put it; False if
        the number is not the next one. For the operator's tools: no worker calls it.
        """
        ...

    async def put_worker(self, worker: Worker) -> None:
        """Write the whole worker row."""
        ...

    async def delete_worker(self, worker_id: str) -> None:
        """Delete the worker row, as the last step of a clean exit."""
        ...

    async def create_stream(self, row: StreamRow) -> StreamRow:
        """Put the row if it is absent; return the row that is there now."""
        ...

    async def replace_stream(self, expected: StreamRow, row: StreamRow) -> StreamRow | None:
        """Write `row` if the row still equals `expected` in sweep, bootstrapped and fingerprint.

        Return the new row, None if another worker was faster.
        """
        ...

    async def write_purpose(self, expected: StreamRow, row: StreamRow) -> StreamRow | None:
        """Write fingerprint, event types and `published` of `row` if they are those of `expected`.

        Change nothing else. Return the new row, None if another worker was faster.
        """
        ...

    async def create_lease(self, stream_key: str, lease: Lease) -> bool:
        """Put the row if it is absent; return whether this call created it."""
        ...

    async def delete_lease(self, stream_key: str, lease: Lease) -> bool:
        """Delete the row if owner, counter and checkpoint are still these; return whether so."""
        ...

    async def write_lease(self, stream_key: str, write: LeaseWrite) -> Lease:
        """Make the conditional write; return the new row. LeaseConflict carries the current one."""
        ...

    async def mark_parent_gone(self, stream_key: str, shard_id: str) -> None:
        """Set `parentGone` on an existing lease row and change nothing else."""
        ...

    async def put_gap(self, stream_key: str, gap: Gap) -> bool:
        """Put the row; return True if it is there because of this gap (by `detected_at`) alone.

        Return False if the same gap was found before. Its row then has the new `detected_at` and
        `to`, so that a late `complete_gap` for the earlier one changes nothing, and it is not
        repaired any more. A loss replaces a
        seek that skips from there (True), never the other way round.
        """
        ...

    async def complete_gap(self, stream_key: str, gap: Gap) -> None:
        """Set `to` and `to_time` of the row, if its `detected_at` is that of this gap."""
        ...

    async def mark_repaired(self, stream_key: str, gap: Gap) -> bool:
        """Set `repaired_at` of the row, if its `detected_at` is that of this gap; return whether.

        For the operator's tools: no worker calls it.
        """
        ...


class Table(Protocol):
    """The items of the table, read strongly consistent. No method writes.

    Every method may raise Retryable, and TableNotFound if there is no such table. Calls are never
    retried inside. `read_at` of the items is the time of the answer.
    """

    async def describe(self) -> TableDescription:
        """Return what DescribeTable says of the table."""
        ...

    async def get(self, keys: Sequence[Raw]) -> TableAnswer:
        """Return what the table holds of at most a hundred primary keys, each given once.

        Those that were not read, because the answer was full or the table throttled, are `unread`.
        """
        ...

    async def query(self, partition: Raw, after: Raw | None) -> TableAnswer:
        """Return a page of the items with this partition key, behind the key `after` if any."""
        ...


class Publisher(Protocol):
    """Nakadi's publishing call for one event type. Calls are never retried inside."""

    async def publish(self, bodies: Sequence[bytes]) -> Answer:
        """Send one request with these events, in this order.

        Never raise for what Nakadi or the network does: a missing answer has status 0, and any of
        the events may then be stored, now or later.
        """
        ...


class Definition(Protocol):
    """The definition of one event type, which could not take its route's events at the start."""

    @property
    def wrong(self) -> CheckResult:
        """What was wrong with it at the start."""
        ...

    async def ask(self) -> Partitioning | CheckResult | None:
        """Ask for it again, for a few seconds.

        Return how the event type spreads events if it may be published to, what is wrong if it can
        never take these events, None if it could not be seen. Never raise for what Nakadi or the
        network does.
        """
        ...


class DeadLetterQueue(Protocol):
    """The queue in which refused events are kept. Calls are never retried inside."""

    async def send(self, letters: Sequence[DeadLetter]) -> Sequence[bool]:
        """Send at most ten letters; return for each whether the queue has confirmed it.

        Raise Retryable if a call failed and no letter is confirmed. A letter that is not confirmed
        may be in the queue nonetheless.
        """
        ...


class DeadLetterSource(Protocol):
    """The receiving end of the dead letter queue, for redrive. Calls are never retried inside.

    Every method may raise Retryable; the call may have taken effect nonetheless. `depth`, which is
    called first, raises Misconfigured if there is no queue.
    """

    async def depth(self) -> QueueDepth:
        """Return the approximate numbers of messages in the queue."""
        ...

    async def receive(self, count: int, seconds: float) -> Sequence[QueuedMessage]:
        """Return at most `count` (1 to 10) messages and hide them from others for `seconds`.

        If there are none, the answer is empty, after a wait of about a second.
        """
        ...

    async def delete(self, receipts: Sequence[Receipt]) -> Sequence[bool]:
        """Delete at most ten messages; return for each whether the queue has confirmed it.

        The receipt of an earlier reception deletes nothing, and SQS may confirm it nonetheless.
        """
        ...

    async def hide(self, receipts: Sequence[Receipt], seconds: float) -> Sequence[bool]:
        """Hide at most ten messages for `seconds` from now on; 0 shows them at once.

        Return for each whether the queue has confirmed it. The receipt of an earlier reception
        hides nothing.
        """
        ...
