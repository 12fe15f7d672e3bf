"""What serves DynamoDB Streams, behind the same few calls whatever it is.

The calls are those of the API with its own names for errors; answers are reduced to what the suite
compares. Sequence numbers are text, as they are on the wire.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

Item = dict[str, dict[str, Any]]
Record = dict[str, Any]


class Refused(Exception):
    """An answer that is an error; `code` is the service's name for it."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


@dataclass(frozen=True)
class ListedShard:
    """A shard of a listing; an open one has no `ending`."""

    shard_id: str
    parent: str | None
    starting: str | None
    ending: str | None


@dataclass(frozen=True)
class Listing:
    """One answer of DescribeStream."""

    arn: str
    label: str
    table: str
    status: str
    view: str
    keys: list[tuple[str, str]]
    shards: list[ListedShard]
    last: str | None


class Service(Protocol):
    """Every call raises Refused. Tables have the keys `id` (S) and, if `sort`, `at` (N)."""

    def create(self, table: str, view: str | None, *, sort: bool = False) -> None: ...
    def enable(self, table: str, view: str) -> None: ...
    def disable(self, table: str) -> None: ...
    def put(self, table: str, item: Item) -> None: ...
    def put_all(self, table: str, items: list[Item]) -> None: ...
    def delete(self, table: str, key: Item) -> None: ...
    def latest(self, table: str) -> str | None: ...
    def streams(
        self, table: str | None, after: str | None = None, limit: int = 100
    ) -> tuple[list[str], str | None]: ...
    def describe(
        self, arn: str, after: str | None = None, limit: int = 100, children_of: str | None = None
    ) -> Listing: ...
    def iterator(self, arn: str, shard: str, kind: str, sequence: str | None = None) -> str: ...
    def records(self, iterator: str, limit: int = 1000) -> tuple[list[Record], str | None]: ...

    def split(self, table: str, shard: str, children: int) -> None: ...
    def trim(self, table: str, up_to: str) -> None: ...
    def age_out(self, table: str, shard: str) -> None: ...
    def expire_iterators(self) -> None: ...
