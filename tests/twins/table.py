"""The table in memory: the port `Table`. A test may write between two reads."""

from __future__ import annotations

import json
from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from msgspec import Raw

from consumer.core.republish.table.read_item import ReadItem
from consumer.core.republish.table.table_answer import TableAnswer

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from consumer.core.republish.table.table_description import TableDescription
    from consumer.errors import Retryable
    from consumer.ports import Clock

Json = Any

PAGE = 3


def wire(value: Json) -> Raw:
    return Raw(json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode())


@dataclass
class TableTwin:
    """`items` are by the JSON of their keys, in the order of writing. `before_get` is called with
    the number of the call before each `get` answers. `fails` are raised by the next calls of `get`,
    and `reads` is how many keys the next ones read; the others are left unread.
    """

    clock: Clock
    facts: TableDescription
    items: dict[str, Json] = field(default_factory=dict)
    before_get: Callable[[int], None] = lambda _: None
    gets: list[int] = field(default_factory=list)
    got_at: list[float] = field(default_factory=list)
    seconds: float = 0.05
    fails: deque[Retryable] = field(default_factory=deque)
    reads: deque[int] = field(default_factory=deque)

    def put(self, *items: Json) -> None:
        for item in items:
            self.items[self.key_of(item)] = item

    def delete(self, keys: Json) -> None:
        self.items.pop(self.key_of(keys), None)

    def key_of(self, item: Json) -> str:
        return json.dumps({name: item[name] for name in self.facts.keys}, sort_keys=True)

    async def describe(self) -> TableDescription:
        return self.facts

    async def get(self, keys: Sequence[Raw]) -> TableAnswer:
        assert len({self.key_of(json.loads(bytes(each))) for each in keys}) == len(keys) <= 100
        self.before_get(len(self.gets))
        self.gets.append(len(keys))
        self.got_at.append(self.clock.now())
        if self.fails:
            raise self.fails.popleft()
        read = keys[: self.reads.popleft()] if self.reads else keys
        found = [self.items.get(self.key_of(json.loads(bytes(each)))) for each in read]
        await self.clock.sleep(self.seconds)
        at = self.clock.wall()
        items = [
            ReadItem(its_keys, None if item is None else wire(item), at)
            for its_keys, item in zip(read, found, strict=True)
        ]
        return TableAnswer(tuple(reversed(items)), float(len(items)), tuple(keys[len(read) :]))

    async def query(self, partition: Raw, after: Raw | None) -> TableAnswer:
        name = self.facts.keys[0]
        wanted = json.loads(bytes(partition))[name]
        keys = sorted(key for key, item in self.items.items() if item[name] == wanted)
        if after is not None:
            keys = [key for key in keys if key > self.key_of(json.loads(bytes(after)))]
        await self.clock.sleep(self.seconds)
        at = self.clock.wall()
        page = tuple(
            ReadItem(wire(json.loads(key)), wire(self.items[key]), at) for key in keys[:PAGE]
        )
        return TableAnswer(page, 1.0, after=page[-1].keys if len(keys) > PAGE else None)
