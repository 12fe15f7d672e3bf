"""A length of time as people say it."""

from __future__ import annotations

from typing import Final

_UNITS: Final = ((86_400.0, "d"), (3_600.0, "h"), (60.0, "min"), (1.0, "s"))


def in_words(seconds: float) -> str:
    """Return a length of time in its largest unit, and one digit behind the point below ten."""
    size, unit = next((each for each in _UNITS if seconds >= each[0]), _UNITS[-1])
    found = seconds / size
    return f"{found:.1f} {unit}" if found < 9.95 and size > 1 else f"{found:.0f} {unit}"
