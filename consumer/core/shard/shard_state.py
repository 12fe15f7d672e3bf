"""What a shard's consumer is doing, and how it ended."""

from __future__ import annotations

from enum import StrEnum


class ShardState(StrEnum):
    """The life of a shard in this process."""

    TAKING = "taking"
    READING = "reading"
    SUSPENDED = "suspended"
    PAUSED = "paused"
    DRAINING = "draining"
    FINISHING = "finishing"


class Outcome(StrEnum):
    """How a shard's consumer ended."""

    NOT_TAKEN = "not_taken"  # somebody else was faster
    SHARD_END = "shard_end"  # read to its end, settled, children known
    RELEASED = "released"  # handed over in order
    LOST = "lost"  # fenced, or somebody else owns it
    FAILED = "failed"  # ended by an exception nobody expected
