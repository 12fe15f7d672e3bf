"""The present time as Nakadi writes it."""

from __future__ import annotations

from datetime import UTC, datetime


def timestamp() -> str:
    """Return the present time in UTC with milliseconds and a `Z`."""
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
