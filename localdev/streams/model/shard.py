"""A shard: its records in order, of which the oldest may be gone, and its place in the lineage."""

from bisect import bisect_left, bisect_right
from dataclasses import dataclass, field
from typing import Final

from localdev.streams.errors import invalid, trimmed
from localdev.streams.model.hash_range import HashRange
from localdev.streams.model.iterator import IteratorType
from localdev.streams.model.record import Entry

PAGE_RECORDS: Final = 1000  # AWS: GetRecords
PAGE_BYTES: Final = 1024 * 1024  # AWS: GetRecords, 1 MB; taken of the records' JSON


@dataclass(slots=True)
class Shard:
    """An open shard has no `ending`. Times are epoch seconds; `gone` left listing and service.

    `history` holds every record ever written, `bodies` the JSON of those not trimmed: the last
    ones. An ordinal counts the records of `history` from 0.
    """

    shard_id: str
    parent: str | None
    hash_range: HashRange
    starting: int
    ending: int | None = None
    closed_at: float | None = None
    gone: bool = False
    history: list[Entry] = field(default_factory=list)
    bodies: list[bytes] = field(default_factory=list)
    created_at: float = 0.0

    @property
    def trimmed(self) -> int:
        """How many records are gone; the ordinal of the oldest that is held."""
        return len(self.history) - len(self.bodies)

    def append(self, entry: Entry, body: bytes) -> None:
        """Write a record."""
        if self.ending is not None:
            raise ValueError(f"{self.shard_id} is closed")
        self.history.append(entry)
        self.bodies.append(body)

    def close(self, ending: int, now: float) -> None:
        """Take no more records. The number is beyond the last record's and belongs to none."""
        if self.ending is not None:
            raise ValueError(f"{self.shard_id} is closed")
        self.ending = ending
        self.closed_at = now

    def trim(self, up_to: int) -> int:
        """Forget the records up to this sequence number (inclusive); return how many."""
        return self._forget(bisect_right(self.history, up_to, key=lambda entry: entry.sequence))

    def trim_before(self, time: float) -> int:
        """Forget the records written before `time`; return how many."""
        return self._forget(bisect_left(self.history, time, key=lambda entry: entry.at))

    def age_out(self) -> None:
        """Leave listing and service with all records, as 24 h after closing."""
        if self.ending is None:
            raise ValueError(f"{self.shard_id} is open")
        self._forget(len(self.history))
        self.gone = True

    def _forget(self, ordinal: int) -> int:
        count = max(0, ordinal - self.trimmed)
        del self.bodies[:count]
        return count

    def ordinal(self, kind: IteratorType, sequence: int | None) -> int:
        """Return the ordinal of the record to read first.

        Raise ServiceError: trimmed for a number of a record that is gone, also when nothing after
        it is (the service knows only its trim point); validation for one that is absent, lies
        outside the shard, or is given without need (as DynamoDB Local does).
        """
        by_number = kind in (IteratorType.AT_SEQUENCE_NUMBER, IteratorType.AFTER_SEQUENCE_NUMBER)
        if sequence is not None and not by_number:
            raise invalid(f"Invalid SequenceNumber: {kind} has none")
        if kind is IteratorType.TRIM_HORIZON:
            return self.trimmed
        if kind is IteratorType.LATEST:
            return len(self.history)
        if sequence is None:
            raise invalid("SequenceNumber is required for this ShardIteratorType")
        if self.trimmed and sequence <= self.history[self.trimmed - 1].sequence:
            raise trimmed()
        last = self.history[-1].sequence if self.history else self.starting
        if not self.starting <= sequence <= (self.ending or last):
            raise invalid("Invalid SequenceNumber: it is not one of this shard")
        bisect = bisect_left if kind is IteratorType.AT_SEQUENCE_NUMBER else bisect_right
        return bisect(self.history, sequence, key=lambda entry: entry.sequence)

    def page(self, ordinal: int, limit: int) -> list[bytes]:
        """Return the records from `ordinal` that fit into a page: always one, if there is one.

        Raise ServiceError (trimmed) if that record is gone.
        """
        first = ordinal - self.trimmed
        if first < 0:
            raise trimmed()
        records = self.bodies[first : first + limit]
        size = 0
        for count, body in enumerate(records):
            size += len(body)
            if size > PAGE_BYTES and count:
                return records[:count]
        return records
