"""The messages that a redrive has received: hidden from others until it is done with them.

Ownership: it alone calls the queue. A message is `open` while its event may be sent, `left` once it
is known to stay, `accepted` from Nakadi's answer until the queue has deleted it. Visibility of open
ones is extended; the others may come back, are recognised and not looked at again. At the end
everything that stays is made visible. A killed run's messages come back by themselves.
"""

from __future__ import annotations

from functools import partial
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
        self._reserve = request + SLACK_SECONDS
        self._visibility = 2 * self._reserve
        self._open: dict[str, Receipt] = {}
        self._left: dict[str, Receipt] = {}
        self._accepted: dict[str, Receipt] = {}
        self._hidden_until = 0.0  # the first of the open ones to come back
        self._deletions_due = False
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
        """Have messages been accepted since the queue was last asked to delete some?"""
        return self._deletions_due

    async def depth(self) -> QueueDepth:
        """About how many messages the queue holds. Raises RedriveEnded, Misconfigured."""
        return await self._patiently(self._source.depth)

    async def receive(self, count: int) -> list[QueuedMessage] | None:
        """At most `count` (≤ 10) not seen before; None when the queue counts as empty."""
        await self.keep()
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
        if new and not self._open:
            self._hidden_until = asked_at + self._visibility
        self._open.update((message.receipt.message_id, message.receipt) for message in new)
        ended = self._end.received(len(found), len(new), len(self._left) + len(self._accepted))
        return None if ended else new

    async def keep(self) -> None:
        """Hide what is open for longer, if it would come back before a request could end."""
        now = self._clock.now()
        if not self._open or self._hidden_until - now > self._reserve:
            return
        for ten in _tens(self._open.values()):
            await self._patiently(partial(self._source.hide, ten, self._visibility))
        self._hidden_until = now + self._visibility

    def is_open(self, name: str) -> bool:
        """Is this one neither accepted nor known to stay?"""
        return name in self._open

    def hidden_for_a_request(self, now: float) -> bool:
        """Will what is open stay hidden until a request that is sent at `now` must have ended?"""
        return not self._open or self._hidden_until - now > self._request

    def leave(self, name: str) -> None:
        """This one stays."""
        self._left[name] = self._open.pop(name)

    def accept(self, names: Iterable[str]) -> None:
        """Nakadi has stored the events of these: they are to be deleted."""
        self._accepted.update((name, self._open.pop(name)) for name in names)
        self._deletions_due = True

    async def delete_accepted(self) -> None:
        """Delete what was accepted, and what could not be deleted before. Raises RedriveEnded."""
        if not self._deletions_due:
            return
        self._deletions_due = False
        for ten in _tens(self._accepted.values()):
            gone = await self._patiently(partial(self._source.delete, ten))
            for receipt, done in zip(ten, gone, strict=True):
                if done:
                    del self._accepted[receipt.message_id]

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
