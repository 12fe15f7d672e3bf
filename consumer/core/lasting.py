"""Lasting: what lasts is said when it begins, again every few minutes, and when it is over.

A condition has subjects, as `reading_fails` has shards. It is reported each time it is met, and
this decides whether a line is due. Only some subjects have lines of their own at a time; the others
are counted, so that a thousand shards in trouble do not write a thousand lines. All times are those
of one clock, in seconds.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Generic, TypeVar

from msgspec import Struct

if TYPE_CHECKING:
    from collections.abc import Hashable

REMIND_SECONDS: Final = 300.0
"""What lasts is said again after this long."""

NAMED: Final = 10
"""Most subjects of a condition that have lines of their own at a time."""

FORGET_SECONDS: Final = 900.0
"""A subject that was not met for this long is forgotten: its shard is elsewhere, its row gone."""

SUBJECTS: Final = 10_000
"""Most subjects of a condition that are remembered; more are neither said nor counted."""

K = TypeVar("K", bound="Hashable")


class Said(Struct, frozen=True):
    """What a line says: `lasts` is in seconds, `count` is the number of subjects in trouble now."""

    lasts: float
    count: int


class _Subject(Struct):
    since: float
    met_at: float
    said_at: float | None = None
    aspect: object = None


class Lasting(Generic[K]):
    """One condition, and since when it lasts for each of its subjects."""

    def __init__(self) -> None:
        self._subjects: dict[K, _Subject] = {}
        self._named = 0
        self._spoken = False  # whether a line was written since the first subject was met
        self._forget_at = 0.0

    def __len__(self) -> int:
        return len(self._subjects)

    def met(
        self, subject: K, now: float, *, aspect: object = None, patience: float = 0.0
    ) -> Said | None:
        """Take note that the condition holds for a subject; return what to say now, if anything.

        It is said at once, or after `patience` seconds; again after `REMIND_SECONDS`, or at once if
        its `aspect` is another one than that said last.
        """
        self._forget(now)
        found = self._subjects.get(subject)
        if found is None:
            if len(self._subjects) >= SUBJECTS:
                return None
            found = self._subjects[subject] = _Subject(now, now)
        found.met_at = now
        if found.said_at is None:
            if self._named >= NAMED or now - found.since < patience:
                return None
            self._named += 1
        elif now < found.said_at + REMIND_SECONDS and aspect == found.aspect:
            return None
        found.said_at, found.aspect = now, aspect
        self._spoken = True
        return Said(now - found.since, len(self._subjects))

    def over(self, subject: K, now: float) -> Said | None:
        """Take note that it is over for a subject; return what to say, None if nothing was said.

        `count` is then the number of those that are left. The end of the last one is always said,
        if any line was written before.
        """
        found = self._subjects.pop(subject, None)
        if found is None:
            return None
        named = found.said_at is not None
        self._named -= named
        last = not self._subjects and self._spoken
        self._spoken = self._spoken and bool(self._subjects)
        return Said(now - found.since, len(self._subjects)) if named or last else None

    def _forget(self, now: float) -> None:
        if now < self._forget_at:
            return
        self._forget_at = now + REMIND_SECONDS
        gone = [key for key, each in self._subjects.items() if now - each.met_at > FORGET_SECONDS]
        for key in gone:
            self._named -= self._subjects.pop(key).said_at is not None
        self._spoken = self._spoken and bool(self._subjects)
