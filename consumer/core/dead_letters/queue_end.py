"""QueueEnd: the decision whether a queue counts as empty while messages are received from it.

A reception may be empty although the queue holds a message, so two empty ones in a row are needed.
A message that a run leaves in the queue is received again when its time of being hidden is over.
Such a message is not new; but the run only ends after as many receptions with such messages alone
as the queue needs to return all of them twice, and with them those that are new.
"""

from __future__ import annotations

EMPTY_RECEPTIONS = 2
PER_RECEPTION = 10
"""Most messages of one reception (SQS)."""


class QueueEnd:
    """Counts receptions without a new message."""

    def __init__(self) -> None:
        self._empty = 0
        self._stale = 0

    def received(self, messages: int, new: int, left: int) -> bool:
        """Count a reception and return whether the queue counts as empty now.

        It returned `messages` messages, of which `new` are new; the run has left `left` messages in
        the queue so far.
        """
        if new:
            self._empty = self._stale = 0
        elif messages:
            self._empty = 0
            self._stale += 1
        else:
            self._empty += 1
        shown_all = 2 * (left // PER_RECEPTION + 1)
        return self._empty >= EMPTY_RECEPTIONS or self._stale >= shown_all
