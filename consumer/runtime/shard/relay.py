"""What all shard consumers of a process share.

Ownership: the service builds it; shard consumers use it and own nothing of it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from consumer.core.leases.fence import Fence
    from consumer.core.leases.lease import StreamRow
    from consumer.core.limits import LeaseTiming, PollTiming
    from consumer.observability.metrics import Metrics
    from consumer.ports import Chance, Clock, LeaseStore, StreamClient
    from consumer.runtime.publishing.backlog import Backlog


class Lineage(Protocol):
    """What a shard consumer asks of the discovery."""

    async def adopt_children(self, stream: StreamRow, shard_id: str) -> None:
        """Create the rows of a finished shard's children. Retryable."""
        ...

    async def shard_exists(self, stream: StreamRow, shard_id: str) -> bool:
        """Is it in a fresh complete listing, or does it answer itself? Retryable."""
        ...


class Relay:
    """What all shard consumers of a process share."""

    def __init__(
        self,
        *,
        client: StreamClient,
        store: LeaseStore,
        lineage: Lineage,
        backlog: Backlog,
        fence: Fence,
        clock: Clock,
        chance: Chance,
        metrics: Metrics,
        timing: LeaseTiming,
        poll: PollTiming,
    ) -> None:
        self.client = client
        self.store = store
        self.lineage = lineage
        self.backlog = backlog
        self.fence = fence
        self.clock = clock
        self.chance = chance
        self.metrics = metrics
        self.timing = timing
        self.poll = poll
        self.hurry = False  # a peer drains: its records should be picked up quickly

    def crowd(self) -> dict[str, float]:
        """Most unsettled events of one key, by event type, before its shard stops reading ahead.

        More could not be published in half of the drain time, and a hand-off would end with a
        duplicate.
        """
        seconds = self.timing.drain / 2
        outlets = self.backlog.outlets
        return {name: outlet.hot_key_limit(seconds) for name, outlet in outlets.items()}
