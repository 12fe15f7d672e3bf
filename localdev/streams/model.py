"""DynamoDB Streams as values: tables, their streams, and the four calls that read these.

Pure: no clock (every call that needs the time is given `now` in epoch seconds), no randomness (what
looks random is a function of the seed), nothing outside the object. Times passed in never go back.
Sources of the rules: the DynamoDB Streams developer guide and API reference, as collected in the
service model of botocore; what users report stands where it is used.
"""

from dataclasses import dataclass
from itertools import islice

from localdev.streams import names
from localdev.streams.errors import ErrorCode, ServiceError, invalid, not_found
from localdev.streams.iterator import LIFETIME_SECONDS, IteratorType, Position, read_token
from localdev.streams.key_schema import KeySchema
from localdev.streams.record import ViewType
from localdev.streams.shard import PAGE_RECORDS, Shard
from localdev.streams.stream import LISTING_SHARDS, Stream
from localdev.streams.table import Table

RETENTION_SECONDS = 24 * 3600.0  # AWS: how long a stream holds a record


@dataclass(slots=True)
class Options:
    """How the service behaves where it may do one or the other. May be changed at any time.

    `child_filter`: honour ShardFilter CHILD_SHARDS; emulators answer with the whole listing.
    `children_delay`: seconds after a shard closed in which CHILD_SHARDS answers nothing.
    `closing_page_has_records`: the last records of a closed shard come without an iterator; else
    with one more, whose page is empty.
    `exponent_times`: of streams enabled from now on, write times as 1.46480431E9.
    """

    child_filter: bool = True
    children_delay: float = 0.0
    closing_page_has_records: bool = True
    exponent_times: bool = False
    iterator_lifetime: float = LIFETIME_SECONDS


@dataclass(frozen=True, slots=True)
class ShardPage:
    """One page of a listing; `last_evaluated` does not prove that more follow."""

    shards: tuple[Shard, ...]
    last_evaluated: str | None


@dataclass(frozen=True, slots=True)
class RecordPage:
    """One answer of GetRecords: the JSON of each record; no iterator: closed, read to its end."""

    records: list[bytes]
    next_iterator: str | None


