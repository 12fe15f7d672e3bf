"""A table with a stream, and a reader that follows it, for the tests of the model."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import orjson

from localdev.streams.model.iterator import IteratorType
from localdev.streams.model.key_schema import KeySchema
from localdev.streams.model.record import ViewType
from localdev.streams.model.streams_model import StreamsModel

if TYPE_CHECKING:
    import pytest

    from localdev.streams.errors import ErrorCode, ServiceError
    from localdev.streams.model.options import Options
    from localdev.streams.model.shard import Shard
    from localdev.streams.model.stream import Stream
    from localdev.streams.model.table import Table

START = 1_793_491_200.0  # 2026-11-01T00:00:00Z
SCHEMA = KeySchema("id", None, {"id": "S"})


class World:
    """One table `T` and its stream."""

    def __init__(
        self,
        view_type: ViewType | None = ViewType.NEW_AND_OLD_IMAGES,
        shards: int = 1,
        options: Options | None = None,
        seed: str = "seed",
        schema: KeySchema = SCHEMA,
    ) -> None:
        self.model = StreamsModel(seed, options)
        self.table: Table = self.model.create_table("T", schema, START, view_type, shards)

    @property
    def stream(self) -> Stream:
        assert self.table.stream is not None
        return self.table.stream

    @property
    def shard(self) -> Shard:
        """The only open shard."""
        (shard,) = self.stream.open_shards
        return shard

    def put(self, number: int, now: float = START, key: str = "k") -> None:
        assert self.table.put({"id": {"S": key}, "n": {"N": str(number)}}, now) is not None

    def iterator(
        self,
        kind: IteratorType = IteratorType.TRIM_HORIZON,
        sequence: int | None = None,
        *,
        shard: Shard | None = None,
        now: float = START,
    ) -> str:
        shard = shard or self.shard
        return self.model.get_shard_iterator(self.stream.arn, shard.shard_id, kind, now, sequence)

    def numbers(self, iterator: str, now: float = START, limit: int = 1000) -> list[int]:
        """`n` of each record of a page."""
        return numbers(self.model.get_records(iterator, now, limit).records)

    def records(self, shard: Shard | None = None) -> list[Any]:
        """All records of a shard that are still held, parsed."""
        page = self.model.get_records(self.iterator(shard=shard), START)
        return [orjson.loads(record) for record in page.records]


def numbers(records: list[bytes]) -> list[int]:
    """`n` of the new image of each record."""
    return [int(orjson.loads(record)["dynamodb"]["NewImage"]["n"]["N"]) for record in records]


def code_of(raised: pytest.ExceptionInfo[ServiceError]) -> ErrorCode:
    return raised.value.code
