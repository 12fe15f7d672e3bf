"""The standard streams of a process: they exist, and show nothing that they should not.

Messages quote what peers have said, rows hold what others have written, and errors name URLs.
Everything that a command prints goes through `Terminal`, so no command has to think of it.
"""

from __future__ import annotations

import io
import os
import select
import sys
from typing import TYPE_CHECKING, Final, TextIO, cast

from consumer.core.printable import printable
from consumer.core.secret import without_passwords

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer

STDERR_SECONDS: Final = 2.0
"""Longest wait for the reader of stderr. A process that has an error to tell has to end."""


class Terminal(io.TextIOWrapper):
    """A stream that shows control characters as text, and URLs without passwords."""

    def write(self, text: str, /) -> int:
        """Write a text, of which only the line breaks have an effect."""
        super().write(printable(without_passwords(text), keep="\n"))
        return len(text)

    def control(self, sequence: str) -> None:
        """Write a control sequence of our own."""
        super().write(sequence)


class _LastWords(io.FileIO):
    """The descriptor of stderr: what nobody takes in time is dropped, and so is all that follows.

    A pipe whose reader has stopped would keep a worker that ends with an error from ending. A
    person who has stopped a terminal is waited for.
    """

    _patience: float | None = STDERR_SECONDS

    def write(self, data: ReadableBuffer, /) -> int:
        """Write a part that fits into a pipe which is not full, or drop all of it."""
        patience = None if self.isatty() else self._patience
        part = memoryview(data).cast("B")
        try:
            if select.select([], [self], [], patience)[1]:
                return super().write(part[: select.PIPE_BUF])
        except OSError:  # a full disk, a closed pipe
            pass
        self._patience = 0.0
        return len(part)


def control(out: TextIO, sequence: str) -> None:
    """Write a control sequence of our own, such as one that clears the screen."""
    if isinstance(out, Terminal):
        out.control(sequence)
    else:
        out.write(sequence)


def prepare() -> None:
    """Open the standard streams that are missing, and make a Terminal of stdout and stderr.

    Stderr does not wait for its reader for long; stdout does, except that of `consumer run`.

    A process may be started without them. The first socket would then get the number of stdout, and
    its other end would read the log.
    """
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            os.set_inheritable(os.open(os.devnull, os.O_RDWR), True)  # the lowest free number
    sys.stdin = sys.stdin or io.TextIOWrapper(io.BufferedReader(io.FileIO(0, closefd=False)))
    sys.stdout = _stdout(sys.stdout)
    sys.stderr = Terminal(
        io.BufferedWriter(_LastWords(2, "w", closefd=False)),
        encoding=sys.stderr.encoding if sys.stderr else "utf-8",
        errors="backslashreplace",
        line_buffering=True,
    )


def _stdout(stream: TextIO | None) -> Terminal:
    """Return a Terminal in place of stdout, which is None if its descriptor was missing."""
    if stream is None:
        nowhere = io.BufferedWriter(io.FileIO(1, "w", closefd=False))
        return Terminal(nowhere, encoding="utf-8", errors="backslashreplace")
    plain = cast("io.TextIOWrapper", stream)
    return Terminal(
        plain.buffer,
        encoding=plain.encoding,
        errors="backslashreplace",
        line_buffering=plain.line_buffering,
        write_through=plain.write_through,
    )
