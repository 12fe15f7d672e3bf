"""Which segment of a snapshot a process takes next, and from whom.

Clocks are never compared. A process remembers when an answer first showed a segment's counter. An
owner is dead when a read *sent* at least a lease duration after that answer still shows the same
counter: as for the leases of shards, time without a successful read proves nothing.

Taking is a conditional write on owner and counter, so two that choose the same segment are told
apart by the table.
"""

from __future__ import annotations

from itertools import chain
from math import inf
from typing import TYPE_CHECKING

from msgspec import Struct

from consumer.core.republish.snapshot import Segment, of_run

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from consumer.core.republish.snapshot import Snapshot


class _Sighting(Struct, frozen=True):
    owner: str | None
    counter: int
    shown_at: float  # when an answer first showed this counter
    silent: bool = False


class SegmentWatch:
    """The segments of one run as this process has seen them. Times are those of its own clock."""

    def __init__(self, snapshot: Snapshot, me: str, lease_duration: float) -> None:
        self._snapshot = snapshot
        self._me = me
        self._lease_duration = lease_duration
        self._rows: dict[int, Segment] = {}
        self._sightings: dict[int, _Sighting] = {}

    def observe(self, sent_at: float, answered_at: float, rows: Iterable[Segment]) -> None:
        """Take in one complete, strongly consistent read of the segments' rows."""
        self._rows = {row.number: row for row in rows}
        known = of_run(self._snapshot, self._rows.values())
        self._sightings = {
            number: self._sighting(row, sent_at, answered_at) for number, row in known.items()
        }

    def _sighting(self, row: Segment, sent_at: float, answered_at: float) -> _Sighting:
        before = self._sightings.get(row.number)
        if before is None or (before.owner, before.counter) != (row.owner, row.counter):
            return _Sighting(row.owner, row.counter, answered_at)
        silent = before.silent or sent_at >= before.shown_at + self._lease_duration
        return _Sighting(row.owner, row.counter, before.shown_at, silent)

    def next(self, held: Collection[int], chance: float) -> Segment | None:
        """Return the segment to take as it was read, with counter 0 where it has no row.

        `held` are those that this process works on. Those without an owner come first, beginning
        at a place that `chance` (in [0, 1)) chooses, so that processes meet rarely; then those of
        dead owners. None if there is nothing to take now.
        """
        count = self._snapshot.terms.segments
        first = min(int(chance * count), count - 1)
        for takeable in (self._is_free, self._is_dead):
            for number in chain(range(first, count), range(first)):
                if number not in held and takeable(number):
                    return self._rows.get(number, Segment(number, self._snapshot.run))
        return None

    def _is_free(self, number: int) -> bool:
        row = self._known(number)
        return row is None or (row.owner is None and not row.done)

    def _is_dead(self, number: int) -> bool:
        row = self._known(number)
        if row is None or row.done or row.owner is None:
            return False
        # A row that names this process, which does not work on it: its take was not answered.
        return row.owner == self._me or self._sightings[number].silent

    def _known(self, number: int) -> Segment | None:
        row = self._rows.get(number)
        return row if row is not None and row.run == self._snapshot.run else None

    def next_read_due(self) -> float:
        """Return the earliest time at which a read could prove an owner dead, inf if none could."""
        return min(
            (
                seen.shown_at + self._lease_duration
                for number, seen in self._sightings.items()
                if seen.owner not in (None, self._me)
                and not seen.silent
                and not self._rows[number].done
            ),
            default=inf,
        )
