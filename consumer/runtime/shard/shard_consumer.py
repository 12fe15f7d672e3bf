"""The consumer of one shard: takes the lease, reads, checkpoints, and ends in an orderly way.

    taking ──▶ reading ──shard end──▶ finishing ──all settled──▶ SHARD_END and release
                 │  ▲                    │
        shed, drain  shed, not empty     drain
                 ▼  │                    ▼
               draining ──nothing left to wait for──▶ release

A command of the operator ends reading, too: what is in flight settles, the lease row is written,
and the shard is read from where the row says now, or stands paused.

Ownership: only this task writes the shard's lease row, through its LeaseWriter. Draining is an
event; the deadline is a time-out. Whatever ends it, its tickets are revoked before it returns and
before a release is sent, so nothing of the shard leaves the process after that.
"""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING

import structlog

from consumer.core.leases.lease import SHARD_END
from consumer.core.shard.shard_state import Outcome, ShardState
from consumer.core.shard.shard_view import ShardView, shown_state
from consumer.errors import LeaseLost, first_in
from consumer.runtime.shard.operator_commands import OperatorCommands
from consumer.runtime.shard.settling import Settling
from consumer.runtime.shard.shard_goal import Goal, ShardGoal
from consumer.runtime.shard.stretch import begin_stretch

if TYPE_CHECKING:
    from consumer.core.event.transcode import Transcoder
    from consumer.core.leases.lease import Gap, StreamRow
    from consumer.core.leases.progress import Progress
    from consumer.core.stream.stream import Stream
    from consumer.runtime.shard.lease_writer import LeaseWriter
    from consumer.runtime.shard.relay import Relay

log = structlog.get_logger()

SHED_PAUSE = 60.0
"""A shard that could not be shed in time is not shed again for this long."""


