"""The heartbeat: it shows peers that this worker is alive. Rule: only it writes the worker row.

It writes the whole row at a fixed interval, so a deleted row is written again, and also as soon as
a value that peers act on has changed. Each answer moves the deadline of the fence. A second task
watches that deadline, so that leases are revoked in time even while the lease table does not
answer. If the table does not exist, they are revoked at once, and after a while the process ends:
nothing can be kept. The row is deleted last.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import structlog
from msgspec.structs import replace

from consumer.errors import LeaseTableGone, Retryable, Unreachable
from consumer.observability.actions import CREATE_TABLE_AGAIN, WRITE_ROW_AGAIN
from consumer.observability.conditions import Conditions
from consumer.runtime.signal import Signal

if TYPE_CHECKING:
    from collections.abc import Callable

    from consumer.core.leases.fence import Fence
    from consumer.core.leases.lease import Worker
    from consumer.core.leases.worker_report import WorkerReport
    from consumer.core.limits import LeaseTiming
    from consumer.ports import Clock, LeaseStore

log = structlog.get_logger()

SPACING_SECONDS = 0.1
"""Least time between two writes of the row; changes within it share the next one."""

DELETE_SECONDS = 1.0
"""Deleting the row may take this long; peers judge the worker of a row that stays dead.

Together with the coordinator's `EXIT_SECONDS` this stays below three seconds.
"""

GONE_SECONDS = 30.0
"""The process ends if the lease table has not existed for this long, by answers of the service."""


def _nothing() -> None:
    """Stand for `on_fence_change` until the coordinator sets it."""


def _no_report() -> None:
    """Stand for `report` until the worker sets it."""


class Heartbeat:
    """`worker` is the row to begin with, with heartbeat 0; the first write raises it to 1.

    The row states the `timing` that this worker keeps to, by which its peers judge it.

    `report` is called for what each row says of this worker. `unable_since` (epoch seconds) is when
    it became unable, None while it is able.

    `on_fence_change` is called when an epoch of the fence has ended or begun.
    """

    def __init__(
        self, store: LeaseStore, clock: Clock, timing: LeaseTiming, fence: Fence, worker: Worker
    ) -> None:
        self._store = store
        self._clock = clock
        self._timing = timing
        self._fence = fence
        self._worker = replace(
            worker, lease_duration=timing.lease_duration, heartbeat_interval=timing.heartbeat
        )
        self._beat_due = Signal()
        self._watch_due = Signal()
        self._reached = asyncio.Event()
        self._stopping = False
        self._conditions = Conditions(clock.now)
        self._gone_since: float | None = None  # (clock) the first answer that the table is gone
        self._passed_epoch = 0  # the last epoch whose end was reported
        self.unable_since: float | None = None
        self.report: Callable[[], WorkerReport | None] = _no_report
        self.on_fence_change: Callable[[], None] = _nothing

    @property
    def worker_id(self) -> str:
        """The id of this worker, unique to each start of a process."""
        return self._worker.worker_id

    @property
    def able(self) -> bool:
        """False while this worker can read no shard."""
        return self._worker.able

    @property
    def reached(self) -> bool:
        """Whether the lease table has ever answered a heartbeat."""
        return self._reached.is_set()

    def raise_changes(self) -> None:
        """Make peers read the leases: one was created, released or ended here."""
        self._update(replace(self._worker, changes=self._worker.changes + 1))

    def set_able(self, *, able: bool) -> None:
        """Show peers whether this worker can read shards; an unable worker has no share."""
        self.unable_since = None if able else self._clock.wall()
        self._update(replace(self._worker, able=able))

    def set_draining(self) -> None:
        """Show peers that this worker hands all its shards over."""
        self._update(replace(self._worker, draining=True))

    def set_streams(self, streams: tuple[str, ...]) -> None:
        """Show peers the keys of the streams of which this worker takes leases."""
        self._update(replace(self._worker, streams=streams))

    def _update(self, worker: Worker) -> None:
        if worker != self._worker:
            self._worker = worker
            self._beat_due.notify()

    def give_up(self) -> None:
        """Revoke everything held: the rows that keep peers away are gone. Then begin anew."""
        self._fence.end_epoch()
        self._watch_due.notify()
        self._beat_due.notify()

    async def until_alive(self) -> None:
        """Wait until the lease table has answered a heartbeat."""
        await self._reached.wait()

    def stop(self) -> None:
        """End `run`, which deletes the row last."""
        self._stopping = True
        self._beat_due.notify()
        self._watch_due.notify()

    async def run(self) -> None:
        """Write the row and watch the fence until stopped, then delete the row.

        Raise Unreachable once the table has not existed for `GONE_SECONDS`.
        """
        async with asyncio.TaskGroup() as group:
            group.create_task(self._watch(), name="fence")
            while not self._stopping:
                pause = await self._beat()
                await self._clock.sleep(min(SPACING_SECONDS, pause))
                if not self._stopping:
                    await self._beat_due.wait(pause - SPACING_SECONDS)
        await self.delete_row()

    async def _beat(self) -> float:
        """Write the row once; return the seconds until the next write is due."""
        self._worker = replace(
            self._worker,
            heartbeat=self._worker.heartbeat + 1,
            seen_at=self._clock.wall(),
            report=self.report(),
        )
        sent_at = self._clock.now()
        try:
            async with asyncio.timeout(self._timing.heartbeat):
                await self._store.put_worker(self._worker)
        except LeaseTableGone as gone:
            self._lose_table(gone)
            return self._timing.heartbeat / 4
        except (Retryable, TimeoutError) as error:
            reason = error.reason if isinstance(error, Retryable) else "timeout"
            detail = str(error) or f"no answer within {self._timing.heartbeat:g} s"
            self._conditions.warning(
                "heartbeat_failed",
                worker=self.worker_id,
                reason=reason,
                detail=detail,
                action=WRITE_ROW_AGAIN,
            )
            return self._timing.heartbeat / 4
        self._conditions.over("heartbeat_failed", worker=self.worker_id)
        self._conditions.over("lease_table_gone", worker=self.worker_id)
        self._gone_since = None
        now = self._clock.now()
        epoch = self._fence.epoch
        self._fence.beat(sent_at, now)
        if self._fence.epoch != epoch:
            self._conditions.over("fence_passed", worker=self.worker_id)
            self._watch_due.notify()
            self.on_fence_change()
        self._reached.set()
        return max(0.0, sent_at + self._timing.heartbeat - now)

    def _lose_table(self, gone: LeaseTableGone) -> None:
        """Give up everything. Raise Unreachable if the table stays away."""
        now = self._clock.now()
        since = self._gone_since = now if self._gone_since is None else self._gone_since
        self._conditions.error(
            "lease_table_gone",
            worker=self.worker_id,
            detail=str(gone),
            action=CREATE_TABLE_AGAIN,
        )
        if now - since >= GONE_SECONDS:
            raise Unreachable(
                f"the lease table has not existed for {now - since:.0f} s, so no checkpoint can be"
                f" kept ({gone}); create it again or restore it. Without its rows the next start"
                " begins at CONSUMER_START, as if it were the first one"
            )
        self._fence.end_epoch()
        self._watch_due.notify()

    async def _watch(self) -> None:
        """Report a passed deadline as soon as it has passed, even while the table is silent."""
        while not self._stopping:
            remaining = self._fence.deadline - self._clock.now()
            if remaining <= 0 and self._fence.epoch:
                self._conditions.error(
                    "fence_passed",
                    worker=self.worker_id,
                    epoch=self._fence.epoch,
                    action="find out why no heartbeat counts: heartbeat_failed, lease_table_gone "
                    "or stream_row_gone says why, or the process stood still; the worker takes "
                    "shards again after the next one",
                )
                if self._passed_epoch < self._fence.epoch:
                    self._passed_epoch = self._fence.epoch
                    self.on_fence_change()
            await self._watch_due.wait(remaining if remaining > 0 else self._timing.lease_duration)

    async def delete_row(self) -> None:
        """Delete the worker row; only log a failure."""
        try:
            async with asyncio.timeout(DELETE_SECONDS):
                await self._store.delete_worker(self.worker_id)
        except (Retryable, TimeoutError):
            log.warning(
                "worker_row_stays",
                worker=self.worker_id,
                action="nothing; peers will take the worker for dead, and the row expires",
            )
