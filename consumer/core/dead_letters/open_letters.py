"""The letters of a window that are being sent: what becomes of each once all its events are done.

A letter of a record that belonged to no route has an event for each route that takes it. Its
message may be deleted only if all of them were stored.
"""

from __future__ import annotations

from msgspec import Struct


class _Open(Struct):
    events: int
    stays: bool = False


class OpenLetters:
    """Letters by the id of their message."""

    def __init__(self) -> None:
        self._open: dict[str, _Open] = {}

    def add(self, message_id: str, events: int) -> None:
        """Add a letter of which `events` (≥ 1) are not settled."""
        self._open[message_id] = _Open(events)

    def stay(self, message_id: str) -> bool:
        """Have a message stay, because of an event of it. Return whether this is news."""
        letter = self._open[message_id]
        was, letter.stays = letter.stays, True
        return not was

    def done(self, message_id: str) -> bool | None:
        """Count an event as done. Return True once the message may be deleted, False if it stays.

        Return None while other events of it are not done.
        """
        letter = self._open[message_id]
        letter.events -= 1
        if letter.events:
            return None
        del self._open[message_id]
        return not letter.stays

    def clear(self) -> None:
        """Forget the letters whose events are not done."""
        self._open.clear()
