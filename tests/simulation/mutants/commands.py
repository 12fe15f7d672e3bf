"""Faults in what an operator's commands do."""

from msgspec.structs import replace

from consumer.core.leases import command
from consumer.core.leases.checkpoint import sequence_of
from consumer.core.leases.command import Command
from consumer.core.leases.lease import Gap, Lease
from consumer.core.shard.shard_state import ShardState
from consumer.runtime.shard.shard_consumer import ShardConsumer
from tests.simulation.mutants.plant import plant


def paused_shard_is_read() -> None:
    original = ShardConsumer._read

    async def read(self: ShardConsumer) -> bool:
        if self._commands.due:
            return await original(self)
        self._state = ShardState.READING
        return await self._reader.read(self._watermark.opened, self._goal.until_interrupted)

    plant(ShardConsumer, "_read", read)


def seek_skips_in_silence() -> None:
    def seek_gap(_lease: Lease, _command: Command, _wall: float) -> Gap | None:
        return None

    plant(command, "seek_gap", seek_gap)


def seek_gap_ends_at_its_target() -> None:
    original = command.seek_gap

    def seek_gap(lease: Lease, given: Command, wall: float) -> Gap | None:
        gap, number = original(lease, given, wall), sequence_of(given.target or "")
        return gap if gap is None or number is None else replace(gap, to=str(number))

    plant(command, "seek_gap", seek_gap)
