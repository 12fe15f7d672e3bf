"""The operator's commands, as applied to one lease.

Ownership: the shard's consumer owns it, and calls it only while nothing of the shard is in memory.
The gaps are recorded first; then the lease row is written, conditionally, with the number of the
last command in it. After a crash in between, the next owner applies the same commands.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import structlog

from consumer.core.backoff import Backoff
from consumer.core.leases.command import apply_commands
from consumer.errors import Retryable
from consumer.observability.actions import READ_COMMANDS_AGAIN

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
    """`newest_command` is the number of the newest command of the stream known to this worker."""

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
        self._conditions = instruments.conditions
        self.newest_command = row.commands

    @property
    def due(self) -> bool:
        """Whether there are commands that have not been applied to the lease row."""
        return self.newest_command > self._writer.lease.command_counter

    def notify_command(self, number: int) -> None:
        """Note the number of the newest command; it or an earlier new one is for this shard."""
        self.newest_command = max(self.newest_command, number)
        if self.due:
            self._goal.notify_command()

    async def apply_pending(self) -> None:
        """Apply the commands that are due. Raises LeaseLost.

        Return without applying them if the shard is to be handed over meanwhile: its next owner
        applies them before it reads.
        """
        self._goal.take_command()
        backoff = Backoff(PAUSE, PAUSE_MAX)
        while self.due and not self._goal.leaving:
            lease = self._writer.lease
            newest = self.newest_command  # what becomes known during the read may not be in it
            try:
                commands = await self._store.read_commands(self._row.key, lease.command_counter)
            except Retryable as error:
                self._conditions.failed(
                    "commands_unread",
                    error,
                    action=READ_COMMANDS_AGAIN,
                    stream=self._row.key,
                    shard=lease.shard_id,
                )
                await self._goal.changed.wait(backoff.next(self._chance.random()))
                continue
            self._conditions.over("commands_unread", stream=self._row.key, shard=lease.shard_id)
            if self._goal.leaving:
                break
            wall = self._clock.wall()
            applied = apply_commands(lease, commands, newest, wall)
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
