"""What all shard consumers of a process share.

Ownership: the service builds it; shard consumers use it and own nothing of it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable

    from consumer.core.leases.fence import Fence
    from consumer.core.leases.lease import StreamRow
    from consumer.core.limits import LeaseTiming, PollTiming, PublishLimits
    from consumer.observability.metrics import Metrics
    from consumer.ports import Chance, Clock, LeaseStore, StreamClient
    from consumer.runtime.publishing.backlog import Backlog
    from consumer.runtime.publishing.sender import Delivery


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
        delivery: Delivery,
        fence: Fence,
        clock: Clock,
        chance: Chance,
        metrics: Metrics,
        timing: LeaseTiming,
        poll: PollTiming,
        limits: PublishLimits,
    ) -> None:
        self.client = client
        self.store = store
        self.lineage = lineage
        self.backlog = backlog
        self.delivery = delivery
        self.fence = fence
        self.clock = clock
        self.chance = chance
        self.metrics = metrics
        self.timing = timing
        self.poll = poll
        self.limits = limits
        self.hurry: Callable[[], bool] = _never  # a peer drains: its shards are read quickly

    def crowd(self) -> float:
        """Most unsettled events of one key before its shard stops reading ahead.

        More could not be published in half of the drain time, and a hand-off would end with a
        duplicate.
        """
        per_second = self.limits.key_run_events / max(self.delivery.round_trip, 0.001)
        return max(1.0, self.timing.drain / 2 * per_second)


def _never() -> bool:
    """Until somebody knows of the peers."""
    return False
