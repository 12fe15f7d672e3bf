"""The observer: what probes, `/status` and gauges say about the service.

It changes nothing in the service. Alive means that the coordinator has made a turn within a minute
(or three scan intervals, if that is longer), and that no held shard has been without a successful
call for three minutes unless its cause is known; it never means that Nakadi is up.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import structlog

from consumer import __version__
from consumer.core.leases.lease_state import STATUS_WORDS
from consumer.core.reports.rate import Rate
from consumer.core.reports.status import (
    NOTHING_SENT,
    EventTypeStatus,
    QueueStatus,
    StatusView,
    StreamStatus,
)
from consumer.core.reports.status_rows import condition_status, lease_status, shard_status
from consumer.core.reports.worker_status import worker_statuses
from consumer.core.time_of_day import WRONG_SECONDS
from consumer.observability.conditions import Conditions
from consumer.observability.embedded_metrics import EmbeddedMetrics
from consumer.runtime.signal import Signal

if TYPE_CHECKING:
    from collections.abc import Sequence

    from prometheus_client import Gauge

    from consumer.adapters.clock import AwsClock
    from consumer.core.reports.lease_view import LeaseView
    from consumer.core.reports.worker_status import WorkerStatus
    from consumer.core.shard.shard_view import ShardView
    from consumer.core.stream.stream import StreamPage
    from consumer.observability.metrics import Metrics
    from consumer.runtime.consumer_worker import ConsumerWorker
    from consumer.settings.settings import Settings

log = structlog.get_logger()

LOOK_SECONDS = 1.0
"""Seconds between two updates of the gauges."""

CLOUDWATCH_SECONDS = 60.0
"""Seconds between two lines for CloudWatch, whose metrics have one value a minute."""

STILL_SECONDS = 60.0
"""A coordinator without a turn of its loop for this long is not alive, unless scans are rarer."""

SHARD_STILL_SECONDS = 180.0
"""A held shard without a successful call for this long is not alive. The coordinator hands such a
shard over after a minute, so this finds only what that did not."""

RETENTION_SECONDS = 24 * 3600.0


class Observer:
    """The source of `/livez`, `/readyz`, `/status` and `/metrics`."""

    def __init__(
        self, worker_id: str, settings: Settings, clock: AwsClock, metrics: Metrics
    ) -> None:
        self._worker_id = worker_id
        self._settings = settings
        self._clock = clock
        self._metrics = metrics
        self._started_at = clock.now()
        self._worker: ConsumerWorker | None = None
        self._page: StreamPage | None = None
        self._cloudwatch: EmbeddedMetrics | None = None
        if settings.cloudwatch_namespace is not None:
            self._cloudwatch = EmbeddedMetrics(
                settings.cloudwatch_namespace, settings.application, metrics
            )
        self._told_cloudwatch_at = self._started_at
        self._conditions = Conditions(clock.now)
        self._stopped = Signal()
        self._stopping = False
        self._rates: dict[tuple[str, str], Rate] = {}
        self.draining = False

    def watch(self, worker: ConsumerWorker, page: StreamPage) -> None:
        """Observe this worker from now on; `page` describes the stream that is read."""
        self._worker = worker
        self._page = page

    def stop(self) -> None:
        """End `run`."""
        self._stopping = True
        self._stopped.notify()

    async def run(self) -> None:
        """Update the gauges, and write the lines for CloudWatch, until stopped."""
        loop = asyncio.get_running_loop()
        while not self._stopping:
            due = loop.time() + LOOK_SECONDS
            await self._stopped.wait(LOOK_SECONDS)
            if not self._stopping:
                self._metrics.event_loop_lag_seconds.set(max(0.0, loop.time() - due))
                self._look()
                self._count()
                if self._clock.now() - self._told_cloudwatch_at >= CLOUDWATCH_SECONDS:
                    self._tell_cloudwatch()
        self._look()
        self._tell_cloudwatch()

    def _tell_cloudwatch(self) -> None:
        self._told_cloudwatch_at = self._clock.now()
        if self._cloudwatch is not None:
            log.info("metrics", **self._cloudwatch.line(self._clock.wall()))

    def live(self) -> tuple[bool, str]:
        """Return whether the process is alive, and `ok` or what stands still."""
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
        """Return whether the worker is ready, and `ok` or why it is not.

        It is ready if it is not draining and has read and written what it needs at least once
        (`core.reports.readiness`), unless an event type is refused (401, 403, 404, its definition)
        in which no worker has ever had an event stored.
        """
        if self.draining:
            return False, "draining"
        if self._worker is None:
            return False, "stream or lease table have not been reached yet"
        missing = self._worker.unready()
        if missing is not None:
            return False, missing
        for event_type in self._worker.refused():
            return False, f"event type {event_type.name} is refused: {event_type.flow.reason}"
        return True, "ok"

    def scrape(self) -> bytes:
        """Return the metrics as of now, in the text format of Prometheus."""
        self._look()
        return self._metrics.scrape(self._settings.application)

    def status(self) -> StatusView:
        """Return the content of `/status`."""
        wall, page, worker = self._clock.wall(), self._page, self._worker
        shards, leases, ahead = self._shards(), self._leases(), self._clock.ahead
        ages = self._ages(shards, leases, wall)
        return StatusView(
            worker=self._worker_id,
            application=self._settings.application,
            version=__version__,
            draining=self.draining,
            stream=None if page is None else StreamStatus(page.stream.arn, page.view_type.value),
            shards=tuple(shard_status(shard, self._rate(shard), wall) for shard in shards),
            queue=self._queue(),
            event_types=self._event_types(),
            live=self.live()[1],
            ready=self.ready()[1],
            leases=tuple(lease_status(seen, wall) for seen in leases),
            clock_ahead_seconds=None if ahead is None else round(ahead, 1),
            age_seconds=None if not ages else round(max(ages.values()), 3),
            condition=None if worker is None else condition_status(worker.condition()),
            workers=() if worker is None else self._peers(worker, wall),
        )

    def _peers(self, worker: ConsumerWorker, wall: float) -> tuple[WorkerStatus, ...]:
        duration = self._settings.lease_duration_seconds
        return worker_statuses(worker.coordinator.peers, duration, wall)

    def _rate(self, shard: ShardView) -> Rate | None:
        return self._rates.get((shard.stream_key, shard.shard_id))

    def _queue(self) -> QueueStatus:
        if self._worker is None:
            return QueueStatus(0, 0, self._settings.queue_bytes)
        backlog = self._worker.publishing.backlog
        return QueueStatus(backlog.events, backlog.budget.used, backlog.budget.limit)

    def _event_types(self) -> tuple[EventTypeStatus, ...]:
        if self._worker is None:
            names = self._settings.event_types
            return tuple(EventTypeStatus(name, NOTHING_SENT) for name in names)
        return self._worker.publishing.backlog.statuses(self._clock.wall())

    def _shards(self) -> Sequence[ShardView]:
        if self._worker is None:
            return ()
        views = [shard.view() for shard in self._worker.coordinator.shards]
        return [view for view in views if view.held]

    def _leases(self) -> Sequence[LeaseView]:
        return () if self._worker is None else self._worker.coordinator.leases()

    def _ages(
        self, shards: Sequence[ShardView], leases: Sequence[LeaseView], wall: float
    ) -> dict[str, float]:
        """Return the age of each stream: of shards held here, and of those nobody is known to read.

        A worker that has not read the leases knows no shard: its age is the time since its start.
        """
        known = [(shard.stream_key, shard.age(wall)) for shard in shards]
        known += [(lease.stream_key, lease.age(wall) or 0.0) for lease in leases]
        worker, page = self._worker, self._page
        blind = worker is not None and not worker.coordinator.first_steps.leases_read
        if blind and page is not None:
            known.append((page.stream.key, self._clock.now() - self._started_at))
        ages: dict[str, float] = {}
        for key, age in known:
            ages[key] = max(ages.get(key, 0.0), age)
        return ages

    def _count(self) -> None:
        """Update the rates; that of a shard that has left is dropped."""
        now, before = self._clock.now(), self._rates
        self._rates = {}
        for shard in self._shards():
            key = (shard.stream_key, shard.shard_id)
            rate = self._rates[key] = before.get(key) or Rate(now, shard.records_read)
            rate.observe(now, shard.records_read)

    def _look_at_clock(self) -> None:
        """Update the gauge; warn of a wall clock that is wrong."""
        ahead = self._clock.ahead
        if ahead is None:
            return
        self._metrics.clock_ahead_seconds.set(ahead)
        if abs(ahead) <= WRONG_SECONDS:
            self._conditions.over("clock_wrong")
            return
        self._conditions.warning(
            "clock_wrong",
            seconds=round(ahead, 1),
            action="set this machine's clock (NTP): AWS refuses requests if it is wrong by minutes;"
            " ages and limits follow AWS's time, so nothing else is wrong",
        )

    def _look(self) -> None:
        self._look_at_clock()
        if self._worker is None:
            return
        wall = self._clock.wall()
        self._worker.publishing.backlog.observe(wall)
        self._look_at_streams(wall)

    def _look_at_streams(self, wall: float) -> None:
        """Update ages and states; the series of what is no longer seen are removed."""
        metrics, shards, leases = self._metrics, self._shards(), self._leases()
        by_age = sorted(((shard.age(wall), shard) for shard in shards), key=_age, reverse=True)
        metrics.shard_age_seconds.clear()
        for age, shard in by_age[: self._settings.metrics_shards]:
            series = metrics.shard_age_seconds.labels(stream=shard.stream_key, shard=shard.shard_id)
            series.set(age)
        checkpoints: dict[str, float] = {}
        for shard in shards:
            key = shard.stream_key
            checkpoints[key] = max(checkpoints.get(key, 0.0), wall - shard.checkpoint_at)
        states = dict.fromkeys(STATUS_WORDS, 0)
        for lease in leases:
            states[lease.state.in_status] += 1
        ages = self._ages(shards, leases, wall)
        _replace(metrics.iterator_age_seconds, ages)
        headrooms = {key: max(0.0, RETENTION_SECONDS - age) for key, age in ages.items()}
        _replace(metrics.retention_headroom_seconds, headrooms)
        _replace(metrics.checkpoint_age_seconds, checkpoints)
        for state, count in states.items():
            metrics.leases.labels(state=state).set(count)


def _age(aged: tuple[float, ShardView]) -> float:
    return aged[0]


def _replace(gauge: Gauge, values: dict[str, float]) -> None:
    """Replace all series of a gauge by these values, by stream."""
    gauge.clear()
    for key, value in values.items():
        gauge.labels(stream=key).set(value)
