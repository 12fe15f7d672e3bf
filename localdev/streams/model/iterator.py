"""Shard iterators: a position that a client carries around and cannot read.

Nothing is remembered about them, so one may be used any number of times until it expires.
"""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from localdev.streams.errors import invalid
from localdev.streams.names import digest

LIFETIME_SECONDS: Final = 15 * 60.0  # AWS: an iterator expires 15 minutes after it was returned


class IteratorType(StrEnum):
    """Where GetShardIterator places a reader."""

    TRIM_HORIZON = "TRIM_HORIZON"
    LATEST = "LATEST"
    AT_SEQUENCE_NUMBER = "AT_SEQUENCE_NUMBER"
    AFTER_SEQUENCE_NUMBER = "AFTER_SEQUENCE_NUMBER"


@dataclass(frozen=True, slots=True)
class Position:
    """The record read next: the `ordinal`-th that was ever written to the shard, from 0.

    `issued_at` is epoch seconds; `generation` changes when all iterators are made to expire;
    `reader` is the same for all iterators that follow from one answer of GetShardIterator.
    """

    stream_arn: str
    shard_id: str
    ordinal: int
    issued_at: float
    generation: int
    reader: int = 0

    def token(self, seed: str) -> str:
        """Return the iterator."""
        fields = (self.shard_id, self.ordinal, repr(self.issued_at), self.generation, self.reader)
        text = "|".join(map(str, fields))
        signed = f"{digest(seed, self.stream_arn, text)[:16]}|{text}"
        return f"{self.stream_arn}|1|{urlsafe_b64encode(signed.encode()).decode()}"


def read_token(token: str, seed: str) -> Position:
    """Return what an iterator of the model with this seed stands for.

    Raise ServiceError (validation) for anything else.
    """
    try:
        stream_arn, _, encoded = token.rsplit("|", 2)
        _, shard_id, ordinal, at, *counts = urlsafe_b64decode(encoded).decode().split("|")
        generation, reader = map(int, counts)
        position = Position(stream_arn, shard_id, int(ordinal), float(at), generation, reader)
    except ValueError:  # what base64 and UTF-8 raise, too
        raise invalid("Invalid ShardIterator") from None
    if position.token(seed) != token:
        raise invalid("Invalid ShardIterator")
    return position
