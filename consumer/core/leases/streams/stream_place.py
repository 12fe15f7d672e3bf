"""What events say of their stream, and whether those of another stream sort above them.

Readers order the events of a key by the pair (`change.stream`, `change.sequence`), compared as
text, and drop what is not above what they have. So what a service says of its stream must not sort
below what it has said of one before.

Rule: the streams of a table that is followed are read in the order of their labels, so a row of it
with the same prefix counts for nothing, also where its stream cannot be read at the moment. Of a
stream that was passed by there are no events, and those of version 0.1.0 say nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

if TYPE_CHECKING:
    from collections.abc import Iterable

    from consumer.core.leases.lease import StreamRow
    from consumer.core.stream.stream import Stream


class Reading(Struct, frozen=True):
    """The stream to be read, and the prefix of its label in events.

    `follows_table`: the streams of its table are read in the order of their labels.
    """

    stream: Stream
    prefix: str
    follows_table: bool

    @property
    def said(self) -> str:
        """What events say of the stream."""
        return self.prefix + self.stream.label

    def takes_turns_with(self, row: StreamRow) -> bool:
        """Return whether a row's stream is read in its turn, before or after this one."""
        same = row.table == self.stream.table and row.stream_prefix == self.prefix
        return self.follows_table and same


def said_by(row: StreamRow) -> str | None:
    """Return what the events of a row's stream say of it, None if nothing, or if it is unknown."""
    if row.stream_prefix is None or row.passed_by is not None or row.unreadable is not None:
        return None
    return row.stream_prefix + row.label


def none_named(table: str, rows: Iterable[StreamRow]) -> bool:
    """Return whether the table was read, but by no worker whose events name their stream."""
    prefixes = [row.stream_prefix for row in rows if row.table == table and row.unreadable is None]
    return bool(prefixes) and not any(prefix is not None for prefix in prefixes)


def highest_above(reading: Reading, rows: Iterable[StreamRow]) -> StreamRow | None:
    """Return the row whose events sort highest above those of `reading`, None if none do."""
    found = [
        (said, row.key, row)
        for row in rows
        if (said := said_by(row)) is not None
        and said > reading.said
        and not reading.takes_turns_with(row)
    ]
    return max(found, key=lambda each: each[:2])[2] if found else None
