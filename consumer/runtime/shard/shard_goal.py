"""What is wanted of a shard's consumer: to read, to hand over, to lose.

    READ ⇄ SHED      hand over if it can be drained soon, else read on
      └──┴─▶ DRAIN   hand over, at the deadline at the latest
    any  ───▶ LOSE   the fence has passed; final

Rule: anybody may call; only the shard's consumer waits.
"""

from __future__ import annotations

import asyncio
from enum import StrEnum

from consumer.runtime.signal import Signal


class Want(StrEnum):
    """See the picture above."""

    READ = "read"
    SHED = "shed"
    DRAIN = "drain"
    LOSE = "lose"


class Intent:
    """`want` is the present wish, `deadline` (clock) that of a drain.

    `changed` is notified when the wish has changed or a ticket of the shard has moved.
    """

    def __init__(self) -> None:
        self.want = Want.READ
        self.deadline = 0.0
        self.summoned = False  # an operator's command is due
        self.changed = Signal()
        self._interrupted = asyncio.Event()

    @property
    def leaving(self) -> bool:
        """Draining or losing: nothing may wait for the shard's end any more."""
        return self.want in (Want.DRAIN, Want.LOSE)

    def shed(self) -> None:
        """Hand over if it can be drained soon."""
        if self.want is Want.READ:
            self._call(Want.SHED)

    def read(self) -> None:
        """Shedding is no longer needed."""
        if self.want is Want.SHED:
            self._call(Want.READ)

    def drain(self, deadline: float) -> None:
        """Hand over, at the deadline at the latest. A second call changes nothing."""
        if not self.leaving:
            self.deadline = deadline
            self._call(Want.DRAIN)

    def lose(self) -> None:
        """The shard is not ours any more."""
        self._call(Want.LOSE)

    def summon(self) -> None:
        """A command is to be obeyed, which is between two stretches of reading."""
        self.summoned = True
        self._call(self.want)

    def answer(self) -> None:
        """The commands known by now are being looked at."""
        self.summoned = False

    async def until_called_away(self) -> None:
        """Wait until something else than reading is wanted."""
        while self.want is Want.READ and not self.summoned:
            await self._interrupted.wait()
            self._interrupted.clear()

    def _call(self, want: Want) -> None:
        self.want = want
        self._interrupted.set()
        self.changed.notify()
