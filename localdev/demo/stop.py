"""What makes the demo end before its time: a signal, or the end of the process that started it."""

import os
import signal
from types import FrameType

INTERRUPTED = 130  # exit code: 128 + SIGINT, as shells report it


class Stop:
    """Before `begin` a signal interrupts the demo at once.

    Afterwards a first one, or the parent's end, asks for a summary, and a second one interrupts.
    """

    def __init__(self) -> None:
        self._asked = False
        self._begun = False
        self._parent = os.getppid()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._ask)

    def begin(self) -> None:
        """From now on there is something to sum up."""
        self._begun = True

    @property
    def asked(self) -> bool:
        """Whether the demo is to end, with a summary."""
        return self._asked or os.getppid() != self._parent

    def _ask(self, _: int, __: FrameType | None) -> None:
        if self._asked or not self._begun:
            raise KeyboardInterrupt
        self._asked = True
