"""The standard streams of a process: they exist, and show nothing that they should not.

Messages quote what peers have said, rows hold what others have written, and errors name URLs.
Everything that a command prints goes through `Terminal`, so no command has to think of it.
"""

from __future__ import annotations

import io
import os
import sys
from typing import TextIO, cast

from consumer.core.printable import printable
from consumer.core.secret import without_passwords


class Terminal(io.TextIOWrapper):
    """A stream that shows control characters as text, and URLs without passwords."""

    def write(self, text: str, /) -> int:
        """Write a text, of which only the line breaks have an effect."""
        super().write(printable(without_passwords(text), keep="\n"))
        return len(text)

    def control(self, sequence: str) -> None:
        """Write a control sequence of our own."""
        super().write(sequence)


def control(out: TextIO, sequence: str) -> None:
    """Write a control sequence of our own, such as one that clears the screen."""
    if isinstance(out, Terminal):
        out.control(sequence)
    else:
        out.write(sequence)


def prepare() -> None:
    """Open the standard streams that are missing, and make a Terminal of stdout and stderr.

    A process may be started without them. The first socket would then get the number of stdout, and
    whoever is at its other end would read the log.
    """
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            os.set_inheritable(os.open(os.devnull, os.O_RDWR), True)  # the lowest free number
    sys.stdin = sys.stdin or io.TextIOWrapper(io.BufferedReader(io.FileIO(0, closefd=False)))
    sys.stdout = _terminal(sys.stdout, 1)
    sys.stderr = _terminal(sys.stderr, 2)


def _terminal(stream: TextIO | None, number: int) -> TextIO:
    """Return a Terminal in place of a stream, which is None if its descriptor was missing."""
    if stream is None:
        nowhere = io.BufferedWriter(io.FileIO(number, "w", closefd=False))
        return Terminal(nowhere, encoding="utf-8", errors="backslashreplace")
    plain = cast("io.TextIOWrapper", stream)
    return Terminal(
        plain.buffer,
        encoding=plain.encoding,
        errors="backslashreplace",
        line_buffering=plain.line_buffering,
        write_through=plain.write_through,
    )
