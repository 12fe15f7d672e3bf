"""The consumer of one shard: it takes the lease, reads, checkpoints, and releases the lease.

    taking ──▶ reading ──shard end──▶ finishing ──all settled──▶ SHARD_END and release
                 │  ▲                    │
        shed, drain  shed, not empty     drain
                 ▼  │                    ▼
               draining ──nothing left to wait for──▶ release

A command of an operator interrupts the reading, too: what is in flight settles, the lease row is
written, and the shard is read from the new position, or is paused.

Ownership: only the tasks of this consumer write the shard's lease row, through its LeaseWriter.
Rule: its tickets are revoked before it returns and before a release is sent, whatever ends it, so
nothing of the shard is sent after that.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import structlog
from msgspec.structs import replace

from consumer.core.backlog.tenure import Tenure
from consumer.core.backlog.watermark import AckWatermark
from consumer.core.leases.checkpoint import SHARD_END
from consumer.core.shard.shard_state import Outcome, ShardState
from consumer.core.shard.shard_view import ShardView, shown_since, shown_state
from consumer.errors import LeaseLost, first_in
from consumer.observability.actions import READ_ON_ELSEWHERE
from consumer.runtime.cancellation import is_cancelled
from consumer.runtime.shard.checkpointer import Checkpointer
from consumer.runtime.shard.child_lookup import ChildLookup
from consumer.runtime.shard.shard_goal import Goal

if TYPE_CHECKING:
    from collections.abc import Callable

    from consumer.core.leases.lease import StreamRow
    from consumer.core.leases.progress import Progress
    from consumer.core.limits import LeaseTiming
    from consumer.ports import Clock
    from consumer.runtime.publishing.backlog import Backlog
    from consumer.runtime.shard.lease_writer import LeaseWriter
    from consumer.runtime.shard.operator_commands import OperatorCommands
    from consumer.runtime.shard.reader import Reader
    from consumer.runtime.shard.shard_goal import ShardGoal
    from consumer.runtime.shard.shard_pages import Lineage

log = structlog.get_logger()

SHED_SECONDS = 10.0
"""A shard that is shed but has not drained after this time reads on."""

SHED_PAUSE = 60.0
"""A shard that could not be shed in time is not shed again for this long."""

CHILDREN_PAUSE = 0.5
"""Seconds between tries to create the rows of a finished shard's children."""

LOOK = 1.0
"""Longest wait for a notification: an event type may stop without a word to the shard."""


