"""The time in which an invocation may send, so that nothing is in flight when it must return.

Rules
- A request starts only while its own time limit and `SPARE_SECONDS` are left.
- After `patience` seconds in which nothing was settled, none starts: an invocation that waits is
  paid for. What is in flight then ends as it would.
- What is still in flight `GIVE_UP_SECONDS` before the end is given up.
"""

from __future__ import annotations

from enum import Enum, auto
from math import ceil, inf
from typing import Final

SPARE_SECONDS: Final = 5.0
GIVE_UP_SECONDS: Final = 2.0

LEAST_SECONDS: Final = 10.0
"""How much longer than a publishing request the time limit of the function has to be."""


class Patience:
    """How long nothing may be settled. Times are in seconds of the injected clock."""

    def __init__(self, seconds: float, now: float) -> None:
        self._seconds = seconds
        self.ends_at = now + seconds

    def settled(self, now: float) -> None:
        """Take note that something was settled."""
        self.ends_at = now + self._seconds


class SendingTime:
    """Until when requests of at most `request` seconds may start; `ends_at` is when all is over.

    It is asked as a worker's fence is, and has one epoch only.
    """

    epoch = 0

    def __init__(self, ends_at: float, request: float, patience: Patience) -> None:
        self.ends_at = ends_at
        self._last_start = ends_at - request - SPARE_SECONDS
        self._patience = patience

    @property
    def until(self) -> float:
        """The last time at which a request may start, as far as is known now."""
        return min(self._last_start, self._patience.ends_at)

    def holds(self, now: float, epoch: int) -> bool:
        """Return whether a request may start at `now`."""
        return epoch == self.epoch and now <= self.until


class Next(Enum):
    """What an invocation does next."""

    SEND = auto()
    AWAIT = auto()  # start nothing more; wait for what is in flight
    ANSWER = auto()


def next_step(
    now: float, *, left: bool, busy: bool, letters: int, events: SendingTime, letter: SendingTime
) -> Next:
    """Decide what to do: `left` says that something is unsettled, `busy` that it is in flight.

    `letters` is how many dead letters wait to be sent; a request for one has a time limit of its
    own.
    """
    if not left:
        return Next.ANSWER
    if events.holds(now, events.epoch) or (letters and letter.holds(now, letter.epoch)):
        return Next.SEND
    return Next.AWAIT if busy and now < events.ends_at - GIVE_UP_SECONDS else Next.ANSWER


def missing_seconds(remaining: float, request: float) -> float:
    """Return how much longer the function's time limit has to be, 0 if it is long enough.

    `remaining` is what is left of it when the invocation begins, `request` the time limit of a
    publishing request. Both are in seconds; a part of a second may have passed.
    """
    return max(0.0, request + LEAST_SECONDS - (ceil(remaining) if remaining < inf else remaining))
