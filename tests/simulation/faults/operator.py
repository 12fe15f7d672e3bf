"""An operator at work: commands that seek, pause and resume.

They stand in the lease table as `consumer seek` leaves them there, in one step.
"""

from datetime import UTC, datetime
from random import Random
from typing import TYPE_CHECKING

from msgspec.structs import replace

from consumer.core.leases.checkpoint import LATEST, TRIM_HORIZON
from consumer.core.leases.command import Action, Command
from consumer.core.leases.lease import StreamRow
from tests.simulation.checks.truth import wall

if TYPE_CHECKING:
    from tests.simulation.world import World

OLDER = 60.0
"""Seconds before now that a time is drawn from where a shard has no records."""


class Operator:
    """Whoever has a shell with the commands."""

    def __init__(self, world: "World") -> None:
        self._world = world

    async def hold(self, chance: Random) -> None:
        """Pause shards, and let them be read on after a while."""
        row = self._place(chance)
        shards = self._shards(chance, row) if row is not None and chance.random() < 0.5 else None
        seconds = chance.uniform(1.0, 40.0)
        if row is not None and shards != ():
            self._give(row.key, Action.PAUSE, shards, None)
            self._world.loop.later(seconds, self._give, row.key, Action.RESUME, shards, None)

    async def seek(self, chance: Random) -> None:
        """Send one shard, or all of a stream's, somewhere else."""
        row = self._place(chance)
        shards = () if row is None else self._shards(chance, row)
        if row is None or not shards:
            return
        target = self._target(chance, shards)
        self._give(row.key, Action.SEEK, shards, target)

    async def seek_type(self, chance: Random) -> None:
        """Send one shard, or all of a stream's, back for one event type."""
        row = self._place(chance)
        shards = () if row is None else self._shards(chance, row)
        names = self._world.scenario.event_types
        if row is None or not shards or len(names) == 1:
            return
        target = self._target(chance, shards)
        if target != LATEST:
            self._give(row.key, Action.SEEK_EVENT_TYPE, shards, target, chance.choice(names))

    def resume(self) -> None:
        """Whatever is paused is read on."""
        for key, commands in self._world.table.commands.items():
            if any(command.action is Action.PAUSE for command in commands.values()):
                self._give(key, Action.RESUME, None, None)

    def _place(self, chance: Random) -> StreamRow | None:
        streams = self._world.table.streams.values()
        rows = [row for row in streams if row.unreadable is None and self._alive(row)]
        return chance.choice(rows) if rows else None

    def _alive(self, row: StreamRow) -> list[str]:
        return [
            shard
            for shard, lease in self._world.table.of(row.key).items()
            if not lease.finished and lease.unreadable is None
        ]

    def _shards(self, chance: Random, row: StreamRow) -> tuple[str, ...]:
        alive = self._alive(row)
        return (chance.choice(alive),) if alive and chance.random() < 0.5 else tuple(alive)

    def _target(self, chance: Random, shards: tuple[str, ...]) -> str:
        now = wall(self._world.loop.now)
        shard = self._world.truth.shards[shards[0]]
        held = [record for record in shard.records if record.ordinal >= shard.shard.trimmed]
        if len(shards) == 1 and held and chance.random() < 0.3:
            return str(chance.choice(held).sequence)
        oldest = held[0].at if held else now - OLDER
        at = chance.uniform(min(oldest, now) - 1.0, now)
        return chance.choice((TRIM_HORIZON, LATEST, datetime.fromtimestamp(at, UTC).isoformat()))

    def _give(
        self,
        key: str,
        action: Action,
        shards: tuple[str, ...] | None,
        target: str | None,
        event_type: str | None = None,
    ) -> None:
        table, now = self._world.table, wall(self._world.loop.now)
        row = table.streams[key]
        number = row.commands + 1
        table.streams[key] = replace(row, commands=number)
        table.commands.setdefault(key, {})[number] = Command(
            number,
            action,
            shards,
            target,
            float(int(now)),
            "operator",
            str(number),
            event_type=event_type,
        )
        of = "all" if shards is None else " ".join(shard[-8:] for shard in shards)
        self._world.tell(
            "operator", action.value, f"#{number} {target or ''} {of} {event_type or ''}"
        )
