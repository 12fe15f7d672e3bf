"""What a 207 says of each partition."""

from __future__ import annotations

from consumer.core.publishing.answer import BatchItemResponse, PublishingStatus
from consumer.core.publishing.partition_outcome import shares
from tests.unit.core.tickets import ticket

SUBMITTED, FAILED, ABORTED = PublishingStatus


def test_shares_are_told_apart_by_what_the_items_name() -> None:
    told = [
        *(("3", FAILED), ("1", SUBMITTED), ("3", FAILED), ("1", FAILED)),
        *(("2", ABORTED), ("5", ABORTED), ("5", FAILED), (None, FAILED)),
    ]
    items = [BatchItemResponse(status, "publishing", "", name) for name, status in told]
    tickets = [ticket(number, size=10 * number) for number in range(1, 9)]
    found = {share.partition: share for share in shares(items, tickets)}
    assert list(found) == ["3", "1", "2", "5"]
    assert [share.refused for share in found.values()] == [True, False, False, True]
    assert [share.stored for share in found.values()] == [False, True, False, False]
    assert found["3"].tickets == [tickets[0], tickets[2]]
    assert [share.size for share in found.values()] == [40, 60, 50, 130]
    assert shares([], []) == []
