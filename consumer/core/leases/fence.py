"""A worker's fence: it may send only while no peer can have judged it dead.

A peer judges a worker dead after the `lease_duration` that its row states, without a new heartbeat.
So a worker may send only until the sending of its last successful heartbeat, plus `lease_duration`,
less a margin. A deadline that has passed is final: what was held under it is lost, even if a
heartbeat succeeds a moment later. The epoch shows it: a ticket keeps the epoch in which it was
opened, and epoch and deadline are tested with no await between the test and the send.
"""

from __future__ import annotations

from math import inf
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from consumer.core.limits import LeaseTiming


class Fence:
    """`epoch` rises when the worker goes on after a deadline; `deadline` (clock) ends the epoch."""

    def __init__(self, timing: LeaseTiming) -> None:
        self._reach = timing.lease_duration - timing.margin
        self.epoch = 0
        self.deadline = -inf

    def holds(self, now: float, epoch: int) -> bool:
        """Return whether something taken in `epoch` may be sent at `now`."""
        return epoch == self.epoch and now < self.deadline

    def end_epoch(self) -> None:
        """End the epoch now: the rows that keep peers away from what is held are gone."""
        self.deadline = -inf

    def beat(self, sent_at: float, answered_at: float) -> None:
        """Take in the answer to a heartbeat that was sent at `sent_at`.

        `answered_at` is the time of this call. After the deadline a new epoch begins, and nothing
        of the old one may be sent again. An answer that comes too late changes nothing.
        """
        until = sent_at + self._reach
        if answered_at < self.deadline:
            self.deadline = max(self.deadline, until)
        elif answered_at < until:
            self.epoch += 1
            self.deadline = until