class ShardConsumer:
    """One shard, from the take of its lease to the release. Implements `RunningShard`."""

    def __init__(
        self,
        *,
        row: StreamRow,
        epoch: int,
        writer: LeaseWriter,
        goal: ShardGoal,
        commands: OperatorCommands,
        new_reader: Callable[[AckWatermark, Checkpointer], Reader],
        backlog: Backlog,
        lineage: Lineage,
        timing: LeaseTiming,
        clock: Clock,
    ) -> None:
        self._row, self._epoch = row, epoch
        self._writer = writer
        self._goal = goal
        self._commands = commands
        self._new_reader = new_reader
        self._backlog = backlog
        self._children = ChildLookup(lineage, row, writer.lease.shard_id, clock)
        self._timing = timing
        self._clock = clock
        self._state = ShardState.TAKING
        self._held, self._cooled_until = False, 0.0
        self._begin()

    def shed(self) -> None:
        """Hand over if it can be drained soon; else read on."""
        self._goal.shed()

    def keep(self) -> None:
        """Read on: shedding is no longer needed."""
        self._goal.read()

    def notify_command(self, number: int) -> None:
        """Apply the commands for this shard; `number` is that of the newest of its stream."""
        self._commands.notify_command(number)

    def drain(self) -> None:
        """Read no more, settle what was sent, release; at the end of the drain time in any case."""
        self._goal.drain(self._clock.now() + self._timing.drain)

    def revoke(self) -> None:
        """End: the fence has passed, so the shard is lost. No further write is begun."""
        self._held = False
        self._goal.revoke()

    def view(self) -> ShardView:
        """Return the present state of the shard."""
        watermark, head = self._watermark, self._watermark.head
        finishing = self._state is ShardState.FINISHING
        failure = self._children.failure if finishing else self._reader.failure
        state, cause = shown_state(self._state, self._reader.suspended, failure)
        lease = self._writer.lease
        sign = lease.last_sign_with(watermark.record_at)
        return ShardView(
            stream_key=self._row.key,
            shard_id=lease.shard_id,
            state=state,
            held=self._held,
            checkpoint=self._checkpointer.checkpoint,
            checkpoint_at=self._checkpointer.written_at,
            since=shown_since(watermark.oldest_at, self._checkpointer.tip_at, sign),
            pending_events=watermark.unsettled,
            records_read=self._reader.records_read,
            retrying=int(head is not None and head.retrying),
            suspended_cause=cause,
            last_success_at=self._reader.last_success_at if self._held else None,
            cooled_until=self._cooled_until,
            failure=failure,
            answered=self._reader.answered,
            crowded_at=self._reader.crowded_at,
            pause=lease.pause,
            behind=self._backlog.held_back_by(watermark, waits=cause is not None),
            unread_at=self._backlog.unread_at(watermark),
        )

    async def run(self) -> Outcome:
        """Take the lease and read until it is released or lost. Nothing is left in the backlog."""
        if self._goal.leaving or not await self._writer.take():
            return Outcome.NOT_TAKEN
        lease = self._writer.lease
        self._held = self._goal.current is not Goal.REVOKED
        self._log("lease_taken", checkpoint=lease.checkpoint, counter=lease.counter)
        try:
            while True:
                await self._commands.apply_pending()
                outcome = await self._read_until_ended()
                if outcome is not None:
                    return outcome
        except LeaseLost as error:
            return self._lose(str(error))
        finally:
            self._held = False

    def _begin(self) -> None:
        """Make watermark, checkpointer and reader anew, at the position of the lease row."""
        lease, interval = self._writer.lease, self._timing.checkpoint
        tenure = Tenure(self._row.arn, lease.shard_id, self._epoch)
        self._watermark = AckWatermark.of(tenure, lease.progress, tuple(self._backlog.outlets))
        self._checkpointer = Checkpointer(self._writer, self._watermark, self._clock, interval)
        self._reader = self._new_reader(self._watermark, self._checkpointer)

    async def _read_until_ended(self) -> Outcome | None:
        """Read from the position of the lease row until interrupted; None: a command is due."""
        self._begin()
        self._backlog.join(self._watermark, self._on_progress)
        try:
            return await self._read_and_hand_over()
        finally:
            self._revoke_tickets()
            self._backlog.leave(self._watermark)

    async def _read_and_hand_over(self) -> Outcome | None:
        lost: LeaseLost | None = None
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._checkpointer.run())
                outcome, progress = await self._read_and_settle()
        except* LeaseLost as group:
            lost = first_in(group, LeaseLost)
        if lost is not None or self._goal.current is Goal.REVOKED:
            return self._lose(str(lost or "the fence has passed"))
        if outcome is None:
            await self._writer.checkpoint(progress)
            return None
        if outcome is Outcome.SHARD_END:
            progress = replace(progress, checkpoint=SHARD_END, ahead=None)
        await self._writer.release(progress)
        self._log("lease_released", checkpoint=progress.checkpoint)
        return outcome

    async def _read_and_settle(self) -> tuple[Outcome | None, Progress]:
        """Read and drain; note the progress, then revoke the tickets, in this order.

        Also after an error, wait until a checkpoint under way has its definite answer. Only after a
        cancellation do not wait, whatever error came of it: either the checkpointer itself has
        failed, or the process ends.
        """
        try:
            return await self._read_and_drain(), self._checkpointer.progress
        finally:
            self._revoke_tickets()
            self._checkpointer.stop()
            if not is_cancelled():
                await self._checkpointer.ended.wait()

    async def _read_and_drain(self) -> Outcome | None:
        """Read until the shard is to be released or is lost; None: a command is due."""
        while True:
            closed = await self._read()
            if closed and await self._finished():
                return Outcome.SHARD_END
            if self._goal.command_pending and await self._halted():
                return None
            if self._goal.current is Goal.REVOKED:
                return Outcome.LOST
            if await self._drained():
                return Outcome.RELEASED

    async def _read(self) -> bool:
        """Read, or only wait if paused, until interrupted; return True at the shard's end."""
        if self._writer.lease.paused or self._commands.due:
            self._state = ShardState.PAUSED
            await self._goal.until_interrupted()
            return False
        self._state = ShardState.READING
        return await self._reader.read(self._watermark.opened, self._goal.until_interrupted)

    async def _finished(self) -> bool:
        """Wait until all is settled and the children have rows; False: a drain, or a command."""
        goal = self._goal
        self._state = ShardState.FINISHING
        while not (goal.leaving or goal.command_pending):
            if not self._watermark.empty:  # SHARD_END says that all of the shard is settled
                await goal.changed.wait(LOOK)
                continue
            if await self._children.create_rows():
                return True
            await goal.changed.wait(CHILDREN_PAUSE)
        return False

    async def _halted(self) -> bool:
        """Wait, before a command, at most the drain time; False: the next owner is to apply it."""
        self._state = ShardState.DRAINING
        deadline = self._clock.now() + self._timing.drain
        while self._goal.current is Goal.READ:
            rest = deadline - self._clock.now()
            if self._nothing_to_wait_for() or rest <= 0:
                return True
            await self._goal.changed.wait(min(rest, LOOK))
        return False

    async def _drained(self) -> bool:
        """Wait for what must settle before a release; return False if the shard reads on."""
        self._state = ShardState.DRAINING
        goal, shed_by = self._goal, self._clock.now() + SHED_SECONDS
        while not (self._nothing_to_wait_for() or goal.current is Goal.REVOKED):
            deadline = goal.deadline if goal.current is Goal.DRAIN else shed_by
            rest = deadline - self._clock.now()
            if goal.current is not Goal.READ and rest > 0:
                await goal.changed.wait(min(rest, LOOK))
                continue
            if goal.current is Goal.DRAIN:
                return True
            goal.read()
            self._cooled_until = self._clock.now() + SHED_PAUSE
            return False
        return True

    def _nothing_to_wait_for(self) -> bool:
        """Drop what may be dropped, to be read again; return whether nothing is waited for."""
        self._backlog.drop(self._watermark, self._watermark.drop_tail())
        return not self._backlog.awaits(self._watermark)

    def _lose(self, why: str) -> Outcome:
        self._log("lease_lost", detail=why, action=READ_ON_ELSEWHERE)
        return Outcome.LOST

    def _log(self, event: str, **facts: object) -> None:
        log.info(event, stream=self._row.key, shard=self._writer.lease.shard_id, **facts)

    def _on_progress(self) -> None:
        self._goal.changed.notify()
        self._reader.note_progress()

    def _revoke_tickets(self) -> None:
        self._backlog.drop(self._watermark, self._watermark.revoke())
