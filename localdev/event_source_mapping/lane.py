"""A lane: the batches of one shard, or of a part of its keys, one after the other.

Source: AWS Lambda Developer Guide, "Using AWS Lambda with Amazon DynamoDB", "Configuring partial
batch response with DynamoDB and Lambda", "Retain discarded records for a DynamoDB event source".
"""

import json
from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final
from zlib import crc32

Record = Mapping[str, Any]

PAYLOAD_BYTES: Final = 6 * 1024 * 1024
"""Largest event of an invocation."""

FOR_EVER: Final = -1


@dataclass(frozen=True, slots=True)
class MappingOptions:
    """The properties of a mapping, with the defaults of Lambda.

    `age` is MaximumRecordAgeInSeconds, `window` MaximumBatchingWindowInSeconds, `reports` says that
    FunctionResponseTypes has ReportBatchItemFailures.
    """

    batch_size: int = 100
    window: float = 0.0
    parallelization: int = 1
    bisect: bool = False
    attempts: int = FOR_EVER
    age: float = FOR_EVER
    reports: bool = False


@dataclass(slots=True)
class Work:
    """A batch, and how often it was tried."""

    records: Sequence[Record]
    attempts: int = 0


@dataclass(frozen=True, slots=True)
class Discarded:
    """What the mapping has thrown away, and why: an object of the destination in S3."""

    reason: str
    payload: Sequence[Record]


@dataclass(slots=True)
class Lane:
    """One invocation at a time. What was not settled stays in front of all that came later."""

    options: MappingOptions
    discarded: list[Discarded] = field(default_factory=list)
    _waiting: deque[tuple[Record, float]] = field(default_factory=deque)
    _again: deque[Work] = field(default_factory=deque)

    @property
    def empty(self) -> bool:
        """Whether nothing waits."""
        return not self._waiting and not self._again

    def add(self, records: Iterable[Record], now: float) -> None:
        """Take over records of the stream, in order; `now` is in epoch seconds."""
        self._waiting.extend((record, now) for record in records)

    def next(self, now: float) -> Work | None:
        """Return the next batch, None if nothing waits or the window lasts."""
        while work := self._again.popleft() if self._again else self._gathered(now):
            work.records = self._young(work.records, now)
            if work.records:
                return work
        return None

    def ended(self, work: Work, answer: object, *, error: bool) -> bool:
        """Take in the answer to a batch, or that the function failed; return whether all is done.

        `answer` is the parsed JSON of the response.
        """
        first = 0 if error else failed_from(answer, work.records, reports=self.options.reports)
        if first is None:
            return True
        rest = work.records[first:]
        if self.options.bisect and error and len(rest) > 1:  # halving is no attempt
            halves = (rest[: len(rest) // 2], rest[len(rest) // 2 :])
            self._again.extendleft(Work(half, work.attempts) for half in reversed(halves))
            return False
        tried = 0 if first else work.attempts + 1  # something was settled: a new batch
        if FOR_EVER < self.options.attempts < tried:
            self.discarded.append(Discarded("RetryAttemptsExhausted", rest))
        else:
            self._again.appendleft(Work(rest, tried))
        return False

    def _gathered(self, now: float) -> Work | None:
        options = self.options
        if not self._waiting:
            return None
        full = len(self._waiting) >= options.batch_size
        if not (full or now - self._waiting[0][1] >= options.window):
            return None
        records: list[Record] = []
        size = 0
        while self._waiting and len(records) < options.batch_size:
            length = len(json.dumps(self._waiting[0][0]))
            if records and size + length > PAYLOAD_BYTES:
                break
            records.append(self._waiting.popleft()[0])
            size += length
        return Work(records)

    def _young(self, records: Sequence[Record], now: float) -> Sequence[Record]:
        """Return the records that are young enough; the others are thrown away."""
        if self.options.age == FOR_EVER:
            return records
        oldest = now - self.options.age
        old = [each for each in records if created_at(each) < oldest]
        if old:
            self.discarded.append(Discarded("RecordAgeExceeded", old))
        return [each for each in records if created_at(each) >= oldest]


def failed_from(answer: object, records: Sequence[Record], *, reports: bool) -> int | None:
    """Return the place of the first record that is to be repeated, None if all is done."""
    if not reports or not isinstance(answer, dict):
        return None if not reports or answer is None else 0
    failures = answer.get("batchItemFailures")
    if failures is None or failures == []:
        return None
    if not isinstance(failures, list):
        return 0
    places = {each["dynamodb"]["SequenceNumber"]: place for place, each in enumerate(records)}
    found: list[int] = []
    for each in failures:
        name = each.get("itemIdentifier") if isinstance(each, dict) else None
        if not isinstance(name, str) or name not in places:
            return 0  # null, empty, misnamed, or not of the batch
        found.append(places[name])
    return min(found)


def created_at(record: Record) -> float:
    """Return the time of a record's change in epoch seconds."""
    return float(record["dynamodb"]["ApproximateCreationDateTime"])


def lane_of(record: Record, parallelization: int) -> int:
    """Return the number of the lane of a record: that of its item, by its whole key."""
    keys = json.dumps(record["dynamodb"]["Keys"], sort_keys=True)
    return crc32(keys.encode()) % parallelization
