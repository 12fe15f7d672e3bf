"""The progress of a run over keys or items: a bar on a terminal, else a line every few seconds."""

from __future__ import annotations

from typing import TYPE_CHECKING, TextIO

from consumer.observability.standard_streams import control

if TYPE_CHECKING:
    from consumer.ports import Clock

BAR_SECONDS = 0.1
LINE_SECONDS = 5.0
WIDTH = 30


class RunProgress:
    """Writes the progress of the command `name` to `out`, once in a few seconds at most."""

    def __init__(self, out: TextIO, clock: Clock, name: str) -> None:
        self._out = out
        self._clock = clock
        self._name = name
        self._is_terminal = out.isatty()
        self._shown_at = clock.now()
        self._open = False

    def show(self, done: int, total: int | None, told: str) -> None:
        """Write the progress, if it was not written a moment ago.

        `total` is about how many there are, None if that is not known.
        """
        now = self._clock.now()
        if now - self._shown_at < (BAR_SECONDS if self._is_terminal else LINE_SECONDS):
            return
        self._shown_at = now
        self._write(done, total, told)

    def close(self, done: int, total: int | None, told: str) -> None:
        """End the bar's line with the final progress."""
        if self._open:
            self._write(done, total, told)
            self._out.write("\n")
            self._open = False

    def _write(self, done: int, total: int | None, told: str) -> None:
        text = f"{done}{'' if total is None else f' of about {max(done, total)}'}: {told}"
        if self._is_terminal:
            full = 0 if not total else WIDTH * min(done, total) // total
            control(self._out, "\r")
            self._out.write(f"[{'#' * full}{'.' * (WIDTH - full)}] {text}")
            self._open = True
        else:
            self._out.write(f"{self._name}: {text}\n")
        self._out.flush()
