"""The list of `consumer redrive --dry-run --list`: one line for each letter, as it is received."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from consumer.core.reports.runs.letter_line import HEADER, HEADER_OF_ROUTES, aligned, letter_line

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import TextIO

    from consumer.core.dead_letters.redrive import Deliverable, Kept, QueuedMessage
    from consumer.core.reports.runs.redrive_report import RedriveReport


class RedriveList:
    """Writes the list to `out`. `wall` returns the epoch seconds from which ages are counted."""

    def __init__(
        self,
        out: TextIO,
        wall: Callable[[], float],
        *,
        as_json: bool,
        show_keys: bool,
        show_routes: bool = False,
    ) -> None:
        self._out = out
        self._wall = wall
        self._json = as_json
        self._show_keys = show_keys
        self._show_routes = show_routes
        if not as_json:
            out.write(aligned(HEADER_OF_ROUTES if show_routes else HEADER))

    def show(self, message: QueuedMessage, found: Deliverable | Kept) -> None:
        """Write the line of a message."""
        line = letter_line(message, found, self._wall(), show_keys=self._show_keys)
        text = line.text(with_route=self._show_routes)
        self._out.write(json.dumps(line.as_json()) + "\n" if self._json else text)

    def with_progress(
        self, progress: Callable[[RedriveReport], None]
    ) -> Callable[[RedriveReport], None]:
        """Return what is to be called with the progress: it flushes the lines, too.

        On a terminal the lines are the progress, and a bar would be in their way.
        """
        shown = not self._out.isatty()

        def flush(report: RedriveReport) -> None:
            self._out.flush()
            if shown:
                progress(report)

        return flush
