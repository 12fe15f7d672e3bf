"""A worker's fence around itself: it may send only while no peer can have judged it dead.

A peer judges a worker dead after `lease_duration` without a new heartbeat. So a worker may send
only until the sending of its last successful heartbeat + `lease_duration` less a margin. A deadline
once passed is final: what was held under it is lost, even if a heartbeat succeeds a moment later.
The epoch tells the two apart; a ticket keeps the epoch it was opened in, and both are tested with
no await between the test and the send.
"""

from __future__ import annotations

from math import inf
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from consumer.core.limits import LeaseTiming


class Fence:
    """`epoch` counts the unbroken stretches of liveness; `deadline` ends the present one."""

    def __init__(self, timing: LeaseTiming) -> None:
        self._reach = timing.lease_duration - timing.margin
        self.epoch = 0
        self.deadline = -inf

    def holds(self, now: float, epoch: int) -> bool:
        """May something taken in `epoch` be sent at `now`?"""
        return epoch == self.epoch and now < self.deadline

    def beat(self, sent_at: float, answered_at: float) -> None:
        """A heartbeat sent at `sent_at` was answered; `answered_at` is the time of this call.

        After the deadline a new epoch begins: nothing of the old one comes back.
        """
        until = sent_at + self._reach
        if answered_at < self.deadline:
            self.deadline = max(self.deadline, until)
        elif answered_at < until:
            self.epoch += 1
            self.deadline = until
