"""The shard log: what the log says of the shards that this worker runs, seen from outside of them.

Ownership: the held shards call it; it decides nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import structlog

from consumer.core.shard.shard_state import Outcome
from consumer.observability.actions import (
    LEAVE_TO_OTHERS,
    READ_ON_ELSEWHERE,
    REPORT_DEFECT,
    SEE_SHARD_FAILED,
)

if TYPE_CHECKING:
    from consumer.runtime.leases.running_shard import ShardKey

log = structlog.get_logger()

_AFTER = {Outcome.LOST: READ_ON_ELSEWHERE, Outcome.FAILED: SEE_SHARD_FAILED}
"""The action after an outcome that is no part of a shard's normal life."""


class ShardLog:
    """Writes the lines of all held shards."""

    def silent(self, key: ShardKey) -> None:
        """Say that no call of the shard succeeded for a minute."""
        log.error("shard_silent", stream=key[0], shard=key[1], action=LEAVE_TO_OTHERS)

    def failed(self, key: ShardKey) -> None:
        """Say that the shard's consumer ended by the exception that is being handled."""
        log.exception("shard_failed", stream=key[0], shard=key[1], action=REPORT_DEFECT)  # noqa: LOG004

    def left(self, key: ShardKey, outcome: Outcome) -> None:
        """Say how the shard's consumer ended."""
        action = _AFTER.get(outcome)
        if action is None:
            log.info("shard_left", stream=key[0], shard=key[1], outcome=outcome.value)
        else:
            log.warning(
                "shard_left", stream=key[0], shard=key[1], outcome=outcome.value, action=action
            )
