"""The purpose of an application: which event types it publishes from a stream.

Rule: one application has one purpose. The stream row says it twice. `fingerprint` stays as its
first writer wrote it: a service with a single event type compares it with its own, at its start and
while it runs. `event_types` are those of a service with routes, which may come and go: one that
starts must share one of them, and adds its own. So a service may move from the single event type
into routes and back, a route may be added or removed in a roll, and a service that publishes
something else is still caught. Where the first writer had routes, there is no fingerprint of a
single event type to compare: then it must be one of those listed.

`stream_prefix` is no part of the fingerprint, which workers of version 0.1.0 compare. It must be
that of the row: readers order the events of a stream by what they say of it, so all workers have to
say the same. A row without it was read by such workers only, whose events do not name the stream.
"""

from __future__ import annotations

from json import JSONDecodeError, loads
from typing import TYPE_CHECKING, Final

from msgspec import Struct
from msgspec.structs import replace

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from consumer.core.leases.lease import Lease, StreamRow


_SEVERAL: Final = "event_types"
"""The member of a fingerprint that was written by a service with routes."""


class Purpose(Struct, frozen=True):
    """What a worker is configured to publish. `routed`: its event types are those of routes."""

    fingerprint: str
    event_types: tuple[str, ...] = ()
    routed: bool = False
    stream_prefix: str = ""

    def fits(self, row: StreamRow) -> bool:
        """Return whether a stream row was written for this purpose, or one that it continues."""
        shared = not set(self.event_types).isdisjoint(event_types_of(row))
        if self.routed:
            return shared
        return row.fingerprint == self.fingerprint or (
            shared and _SEVERAL in _said(row.fingerprint)
        )

    def lacks(self, row: StreamRow) -> tuple[str, ...]:
        """Return the event types that a stream row names, and that it does not publish."""
        return tuple(name for name in event_types_of(row) if name not in self.event_types)

    def says_as(self, row: StreamRow) -> bool:
        """Return whether its events say of the stream what those of the row's workers say."""
        return row.may_say(self.stream_prefix)

    def first(self, row: StreamRow, older: StreamRow | None) -> StreamRow:
        """Return a new stream's row with what it says of the purpose.

        `older` is the newest of the table's other rows that can be read, None if there is none.
        What it says is copied, so that no worker is ended by a new stream.
        """
        row = replace(row, stream_prefix=self.stream_prefix)
        if older is None:
            named = self.event_types if self.routed else None
            return replace(row, fingerprint=self.fingerprint, event_types=named, published=())
        return replace(
            row,
            fingerprint=older.fingerprint if self.routed else self.fingerprint,
            event_types=older.event_types,
            published=older.published,
        )

    def joined(self, row: StreamRow) -> StreamRow:
        """Return a row that fits, with the event types of this purpose added, and its prefix."""
        row = replace(row, stream_prefix=self.stream_prefix)
        if not self.routed:
            return row
        return replace(row, event_types=_with(event_types_of(row), self.event_types))

    def imposed(self, row: StreamRow) -> StreamRow:
        """Return a row that says this purpose alone, whatever it said before.

        With routes the fingerprint of a single event type that is still among them stays: so the
        service may move back to it.
        """
        kept = self.routed and not set(self.event_types).isdisjoint(_named_by(row.fingerprint))
        listed = self.routed or row.event_types is not None
        return replace(
            row,
            fingerprint=row.fingerprint if kept else self.fingerprint,
            event_types=self.event_types if listed else None,
            stream_prefix=row.stream_prefix if self.says_as(row) else self.stream_prefix,
        )


def event_types_of(row: StreamRow) -> tuple[str, ...]:
    """Return the event types that a stream row names; of an older row those of its fingerprint."""
    return _named_by(row.fingerprint) if row.event_types is None else row.event_types


def stored_before(row: StreamRow, leases: Iterable[Lease]) -> tuple[str, ...]:
    """Return the event types in which any worker of the stream has had an event stored.

    A row of version 0.1.0 does not say it. If a record of the stream is settled, it is taken for
    stored in the event type of the fingerprint, the only one there was.
    """
    if row.published is not None:
        return row.published
    settled = any(lease.record_at is not None for lease in leases)
    return _named_by(row.fingerprint) if settled else ()


def with_stored(row: StreamRow, leases: Iterable[Lease], stored: Collection[str]) -> StreamRow:
    """Return a row that says that events were stored in these event types, too."""
    if set(stored) <= set(row.published or ()):
        return row
    return replace(row, published=_with(stored_before(row, leases), stored))


def second_senders(
    purpose: Purpose, application: str, applications: Iterable[str]
) -> tuple[str, ...]:
    """Return those event types for which another application reads the stream, too.

    `applications` are those that have a row of the stream. A service with a single event type is
    named like it, unless its settings say otherwise.
    """
    others = set(applications) - {application}
    return tuple(name for name in purpose.event_types if purpose.routed and name in others)


def _with(names: tuple[str, ...], more: Iterable[str]) -> tuple[str, ...]:
    return (*names, *sorted(set(more) - set(names)))


def _named_by(fingerprint: str) -> tuple[str, ...]:
    """Return the event types that a fingerprint names, none if it is no such line."""
    found = _said(fingerprint)
    single = found.get("event_type")
    names = [single] if single is not None else found.get(_SEVERAL)
    if not isinstance(names, list):
        return ()
    return tuple(name for name in names if isinstance(name, str))


def _said(fingerprint: str) -> dict[str, object]:
    """Return the members of a fingerprint, none if it is no such line."""
    try:
        found: object = loads(fingerprint)
    except JSONDecodeError:
        return {}
    return found if isinstance(found, dict) else {}
