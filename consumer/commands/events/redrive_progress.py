"""The progress of a redrive: how many letters are settled, and how."""

from __future__ import annotations

from typing import TYPE_CHECKING, TextIO

from consumer.commands.run_progress import RunProgress
from consumer.core.dead_letters.redrive import RedriveOutcome

if TYPE_CHECKING:
    from consumer.core.reports.runs.redrive_report import RedriveReport
    from consumer.ports import Clock


class RedriveProgress:
    """Writes the progress to `out`. `at_most` is the largest number of messages to publish."""

    def __init__(self, out: TextIO, clock: Clock, at_most: int) -> None:
        self._progress = RunProgress(out, clock, "redrive")
        self._at_most = at_most

    def show(self, report: RedriveReport) -> None:
        """Write the progress, if it was not written a moment ago."""
        self._progress.show(*self._told(report))

    def close(self, report: RedriveReport) -> None:
        """End the bar's line with the final progress."""
        self._progress.close(*self._told(report))

    def _told(self, report: RedriveReport) -> tuple[int, int, str]:
        total = max(report.received, min(report.waiting, self._at_most))
        accepted = report.outcomes[RedriveOutcome.ACCEPTED]
        refused = report.outcomes[RedriveOutcome.REFUSED]
        return report.settled, total, f"accepted {accepted}, refused {refused}"
