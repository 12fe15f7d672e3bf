"""The messages that a redrive has received, which are hidden from others meanwhile.

Ownership: in a redrive, only this module calls the queue. A message is open while its event may be
sent, left once it is known to stay, and accepted from Nakadi's answer until the queue has deleted
it. Open messages are hidden again before they become visible. Others may be received again; they
are recognised and not examined a second time. At the end, all messages that stay are made visible.
Those of a run that was killed become visible when their time is over.
"""

from __future__ import annotations

from functools import partial
from math import inf
from typing import TYPE_CHECKING, TypeVar

import structlog

from consumer.core.dead_letters.queue_end import PER_RECEPTION, QueueEnd
from consumer.errors import Retryable
from consumer.patience import HOPELESS, Patience

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence

    from consumer.core.dead_letters.redrive import QueueDepth, QueuedMessage, Receipt
    from consumer.ports import Chance, Clock, DeadLetterSource

log = structlog.get_logger()

QUEUE_SECONDS = 30.0
"""A call of a queue that cannot be reached is tried again for this long."""

PAUSE = 0.2
PAUSE_MAX = 5.0

SLACK_SECONDS = 5.0
"""Time that may pass between two checks of the visibility, in addition to one request."""

HIDDEN_FOR = 4
HIDDEN_AGAIN_AT = 2
"""Messages are hidden for the time of `HIDDEN_FOR` requests, each with `SLACK_SECONDS`.

They are hidden again when the time of `HIDDEN_AGAIN_AT` requests is left.
"""

Result = TypeVar("Result")


class RedriveEnded(Exception):
    """The run ends before the queue is empty; the text says why."""


class ReceivedMessages:
    """All messages that this run has received. `request` is the longest request, in seconds."""

    def __init__(
        self, source: DeadLetterSource, clock: Clock, chance: Chance, *, request: float
    ) -> None:
        self._source = source
        self._clock = clock
        self._patience = Patience(
            clock, chance, first=PAUSE, longest=PAUSE_MAX, seconds=QUEUE_SECONDS
        )
        self._request = request
        self._visibility = HIDDEN_FOR * (request + SLACK_SECONDS)
        self._hide_again_at = HIDDEN_AGAIN_AT * (request + SLACK_SECONDS)
        self._open: dict[str, Receipt] = {}
        self._hidden_until: dict[str, float] = {}  # of the open ones
        self._left: dict[str, Receipt] = {}
        self._accepted: dict[str, Receipt] = {}
        self._to_delete: list[str] = []  # accepted ones for which a deletion is still to be tried
        self._end = QueueEnd()

    @property
    def open(self) -> int:
        """The number of messages that are neither accepted nor known to stay."""
        return len(self._open)

    @property
    def left(self) -> int:
        """The number of messages that are known to stay in the queue."""
        return len(self._left)

    @property
    def held(self) -> int:
        """The number of messages that this run has received and not deleted."""
        return len(self._open) + len(self._left) + len(self._accepted)

    @property
    def undeleted(self) -> int:
        """The number of messages that were accepted and are not deleted yet."""
        return len(self._accepted)

    @property
    def deletions_due(self) -> bool:
        """Whether the deletion of accepted messages is still to be tried."""
        return bool(self._to_delete)

    @property
    def hiding_due(self) -> bool:
        """Whether an open message has to be hidden again now."""
        first = min(self._hidden_until.values(), default=inf)
        return first <= self._clock.now() + self._hide_again_at

    async def depth(self) -> QueueDepth:
        """Return about how many messages the queue holds. Raises RedriveEnded, Misconfigured."""
        return await self._patiently(self._source.depth)

    async def receive(self, count: int) -> list[QueuedMessage] | None:
        """Receive at most `count` (≤ 10) messages and return the new ones.

        Return None if the queue counts as empty. Raises RedriveEnded, Misconfigured.
        """
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
        """Hide open messages again, if some are due. Return whether some were. Raises RedriveEnded.

        It makes one call of the queue, for those that become visible first, so that other work
        comes between two calls.
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
        """Return whether this message is neither accepted nor known to stay."""
        return name in self._open

    def hidden_for_a_request(self, now: float) -> bool:
        """Return whether all open messages are hidden until a request sent at `now` has ended."""
        return min(self._hidden_until.values(), default=inf) - now > self._request

    def leave(self, name: str) -> None:
        """Take note that this message stays in the queue."""
        self._left[name] = self._close(name)

    def accept(self, names: Iterable[str]) -> None:
        """Have these messages deleted: Nakadi has stored their events."""
        self._accepted.update((name, self._close(name)) for name in names)
        self._to_delete = list(self._accepted)  # with those that could not be deleted before

    def _close(self, name: str) -> Receipt:
        del self._hidden_until[name]
        return self._open.pop(name)

    async def delete(self) -> bool:
        """Delete accepted messages. Return whether there were any. Raises RedriveEnded.

        It makes one call of the queue, so that other work comes between two calls.
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
        """Make all messages visible that stay. Tried once: they become visible anyway, later."""
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
                action=f"nothing; they become visible within {self._visibility:g} s",
            )

    async def _patiently(self, call: Callable[[], Awaitable[Result]]) -> Result:
        try:
            return await self._patience.answer(call, _tell_failure)
        except Retryable as error:
            hopeless = error.reason in HOPELESS
            why = "cannot be used" if hopeless else f"could not be reached for {QUEUE_SECONDS:g} s"
            raise RedriveEnded(f"the queue {why}: {error}") from error


def _tell_failure(error: Retryable) -> None:
    log.warning(
        "queue_fails",
        reason=error.reason,
        detail=str(error),
        action=f"nothing; it is called again for {QUEUE_SECONDS:g} s, then the run ends",
    )


def _tens(receipts: Iterable[Receipt]) -> Iterator[Sequence[Receipt]]:
    """Yield the receipts in groups of ten, from a copy: the caller may delete some meanwhile."""
    every = list(receipts)
    for first in range(0, len(every), PER_RECEPTION):
        yield every[first : first + PER_RECEPTION]
