"""One answer of the table: items, what they cost, and where to go on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

if TYPE_CHECKING:
    from msgspec import Raw

    from consumer.core.republish.table.read_item import ReadItem


class TableAnswer(Struct, frozen=True):
    """The items that were read, those that are absent included where keys were asked for.

    `capacity` is what the call has used, in read units. `unread` are keys that were asked for and
    not read. Behind the key `after` the next page begins; None after the last one.
    """

    items: tuple[ReadItem, ...]
    capacity: float = 0.0
    unread: tuple[Raw, ...] = ()
    after: Raw | None = None
