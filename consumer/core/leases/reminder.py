"""When a row that cannot be read is named again: at once if it is new, else only now and then.

Rows are read at every scan, and people need to be told once, and reminded while nothing is done.
"""

from __future__ import annotations

from typing import Final

REMIND_SECONDS: Final = 1800.0
"""The same attribute of the same row is named again after this long."""


class Reminder:
    """Remembers when each row was named; times are those of one clock, in seconds."""

    def __init__(self) -> None:
        self._named: dict[tuple[str, str], float] = {}

    def due(self, key: str, attribute: str, now: float) -> bool:
        """Return whether to name the attribute of the row now; if so, note that it was named."""
        if (key, attribute) in self._named and now < self._named[key, attribute] + REMIND_SECONDS:
            return False
        self._named = {
            named: at for named, at in self._named.items() if now < at + REMIND_SECONDS
        } | {(key, attribute): now}
        return True
