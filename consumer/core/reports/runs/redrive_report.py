"""What a redrive has done so far: counts, some message ids, and the exit code."""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import TYPE_CHECKING

from consumer.core.dead_letters.redrive import RedriveOutcome

if TYPE_CHECKING:
    from consumer.core.dead_letters.dead_letter import DeadLetter

NAMED = 20
"""The most messages of a kind that are named; the others are only counted."""

WHY_LENGTH = 200
"""The most characters that are shown of the reason why a message stays."""

ROWS = 200
"""The most rows of the table. The content of letters is not trusted."""

OTHERS = ("others", "")


class RedriveReport:
    """Counts of one run.

    `resent` counts events that were sent again because an answer was lost: readers may see them
    twice. `undeleted` counts messages that were accepted but could not be deleted: the next run
    publishes them again. `unsettled` counts those that were received and neither accepted nor
    refused when the run ended early; `ended` is why it did. `hidden` counts messages that another
    receiver holds. `event_types` counts events by event type, not messages; `ended_parts` says why
    nothing more was sent to an event type.
    """

    def __init__(self) -> None:
        self.waiting = 0
        self.received = 0
        self.outcomes: Counter[RedriveOutcome] = Counter()
        self.refusals: Counter[str] = Counter()
        self.rows: Counter[tuple[str, str]] = Counter()
        self.publishable: Counter[tuple[str, str]] = Counter()
        self.names: dict[RedriveOutcome, list[str]] = {}
        self.event_types: defaultdict[str, Counter[RedriveOutcome]] = defaultdict(Counter)
        self.ended_parts: dict[str, str] = {}
        self.hidden = 0
        self.resent = 0
        self.undeleted = 0
        self.unsettled = 0
        self.ended: str | None = None

    @property
    def settled(self) -> int:
        """The number of messages whose outcome is known."""
        return self.outcomes.total()

    @property
    def exit_code(self) -> int:
        """0 if nothing was refused, what was accepted is deleted and no part ended early.

        Letters that could never be published are no failure of this run.
        """
        refused = self.outcomes[RedriveOutcome.REFUSED]
        ended = self.ended is not None or bool(self.ended_parts)
        return int(bool(refused or self.undeleted or ended))

    def list_letter(self, letter: DeadLetter | None, *, publishable: bool) -> None:
        """Count a letter in the table by reason and event type; None is any other message."""
        row = (letter.reason, letter.event_type) if letter is not None else ("not a letter", "")
        if row not in self.rows and len(self.rows) >= ROWS:
            row = OTHERS
        self.rows[row] += 1
        self.publishable[row] += publishable

    def count(self, outcome: RedriveOutcome, message_id: str, why: str) -> None:
        """Count a message that stays in the queue, and keep its id and the reason."""
        self.outcomes[outcome] += 1
        names = self.names.setdefault(outcome, [])
        if len(names) < NAMED:
            names.append(f"{message_id}: {why[:WHY_LENGTH]}")
