"""What the runtime needs from the outside world. Adapters fulfil it; the simulation has twins."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence

    from consumer.core.dead_letters.dead_letter import DeadLetter
    from consumer.core.dead_letters.redrive import QueueDepth, QueuedMessage, Receipt
    from consumer.core.leases.command import Command
    from consumer.core.leases.lease import Gap, Lease, LeaseWrite, StreamRow, Worker
    from consumer.core.publishing.answer import Answer
    from consumer.core.stream.page import Page
    from consumer.core.stream.stream import Position, Shard, Stream, StreamPage


class Clock(Protocol):
    """Time, injected. Nothing compares `now` of two machines, nothing decides by `wall`."""

    def now(self) -> float:
        """Seconds of CLOCK_BOOTTIME: never set, goes on while the machine is suspended."""
        ...

    def wall(self) -> float:
        """Epoch seconds, for people, ages and row fields."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Wait."""
        ...


class Chance(Protocol):
    """Randomness, injected. Spreads retries; never decides an outcome."""

    def random(self) -> float:
        """A float in [0, 1)."""
        ...


class StreamClient(Protocol):
    """DynamoDB Streams, and the one DynamoDB call that finds a table's stream.

    Every method may raise Retryable (throttled, 5xx, time-out, reset, truncated or corrupt body).
    A truncated answer never looks like a closed shard. Calls are never retried inside.
    """

    async def latest_stream(self, table: str) -> Stream | None:
        """Return the table's latest stream, None if it never had one.

        Raises Misconfigured if there is no such table.
        """
        ...

    async def describe_stream(self, stream: Stream, after_shard: str | None) -> StreamPage:
        """Return one page of the listing (at most 100 shards), after the shard named if any.

        Raises ShardNotFound if the stream does not exist.
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

        Raises TrimmedData if the record of the position's number is gone, ShardNotFound if the
        shard or its stream is.
        """
        ...

    async def get_records(self, iterator: str) -> Page:
        """Return the next page (at most 1,000 records). The iterator can be used again.

        Raises ExpiredIterator, TrimmedData, ShardNotFound.
        """
        ...


class LeaseStore(Protocol):
    """The lease table. Requests are never retried inside; each ends within its time limit.

    Reads are strongly consistent and complete (all pages) and raise Retryable when they fail.
    Writes raise UnknownOutcome for everything that is not a definite answer.
    """

    async def ensure_table(self, *, create: bool) -> None:
        """Check (or make) the table. Misconfigured if it is absent or has another key."""
        ...

    async def read_peers(self) -> tuple[Sequence[Worker], Sequence[StreamRow]]:
        """All worker and stream rows of this application."""
        ...

    async def read_leases(self, stream_key: str) -> Sequence[Lease]:
        """All lease rows of a stream."""
        ...

    async def read_gaps(self, stream_key: str) -> Sequence[Gap]:
        """All gap rows of a stream."""
        ...

    async def read_commands(self, stream_key: str, after: int) -> Sequence[Command]:
        """The operator's commands with a higher number, in order."""
        ...

    async def add_command(self, stream_key: str, command: Command) -> bool:
        """Put a command's row and raise the stream row's `commands` to its number: both or neither.

        True if it stands there now, also when an earlier copy of this call did it; False if the
        number is not the next one. For the operator's tools: no worker calls it.
        """
        ...

    async def put_worker(self, worker: Worker) -> None:
        """Write the whole worker row."""
        ...

    async def delete_worker(self, worker_id: str) -> None:
        """A clean exit deletes its row last."""
        ...

    async def create_stream(self, row: StreamRow) -> StreamRow:
        """Put if absent; returns the row that stands there now."""
        ...

    async def replace_stream(self, expected: StreamRow, row: StreamRow) -> StreamRow | None:
        """Write `row` if the row still equals `expected` in sweep, bootstrapped and fingerprint.

        Returns the new row, or None if somebody else was faster.
        """
        ...

    async def create_lease(self, stream_key: str, lease: Lease) -> bool:
        """Put if absent. True if this call created it."""
        ...

    async def delete_lease(self, stream_key: str, lease: Lease) -> bool:
        """Delete if owner, counter and checkpoint are still those given."""
        ...

    async def write_lease(self, stream_key: str, write: LeaseWrite) -> Lease:
        """The conditional write; returns the new row. LeaseConflict carries the current row."""
        ...

    async def mark_parent_gone(self, stream_key: str, shard_id: str) -> None:
        """Set `parentGone` on an existing lease row, touching nothing else."""
        ...

    async def put_gap(self, stream_key: str, gap: Gap) -> bool:
        """Put the row; True if it is there by this gap (told apart by `detected_at`) alone.

        False: the same gap was met before. Its row then has the new `detected_at` and `to`, so that
        a late `complete_gap` of whoever met it before changes nothing. A loss takes the place of a
        seek that skips from there (True), never the other way round.
        """
        ...

    async def complete_gap(self, stream_key: str, gap: Gap) -> None:
        """Set `to` of the row, if it is there by this very gap."""
        ...


class Publisher(Protocol):
    """Nakadi's publishing call for one event type. Calls are never retried inside."""

    async def publish(self, bodies: Sequence[bytes]) -> Answer:
        """Send one request with these events, in this order.

        Never raises for what Nakadi or the network does: no answer is one of status 0, and any
        of the events may then be stored, now or later.
        """
        ...


class DeadLetterQueue(Protocol):
    """Where refused events wait for a person. Calls are never retried inside."""

    async def send(self, letters: Sequence[DeadLetter]) -> Sequence[bool]:
        """Send at most ten letters; return for each whether the queue has said that it took it.

        Raises Retryable if it said so of none because a call failed. A letter of which it did not
        say so may be there all the same.
        """
        ...


class DeadLetterSource(Protocol):
    """The dead letter queue from its other end, for redrive. Calls are never retried inside.

    Every method may raise Retryable: the call may have taken effect all the same. The first one,
    `depth`, raises Misconfigured if there is no queue.
    """

    async def depth(self) -> QueueDepth:
        """Return about how many messages it holds."""
        ...

    async def receive(self, count: int, seconds: float) -> Sequence[QueuedMessage]:
        """Return at most `count` (1 to 10) messages and hide them from others for `seconds`.

        None at all is an answer after a wait of about a second.
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
