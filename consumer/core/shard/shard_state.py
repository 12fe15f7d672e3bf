"""The state of a shard in this process, and how its consumer ended."""

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
    FAILING = "failing"  # would read, or finish, but the calls that it needs fail


class Outcome(StrEnum):
    """How a shard's consumer ended."""

    NOT_TAKEN = "not_taken"  # another worker was faster
    SHARD_END = "shard_end"  # read to its end, settled, children known
    RELEASED = "released"  # settled as far as possible, then released
    LOST = "lost"  # the fence has passed, or another worker owns it
    FAILED = "failed"  # ended by an unexpected exception
