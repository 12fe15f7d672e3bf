"""What a worker asks of a shard's consumer.

Rule: these methods only ask; the consumer itself decides when it is drained, and it alone writes
its lease row.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from consumer.core.leases.lease import Lease, StreamRow
    from consumer.core.shard.shard_state import Outcome
    from consumer.core.shard.shard_view import ShardView


class RunningShard(Protocol):
    """A shard's consumer, as seen by the worker that runs it."""

    def view(self) -> ShardView:
        """Return what it shows of itself now."""
        ...

    async def run(self) -> Outcome:
        """Take the lease, read, settle, end."""
        ...

    def shed(self) -> None:
        """Hand over if it can be drained soon; else read on."""
        ...

    def keep(self) -> None:
        """Read on: the hand-over is not needed any more."""
        ...

    def drain(self) -> None:
        """Read no more, settle, release."""
        ...

    def revoke(self) -> None:
        """Drop everything at once and write nothing new: the fence has passed."""
        ...

    def notify_command(self, number: int) -> None:
        """Apply the commands for this shard; `number` is that of the newest of its stream."""
        ...


# The stream, the lease as observed, and the epoch of the fence it is taken in.
ShardConsumerFactory = Callable[["StreamRow", "Lease", int], RunningShard]
