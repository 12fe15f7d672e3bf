"""The instruments of a worker: its clock, source of chance, metrics, and what is said to last.

Rule: all shards of the worker share them; no state of a shard is kept here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

if TYPE_CHECKING:
    from consumer.observability.conditions import Conditions
    from consumer.observability.metrics import Metrics
    from consumer.ports import Chance, Clock


class Instruments(Struct, frozen=True):
    """Clock, chance, metrics and conditions, passed together to the parts of a shard."""

    clock: Clock
    chance: Chance
    metrics: Metrics
    conditions: Conditions
