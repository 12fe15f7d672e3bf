"""A careless hand in the lease table: it damages an attribute of a row, or makes a row of its own.

Somebody sees the damage after a while and mends it: the attribute is as it was. Nobody sees the
strange rows, which must cost nothing else.
"""

from collections.abc import Callable
from random import Random
from typing import TYPE_CHECKING

from msgspec.structs import replace

from consumer.core.leases.lease import Lease, Worker

if TYPE_CHECKING:
    from tests.simulation.world import World

OF_LEASES = ("checkpoint", "leaseOwner", "leaseCounter", "createdAt", "parentShardId")
OF_STREAMS = ("streamArn", "fingerprint", "sweep", "startPosition")
OF_WORKERS = ("heartbeat", "streams")

NOTE = "note"
"""Name of the rows that no worker has made."""

SEEN_AFTER = (1.0, 90.0)
"""Seconds."""


class CarelessHand:
    """Whoever has write access to the table and no idea."""

    def __init__(self, world: "World") -> None:
        self._world = world
        self._table = world.table

    async def damage(self, chance: Random) -> None:
        """Damage a row, or make one; it is mended later."""
        ways = (
            self._lease,
            self._lease,
            self._stream,
            self._worker,
            self._new_worker,
            self._new_lease,
        )
        mend = chance.choice(ways)(chance)
        if mend is not None:
            self._world.loop.later(chance.uniform(*SEEN_AFTER), mend)

    def mend(self) -> None:
        """Mend all that is damaged."""
        newest = self._world.writer.stream
        for key, rows in self._table.leases.items():
            if newest is None or key != f"{newest.table}/{newest.label}":
                rows.pop(NOTE, None)  # as far as anybody knows, it is a shard that is not read
            for shard in rows:
                if shard != NOTE:
                    self._mend_lease(key, shard)
        for key in self._table.streams:
            self._mend_stream(key)

    def _lease(self, chance: Random) -> Callable[[], None] | None:
        leases = self._table.leases
        shards = [(key, shard) for key, rows in leases.items() for shard in rows if shard != NOTE]
        if not shards:
            return None
        key, shard = chance.choice(sorted(shards))
        rows = leases[key]
        rows[shard] = replace(rows[shard], unreadable=chance.choice(OF_LEASES))
        self._tell(shard, rows[shard].unreadable)
        return lambda: self._mend_lease(key, shard)

    def _mend_lease(self, key: str, shard: str) -> None:
        rows = self._table.of(key)
        if shard in rows and rows[shard].unreadable is not None:
            rows[shard] = replace(rows[shard], unreadable=None)
            self._world.tell("hand", "mends", shard)

    def _stream(self, chance: Random) -> Callable[[], None] | None:
        if not self._table.streams:
            return None
        key = chance.choice(sorted(self._table.streams))
        row = self._table.streams[key]
        self._table.streams[key] = replace(row, unreadable=chance.choice(OF_STREAMS))
        self._tell(key, self._table.streams[key].unreadable)
        return lambda: self._mend_stream(key)

    def _mend_stream(self, key: str) -> None:
        row = self._table.streams[key]
        if row.unreadable is not None:
            self._table.streams[key] = replace(row, unreadable=None)
            self._world.tell("hand", "mends", key)

    def _worker(self, chance: Random) -> None:
        """A worker that runs writes its row anew."""
        if self._table.workers:
            name = chance.choice(sorted(self._table.workers))
            self._damage_worker(chance, self._table.workers[name])

    def _new_worker(self, chance: Random) -> None:
        self._damage_worker(chance, Worker(NOTE, 0, 0, (), False, False, 0.0, 0.0, "", ""))

    def _damage_worker(self, chance: Random, row: Worker) -> None:
        """What stands for the heartbeat of such a row is made of all its attributes."""
        beat, attribute = chance.getrandbits(63), chance.choice(OF_WORKERS)
        lost = replace(row, heartbeat=beat, streams=(), unreadable=attribute)
        self._table.workers[row.worker_id] = lost
        self._tell(row.worker_id, attribute)

    def _new_lease(self, chance: Random) -> Callable[[], object] | None:
        """A lease of no shard. Streams after its own wait until it is gone."""
        if not self._table.streams:
            return None
        key = chance.choice(sorted(self._table.streams))
        self._table.of(key)[NOTE] = Lease(NOTE, None, unreadable="checkpoint")
        self._tell(NOTE, "checkpoint")
        newest = key == max(self._table.streams)
        return None if newest else lambda: self._table.of(key).pop(NOTE, None)

    def _tell(self, row: str, attribute: str | None) -> None:
        self._world.tell("hand", "damages", f"{attribute} of {row}")
