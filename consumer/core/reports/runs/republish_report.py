"""What a run has published again so far: counts, and the exit code."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from consumer.core.republish.outcome import Outcome

BUSY = "busy"
"""The reason of a key whose item was another one each time when it was read."""


class RepublishReport:
    """Counts of one run.

    `read` counts keys that were read, and `gone` those of them that were absent. `untaken` counts
    those of which no route takes an event. `stored` counts events; `refusals` counts by reason what
    was not stored. `ended` says why the run ended early.
    """

    def __init__(self) -> None:
        self.read = 0
        self.gone = 0
        self.gone_untaken = 0
        self.untaken = 0
        self.stored = 0
        self.refusals: Counter[str] = Counter()
        self.ended: str | None = None

    @property
    def exit_code(self) -> int:
        """0 if nothing was refused and the run did not end early, else 1."""
        return int(self.ended is not None or bool(self.refusals))

    def count(self, outcome: Outcome) -> None:
        """Count what became of an item."""
        self.read += 1
        self.gone += outcome.gone
        self.stored += outcome.stored
        self.refusals.update(refusal.reason for refusal in outcome.refusals)
        if not outcome.taken:
            self.untaken += 1
            self.gone_untaken += outcome.gone

    def count_busy(self) -> None:
        """Count a key that was busy."""
        self.read += 1
        self.refusals[BUSY] += 1

    def lines(self) -> Iterator[str]:
        """Yield the lines of the summary."""
        yield f"{self.read} keys read, {self.gone} of them absent; {self.stored} events stored"
        if self.untaken > self.gone_untaken:
            yield f"taken by no route: {self.untaken - self.gone_untaken} items"
        if self.gone_untaken:
            yield (
                f"absent, and sent to nobody: {self.gone_untaken} (by its key alone a deletion goes"
                " only to routes named with --route)"
            )
        for reason, count in sorted(self.refusals.items()):
            yield f"refused, {reason}: {count}"
        if self.ended is not None:
            yield f"ended early: {self.ended}"