class ShardConsumer:
    """One shard, from the take of its lease to its end."""

    def __init__(
        self,
        *,
        relay: Relay,
        stream: Stream,
        row: StreamRow,
        writer: LeaseWriter,
        transcoder: Transcoder,
        epoch: int,
    ) -> None:
        self._relay = relay
        self._stream = stream
        self._writer = writer
        self._transcoder = transcoder
        self._epoch = epoch
        self._goal = ShardGoal()
        self._row = row
        self._commands = OperatorCommands(relay, row, writer, self._goal, epoch)
        self._begin(None)
        self._state = ShardState.TAKING
        self._held = False
        self._cooled_until = 0.0

    def shed(self) -> None:
        """Hand over if it can be drained soon; else read on."""
        self._goal.shed()

    def keep(self) -> None:
        """Shedding is no longer needed."""
        self._goal.read()

    def notify_command(self, number: int) -> None:
        """There are commands for this shard; the newest of its stream has this number."""
        self._commands.notify_command(number)

    def drain(self) -> None:
        """Read no more, publish only the holes, release; after the drain time release anyway."""
        self._goal.drain(self._relay.clock.now() + self._relay.timing.drain)

    def revoke(self) -> None:
        """The fence has passed: the shard is lost. Nothing more is written."""
        self._held = False
        self._goal.revoke()

    def view(self) -> ShardView:
        """Return what it shows of itself now."""
        watermark, head = self._watermark, self._watermark.head
        state, cause = shown_state(self._state, self._reading.suspended)
        since, tip_at = watermark.oldest_at, self._reading.tip_at
        if since is None:
            since = self._writer.lease.last_sign if tip_at is None else tip_at
        return ShardView(
            stream_key=self._row.key,
            shard_id=self._writer.lease.shard_id,
            state=state,
            held=self._held,
            checkpoint=self._checkpointer.progress.checkpoint,
            checkpoint_at=self._checkpointer.written_at,
            since=since,
            pending_events=watermark.unsettled,
            records_read=self._reading.records_read,
            retrying=int(head is not None and head.attempts > 1),
            suspended_cause=cause,
            last_success_at=self._reading.last_success_at if self._held else None,
            cooled_until=self._cooled_until,
        )

    async def run(self) -> Outcome:
        """Take, read, end. Whatever happens, nothing of the shard is left in the backlog."""
        if not await self._writer.take():
            return Outcome.NOT_TAKEN
        lease = self._writer.lease
        self._held = self._goal.current is not Goal.REVOKED
        self._log("lease_taken", checkpoint=lease.checkpoint, counter=lease.counter)
        try:
            while True:
                outcome = await self._stretch(await self._commands.apply_pending())
                if outcome is not None:
                    return outcome
        except LeaseLost as error:
            return self._lose(str(error))
        finally:
            self._held = False

    async def _stretch(self, gap: Gap | None) -> Outcome | None:
        """Live from where the row says; None when a command is to be obeyed."""
        backlog = self._relay.backlog
        self._begin(gap)
        backlog.join(self._watermark, self._on_progress)
        try:
            return await self._live()
        finally:
            self._revoke_tickets()
            backlog.leave(self._watermark)

    async def _live(self) -> Outcome | None:
        outcome: Outcome | None = Outcome.LOST
        progress = self._checkpointer.progress
        lost = ""
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._checkpointer.run())
                outcome, progress = await self._read_and_settle()
        except* LeaseLost as group:
            lost = str(first_in(group, LeaseLost))
        if lost or self._goal.current is Goal.REVOKED:
            return self._lose(lost or "the fence has passed")
        if outcome is None:
            await self._writer.checkpoint(progress)
            return None
        if outcome is Outcome.SHARD_END:
            progress = replace(progress, checkpoint=SHARD_END)
        await self._writer.release(progress)
        self._log("lease_released", checkpoint=progress.checkpoint)
        return outcome

    async def _read_and_settle(self) -> tuple[Outcome | None, Progress]:
        """Read and drain, then take the progress and only then revoke the tickets.

        Whatever ends it, a checkpoint under way gets its definite answer.

        Only a cancellation does not wait: either the checkpointer itself has failed, or the
        process ends.
        """
        cancelled = False
        try:
            return await self._read_and_drain(), self._checkpointer.progress
        except asyncio.CancelledError:
            cancelled = True
            raise
        finally:
            self._revoke_tickets()
            self._checkpointer.stop()
            if not cancelled:
                await self._checkpointer.ended.wait()

    async def _read_and_drain(self) -> Outcome | None:
        """Read until there is nothing more to do for this shard here, or a command is due."""
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
            self._reading.rewind()

    async def _read(self) -> bool:
        """Read, or stand if paused, until called away; True at the shard's end."""
        if self._writer.lease.paused or self._commands.due:
            self._state = ShardState.PAUSED
            await self._goal.until_interrupted()
            return False
        self._state = ShardState.READING
        return await self._reading.read(self._goal.until_interrupted)

    async def _finished(self) -> bool:
        """The shard is read to its end: wait until all of it is settled and its children stand."""
        self._state = ShardState.FINISHING
        return await self._settling.at_the_end(self._row, self._writer.lease.shard_id)

    async def _halted(self) -> bool:
        """Settle what is in flight, for a command; False if called away."""
        self._state = ShardState.DRAINING
        return await self._settling.before_a_command()

    async def _drained(self) -> bool:
        """Wait for what must be settled before a release; False if shedding is taken back."""
        self._state = ShardState.DRAINING
        drained = await self._settling.before_a_release()
        if not drained:
            self._cooled_until = self._relay.clock.now() + SHED_PAUSE
        return drained

    def _begin(self, gap: Gap | None) -> None:
        """Stand where the lease row says."""
        stretch = begin_stretch(
            relay=self._relay,
            stream=self._stream,
            row=self._row,
            writer=self._writer,
            transcoder=self._transcoder,
            epoch=self._epoch,
            gap=gap,
        )
        self._watermark, self._reading = stretch.watermark, stretch.reading
        self._checkpointer = stretch.checkpointer
        self._settling = Settling(self._relay, self._goal, self._watermark)

    def _lose(self, why: str) -> Outcome:
        action = "nothing more of it is sent; its next owner reads on from the checkpoint"
        self._log("lease_lost", detail=why, action=action)
        return Outcome.LOST

    def _log(self, event: str, **facts: object) -> None:
        log.info(event, stream=self._row.key, shard=self._writer.lease.shard_id, **facts)

    def _on_progress(self) -> None:
        self._goal.changed.notify()
        self._reading.progressed()

    def _revoke_tickets(self) -> None:
        self._relay.backlog.drop(self._watermark, self._watermark.revoke())
