"""The messages of an event of Lambda whose mapping reads the dead letter queue."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from consumer.core.dead_letters.redrive import QueuedMessage, Receipt

if TYPE_CHECKING:
    from collections.abc import Mapping

SOURCE: Final = "aws:sqs"


def read_messages(event: object) -> list[QueuedMessage] | None:
    """Return the messages of an event, None if it is not one of SQS."""
    found = event.get("Records") if isinstance(event, dict) else None
    if not isinstance(found, list) or not found:
        return None
    sent = [each for each in found if isinstance(each, dict) and each.get("eventSource") == SOURCE]
    return [_message(each) for each in sent] if len(sent) == len(found) else None


def _message(record: Mapping[str, object]) -> QueuedMessage:
    attributes = record.get("attributes")
    told = attributes if isinstance(attributes, dict) else {}
    return QueuedMessage(
        Receipt(str(record.get("messageId")), str(record.get("receiptHandle"))),
        str(record.get("body", "")).encode(errors="surrogatepass"),
        _number(told.get("SentTimestamp"), 0) / 1000,
        _number(told.get("ApproximateReceiveCount"), 1),
    )


def _number(text: object, default: int) -> int:
    return int(text) if isinstance(text, str) and text.isdecimal() else default
