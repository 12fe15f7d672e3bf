"""Our model of DynamoDB Streams, called directly."""

from __future__ import annotations

import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

import orjson

from localdev.streams.errors import ServiceError
from localdev.streams.model.iterator import IteratorType
from localdev.streams.model.key_schema import KeySchema
from localdev.streams.model.record import ViewType
from localdev.streams.model.streams_model import StreamsModel
from tests.conformance.streams.stream_services import ListedShard, Listing, Refused

if TYPE_CHECKING:
    from collections.abc import Iterator

    from localdev.streams.model.shard import Shard
    from localdev.streams.model.stream import Stream
    from tests.conformance.streams.stream_services import Item, Record


class ModelService:
    """The model itself, nothing between."""

    def __init__(self) -> None:
        self.model = StreamsModel("conformance")

    def create(self, table: str, view: str | None, *, sort: bool = False) -> None:
        schema = KeySchema("id", "at" if sort else None, {"id": "S", "at": "N"})
        kind = None if view is None else ViewType(view)
        with _refusals():
            self.model.create_table(table, schema, time.time(), kind)

    def enable(self, table: str, view: str) -> None:
        with _refusals():
            self.model.enable_stream(table, ViewType(view), time.time())

    def disable(self, table: str) -> None:
        with _refusals():
            self.model.disable_stream(table, time.time())

    def put(self, table: str, item: Item) -> None:
        with _refusals():
            self.model.table(table).put(item, time.time())

    def put_all(self, table: str, items: list[Item]) -> None:
        for item in items:
            self.put(table, item)

    def delete(self, table: str, key: Item) -> None:
        with _refusals():
            self.model.table(table).delete(key, time.time())

    def latest(self, table: str) -> str | None:
        with _refusals():
            stream = self.model.table(table).stream
        return None if stream is None else stream.arn

    def streams(
        self, table: str | None, after: str | None = None, limit: int = 100
    ) -> tuple[list[str], str | None]:
        with _refusals():
            found, last = self.model.list_streams(table, after, limit, time.time())
        return [stream.arn for stream in found], last

    def describe(
        self, arn: str, after: str | None = None, limit: int = 100, children_of: str | None = None
    ) -> Listing:
        with _refusals():
            stream, now = self.model.stream(arn), time.time()
            if children_of is None:
                page = self.model.describe_stream(arn, after, limit, now)
            else:
                page = self.model.child_shards(arn, children_of, now, after, limit)
        return Listing(
            arn=arn,
            label=stream.label,
            table=stream.table,
            status="ENABLED" if stream.enabled else "DISABLED",
            view=str(stream.view_type),
            keys=[(key["AttributeName"], key["KeyType"]) for key in stream.key_schema.wire()],
            shards=[_listed(shard) for shard in page.shards],
            last=page.last_evaluated,
        )

    def iterator(self, arn: str, shard: str, kind: str, sequence: str | None = None) -> str:
        number = None if sequence is None else int(sequence)
        with _refusals():
            return self.model.get_shard_iterator(
                arn, shard, IteratorType(kind), time.time(), number
            )

    def records(self, iterator: str, limit: int = 1000) -> tuple[list[Record], str | None]:
        with _refusals():
            page = self.model.get_records(iterator, time.time(), limit)
        return [orjson.loads(record) for record in page.records], page.next_iterator

    def split(self, table: str, shard: str, children: int) -> None:
        self._stream(table).replace(shard, time.time(), children)

    def trim(self, table: str, up_to: str) -> None:
        for shard in self._stream(table).listed():
            shard.trim(int(up_to))

    def age_out(self, table: str, shard: str) -> None:
        self._stream(table).shard(shard).age_out()

    def expire_iterators(self) -> None:
        self.model.expire_iterators()

    def _stream(self, table: str) -> Stream:
        stream = self.model.table(table).stream
        assert stream is not None
        return stream


def _listed(shard: Shard) -> ListedShard:
    ending = None if shard.ending is None else str(shard.ending)
    return ListedShard(shard.shard_id, shard.parent, str(shard.starting), ending)


@contextmanager
def _refusals() -> Iterator[None]:
    try:
        yield
    except ServiceError as error:
        raise Refused(error.code.value) from None
