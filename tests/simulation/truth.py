"""What was written to the table, by shard, and what has become of each record."""

from dataclasses import dataclass, field

from consumer.core.lease import TRIM_HORIZON, Gap
from localdev.streams.model import StreamsModel
from localdev.streams.shard import Shard as ModelShard
from localdev.streams.stream import Stream as ModelStream
from tests.twins.lease_table import LeaseTable
from tests.twins.virtual_time import EPOCH

SURE = 3600.0 - 60.0
"""A record that was already this old when its shard's row was made may go without a gap row."""


@dataclass(slots=True, eq=False)
class Record:
    """One change. `accepted` and `dead` count the times that Nakadi or the queue has stored it."""

    sequence: int
    shard: "ShardTruth"
    ordinal: int
    key: str
    at: float  # epoch seconds
    accepted: int = 0
    dead: int = 0
    first_body: bytes | None = None
    excused: bool = False

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
    born_at: float = 0.0  # loop time

    @property
    def id(self) -> str:
        return self.shard.shard_id

    @property
    def stream_key(self) -> str:
        return f"{self.stream.table}/{self.stream.label}"


class Truth:
    """Everything that ever was, and the rules which of it must be delivered."""

    def __init__(self, model: StreamsModel, table: LeaseTable) -> None:
        self._model = model
        self._table = table
        self.records: dict[int, Record] = {}
        self.shards: dict[str, ShardTruth] = {}
        self.trims = 0  # records that the stream has forgotten

    def note_shards(self, now: float) -> list[ShardTruth]:
        """Take in shards that are new in the model."""
        fresh = []
        for stream in self._model.streams.values():
            for shard in stream.shards.values():
                if shard.shard_id not in self.shards:
                    truth = ShardTruth(shard, stream, born_at=now)
                    self.shards[shard.shard_id] = truth
                    fresh.append(truth)
        return fresh

    def wrote(self, stream: ModelStream, key: str) -> Record | None:
        """The newest record of the stream, which has just been written."""
        for shard in stream.open_shards:
            truth = self.shards[shard.shard_id]
            if len(shard.history) > len(truth.records):
                entry = shard.history[-1]
                ordinal = len(truth.records)
                record = Record(entry.sequence, truth, ordinal, key, entry.at)
                truth.records.append(record)
                self.records[record.sequence] = record
                return record
        return None

    def forget(self, now: float, before: float) -> int:
        """The stream forgets what is older than `before` (epoch seconds); returns how many."""
        trimmed = {shard.id: shard.shard.trimmed for shard in self.shards.values()}
        for stream in self._model.streams.values():
            stream.retain_after(before)
        count = 0
        for shard in self.shards.values():
            for record in shard.records[trimmed[shard.id] : shard.shard.trimmed]:
                count += 1
                if not self.is_settled(record):
                    record.excused = self._unseen(record, now)
        self.trims += count
        return count

    def _unseen(self, record: Record, now: float) -> bool:
        """Gone before anybody could know of it: the row was young, and nothing had been read."""
        row = self._table.of(record.shard.stream_key).get(record.shard.id)
        if row is None:
            return True
        return not row.checkpoint.isdigit() and record.at <= row.created_at - SURE

    # -- what is settled

    def is_settled(self, record: Record) -> bool:
        if record.accepted or record.dead or record.excused:
            return True
        return self.is_skipped(record) or self._is_covered(record) or self._is_unknown(record)

    def _is_unknown(self, record: Record) -> bool:
        """Of a stream that was over before the application first looked at the table."""
        rows = self._table.streams
        return (
            bool(rows) and record.shard.stream_key not in rows and not record.shard.stream.enabled
        )

    def is_skipped(self, record: Record) -> bool:
        """Older than the stream's start: need not be delivered.

        Who takes a shard at LATEST again may send such a record, after newer ones.
        """
        row = self._table.streams.get(record.shard.stream_key)
        if row is None or row.started_at is None:
            return False
        # 0: the stream was gone before its start at LATEST was complete.
        return not row.started_at or record.at < row.started_at + 1.0

    def _is_covered(self, record: Record) -> bool:
        if record.ordinal >= record.shard.shard.trimmed:
            return False
        gaps = self._table.gaps.get(record.shard.stream_key, {})
        return any(_covers(gap, record) for gap in gaps.values())

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
        born = shard.stream.created_at
        return [other for other in self.shards.values() if other.stream.created_at < born]

    def unsettled(self) -> list[Record]:
        """The first unsettled record of every shard that has one."""
        found = (self.first_unsettled(shard) for shard in self.shards.values())
        return [record for record in found if record is not None]


def _covers(gap: Gap, record: Record) -> bool:
    """From `from` on, as far as the stream has forgotten.

    `to` is not asked for: who meets the same gap again, and more of it, leaves the row as it is.
    """
    if gap.shard_id != record.shard.id:
        return False
    return gap.from_ == TRIM_HORIZON or int(gap.from_) < record.sequence


def wall(now: float) -> float:
    """Epoch seconds at a loop time."""
    return EPOCH + now
