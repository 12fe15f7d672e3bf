"""The line of a dead letter in the list of `consumer redrive --dry-run --list`.

Rule: the list may end up in a log, as the output of a job does. So it has a short hash of the
ordering key, equal for letters of one key, unless the operator asks for the keys themselves.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from msgspec import Struct

from consumer.core.dead_letters.dead_letter import MAX_DETAIL
from consumer.core.dead_letters.letter_key import hash_of
from consumer.core.dead_letters.redrive import Kept
from consumer.core.printable import printable

if TYPE_CHECKING:
    from consumer.core.dead_letters.redrive import Deliverable, QueuedMessage

HASH_DIGITS: Final = 12
SHOWN: Final = 200
"""Most characters of a text for people. JSON has as many as a letter of ours may have."""

NOT_A_LETTER: Final = "not a letter"
UNITS: Final = ((86_400, "d"), (3_600, "h"), (60, "m"))

HEADER: Final = ("key", "sequence", "age", "receptions", "reason", "detail")
HEADER_OF_ROUTES: Final = (*HEADER[:-1], "route", "detail")
WIDTHS: Final = (HASH_DIGITS, 21, 5, 10, 18, 24)
"""Of the columns but the last. Lines are written one by one, so no column can fit all cells."""


class LetterLine(Struct, frozen=True):
    """One message of the queue. What it does not say, or says in no known form, is None.

    `key` is a hash of the ordering key, or the key. `age_seconds` is the time since the message was
    sent to the queue. `stays` says why it would not be published, None if it would.
    """

    message_id: str
    reason: str
    detail: str
    event_type: str | None
    route: str | None
    shard_id: str | None
    sequence: str | None
    key: str | None
    age_seconds: float
    receptions: int
    attempts: int | None
    stays: str | None

    def as_json(self) -> dict[str, str | float | None]:
        """Return the public JSON."""
        return {
            "message_id": self.message_id,
            "key": self.key,
            "sequence": self.sequence,
            "age_seconds": self.age_seconds,
            "receptions": self.receptions,
            "reason": self.reason,
            "detail": self.detail,
            "event_type": self.event_type,
            "route": self.route,
            "shard_id": self.shard_id,
            "attempts": self.attempts,
            "stays": self.stays,
        }

    def text(self, *, with_route: bool = False) -> str:
        """Return the line for people, with a line's end."""
        detail = self.detail if self.stays is None else f"{self.detail} (stays: {self.stays})"
        cells = (
            self.key or "-",
            self.sequence or "-",
            _duration(self.age_seconds),
            str(self.receptions),
            self.reason,
            *((self.route or "-",) if with_route else ()),
            detail.strip() or "-",
        )
        return aligned(tuple(printable(cell[:SHOWN]) for cell in cells))


def letter_line(
    message: QueuedMessage, found: Deliverable | Kept, wall: float, *, show_keys: bool
) -> LetterLine:
    """Return the line of a message that was examined at `wall` (epoch seconds)."""
    letter = found.letter
    stays = found.why[:SHOWN] if isinstance(found, Kept) else None
    key = None if letter is None else letter.ordering_key
    if key is not None:
        key = key[:MAX_DETAIL] if show_keys else hash_of(key)[:HASH_DIGITS]
    return LetterLine(
        message_id=message.receipt.message_id,
        reason=NOT_A_LETTER if letter is None else letter.reason[:SHOWN],
        detail="" if letter is None else letter.detail[:MAX_DETAIL],
        event_type=None if letter is None else letter.event_type[:SHOWN],
        route=None if letter is None else (letter.route or letter.event_type)[:SHOWN],
        shard_id=None if letter is None else letter.shard_id[:SHOWN],
        sequence=None if letter is None or letter.sequence is None else str(letter.sequence),
        key=key,
        age_seconds=round(max(0.0, wall - message.sent_at)),
        receptions=message.receptions,
        attempts=None if letter is None else letter.attempts,
        stays=stays,
    )


def aligned(cells: tuple[str, ...]) -> str:
    """Return cells, those of a line or a header, as a line of text."""
    padded = [cell.ljust(width) for cell, width in zip(cells[:-1], WIDTHS, strict=False)]
    return "  ".join((*padded, cells[-1])) + "\n"


def _duration(seconds: float) -> str:
    """Return a duration in its largest whole unit, as `--since` takes it."""
    for size, unit in UNITS:
        if seconds >= size:
            return f"{seconds // size:.0f}{unit}"
    return f"{seconds:.0f}s"