class StreamsModel:
    """All tables and streams of one account and Region."""

    def __init__(self, seed: str, options: Options | None = None) -> None:
        self.seed = seed
        self.options = options or Options()
        self.tables: dict[str, Table] = {}
        self.streams: dict[str, Stream] = {}
        self._generation = 0

    def create_table(
        self,
        name: str,
        key_schema: KeySchema,
        now: float,
        view_type: ViewType | None = ViewType.NEW_AND_OLD_IMAGES,
        shards: int = 1,
    ) -> Table:
        """Create a table, with a stream of so many shards if a view type is given."""
        if name in self.tables:
            raise ServiceError(ErrorCode.RESOURCE_IN_USE, f"Table already exists: {name}")
        table = self.tables[name] = Table(name, key_schema, now, shards)
        if view_type is not None:
            self.enable_stream(name, view_type, now)
        return table

    def table(self, name: str) -> Table:
        """Return a table. Raises ServiceError (not found)."""
        if name not in self.tables:
            raise not_found(f"Table: {name} not found")
        return self.tables[name]

    def enable_stream(self, table_name: str, view_type: ViewType, now: float) -> Stream:
        """Give a table a new stream: new ARN, new label, no lineage to an older one."""
        table = self.table(table_name)
        if table.stream is not None and table.stream.enabled:
            raise invalid(f"Table already has an enabled stream: TableName: {table_name}")
        milliseconds = int(now * 1000)
        while (arn := names.stream_arn(table_name, label := names.stream_label(milliseconds))) in (
            self.streams
        ):
            milliseconds += 1
        stream = Stream(arn, label, table_name, table.key_schema, view_type, now, self.seed)
        stream.exponent_times = self.options.exponent_times
        stream.open_with(table.initial_shards, now)
        self.streams[arn] = table.stream = stream
        return stream

    def disable_stream(self, table_name: str, now: float) -> Stream:
        """Close all shards of the table's stream; it stays readable until it ages out."""
        stream = self.table(table_name).stream
        if stream is None or not stream.enabled:
            raise invalid("Table does not have a stream to disable")
        stream.disable(now)
        return stream

    def stream(self, arn: str) -> Stream:
        """Return a stream. Raises ServiceError (not found), also after it aged out."""
        stream = self.streams.get(arn)
        if stream is None or stream.gone:
            raise not_found(f"Stream: {arn} not found")
        return stream

    def list_streams(
        self, table_name: str | None = None, after: str | None = None, limit: int = 100
    ) -> tuple[list[Stream], str | None]:
        """Return streams by ARN, and the last one's if there may be more."""
        found = (
            stream
            for arn, stream in sorted(self.streams.items())
            if not stream.gone
            and table_name in (None, stream.table)
            and (after is None or arn > after)
        )
        page = list(islice(found, limit))
        return page, page[-1].arn if len(page) == limit else None

    def describe_stream(
        self, arn: str, after: str | None = None, limit: int = LISTING_SHARDS
    ) -> ShardPage:
        """Return a page of the listing, from the shard that comes after the one named."""
        listed = self.stream(arn).listed()
        found = [shard for shard in listed if after is None or shard.shard_id > after][:limit]
        return ShardPage(tuple(found), found[-1].shard_id if len(found) == limit else None)

    def child_shards(
        self,
        arn: str,
        shard_id: str,
        now: float,
        after: str | None = None,
        limit: int = LISTING_SHARDS,
    ) -> ShardPage:
        """Return a page of a shard's direct children, if the service honours the filter."""
        if not self.options.child_filter:
            return self.describe_stream(arn, after, limit)
        stream = self.stream(arn)
        closed_at = stream.shard(shard_id).closed_at
        if closed_at is None or now < closed_at + self.options.children_delay:
            return ShardPage((), None)
        children = [shard for shard in stream.listed() if shard.parent == shard_id]
        found = [shard for shard in children if after is None or shard.shard_id > after][:limit]
        return ShardPage(tuple(found), found[-1].shard_id if len(found) == limit else None)

    def get_shard_iterator(
        self,
        arn: str,
        shard_id: str,
        kind: IteratorType,
        now: float,
        sequence: int | None = None,
    ) -> str:
        """Return an iterator. Raises ServiceError: not found, trimmed, validation."""
        ordinal = self.stream(arn).shard(shard_id).ordinal(kind, sequence)
        return self._iterator(arn, shard_id, ordinal, now)

    def get_records(
        self, iterator: str, now: float, limit: int = PAGE_RECORDS, *, empty: bool = False
    ) -> RecordPage:
        """Return the next page; `empty` gives one without records whatever there is to read.

        Raises ServiceError: expired iterator, not found, trimmed, validation.
        """
        at = read_token(iterator, self.seed)
        age = now - at.issued_at
        if at.generation != self._generation or age > self.options.iterator_lifetime:
            raise ServiceError(ErrorCode.EXPIRED_ITERATOR, "Iterator expired")
        shard = self.stream(at.stream_arn).shard(at.shard_id)
        records = [] if empty else shard.page(at.ordinal, limit)
        ordinal = at.ordinal + len(records)
        ended = shard.ending is not None and ordinal == len(shard.history) and not empty
        if ended and (self.options.closing_page_has_records or not records):
            return RecordPage(records, None)
        return RecordPage(records, self._iterator(at.stream_arn, at.shard_id, ordinal, now))

    def shard_of(self, iterator: str) -> str:
        """Return the id of the shard that an iterator reads. Raises ServiceError (validation)."""
        return read_token(iterator, self.seed).shard_id

    def expire_iterators(self) -> None:
        """Make all iterators handed out so far expire now."""
        self._generation += 1

    def retain(self, now: float, seconds: float = RETENTION_SECONDS) -> None:
        """Forget records written, and shards closed, more than so long ago."""
        for stream in self.streams.values():
            stream.retain_after(now - seconds)

    def _iterator(self, arn: str, shard_id: str, ordinal: int, now: float) -> str:
        return Position(arn, shard_id, ordinal, now, self._generation).token(self.seed)
