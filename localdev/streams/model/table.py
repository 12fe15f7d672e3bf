"""A table: the items, because a stream's images are theirs, and its latest stream."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from localdev.streams import names
from localdev.streams.errors import invalid
from localdev.streams.model.attribute import Attributes, AttributeValue, same
from localdev.streams.model.item import Item
from localdev.streams.model.key_schema import KeySchema
from localdev.streams.model.record import Change, Entry
from localdev.streams.model.stream import Stream


@dataclass(slots=True)
class Table:
    """Every write returns the record that it made, None if it changed nothing or none is made.

    `initial_shards` is how many shards a new stream of it starts with.
    """

    name: str
    key_schema: KeySchema
    created_at: float
    initial_shards: int
    stream: Stream | None = None  # the latest, which may be disabled
    items: dict[tuple[str, ...], Item] = field(default_factory=dict)

    @property
    def arn(self) -> str:
        """The table's ARN."""
        return names.table_arn(self.name)

    def put(self, attributes: Attributes, now: float) -> Entry | None:
        """Write a whole item. Raise ServiceError (validation)."""
        return self._write(self.key_schema.key_of(attributes), Item.of(attributes), now)

    def update(
        self,
        key: Attributes,
        sets: Mapping[str, AttributeValue],
        removes: frozenset[str],
        now: float,
    ) -> Entry | None:
        """Set and remove top-level attributes, of a new item if there is none.

        Raise ServiceError (validation).
        """
        key = self.key_schema.exact(key)
        if not removes.union(sets).isdisjoint(key):
            raise invalid("Cannot update attribute: This attribute is part of the key")
        old = self.items.get(self.key_schema.identity(key))
        kept = (key if old is None else old.attributes).items()
        attributes = {name: value for name, value in kept if name not in removes}
        return self._write(key, Item.of({**attributes, **sets}), now)

    def delete(self, key: Attributes, now: float, *, ttl: bool = False) -> Entry | None:
        """Remove an item; `ttl` as DynamoDB does when it has expired. Raise ServiceError."""
        return self._write(self.key_schema.exact(key), None, now, ttl=ttl)

    def _write(
        self, key: Attributes, new: Item | None, now: float, *, ttl: bool = False
    ) -> Entry | None:
        identity = self.key_schema.identity(key)
        old = self.items.get(identity)
        item = old if new is None else new
        if item is None:
            return None
        if old is not None and new is not None and same(old.attributes, new.attributes):
            return None
        if new is None:
            del self.items[identity]
        else:
            self.items[identity] = new
        if self.stream is None or not self.stream.enabled:
            return None
        key = self.key_schema.key_of(item.attributes)  # its numbers as the service writes them
        return self.stream.append(Change(key, old, new, ttl), now)
