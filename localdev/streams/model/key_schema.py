"""A table's primary key: which attributes of an item it takes, and what makes two keys the same."""

from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import md5

from localdev.streams.errors import invalid
from localdev.streams.model.attribute import Attributes, canonical_number, typed


@dataclass(frozen=True, slots=True)
class KeySchema:
    """`partition` and `sort` name attributes, `types` says S, N or B for each of them."""

    partition: str
    sort: str | None
    types: Mapping[str, str]

    @property
    def names(self) -> tuple[str, ...]:
        """The key's attributes, partition key first."""
        return (self.partition,) if self.sort is None else (self.partition, self.sort)

    def wire(self) -> list[dict[str, str]]:
        """Return KeySchema as DescribeTable and DescribeStream write it."""
        return [
            {"AttributeName": name, "KeyType": "RANGE" if name == self.sort else "HASH"}
            for name in self.names
        ]

    def key_of(self, attributes: Attributes) -> Attributes:
        """Return an item's key. Raise ServiceError (validation)."""
        for name in self.names:
            if name not in attributes:
                raise invalid(
                    f"One or more parameter values were invalid: Missing the key {name} in the item"
                )
            kind, content = typed(attributes[name])
            if kind != self.types[name] or content == "":
                raise invalid(
                    "One or more parameter values were invalid: Type mismatch for key"
                    f" {name} expected: {self.types[name]} actual: {kind}"
                )
        return {name: attributes[name] for name in self.names}

    def exact(self, key: Attributes) -> Attributes:
        """Return a key that was given as one. Raise ServiceError (validation)."""
        if set(key) != set(self.names):
            raise invalid("The provided key element does not match the schema")
        return self.key_of(key)

    def identity(self, key: Attributes) -> tuple[str, ...]:
        """Return what is equal for equal keys, however their numbers are written."""
        return tuple(_canonical(key, name) for name in self.names)

    def hash(self, key: Attributes) -> int:
        """Return 128 bit of the partition key; they decide which shard takes its changes."""
        text = _canonical(key, self.partition)
        return int.from_bytes(md5(text.encode(), usedforsecurity=False).digest(), "big")


def _canonical(key: Attributes, name: str) -> str:
    kind, content = typed(key[name])
    return canonical_number(content) if kind == "N" else str(content)
