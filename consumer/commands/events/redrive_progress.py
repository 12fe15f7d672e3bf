"""The progress of a redrive: a bar on a terminal, otherwise a line every few seconds."""

from __future__ import annotations

from typing import TYPE_CHECKING, TextIO

from consumer.core.dead_letters.redrive import RedriveOutcome
from consumer.observability.standard_streams import control

if TYPE_CHECKING:
    from consumer.core.reports.redrive_report import RedriveReport
    from consumer.ports import Clock

BAR_SECONDS = 0.1
LINE_SECONDS = 5.0
WIDTH = 30


class RedriveProgress:
    """Writes the progress to `out`, at most every `BAR_SECONDS` or `LINE_SECONDS`.

    `at_most` is the largest number of messages to publish.
    """

    def __init__(self, out: TextIO, clock: Clock, at_most: int) -> None:
        self._out = out
        self._clock = clock
        self._at_most = at_most
        self._is_terminal = out.isatty()
        self._shown_at = clock.now()
        self._open = False

    def show(self, report: RedriveReport) -> None:
        """Write the progress, if it was not written a moment ago."""
        now = self._clock.now()
        if now - self._shown_at < (BAR_SECONDS if self._is_terminal else LINE_SECONDS):
            return
        self._shown_at = now
        self._write(report)

    def close(self, report: RedriveReport) -> None:
        """End the bar's line with the final progress."""
        if self._open:
            self._write(report)
            self._out.write("\n")
            self._open = False

    def _write(self, report: RedriveReport) -> None:
        total = max(report.received, min(report.waiting, self._at_most))
        text = (
            f"{report.settled} of about {total}:"
            f" accepted {report.outcomes[RedriveOutcome.ACCEPTED]},"
            f" refused {report.outcomes[RedriveOutcome.REFUSED]}"
        )
        if self._is_terminal:
            full = WIDTH * report.settled // max(1, total)
            control(self._out, "\r")
            self._out.write(f"[{'#' * full}{'.' * (WIDTH - full)}] {text}")
            self._open = True
        else:
            self._out.write(f"redrive: {text}\n")
        self._out.flush()
