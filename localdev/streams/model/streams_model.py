"""DynamoDB Streams as values: tables, their streams, and the four calls that read these.

Pure: no clock (every call that needs the time is given `now` in epoch seconds), no randomness (what
looks random is a function of the seed), nothing outside the object. Times passed in never go back.
Sources of the rules: the DynamoDB Streams developer guide and API reference, as collected in the
service model of botocore; reports of users are cited where they are used.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice

from localdev.streams import names
from localdev.streams.errors import ErrorCode, ServiceError, invalid, not_found
from localdev.streams.model.iterator import IteratorType, Position, read_token
from localdev.streams.model.key_schema import KeySchema
from localdev.streams.model.limits import (
    DESCRIBE_STREAM_CALLS,
    LIST_STREAMS_CALLS,
    CallRate,
    Readers,
)
from localdev.streams.model.options import Options
from localdev.streams.model.record import ViewType
from localdev.streams.model.shard import PAGE_RECORDS, Shard
from localdev.streams.model.stale_listings import Lie, LieKind, View
from localdev.streams.model.stream import LISTING_SHARDS, Stream
from localdev.streams.model.table import Table

__all__ = ["RETENTION_SECONDS", "Options", "RecordPage", "ShardPage", "StreamsModel"]

RETENTION_SECONDS = 24 * 3600.0  # AWS: how long a stream holds a record


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
        self.told: list[Lie] = []
        self._generation = 0
        self._draws = 0
        self._reader = 0
        self._readers = Readers()
        self._listings = CallRate()
        self._descriptions = CallRate()

    def create_table(
        self,
        name: str,
        key_schema: KeySchema,
        now: float,
        view_type: ViewType | None = ViewType.NEW_AND_OLD_IMAGES,
        shards: int = 1,
    ) -> Table:
        """Create a table, with a stream if a view type is given."""
        if name in self.tables:
            raise ServiceError(ErrorCode.RESOURCE_IN_USE, f"Table already exists: {name}")
        table = self.tables[name] = Table(name, key_schema, now, shards)
        if view_type is not None:
            self.enable_stream(name, view_type, now)
        return table

    def table(self, name: str) -> Table:
        """Return a table. Raise ServiceError (not found)."""
        if name not in self.tables:
            raise not_found(f"Table: {name} not found")
        return self.tables[name]

    def delete_table(self, name: str, now: float) -> Table:
        """Delete a table; its stream is disabled, and stays readable until it ages out."""
        table = self.table(name)
        if table.stream is not None and table.stream.enabled:
            table.stream.disable(now)
        return self.tables.pop(name)

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
        stream.time_resolution = self.options.time_resolution
        stream.lower_case_identity = self.options.lower_case_identity
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
        """Return a stream. Raise ServiceError (not found), also after it aged out."""
        stream = self.streams.get(arn)
        if stream is None or stream.gone:
            raise not_found(f"Stream: {arn} not found")
        return stream

    def list_streams(
        self,
        table_name: str | None = None,
        after: str | None = None,
        limit: int = 100,
        now: float = math.inf,
    ) -> tuple[list[Stream], str | None]:
        """Return streams by ARN, and the last one's if there may be more.

        Raise ServiceError (throttling) if `options.call_limits` are on and `now` is given.
        """
        self._admit(self._listings, now, LIST_STREAMS_CALLS)
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
        self,
        arn: str,
        after: str | None = None,
        limit: int = LISTING_SHARDS,
        now: float = math.inf,
    ) -> ShardPage:
        """Return a page of the listing, from the shard that comes after the one named.

        Without `now` all lies that end are over. Raise ServiceError: not found, throttling.
        """
        self._admit(self._descriptions, now, DESCRIBE_STREAM_CALLS)
        view = self._view(arn, now)
        return self._page(view, view.listing(), after, limit)

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
            return self.describe_stream(arn, after, limit, now)
        self._admit(self._descriptions, now, DESCRIBE_STREAM_CALLS)
        view = self._view(arn, now)
        closed_at = view.stream.shard(shard_id).closed_at
        if closed_at is None or now < closed_at + self.options.children_delay:
            return ShardPage((), None)
        return self._page(view, view.children(shard_id), after, limit)

    def tell_lie(self, kind: LieKind, shard_id: str, now: float, seconds: float) -> None:
        """Let listings show a shard wrongly for a number of seconds from `now`."""
        self.told = [lie for lie in self.told if lie.until > now]
        self.told.append(Lie(kind, shard_id, now + seconds))

    def get_shard_iterator(
        self,
        arn: str,
        shard_id: str,
        kind: IteratorType,
        now: float,
        sequence: int | None = None,
    ) -> str:
        """Return an iterator. Raise ServiceError: not found, trimmed, validation."""
        ordinal = self.stream(arn).shard(shard_id).ordinal(kind, sequence)
        self._reader += 1
        return self._iterator(arn, shard_id, ordinal, now, self._reader)

    def get_records(
        self, iterator: str, now: float, limit: int = PAGE_RECORDS, *, empty: bool = False
    ) -> RecordPage:
        """Return the next page; with `empty` it has no records, even if there are some.

        Raise ServiceError: expired iterator, not found, trimmed, limit exceeded, validation.
        """
        at = read_token(iterator, self.seed)
        age = now - at.issued_at
        if at.generation != self._generation or age > self.options.iterator_lifetime:
            raise ServiceError(ErrorCode.EXPIRED_ITERATOR, "Iterator expired")
        shard = self.stream(at.stream_arn).shard(at.shard_id)
        most = self.options.readers
        if most and not self._readers.admits(at.shard_id, at.reader, now, most):
            raise ServiceError(ErrorCode.LIMIT_EXCEEDED, "Too many readers of this shard")
        empty = empty or self._chance("empty", self.options.empty_pages)
        records = [] if empty else shard.page(at.ordinal, limit)
        ordinal = at.ordinal + len(records)
        ended = shard.ending is not None and ordinal == len(shard.history) and not empty
        if ended and (self.options.closing_page_has_records or not records):
            return RecordPage(records, None)
        following = self._iterator(at.stream_arn, at.shard_id, ordinal, now, at.reader)
        return RecordPage(records, following)

    def shard_of(self, iterator: str) -> str:
        """Return the id of the shard that an iterator reads. Raise ServiceError (validation)."""
        return read_token(iterator, self.seed).shard_id

    def expire_iterators(self) -> None:
        """Let all iterators that were ever returned expire now."""
        self._generation += 1

    def retain(self, now: float, seconds: float = RETENTION_SECONDS) -> None:
        """Forget records written, and shards closed, longer ago than the retention."""
        for stream in self.streams.values():
            stream.retain_after(now - seconds)

    def trim_next(self, iterator: str) -> None:
        """Forget the record that an iterator stands before, and all that are older.

        Nothing happens at the tip. Raise ServiceError: not found, validation.
        """
        at = read_token(iterator, self.seed)
        shard = self.stream(at.stream_arn).shard(at.shard_id)
        if at.ordinal < len(shard.history):
            shard.trim(shard.history[at.ordinal].sequence)

    def _iterator(self, arn: str, shard_id: str, ordinal: int, now: float, reader: int) -> str:
        return Position(arn, shard_id, ordinal, now, self._generation, reader).token(self.seed)

    def _view(self, arn: str, now: float) -> View:
        lies = self.options.lies
        as_of = now - self._drawn("lag") * lies.lag if lies.lag else now
        return View(self.stream(arn), lies, self.told, now, as_of)

    def _page(
        self, view: View, shards: Sequence[Shard], after: str | None, limit: int
    ) -> ShardPage:
        limit = min(limit, view.lies.page)
        place = view.place
        rest = [s for s in shards if after is None or place(s.shard_id) > place(after)]
        page = tuple(rest[:limit])
        named = len(page) == limit or (page and self._chance("last", view.lies.last_named))
        return ShardPage(page, page[-1].shard_id if named else None)

    def _admit(self, calls: CallRate, now: float, most: int) -> None:
        if self.options.call_limits and not calls.admits(now, most):
            raise ServiceError(ErrorCode.THROTTLING, "Rate of requests exceeds the allowed")

    def _chance(self, what: str, part: float) -> bool:
        return part > 0 and self._drawn(what) < part

    def _drawn(self, what: str) -> float:
        """Return a number from 0 to 1: a function of the seed and of how many were drawn before."""
        self._draws += 1
        return names.fraction(self.seed, what, self._draws)
