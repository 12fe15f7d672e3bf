"""The limit of records that cannot be read at all: they belong to no event type.

Ownership: the dead letter sender asks it before such a record becomes a letter, and tells it what
Nakadi has stored. Too many within a minute stop them, as refused events stop their event type: they
wait, and with them their shards' checkpoints. They go on when a record that was read after the stop
has been published, or one by one after a while.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from consumer.core.publishing.flow import DEAD_LETTER_LIMIT, Flow, FlowState

if TYPE_CHECKING:
    from collections.abc import Sequence

    from consumer.core.backlog.queued_event import QueuedEvent
    from consumer.core.limits import PublishLimits
    from consumer.runtime.instruments import Instruments


class UnreadableRecords:
    """Counts them, and logs a stop and its end."""

    def __init__(self, instruments: Instruments) -> None:
        self._clock = instruments.clock
        self._conditions = instruments.conditions
        self._flow: Flow | None = None

    def may_go(self, event: QueuedEvent[object], limits: PublishLimits) -> bool:
        """Return whether one more may become a dead letter; stop if there are too many."""
        flow = self._flow = self._flow or Flow(limits)
        now = self._clock.now()
        if flow.refuse(now, event.postponed):
            return True
        if not _is_stopped(flow):
            flow.stop(now, DEAD_LETTER_LIMIT)
        self._conditions.error(
            "unreadable_records_wait",
            limit=limits.dead_letter_limit,
            action="find out what writes records that cannot be read, or whether this version is "
            "too old for them: more than CONSUMER_DEAD_LETTER_LIMIT came within a minute. They "
            "wait, and the checkpoints of their shards",
        )
        return False

    def stored(self, events: Sequence[QueuedEvent[object]]) -> None:
        """Take note that Nakadi has stored events, which were read from records."""
        flow = self._flow
        if flow is None or not _is_stopped(flow):
            return
        flow.answered(max(event.queued_at for event in events), stored=True)
        if not _is_stopped(flow):
            self._conditions.over("unreadable_records_wait")


def _is_stopped(flow: Flow) -> bool:
    return flow.state is FlowState.STOPPED
