"""Keeps this worker alive in the eyes of its peers. Rule: only the keeper writes the worker row.

It writes the whole row every heartbeat, so a deleted row comes back, and at once when something
changed that peers should see. Each answer feeds the fence; the deadline is also watched without
any answer, so that what is fenced is revoked while the lease table is silent. The row is deleted
last.
"""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING

import structlog

from consumer.errors import Retryable
from consumer.runtime.signal import Signal

if TYPE_CHECKING:
    from collections.abc import Callable

    from consumer.core.leases.fence import Fence
    from consumer.core.leases.lease import Worker
    from consumer.core.limits import LeaseTiming
    from consumer.ports import Clock, LeaseStore

log = structlog.get_logger()

SPACING_SECONDS = 0.1
"""Changes within this time share a heartbeat."""

FAREWELL_SECONDS = 1.0
"""Deleting the row may take this long; a row that stays is judged dead and expires."""


def _nothing() -> None:
    """Until somebody wants to know about the fence."""


class Keeper:
    """`worker` is the row as first written, with heartbeat 0."""

    def __init__(
        self, store: LeaseStore, clock: Clock, timing: LeaseTiming, fence: Fence, worker: Worker
    ) -> None:
        self._store = store
        self._clock = clock
        self._timing = timing
        self._fence = fence
        self._worker = worker
        self._beat_due = Signal()
        self._watch_due = Signal()
        self._reached = asyncio.Event()
        self._stopping = False
        self._told = 0  # the last epoch whose end was told
        self.on_fence: Callable[[], None] = _nothing  # an epoch ended or began

    @property
    def worker_id(self) -> str:
        """Unique per process start."""
        return self._worker.worker_id

    @property
    def able(self) -> bool:
        """False while nothing can be read from here."""
        return self._worker.able

    @property
    def reached(self) -> bool:
        """The lease table has answered a heartbeat once."""
        return self._reached.is_set()

    def raise_changes(self) -> None:
        """A lease was created, released, shed or ended here: peers shall read the leases."""
        self._show(replace(self._worker, changes=self._worker.changes + 1))

    def set_able(self, *, able: bool) -> None:
        """An unable worker is given no share."""
        self._show(replace(self._worker, able=able))

    def set_draining(self) -> None:
        """This worker hands everything over."""
        self._show(replace(self._worker, draining=True))

    def work_on(self, streams: tuple[str, ...]) -> None:
        """The keys of the streams this worker takes leases of."""
        self._show(replace(self._worker, streams=streams))

    def _show(self, worker: Worker) -> None:
        if worker != self._worker:
            self._worker = worker
            self._beat_due.notify()

    async def until_alive(self) -> None:
        """Wait for the first heartbeat that was answered."""
        await self._reached.wait()

    def stop(self) -> None:
        """End `run`, which deletes the row last."""
        self._stopping = True
        self._beat_due.notify()
        self._watch_due.notify()

    async def run(self) -> None:
        """Beat and watch until stopped."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._watch(), name="fence")
            while not self._stopping:
                pause = await self._beat()
                await self._clock.sleep(min(SPACING_SECONDS, pause))
                if not self._stopping:
                    await self._beat_due.wait(pause - SPACING_SECONDS)
        await self.farewell()

    async def _beat(self) -> float:
        """Write the row once; the seconds until the next beat is due."""
        self._worker = replace(
            self._worker, heartbeat=self._worker.heartbeat + 1, seen_at=self._clock.wall()
        )
        sent_at = self._clock.now()
        try:
            async with asyncio.timeout(self._timing.heartbeat):
                await self._store.put_worker(self._worker)
        except (Retryable, TimeoutError) as error:
            reason = error.reason if isinstance(error, Retryable) else "timeout"
            log.warning("heartbeat_failed", worker=self.worker_id, reason=reason)
            return self._timing.heartbeat / 4
        now = self._clock.now()
        epoch = self._fence.epoch
        self._fence.beat(sent_at, now)
        if self._fence.epoch != epoch:
            self._watch_due.notify()
            self.on_fence()
        self._reached.set()
        return max(0.0, sent_at + self._timing.heartbeat - now)

    async def _watch(self) -> None:
        """Tell of a passed deadline as soon as it has passed, whatever the table does."""
        while not self._stopping:
            remaining = self._fence.deadline - self._clock.now()
            if remaining <= 0 and self._told < self._fence.epoch:
                self._told = self._fence.epoch
                log.error("fence_passed", worker=self.worker_id, epoch=self._fence.epoch)
                self.on_fence()
            await self._watch_due.wait(remaining if remaining > 0 else self._timing.lease_duration)

    async def farewell(self) -> None:
        """Delete the row; a failure is only logged."""
        try:
            async with asyncio.timeout(FAREWELL_SECONDS):
                await self._store.delete_worker(self.worker_id)
        except (Retryable, TimeoutError):
            log.warning("worker_row_stays", worker=self.worker_id)
