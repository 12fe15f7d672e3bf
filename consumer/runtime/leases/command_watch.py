"""Tells the shards that run here of commands that concern them.

Ownership: the coordinator owns it. The stream rows of each scan say whether there is anything new;
only then is it read, once a worker. Shards that are not meant go on undisturbed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import structlog

from consumer.errors import Retryable

if TYPE_CHECKING:
    from collections.abc import Iterable

    from consumer.core.leases.lease import StreamRow
    from consumer.ports import LeaseStore
    from consumer.runtime.leases.held_shards import HeldShards

log = structlog.get_logger()


class CommandWatch:
    """What this worker knows of the operator's commands, by stream."""

    def __init__(self, store: LeaseStore, held: HeldShards) -> None:
        self._store = store
        self._held = held
        self._known: dict[str, int] = {}

    async def look(self, rows: Iterable[StreamRow]) -> None:
        """Read what is new; what could not be read is tried again at the next scan."""
        for row in rows:
            known = self._known.get(row.key, 0)
            if row.commands <= known:
                continue
            try:
                commands = await self._store.read_commands(row.key, known)
            except Retryable as error:
                log.warning("commands_unread", stream=row.key, reason=error.reason)
                continue
            self._known[row.key] = row.commands
            for shard in self._held.shards:
                view = shard.view()
                if view.stream_key == row.key and any(
                    command.concerns(view.shard_id) for command in commands
                ):
                    shard.notify_command(row.commands)
