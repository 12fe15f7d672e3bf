"""The operator's commands, applied to one lease.

Ownership: the shard's consumer owns it, and lets it work only while nothing of the shard is in
memory. First the gaps are told of, then the lease row is written, conditionally, with the number of
the last command in it: a crash in between leaves the rest to the next owner, who finds the same.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import structlog

from consumer.core.backoff import full_jitter
from consumer.core.leases.command import apply_commands
from consumer.errors import Retryable

if TYPE_CHECKING:
    from consumer.core.leases.lease import StreamRow
    from consumer.ports import LeaseStore
    from consumer.runtime.instruments import Instruments
    from consumer.runtime.shard.gaps import GapRecorder
    from consumer.runtime.shard.lease_writer import LeaseWriter
    from consumer.runtime.shard.shard_goal import ShardGoal

log = structlog.get_logger()

PAUSE = 0.2
PAUSE_MAX = 2.0
"""First and longest wait after a failed read, in seconds; doubling, full jitter."""


class OperatorCommands:
    """`newest_command` is the number of the newest command of the stream that is known to exist."""

    def __init__(
        self,
        *,
        store: LeaseStore,
        row: StreamRow,
        writer: LeaseWriter,
        gaps: GapRecorder,
        goal: ShardGoal,
        instruments: Instruments,
    ) -> None:
        self._store = store
        self._row = row
        self._writer = writer
        self._gaps = gaps
        self._goal = goal
        self._clock = instruments.clock
        self._chance = instruments.chance
        self.newest_command = row.commands

    @property
    def due(self) -> bool:
        """The lease row has not seen all commands."""
        return self.newest_command > self._writer.lease.command_counter

    def notify_command(self, number: int) -> None:
        """Note the newest command's number; one up to it is for this shard."""
        self.newest_command = max(self.newest_command, number)
        if self.due:
            self._goal.notify_command()

    async def apply_pending(self) -> None:
        """Apply what is due. Raises LeaseLost.

        Give up when the shard is to be handed over: its next owner applies them before it reads.
        """
        self._goal.take_command()
        failures = 0
        while self.due and not self._goal.leaving:
            lease = self._writer.lease
            try:
                commands = await self._store.read_commands(self._row.key, lease.command_counter)
            except Retryable as error:
                failures += 1
                log.warning("commands_unread", stream=self._row.key, reason=error.reason)
                pause = full_jitter(failures, PAUSE, PAUSE_MAX, self._chance.random())
                await self._goal.changed.wait(pause)
                continue
            if self._goal.leaving:
                break
            wall = self._clock.wall()
            applied = apply_commands(lease, commands, self.newest_command, wall)
            for gap in applied.gaps:
                await self._gaps.record(gap)
            await self._writer.rewrite(applied.row)
            log.info(
                "command_obeyed",
                stream=self._row.key,
                shard=lease.shard_id,
                command=applied.row.command_counter,
                checkpoint_before=lease.checkpoint,
                checkpoint=applied.row.checkpoint,
                skip_before=applied.row.skip_before,
                paused=applied.row.paused,
            )
            return
