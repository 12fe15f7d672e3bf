"""What DescribeTable says of a table."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct, field

if TYPE_CHECKING:
    from collections.abc import Mapping

    from consumer.core.stream.stream import Stream


class TableDescription(Struct, frozen=True):
    """A table as described.

    `keys` are the attributes of its primary key, the partition key first, and `key_types` their
    types (S, N, B). `stream` is its latest stream, None if it never had one. `items` and
    `size_bytes` are up to six hours old. `read_capacity` is provisioned, in units a second; None on
    demand, as `write_capacity`. `replicas` are the Regions of its replicas, `strong` says that they
    are MULTI_REGION consistent. `defined` are the key attributes of the table and of its indexes.
    """

    name: str
    arn: str
    keys: tuple[str, ...]
    key_types: Mapping[str, str]
    stream: Stream | None = None
    items: int = 0
    size_bytes: int = 0
    read_capacity: float | None = None
    replicas: tuple[str, ...] = field(default=())
    strong: bool = False
    write_capacity: float | None = None
    defined: frozenset[str] = frozenset()

    @property
    def item_bytes(self) -> float | None:
        """The mean size of an item, None if it is not known."""
        return self.size_bytes / self.items if self.items else None
