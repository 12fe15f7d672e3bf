"""Listings that are out of date, or wrong, for a while; and the listing as one call sees it.

The real service sometimes does all of this, or may do it: its listings are eventually consistent.
Records are never affected: a reader that waits until the lies have ended finds them all.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

from localdev.streams import names
from localdev.streams.model.shard import Shard
from localdev.streams.model.stream import LISTING_SHARDS, Stream

DAY_SECONDS: Final = 24 * 3600.0  # AWS: closed shards stay listed for about this long


@dataclass(frozen=True, slots=True)
class Lies:
    """The errors of all listings, and their longest durations. By default there are none.

    Seconds that say `up to` are drawn between 0 and the number: for each call, or for each shard
    once. The shards that a stream began with are listed from the start.

    `lag`: each call sees the listing as it was up to this many seconds ago, so that it can go
    backwards from one call to the next, and from one page to the next.
    `hidden`: a new shard is not listed for up to this time: a closed shard has no child yet, or
    with fast rotation, a child is listed before its parent.
    `open_still`: a closed shard is shown open for up to this time, even if its children are shown.
    `unlisted`: this part of the shards, 0 to 1, is not listed for `unlisted_seconds` (by default as
    long as the service holds a shard): their children name a parent that no listing has. They can
    be read, and CHILD_SHARDS shows them.
    `shuffled`: the order of a listing is random: children may come before their parents.
    `page`: shards on a page, if a call does not ask for fewer.
    `last_named`: this part of the pages after which nothing follows has a LastEvaluatedShardId.
    """

    lag: float = 0.0
    hidden: float = 0.0
    open_still: float = 0.0
    unlisted: float = 0.0
    unlisted_seconds: float = DAY_SECONDS
    shuffled: bool = False
    page: int = LISTING_SHARDS
    last_named: float = 0.0

    def __post_init__(self) -> None:
        """Refuse numbers that make no sense."""
        if min(self.lag, self.hidden, self.open_still, self.unlisted_seconds) < 0:
            raise ValueError("a lie lasts 0 seconds or more")
        if not (0 <= self.unlisted <= 1 and 0 <= self.last_named <= 1):
            raise ValueError("a part is a number from 0 to 1")
        if not 1 <= self.page <= LISTING_SHARDS:
            raise ValueError(f"a page has 1 to {LISTING_SHARDS} shards")


class LieKind(StrEnum):
    """The kinds of lies about one shard."""

    HIDDEN = "hidden"  # it is not listed
    OPEN = "open"  # it is shown open


@dataclass(frozen=True, slots=True)
class Lie:
    """What listings say of one shard until a time (epoch seconds)."""

    kind: LieKind
    shard_id: str
    until: float


@dataclass(frozen=True, slots=True)
class View:
    """A stream's listing as one call sees it.

    `now` is the time of the call, `as_of` the moment that the listing shows: `lag` earlier.
    """

    stream: Stream
    lies: Lies
    told: Sequence[Lie]
    now: float
    as_of: float

    def listing(self) -> list[Shard]:
        """Return the shards of a plain listing, in its order."""
        shown = (
            self._described(shard)
            for shard in self.stream.listed()
            if self._is_known(shard) and not self._is_unlisted(shard)
        )
        return sorted(shown, key=lambda shard: self.place(shard.shard_id))

    def children(self, shard_id: str) -> list[Shard]:
        """Return a shard's direct children, in the order of the listing."""
        shown = (
            self._described(shard)
            for shard in self.stream.listed()
            if shard.parent == shard_id and self._is_known(shard)
        )
        return sorted(shown, key=lambda shard: self.place(shard.shard_id))

    def place(self, shard_id: str) -> str:
        """Return what decides where in the listing a shard stands."""
        return names.digest(self.stream.seed, shard_id) if self.lies.shuffled else shard_id

    def _is_known(self, shard: Shard) -> bool:
        if self._is_told(LieKind.HIDDEN, shard):
            return False
        if shard.parent is None:
            return True
        return shard.created_at + self._drawn("hidden", shard, self.lies.hidden) <= self.as_of

    def _is_unlisted(self, shard: Shard) -> bool:
        until = shard.created_at + self.lies.unlisted_seconds
        if not self.lies.unlisted or shard.parent is None or self.as_of >= until:
            return False
        return self._drawn("unlisted", shard, 1.0) < self.lies.unlisted

    def _described(self, shard: Shard) -> Shard:
        if shard.closed_at is None:
            return shard
        since = shard.closed_at + self._drawn("open", shard, self.lies.open_still)
        if since <= self.as_of and not self._is_told(LieKind.OPEN, shard):
            return shard
        return replace(shard, ending=None, closed_at=None)

    def _is_told(self, kind: LieKind, shard: Shard) -> bool:
        return any(
            lie.kind is kind and lie.shard_id == shard.shard_id and self.now < lie.until
            for lie in self.told
        )

    def _drawn(self, what: str, shard: Shard, most: float) -> float:
        """Return a number from 0 to `most` that is the shard's own."""
        return most and most * names.fraction(self.stream.seed, what, shard.shard_id)
