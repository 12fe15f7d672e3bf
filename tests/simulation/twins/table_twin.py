"""The lease table as one worker reaches it: conditions of `tests.twins`, a network in between."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import TypeVar

from consumer.core.leases.command import Command
from consumer.core.leases.lease import Gap, Lease, LeaseWrite, StreamRow, Worker
from consumer.errors import UnknownOutcome
from tests.simulation.checks.checkers import Checks
from tests.simulation.faults.wire import Wire
from tests.twins.lease_table import LeaseTable, LeaseTableTwin, as_read, stream_as_read

T = TypeVar("T")


class SimLeaseTable(LeaseTableTwin):
    """LeaseStore of one worker. What a read answers is how the rows stood when it arrived.

    Of a longer answer than `page` rows each page is a request of its own.
    """

    def __init__(
        self, table: LeaseTable, wire: Wire, checks: Checks, limit: float, page: int
    ) -> None:
        super().__init__(table)
        self._page = page
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
        rows = await self._read_pages("read_peers", self._peers)
        self._checks.calls.answered(self._wire.node.name, "read_peers")
        workers = tuple(row for row in rows if isinstance(row, Worker))
        streams = tuple(row for row in rows if isinstance(row, StreamRow))
        self._checks.calls.show(self._wire.node.name, streams)
        return workers, streams

    def _peers(self) -> dict[str, Worker | StreamRow]:
        rows: dict[str, Worker | StreamRow] = {}
        rows |= {f"stream/{key}": stream_as_read(row) for key, row in self.table.streams.items()}
        return rows | {f"worker/{name}": row for name, row in self.table.workers.items()}

    async def read_leases(self, stream_key: str) -> Sequence[Lease]:
        def leases() -> dict[str, Lease]:
            return {shard: as_read(row) for shard, row in self.table.of(stream_key).items()}

        rows = await self._read_pages("read_leases", leases)
        self._checks.calls.answered(self._wire.node.name, "read_leases")
        return rows

    async def _read_pages(self, name: str, rows: Callable[[], dict[str, T]]) -> tuple[T, ...]:
        found: dict[str, T] = {}
        after = ""
        while True:
            page = await self._wire.call(name, partial(self._rest, rows, after), self._limit)
            found.update(page)
            if len(page) < self._page:
                return tuple(found.values())
            after = max(page)

    def _rest(self, read: Callable[[], dict[str, T]], after: str) -> dict[str, T]:
        rows = read()
        keys = sorted(key for key in rows if key > after)
        return {key: rows[key] for key in keys[: self._page]}

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
        self._checks.calls.answered(self._wire.node.name, "put_worker")

    async def write_lease(self, stream_key: str, write: LeaseWrite) -> Lease:
        name = self._wire.node.name
        if not self._wire.node.muted:
            self._checks.lease_sent(name, stream_key, write)
            if write.row.counter != write.expected.counter:
                self._checks.calls.begin_anew(name, write.row.shard_id)
        return await super().write_lease(stream_key, write)

    async def put_gap(self, stream_key: str, gap: Gap) -> bool:
        if not self._wire.node.muted:
            self._checks.gap_sent(self._wire.node.name, stream_key, gap)
        return await super().put_gap(stream_key, gap)
