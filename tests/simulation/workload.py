"""The changes that the application makes to its table."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from itertools import cycle
from typing import TYPE_CHECKING

from consumer.core.event.event import TOUCH_ATTRIBUTE
from tests.simulation.checks.narrowing import HIDDEN, KINDS_OF_ITEMS, Kind, Showing
from tests.simulation.checks.truth import EventTruth, Record, wall
from tests.simulation.twins.nakadi_twin import partition_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from random import Random

    from localdev.streams.model.attribute import Attributes, AttributeValue
    from localdev.streams.model.record import Entry
    from localdev.streams.model.stream import Stream
    from tests.simulation.world import World

HOT = 0.6  # share of the hot key
BURST = 25
POISON = 0.03
OBJECTED = 0.02
TRICKLES = 4
STILL_SENT = 60.0  # seconds
NAMES_TRIED = 1000
REMOVED = 0.05
TOUCHED = 0.2
"""How often an item is touched after a change of the workload."""

HEALTHY: tuple[Kind, ...] = ("A", "B", "B", "A", None, "B", None)
"""Kinds that a healthy item has one after the other; None: it is removed. Whatever an event type
takes, and takes as the rest beside others, some of these changes are among it."""
LEAVES, LONG_NAME = 150, "n" * 5000
"""Where all leaves below a long name change, the patch names it for each of them."""


@dataclass(frozen=True)
class _Written:
    """A change: the bytes of the item after it, and of its patch, at least."""

    entry: Entry | None
    item: int = 0
    patch: int = 0

    def least(self, event: EventTruth) -> int:
        """The bytes that an event has at least."""
        return min(
            self.item * each.shows_new + self.patch * each.patch if each is not None else 0
            for each in event.expected
        )


class Writer:
    """Writes items; each change of an item is a new version of it."""

    def __init__(self, world: World, chance: Random) -> None:
        self._world = world
        self._chance = chance
        self._version = 0
        self._table = world.model.table("orders")  # the last that there was
        self._big = world.scenario.workload.big
        self._long_names = world.scenario.workload.long_names
        self._objected: list[Record] = []
        self._long: set[str] = set()  # keys of items that have the long name now
        self._kinds: dict[str, str] = {}  # of the items that there are now
        self._filtered = world.scenario.has_kinds
        self._healthy: dict[str, Iterator[Kind]] = {}
        self._kind_chance = world.scenario.streams.of("filter", "items")
        self._touches = world.scenario.has("touch")
        self._touch_chance = world.scenario.streams.of("touches")
        self._touched = 0
        self.keys = [f"k{number}" for number in range(world.scenario.workload.keys)]

    @property
    def stream(self) -> Stream | None:
        """The table's latest stream, also when the table is gone."""
        return self._world.model.tables.get("orders", self._table).stream

    def write(self, at: float, key: str | None = None) -> None:
        """One change at `at` (epoch seconds); of a healthy item if its key is given."""
        world, chance = self._world, self._chance
        table = world.model.tables.get("orders", self._table)
        if table is not self._table:
            self._table = table
            self._long.clear()  # it was made again, and is empty
            self._kinds.clear()
        picked = key if key is not None else self._pick()
        self._version += 1
        before = self._kinds.get(picked)
        kind = None if key is None else self._next_kind(key)
        written = self._removed(picked, at, key, kind) or self._put(picked, at, key, kind)
        bad = chance.random()
        stream = self._table.stream
        if written.entry is None or stream is None:
            return
        kinds = (before, self._kinds.get(picked))
        record = world.truth.wrote(stream, picked, kinds, self._table.items.get((picked,)))
        assert record is not None
        events = list(record.events.values())
        for event in events:
            event.size = 0 if self._picks(event.event_type) else written.least(event)
        needed = [event for event in events if None not in event.expected]
        if needed and key is None:  # nobody waits for what need not be stored, so none is lifted
            self._spoil(needed[int(bad * 1e6) % len(needed)], bad)
        detail = f"{picked} {record.sequence}"
        if self._filtered:
            detail += f" {before} to {record.kinds[1]}"
        world.trace.add(world.loop.now, "table", "change", record.shard.id, detail)

    def touch(self, at: float) -> None:
        """Somebody touches an item, if there is one: its kind and all else stay as they are."""
        picked = self._touch_chance.choice(self.keys)
        table = self._world.model.tables.get("orders")
        if table is not self._table or picked not in self._kinds:
            return
        self._touched += 1
        value: AttributeValue = {"S": f"{TOUCH_ATTRIBUTE} {self._touched}"}
        entry = table.update({"id": {"S": picked}}, {TOUCH_ATTRIBUTE: value}, frozenset(), at)
        if entry is None or table.stream is None:
            return
        kinds = (self._kinds[picked], self._kinds[picked])
        world, item = self._world, table.items.get((picked,))
        record = world.truth.wrote(table.stream, picked, kinds, item, touched=True)
        assert record is not None
        detail = f"{picked} {record.sequence} touched"
        world.trace.add(world.loop.now, "table", "change", record.shard.id, detail)

    def _spoil(self, event: EventTruth, bad: float) -> None:
        """Some events are poison, and to some a firewall objects."""
        scenario, sequence = self._world.scenario, event.record.sequence
        poison = self._world.nakadi[event.event_type].poison
        if bad < POISON and scenario.has("poison"):
            poison[sequence] = "named" if bad < POISON * 0.6 else "unnamed"
            event.poison = True
        elif bad > 1.0 - OBJECTED and scenario.has("firewall"):
            poison[sequence] = "objected"
            event.objected = True
            self._objected.append(event.record)

    def _picks(self, event_type: str) -> bool:
        """Whether an event type shows so little that its events are small whatever the items."""
        scenario = self._world.scenario
        versions = [scenario.rules, scenario.later_rules]
        return any(
            rules[event_type].showing is Showing.PICKS for rules in versions if event_type in rules
        )

    def _next_kind(self, key: str) -> Kind:
        """The next kind of a healthy item."""
        if not self._filtered:
            return KINDS_OF_ITEMS[0]
        return next(self._healthy.setdefault(key, cycle(HEALTHY)))

    def _removed(self, picked: str, at: float, key: str | None, kind: Kind) -> _Written | None:
        """Remove the item now and then; a healthy one if it is to have no kind."""
        removed = self._chance.random() < REMOVED if key is None else kind is None
        if not removed:
            return None
        self._long.discard(picked)
        self._kinds.pop(picked, None)
        return _Written(self._table.delete({"id": {"S": picked}}, at))

    def _put(self, picked: str, at: float, key: str | None, kind: Kind) -> _Written:
        """Put the next version of an item; a healthy one is of this kind."""
        chance, fill, patch = self._chance, 10, 0
        if key is None and chance.random() < self._big:
            fill = 1000 * int(chance.uniform(50, 350))
        version: AttributeValue = {"N": str(self._version)}
        item: Attributes = {"id": {"S": picked}, "n": version, "fill": {"S": "x" * fill}}
        if key is None and self._long_names and chance.random() < self._long_names:
            leaves: AttributeValue = {"M": {f"l{number}": version for number in range(LEAVES)}}
            item = {**item, "fill": {"S": ""}, LONG_NAME: leaves}
            fill, patch = 0, LEAVES * len(LONG_NAME) if picked in self._long else 0
            self._long.add(picked)
        else:
            self._long.discard(picked)
        if kind is None:
            kind = self._kind_chance.choice(KINDS_OF_ITEMS) if self._filtered else KINDS_OF_ITEMS[0]
        if self._filtered:
            item = {**item, "kind": {"S": kind}}
        if self._world.scenario.has("seen"):
            item = {**item, HIDDEN: {"S": f"{HIDDEN} {self._version}"}}
        self._kinds[picked] = kind
        return _Written(self._table.put(item, at), fill, patch)

    async def run(self) -> None:
        """All changes of the workload, at their times."""
        load, chance = self._world.scenario.workload, self._chance
        written = 0
        while written < load.changes:
            await asyncio.sleep(chance.expovariate(load.changes / load.seconds))
            await self._world.day.wait()
            many = BURST if self._world.scenario.has("bursts") and chance.random() < 0.03 else 1
            for _ in range(min(many, load.changes - written)):
                self.write(wall(self._world.loop.now))
                written += 1
                if self._touches and self._touch_chance.random() < TOUCHED:
                    self.touch(wall(self._world.loop.now))

    def trickle(self, at: float) -> None:
        """Changes of every second when all is well.

        Beside an event that something in between objects to, others of its shard and partition are
        written, so that they are stored and it is known to fail alone.
        """
        self.write(at, self.keys[-1])
        now = self._world.loop.now
        waiting = [record for record in self._objected if now - record.sent_at < STILL_SENT]
        for record in waiting[:TRICKLES]:
            beside = _beside(record)
            if beside is not None:
                self.write(at, beside)

    def _pick(self) -> str:
        if self._world.scenario.has("hot") and self._chance.random() < HOT:
            return self.keys[0]
        return self.keys[int(self._chance.random() * len(self.keys))]


def _beside(record: Record) -> str | None:
    """Return another key of the record's shard and partition; None if the shard is closed."""
    shard, schema = record.shard.shard, record.shard.stream.key_schema
    if shard.ending is not None:
        return None
    wanted = partition_of(record.key)
    for key in (f"t{number}" for number in range(NAMES_TRIED)):
        place = schema.hash({"id": {"S": key}})
        is_there = shard.hash_range.start <= place < shard.hash_range.end
        if is_there and partition_of(key) == wanted:
            return key
    return None
