"""What a 207 says of each partition."""

from __future__ import annotations

from consumer.core.publishing.answer import BatchItemResponse, PublishingStatus
from consumer.core.publishing.partition_outcome import outcomes
from tests.unit.core.events import event

SUBMITTED, FAILED, ABORTED = PublishingStatus


def test_outcomes_are_told_apart_by_what_the_items_name() -> None:
    told = [
        *(("3", FAILED), ("1", SUBMITTED), ("3", FAILED), ("1", FAILED)),
        *(("2", ABORTED), ("5", ABORTED), ("5", FAILED), (None, FAILED)),
    ]
    items = [BatchItemResponse(status, "publishing", "", name) for name, status in told]
    events = [event(number, size=10 * number) for number in range(1, 9)]
    found = {outcome.partition: outcome for outcome in outcomes(items, events)}
    assert list(found) == ["3", "1", "2", "5"]
    assert [outcome.refused for outcome in found.values()] == [True, False, False, True]
    assert [outcome.stored for outcome in found.values()] == [False, True, False, False]
    assert found["3"].events == [events[0], events[2]]
    assert [outcome.size for outcome in found.values()] == [40, 60, 50, 130]
    assert outcomes([], []) == []
