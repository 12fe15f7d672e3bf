"""The bearer token of Nakadi: from a file that somebody else renews, given as text, or none.

The text of a token appears in no log line and no repr.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

import structlog

from consumer.core.secret import secret_word

if TYPE_CHECKING:
    from pathlib import Path

log = structlog.get_logger()

MAX_TOKEN_BYTES = 65_536
"""A larger file is not a token."""

PAUSE = 1.0
"""Seconds between two looks at the file: a token is asked for with every request."""


class Token(Protocol):
    """Where the Authorization header comes from."""

    def header(self, now: float) -> str | None:
        """`Bearer …`, or None. `now` is the injected clock's, in seconds."""
        ...

    def refresh(self) -> None:
        """Nakadi said 401: read the token again at the next request."""
        ...


class NoToken:
    """Requests carry no Authorization header."""

    def header(self, now: float) -> str | None:  # noqa: ARG002 - the protocol's
        """None."""
        return None

    def refresh(self) -> None:
        """Nothing to read."""


class LiteralToken:
    """A token that never changes. Surrounding white space is ignored."""

    def __init__(self, text: str) -> None:
        self._header = _bearer(text)

    def __repr__(self) -> str:
        return "LiteralToken(…)"

    def header(self, now: float) -> str | None:  # noqa: ARG002 - the protocol's
        """`Bearer …`; None if the text is no token."""
        return self._header

    def refresh(self) -> None:
        """There is nothing newer."""


class FileToken:
    """A token in a file, read again when the file changes and after a 401.

    A file without a usable token leaves the last one in use: a rotation may be under way. A change
    is seen by modification time, size and inode, looked at once a second at most.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._header: str | None = None
        self._seen: tuple[int, int, int] | None = None
        self._look_at = float("-inf")
        self._complained = False

    def __repr__(self) -> str:
        return f"FileToken({str(self._path)!r})"

    def header(self, now: float) -> str | None:
        """`Bearer …`; None while no token has been read yet."""
        if now >= self._look_at:
            self._look_at = now + PAUSE
            self._look()
        return self._header

    def refresh(self) -> None:
        """Read the file at the next request, whether it looks changed or not."""
        self._seen = None
        self._look_at = float("-inf")

    def _look(self) -> None:
        try:
            found = self._path.stat()
            seen = (found.st_mtime_ns, found.st_size, found.st_ino)
            if seen == self._seen:
                return
            with self._path.open("rb") as file:
                header = _bearer(file.read(MAX_TOKEN_BYTES).decode("ascii"))
        except (OSError, UnicodeDecodeError) as error:
            self._complain(type(error).__name__)
            return
        if header is None:
            self._complain("not one word of printable characters")
            return
        self._header = header
        self._seen = seen
        self._complained = False

    def _complain(self, why: str) -> None:
        if not self._complained:
            self._complained = True
            log.warning("token_file_unreadable", path=str(self._path), detail=why)


def _bearer(text: str) -> str | None:
    word = secret_word(text)
    return None if word is None else f"Bearer {word}"
