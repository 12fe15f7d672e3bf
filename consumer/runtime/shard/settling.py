"""Waiting for what has been read of one shard: at its end, before a hand-over, before a command.

Rule: only the shard's consumer waits here. Every wait ends when something more urgent is wanted.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import structlog

from consumer.errors import Retryable
from consumer.runtime.shard.shard_goal import Want

if TYPE_CHECKING:
    from consumer.core.backlog.watermark import AckWatermark
    from consumer.core.leases.lease import StreamRow
    from consumer.runtime.shard.relay import Relay
    from consumer.runtime.shard.shard_goal import Intent

log = structlog.get_logger()

SHED_SECONDS = 10.0
"""A shard that has not drained in this time reads on."""

CHILDREN_PAUSE = 0.5
"""Seconds between tries to create the rows of a finished shard's children."""

LOOK = 5.0
"""Seconds after which a wait for progress looks again by itself."""


class Settling:
    """The waits of one stretch."""

    def __init__(self, relay: Relay, intent: Intent, watermark: AckWatermark) -> None:
        self._relay = relay
        self._intent = intent
        self._watermark = watermark

    async def at_the_end(self, row: StreamRow, shard_id: str) -> bool:
        """All of the shard is settled and its children stand. False if called away before."""
        intent = self._intent
        while not self._watermark.empty:
            if intent.leaving or intent.summoned:
                return False
            await intent.changed.wait(LOOK)
        while not (intent.leaving or intent.summoned):
            try:
                await self._relay.lineage.adopt_children(row, shard_id)
            except Retryable as error:
                log.warning("children_unknown", stream=row.key, shard=shard_id, reason=error.reason)
                await intent.changed.wait(CHILDREN_PAUSE)
            else:
                return True
        return False

    async def before_a_command(self) -> bool:
        """What is in flight is settled, or a drain's time has passed. False if called away."""
        clock, intent = self._relay.clock, self._intent
        by = clock.now() + self._relay.timing.drain
        while intent.want is Want.READ:
            self._drop_tail()
            rest = by - clock.now()
            if self._watermark.empty or rest <= 0:
                return True
            await intent.changed.wait(rest)
        return False

    async def before_a_release(self) -> bool:
        """What must be settled before a release is; False if shedding is taken back."""
        clock, intent = self._relay.clock, self._intent
        shed_by = clock.now() + SHED_SECONDS
        while True:
            self._drop_tail()
            if intent.want is Want.LOSE or self._watermark.empty:
                return True
            now = clock.now()
            deadline = intent.deadline if intent.want is Want.DRAIN else shed_by
            if intent.want is not Want.READ and now < deadline:
                await intent.changed.wait(deadline - now)
                continue
            if intent.want is Want.DRAIN:
                return True
            intent.read()
            return False

    def _drop_tail(self) -> None:
        self._relay.backlog.drop(self._watermark, self._watermark.drop_tail())
