"""The service's limits for calls within a second."""

from collections import deque
from dataclasses import dataclass, field
from typing import Final

WINDOW_SECONDS: Final = 1.0
DESCRIBE_STREAM_CALLS: Final = 10  # AWS: DescribeStream, a second, per account and Region
LIST_STREAMS_CALLS: Final = 5  # AWS: ListStreams, a second


@dataclass(slots=True)
class CallRate:
    """The calls of one operation within the last second; refused ones do not count."""

    _times: deque[float] = field(default_factory=deque)

    def admits(self, now: float, most: int) -> bool:
        """Return whether one more call is within the limit; counts it if so."""
        while self._times and self._times[0] <= now - WINDOW_SECONDS:
            self._times.popleft()
        if len(self._times) >= most:
            return False
        self._times.append(now)
        return True


@dataclass(slots=True)
class Readers:
    """The readers of each shard within the last second.

    A reader is one call of GetShardIterator and all iterators that follow from its answer: a
    request shows no more. So a client that opens a shard again counts as two for a second.
    """

    _seen: dict[str, dict[int, float]] = field(default_factory=dict)  # by shard and reader: when

    def admits(self, shard_id: str, reader: int, now: float, most: int) -> bool:
        """Return whether a reader may read now, and note that it does."""
        seen = self._seen.get(shard_id, {})
        recent = {each: when for each, when in seen.items() if when > now - WINDOW_SECONDS}
        admitted = reader in recent or len(recent) < most
        if admitted:
            recent[reader] = now
        self._seen[shard_id] = recent
        return admitted
