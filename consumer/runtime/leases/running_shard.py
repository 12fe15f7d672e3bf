"""The port between a worker and the consumer of one shard.

Rule: `shed`, `keep`, `drain`, `revoke` and `notify_command` only set a goal and return at once; the
consumer decides when it is drained, and only the consumer writes its lease row while it runs.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from consumer.core.leases.lease import Lease, StreamRow
    from consumer.core.shard.shard_state import Outcome
    from consumer.core.shard.shard_view import ShardView


ShardKey = tuple[str, str]
"""Stream key and shard id: emulators use a shard id in several streams."""


class RunningShard(Protocol):
    """The consumer of one shard, as seen by the worker that runs it."""

    def view(self) -> ShardView:
        """Return its present state."""
        ...

    async def run(self) -> Outcome:
        """Take the lease, read, settle, release; return how it ended. Raises as its parts do."""
        ...

    def shed(self) -> None:
        """Hand over if the shard can be drained soon; else read on."""
        ...

    def keep(self) -> None:
        """Read on: shedding is no longer needed."""
        ...

    def drain(self) -> None:
        """Read no more, settle, release."""
        ...

    def revoke(self) -> None:
        """Drop everything at once and begin no further write: the fence has passed."""
        ...

    def notify_command(self, number: int) -> None:
        """Apply the commands for this shard; `number` is that of the newest of its stream."""
        ...


# The stream, the lease as observed, and the epoch of the fence it is taken in.
ShardConsumerFactory = Callable[["StreamRow", "Lease", int], RunningShard]
