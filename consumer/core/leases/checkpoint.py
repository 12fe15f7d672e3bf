"""Where a shard stands: a sequence number, or one of three words.

A checkpoint is kept as text, as it stands in the lease table; sequence numbers compare as integers,
since their length varies.
"""

from __future__ import annotations

TRIM_HORIZON = "TRIM_HORIZON"
"""The oldest record that the shard still holds."""

LATEST = "LATEST"
"""Behind the newest record at the moment of the stream's start; nothing is read yet."""

SHARD_END = "SHARD_END"
"""The shard is at its end, and all of it is settled."""

Checkpoint = str  # a sequence number in decimal digits, TRIM_HORIZON, LATEST or SHARD_END


def sequence_of(checkpoint: Checkpoint) -> int | None:
    """Return the sequence number that a checkpoint stands at, None while it is a word."""
    is_number = checkpoint.isascii() and checkpoint.isdigit()  # a superscript is a digit, too
    return int(checkpoint) if is_number else None
