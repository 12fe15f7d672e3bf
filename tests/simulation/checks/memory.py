"""How much a worker holds: counted by itself, from what crosses the port of the stream.

A record counts with the parts of its item and its patch that each of its events carries at least,
from the page that brings it until the event is stored; a request for a page counts with what must
be reserved for one. All of it is less than what the worker really holds, so that what is too much
here is too much there.
"""

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from consumer.core.shard.shard_state import ShardState
from consumer.core.stream.page import MalformedRecord, Page
from consumer.runtime.shard.shard_consumer import ShardConsumer
from tests.simulation.checks.truth import Record, ShardTruth, Truth

RESERVATION = 3 << 20
"""Bytes that a page and the events made of it may need."""

ROOM = 2 << 20
"""Of these, for the events."""


class Memory:
    """Of one worker. `limit` is its queue in bytes, `held` its shards."""

    def __init__(
        self,
        truth: Truth,
        limit: int,
        held: Callable[[], list[ShardConsumer]],
        fail: Callable[[str, str], None],
    ) -> None:
        self._truth = truth
        self._limit = limit
        self._held = held
        self.fail = fail
        self._read: dict[str, dict[int, Record]] = {}  # by shard; not settled when last looked at
        self._asked: Counter[str] = Counter()
        self._longest = 0  # body of a page so far

    @contextmanager
    def asking(self, shard: ShardTruth) -> Iterator[None]:
        """A request for a page is under way."""
        self._asked[shard.id] += 1
        self.judge()
        try:
            yield
        finally:
            self._asked[shard.id] -= 1

    def has_read(self, shard: ShardTruth, page: Page) -> None:
        """A page has come."""
        self._longest = max(self._longest, page.size)
        read = self._read.setdefault(shard.id, {})
        for found in page.records:
            assert not isinstance(found, MalformedRecord)
            read[found.sequence] = self._truth.records[found.sequence]

    def judge(self) -> None:
        """The rule of the budget: all shards together stay within it, to the byte.

        Only one page at a time may exceed it, by what it needs beyond a reservation.
        """
        each = [self._bytes_of(shard) for shard in self._held()]
        limit = self._limit + max(0, self._longest + ROOM - RESERVATION)
        if sum(each) > limit:
            self.fail("budget", f"{each} bytes in shards that may have {limit} together")

    def _bytes_of(self, shard: ShardConsumer) -> int:
        """What a drain has dropped is beyond what is `opened`; who drains reads nothing anew."""
        view = shard.view()
        asked = self._asked[view.shard_id] * RESERVATION
        if view.state is ShardState.DRAINING or not view.pending_events:
            return asked
        opened = shard._watermark.opened or 0
        read = self._read.get(view.shard_id, {})
        for sequence in [s for s, record in read.items() if self._truth.is_settled(record)]:
            del read[sequence]
        left = (event for r in read.values() if r.sequence <= opened for event in r.left)
        return asked + sum(event.size for event in left)
