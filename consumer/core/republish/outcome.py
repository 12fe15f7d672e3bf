"""What became of an item that was to be published again."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

if TYPE_CHECKING:
    from msgspec import Raw

    from consumer.core.republish.item_event import Refusal


class Outcome(Struct, frozen=True):
    """Of the item with these keys, `stored` events are stored, and each of `refusals` is not.

    Neither: no route takes it. `gone` says that it was absent, so that its events are D.
    """

    keys: Raw
    stored: int
    refusals: tuple[Refusal, ...] = ()
    gone: bool = False

    @property
    def taken(self) -> bool:
        """Whether any route takes it."""
        return bool(self.stored or self.refusals)
