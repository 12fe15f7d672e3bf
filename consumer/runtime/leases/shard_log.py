"""The shard log: what the log says of the shards that this worker runs, seen from outside of them.

Ownership: the held shards call it; it decides nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import structlog

from consumer.core.shard.shard_state import Outcome, ShardState
from consumer.observability.actions import (
    LEAVE_TO_OTHERS,
    READ_ON_ELSEWHERE,
    REPORT_DEFECT,
    SEE_SHARD_FAILED,
    WAIT,
)

if TYPE_CHECKING:
    from consumer.core.shard.shard_view import ShardView
    from consumer.observability.conditions import Conditions
    from consumer.runtime.leases.running_shard import ShardKey

log = structlog.get_logger()

WAIT_SECONDS = 60.0
"""A shard that waits for something else than a pause is named after this long."""

_AFTER = {Outcome.LOST: READ_ON_ELSEWHERE, Outcome.FAILED: SEE_SHARD_FAILED}
"""The action after an outcome that is no part of a shard's normal life."""


class ShardLog:
    """Writes the lines of all held shards. `conditions` are those of the worker."""

    def __init__(self, conditions: Conditions) -> None:
        self._conditions = conditions
        self._waits: dict[ShardKey, str] = {}  # of shards that wait: for what

    def silent(self, key: ShardKey) -> None:
        """Say that no call of the shard succeeded for a minute."""
        self._conditions.error("shard_silent", stream=key[0], shard=key[1], action=LEAVE_TO_OTHERS)

    def failed(self, key: ShardKey) -> None:
        """Say that the shard's consumer ended by the exception that is being handled."""
        self._conditions.exception(
            "shard_failed", stream=key[0], shard=key[1], action=REPORT_DEFECT
        )

    def recovered(self, key: ShardKey) -> None:
        """Say that the shard is read again, if it was silent or failed."""
        for event in ("shard_silent", "shard_failed"):
            self._conditions.over(event, stream=key[0], shard=key[1])

    def look(self, view: ShardView) -> None:
        """Say that a shard is paused, or waits for long, while it does."""
        key = (view.stream_key, view.shard_id)
        cause = view.suspended_cause if view.held else None
        before = self._waits.get(key)
        if before is not None and before != cause:
            self._end_wait(key)
        if cause is None:
            return
        self._waits[key] = cause
        if view.state is ShardState.PAUSED:
            self._conditions.warning(
                "shard_paused",
                stream=key[0],
                shard=key[1],
                action="run `consumer resume` unless the pause is meant: the stream keeps a change "
                "for 24 hours",
            )
        else:
            self._conditions.warning(
                "shard_waits",
                stream=key[0],
                shard=key[1],
                waits_for=cause,
                patience=WAIT_SECONDS,
                action=WAIT,
            )

    def left(self, key: ShardKey, outcome: Outcome) -> None:
        """Say how the shard's consumer ended."""
        self._end_wait(key)
        action = _AFTER.get(outcome)
        if action is None:
            log.info("shard_left", stream=key[0], shard=key[1], outcome=outcome.value)
        else:
            log.warning(
                "shard_left", stream=key[0], shard=key[1], outcome=outcome.value, action=action
            )

    def _end_wait(self, key: ShardKey) -> None:
        cause = self._waits.pop(key, None)
        if cause is not None:
            self._conditions.over("shard_paused", stream=key[0], shard=key[1])
            self._conditions.over("shard_waits", stream=key[0], shard=key[1], waits_for=cause)
