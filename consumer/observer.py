"""The observer: what probes, `/status` and gauges say about the service.

It only looks. Liveness is "the coordinator moved within a minute, and so did every held shard that
does not wait for a named cause", never "Nakadi is up".
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from consumer import __version__
from consumer.core.flow import FlowState
from consumer.core.lease_view import LeaseState
from consumer.core.status import (
    EventTypeStatus,
    QueueStatus,
    ShardStatus,
    StatusView,
    StreamStatus,
)
from consumer.runtime.wake import Wake

if TYPE_CHECKING:
    from collections.abc import Sequence

    from consumer.core.stream import StreamPage
    from consumer.metrics import Metrics
    from consumer.ports import Clock
    from consumer.runtime.consumer_worker import ConsumerWorker
    from consumer.runtime.running_shard import RunningShard
    from consumer.settings import Settings

LOOK_SECONDS = 1.0
"""Gauges are brought up to date this often."""

STILL_SECONDS = 60.0
"""A coordinator that has not moved for this long is not alive."""

SHARD_STILL_SECONDS = 180.0
"""A held shard is released after a minute without a successful call; this is for what is left."""

RETENTION_SECONDS = 24 * 3600.0


class Observer:
    """Source of `/livez`, `/readyz`, `/status` and `/metrics`."""

    def __init__(self, worker_id: str, settings: Settings, clock: Clock, metrics: Metrics) -> None:
        self._worker_id = worker_id
        self._settings = settings
        self._clock = clock
        self._metrics = metrics
        self._started_at = clock.now()
        self._worker: ConsumerWorker | None = None
        self._page: StreamPage | None = None
        self._wake = Wake()
        self._stopping = False
        self.draining = False

    def watch(self, worker: ConsumerWorker, page: StreamPage) -> None:
        """The service is wired up: look at this worker from now on."""
        self._worker = worker
        self._page = page

    def stop(self) -> None:
        """End `run`."""
        self._stopping = True
        self._wake.ring()

    async def run(self) -> None:
        """Bring the gauges up to date until stopped."""
        loop = asyncio.get_running_loop()
        while not self._stopping:
            due = loop.time() + LOOK_SECONDS
            await self._wake.wait(LOOK_SECONDS)
            if not self._stopping:
                self._metrics.event_loop_lag_seconds.set(max(0.0, loop.time() - due))
                self._look()

    def live(self) -> tuple[bool, str]:
        """The coordinator moved recently, and so did every shard that waits for nothing named."""
        now = self._clock.now()
        moved_at = self._started_at if self._worker is None else self._worker.coordinator.moved_at
        if now - moved_at > max(STILL_SECONDS, 3 * self._settings.scan_seconds):
            return False, f"the coordinator has not moved for {now - moved_at:.0f} s"
        for shard in self._shards():
            last = shard.last_success_at
            still = last is not None and now - last > SHARD_STILL_SECONDS
            if still and shard.suspended_cause is None:
                return False, f"shard {shard.shard_id} stands still without a cause"
        return True, "ok"

    def ready(self) -> tuple[bool, str]:
        """Lease table reached, not draining, Nakadi has not refused us at the door since start."""
        if self.draining:
            return False, "draining"
        if self._worker is None or not self._worker.keeper.reached:
            return False, "the lease table has not been reached yet"
        event_type = self._worker.event_type
        if not event_type.admitted:
            return False, f"event type {event_type.name} is refused: {event_type.flow.reason}"
        return True, "ok"

    def scrape(self) -> bytes:
        """The metrics, as of now."""
        self._look()
        return self._metrics.scrape()

    def status(self) -> StatusView:
        """The content of `/status`."""
        wall, page = self._clock.wall(), self._page
        shards = [
            ShardStatus(
                shard.shard_id,
                shard.state.value,
                shard.checkpoint,
                round(shard.age(wall), 3),
                shard.pending_events,
            )
            for shard in self._shards()
        ]
        return StatusView(
            worker=self._worker_id,
            application=self._settings.application,
            version=__version__,
            draining=self.draining,
            stream=None if page is None else StreamStatus(page.stream.arn, page.view_type.value),
            shards=tuple(shards),
            queue=self._queue(),
            event_types=(self._event_type(),),
        )

    def _queue(self) -> QueueStatus:
        if self._worker is None:
            return QueueStatus(0, 0, self._settings.queue_bytes)
        backlog = self._worker.backlog
        return QueueStatus(backlog.queue.events, backlog.budget.used, backlog.budget.limit)

    def _event_type(self) -> EventTypeStatus:
        name = self._settings.event_type
        if self._worker is None:
            return EventTypeStatus(name, FlowState.PUBLISHING)
        flow = self._worker.event_type.flow
        reason = None if flow.state is FlowState.PUBLISHING else flow.reason
        return EventTypeStatus(name, flow.state, reason)

    def _shards(self) -> Sequence[RunningShard]:
        if self._worker is None:
            return ()
        return [shard for shard in self._worker.coordinator.shards if shard.held]

    def _look(self) -> None:
        if self._worker is None:
            return
        coordinator = self._worker.coordinator
        self._worker.backlog.observe()
        self._worker.relay.hurry = coordinator.peer_drains
        wall = self._clock.wall()
        ages: dict[str, float] = {}
        checkpoints: dict[str, float] = {}
        for shard in self._shards():
            key = shard.stream.key
            ages[key] = max(ages.get(key, 0.0), shard.age(wall))
            checkpoints[key] = max(checkpoints.get(key, 0.0), wall - shard.checkpoint_at)
        states = dict.fromkeys(LeaseState, 0)
        for lease in coordinator.leases():
            states[lease.state] += 1
            age = 0.0 if lease.since is None else wall - lease.since
            ages[lease.stream_key] = max(ages.get(lease.stream_key, 0.0), age)
        for key, age in ages.items():
            self._metrics.iterator_age_seconds.labels(stream=key).set(age)
            headroom = max(0.0, RETENTION_SECONDS - age)
            self._metrics.retention_headroom_seconds.labels(stream=key).set(headroom)
        for key, age in checkpoints.items():
            self._metrics.checkpoint_age_seconds.labels(stream=key).set(age)
        for state, count in states.items():
            self._metrics.leases.labels(state=state.value).set(count)
