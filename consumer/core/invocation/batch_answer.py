"""What an invocation answers to Lambda about its records.

Rules (AWS Lambda Developer Guide, "Configuring partial batch response with DynamoDB and Lambda")
- Lambda repeats the batch from the first SequenceNumber in `batchItemFailures` on. An empty list
  says that all is settled; so do null and an empty object.
- A mapping without ReportBatchItemFailures ignores the answer. A function whose
  mapping may be one has to raise an error instead: then the whole batch is repeated.
"""

from __future__ import annotations

from msgspec import Struct


class Unsettled(Struct, frozen=True):
    """The first record that is not settled, by its number as it came, and how many there are.

    `number` is None if it cannot be read. `oldest_at` is the creation time of the first (epoch
    seconds), None if that cannot be read.
    """

    number: str | None
    records: int
    oldest_at: float | None = None


class BatchUnsettled(Exception):
    """The batch is not settled, and no answer can say so: the invocation has to fail."""


def answer_of(unsettled: Unsettled | None, *, partial: bool) -> dict[str, list[dict[str, str]]]:
    """Return the answer. Raise BatchUnsettled if only a failed invocation has the batch repeated.

    `partial` says that the mapping reports partial failures.
    """
    if unsettled is None:
        return {"batchItemFailures": []}
    if not partial:
        raise BatchUnsettled(
            f"{unsettled.records} records are not settled, and the whole batch is to be repeated:"
            " CONSUMER_LAMBDA_PARTIAL is not true. Set it if the mapping has"
            " ReportBatchItemFailures"
        )
    if unsettled.number is None:
        raise BatchUnsettled(
            f"{unsettled.records} records are not settled, and the first of them has no"
            " SequenceNumber to answer: the whole batch is to be repeated"
        )
    return {"batchItemFailures": [{"itemIdentifier": unsettled.number}]}
