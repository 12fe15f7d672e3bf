"""What the coordinator knows of a shard's consumer.

Rule: these methods only ask; the consumer itself decides when it is drained, and it alone writes
its lease row.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from consumer.core.leases.lease import Checkpoint, Lease, StreamRow
    from consumer.core.shard.shard_state import Outcome, ShardState


class RunningShard(Protocol):
    """A shard's consumer, as seen by who runs it."""

    @property
    def shard_id(self) -> str:
        """The shard."""
        ...

    @property
    def stream(self) -> StreamRow:
        """Its stream."""
        ...

    @property
    def lease(self) -> Lease:
        """The row as last known."""
        ...

    @property
    def state(self) -> ShardState:
        """What it is doing."""
        ...

    @property
    def checkpoint(self) -> Checkpoint:
        """How far it is settled by now, ahead of what is written."""
        ...

    @property
    def checkpoint_at(self) -> float:
        """Wall time of the last checkpoint written, or of the take."""
        ...

    def age(self, wall: float) -> float:
        """Iterator age in seconds."""
        ...

    @property
    def held(self) -> bool:
        """Taken, and not ended."""
        ...

    @property
    def retrying(self) -> int:
        """Tickets that failed at least once."""
        ...

    @property
    def pending_events(self) -> int:
        """Events read and not yet settled."""
        ...

    @property
    def records_read(self) -> int:
        """Records read so far, for rates; begins anew whenever it wants."""
        ...

    @property
    def last_success_at(self) -> float | None:
        """`now` of the last successful call to the stream."""
        ...

    @property
    def suspended_cause(self) -> str | None:
        """Why it does not read, if it waits for a named cause."""
        ...

    @property
    def cooled_until(self) -> float:
        """Not to be shed before this time."""
        ...

    async def run(self) -> Outcome:
        """Take the lease, read, settle, end."""
        ...

    def shed(self) -> None:
        """Begin a revocable hand-over."""
        ...

    def keep(self) -> None:
        """The hand-over is not needed any more: read on."""
        ...

    def notify_command(self, number: int) -> None:
        """There are commands for this shard; the newest of its stream has this number."""
        ...

    def drain(self) -> None:
        """Read no more, settle, release."""
        ...

    def revoke(self) -> None:
        """The fence has passed: drop everything at once, write nothing new."""
        ...


# The stream, the lease as observed, and the epoch of the fence it is taken in.
ShardConsumerFactory = Callable[["StreamRow", "Lease", int], RunningShard]
