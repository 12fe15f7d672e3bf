"""A stream and its shards, as DynamoDB Streams describes them."""

from __future__ import annotations

import re
from enum import StrEnum

from msgspec import Struct

_ARN = re.compile(
    r"arn:[^:]+:dynamodb:(?P<region>[^:]*):[^:]*:table/(?P<table>[^/]+)/stream/(?P<label>.+)",
)


class ViewType(StrEnum):
    """StreamViewType: which images a record carries."""

    KEYS_ONLY = "KEYS_ONLY"
    NEW_IMAGE = "NEW_IMAGE"
    OLD_IMAGE = "OLD_IMAGE"
    NEW_AND_OLD_IMAGES = "NEW_AND_OLD_IMAGES"


class Stream(Struct, frozen=True):
    """The identity of a stream. `label` distinguishes the streams that a table has had."""

    arn: str
    table: str
    label: str

    @classmethod
    def from_arn(cls, arn: str) -> Stream:
        """Return the stream of an ARN. Raise ValueError if it is not that of a stream."""
        match = _ARN.fullmatch(arn)
        if match is None:
            msg = f"{arn!r} is not the ARN of a DynamoDB stream (…:table/NAME/stream/LABEL)"
            raise ValueError(msg)
        return cls(arn, match["table"], match["label"])

    @property
    def key(self) -> str:
        """`<table>/<label>`: how rows of the lease table name this stream."""
        return f"{self.table}/{self.label}"


class Shard(Struct, frozen=True):
    """One shard of a listing. `ending` is its EndingSequenceNumber, None while it is open."""

    shard_id: str
    parent_shard_id: str | None
    ending: int | None

    @property
    def closed(self) -> bool:
        """No more records will be written to the shard. Some may still have to be read."""
        return self.ending is not None


class StreamPage(Struct, frozen=True):
    """One answer of DescribeStream.

    If `last_evaluated` is None, no more shards follow; a value does not prove that some do.
    `answered_at` is the Date header in epoch seconds, the service's own clock.
    """

    stream: Stream
    enabled: bool
    view_type: ViewType
    key_attributes: tuple[str, ...]
    shards: tuple[Shard, ...]
    last_evaluated: str | None
    answered_at: float


class AtTrimHorizon(Struct, frozen=True):
    """ShardIteratorType TRIM_HORIZON: the oldest record that the shard still holds."""


class AtLatest(Struct, frozen=True):
    """ShardIteratorType LATEST: behind the newest record."""


class AfterSequence(Struct, frozen=True):
    """ShardIteratorType AFTER_SEQUENCE_NUMBER: behind the record with this number."""

    sequence: int


Position = AtTrimHorizon | AtLatest | AfterSequence
