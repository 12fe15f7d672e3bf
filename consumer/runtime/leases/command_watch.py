"""The command watch: it notifies running shards of operator commands that concern them.

Ownership: the coordinator owns it. The stream rows of each scan show whether a stream has new
commands; only then are they read, once for all shards of the worker. Shards that no new command
concerns are not interrupted.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from consumer.errors import Retryable
from consumer.observability.actions import READ_COMMANDS_AGAIN

if TYPE_CHECKING:
    from collections.abc import Iterable

    from consumer.core.leases.lease import StreamRow
    from consumer.observability.conditions import Conditions
    from consumer.ports import LeaseStore
    from consumer.runtime.leases.held_shards import HeldShards


class CommandWatch:
    """`_known` is the number of the last command that was read, by stream key."""

    def __init__(self, store: LeaseStore, held: HeldShards, conditions: Conditions) -> None:
        self._conditions = conditions
        self._store = store
        self._held = held
        self._known: dict[str, int] = {}

    async def read_new(self, rows: Iterable[StreamRow]) -> None:
        """Read new commands and notify the shards they concern.

        A read that fails is tried again at the next scan.
        """
        for row in rows:
            known = self._known.get(row.key, 0)
            if row.commands <= known:
                continue
            try:
                commands = await self._store.read_commands(row.key, known)
            except Retryable as error:
                self._conditions.failed(
                    "commands_unread", error, action=READ_COMMANDS_AGAIN, stream=row.key
                )
                continue
            self._conditions.over("commands_unread", stream=row.key)
            self._known[row.key] = row.commands
            for shard in self._held.shards:
                view = shard.view()
                if view.stream_key == row.key and any(
                    command.concerns(view.shard_id) for command in commands
                ):
                    shard.notify_command(row.commands)
