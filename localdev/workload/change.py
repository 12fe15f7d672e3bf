"""What a workload does to a table: it inserts, updates and deletes items."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

Value = str | bool | Decimal | set[str] | list["Value"] | dict[str, "Value"]


@dataclass(frozen=True, slots=True)
class Insert:
    """A new item, as a whole."""

    item: Mapping[str, Value]


@dataclass(frozen=True, slots=True)
class Update:
    """Attributes that an item gets and loses."""

    key: Mapping[str, str]
    sets: Mapping[str, Value]
    removes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Delete:
    """The end of an item."""

    key: Mapping[str, str]


Change = Insert | Update | Delete
