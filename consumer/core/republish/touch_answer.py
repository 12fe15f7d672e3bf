"""What became of one touch of an item."""

from __future__ import annotations

from enum import Enum

from msgspec import Struct


class TouchOutcome(Enum):
    """What the table says of it."""

    WRITTEN = "written"
    GONE = "gone"  # there is no such item (any more)
    TOO_LARGE = "too_large"  # an item has 400 KB at most
    FULL = "partition_full"  # with local indexes the items of a partition key have 10 GB at most


CONFLICT = "conflict"
"""Reason of a Retryable: a transaction, or another Region, works on the item."""


class TouchAnswer(Struct, frozen=True):
    """The answer. `capacity` is what it has cost, in write units."""

    outcome: TouchOutcome
    capacity: float
