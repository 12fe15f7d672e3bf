"""Messages that a mapping of a queue hands over."""

from typing import Any

import pytest

from consumer.core.dead_letters.redrive import QueuedMessage, Receipt
from consumer.core.invocation.queue_batch import read_messages


def record(**more: Any) -> dict[str, Any]:
    return {
        "eventSource": "aws:sqs",
        "messageId": "m",
        "receiptHandle": "h",
        "body": "{}",
        "attributes": {"SentTimestamp": "1790000000123", "ApproximateReceiveCount": "3"},
        **more,
    }


def test_a_message_is_what_was_received() -> None:
    found = read_messages({"Records": [record()]})
    assert found == [QueuedMessage(Receipt("m", "h"), b"{}", 1_790_000_000.123, 3)]


@pytest.mark.parametrize("attributes", [None, {}, {"SentTimestamp": "soon"}])
def test_attributes_may_be_missing(attributes: object) -> None:
    found = read_messages({"Records": [record(attributes=attributes)]})
    assert found == [QueuedMessage(Receipt("m", "h"), b"{}", 0.0, 1)]


@pytest.mark.parametrize(
    "event", [None, {}, {"Records": []}, {"Records": [record(), "x"]}, {"Records": [{}]}]
)
def test_other_events_have_no_messages(event: object) -> None:
    assert read_messages(event) is None
