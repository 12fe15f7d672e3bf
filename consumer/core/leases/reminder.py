"""When what stays wrong is named again: at once if it is new, else only now and then.

It is seen at every look, and people need to be told once, and reminded while nothing is done.
"""

from __future__ import annotations

from typing import Final

REMIND_SECONDS: Final = 1800.0
"""The same fault of the same thing is named again after this long."""


class Reminder:
    """Remembers when each fault was named; times are those of one clock, in seconds."""

    def __init__(self) -> None:
        self._named: dict[tuple[str, str], float] = {}

    def due(self, key: str, fault: str, now: float) -> bool:
        """Return whether to name the fault of `key` now; if so, note that it was named."""
        if (key, fault) in self._named and now < self._named[key, fault] + REMIND_SECONDS:
            return False
        self._named = {
            named: at for named, at in self._named.items() if now < at + REMIND_SECONDS
        } | {(key, fault): now}
        return True
