"""The alarm while the table's newest stream records nothing that will be published.

Rule: it is raised by the metric `consumer_stream_enabled` and by a log line that is repeated, and
it ends no reading.
"""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

import structlog

from consumer.core.leases.reminder import Reminder
from consumer.core.shard.gap import VIEW_TYPE

if TYPE_CHECKING:
    from consumer.core.leases.lease import StreamRow
    from consumer.observability.metrics import Metrics
    from consumer.ports import Clock

log = structlog.get_logger()


class StreamAlarm:
    """Of one worker; each worker tells what its own sweeps find."""

    def __init__(self, clock: Clock, metrics: Metrics) -> None:
        self._clock = clock
        self._metrics = metrics
        self._reminder = Reminder()

    def superseded(self, row: StreamRow) -> None:
        """Remove the metric of a stream that a later one follows: its end raises no alarm."""
        with suppress(KeyError):
            self._metrics.stream_enabled.remove(row.key)

    def enabled(self, row: StreamRow) -> None:
        """End the alarm of the newest stream."""
        self._metrics.stream_enabled.labels(stream=row.key).set(1)

    def disabled(self, row: StreamRow) -> None:
        """Raise the alarm: the newest stream is disabled, or gone."""
        self._metrics.stream_enabled.labels(stream=row.key).set(0)
        if self._reminder.due(row.key, "disabled", self._clock.now()):
            log.error(
                "stream_disabled",
                stream=row.key,
                action="the rest of the stream is read; new changes are not recorded until a stream"
                " is enabled for the table again",
            )

    def unfit(self, row: StreamRow, *, newest: bool) -> None:
        """Name a stream that cannot be read; raise the alarm if it is the newest."""
        if newest:
            self._metrics.stream_enabled.labels(stream=row.key).set(0)
        if self._reminder.due(row.key, VIEW_TYPE, self._clock.now()):
            log.error(
                "stream_unfit",
                stream=row.key,
                reason=VIEW_TYPE,
                action="the streams before it are read to their end; enable a stream with view type"
                " NEW_AND_OLD_IMAGES, which is read by itself after them: the changes of this one"
                " are then passed by, with a gap row",
            )
