"""What the lease table knows of a snapshot: its terms, its segments, and how far each has come.

Several processes share a snapshot by its id. All of them must agree on its terms: with another
number of segments, half of the table would be skipped and nobody would notice.

A snapshot that is begun anew gets another `run`. Rows of segments that name an earlier run count as
never begun, so nothing has to be deleted, and rows that are left behind cannot hide a segment.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Final

from msgspec import Struct
from msgspec.structs import replace

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

KEEP_SECONDS: Final = 35 * 86_400
"""Rows may be removed this long after they were last written. Those of segments hold key values."""

MAX_SEGMENTS: Final = 1_000_000
"""DynamoDB's limit for TotalSegments."""


class Mode(StrEnum):
    """How often an item is read before it is published."""

    ONCE = "once"
    TWICE = "twice"  # `--repair`: twice, and equal


class Terms(Struct, frozen=True):
    """What all processes of a snapshot agree on.

    `filter` is the text of the pattern that items must match, None for all. `routes` are the event
    types that take part, and `fingerprint` is that of their definitions. `stream` is what events
    carry as `change.stream`.
    """

    segments: int
    filter: str | None
    routes: tuple[str, ...]
    fingerprint: str
    stream: str
    mode: Mode

    def differences(self, other: Terms) -> list[str]:
        """Return a text for each term in which the two differ; `self` is the one that stands."""
        pairs = (
            ("segments", str(self.segments), str(other.segments)),
            ("filter", self.filter or "none", other.filter or "none"),
            ("routes", ", ".join(self.routes), ", ".join(other.routes)),
            ("definitions of the routes", self.fingerprint, other.fingerprint),
            ("stream", self.stream, other.stream),
            ("items read", self.mode.value, other.mode.value),
        )
        return [f"{name}: {mine} there, {its} here" for name, mine, its in pairs if mine != its]


class Counts(Struct, frozen=True):
    """What became of the items of settled pages, and of their events.

    `untaken` items were taken by no route. `stored` and `refused` are events; what was read too
    often without being twice the same is refused, too.
    """

    items: int = 0
    untaken: int = 0
    stored: int = 0
    refused: int = 0

    def __add__(self, other: Counts) -> Counts:
        """Return the sums."""
        return Counts(
            self.items + other.items,
            self.untaken + other.untaken,
            self.stored + other.stored,
            self.refused + other.refused,
        )


class Snapshot(Struct, frozen=True):
    """The row `snapshot/<table>/<id>`. Times are epoch seconds.

    `run` is unique for each time the id is begun. `ended_at` and `counts` are set when all segments
    are done.
    """

    table: str
    id: str
    run: str
    terms: Terms
    started_at: float
    ended_at: float | None = None
    counts: Counts = Counts()

    @property
    def key(self) -> str:
        """The end of the row's key, and the beginning of those of its segments: table and id."""
        return f"{self.table}/{self.id}"

    def ended(self, wall: float, counts: Counts) -> Snapshot:
        """Return the row at its end."""
        return replace(self, ended_at=wall, counts=counts)


class Segment(Struct, frozen=True):
    """The row `snapshot/<table>/<id>/<segment>`.

    `counter` rises with each write; one that stands still says that the owner is dead. `last_key`
    is the key, as JSON text, up to which all is settled; None at the beginning.
    """

    number: int
    run: str
    owner: str | None = None
    counter: int = 0
    last_key: str | None = None
    done: bool = False
    counts: Counts = Counts()

    def taken(self, me: str, run: str) -> Segment:
        """Return the row as `me` takes it; one of an earlier run begins anew."""
        fresh = self if self.run == run else Segment(self.number, run)
        return replace(fresh, owner=me, counter=self.counter + 1)

    def beating(self) -> Segment:
        """Return the row with the next counter: the owner lives and is still at its page."""
        return replace(self, counter=self.counter + 1)

    def settled(self, last_key: str | None, page: Counts) -> Segment:
        """Return the row after a page of which each event is settled.

        `last_key` is None after the last page of the segment.
        """
        done = last_key is None
        return replace(
            self,
            counter=self.counter + 1,
            owner=None if done else self.owner,
            last_key=last_key,
            done=done,
            counts=self.counts + page,
        )

    def released(self) -> Segment:
        """Return the row that its owner gives up, so that nobody waits for its silence."""
        return replace(self, counter=self.counter + 1, owner=None)


def written(meant: Segment, current: Segment | None) -> bool:
    """Return whether a row shows that the write of `meant` has taken effect.

    Owners are unique for each process, and a counter is never given twice by one of them.
    """
    return current is not None and (current.run, current.owner, current.counter, current.done) == (
        meant.run,
        meant.owner,
        meant.counter,
        meant.done,
    )


def of_run(snapshot: Snapshot, rows: Iterable[Segment]) -> Mapping[int, Segment]:
    """Return the segments of the present run by their numbers."""
    return {
        row.number: row
        for row in rows
        if row.run == snapshot.run and row.number < snapshot.terms.segments
    }


def all_done(snapshot: Snapshot, rows: Iterable[Segment]) -> bool:
    """Return whether all segments are done."""
    known = of_run(snapshot, rows)
    return all(number in known and known[number].done for number in range(snapshot.terms.segments))


def total(snapshot: Snapshot, rows: Iterable[Segment]) -> Counts:
    """Return the sums of all segments."""
    return sum((row.counts for row in of_run(snapshot, rows).values()), Counts())
