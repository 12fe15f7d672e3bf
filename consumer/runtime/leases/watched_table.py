"""The lease table as a worker uses it: each call is passed on, and what became of it is noted.

Rule: it changes no call, no answer and no error; it is between the store and all parts of a worker.

Writes of lease rows come in hundreds: when many shards are found, taken anew after the fence, or
released at SIGTERM. So they wait for their turn here, before their time limit begins. All at once
they would keep the heartbeat from being written in time, and all that was taken would be lost.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, TypeVar

from consumer.core.leases.table_calls import TableCall, TableCalls
from consumer.errors import LeaseLost, Retryable

if TYPE_CHECKING:
    from collections.abc import Awaitable, Sequence

    from consumer.core.leases.command import Command
    from consumer.core.leases.lease import Gap, Lease, LeaseWrite, StreamRow, Worker
    from consumer.ports import Clock, LeaseStore

Answer = TypeVar("Answer")

LEASE_WRITES = 25
"""Most writes of lease rows under way in a worker; heartbeats and reads do not wait for them."""


class WatchedTable:
    """A LeaseStore. `calls` is what became of its calls.

    Not noted are deletions, as rows that stay do no harm; reads of gaps, which are repeated
    until they succeed; `ensure_table`; and what only commands call.
    """

    def __init__(self, store: LeaseStore, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._turn = asyncio.Semaphore(LEASE_WRITES)
        self.calls = TableCalls()

    async def _noted(self, call: TableCall, request: Awaitable[Answer]) -> Answer:
        try:
            answer = await request
        except LeaseLost:
            self.calls.note_answer(call)
            raise
        except Retryable as error:
            self.calls.note_failure(call, error.reason, str(error), self._clock.wall())
            raise
        self.calls.note_answer(call)
        return answer

    async def ensure_table(self, *, create: bool) -> None:
        """Check the table, or create it."""
        await self._store.ensure_table(create=create)

    async def read_peers(self) -> tuple[Sequence[Worker], Sequence[StreamRow]]:
        """Return all worker and stream rows."""
        return await self._noted(TableCall.PEERS, self._store.read_peers())

    async def read_leases(self, stream_key: str) -> Sequence[Lease]:
        """Return all lease rows of a stream."""
        return await self._noted(TableCall.LEASES, self._store.read_leases(stream_key))

    async def read_gaps(self, stream_key: str) -> Sequence[Gap]:
        """Return all gap rows of a stream."""
        return await self._store.read_gaps(stream_key)

    async def read_commands(self, stream_key: str, after: int) -> Sequence[Command]:
        """Return the commands with a number above `after`."""
        return await self._noted(TableCall.COMMANDS, self._store.read_commands(stream_key, after))

    async def add_command(self, stream_key: str, command: Command) -> bool:
        """Put a command's row; no worker does."""
        return await self._store.add_command(stream_key, command)

    async def put_worker(self, worker: Worker) -> None:
        """Write the whole worker row."""
        await self._noted(TableCall.HEARTBEAT, self._store.put_worker(worker))

    async def delete_worker(self, worker_id: str) -> None:
        """Delete the worker row."""
        await self._store.delete_worker(worker_id)

    async def create_stream(self, row: StreamRow) -> StreamRow:
        """Put the row if it is absent."""
        return await self._noted(TableCall.STREAM, self._store.create_stream(row))

    async def replace_stream(self, expected: StreamRow, row: StreamRow) -> StreamRow | None:
        """Write the row if it is as expected."""
        return await self._noted(TableCall.SWEEP, self._store.replace_stream(expected, row))

    async def write_purpose(self, expected: StreamRow, row: StreamRow) -> StreamRow | None:
        """Write what the row says of the purpose."""
        return await self._noted(TableCall.STREAM, self._store.write_purpose(expected, row))

    async def create_lease(self, stream_key: str, lease: Lease) -> bool:
        """Put the row if it is absent."""
        return await self._noted(TableCall.NEW_LEASE, self._store.create_lease(stream_key, lease))

    async def delete_lease(self, stream_key: str, lease: Lease) -> bool:
        """Delete the row if it is as expected."""
        return await self._store.delete_lease(stream_key, lease)

    async def write_lease(self, stream_key: str, write: LeaseWrite) -> Lease:
        """Make the conditional write, once it is its turn."""
        async with self._turn:
            return await self._noted(TableCall.LEASE, self._store.write_lease(stream_key, write))

    async def mark_parent_gone(self, stream_key: str, shard_id: str) -> None:
        """Set `parentGone` on a row."""
        await self._noted(TableCall.LEASE, self._store.mark_parent_gone(stream_key, shard_id))

    async def put_gap(self, stream_key: str, gap: Gap) -> bool:
        """Put the row of a gap."""
        return await self._noted(TableCall.GAP, self._store.put_gap(stream_key, gap))

    async def complete_gap(self, stream_key: str, gap: Gap) -> None:
        """Set the end of a gap's row."""
        await self._noted(TableCall.GAP, self._store.complete_gap(stream_key, gap))

    async def mark_repaired(self, stream_key: str, gap: Gap) -> bool:
        """Set when a gap was repaired."""
        return await self._store.mark_repaired(stream_key, gap)
