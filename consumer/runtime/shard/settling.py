"""Waiting for what has been read of one shard: at its end, before a hand-over, before a command.

Rule: only the shard's consumer waits here. Every wait ends when something more urgent is wanted.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import structlog

from consumer.errors import Retryable
from consumer.runtime.shard.shard_goal import Goal

if TYPE_CHECKING:
    from consumer.core.backlog.watermark import AckWatermark
    from consumer.core.leases.lease import StreamRow
    from consumer.runtime.shard.relay import Relay
    from consumer.runtime.shard.shard_goal import ShardGoal

log = structlog.get_logger()

SHED_SECONDS = 10.0
"""A shard that has not drained in this time reads on."""

CHILDREN_PAUSE = 0.5
"""Seconds between tries to create the rows of a finished shard's children."""

LOOK = 5.0
"""Seconds after which a wait for progress looks again by itself."""


class Settling:
    """The waits of one stretch."""

    def __init__(self, relay: Relay, goal: ShardGoal, watermark: AckWatermark) -> None:
        self._relay = relay
        self._goal = goal
        self._watermark = watermark

    async def at_the_end(self, row: StreamRow, shard_id: str) -> bool:
        """All of the shard is settled and its children stand. False if called away before."""
        goal = self._goal
        while not self._watermark.empty:
            if goal.leaving or goal.command_pending:
                return False
            await goal.changed.wait(LOOK)
        while not (goal.leaving or goal.command_pending):
            try:
                await self._relay.lineage.adopt_children(row, shard_id)
            except Retryable as error:
                log.warning("children_unknown", stream=row.key, shard=shard_id, reason=error.reason)
                await goal.changed.wait(CHILDREN_PAUSE)
            else:
                return True
        return False

    async def before_a_command(self) -> bool:
        """What is in flight is settled, or a drain's time has passed. False if called away."""
        clock, goal = self._relay.clock, self._goal
        by = clock.now() + self._relay.timing.drain
        while goal.current is Goal.READ:
            self._drop_tail()
            rest = by - clock.now()
            if self._watermark.empty or rest <= 0:
                return True
            await goal.changed.wait(rest)
        return False

    async def before_a_release(self) -> bool:
        """What must be settled before a release is; False if shedding is taken back."""
        clock, goal = self._relay.clock, self._goal
        shed_by = clock.now() + SHED_SECONDS
        while True:
            self._drop_tail()
            if goal.current is Goal.REVOKED or self._watermark.empty:
                return True
            now = clock.now()
            deadline = goal.deadline if goal.current is Goal.DRAIN else shed_by
            if goal.current is not Goal.READ and now < deadline:
                await goal.changed.wait(deadline - now)
                continue
            if goal.current is Goal.DRAIN:
                return True
            goal.read()
            return False

    def _drop_tail(self) -> None:
        self._relay.backlog.drop(self._watermark, self._watermark.drop_tail())
