"""QueueEnd: when a queue that is being received from counts as empty.

A reception may come back without a message although one is there, so it takes two in a row. What a
run leaves in the queue comes back when its visibility is over: such a message is no news, but it
does not end the run before the queue had time to show all of them, and with them what is new.
"""

from __future__ import annotations

EMPTY_RECEPTIONS = 2
PER_RECEPTION = 10
"""Most messages of one reception (SQS)."""


class QueueEnd:
    """Counts receptions without news."""

    def __init__(self) -> None:
        self._empty = 0
        self._stale = 0

    def received(self, messages: int, new: int, left: int) -> bool:
        """A reception brought so many, of them so many new; `left` stay. True: that is all."""
        if new:
            self._empty = self._stale = 0
        elif messages:
            self._empty = 0
            self._stale += 1
        else:
            self._empty += 1
        shown_all = 2 * (left // PER_RECEPTION + 1)
        return self._empty >= EMPTY_RECEPTIONS or self._stale >= shown_all
