"""A stream that is written to while it is read: independent changes at a steady mean rate.

The times of all changes are drawn beforehand, so two runs are given the same ones.
"""

import random
import time
from bisect import bisect_right
from collections.abc import Sequence
from itertools import accumulate, takewhile

from tests.benchmarks.prepared_stream import DIFFERENT, PreparedStream


class LiveStream(PreparedStream):
    """One shard for each of `rates`, in changes a second, written to for `seconds` from `open`.

    The time between two changes of a shard is exponentially distributed, so they are a Poisson
    process, as if many independent people wrote.
    """

    def __init__(self, rates: Sequence[float], seconds: float, seed: int = 1) -> None:
        super().__init__(len(rates), DIFFERENT, gzip=False)
        self._dues = [
            _dues(random.Random(f"{seed} {shard}"), rate, seconds)
            for shard, rate in enumerate(rates)
        ]
        self._opened_at: float | None = None
        self._opened_wall = 0.0

    @property
    def writes(self) -> list[list[float]]:
        """The times of the changes of each shard, in seconds of the monotonic clock."""
        assert self._opened_at is not None
        return [[self._opened_at + due for due in dues] for dues in self._dues]

    def open(self) -> None:
        """Begin to write."""
        self._opened_at, self._opened_wall = time.monotonic(), time.time()

    def end(self, shard: int) -> int:
        """How many changes were made so far."""
        if self._opened_at is None:
            return 0
        return bisect_right(self._dues[shard], time.monotonic() - self._opened_at)

    def _created_at(self, shard: int, number: int) -> int:
        return int(self._opened_wall + self._dues[shard][number])


def _dues(chance: random.Random, rate: float, seconds: float) -> list[float]:
    if not rate:
        return []
    gaps = iter(lambda: chance.expovariate(rate), None)
    return list(takewhile(lambda due: due < seconds, accumulate(gaps)))
