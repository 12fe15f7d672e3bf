"""Early ends: a run ends at a stop, and after two minutes without progress."""

from __future__ import annotations

import pytest

from consumer.core.limits import PublishLimits
from consumer.core.publishing.early_end import PATIENCE_SECONDS, dead_end
from consumer.core.publishing.flow import Flow

LIMITS = PublishLimits(
    batch_events=500, batch_bytes=900_000, concurrency=4, probe=30.0, dead_letter_limit=100
)


def test_something_can_be_sent_also_in_an_outage() -> None:
    flow = Flow(LIMITS)
    assert dead_end(flow, "", PATIENCE_SECONDS) is None
    flow.outage(1.0, 1.0, "http_503", None, 0.5)
    assert dead_end(flow, "http_503", PATIENCE_SECONDS) is None


def test_an_outage_that_lasts_is_one() -> None:
    why = dead_end(Flow(LIMITS), "http_503", PATIENCE_SECONDS + 1.0)
    assert why == "no progress for 120 s, last http_503"


@pytest.mark.parametrize("idle", [0.0, PATIENCE_SECONDS + 1.0])
def test_a_stop_is_one_at_once(idle: float) -> None:
    flow = Flow(LIMITS)
    flow.stop(1.0, "http_403")
    why = dead_end(flow, "http_403", idle)
    assert (why or "").startswith("Nakadi answered http_403; check the event type")
