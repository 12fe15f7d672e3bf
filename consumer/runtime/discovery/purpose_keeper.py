"""What the stream rows say of the purpose: compared with this worker's, and kept.

Rule: a worker with routes is judged while it starts, until a row names its event types; one that
runs is never ended by the event types that others write there. A worker with a single event type
ends as soon as a row has another fingerprint, and every worker as soon as one has another prefix of
the stream. After the start a row is written once for each event type in which the first event was
stored.
"""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING, Final

import structlog

from consumer.core.leases.streams.purpose import event_types_of, stored_before, with_stored
from consumer.errors import Misconfigured, Retryable
from consumer.observability.actions import PUBLISH_THEM_TOO, READ_ROWS_AGAIN
from consumer.observability.conditions import Conditions
from consumer.runtime.discovery.bootstrap import own_rows

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence

    from consumer.core.leases.lease import Lease, StreamRow
    from consumer.core.leases.streams.purpose import Purpose
    from consumer.ports import Clock, LeaseStore
    from consumer.runtime.discovery.source import Source

log = structlog.get_logger()

_CHOOSE: Final = "choose another application, or set CONSUMER_ACCEPT_CHANGE=true to replace it"


def conflict_of(purpose: Purpose, row: StreamRow) -> Misconfigured | None:
    """Return what is wrong, naming both sides, if a row was written for another purpose."""
    if not purpose.says_as(row):
        return Misconfigured(
            f"CONSUMER_STREAM_PREFIX: found {purpose.stream_prefix!r}, but the events of stream"
            f" {row.key} have {row.stream_prefix!r}: readers drop what sorts lower; set that, or"
            " CONSUMER_ACCEPT_CHANGE=true to replace it, once no worker with the old one runs"
        )
    if purpose.fits(row):
        return None
    if purpose.routed:
        found, ours = event_types_of(row), ", ".join(purpose.event_types)
        return Misconfigured(
            f"CONSUMER_APPLICATION reads stream {row.key} for {', '.join(found) or row.fingerprint}"
            f", but the routes of this worker publish {ours}, none of these; {_CHOOSE}"
        )
    return Misconfigured(
        f"CONSUMER_APPLICATION reads stream {row.key} for {row.fingerprint!r}, but this worker"
        f" is configured for {purpose.fingerprint!r}; {_CHOOSE}"
    )


class PurposeKeeper:
    """`stored` returns the event types in which this worker has had an event stored.

    `stored_before` are those in which any worker has, by the rows of the last scan.
    """

    def __init__(
        self,
        store: LeaseStore,
        clock: Clock,
        source: Source,
        stored: Callable[[], Collection[str]],
    ) -> None:
        self._store = store
        self._source = source
        self._stored = stored
        self._named: set[str] = set()  # keys of the rows that name this worker's event types
        self._conditions = Conditions(clock.now)
        self.stored_before: frozenset[str] = frozenset()

    async def begin(self, rows: Sequence[StreamRow]) -> tuple[StreamRow, ...]:
        """Return the rows of the table's streams, as `own_rows`.

        Raises Misconfigured also if one of them has another purpose.
        """
        own = await own_rows(self._store, self._source, rows)
        conflict = self.conflict([row for row in own if row.unreadable is None])
        if conflict is not None:
            raise conflict
        lacking = self._source.purpose.lacks(own[-1])
        if lacking:
            log.warning(
                "event_types_lacking",
                stream=own[-1].key,
                event_types=", ".join(lacking),
                action=PUBLISH_THEM_TOO,
            )
        return own

    def conflict(self, rows: Sequence[StreamRow]) -> Misconfigured | None:
        """Return why this worker has to end: a row that it must agree with has another purpose."""
        purpose = self._source.purpose
        found = (
            conflict_of(purpose, row)
            for row in rows
            if row.key not in self._named or not purpose.says_as(row)
        )
        return next(filter(None, found), None)

    async def note(self, seen: Sequence[tuple[StreamRow, Sequence[Lease] | None]]) -> None:
        """Write what the rows lack, each with its leases if they were read; oldest first.

        What cannot be written now is written after the next scan.
        """
        stored = self._stored()
        before = (stored_before(row, leases or ()) for row, leases in seen)
        self.stored_before = frozenset(chain.from_iterable(before))
        for number, (row, leases) in enumerate(seen, 1):
            purpose, named = self._source.purpose, row.key in self._named
            if not purpose.says_as(row) or not (named or purpose.fits(row)):
                continue  # this worker is about to end
            wanted = row if named else purpose.joined(row)
            if number == len(seen):  # the newest stream, whose row later ones copy
                wanted = with_stored(wanted, leases or (), stored)
            if wanted != row and not await self._write(row, wanted):
                continue
            if purpose.routed:
                self._named.add(row.key)

    async def _write(self, row: StreamRow, wanted: StreamRow) -> bool:
        try:
            written = await self._store.write_purpose(row, wanted)
        except Retryable as error:
            self._conditions.failed(
                "event_types_unwritten", error, action=READ_ROWS_AGAIN, stream=row.key
            )
            return False
        self._conditions.over("event_types_unwritten", stream=row.key)
        return written is not None
