"""The messages that a redrive has received: hidden from others until it is done with them.

Ownership: it alone calls the queue. A message is open while its event may be sent, left once it is
known to stay, and accepted from Nakadi's answer until the queue has deleted it. Open ones are
hidden for longer, those first that come back first; the others may come back, are recognised and
not looked at again. At the end everything that stays is made visible. The messages of a run that
was killed come back by themselves.
"""

from __future__ import annotations

from functools import partial
from math import inf
from typing import TYPE_CHECKING, TypeVar

import structlog

from consumer.core.backoff import full_jitter
from consumer.core.dead_letters.queue_end import PER_RECEPTION, QueueEnd
from consumer.errors import Retryable

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence

    from consumer.core.dead_letters.redrive import QueueDepth, QueuedMessage, Receipt
    from consumer.ports import Chance, Clock, DeadLetterSource

log = structlog.get_logger()

QUEUE_SECONDS = 30.0
"""A queue that cannot be reached is tried for this long."""

PAUSE = 0.2
PAUSE_MAX = 5.0

SLACK_SECONDS = 5.0
"""Beside one request, what may pass between two looks at the visibility."""

HIDDEN_FOR = 4
HIDDEN_AGAIN_AT = 2
"""Messages are hidden for this many requests and their slack, and again while fewer are left."""

Result = TypeVar("Result")


class RedriveEnded(Exception):
    """The run ends before the queue is empty; the text says why."""


class ReceivedMessages:
    """Everything this run has taken from the queue. `request` is the longest request's seconds."""

    def __init__(
        self, source: DeadLetterSource, clock: Clock, chance: Chance, *, request: float
    ) -> None:
        self._source = source
        self._clock = clock
        self._chance = chance
        self._request = request
        self._visibility = HIDDEN_FOR * (request + SLACK_SECONDS)
        self._hide_again_at = HIDDEN_AGAIN_AT * (request + SLACK_SECONDS)
        self._open: dict[str, Receipt] = {}
        self._hidden_until: dict[str, float] = {}  # of the open ones
        self._left: dict[str, Receipt] = {}
        self._accepted: dict[str, Receipt] = {}
        self._to_delete: list[str] = []  # accepted ones that the queue is still to be asked about
        self._end = QueueEnd()

    @property
    def open(self) -> int:
        """How many are neither accepted nor known to stay."""
        return len(self._open)

    @property
    def left(self) -> int:
        """How many stay in the queue, as far as is known."""
        return len(self._left)

    @property
    def held(self) -> int:
        """How many are hidden from others because of this run."""
        return len(self._open) + len(self._left) + len(self._accepted)

    @property
    def undeleted(self) -> int:
        """How many were accepted and are still in the queue."""
        return len(self._accepted)

    @property
    def deletions_due(self) -> bool:
        """Have messages been accepted that the queue was not asked to delete yet?"""
        return bool(self._to_delete)

    @property
    def hiding_due(self) -> bool:
        """Is it time to hide an open one for longer?"""
        first = min(self._hidden_until.values(), default=inf)
        return first <= self._clock.now() + self._hide_again_at

    async def depth(self) -> QueueDepth:
        """About how many messages the queue holds. Raises RedriveEnded, Misconfigured."""
        return await self._patiently(self._source.depth)

    async def receive(self, count: int) -> list[QueuedMessage] | None:
        """At most `count` (≤ 10) not seen before; None when the queue counts as empty."""
        asked_at = self._clock.now()
        found = await self._patiently(partial(self._source.receive, count, self._visibility))
        new: list[QueuedMessage] = []
        for message in found:
            name = message.receipt.message_id
            for known in (self._open, self._left, self._accepted):
                if name in known:
                    known[name] = message.receipt
                    break
            else:
                new.append(message)
        for message in new:
            self._open[message.receipt.message_id] = message.receipt
            self._hidden_until[message.receipt.message_id] = asked_at + self._visibility
        ended = self._end.received(len(found), len(new), len(self._left) + len(self._accepted))
        return None if ended else new

    async def keep(self) -> bool:
        """Hide the open ones that come back first for longer, if it is time; True if it was.

        One call of the queue: what else is to be done comes between two of them.
        """
        asked_at = self._clock.now()
        due = asked_at + self._hide_again_at
        names = [name for name, until in self._hidden_until.items() if until <= due]
        if not names:
            return False
        names = sorted(names, key=self._hidden_until.__getitem__)[:PER_RECEPTION]
        receipts = [self._open[name] for name in names]
        await self._patiently(partial(self._source.hide, receipts, self._visibility))
        for name in names:
            if name in self._open:
                self._hidden_until[name] = asked_at + self._visibility
        return True

    def is_open(self, name: str) -> bool:
        """Is this one neither accepted nor known to stay?"""
        return name in self._open

    def hidden_for_a_request(self, now: float) -> bool:
        """Will what is open stay hidden until a request that is sent at `now` must have ended?"""
        return min(self._hidden_until.values(), default=inf) - now > self._request

    def leave(self, name: str) -> None:
        """This one stays."""
        self._left[name] = self._close(name)

    def accept(self, names: Iterable[str]) -> None:
        """Nakadi has stored the events of these: they are to be deleted."""
        self._accepted.update((name, self._close(name)) for name in names)
        self._to_delete = list(self._accepted)  # those that could not be deleted before, too

    def _close(self, name: str) -> Receipt:
        del self._hidden_until[name]
        return self._open.pop(name)

    async def delete(self) -> bool:
        """Delete what was accepted; True if there was anything. Raises RedriveEnded.

        One call of the queue: what else is to be done comes between two of them.
        """
        names = self._to_delete[:PER_RECEPTION]
        if not names:
            return False
        receipts = [self._accepted[name] for name in names]
        gone = await self._patiently(partial(self._source.delete, receipts))
        self._to_delete = [name for name in self._to_delete if name not in names]
        for name, done in zip(names, gone, strict=True):
            if done:
                del self._accepted[name]
        return True

    async def release(self) -> None:
        """Make everything visible that stays. Tried once: it comes back by itself, only later."""
        try:
            for ten in _tens(self._accepted.values()):
                for receipt, done in zip(ten, await self._source.delete(ten), strict=True):
                    if done:
                        del self._accepted[receipt.message_id]
            stays = (*self._accepted.values(), *self._left.values(), *self._open.values())
            for ten in _tens(stays):
                await self._source.hide(ten, 0)
        except Retryable as error:
            log.warning(
                "messages_stay_hidden",
                reason=error.reason,
                detail=str(error),
                action=f"they become visible within {self._visibility:g} s",
            )

    async def _patiently(self, call: Callable[[], Awaitable[Result]]) -> Result:
        give_up_at = self._clock.now() + QUEUE_SECONDS
        failures = 0
        while True:
            try:
                return await call()
            except Retryable as error:
                failures += 1
                if self._clock.now() >= give_up_at:
                    raise RedriveEnded(
                        f"the queue could not be reached for {QUEUE_SECONDS:g} s: {error}"
                    ) from error
                log.warning("queue_fails", reason=error.reason, detail=str(error))
                pause = full_jitter(failures, PAUSE, PAUSE_MAX, self._chance.random())
                await self._clock.sleep(pause)


def _tens(receipts: Iterable[Receipt]) -> Iterator[Sequence[Receipt]]:
    """As many at a time as the queue takes; what is deleted meanwhile does not disturb."""
    every = list(receipts)
    for first in range(0, len(every), PER_RECEPTION):
        yield every[first : first + PER_RECEPTION]
