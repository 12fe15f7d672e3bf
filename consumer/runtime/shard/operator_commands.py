"""The operator's commands, applied to one lease.

Ownership: the shard's consumer owns it, and lets it work only while nothing of the shard is in
memory. First the gaps are told of, then the lease row is written, conditionally, with the number of
the last command in it: a crash in between leaves the rest to the next owner, who finds the same.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import structlog

from consumer.core.backoff import full_jitter
from consumer.core.leases.command import obey
from consumer.errors import Retryable
from consumer.runtime.shard.gaps import GapRecorder

if TYPE_CHECKING:
    from consumer.core.leases.lease import Gap, StreamRow
    from consumer.runtime.shard.lease_writer import LeaseWriter
    from consumer.runtime.shard.relay import Relay
    from consumer.runtime.shard.shard_goal import Intent

log = structlog.get_logger()

PAUSE = 0.2
PAUSE_MAX = 2.0
"""First and longest wait after a failed read, in seconds; doubling, full jitter."""


class OperatorCommands:
    """`heard` is the number of the newest command of the stream that is known to exist."""

    def __init__(
        self, relay: Relay, row: StreamRow, writer: LeaseWriter, intent: Intent, epoch: int
    ) -> None:
        self._relay = relay
        self._row = row
        self._writer = writer
        self._intent = intent
        self._epoch = epoch
        self.heard = row.commands

    @property
    def due(self) -> bool:
        """The lease row has not seen all of them."""
        return self.heard > self._writer.lease.command_counter

    def hear(self, number: int) -> None:
        """The newest command's number; one up to it is for this shard."""
        self.heard = max(self.heard, number)
        if self.due:
            self._intent.summon()

    async def obey(self) -> Gap | None:
        """Apply what is due; the gap whose end is not known yet. Raises LeaseLost.

        Gives up when the shard is wanted elsewhere: the next owner obeys before it reads.
        """
        self._intent.answer()
        failures = 0
        while self.due and not self._intent.leaving:
            lease = self._writer.lease
            try:
                commands = await self._relay.store.read_commands(
                    self._row.key, lease.command_counter
                )
            except Retryable as error:
                failures += 1
                log.warning("commands_unread", stream=self._row.key, reason=error.reason)
                chance = self._relay.chance.random()
                pause = full_jitter(failures, PAUSE, PAUSE_MAX, chance)
                await self._intent.changed.wait(pause)
                continue
            if self._intent.leaving:
                break
            obeyed = obey(lease, commands, self.heard, self._relay.clock.wall())
            gaps = GapRecorder(self._relay, self._row.key, self._epoch)
            for gap in obeyed.gaps:
                await gaps.record(gap)
            await self._writer.obey(obeyed.row)
            log.info(
                "command_obeyed",
                stream=self._row.key,
                shard=lease.shard_id,
                command=obeyed.row.command_counter,
                checkpoint_before=lease.checkpoint,
                checkpoint=obeyed.row.checkpoint,
                skip_before=obeyed.row.skip_before,
                paused=obeyed.row.paused,
            )
            return obeyed.gaps[-1] if obeyed.gaps else None
        return None
