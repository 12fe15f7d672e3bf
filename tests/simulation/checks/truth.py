"""What was written to the table, by shard, and what has become of each record."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from math import inf

from consumer.core.leases.checkpoint import LATEST, TRIM_HORIZON, sequence_of
from consumer.core.leases.lease import ALL_SHARDS, SEEK, Gap
from consumer.core.shard.gap import BETWEEN_STREAMS
from localdev.streams.errors import ServiceError
from localdev.streams.model.item import Item
from localdev.streams.model.record import ViewType
from localdev.streams.model.shard import Shard as ModelShard
from localdev.streams.model.stream import Stream as ModelStream
from localdev.streams.model.streams_model import StreamsModel
from tests.simulation.checks.narrowing import Expected, Kind, Rules, expected_of
from tests.simulation.checks.seeks import is_passed_over, is_sought, is_told, names
from tests.twins.lease_table import LeaseTable
from tests.twins.virtual_time import EPOCH

SURE = 3600.0 - 60.0
"""A record that was this old already when it could first be known of may go without a gap row."""


@dataclass(slots=True, eq=False)
class EventTruth:
    """One event of a change: an event type's.

    `expected` is what it must say, by the rules of the first workers and of later ones; None among
    them: there may be none. `accepted` and `dead` count the times that Nakadi or the queue has
    stored it.
    """

    record: "Record"
    event_type: str
    expected: frozenset[Expected | None]
    size: int = 0  # bytes that it has at least
    accepted: int = 0
    dead: int = 0
    first_body: bytes | None = None
    poison: bool = False  # Nakadi refuses it
    objected: bool = False  # something in between never lets it pass

    @property
    def key(self) -> tuple[str, str]:
        """Whose order it keeps: that of its event type and its item."""
        return self.event_type, self.record.key

    @property
    def stored(self) -> bool:
        return bool(self.accepted or self.dead)

    @property
    def settled(self) -> bool:
        """It is stored, or need not be."""
        return self.stored or None in self.expected


@dataclass(slots=True, eq=False)
class Record:
    """One change, with an event for each event type that takes it.

    `kinds` are those of its item before and after it, `item` is the item after it. `touched`: it
    has changed our own attribute, and nothing else.
    """

    sequence: int
    shard: "ShardTruth"
    ordinal: int
    key: str
    kinds: tuple[Kind, Kind]
    at: float  # epoch seconds
    item: Item | None = None
    touched: bool = False
    excused: bool = False
    sent_at: float = -inf  # loop time of the last request with an event that is objected to
    events: dict[str, EventTruth] = field(default_factory=dict)

    @property
    def left(self) -> list[EventTruth]:
        """Its events that must be stored, and are not."""
        return [event for event in self.events.values() if not event.settled]

    @property
    def objected(self) -> bool:
        return any(event.objected for event in self.events.values())

    @property
    def place(self) -> tuple[float, int]:
        """Its place in time: a new stream of the table numbers its records anew."""
        return self.shard.stream.created_at, self.sequence


@dataclass(slots=True, eq=False)
class ShardTruth:
    """`settled` counts the records from the first on of which each is settled."""

    shard: ModelShard
    stream: ModelStream
    records: list[Record] = field(default_factory=list)
    settled: int = 0
    done: bool = False
    reread: bool = False  # opened at its oldest record though its lease stands at LATEST

    @property
    def id(self) -> str:
        return self.shard.shard_id

    @property
    def stream_key(self) -> str:
        return f"{self.stream.table}/{self.stream.label}"


class Truth:
    """Everything that ever was, and the rules which of it must be delivered."""

    def __init__(
        self, model: StreamsModel, table: LeaseTable, versions: Sequence[Mapping[str, Rules]]
    ) -> None:
        self._versions = versions  # of the rules, each for some of the workers
        self._model = model
        self._table = table
        self.records: dict[int, Record] = {}
        self.shards: dict[str, ShardTruth] = {}
        self.trims = 0  # records that the stream has forgotten
        self.spoilt: set[str] = set()  # iterators that are refused whatever their age

    def stream(self, stream_key: str) -> ModelStream:
        """The stream of a key, also when it is gone."""
        streams = self._model.streams.values()
        return next(each for each in streams if f"{each.table}/{each.label}" == stream_key)

    @property
    def streams(self) -> Collection[ModelStream]:
        """All that there ever were."""
        return self._model.streams.values()

    @cached_property
    def by_key(self) -> dict[str, list[Record]]:
        """All changes of each item, in their order; asked for when nothing changes any more."""
        found: dict[str, list[Record]] = {}
        for record in sorted(self.records.values(), key=lambda record: record.place):
            found.setdefault(record.key, []).append(record)
        return found

    def note_shards(self) -> list[ShardTruth]:
        """Take in shards that are new in the model."""
        fresh = []
        for stream in self._model.streams.values():
            for shard in stream.shards.values():
                if shard.shard_id not in self.shards:
                    truth = ShardTruth(shard, stream)
                    self.shards[shard.shard_id] = truth
                    fresh.append(truth)
        return fresh

    def wrote(
        self,
        stream: ModelStream,
        key: str,
        kinds: tuple[Kind, Kind],
        item: Item | None = None,
        *,
        touched: bool = False,
    ) -> Record | None:
        """The newest record of the stream, which has just been written."""
        for shard in stream.open_shards:
            truth = self.shards[shard.shard_id]
            if len(shard.history) > len(truth.records):
                entry = shard.history[-1]
                ordinal = len(truth.records)
                at = entry.at
                record = Record(entry.sequence, truth, ordinal, key, kinds, at, item, touched)
                for name in dict.fromkeys(name for rules in self._versions for name in rules):
                    expected = frozenset(
                        expected_of(rules, name, kinds, touched=touched) if name in rules else None
                        for rules in self._versions
                    )
                    if expected != {None}:
                        record.events[name] = EventTruth(record, name, expected)
                truth.records.append(record)
                self.records[record.sequence] = record
                return record
        return None

    def forget(self, before: float) -> int:
        """The stream forgets what is older than `before` (epoch seconds); returns how many."""
        trimmed = {shard.id: shard.shard.trimmed for shard in self.shards.values()}
        for stream in self._model.streams.values():
            stream.retain_after(before)
        count = 0
        for shard in self.shards.values():
            for record in shard.records[trimmed[shard.id] : shard.shard.trimmed]:
                count += 1
                if self.is_unknown(shard) or not self.is_settled(record):
                    record.excused = self._unseen(record)
        self.trims += count
        return count

    def _unseen(self, record: Record) -> bool:
        """Gone before anybody could know of it.

        It was old when its shard's row was made, or when the stream was listed for the first time;
        or no listing showed the shard, and nothing is left that names it.
        """
        key = record.shard.stream_key
        stream, row = self._table.streams.get(key), self._table.of(key).get(record.shard.id)
        if row is not None:
            return not row.checkpoint.isdigit() and record.at <= row.created_at - SURE
        if stream is None or stream.swept_at is None or record.at <= stream.swept_at - SURE:
            return True
        return not self._is_named(record.shard)

    def _is_named(self, shard: ShardTruth) -> bool:
        """A descendant of the shard has a row, or can still get one."""
        rows = self._table.of(shard.stream_key)
        children = [other for other in self.shards.values() if other.shard.parent == shard.id]
        return any(
            child.id in rows or not child.shard.gone or self._is_named(child) for child in children
        )

    # -- what is settled

    def is_settled(self, record: Record) -> bool:
        if record.excused or not record.left:
            return True
        if self.is_skipped(record) or self._is_covered(record) or self.is_unknown(record.shard):
            return True
        if is_passed_over(self._table, record) or self.is_passed_by(record.shard.stream):
            return True
        # Whatever could have named its shard may be gone, too, by now.
        forgotten = record.ordinal < record.shard.shard.trimmed
        unlisted = record.shard.id not in self._table.of(record.shard.stream_key)
        record.excused = forgotten and unlisted and self._unseen(record)
        return record.excused

    def is_unknown(self, shard: ShardTruth) -> bool:
        """Of a stream that was over before the application first looked at the table.

        A worker that had looked before may still make it known.
        """
        rows = self._table.streams
        return bool(rows) and shard.stream_key not in rows and not shard.stream.enabled

    def lease_counter(self, shard: ShardTruth) -> int:
        """Return the counter of a shard's lease, which rises with every owner; 0 without a row."""
        row = self._table.of(shard.stream_key).get(shard.id)
        return 0 if row is None else row.counter

    def is_passed_by(self, stream: ModelStream) -> bool:
        """A gap row says that nothing of the stream is read."""
        gaps = self._table.gaps.get(f"{stream.table}/{stream.label}", {})
        return any(
            gap.shard_id == ALL_SHARDS and gap.reason != BETWEEN_STREAMS for gap in gaps.values()
        )

    def waits_for_operator(self, stream: ModelStream) -> bool:
        """It cannot be read, is the newest that is known, and no newer one can be found."""
        newer = any(row.label > stream.label for row in self._table.streams.values())
        return not fits(stream) and not newer and stream.table not in self._model.tables

    def is_skipped(self, record: Record) -> bool:
        """Older than the stream's start: need not be delivered.

        A start at LATEST is known to the second.
        """
        row = self._table.streams.get(record.shard.stream_key)
        if row is None or row.started_at is None:
            return False
        # 0: the stream was gone before its start at LATEST was complete.
        latest = row.start_position == LATEST
        return not row.started_at or record.at < row.started_at + (1.0 if latest else 0.0)

    def is_early(self, record: Record) -> bool:
        """Before the minute of the stream's start: must not be delivered, but for a seek."""
        row = self._table.streams.get(record.shard.stream_key)
        if row is None or not row.started_at or is_sought(self._table, record.shard):
            return False
        return int(record.at) < row.started_at - row.started_at % 60.0

    def note_opening(self, shard_id: str, now: float) -> bool:
        """Somebody opens a shard at its oldest record. False if its stored iterator still lives."""
        shard = self.shards[shard_id]
        row = self._table.of(shard.stream_key).get(shard_id)
        if row is None or row.checkpoint != LATEST:
            return True
        shard.reread = True
        if row.start_iterator is None or row.start_iterator in self.spoilt:
            return True
        try:
            self._model.get_records(row.start_iterator, now, 1)
        except ServiceError:
            return True
        return False

    def is_stepping_back(self, record: Record) -> bool:
        """A record that may follow newer ones of its key.

        By a seek; or it is of the minute of a start at LATEST.

        Its shard has been opened anew at its oldest record, because the stored iterator had
        expired before anything was settled (see docs/guarantees.md).
        """
        rereads = record.shard.reread and self.is_skipped(record)
        return rereads or is_sought(self._table, record.shard)

    def _is_covered(self, record: Record) -> bool:
        if record.ordinal >= record.shard.shard.trimmed:
            return False
        gaps = self._table.gaps.get(record.shard.stream_key, {})
        told = is_told(self._table, record.shard)
        return any(
            (told or gap.reason != SEEK) and (_covers(gap, record) or self._includes(gap, record))
            for gap in gaps.values()
        )

    def _includes(self, gap: Gap, record: Record) -> bool:
        """A gap of a shard that nobody saw speaks for what came before it unseen, too."""
        rows = self._table.of(record.shard.stream_key)
        place: str | None = gap.shard_id
        while place is not None and place not in rows:
            if place == record.shard.id:
                return gap.from_ == TRIM_HORIZON
            truth = self.shards.get(place)
            place = None if truth is None else truth.shard.parent
        return False

    def first_unsettled(self, shard: ShardTruth) -> Record | None:
        records = shard.records
        while shard.settled < len(records) and self.is_settled(records[shard.settled]):
            shard.settled += 1
        return records[shard.settled] if shard.settled < len(records) else None

    def is_done(self, shard: ShardTruth) -> bool:
        """Closed, and all of it and of what came before it is settled or gone from the stream."""
        if not shard.done:
            closed = shard.shard.ending is not None or shard.shard.gone
            shard.done = (
                closed
                and self._is_read(shard)
                and all(self.is_done(before) for before in self.before(shard))
            )
        return shard.done

    def _is_read(self, shard: ShardTruth) -> bool:
        first = self.first_unsettled(shard)
        rest = [] if first is None else shard.records[max(first.ordinal, shard.shard.trimmed) :]
        return all(self.is_settled(record) for record in rest)

    def before(self, shard: ShardTruth) -> list[ShardTruth]:
        """What must be done before anything of this shard is sent."""
        parent = self.shards.get(shard.shard.parent or "")
        if parent is not None:
            return [parent]
        if shard.shard.parent is not None:
            return []
        return [
            other
            for other in self.shards.values()
            if other.stream.created_at < shard.stream.created_at
            and not self._began_first(shard.stream, other.stream)
        ]

    def _began_first(self, stream: ModelStream, older: ModelStream) -> bool:
        """The application began with this stream, and a worker knew an older one only later.

        A worker of the first start may have looked at the table just before the older one was
        replaced, and write its row when another has begun with the new one already.
        """
        began = [*self._table.streams]
        keys = [f"{each.table}/{each.label}" for each in (stream, older)]
        return set(keys) <= set(began) and began.index(keys[0]) < began.index(keys[1])

    def unsettled(self) -> list[Record]:
        """The first unsettled record of every shard that has one and need not wait for people."""
        found = (
            self.first_unsettled(shard)
            for shard in self.shards.values()
            if not self.waits_for_operator(shard.stream)
        )
        return [record for record in found if record is not None]


def _covers(gap: Gap, record: Record) -> bool:
    """Between `from` and `to`; without `to` as far as the stream has forgotten."""
    if gap.shard_id != record.shard.id or (gap.to is not None and record.sequence >= int(gap.to)):
        return False
    begun = sequence_of(gap.from_)
    return (begun is None or begun < record.sequence) and names(gap, record)


def fits(stream: ModelStream) -> bool:
    """Its records have the images that the events need."""
    return stream.view_type is ViewType.NEW_AND_OLD_IMAGES


def wall(now: float) -> float:
    """Epoch seconds at a loop time."""
    return EPOCH + now
