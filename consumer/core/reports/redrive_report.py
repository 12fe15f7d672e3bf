"""What a redrive has done so far: counts, the few names that are kept, and the exit code."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from consumer.core.dead_letters.redrive import Fate

if TYPE_CHECKING:
    from consumer.core.dead_letters.dead_letter import DeadLetter

NAMED = 20
"""Most messages that are named; the others of their kind are counted."""

WHY_LENGTH = 200
"""Most characters that are told of why one stays."""

ROWS = 200
"""Most rows of the table. What letters say is not ours to trust."""

OTHERS = ("others", "")


class RedriveReport:
    """Counts of one run.

    `resent` counts events sent again because an answer was lost: readers may see those twice.
    `undeleted` were accepted but could not be deleted: the next run publishes them again.
    `unsettled` were received and neither accepted nor refused when the run ended early, `ended` why
    it did. `hidden` are messages that somebody else has received.
    """

    def __init__(self) -> None:
        self.waiting = 0
        self.received = 0
        self.fates: Counter[Fate] = Counter()
        self.refusals: Counter[str] = Counter()
        self.rows: Counter[tuple[str, str]] = Counter()
        self.publishable: Counter[tuple[str, str]] = Counter()
        self.names: dict[Fate, list[str]] = {}
        self.hidden = 0
        self.resent = 0
        self.undeleted = 0
        self.unsettled = 0
        self.ended: str | None = None

    @property
    def settled(self) -> int:
        """How many messages have met their fate."""
        return self.fates.total()

    @property
    def exit_code(self) -> int:
        """0 when nothing was refused; what could never be published before is no news."""
        return int(bool(self.fates[Fate.REFUSED] or self.undeleted or self.ended is not None))

    def list_letter(self, letter: DeadLetter | None, *, publishable: bool) -> None:
        """Count a letter in the table by reason and event type; None is a message of others."""
        row = (letter.reason, letter.event_type) if letter is not None else ("not a letter", "")
        if row not in self.rows and len(self.rows) >= ROWS:
            row = OTHERS
        self.rows[row] += 1
        self.publishable[row] += publishable

    def count(self, fate: Fate, message_id: str, why: str) -> None:
        """Count a message that stays in the queue, and remember its name."""
        self.fates[fate] += 1
        names = self.names.setdefault(fate, [])
        if len(names) < NAMED:
            names.append(f"{message_id}: {why[:WHY_LENGTH]}")
