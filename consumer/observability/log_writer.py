"""Writes the log of the service from a thread of its own.

A pipe whose reader has stopped takes no more: a write to it waits, for ever. In the event loop that
would stop heartbeats, probes and publishing, so a log that nobody reads would take the relay down.
Here the thread waits instead. Lines wait for it up to a limit, and more are dropped and counted.
"""

from __future__ import annotations

import os
import select
import threading
from collections import deque
from typing import TYPE_CHECKING, Final

import structlog

if TYPE_CHECKING:
    from collections.abc import Callable

log = structlog.get_logger()

MAX_WAITING: Final = 4 * 1024 * 1024
"""Most characters that wait to be written. A line has some 300."""

CHUNK: Final = 65_536
"""Characters after which one write ends: a pipe holds this many."""

CLOSE_SECONDS: Final = 2.0
"""Longest time to write what waits when the service has ended."""


class LogWriter:
    """A stream for one logging handler, which calls `write` with whole lines.

    `count` is called with the number of lines that were dropped. A closed pipe or a full disk drops
    lines too, and the next ones are tried again.
    """

    def __init__(self, descriptor: int, count: Callable[[int], object]) -> None:
        self._descriptor = descriptor
        self._count = count
        self._waiting: deque[str] = deque()
        self._characters = 0
        self._dropped = 0  # since this was last said in the log
        self._closing = False
        self._changed = threading.Condition()
        self._thread = threading.Thread(target=self._run, name="log", daemon=True)
        self._thread.start()

    def isatty(self) -> bool:
        """Return whether people look at it."""
        return os.isatty(self._descriptor)

    def flush(self) -> None:
        """Do nothing: the thread writes as soon as it can."""

    def write(self, line: str) -> int:
        """Leave a line to the thread, or drop it if too many wait. This never waits."""
        own = threading.current_thread() is self._thread  # it says how many lines are missing
        with self._changed:
            fits = own or (self._characters + len(line) <= MAX_WAITING and not self._closing)
            if fits:
                self._waiting.append(line)
                self._characters += len(line)
                self._changed.notify()
        if not fits:
            self._drop(1)
        return len(line)

    def close(self) -> None:
        """Write what waits, unless that takes too long."""
        with self._changed:
            self._closing = True
            self._changed.notify()
        self._thread.join(CLOSE_SECONDS)

    def _run(self) -> None:
        while lines := self._take():
            if not self._written("".join(lines).encode(errors="backslashreplace")):
                self._drop(len(lines))
                continue
            with self._changed:
                dropped, self._dropped = self._dropped, 0
            if dropped:
                log.warning(
                    "log_lines_dropped",
                    count=dropped,
                    action="look at who reads the log, or at the disk; publishing goes on",
                )

    def _take(self) -> list[str]:
        """Wait for lines, and return those for one write; none when the writer was closed."""
        with self._changed:
            self._changed.wait_for(lambda: self._waiting or self._closing)
            lines: list[str] = []
            room = CHUNK
            while self._waiting and room > 0:
                lines.append(self._waiting.popleft())
                room -= len(lines[-1])
            self._characters -= CHUNK - room
            return lines

    def _written(self, data: bytes) -> bool:
        """Write all of it, however long that takes; return False if that is not possible."""
        rest = memoryview(data)
        while rest:
            try:
                rest = rest[os.write(self._descriptor, rest) :]
            except BlockingIOError:  # somebody has made it non-blocking
                select.select([], [self._descriptor], [])
            except OSError:
                return False
        return True

    def _drop(self, lines: int) -> None:
        with self._changed:
            self._dropped += lines
        self._count(lines)
