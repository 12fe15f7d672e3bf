"""The bearer token for Nakadi: in a file that another program renews, given as text, or none.

A token never appears in a log line or in a repr.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from consumer.adapters.file_watch import FileWatch, why_unreadable
from consumer.core.secret import secret_word
from consumer.observability.conditions import Conditions

if TYPE_CHECKING:
    from pathlib import Path

MAX_TOKEN_BYTES = 65_536
"""No more than this is read of a token file."""

PAUSE = 1.0
"""Shortest time in seconds between two checks of the file; every request needs the token."""


class Token(Protocol):
    """A source of the Authorization header."""

    def header(self, now: float) -> str | None:
        """Return `Bearer …`, or None without a token. `now` is the clock's, in seconds."""
        ...

    def refresh(self) -> None:
        """Have the token read again at the next request, because Nakadi answered 401."""
        ...


class NoToken:
    """Requests carry no Authorization header."""

    def header(self, now: float) -> str | None:  # noqa: ARG002 - the protocol's
        """Return None."""
        return None

    def refresh(self) -> None:
        """Do nothing."""


class LiteralToken:
    """A token that never changes. White space around it is ignored."""

    def __init__(self, text: str) -> None:
        self._header = _bearer(text)

    def __repr__(self) -> str:
        return "LiteralToken(…)"

    def header(self, now: float) -> str | None:  # noqa: ARG002 - the protocol's
        """Return `Bearer …`, or None if the text is not a token."""
        return self._header

    def refresh(self) -> None:
        """Do nothing: the token never changes."""


class FileToken:
    """A token in a file, read again when the file changes and after a 401.

    While the file has no usable token, the last one stays in use: a rotation may be under way. It
    is looked at once a second at most.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._header: str | None = None
        self._watch = FileWatch((path,), self._load, PAUSE)
        self._now = 0.0
        self._conditions = Conditions(self._time)

    def __repr__(self) -> str:
        return f"FileToken({str(self._path)!r})"

    def header(self, now: float) -> str | None:
        """Return `Bearer …`, or None until a token has been read."""
        self._now = now
        if self._watch.due(now):
            self._look()
        return self._header

    def refresh(self) -> None:
        """Have the file read at the next request, even if it has not changed."""
        self._watch.forget()

    def _look(self) -> None:
        try:
            self._watch.look()
        except (OSError, ValueError) as error:
            self._conditions.warning(
                "token_file_unreadable",
                path=str(self._path),
                detail=why_unreadable(error),
                action="have a token written to this file; the last one that was read stays in use,"
                " and without one Nakadi answers 401",
            )
        else:
            self._conditions.over("token_file_unreadable", path=str(self._path))

    def _load(self) -> None:
        with self._path.open("rb") as file:
            header = _bearer(file.read(MAX_TOKEN_BYTES).decode("ascii", "replace"))
        if header is None:
            raise ValueError("not one word of printable characters")
        self._header = header

    def _time(self) -> float:
        return self._now


def _bearer(text: str) -> str | None:
    word = secret_word(text)
    return None if word is None else f"Bearer {word}"
