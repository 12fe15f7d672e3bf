"""The metrics of a function of Lambda: lines in the embedded metric format.

A process that is frozen between invocations cannot tell its metrics by the clock. It does so when
an invocation ends: once a minute, and whenever something is left unsettled, since the next batch
may go to another process.
"""

from __future__ import annotations

from math import inf
from typing import TYPE_CHECKING, Final

import structlog

from consumer.observability.embedded_metrics import EmbeddedMetrics

if TYPE_CHECKING:
    from consumer.core.invocation.batch_answer import Unsettled
    from consumer.observability.metrics import Metrics

log = structlog.get_logger()

INTERVAL: Final = 60.0
"""Seconds between two lines, as far as all is settled."""


class InvocationMetrics:
    """Tells the metrics of one process, if there is a namespace for them."""

    def __init__(self, namespace: str | None, application: str, metrics: Metrics) -> None:
        self._metrics = metrics
        self._embedded: EmbeddedMetrics | None = None
        if namespace is not None:
            self._embedded = EmbeddedMetrics(namespace, application, metrics)
        self._told_at = -inf

    def tell(self, unsettled: Unsettled | None, now: float, wall: float) -> None:
        """Log a line if it is due. `now` is in seconds of the clock, `wall` in epoch seconds."""
        if self._embedded is None or (unsettled is None and now - self._told_at < INTERVAL):
            return
        self._told_at = now
        age, left = 0.0, 0
        if unsettled is not None:
            left = unsettled.records
            age = max(0.0, wall - (wall if unsettled.oldest_at is None else unsettled.oldest_at))
        log.info("metrics", **self._embedded.line(wall, IteratorAge=round(age, 3), Unsettled=left))
