"""Times, and lengths of time, as people write them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final

_UNITS: Final = ((86_400.0, "d"), (3_600.0, "h"), (60.0, "min"), (1.0, "s"))


def in_words(seconds: float) -> str:
    """Return a length of time in its largest unit, and one digit behind the point below ten."""
    size, unit = next((each for each in _UNITS if seconds >= each[0]), _UNITS[-1])
    found = seconds / size
    return f"{found:.1f} {unit}" if found < 9.95 and size > 1 else f"{found:.0f} {unit}"


def iso(at: float) -> str:
    """Return a time (epoch seconds) in UTC, to the second."""
    return datetime.fromtimestamp(int(at), UTC).isoformat().replace("+00:00", "Z")


def zoned_time(text: str) -> float | None:
    """Return a time in epoch seconds, None if the text is no ISO time with its zone."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return None
    return None if found.tzinfo is None else found.timestamp()
