"""A shard that failed here is left to other workers for 10 s, doubling to ten minutes.

A failure is forgotten once the shard works here again, or ten minutes after it may be taken here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Hashable

FIRST_SECONDS = 10.0
LONGEST_SECONDS = 600.0

K = TypeVar("K", bound="Hashable")


class ShardBackoff(Generic[K]):
    """The shards that this worker avoids. It is not stored: others may succeed with them."""

    def __init__(self) -> None:
        self._until: dict[K, float] = {}
        self._wait: dict[K, float] = {}

    def failed(self, shard: K, now: float) -> None:
        """Note that the shard failed here."""
        for old in [each for each, until in self._until.items() if until + LONGEST_SECONDS < now]:
            self.recovered(old)  # another worker may have read it to its end long ago
        wait = min(LONGEST_SECONDS, self._wait.get(shard, FIRST_SECONDS / 2) * 2)
        self._wait[shard] = wait
        self._until[shard] = now + wait

    def recovered(self, shard: K) -> None:
        """Note that the shard works again: the next failure starts from the shortest wait."""
        self._wait.pop(shard, None)
        self._until.pop(shard, None)

    def avoided(self, now: float) -> frozenset[K]:
        """Return the shards not to be taken at `now`."""
        return frozenset(shard for shard, until in self._until.items() if now < until)
