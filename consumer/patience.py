"""Patience: a call that fails is made again, until it answers or there is no hope left.

Rule: only calls that may be made again unchanged. What no other try changes is raised at once.
"""

from __future__ import annotations

from math import inf
from typing import TYPE_CHECKING, Final, TypeVar

from consumer.core.backoff import Backoff
from consumer.errors import Retryable

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from consumer.ports import Chance, Clock

T = TypeVar("T")

HOPELESS: Final = ("access_denied", "validation", "refused")
"""Reasons that no other try changes: a right is missing, or the request is wrong.

Credentials are none of them: they come from services and files that may not answer for a moment.
"""


class Patience:
    """How long a call is made again, and the pauses between: full jitter from `first` to `longest`.

    It ends with the call that fails after `seconds`, or is the last one of `tries` in a row.
    """

    def __init__(
        self,
        clock: Clock,
        chance: Chance,
        *,
        first: float,
        longest: float,
        tries: float = inf,
        seconds: float = inf,
    ) -> None:
        self._clock = clock
        self._chance = chance
        self._first = first
        self._longest = longest
        self._tries = tries
        self._seconds = seconds

    async def answer(
        self, call: Callable[[], Awaitable[T]], again: Callable[[Retryable], None] | None = None
    ) -> T:
        """Return the answer of a call. Raise the Retryable after which there is no hope.

        `again` is called with each other one, before the pause.
        """
        give_up_at = self._clock.now() + self._seconds
        backoff = Backoff(self._first, self._longest)
        while True:
            try:
                return await call()
            except Retryable as error:
                last = backoff.failures + 1 >= self._tries or self._clock.now() >= give_up_at
                if last or error.reason in HOPELESS:
                    raise
                if again is not None:
                    again(error)
            await self._clock.sleep(backoff.next(self._chance.random()))
