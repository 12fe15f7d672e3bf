"""The goal of a shard's consumer: to read, to hand the shard over, or to end as the shard is lost.

    READ ⇄ SHED         hand over if it can be drained soon, else read on
      └──┴─▶ DRAIN      hand over, at the deadline at the latest
    any  ───▶ REVOKED   the fence has passed; final

Rule: any code may set the goal; only the shard's consumer waits for a change of it.
"""

from __future__ import annotations

import asyncio
from enum import StrEnum

from consumer.runtime.signal import Signal


class Goal(StrEnum):
    """What a shard's consumer is to do; see the picture at the top of this module."""

    READ = "read"
    SHED = "shed"
    DRAIN = "drain"
    REVOKED = "revoked"


class ShardGoal:
    """`current` is the present goal, `deadline` (clock) that of a drain.

    `command_pending` is true while a command of an operator is to be applied. `changed` is notified
    when one of these has changed, and when a ticket of the shard has changed.
    """

    def __init__(self) -> None:
        self.current = Goal.READ
        self.deadline = 0.0
        self.command_pending = False
        self.changed = Signal()
        self._interrupted = asyncio.Event()

    @property
    def leaving(self) -> bool:
        """Whether the shard is to be drained or was revoked, which is final."""
        return self.current in (Goal.DRAIN, Goal.REVOKED)

    @property
    def interrupted(self) -> bool:
        """Whether something else than reading is wanted."""
        return self.current is not Goal.READ or self.command_pending

    def shed(self) -> None:
        """Hand over if the shard can be drained soon."""
        if self.current is Goal.READ:
            self._set(Goal.SHED)

    def read(self) -> None:
        """Read on: shedding is no longer needed."""
        if self.current is Goal.SHED:
            self._set(Goal.READ)

    def drain(self, deadline: float) -> None:
        """Hand over, at the deadline at the latest. A second call changes nothing."""
        if not self.leaving:
            self.deadline = deadline
            self._set(Goal.DRAIN)

    def revoke(self) -> None:
        """End: this worker may not use the shard any more."""
        self._set(Goal.REVOKED)

    def notify_command(self) -> None:
        """Interrupt the reading: a command of an operator is to be applied."""
        self.command_pending = True
        self._set(self.current)

    def take_command(self) -> None:
        """Note that the commands known now are being applied."""
        self.command_pending = False

    async def until_interrupted(self) -> None:
        """Wait until something else than reading is wanted."""
        while not self.interrupted:
            await self._interrupted.wait()
            self._interrupted.clear()

    def _set(self, goal: Goal) -> None:
        self.current = goal
        self._interrupted.set()
        self.changed.notify()
