"""The alarm while the table's newest stream records nothing that will be published.

Rule: it is raised by the metric `consumer_stream_enabled` and by a log line that is repeated, and
it ends no reading.
"""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from consumer.core.shard.gap import VIEW_TYPE
from consumer.observability.actions import ENABLE_A_STREAM
from consumer.observability.conditions import Conditions

if TYPE_CHECKING:
    from consumer.core.leases.lease import StreamRow
    from consumer.observability.metrics import Metrics
    from consumer.ports import Clock


class StreamAlarm:
    """Of one worker; each worker tells what its own sweeps find."""

    def __init__(self, clock: Clock, metrics: Metrics) -> None:
        self._metrics = metrics
        self._conditions = Conditions(clock.now)

    def superseded(self, row: StreamRow) -> None:
        """Remove the metric of a stream that a later one follows: its end raises no alarm."""
        with suppress(KeyError):
            self._metrics.stream_enabled.remove(row.key)
        self._conditions.over("stream_disabled", stream=row.key)

    def enabled(self, row: StreamRow) -> None:
        """End the alarm of the newest stream."""
        self._metrics.stream_enabled.labels(stream=row.key).set(1)
        self._conditions.over("stream_unfit", stream=row.key)

    def disabled(self, row: StreamRow) -> None:
        """Raise the alarm: the newest stream is disabled, or gone."""
        self._metrics.stream_enabled.labels(stream=row.key).set(0)
        self._conditions.error("stream_disabled", stream=row.key, action=ENABLE_A_STREAM)

    def unfit(self, row: StreamRow, *, newest: bool) -> None:
        """Name a stream that cannot be read; raise the alarm if it is the newest."""
        if newest:
            self._metrics.stream_enabled.labels(stream=row.key).set(0)
        self._conditions.error(
            "stream_unfit",
            stream=row.key,
            reason=VIEW_TYPE,
            action="enable a stream with view type NEW_AND_OLD_IMAGES, which is read by itself"
            " after the streams before this one; the changes of this one are then passed by, with"
            " a gap row",
        )
