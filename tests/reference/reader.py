"""A reader of the events: what it keeps of each item, and what an event does to it.

The numbers are those of the rules in docs/readers.md. The judge of the simulation reads every log
with it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from math import inf
from typing import Any

Event = Mapping[str, Any]
Item = Mapping[str, Any]
Key = tuple[Any, ...]
Place = tuple[str | None, str]
"""`change.stream`, None in an event of an older version, and `change.sequence`."""

NEVER = 0.0
TOMBSTONE_SECONDS = 15 * 24 * 3600.0
CLOCKS_DIFFER = 1.0  # seconds, at most


@dataclass(frozen=True)
class Kept:
    """What a reader keeps of a key. `item` None: a tombstone, written at `gone_at`.

    `made` is the time of what was applied last by its place, `read_at` that of the newest reading
    of the table which was applied. All times are in epoch seconds.
    """

    place: Place
    item: Item | None
    made: float
    read_at: float = NEVER
    gone_at: float = inf


@dataclass(frozen=True)
class Said:
    """What an event says of its key."""

    key: Key
    place: Place
    item: Item | None
    made: float
    read_at: float | None
    snapshot: str | None


class Reader:
    """It reads one event type. `keys` are the members of `data` that name an item.

    With `repaired` it follows rule 6, too. `cut` is to how many seconds times of changes are cut:
    DynamoDB Local cuts them to the minute.
    """

    def __init__(self, keys: Sequence[str], *, repaired: bool = False, cut: int = 1) -> None:
        self.kept: dict[Key, Kept] = {}
        self._keys = keys
        self._repaired = repaired
        self._cut = cut
        self._first: str | None = None  # label of a stream that it has seen
        self._seen: dict[str, set[Key]] = {}  # by the id of a snapshot

    @property
    def items(self) -> dict[Key, Item]:
        """What it takes to be in the table."""
        return {key: kept.item for key, kept in self.kept.items() if kept.item is not None}

    def take(self, event: Event, now: float) -> None:
        """Read the next event, at `now`."""
        said = said_by(event, self._keys)
        self._first = self._first or said.place[0]
        if said.snapshot is not None:
            self._seen.setdefault(said.snapshot, set()).add(said.key)
        kept = self.kept.get(said.key)
        if kept is None:
            self._apply(said, said.place, NEVER, now)
        elif self._rank(said.place) > self._rank(kept.place):  # 1
            if self._repaired and self._is_in(said, kept):  # 6
                self.kept[said.key] = replace(kept, place=said.place)
            else:
                self._apply(said, said.place, kept.read_at, now)
        elif self._repaired and self._repairs(said, kept):  # 6
            self._apply(replace(said, made=kept.made), kept.place, kept.read_at, now)

    def forget(self, now: float) -> None:
        """Forget tombstones that no dead letter can meet any more (2)."""
        for key, kept in [*self.kept.items()]:
            if kept.gone_at <= now - TOMBSTONE_SECONDS:
                del self.kept[key]

    def sweep(self, snapshot: str, start: float, now: float) -> None:
        """Remove what a snapshot did not find, once its end is behind the reader (7)."""
        seen = self._seen.pop(snapshot, set())
        surely_before = start - self._cut - CLOCKS_DIFFER
        for key, kept in self.kept.items():
            since = max(kept.made, kept.read_at)
            if kept.item is not None and key not in seen and since < surely_before:
                self.kept[key] = replace(kept, item=None, gone_at=now)

    def _apply(self, said: Said, place: Place, read_at: float, now: float) -> None:
        latest = max(read_at, NEVER if said.read_at is None else said.read_at)
        gone_at = now if said.item is None else inf
        self.kept[said.key] = Kept(place, said.item, said.made, latest, gone_at)

    def _repairs(self, said: Said, kept: Kept) -> bool:
        """The table was read after what was applied last was made."""
        read_at = said.read_at
        return read_at is not None and kept.made < self._floor(read_at) and kept.read_at < read_at

    def _is_in(self, said: Said, kept: Kept) -> bool:
        """What is kept was read from the table after this was made, or read."""
        if said.read_at is not None:
            return said.read_at <= kept.read_at
        return said.made < self._floor(kept.read_at)

    def _floor(self, time: float) -> float:
        return time // self._cut * self._cut

    def _rank(self, place: Place) -> tuple[str, str]:
        """An event without a stream counts as one of the first stream that was seen."""
        stream, sequence = place
        return stream or self._first or "", sequence


class LastByArrival(Reader):
    """A sink that keeps what came last, as a compacted topic or a plain upsert does."""

    def take(self, event: Event, now: float) -> None:
        said = said_by(event, self._keys)
        self._apply(said, said.place, NEVER, now)


def said_by(event: Event, keys: Sequence[str]) -> Said:
    """Take an event in the flat layout apart. KeyError: it has no place."""
    data, change = event["data"], event["data"]["change"]
    item = {name: data[name] for name in data if name not in ("change", "patch")}  # 3
    read_at = change.get("read_at")
    return Said(
        key=tuple(data[name] for name in keys),
        place=(change.get("stream"), change["sequence"]),
        item=None if event["data_op"] == "D" else item,
        made=seconds(event["metadata"]["occurred_at"]),
        read_at=None if read_at is None else seconds(read_at),
        snapshot=change.get("snapshot"),
    )


def seconds(time: str) -> float:
    """Return a time of an event in epoch seconds."""
    return datetime.fromisoformat(time).timestamp()
