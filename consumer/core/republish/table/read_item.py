"""An item as it was read from the table, or that it is not there."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

if TYPE_CHECKING:
    from msgspec import Raw


class ReadItem(Struct, frozen=True):
    """What the table holds of a key.

    `keys` are its primary key and `item` all its attributes, as JSON in DynamoDB's typed form;
    `item` is None if the key is absent. `read_at` is in epoch seconds: the time of the answer or,
    of what was read `twice` and was equal, the middle of the two reads. `last_image` is the newest
    image that an export has of an item that is gone.
    """

    keys: Raw
    item: Raw | None
    read_at: float
    twice: bool = False
    last_image: Raw | None = None


class Busy(Struct, frozen=True):
    """A key whose item was another one each time when it was read. `reads` counts them."""

    keys: Raw
    reads: int
