"""A watch of files that another program renews: they are read again when they have changed.

A change is detected by modification time, size and inode.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

_Seen = tuple[tuple[int, int, int], ...]


class FileWatch:
    """Watches `files`, which are read together by `read`. `pause` lies between two looks, in s.

    `read` raises OSError or ValueError if it cannot use them; then it is called at each look.
    """

    def __init__(self, files: tuple[Path, ...], read: Callable[[], None], pause: float) -> None:
        self._files = files
        self._read = read
        self._pause = pause
        self._seen: _Seen | None = None
        self._look_at = float("-inf")

    def due(self, now: float) -> bool:
        """Return whether to look now: then not again before the pause is over."""
        if now < self._look_at:
            return False
        self._look_at = now + self._pause
        return True

    def look(self) -> None:
        """Read the files if they have changed since they were read. Raise OSError, ValueError."""
        stats = [path.stat() for path in self._files]
        seen = tuple((each.st_mtime_ns, each.st_size, each.st_ino) for each in stats)
        if seen != self._seen:
            self._read()
            self._seen = seen

    def forget(self) -> None:
        """Have the files read at the next look, which is due, even if they have not changed."""
        self._seen = None
        self._look_at = float("-inf")


def why_unreadable(error: OSError | ValueError) -> str:
    """Return why files cannot be used, as one line. A ValueError must not quote what they hold."""
    return str(getattr(error, "strerror", None) or getattr(error, "reason", None) or error)
