"""The position of a shard: a sequence number, or one of three words.

A checkpoint is kept as text, as in the lease table. Sequence numbers are compared as integers,
because their length varies.
"""

from __future__ import annotations

TRIM_HORIZON = "TRIM_HORIZON"
"""The oldest record that the shard still holds."""

LATEST = "LATEST"
"""Behind the newest record at the moment of the stream's start. Nothing has been read yet."""

SHARD_END = "SHARD_END"
"""The shard has been read to its end, and all of it is settled."""

UNREADABLE = "UNREADABLE"
"""No position: stands for the checkpoint of a row that cannot be read. It is never written."""

DIGITS = 40
"""The most digits of a sequence number."""

Checkpoint = str  # a sequence number in decimal digits, TRIM_HORIZON, LATEST or SHARD_END


def sequence_of(checkpoint: Checkpoint) -> int | None:
    """Return the sequence number of a checkpoint, None if it is a word."""
    is_number = checkpoint.isascii() and checkpoint.isdigit()  # a superscript is a digit, too
    return int(checkpoint) if is_number and len(checkpoint) <= DIGITS else None


def is_checkpoint(text: str) -> bool:
    """Return whether a text is a checkpoint as this service writes it."""
    return text in (TRIM_HORIZON, LATEST, SHARD_END) or sequence_of(text) is not None
