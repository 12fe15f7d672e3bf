"""The lease table as one worker reaches it: conditions of `tests.twins`, a network in between."""

from collections.abc import Callable, Sequence
from typing import TypeVar

from consumer.core.command import Command
from consumer.core.lease import Gap, Lease, LeaseWrite, StreamRow, Worker
from consumer.errors import UnknownOutcome
from tests.simulation.checks import Checks
from tests.simulation.wire import Wire
from tests.twins.lease_table import LeaseTable, LeaseTableTwin

T = TypeVar("T")


class SimLeaseTable(LeaseTableTwin):
    """LeaseStore of one worker. What a read answers is how the rows stood when it arrived."""

    def __init__(self, table: LeaseTable, wire: Wire, checks: Checks, limit: float) -> None:
        super().__init__(table)
        self._wire = wire
        self._checks = checks
        self._limit = limit

    async def _write(self, operation: str, key: str, effect: Callable[[], T]) -> T:
        def land() -> T:
            result = effect()
            self._checks.landed(self._wire.node.name, operation, key, result)
            return result

        return await self._wire.call(f"{operation} {key}", land, self._limit, UnknownOutcome)

    async def ensure_table(self, *, create: bool) -> None:
        await self._wire.call("ensure_table", lambda: None, self._limit)

    async def read_peers(self) -> tuple[Sequence[Worker], Sequence[StreamRow]]:
        table = self.table
        return await self._wire.call(
            "read_peers",
            lambda: (tuple(table.workers.values()), tuple(table.streams.values())),
            self._limit,
        )

    async def read_leases(self, stream_key: str) -> Sequence[Lease]:
        table = self.table
        return await self._wire.call(
            "read_leases", lambda: tuple(table.of(stream_key).values()), self._limit
        )

    async def read_gaps(self, stream_key: str) -> Sequence[Gap]:
        gaps = self.table.gaps
        return await self._wire.call(
            "read_gaps", lambda: tuple(gaps.get(stream_key, {}).values()), self._limit
        )

    async def read_commands(self, stream_key: str, after: int) -> Sequence[Command]:
        return await self._wire.call(
            "read_commands", lambda: self._commands(stream_key, after), self._limit
        )

    async def put_worker(self, worker: Worker) -> None:
        sent_at = self._checks.now
        await super().put_worker(worker)
        self._checks.beat(worker.worker_id, sent_at)

    async def write_lease(self, stream_key: str, write: LeaseWrite) -> Lease:
        name = self._wire.node.name
        if not self._wire.node.muted:
            self._checks.lease_sent(name, stream_key, write)
        return await super().write_lease(stream_key, write)

    async def put_gap(self, stream_key: str, gap: Gap) -> bool:
        if not self._wire.node.muted:
            self._checks.gap_sent(self._wire.node.name, stream_key, gap)
        return await super().put_gap(stream_key, gap)
