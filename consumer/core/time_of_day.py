"""The time of day by another clock, learned from the dates of its answers.

Each answer says when it was made, to the second. That was between the sending of the request and
the arrival of the answer, on average in the middle of both; the median of several is taken, so that
a single odd date changes nothing. What is learned is the difference to a clock that is never set:
so the time of day goes on steadily, whatever is done to the wall clock of this machine.
"""

from __future__ import annotations

from collections import deque
from math import inf

SAMPLES = 5
"""The time of day is the median of what this many answers said."""

ENOUGH = 3
"""Before this many answers it is that of this machine's wall clock when the process began."""

SAMPLE_SECONDS = 0.7
"""Answers are taken at least this far apart, at different fractions of a second, once there are
ENOUGH."""

LONGEST_SECONDS = 2.0
"""The answer to a request that took longer says too little."""

WRONG_SECONDS = 5.0
"""A wall clock that is wrong by more is to be set. AWS refuses requests from about 300 seconds on.
Dates have whole seconds, so a good one may seem to be wrong by nearly one."""

HALF_A_SECOND = 0.5
"""A date is rounded down to the second, so by this much on average."""


class TimeOfDay:
    """`began` is the time of day in epoch seconds, by this machine, when its clock shows `now`.

    `known` is true once the time of day was learned.
    """

    __slots__ = ("_offset", "_samples", "_taken_at", "known")

    def __init__(self, began: float, now: float) -> None:
        self._offset = began - now
        self._samples: deque[float] = deque(maxlen=SAMPLES)
        self._taken_at = -inf
        self.known = False

    def at(self, now: float) -> float:
        """Return the time of day in epoch seconds when the clock shows `now`."""
        return now + self._offset

    def learn(self, date: float, sent_at: float, received_at: float) -> None:
        """Take in the date of an answer (epoch seconds), and the times (clock) of both ends."""
        if received_at - sent_at > LONGEST_SECONDS:
            return
        if self.known and received_at < self._taken_at + SAMPLE_SECONDS:
            return
        self._taken_at = received_at
        self._samples.append(date + HALF_A_SECOND - (sent_at + received_at) / 2)
        if len(self._samples) >= ENOUGH:
            self._offset = sorted(self._samples)[len(self._samples) // 2]
            self.known = True
