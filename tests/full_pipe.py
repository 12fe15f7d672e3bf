"""A pipe that is full, and whose reader never reads."""

import os
from contextlib import suppress


def full_pipe() -> tuple[int, int]:
    """Return its two descriptors; a write to the second one waits for ever."""
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    for size in (4096, 1):
        with suppress(BlockingIOError):
            while True:
                os.write(writer, b"\n" * size)
    os.set_blocking(writer, True)
    return reader, writer
