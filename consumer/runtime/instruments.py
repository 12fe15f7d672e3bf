"""The instruments of a worker: its clock, its chance, its metrics.

Rule: all its shards share them; nothing of a shard is kept here.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from consumer.observability.metrics import Metrics
    from consumer.ports import Chance, Clock


@dataclass(frozen=True, slots=True)
class Instruments:
    """What tells the time, what draws lots, and what counts."""

    clock: Clock
    chance: Chance
    metrics: Metrics
